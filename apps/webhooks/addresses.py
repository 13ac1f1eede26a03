"""Where webhooks may go: to hosts that the settings name, over TLS, and never to an address inside by a detour.

WEBHOOK_HOSTS are reached over https at public addresses. WEBHOOK_PRIVATE_HOSTS are the lender's own: these may do
without TLS and stand at private addresses. Both are empty unless set.
"""

import ipaddress
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import httpx
from django.conf import settings

from apps.common.outgoing import is_allowed

Resolve = Callable[[str, int], Sequence[str]]
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
# Where clouds hand out credentials to whoever asks; 169.254.169.254 is link-local, which is refused altogether.
METADATA = frozenset({ipaddress.ip_address("fd00:ec2::254"), ipaddress.ip_address("100.100.100.200")})
NAT64 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052: its last 32 bits are an IPv4 address
PORTS = {"https": 443, "http": 80}


class TargetRefused(Exception):
    """`fault`: host_not_allowed or address_not_allowed. The message is for the person who gave the address."""

    def __init__(self, fault: str, message: str) -> None:
        super().__init__(message)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Target:
    """`address`: the IP address that was looked at; the connection goes there and is not looked up again."""

    url: httpx.URL
    address: str


def check_url(text: str) -> httpx.URL:
    """Raises TargetRefused unless the settings allow to send there."""
    try:
        url = httpx.URL(text)
    except httpx.InvalidURL:
        raise TargetRefused("host_not_allowed", "This is not a URL; give one like https://host/path.") from None
    if url.scheme not in PORTS or not url.host:
        raise TargetRefused("host_not_allowed", "Give an absolute address that starts with https://.")
    if url.port is not None and not 0 < url.port < 65536:
        raise TargetRefused("host_not_allowed", "This is not a URL: a port is a number from 1 to 65535.")
    if url.userinfo or url.fragment:
        raise TargetRefused("host_not_allowed", "Leave out user, password and fragment; the signature says who sends.")
    private = is_allowed(url, settings.WEBHOOK_PRIVATE_HOSTS)
    if not private and not is_allowed(url, settings.WEBHOOK_HOSTS):
        raise TargetRefused(
            "host_not_allowed",
            "This host is not allowed. Whoever runs the installation names it in the setting WEBHOOK_HOSTS.",
        )
    if url.scheme != "https" and not private:
        raise TargetRefused("host_not_allowed", "Give an https address; only WEBHOOK_PRIVATE_HOSTS may do without.")
    return url


def look_up(host: str, port: int) -> list[str]:
    """The IP addresses of the host, as the system finds them. Raises OSError."""
    return [found[4][0] for found in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def find_target(text: str, *, resolve: Resolve = look_up) -> Target:
    """The first address of the host. Raises TargetRefused if any of them is none to send to, and OSError."""
    url = check_url(text)
    found = resolve(url.raw_host.decode("ascii"), url.port or PORTS[url.scheme])
    private = is_allowed(url, settings.WEBHOOK_PRIVATE_HOSTS)
    if not found or not all(_may_reach(ipaddress.ip_address(each.partition("%")[0]), private) for each in found):
        raise TargetRefused("address_not_allowed", "The name leads to an address that webhooks are not sent to.")
    return Target(url, found[0])


def _may_reach(address: Address, private: bool) -> bool:
    address = _embedded(address)
    if address in METADATA or address.is_link_local or address.is_multicast or address.is_unspecified:
        return False
    return private or address.is_global


def _embedded(address: Address) -> Address:
    """The IPv4 address within an IPv6 one that stands for it."""
    if address.version == 6 and address in NAT64:
        return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return getattr(address, "ipv4_mapped", None) or getattr(address, "sixtofour", None) or address
