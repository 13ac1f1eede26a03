"""One bounded POST to a source: allowed host, hard overall deadline, few retries, capped reply, no redirects.

The identifier travels in the body, never in the address, so that it stays out of the access logs on the way.
"""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NoReturn

import httpx
import stamina
import structlog
from django.utils import timezone

from apps.common import background, outgoing
from apps.common.errors import InvalidInput
from apps.common.outgoing import (
    BROKEN,
    Certificates,
    CertificatesUnusable,
    Resolve,
    Target,
    TargetRefused,
    look_up,
    open_client,
    retry_after,
)
from apps.common.strict_json import parse_json
from apps.external_integrations import quota
from apps.external_integrations.breaker import LONGEST_PAUSE, Breaker
from apps.external_integrations.errors import (
    CredentialsUnusable,
    HostNotAllowed,
    RedirectRefused,
    ReplyMalformed,
    ReplyTooLarge,
    SourceBusy,
    SourceFailed,
    SourceRefused,
    SourceTimeout,
    SourceUnreachable,
    UnknownToSource,
)

MOST_REPLY_BYTES = 256 * 1024
ATTEMPTS = 3
RETRIED = (SourceUnreachable, SourceFailed)
# Those that say something of the source, not of one record or of our settings.
FAULTS = (SourceTimeout, SourceUnreachable, SourceFailed, RedirectRefused, ReplyTooLarge, ReplyMalformed)
SHORTEST_WAIT, DEFAULT_WAIT = timedelta(seconds=1), timedelta(minutes=1)  # after a 429
Clock = Callable[[], datetime]
log = structlog.get_logger("external_integrations")
SENTENCES = {
    "not_a_url": "The base URL of the source is not a URL; correct it in the settings.",
    "userinfo": "The base URL of the source may hold scheme, host, port and path only.",
    "host_not_allowed": "The host of the source is not one of its allowed hosts; correct the settings.",
    "not_tls": "The source is not addressed over https; only a loopback address may do without.",
    "address_not_allowed": "The name of the source leads to an address that is not asked; see its PRIVATE_HOSTS.",
}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a source is reached, from settings.EXTERNAL_SOURCES. A host is `host` or `host:port`: allowed ones stand at
    public addresses, private ones, the lender's own network, at any.
    """

    base_url: str
    allowed_hosts: tuple[str, ...]
    deadline_seconds: float
    api_key: str = field(default="", repr=False)
    private_hosts: tuple[str, ...] = ()
    client_cert: str = ""
    client_key: str = ""
    ca_file: str = ""

    def check(self) -> None:
        """What can be told without asking. Raises HostNotAllowed or CredentialsUnusable."""
        self.url("/")
        if not (self.api_key.isascii() and self.api_key.isprintable()):
            raise CredentialsUnusable("The API key holds what no header may hold; correct the settings of the source.")
        self.load_certificates()

    def url(self, path: str) -> httpx.URL:
        """Raises HostNotAllowed unless the host is allowed and the way to it is TLS, or loopback."""
        try:
            base = outgoing.check_url(self.base_url, public_hosts=self.allowed_hosts, private_hosts=self.private_hosts)
        except TargetRefused as refusal:
            raise HostNotAllowed(SENTENCES[refusal.fault]) from None
        if "?" in self.base_url or "#" in self.base_url:
            raise HostNotAllowed(SENTENCES["userinfo"])
        return base.copy_with(path=base.path.rstrip("/") + path)

    def find_target(self, path: str, resolve: Resolve, seconds: float) -> Target:
        """Raises HostNotAllowed, SourceTimeout, or SourceUnreachable when there is no such name."""
        url = str(self.url(path))
        hosts = {"public_hosts": self.allowed_hosts, "private_hosts": self.private_hosts}
        try:
            return outgoing.find_target(url, **hosts, resolve=resolve, seconds=seconds)
        except TargetRefused as refusal:
            raise HostNotAllowed(SENTENCES[refusal.fault]) from None
        except TimeoutError:
            raise SourceTimeout("The name of the source could not be looked up in time.") from None
        except OSError:
            raise SourceUnreachable("The name of the source cannot be looked up.") from None

    def load_certificates(self) -> Certificates:
        """Raises CredentialsUnusable."""
        certificates = Certificates(self.client_cert, self.client_key, self.ca_file)
        try:
            outgoing.tls_context(certificates)
        except CertificatesUnusable as error:
            raise CredentialsUnusable(f"{error} Correct the settings of the source.") from None
        return certificates


def ask(
    source: str,
    endpoint: Endpoint,
    path: str,
    body: Mapping[str, Any],
    *,
    transport: httpx.AsyncBaseTransport | None = None,
    resolve: Resolve = look_up,
    clock: Clock = timezone.now,
) -> str:
    """The body of the 200 reply as text, or one of the named errors, at the latest when the deadline is over.

    Nobody is asked while the source is left alone or has had its quota. What becomes of it is told to all processes.
    """
    over = time.monotonic() + endpoint.deadline_seconds
    endpoint.check()
    breaker = Breaker(source, clock, probe_seconds=endpoint.deadline_seconds + 5)
    breaker.check()
    try:
        quota.take(source, clock)
        return _heard(breaker, _Call(endpoint, path, body, transport, resolve, breaker, over))
    finally:
        breaker.release()


def _heard(breaker: Breaker, call: "_Call") -> str:
    try:
        text = call.answer()
    except (UnknownToSource, SourceRefused):  # it lives
        _note_success(breaker)
        raise
    except SourceBusy as error:
        breaker.pause_until(error.retry_at)
        raise
    except FAULTS:
        breaker.failed()
        raise
    _note_success(breaker)
    return text


def _note_success(breaker: Breaker) -> None:
    if breaker.succeeded():
        log.info("source_is_back", source=breaker.source)
        background.enqueue("resume_refreshes", source=breaker.source)


@dataclass(frozen=True, slots=True)
class _Call:
    """One question, with the few attempts that its deadline leaves room for. `over`: that deadline, as time.monotonic()
    tells it.
    """

    endpoint: Endpoint
    path: str
    body: Mapping[str, Any]
    transport: httpx.AsyncBaseTransport | None
    resolve: Resolve
    breaker: Breaker
    over: float

    def answer(self) -> str:
        target = self.endpoint.find_target(self.path, self.resolve, self._left())
        return asyncio.run(self._within(target))

    def _left(self) -> float:
        return self.over - time.monotonic()

    async def _within(self, target: Target) -> str:
        # A time-out of httpx restarts with each byte; this one bounds connecting, retries and a dripping body together.
        try:
            async with asyncio.timeout(self._left()), self._client(target) as client:
                return await self._with_retries(client, target.url)
        except TimeoutError:
            deadline = self.endpoint.deadline_seconds
            raise SourceTimeout(f"The source gave no whole reply within {deadline:g} seconds.") from None

    def _client(self, target: Target) -> httpx.AsyncClient:
        # identity: a size cap on compressed bytes would cap nothing.
        headers = {"Accept": "application/json", "Accept-Encoding": "identity"}
        if self.endpoint.api_key:
            headers["X-API-Key"] = self.endpoint.api_key
        return open_client(
            target,
            deadline_seconds=self.endpoint.deadline_seconds,
            headers=headers,
            certificates=self.endpoint.load_certificates(),
            transport=self.transport,
        )

    async def _with_retries(self, client: httpx.AsyncClient, url: httpx.URL) -> str:
        attempts = stamina.retry_context(
            on=self._may_be_tried_again,
            attempts=ATTEMPTS,
            timeout=None,
            wait_initial=0.1,
            wait_max=1.0,
            wait_jitter=0.3,
        )
        async for attempt in attempts:
            with attempt:
                if attempt.num > 1:
                    quota.count(self.breaker.source, self.breaker.clock)
                return await _attempt(client, url, self.body, self.breaker.clock)
        raise SourceUnreachable("The source was not asked.")

    def _may_be_tried_again(self, error: Exception) -> bool:
        """A probe is one attempt, and who is left alone by now is left alone."""
        source, clock = self.breaker.source, self.breaker.clock
        return isinstance(error, RETRIED) and self.breaker.state() == "closed" and quota.is_left(source, clock)


async def _attempt(client: httpx.AsyncClient, url: httpx.URL, body: Mapping[str, Any], clock: Clock) -> str:
    try:
        async with client.stream("POST", url, json=body) as response:
            _check_status(response, clock)
            text = (await _bounded(response)).decode()
    except httpx.TimeoutException:
        raise SourceTimeout("The source did not answer in time.") from None
    except BROKEN as error:
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


def _check_status(response: httpx.Response, clock: Clock) -> None:
    status = response.status_code
    if 300 <= status < 400:
        raise RedirectRefused(f"The source answered {status}, a redirect; redirects are not followed.")
    asked = retry_after(response.headers.get("Retry-After", ""), clock())
    if status == httpx.codes.TOO_MANY_REQUESTS or (status == httpx.codes.SERVICE_UNAVAILABLE and asked is not None):
        wait = min(max(DEFAULT_WAIT if asked is None else asked, SHORTEST_WAIT), LONGEST_PAUSE)
        raise SourceBusy(f"The source asked for a pause ({status}).", clock() + wait)
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
