"""Hostile addresses as settings, as redirects and behind names: nothing connects to what is not allowed. Counted."""

import asyncio
import contextlib
import socket
import threading
from ipaddress import ip_address

import httpx
import pytest
from django.core.cache import cache

from apps.common.outgoing import Target, TargetRefused, open_client
from apps.external_integrations import errors
from apps.external_integrations.http import Endpoint, ask
from apps.webhooks.addresses import find_target
from apps.webhooks.sending import Message, send_messages
from tests.faults.connections import counted_connections, listener
from tests.faults.hostile_urls import HOSTILE, INSIDE, NOBODYS

NAME, PUBLIC = "registry.example", "93.184.216.34"
BODY = {"inn": "123456789"}


@pytest.fixture(autouse=True)
def _rooms(settings):
    """Both rooms allow one host at public addresses, and one of the lender's own."""
    cache.clear()
    settings.WEBHOOK_HOSTS, settings.WEBHOOK_PRIVATE_HOSTS = [NAME], ["core.bank.internal"]
    yield
    cache.clear()


def endpoint(base_url, *, public=(NAME,), private=("core.bank.internal",)):
    return Endpoint(base_url, tuple(public), 2.0, "s3cret", private_hosts=tuple(private))


def ask_source(base_url, resolve, **hosts):
    return ask("soliq", endpoint(base_url, **hosts), "/v1/taxpayers/lookup", BODY, resolve=resolve)


def send_webhook(url, resolve):
    (answer,) = send_messages(find_target(url, resolve=resolve), [Message({}, b"{}")], deadline_seconds=2.0)
    return answer


def resolving(*answers):
    """A resolver that gives these lists of addresses, one after the other and the last one for ever."""
    left = list(answers)
    asked = []

    def resolve(host, port):
        asked.append(host)
        return left.pop(0) if len(left) > 1 else left[0]

    resolve.asked = asked
    return resolve


def test_there_are_enough():
    assert len(set(HOSTILE)) >= 110
    assert len(INSIDE) + len(NOBODYS) >= 45


# --- That the counting counts -----------------------------------------------------------------------------------


def test_a_connection_to_loopback_is_counted_and_comes():
    with listener() as server, counted_connections() as begun, pytest.raises(errors.SourceFailed):
        ask_source(f"http://127.0.0.1:{server.port}", resolving([PUBLIC]), public=["127.0.0.1"])
    assert begun == [("127.0.0.1", server.port)] * 3
    assert server.accepted == 3


def test_a_connection_to_a_public_address_is_counted():
    with counted_connections() as begun, pytest.raises(errors.SourceUnreachable):
        ask_source(f"https://{NAME}", resolving([PUBLIC]))
    assert begun == [(PUBLIC, 443)] * 3


def test_what_the_guard_holds_back_would_have_come():
    """The plain client follows a redirect and reads 127.0.0.1 in it: the counting sees what the guard prevents."""
    with listener() as inside:
        moved = f"HTTP/1.1 302 Found\r\nLocation: http://127.1:{inside.port}/\r\nContent-Length: 0\r\n\r\n".encode()
        with listener(moved) as server, counted_connections() as begun:
            httpx.post(f"http://127.0.0.1:{server.port}/", follow_redirects=True, trust_env=False)
    assert begun == [("127.0.0.1", server.port), ("127.0.0.1", inside.port)]
    assert inside.accepted == 1


# --- As settings ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("template", HOSTILE)
def test_as_the_address_of_a_source(template):
    with listener() as inside, counted_connections() as begun, pytest.raises(errors.HostNotAllowed) as refusal:
        ask_source(template.replace("{port}", str(inside.port)), resolving(["127.0.0.1"]))
    assert begun == []
    assert inside.accepted == 0
    assert len(str(refusal.value)) > 40


@pytest.mark.parametrize("template", HOSTILE)
def test_as_the_address_of_a_webhook(template):
    with listener() as inside, counted_connections() as begun, pytest.raises(TargetRefused) as refusal:
        send_webhook(template.replace("{port}", str(inside.port)), resolving(["127.0.0.1"]))
    assert begun == []
    assert inside.accepted == 0
    assert refusal.value.fault in ("host_not_allowed", "address_not_allowed")


