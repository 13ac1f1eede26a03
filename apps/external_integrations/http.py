"""One bounded POST to a source: allowed host, hard overall deadline, few retries, capped reply, no redirects.

The identifier travels in the body, never in the address, so that it stays out of the access logs on the way.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

import httpx
import stamina

from apps.common.errors import InvalidInput
from apps.common.outgoing import is_allowed, open_client
from apps.common.strict_json import parse_json
from apps.external_integrations.errors import (
    HostNotAllowed,
    RedirectRefused,
    ReplyMalformed,
    ReplyTooLarge,
    SourceFailed,
    SourceRefused,
    SourceTimeout,
    SourceUnreachable,
    UnknownToSource,
)

MOST_REPLY_BYTES = 256 * 1024
ATTEMPTS = 3
RETRIED = (SourceUnreachable, SourceFailed)
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a source is reached, from settings.EXTERNAL_SOURCES. An allowed host is `host` or `host:port`."""

    base_url: str
    allowed_hosts: tuple[str, ...]
    deadline_seconds: float
    api_key: str = field(default="", repr=False)

    def url(self, path: str) -> httpx.URL:
        """Raises HostNotAllowed unless the host is allowed and the way to it is TLS, or loopback."""
        try:
            base = httpx.URL(self.base_url)
        except httpx.InvalidURL:
            raise HostNotAllowed("The base URL of the source is not a URL; correct it in the settings.") from None
        if not is_allowed(base, self.allowed_hosts):
            raise HostNotAllowed("The host of the source is not one of its allowed hosts; correct the settings.")
        if base.scheme != "https" and not (base.scheme == "http" and base.host in LOOPBACK):
            raise HostNotAllowed("The source is not addressed over https; only a loopback address may do without.")
        if base.userinfo or base.query or base.fragment:
            raise HostNotAllowed("The base URL of the source may hold scheme, host, port and path only.")
        return base.copy_with(path=base.path.rstrip("/") + path)


def post_json(
    endpoint: Endpoint, path: str, body: Mapping[str, Any], *, transport: httpx.AsyncBaseTransport | None = None
) -> str:
    """The body of the 200 reply as text. Raises one of the named faults, at the latest when the deadline is over."""
    return asyncio.run(_within_deadline(endpoint, endpoint.url(path), body, transport))


async def _within_deadline(
    endpoint: Endpoint, url: httpx.URL, body: Mapping[str, Any], transport: httpx.AsyncBaseTransport | None
) -> str:
    # A time-out of httpx restarts with each byte; this one bounds connecting, retries and a dripping body together.
    try:
        async with asyncio.timeout(endpoint.deadline_seconds), _client(endpoint, transport) as client:
            return await _with_retries(client, url, body)
    except TimeoutError:
        raise SourceTimeout(f"The source gave no whole reply within {endpoint.deadline_seconds:g} seconds.") from None


def _client(endpoint: Endpoint, transport: httpx.AsyncBaseTransport | None) -> httpx.AsyncClient:
    # identity: a size cap on compressed bytes would cap nothing.
    headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
    if endpoint.api_key:
        headers["X-API-Key"] = endpoint.api_key
    return open_client(deadline_seconds=endpoint.deadline_seconds, headers=headers, transport=transport)


async def _with_retries(client: httpx.AsyncClient, url: httpx.URL, body: Mapping[str, Any]) -> str:
    attempts = stamina.retry_context(
        on=RETRIED, attempts=ATTEMPTS, timeout=None, wait_initial=0.1, wait_max=1.0, wait_jitter=0.3
    )
    async for attempt in attempts:
        with attempt:
            return await _attempt(client, url, body)
    raise SourceUnreachable("The source was not asked.")


async def _attempt(client: httpx.AsyncClient, url: httpx.URL, body: Mapping[str, Any]) -> str:
    try:
        async with client.stream("POST", url, json=body) as response:
            _check_status(response)
            text = (await _bounded(response)).decode()
    except httpx.TimeoutException:
        raise SourceTimeout("The source did not answer in time.") from None
    except httpx.TransportError as error:
        raise SourceUnreachable(f"The source cannot be reached ({type(error).__name__}).") from None
    except UnicodeDecodeError:
        raise ReplyMalformed("The source sent a reply that is not UTF-8 text.") from None
    if response.status_code == httpx.codes.NOT_FOUND:
        _raise_not_found(text)
    return text


def _raise_not_found(text: str) -> NoReturn:
    """Only the contract's own 404 means "no such record": that of a wrong address is a fault."""
    try:
        document = parse_json(text.encode())
    except InvalidInput:
        document = None
    if isinstance(document, dict) and document.get("code") == "unknown-identifier":
        raise UnknownToSource("The source has no such record.")
    raise SourceRefused("The source answered 404, but not the one of its contract; check the base URL.")


def _check_status(response: httpx.Response) -> None:
    status = response.status_code
    if 300 <= status < 400:
        raise RedirectRefused(f"The source answered {status}, a redirect; redirects are not followed.")
    if status >= 500:
        raise SourceFailed(f"The source answered {status}.")
    if status not in (httpx.codes.OK, httpx.codes.NOT_FOUND):
        raise SourceRefused(f"The source refused the question with {status}.")
    if response.headers.get("Content-Type", "").partition(";")[0].strip().lower() != "application/json":
        raise ReplyMalformed("The source sent something other than application/json.")
    if response.headers.get("Content-Encoding", "identity") != "identity":
        raise ReplyMalformed("The source sent a compressed reply, though none was asked for.")


async def _bounded(response: httpx.Response) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_raw():
        body += chunk
        if len(body) > MOST_REPLY_BYTES:
            raise ReplyTooLarge(f"The source sent more than {MOST_REPLY_BYTES:,} bytes.")
    return bytes(body)
