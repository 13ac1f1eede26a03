"""What calls that leave the house share: the list of hosts, the addresses behind names, and a client that goes there.

tests/faults/test_hostile_urls.py tries over a hundred addresses that should not be reached, and counts connections.
"""

import asyncio
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx
import pytest

from apps.common.outgoing import Target, TargetRefused, find_target, is_allowed, look_up, open_client, retry_after

PUBLIC, OTHER = "93.184.216.34", "2606:2800:220:1::1"


HOSTS = [
    "hooks.example", "one.example:8443", OTHER, "default.example:443", "Upper.Example", "xn--e1aybc.example",
]  # fmt: skip


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://hooks.example/", True),
        ("https://hooks.example:9443/", True),
        ("https://one.example:8443/", True),
        ("https://one.example/", False),
        ("https://one.example:8444/", False),
        ("https://sub.hooks.example/", False),
        ("https://hooks.example.other.example/", False),
        ("/path", False),
        ("https://[2606:2800:220:1::1]:8443/", True),
        ("https://[2606:2800:220:1::2]:8443/", False),
        ("https://default.example/", True),
        ("https://default.example:443/", True),
        ("http://default.example/", False),
        ("https://upper.example/", True),
        ("https://xn--e1aybc.example/", True),
    ],
)
def test_a_host_is_named_with_or_without_its_port(url, allowed):
    assert is_allowed(httpx.URL(url), HOSTS) is allowed


def test_an_empty_list_allows_nothing():
    assert not is_allowed(httpx.URL("https://hooks.example/"), [])


