"""Calls that leave the house: to hosts that the settings name, at addresses that were looked at, never elsewhere.

Over TLS, redirected by nobody, through no proxy. A host of `public_hosts` is reached at public addresses only, one of
`private_hosts`, the lender's own, at private ones too. What is named by its very address, and localhost, are reached
there.
"""

import ipaddress
import re
import socket
import ssl
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from functools import cache
from queue import Empty, SimpleQueue
from threading import Thread

import httpx

Resolve = Callable[[str, int], Sequence[str]]
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
# What becomes of a connection; that a server of TLS 1.3 refuses our certificate shows when its answer is read.
BROKEN = (httpx.TransportError, ssl.SSLError)
PORTS = {"https": 443, "http": 80}
LOOK_UP_SECONDS = 5.0
MOST_ADDRESSES = 4  # of one name that are tried
NAME = re.compile(r"(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
NUMERIC = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)")  # what the system would read as an IPv4 address
# No host of anybody's: this network, link-local, multicast, reserved, local-use NAT64 (RFC 8215), and where clouds hand
# out credentials to whoever asks (169.254.169.254 is link-local).
NEVER = tuple(
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4", "::/128", "fe80::/10", "ff00::/8",
        "64:ff9b:1::/48", "100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::/32", "fd20:ce::254",
    )
)  # fmt: skip
NAT64 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052: its last 32 bits are an IPv4 address
COMPATIBLE = ipaddress.ip_network("::/96")  # RFC 4291, 2.5.5.1: the same


class TargetRefused(Exception):
    """`fault`: not_a_url, userinfo, host_not_allowed, not_tls or address_not_allowed."""

    def __init__(self, fault: str, message: str) -> None:
        super().__init__(message)
        self.fault = fault


class CertificatesUnusable(Exception):
    """A PEM file of the settings is missing, or does not hold what it should."""


@dataclass(frozen=True, slots=True)
class Target:
    """`addresses`: the IP addresses that were looked at; connections go there, and nothing is looked up again."""

    url: httpx.URL
    addresses: tuple[str, ...]

    @property
    def address(self) -> str:
        return self.addresses[0]


@dataclass(frozen=True, slots=True)
class Certificates:
    """Paths of PEM files. What we show (mTLS; the key may be in the same file), and whom we believe instead of the
    public authorities.
    """

    client_cert: str = ""
    client_key: str = ""
    ca_file: str = ""


PUBLIC_AUTHORITIES = Certificates()


# --- The URL --------------------------------------------------------------------------------------------------


def is_allowed(url: httpx.URL, hosts: Collection[str]) -> bool:
    """Each of `hosts` is `host`, whatever the port, or `host:port`; names of other letters as xn--."""
    name, place = url.raw_host.decode("ascii"), url.netloc.decode("ascii")
    names = {name, place, f"{place}:{PORTS.get(url.scheme)}"} if url.port is None else {name, place}
    return bool(name) and not names.isdisjoint(host.lower() for host in hosts)


def check_url(
    text: str, *, public_hosts: Collection[str], private_hosts: Collection[str], plain_hosts: Collection[str] = ()
) -> httpx.URL:
    """Raises TargetRefused unless this is an address at one of the hosts, over https. `plain_hosts` may do without TLS,
    and so may loopback. Nothing is looked up.
    """
    url = _parse(text)
    if url.userinfo:
        raise TargetRefused("userinfo", "Leave user and password out of the address.")
    if not is_allowed(url, [*public_hosts, *private_hosts]):
        raise TargetRefused("host_not_allowed", "The host is not one of the allowed hosts.")
    if url.scheme != "https" and not (_is_loopback(url) or is_allowed(url, plain_hosts)):
        raise TargetRefused("not_tls", "Give an https address; only a loopback address may do without.")
    return url


