"""Who is asked: per source a mock or the source itself over HTTP, or nobody. settings.EXTERNAL_SOURCES says which."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Generic

import httpx
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

from apps.common.outgoing import Resolve, look_up
from apps.common.sentences import Sentence
from apps.external_integrations.errors import SourceOff
from apps.external_integrations.http import Endpoint, ask
from apps.external_integrations.metrics import measured
from apps.external_integrations.models import Origin
from apps.external_integrations.sources import SOURCES
from apps.external_integrations.sources.contract import Client, Contract, Told

Clock = Callable[[], datetime]
OFF = "off"
CHOICES = (*Origin.values, OFF)


@dataclass(frozen=True, slots=True)
class MockClient(Generic[Told]):
    """Invents replies and reads them as if they had come."""

    contract: Contract[Told]
    clock: Clock = timezone.now
    origin: ClassVar[str] = Origin.MOCK

    def fetch(self, identifier: str) -> Told:
        now = self.clock()
        return self.contract.read(self.contract.invent(identifier, now), identifier, now)


@dataclass(frozen=True, slots=True)
class HttpClient(Generic[Told]):
    contract: Contract[Told]
    endpoint: Endpoint
    clock: Clock = timezone.now
    transport: httpx.AsyncBaseTransport | None = None
    resolve: Resolve = look_up
    origin: ClassVar[str] = Origin.HTTP

    def fetch(self, identifier: str) -> Told:
        contract, question = self.contract, self.contract.question(identifier)
        played = {"transport": self.transport, "resolve": self.resolve, "clock": self.clock}
        with measured(contract.code):
            raw = ask(contract.code, self.endpoint, contract.path, question, **played)
            return contract.read(raw, identifier, self.clock())


def configured_client(source: str) -> str:
    """mock, http or off, as the settings choose."""
    chosen = settings.EXTERNAL_SOURCES[source]["client"]
    if chosen not in CHOICES:
        raise ImproperlyConfigured(f"{source.upper()}_CLIENT is {chosen!r}; allowed are {', '.join(CHOICES)}.")
    return chosen


def is_asked(source: str) -> bool:
    return configured_client(source) != OFF


def client_for(
    source: str, *, clock: Clock = timezone.now, transport: httpx.AsyncBaseTransport | None = None
) -> Client[Any]:
    """Raises SourceOff when nobody is asked."""
    chosen = configured_client(source)
    if chosen == OFF:
        raise SourceOff(
            Sentence(
                "This installation does not ask {source}: {setting}_CLIENT is off.",
                source=source,
                setting=source.upper(),
            )
        )
    if chosen == Origin.MOCK:
        return MockClient(SOURCES[source], clock)
    return HttpClient(SOURCES[source], endpoint_of(settings.EXTERNAL_SOURCES[source]), clock, transport)


def endpoint_of(chosen: dict[str, Any]) -> Endpoint:
    return Endpoint(
        base_url=chosen["base_url"],
        allowed_hosts=tuple(chosen["allowed_hosts"]),
        deadline_seconds=chosen["deadline_seconds"],
        api_key=chosen["api_key"],
        private_hosts=tuple(chosen["private_hosts"]),
        client_cert=chosen["client_cert"],
        client_key=chosen["client_key"],
        ca_file=chosen["ca_file"],
    )
