"""What calls that leave the house share: the list of hosts, and a client that follows nothing and nobody."""

import asyncio

import httpx
import pytest

from apps.common.outgoing import is_allowed, open_client


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
    ],
)
def test_a_host_is_named_with_or_without_its_port(url, allowed):
    assert is_allowed(httpx.URL(url), ["hooks.example", "one.example:8443"]) is allowed


def test_an_empty_list_allows_nothing():
    assert not is_allowed(httpx.URL("https://hooks.example/"), [])


def test_a_client_follows_no_redirect_and_asks_no_proxy(monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:3128")
    asked = []

    def answer(request):
        asked.append(request)
        return httpx.Response(302, headers={"Location": "https://elsewhere.example/"})

    async def ask():
        transport = httpx.MockTransport(answer)
        async with open_client(deadline_seconds=2.0, headers={"X-One": "1"}, transport=transport) as client:
            return await client.post("https://hooks.example/")

    assert asyncio.run(ask()).status_code == 302
    assert [(request.url.host, request.headers["X-One"]) for request in asked] == [("hooks.example", "1")]
    client = open_client(deadline_seconds=2.0, headers={})
    assert (client.trust_env, client.follow_redirects) == (False, False)
