"""Calls that leave the house: to hosts that the settings name, over TLS, never redirected, by no proxy."""

import ssl
from collections.abc import Collection, Mapping
from functools import cache

import httpx


def is_allowed(url: httpx.URL, hosts: Collection[str]) -> bool:
    """Each of `hosts` is `host`, whatever the port, or `host:port`."""
    return bool(url.host) and not {url.host, url.netloc.decode()}.isdisjoint(hosts)


@cache
def _tls() -> ssl.SSLContext:
    """Reading the certificates of the authorities takes longer than a call; they are read once a process."""
    return httpx.create_ssl_context(trust_env=False)


def open_client(
    *, deadline_seconds: float, headers: Mapping[str, str], transport: httpx.AsyncBaseTransport | None = None
) -> httpx.AsyncClient:
    """A client to be closed by the caller. httpx counts silence only: bound a whole call by asyncio.timeout too."""
    # trust_env: no proxy and no netrc from outside.
    return httpx.AsyncClient(
        transport=transport,
        headers=headers,
        verify=_tls(),
        timeout=deadline_seconds,
        follow_redirects=False,
        trust_env=False,
    )