def _parse(text: str) -> httpx.URL:
    # Stricter than httpx, and than any browser: what two readers might read in two ways is refused.
    if not text.isascii() or not text.isprintable() or " " in text or "\\" in text:
        raise TargetRefused("not_a_url", "Write the URL in ASCII letters without spaces, other names as xn--.")
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        raise TargetRefused("not_a_url", "This is not a URL; give one like https://host/path.") from None
    if url.scheme not in PORTS or not url.raw_host:
        raise TargetRefused("not_a_url", "Give an absolute address that starts with https://.")
    if url.port is not None and not 0 < url.port < 65536:
        raise TargetRefused("not_a_url", "This is not a URL: a port is a number from 1 to 65535.")
    if _literal(url) is None and not _is_name(url.raw_host.decode("ascii")):
        raise TargetRefused("not_a_url", "The host is neither a name nor an IP address in its usual form.")
    return url


def _is_name(host: str) -> bool:
    return len(host) <= 253 and NAME.fullmatch(host) is not None and NUMERIC.fullmatch(host) is None


def _literal(url: httpx.URL) -> Address | None:
    try:
        address = ipaddress.ip_address(url.raw_host.decode("ascii"))
    except ValueError:
        return None
    return None if getattr(address, "scope_id", None) else address


def _is_loopback(url: httpx.URL) -> bool:
    literal = _literal(url)
    return url.raw_host == b"localhost" or (literal is not None and literal.is_loopback)


# --- The addresses --------------------------------------------------------------------------------------------


def look_up(host: str, port: int) -> list[str]:
    """The IP addresses of the host, as the system finds them. Raises OSError."""
    return [found[4][0] for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def find_target(
    text: str,
    *,
    public_hosts: Collection[str],
    private_hosts: Collection[str],
    plain_hosts: Collection[str] = (),
    resolve: Resolve = look_up,
    seconds: float = LOOK_UP_SECONDS,
) -> Target:
    """Raises TargetRefused, also if only one of the addresses of the name is none to go to; TimeoutError when the name
    is not looked up within so many seconds, OSError when there is no such name.
    """
    url = check_url(text, public_hosts=public_hosts, private_hosts=private_hosts, plain_hosts=plain_hosts)
    literal = _literal(url)
    port = url.port or PORTS[url.scheme]
    found = [str(literal)] if literal else _look_up_within(seconds, resolve, url.raw_host.decode("ascii"), port)
    may_be_private = literal is not None or is_allowed(url, private_hosts)
    if not found or not all(_may_reach(each, url, may_be_private) for each in found):
        raise TargetRefused("address_not_allowed", "The name leads to an address that nothing is sent to.")
    return Target(url, tuple(dict.fromkeys(found))[:MOST_ADDRESSES])


def _look_up_within(seconds: float, resolve: Resolve, host: str, port: int) -> Sequence[str]:
    # A system's resolver cannot be stopped. In a daemon thread of its own it holds up nobody, not even the end of the
    # process; asyncio.run and an executor would wait for it.
    answers: SimpleQueue[Sequence[str] | OSError | UnicodeError] = SimpleQueue()

    def run() -> None:
        try:
            answers.put(resolve(host, port))
        except (OSError, UnicodeError) as error:
            answers.put(error)

    Thread(target=run, daemon=True, name="look-up").start()
    try:
        found = answers.get(timeout=max(seconds, 0))
    except Empty:
        raise TimeoutError(f"The name was not looked up within {seconds:g} seconds.") from None
    if isinstance(found, UnicodeError):
        raise OSError("This cannot be the name of a host.") from None
    if isinstance(found, OSError):
        raise found
    return found


def _may_reach(text: str, url: httpx.URL, may_be_private: bool) -> bool:
    try:
        address = _embedded(ipaddress.ip_address(text))
    except ValueError:
        return False
    if any(address in network for network in NEVER if network.version == address.version):
        return False
    if url.raw_host == b"localhost":
        return address.is_loopback
    return may_be_private or address.is_global


def _embedded(address: Address) -> Address:
    """The IPv4 address within an IPv6 one that stands for it."""
    if address.version == 4 or address.is_loopback or address.is_unspecified:
        return address
    if address in NAT64 or address in COMPATIBLE:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    teredo = address.teredo
    return address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else address)


