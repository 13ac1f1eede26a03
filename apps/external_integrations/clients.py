"""Who is asked. One Protocol per source, two kinds of client each; settings.EXTERNAL_SOURCES says which one."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Protocol

import httpx
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

from apps.external_integrations.contracts import KadastrRecord, Record, SoliqRecord, read_kadastr, read_soliq
from apps.external_integrations.http import Endpoint, post_json
from apps.external_integrations.mock import invent_kadastr, invent_soliq
from apps.external_integrations.models import Origin, Source

Clock = Callable[[], datetime]


class Client(Protocol):
    """Asks one source. `fetch` raises an error of external_integrations.errors."""

    @property
    def origin(self) -> str: ...

    def fetch(self, identifier: str) -> Record: ...


class SoliqClient(Client, Protocol):
    """`identifier`: an INN of 9 digits or a PINFL of 14."""

    def fetch(self, identifier: str) -> SoliqRecord: ...


class KadastrClient(Client, Protocol):
    """`identifier`: a parcel id."""

    def fetch(self, identifier: str) -> KadastrRecord: ...


@dataclass(frozen=True, slots=True)
class MockSoliqClient:
    clock: Clock = timezone.now
    origin: ClassVar[str] = Origin.MOCK

    def fetch(self, identifier: str) -> SoliqRecord:
        now = self.clock()
        return read_soliq(invent_soliq(identifier, now), identifier, now)


@dataclass(frozen=True, slots=True)
class HttpSoliqClient:
    endpoint: Endpoint
    clock: Clock = timezone.now
    transport: httpx.AsyncBaseTransport | None = None
    origin: ClassVar[str] = Origin.HTTP

    def fetch(self, identifier: str) -> SoliqRecord:
        body = {"pinfl" if len(identifier) == 14 else "inn": identifier}
        raw = post_json(self.endpoint, "/v1/taxpayers/lookup", body, transport=self.transport)
        return read_soliq(raw, identifier, self.clock())


@dataclass(frozen=True, slots=True)
class MockKadastrClient:
    clock: Clock = timezone.now
    origin: ClassVar[str] = Origin.MOCK

    def fetch(self, identifier: str) -> KadastrRecord:
        now = self.clock()
        return read_kadastr(invent_kadastr(identifier, now), identifier, now)


@dataclass(frozen=True, slots=True)
class HttpKadastrClient:
    endpoint: Endpoint
    clock: Clock = timezone.now
    transport: httpx.AsyncBaseTransport | None = None
    origin: ClassVar[str] = Origin.HTTP

    def fetch(self, identifier: str) -> KadastrRecord:
        raw = post_json(self.endpoint, "/v1/parcels/lookup", {"parcel_id": identifier}, transport=self.transport)
        return read_kadastr(raw, identifier, self.clock())


MOCKS: dict[str, Callable[..., Client]] = {Source.SOLIQ: MockSoliqClient, Source.KADASTR: MockKadastrClient}
HTTPS: dict[str, Callable[..., Client]] = {Source.SOLIQ: HttpSoliqClient, Source.KADASTR: HttpKadastrClient}


_ORIGINS = frozenset(Origin.values)  # which are listed anew at each look


def configured_origin(source: str) -> str:
    """mock or http, as the settings choose."""
    chosen = settings.EXTERNAL_SOURCES[source]["client"]
    if chosen not in _ORIGINS:
        raise ImproperlyConfigured(f"{source.upper()}_CLIENT is {chosen!r}; allowed are mock and http.")
    return chosen


def client_for(
    source: str, *, clock: Clock = timezone.now, transport: httpx.AsyncBaseTransport | None = None
) -> Client:
    if configured_origin(source) == Origin.MOCK:
        return MOCKS[source](clock=clock)
    return HTTPS[source](endpoint=endpoint_of(settings.EXTERNAL_SOURCES[source]), clock=clock, transport=transport)


def endpoint_of(chosen: dict[str, Any]) -> Endpoint:
    return Endpoint(
        base_url=chosen["base_url"],
        allowed_hosts=tuple(chosen["allowed_hosts"]),
        deadline_seconds=chosen["deadline_seconds"],
        api_key=chosen["api_key"],
    )
