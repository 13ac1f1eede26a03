"""What every source has: a question, a reply that is read strictly, and a mock that invents such replies.

Fields that a contract does not have are passed over, so that a source may grow; the raw reply keeps them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Generic, Protocol, TypeVar

from rest_framework import serializers

from apps.common.errors import InvalidInput
from apps.common.strict_json import parse_json
from apps.external_integrations.errors import ReplyMalformed, ReplyNotAsAgreed

EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
CLOCK_SKEW = timedelta(days=1)
PERSON, COMPANY, PARCEL = "person", "company", "parcel"
Facts = dict[str, int | float | str]


class Record(Protocol):
    """What every source's record has: a frozen dataclass. `raw` is the reply as it came."""

    identifier: str
    observed_at: datetime
    currency: str
    raw: str

    def facts(self) -> Facts:
        """Facts of the scoring vocabulary."""


Told = TypeVar("Told", bound=Record)
Answer = TypeVar("Answer", bound=Record, covariant=True)


class Client(Protocol[Answer]):
    """Asks one source. `fetch` raises an error of external_integrations.errors."""

    @property
    def origin(self) -> str: ...

    def fetch(self, identifier: str) -> Answer: ...


@dataclass(frozen=True)
class Contract(Generic[Told]):
    """One source, whole. To add one is to write such a contract: docs/how-to/add-an-external-source.md.

    path: of the POST; question: its body. read: the record of a reply, by (raw, identifier, now). invent: a reply for
    (identifier, now), for the mock and the simulator. check: raises ValueError, or says whose data key seals what is
    known of an identifier: person, company or parcel. sums: the facts that are in the record's currency.
    asks_consent: a person's record is asked for only while the person's consent holds.
    """

    code: str
    path: str
    question: Callable[[str], dict[str, str]]
    reply: type[serializers.Serializer]
    record: Callable[..., Told]
    invent: Callable[[str, datetime], str]
    check: Callable[[str, date], str]
    sums: frozenset[str] = frozenset()
    asks_consent: bool = False

    def read(self, raw: str, identifier: str, now: datetime) -> Told:
        """Raises ReplyMalformed or ReplyNotAsAgreed, naming fields but no values."""
        return self.record(**_checked(self.reply, raw, identifier, now), raw=raw)


class InstantField(serializers.Field):
    """ISO 8601 with an offset, after 1990 and not in the future (a day of clock skew allowed)."""

    def to_internal_value(self, data: Any) -> datetime:
        try:
            moment = datetime.fromisoformat(data).astimezone(UTC)
            if datetime.fromisoformat(data).tzinfo is None or moment < EARLIEST:
                raise ValueError
        except (TypeError, ValueError, OverflowError):
            raise serializers.ValidationError("allowed is a time with offset, after 1990") from None
        if moment > self.context["now"] + CLOCK_SKEW:
            raise serializers.ValidationError("the time lies in the future")
        return moment


def _checked(contract: type[serializers.Serializer], raw: str, identifier: str, now: datetime) -> Mapping[str, Any]:
    try:
        document = parse_json(raw.encode())
    except InvalidInput:
        raise ReplyMalformed("The source sent what cannot be read as JSON with finite numbers.") from None
    reply = contract(data=document, context={"now": now})
    if not reply.is_valid():
        raise ReplyNotAsAgreed(f"The source sent a reply that breaks its contract in: {', '.join(reply.errors)}.")
    if reply.validated_data["identifier"] != identifier:
        raise ReplyNotAsAgreed("The source sent the record of another identifier than was asked for.")
    return reply.validated_data