# --- The connection -------------------------------------------------------------------------------------------


@cache
def tls_context(certificates: Certificates = PUBLIC_AUTHORITIES) -> ssl.SSLContext:
    """Reading the certificates of the authorities takes longer than a call; they are read once a process.

    Raises CertificatesUnusable.
    """
    if certificates.client_key and not certificates.client_cert:
        raise CertificatesUnusable("A client key is set, but no client certificate.")
    context = _believing(certificates.ca_file)
    if certificates.client_cert:
        try:
            # password: without one a key that asks for it would ask the terminal.
            context.load_cert_chain(certificates.client_cert, certificates.client_key or None, password="")
        except OSError as error:
            raise CertificatesUnusable(f"The client certificate and key cannot be used: {_reason(error)}.") from None
    return context


def _believing(ca_file: str) -> ssl.SSLContext:
    if not ca_file:
        return httpx.create_ssl_context(trust_env=False)
    try:
        return ssl.create_default_context(cafile=ca_file)
    except OSError as error:
        raise CertificatesUnusable(f"The CA file cannot be used: {_reason(error)}.") from None


def _reason(error: OSError) -> str:
    """Without the path: people who look something up may read this."""
    return getattr(error, "reason", None) or error.strerror or "no certificate or key in PEM form is in it"


class _Pinned(httpx.AsyncBaseTransport):
    """Sends to the target alone: to its addresses, in turn until one takes the connection. TLS checks the name."""

    def __init__(self, target: Target, inner: httpx.AsyncBaseTransport) -> None:
        self.target, self.inner = target, inner

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if _place(request.url) != _place(self.target.url):
            raise TargetRefused("host_not_allowed", "This is another host than the one that was looked at.")
        response = await self._first_answer(request)
        # httpx reads where a redirect points even if it follows none, and stumbles over some of what it finds.
        response.headers.pop("Location", None)
        return response

    async def _first_answer(self, request: httpx.Request) -> httpx.Response:
        *others, last = self.target.addresses
        for address in others:
            try:
                return await self.inner.handle_async_request(self._to(address, request))
            except (httpx.ConnectError, httpx.ConnectTimeout):
                continue  # nothing was sent
        return await self.inner.handle_async_request(self._to(last, request))

    def _to(self, address: str, request: httpx.Request) -> httpx.Request:
        timeout = dict(request.extensions.get("timeout", {}))
        if timeout.get("connect"):
            timeout["connect"] /= len(self.target.addresses)
        extensions = request.extensions | {"sni_hostname": request.url.raw_host.decode("ascii"), "timeout": timeout}
        url = request.url.copy_with(host=address)
        # The headers are those of the name, Host among them.
        return httpx.Request(request.method, url, headers=request.headers, stream=request.stream, extensions=extensions)

    async def aclose(self) -> None:
        await self.inner.aclose()


def _place(url: httpx.URL) -> tuple[str, bytes, int | None]:
    return url.scheme, url.raw_host, url.port


def open_client(
    target: Target,
    *,
    deadline_seconds: float,
    headers: Mapping[str, str],
    certificates: Certificates = PUBLIC_AUTHORITIES,
    transport: httpx.AsyncBaseTransport | None = None,
) -> httpx.AsyncClient:
    """A client for this target only, to be closed by the caller. httpx counts silence only: bound a whole call by
    asyncio.timeout too. Raises CertificatesUnusable.
    """
    inner = transport or httpx.AsyncHTTPTransport(verify=tls_context(certificates), trust_env=False)
    # trust_env: no proxy and no netrc from outside.
    return httpx.AsyncClient(
        transport=_Pinned(target, inner),
        headers=headers,
        timeout=deadline_seconds,
        follow_redirects=False,
        trust_env=False,
    )


def retry_after(text: str, now: datetime) -> timedelta | None:
    """What a Retry-After asks for, in seconds or as a date (RFC 9110, 10.2.3); None if it cannot be read."""
    text = text.strip()
    if text.isascii() and text.isdigit():
        return timedelta(seconds=int(text[:9]))
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - now