@pytest.mark.parametrize("template", HOSTILE)
def test_even_if_its_host_was_put_on_the_list(template):
    """As httpx reads it, so that the list of hosts alone would let it through. Only an address in its usual form is
    taken at its word then, and no number, name or trick.
    """
    with listener() as inside, counted_connections() as begun:
        url = template.replace("{port}", str(inside.port))
        with contextlib.suppress(errors.SourceUnavailable):
            ask_source(url, socket_addresses, public=_hosts_of(url), private=())
    assert {ip_address(address) for address, _ in begun} <= _named(url)


def _hosts_of(url):
    try:
        return [httpx.URL(url).raw_host.decode()]
    except (httpx.InvalidURL, UnicodeError):
        return []


def _named(url):
    """The address that the URL says it leads to, in the form that everybody reads alike."""
    for host in _hosts_of(url):
        with contextlib.suppress(ValueError):
            return {ip_address("127.0.0.1" if host == "localhost" else host)}
    return set()


def socket_addresses(host, port):
    """What the system reads in a number without asking anybody; any other name leads to loopback."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
    except OSError:
        return ["127.0.0.1"]
    return [each[4][0] for each in found]


# --- As redirects -----------------------------------------------------------------------------------------------


def _redirecting_to(url):
    return b"HTTP/1.1 302 Found\r\nLocation: " + url.encode() + b"\r\nContent-Length: 0\r\n\r\n"


@pytest.mark.parametrize("template", HOSTILE)
def test_as_a_redirect(template, settings):
    settings.WEBHOOK_PRIVATE_HOSTS = ["127.0.0.1"]
    with listener() as inside:
        location = _redirecting_to(template.replace("{port}", str(inside.port)))
        with listener(location) as source, counted_connections() as begun:
            own = f"http://127.0.0.1:{source.port}"
            # A head that its reader refuses is a fault like any other, and may be tried again.
            with pytest.raises((errors.RedirectRefused, errors.SourceUnreachable)):
                ask_source(own, resolving(["127.0.0.1"]), public=["127.0.0.1"])
            assert send_webhook(own, resolving(["127.0.0.1"])).fault in ("redirected", "unreachable")
    assert set(begun) == {("127.0.0.1", source.port)}
    assert source.accepted == len(begun) >= 2
    assert inside.accepted == 0


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 305, 307, 308, 399])
def test_no_status_is_followed(status):
    with listener() as inside:
        head = f"HTTP/1.1 {status} Go\r\nLocation: http://127.0.0.1:{inside.port}/\r\nContent-Length: 0\r\n\r\n"
        with listener(head.encode()) as source, counted_connections() as begun, pytest.raises(errors.RedirectRefused):
            ask_source(f"http://127.0.0.1:{source.port}", resolving([]), public=["127.0.0.1"])
    assert (begun, inside.accepted) == ([("127.0.0.1", source.port)], 0)


def test_a_head_that_asks_for_another_connection_gets_none():
    """Refresh, Link, Alt-Svc and Content-Location name other places too."""
    with listener() as inside:
        place = f"http://127.0.0.1:{inside.port}/"
        head = f'HTTP/1.1 500 No\r\nRefresh: 0; url={place}\r\nLink: <{place}>; rel="preload"\r\n'
        head += f'Alt-Svc: h2="127.0.0.1:{inside.port}"\r\nContent-Location: {place}\r\nContent-Length: 0\r\n\r\n'
        with listener(head.encode()) as source, counted_connections() as begun, pytest.raises(errors.SourceFailed):
            ask_source(f"http://127.0.0.1:{source.port}", resolving([]), public=["127.0.0.1"])
    assert (set(begun), inside.accepted) == ({("127.0.0.1", source.port)}, 0)


# --- Behind names -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", INSIDE)
def test_a_public_name_that_leads_inside(address):
    for found in ([address], [PUBLIC, address], [address, PUBLIC]):
        with counted_connections() as begun:
            with pytest.raises(errors.HostNotAllowed):
                ask_source(f"https://{NAME}", resolving(found))
            with pytest.raises(TargetRefused):
                send_webhook(f"https://{NAME}/hook", resolving(found))
        assert begun == []


@pytest.mark.parametrize("address", NOBODYS)
def test_a_name_of_the_lender_that_leads_where_nobody_is_asked(address):
    with counted_connections() as begun:
        with pytest.raises(errors.HostNotAllowed):
            ask_source("https://core.bank.internal", resolving([address]))
        with pytest.raises(TargetRefused):
            send_webhook("http://core.bank.internal/hook", resolving([address]))
    assert begun == []


@pytest.mark.parametrize("address", ["10.0.0.1", PUBLIC])
@pytest.mark.parametrize("hosts", [{"public": ["localhost"]}, {"private": ["localhost"]}])
def test_localhost_is_loopback_whatever_a_resolver_says(address, hosts):
    with counted_connections() as begun, pytest.raises(errors.HostNotAllowed):
        ask_source("http://localhost:8099", resolving([address]), **hosts)
    assert begun == []


def test_a_name_of_the_lender_may_stand_inside_but_needs_tls():
    with counted_connections() as begun:
        with pytest.raises(errors.SourceUnreachable):
            ask_source("https://core.bank.internal:9", resolving(["127.0.0.1"]))
        with pytest.raises(errors.HostNotAllowed, match="https"):
            ask_source("http://core.bank.internal:9", resolving(["127.0.0.1"]))
    assert set(begun) == {("127.0.0.1", 9)}


def test_a_name_that_leads_elsewhere_at_the_second_look_up(monkeypatch):
    """Rebinding: public when it is looked at, loopback ever after, whoever asks."""
    with listener() as inside, counted_connections() as begun:
        loopback = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", inside.port))]
        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: loopback)
        for call, error in ((ask_source, errors.SourceUnreachable), (_webhook_or_error, None)):
            resolve = resolving([PUBLIC], ["127.0.0.1"])
            with pytest.raises(error) if error else contextlib.nullcontext():
                call(f"https://{NAME}:{inside.port}", resolve)
            assert resolve.asked == [NAME]
    assert set(begun) == {(PUBLIC, inside.port)}
    assert inside.accepted == 0


def _webhook_or_error(url, resolve):
    assert send_webhook(url, resolve).fault == "unreachable"


def test_a_name_that_leads_inside_at_the_second_call():
    resolve = resolving([PUBLIC], ["127.0.0.1"])
    with listener() as inside, counted_connections() as begun:
        for error in (errors.SourceUnreachable, errors.HostNotAllowed):
            with pytest.raises(error):
                ask_source(f"https://{NAME}:{inside.port}", resolve)
    assert (set(begun), inside.accepted) == ({(PUBLIC, inside.port)}, 0)


def test_a_client_goes_nowhere_but_to_its_target():
    async def detour():
        target = Target(httpx.URL(f"https://{NAME}/"), (PUBLIC,))
        async with open_client(target, deadline_seconds=2.0, headers={}) as client:
            await client.get("https://evil.example/")

    with counted_connections() as begun, pytest.raises(TargetRefused):
        asyncio.run(detour())
    assert begun == []


# --- Around the guard -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["http", "socks5", "https"])
def test_a_proxy_of_the_environment_is_not_asked(monkeypatch, scheme):
    with listener() as proxy, counted_connections() as begun:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
            monkeypatch.setenv(name, f"{scheme}://127.0.0.1:{proxy.port}")
        with pytest.raises(errors.SourceUnreachable):
            ask_source(f"https://{NAME}", resolving([PUBLIC]))
        assert send_webhook(f"https://{NAME}/", resolving([PUBLIC])).fault == "unreachable"
    assert (set(begun), proxy.accepted) == ({(PUBLIC, 443)}, 0)


def test_a_resolver_that_hangs_holds_nobody_up(monkeypatch):
    """It is still asleep when the call is over: nothing waits for it."""
    woken = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: woken.wait(60) and [])
    try:
        with counted_connections() as begun, pytest.raises(errors.SourceTimeout):
            ask("soliq", Endpoint(f"https://{NAME}", (NAME,), 0.2), "/v1/taxpayers/lookup", BODY)
        assert (begun, woken.is_set()) == ([], False)
    finally:
        woken.set()
