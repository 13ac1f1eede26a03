"""Which past requests a simulation looks at."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date

from django.db.models import QuerySet

from apps.accounts.lookup import branch_with_code
from apps.common.days import start_of
from apps.common.errors import InvalidInput
from apps.common.sentences import Sentence
from apps.credit_requests.models import CreditRequest, Product
from apps.policies.names import CHANNELS

ALL = "all"
DAYS = ("since", "until")
SHOWN = "since=2026-01-01 until=2026-07-01 branch=main product=consumer-1 channel=online"


@dataclass(frozen=True, slots=True)
class RequestFilter:
    """Days as the lender counts them, of when a request was made; `until` is the first day that is left out."""

    since: date | None = None
    until: date | None = None
    branch: str | None = None
    product: str | None = None
    channel: str | None = None

    def __post_init__(self) -> None:
        if self.since is not None and self.until is not None and self.until <= self.since:
            raise InvalidInput.of(
                until=Sentence(
                    "The span is empty: it must end after {since}, not on {until}.", since=self.since, until=self.until
                )
            )
        if self.channel is not None and self.channel not in CHANNELS:
            raise InvalidInput.of(
                channel=Sentence(
                    "{given!r} was given; allowed are {channels}.", given=self.channel[:40], channels=CHANNELS
                )
            )

    @classmethod
    def of_texts(cls, given: Mapping[str, str]) -> "RequestFilter":
        """From what as_dict gave. Raises InvalidInput for a day that is none."""
        return cls(**{name: _day(name, value) if name in DAYS else value for name, value in given.items()})

    def __str__(self) -> str:
        return " ".join(f"{name}={value}" for name, value in self.as_dict().items()) or ALL

    def as_dict(self) -> dict[str, str]:
        """What is asked for, as text."""
        given = {one.name: getattr(self, one.name) for one in fields(self)}
        return {name: str(value) for name, value in given.items() if value is not None}


NAMES = tuple(one.name for one in fields(RequestFilter))


def read_filter(text: str) -> RequestFilter:
    """From name=value pairs with spaces between them, or `all`. Raises InvalidInput naming what is allowed."""
    given: dict[str, str] = {}
    for part in text.split() if text.strip() != ALL else ():
        name, equals, value = part.partition("=")
        if name not in NAMES or not equals or not value:
            raise InvalidInput.of(
                requests=Sentence(
                    "{given!r} was given; allowed are {everything}, or pairs such as {shown}.",
                    given=part[:60],
                    everything=ALL,
                    shown=SHOWN,
                )
            )
        if name in given:
            raise InvalidInput.of(requests=Sentence("{name} is given twice.", name=name))
        given[name] = value
    if not given and text.strip() != ALL:
        raise InvalidInput.of(
            requests=Sentence(
                "Nothing was given; allowed are {everything}, or pairs such as {shown}.", everything=ALL, shown=SHOWN
            )
        )
    return RequestFilter.of_texts(given)


def _day(name: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidInput.of(
            **{name: Sentence("{given!r} was given; allowed is a day such as 2026-01-01.", given=text[:40])}
        ) from None


def chosen_requests(segment: str, chosen: RequestFilter) -> QuerySet[CreditRequest]:
    """Newest first. Raises NotFound, InvalidInput for a branch or product that is not there."""
    rows = CreditRequest.objects.exclude(**{f"{segment}_id": None})
    if chosen.since is not None:
        rows = rows.filter(created_at__gte=start_of(chosen.since))
    if chosen.until is not None:
        rows = rows.filter(created_at__lt=start_of(chosen.until))
    if chosen.branch is not None:
        rows = rows.filter(branch=branch_with_code(chosen.branch))
    if chosen.product is not None:
        rows = rows.filter(product=_product(chosen.product))
    if chosen.channel is not None:
        rows = rows.filter(channel=chosen.channel)
    return rows.order_by("-created_at", "-id")


def _product(code: str) -> Product:
    found = Product.objects.filter(code=code).first()
    if found is None:
        known = ", ".join(Product.objects.order_by("code").values_list("code", flat=True)[:20]) or "none"
        raise InvalidInput.of(
            product=Sentence("There is no product {given!r}. There are: {known}.", given=code[:40], known=known)
        )
    return found