def test_a_client_follows_no_redirect_and_asks_no_proxy(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    asked = []

    def answer(request):
        asked.append(request)
        return httpx.Response(302, headers={"Location": "https://elsewhere.example/"})

    target = Target(httpx.URL("https://hooks.example/"), ("93.184.216.34",))

    async def ask():
        transport = httpx.MockTransport(answer)
        async with open_client(target, deadline_seconds=2.0, headers={"X-One": "1"}, transport=transport) as client:
            return await client.post("https://hooks.example/")

    assert asyncio.run(ask()).status_code == 302
    assert [(request.url.host, request.headers["X-One"]) for request in asked] == [("93.184.216.34", "1")]
    client = open_client(target, deadline_seconds=2.0, headers={})
    assert (client.trust_env, client.follow_redirects) == (False, False)


# --- Looking up -------------------------------------------------------------------------------------------------


def target(text, *found, public=("hooks.example",), private=(), **options):
    return find_target(text, public_hosts=public, private_hosts=private, resolve=lambda *_: list(found), **options)


def fault_of(text, *found, **options):
    with pytest.raises(TargetRefused) as refusal:
        target(text, *found, **options)
    return refusal.value.fault


def test_a_name_is_looked_up_once_with_its_port():
    asked = []

    def resolve(host, port):
        asked.append((host, port))
        return [PUBLIC, OTHER, PUBLIC]

    for url in ("https://hooks.example/", "https://hooks.example:8443/"):
        found = find_target(url, public_hosts=["hooks.example"], private_hosts=[], resolve=resolve)
        assert (found.address, found.addresses) == (PUBLIC, (PUBLIC, OTHER))
    assert asked == [("hooks.example", 443), ("hooks.example", 8443)]


def test_four_addresses_of_a_name_are_enough_but_all_are_looked_at():
    many = [f"93.184.216.{number}" for number in range(9)]
    assert target("https://hooks.example/", *many).addresses == tuple(many[:4])
    assert fault_of("https://hooks.example/", *many, "10.0.0.1") == "address_not_allowed"


def test_an_address_is_not_looked_up():
    for host, address in (("127.0.0.1", "127.0.0.1"), ("[::1]", "::1"), ("10.0.0.7", "10.0.0.7")):
        found = target(f"https://{host}:5/", public=[host.strip("[]")])
        assert found.addresses == (address,)


@pytest.mark.parametrize(
    ("url", "hosts", "fault"),
    [
        ("https://127.0.0.1/", {"public": ["127.0.0.1"]}, None),
        ("http://127.0.0.1/", {"public": ["127.0.0.1"]}, None),
        ("http://10.0.0.1/", {"public": ["10.0.0.1"]}, "not_tls"),
        ("https://10.0.0.1/", {"public": ["10.0.0.1"]}, None),
        ("https://10.0.0.1/", {"public": ["10.0.0.2"]}, "host_not_allowed"),
        ("https://169.254.169.254/", {"public": ["169.254.169.254"]}, "address_not_allowed"),
        ("https://169.254.169.254/", {"private": ["169.254.169.254"]}, "address_not_allowed"),
        ("https://[::ffff:169.254.169.254]/", {"private": ["::ffff:169.254.169.254"]}, "address_not_allowed"),
        ("http://core.bank/", {"private": ["core.bank"]}, "not_tls"),
        ("http://core.bank/", {"private": ["core.bank"], "plain_hosts": ["core.bank"]}, None),
        ("http://hooks.example/", {"plain_hosts": ["core.bank"]}, "not_tls"),
        ("https://core.bank/", {"private": ["core.bank"]}, None),
        ("https://core.bank/", {"public": ["core.bank"]}, "address_not_allowed"),
        ("http://localhost:8099/", {"public": ["localhost"]}, None),
        ("https://user@hooks.example/", {}, "userinfo"),
        ("https://2130706433/", {"public": ["2130706433"]}, "not_a_url"),
        ("https://hooks.example/a b", {}, "not_a_url"),
        ("https://hooks.example/\\a", {}, "not_a_url"),
        ("https://hooks.example/\u00fc", {}, "not_a_url"),
        ("https://\u0445\u0443\u043a.example/", {"public": ["\u0445\u0443\u043a.example"]}, "not_a_url"),
        ("https://hooks.example./", {"public": ["hooks.example."]}, "not_a_url"),
        (f"https://{'a' * 64}.example/", {"public": [f"{'a' * 64}.example"]}, "not_a_url"),
    ],
)
def test_what_a_list_of_hosts_lets_through(url, hosts, fault):
    if fault is None:
        assert target(url, "127.0.0.1", **hosts).address
    else:
        assert fault_of(url, "127.0.0.1", **hosts) == fault


def test_a_resolver_that_hangs_is_left_behind():
    woken = threading.Event()
    with pytest.raises(TimeoutError, match=r"within 0\.05 seconds"):
        find_target(
            "https://hooks.example/",
            public_hosts=["hooks.example"],
            private_hosts=[],
            resolve=lambda *_: woken.wait(60) and [],
            seconds=0.05,
        )
    assert not woken.is_set()
    woken.set()


@pytest.mark.parametrize("error", [OSError("none"), UnicodeError("none")])
def test_a_name_that_is_none(error):
    def resolve(host, port):
        raise error

    with pytest.raises(OSError, match=r"name|none"):
        find_target("https://hooks.example/", public_hosts=["hooks.example"], private_hosts=[], resolve=resolve)


def test_the_systems_resolver_knows_this_machine():
    assert {"127.0.0.1", "::1"} & set(look_up("localhost", 80))


# --- Connecting -------------------------------------------------------------------------------------------------


async def post(found, transport=None, url=None, deadline_seconds=3.0):
    async with open_client(found, deadline_seconds=deadline_seconds, headers={}, transport=transport) as client:
        return await client.post(url or found.url, content=b"{}")


class Echo(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("X-Host", self.headers["Host"])
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


def test_an_address_where_nobody_answers_is_followed_by_the_next():
    server = HTTPServer(("127.0.0.1", 0), Echo)
    threading.Thread(target=server.handle_request, daemon=True).start()
    url = httpx.URL(f"http://core.bank:{server.server_port}/hook")
    response = asyncio.run(post(Target(url, ("127.0.0.2", "::1", "127.0.0.1"))))
    server.server_close()
    assert (response.status_code, response.headers["X-Host"]) == (200, f"core.bank:{server.server_port}")


def test_the_name_is_in_host_and_tls_and_each_address_has_its_share_of_the_time():
    seen = []

    def answer(request):
        seen.append(request)
        if len(seen) == 1:
            raise httpx.ConnectTimeout("nobody there")
        return httpx.Response(200)

    found = Target(httpx.URL("https://hooks.example:8443/hook?a=b"), (PUBLIC, OTHER))
    asyncio.run(post(found, httpx.MockTransport(answer), deadline_seconds=4.0))
    assert [str(request.url) for request in seen] == [
        f"https://{PUBLIC}:8443/hook?a=b",
        f"https://[{OTHER}]:8443/hook?a=b",
    ]
    for request in seen:
        assert request.headers["Host"] == "hooks.example:8443"
        assert request.extensions["sni_hostname"] == "hooks.example"
        assert (request.extensions["timeout"]["connect"], request.extensions["timeout"]["read"]) == (2.0, 4.0)


@pytest.mark.parametrize("error", [httpx.ReadError, httpx.WriteError, httpx.ReadTimeout, httpx.RemoteProtocolError])
def test_what_may_have_been_sent_is_not_sent_to_the_next(error):
    asked = []

    def answer(request):
        asked.append(request.url.host)
        raise error("broken")

    with pytest.raises(error):
        asyncio.run(post(Target(httpx.URL("https://hooks.example/"), (PUBLIC, OTHER)), httpx.MockTransport(answer)))
    assert asked == [PUBLIC]


@pytest.mark.parametrize("url", ["https://other.example/", "http://hooks.example/", "https://hooks.example:8443/"])
def test_a_client_goes_to_its_target_only(url):
    asked = []
    transport = httpx.MockTransport(lambda request: asked.append(request) or httpx.Response(200))
    with pytest.raises(TargetRefused):
        asyncio.run(post(Target(httpx.URL("https://hooks.example/"), (PUBLIC,)), transport, url))
    assert asked == []


# --- Being told to wait -----------------------------------------------------------------------------------------

NOW = datetime(2026, 3, 2, 9, 0, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0), ("120", 120), (" 7 ", 7), ("9" * 99, 999_999_999),
        ("Mon, 02 Mar 2026 09:00:30 GMT", 30), ("Mon, 02 Mar 2026 08:59:00 GMT", -60),
        ("Mon, 02 Mar 2026 14:00:30 +0500", 30), ("Mon, 02 Mar 2026 09:00:30 -0000", 30),
        ("", None), ("soon", None), ("-1", None), ("1.5", None), ("²", None), ("٣", None), ("Mon, 99 Foo", None),
    ],
)  # fmt: skip
def test_retry_after(header, seconds):
    assert retry_after(header, NOW) == (None if seconds is None else timedelta(seconds=seconds))
