"""The facts the engine knows of an applicant, and the one strict check they all pass.

Nothing is coerced: "5" is not a number, True is not 1, 5.0 is not whole money. None means missing.
Money is in whole units of one currency per request; the largest amount, 10**15, is exact in a float.
"""

import datetime as dt
import math
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from apps.common.sentences import Sentence

MONEY_LIMIT = 10**15
SCALE_OF = {"credit_history_score": "credit_history_scale"}
SCALE_BOUNDS = {"fico_300_850": (300, 850), "katm_0_500": (0, 500)}

# In the vocabulary, because policies or collateral valuation need them, but never inputs of a card.
NEVER_SCORED = {
    "criminal_history": Sentence("a criminal record counts only through a lender's own legal rule"),
    "collateral_value": Sentence("collateral belongs to loss given default and to policy, not to the score"),
    "property_net_worth": Sentence("property belongs to loss given default and to policy, not to the score"),
    "property_area": Sentence("property belongs to loss given default and to policy, not to the score"),
    "birth_date": Sentence("age counts only for legal capacity and age at maturity"),
    "age": Sentence("age counts only for legal capacity and age at maturity"),
    "pinfl": Sentence("a PINFL encodes sex and birth date"),
    "sex": Sentence("sex is for fairness tests only"),
    "gender": Sentence("sex is for fairness tests only"),
    "ethnicity": Sentence("ethnicity is for fairness tests only"),
    "nationality": Sentence("ethnicity is for fairness tests only"),
    "place": Sentence("place is for fairness tests only"),
    "region": Sentence("place is for fairness tests only"),
    "address": Sentence("place is for fairness tests only"),
}

# What a fact of a lender's own cannot be called.
RESERVED_NAMES = {
    "as_of": "it is the day of scoring",
    "currency": "it stands beside the facts of a request, for all money in it",
    "unavailable": "it stands beside the facts of a request, for those whose source was down",
    "credit_history_score": "it is the score of a credit bureau, which has a scale beside it",
    "credit_history_scale": "it is the scale of a credit bureau's score",
}

PURPOSES = (
    "debt_consolidation", "credit_card", "home_improvement", "major_purchase", "small_business", "car",
    "wedding", "medical", "moving", "house", "vacation", "education", "renewable_energy", "working_capital",
    "equipment", "real_estate", "refinancing", "other",
)  # fmt: skip
INDUSTRIES = tuple("ABCDEFGHIJKLMNOPQRSTU")  # sections of NACE and OKED
SCALES = (*SCALE_BOUNDS, "other")


@dataclass(frozen=True, slots=True)
class Fact:
    """kind: money | integer | number | flag | category | date; least and most are None for the last three."""

    name: str
    kind: str
    unit: str
    least: int | float | None
    most: int | float | None
    values: tuple[str, ...]
    meaning: str


@dataclass(frozen=True, slots=True)
class FactError:
    """field: the fact's name as sent; given: its value, short and printable; message: what is allowed."""

    field: str
    given: str
    message: str


class FactsError(ValueError):
    """Facts that are refused; `errors` names every one of them."""

    def __init__(self, errors: list[FactError]) -> None:
        self.errors = errors
        super().__init__("; ".join(f"{e.field or 'facts'}: {e.message}, not {e.given}" for e in errors))


def _money(name: str, meaning: str, *, unit: str = "currency", least: int = 0) -> Fact:
    return Fact(name, "money", unit, least, MONEY_LIMIT, (), meaning)


def _count(name: str, meaning: str) -> Fact:
    return Fact(name, "integer", "count", 0, 1000, (), meaning)


def _number(name: str, meaning: str, *, unit: str, most: int) -> Fact:
    return Fact(name, "number", unit, 0, most, (), meaning)


def _category(name: str, meaning: str, values: tuple[str, ...]) -> Fact:
    return Fact(name, "category", "category", None, None, values, meaning)


_SHARED = (
    _money("requested_amount", "Requested amount of credit", least=1),
    Fact("term_months", "integer", "months", 1, 600, (), "Requested term"),
    _category("purpose", "Purpose of the credit", PURPOSES),
    _money("existing_debt", "All debt outstanding now, without the requested credit"),
    _money("monthly_debt_payments", "Payments due each month on existing debt", unit="currency per month"),
    _money("collateral_value", "Value of the collateral offered"),
    Fact("has_guarantor", "flag", "flag", None, None, (), "Whether somebody guarantees the credit"),
    _money("tax_debt", "Tax overdue, from the tax register"),
    _number("property_area", "Area of land and buildings owned, from the land register", unit="m2", most=10**9),
)

_INDIVIDUAL = (
    _money("yearly_income", "Gross income of a year", unit="currency per year"),
    _money("salary", "Net salary of a month", unit="currency per month"),
    _money("property_net_worth", "Property owned less what is owed on it", least=-MONEY_LIMIT),
    _number(
        "credit_history_score",
        "Score of a credit bureau, on the scale stated beside it",
        unit="score",
        most=1000,
    ),
    _category("credit_history_scale", "Scale of the credit bureau's score", SCALES),
    Fact("criminal_history", "flag", "flag", None, None, (), "Whether a criminal record is known"),
    _number("employment_years", "Years in employment", unit="years", most=80),
    _count("inquiries_6m", "Inquiries by lenders in the last 6 months"),
    _count("delinquencies_24m", "Payments 30 or more days late in the last 24 months"),
    _count("open_accounts", "Credit accounts open now"),
    _count("public_records", "Public records of default, such as a bankruptcy"),
    _number("revolving_utilisation", "Share of revolving credit limits in use (1 = all)", unit="ratio", most=10),
    Fact("oldest_account_date", "date", "date", None, None, (), "Day the oldest credit account was opened"),
    _money("declared_yearly_income", "Income of a year declared to the tax authority", unit="currency per year"),
)

_COMPANY = (
    _money("revenue", "Revenue of the latest financial year", unit="currency per year"),
    _money("net_income", "Net income of the latest financial year", unit="currency per year", least=-MONEY_LIMIT),
    _money("assets", "Total assets", least=1),
    _money("liabilities", "Total liabilities"),
    _money("current_assets", "Current assets"),
    _money("current_liabilities", "Current liabilities"),
    _money("retained_earnings", "Retained earnings", least=-MONEY_LIMIT),
    _money("ebit", "Earnings before interest and tax", unit="currency per year", least=-MONEY_LIMIT),
    _number("years_in_business", "Years since the company was founded", unit="years", most=300),
    _category("industry", "Section of the industry classification, A to U", INDUSTRIES),
    _money("declared_revenue", "Revenue of a year declared to the tax authority", unit="currency per year"),
)

FACTS: dict[str, dict[str, Fact]] = {
    "individual": {fact.name: fact for fact in (*_INDIVIDUAL, *_SHARED)},
    "company": {fact.name: fact for fact in (*_COMPANY, *_SHARED)},
}
SEGMENTS = tuple(FACTS)

_EARLIEST = dt.date(1900, 1, 1)

# Exact types, then bounds (which NaN and the infinities fail) or, for a category, its values.
Rule = tuple[tuple[type, ...], Any, Any, Container[str] | None]


class _ShortTexts:
    """Every text that may be a category of a lender's own."""

    def __contains__(self, text: str) -> bool:
        return 0 < len(text) <= 100 and text.isprintable()


SHORT_TEXTS = _ShortTexts()


@dataclass(frozen=True, slots=True)
class Known:
    """The facts that may be sent. codes: special values by fact, taken as they are, in its bounds or not."""

    facts: dict[str, Fact]
    rules: dict[str, Rule]
    dates: tuple[str, ...]
    codes: Mapping[str, frozenset[float]]


def _rule(fact: Fact) -> Rule:
    if fact.kind == "category":
        return (str,), None, None, frozenset(fact.values) if fact.values else SHORT_TEXTS
    if fact.kind == "flag":
        return (bool,), False, True, None
    if fact.kind == "date":
        return (dt.date,), _EARLIEST, dt.date.max, None
    return (int, float) if fact.kind == "number" else (int,), fact.least, fact.most, None


def known_with(segment: str, own: Iterable[Fact], codes: Mapping[str, frozenset[float]]) -> Known:
    """The vocabulary of a segment with facts of the lender's own; a category without values is any short text."""
    facts = FACTS[segment] | {fact.name: fact for fact in own}
    rules = {name: _rule(fact) for name, fact in facts.items()}
    return Known(facts, rules, tuple(name for name, fact in facts.items() if fact.kind == "date"), codes)


_KNOWN = {segment: known_with(segment, (), {}) for segment in FACTS}
_UNKNOWN: Rule = ((), 0, 0, None)
_ANY_SCORE = (0, 1000)


def check_facts(
    segment: str,
    facts: dict[str, object],
    *,
    as_of: dt.date | None = None,
    assumed_scale: str | None = None,
    own: Known | None = None,
) -> dict[str, Any]:
    """The facts that are given (None left out), dates parsed; raises FactsError naming every refused one.

    With `as_of`, dates after it are refused too. `assumed_scale` is added to a credit_history_score that
    comes without a scale. `own` is what a card knows beyond the vocabulary (Scorecard.own).
    """
    if not isinstance(facts, dict):
        raise FactsError([FactError("", shown(facts), Sentence("must be an object of facts by name"))])
    known = own or _KNOWN[segment]
    rules = known.rules
    checked = dict(facts)
    errors: list[FactError] = []
    for name, value in facts.items():
        types, least, most, values = rules.get(name, _UNKNOWN)
        if value.__class__ in types and (least <= value <= most if values is None else value in values):
            continue
        if value is None and types:
            del checked[name]
        elif value.__class__ in types and name in known.codes and value in known.codes[name]:
            continue
        elif types == (dt.date,) and (day := parsed_day(value)):
            checked[name] = day
        else:
            del checked[name]
            errors.append(_error(segment, known, name, value))
    for name in known.dates:
        if as_of is not None and name in checked and checked[name] > as_of:
            errors.append(_error(segment, known, name, facts[name], as_of))
    if "credit_history_score" in checked:
        if assumed_scale is not None:
            checked.setdefault("credit_history_scale", assumed_scale)
        least, most = SCALE_BOUNDS.get(checked.get("credit_history_scale"), _ANY_SCORE)
        score = checked["credit_history_score"]
        if not least <= score <= most and score not in known.codes.get("credit_history_score", ()):
            errors.append(_scale_error(checked, least, most))
    if errors:
        raise FactsError(errors)
    return checked


def parsed_day(value: object) -> dt.date | None:
    """The day of an ISO text, None if it is not one or too early."""
    # fromisoformat takes 20190531 and 2019-W22-5 too, which are not what anybody means here.
    if type(value) is not str or len(value) != 10 or value[4] != "-" or value[7] != "-":
        return None
    try:
        day = dt.date.fromisoformat(value)
    except ValueError:
        return None
    return day if day >= _EARLIEST else None


_UNKNOWN_OF = {
    "individual": Sentence("is not a fact known of an individual"),
    "company": Sentence("is not a fact known of a company"),
}


def _scale_error(checked: dict[str, Any], least: int, most: int) -> FactError:
    message = Sentence(
        "must be from {least} to {most} on the scale {scale}",
        least=least,
        most=most,
        scale=checked["credit_history_scale"],
    )
    return FactError("credit_history_score", shown(checked["credit_history_score"]), message)


def _error(segment: str, known: Known, name: object, value: object, as_of: dt.date | None = None) -> FactError:
    fact = known.facts.get(name) if type(name) is str else None
    if fact is None:
        field = name if type(name) is str and name.isprintable() and len(name) <= 60 else shown(name)
        of_segment = _UNKNOWN_OF[segment]
        # The value of an unknown field may be an identifier: only its type is repeated.
        return FactError(field, Sentence("a value of type {type}", type=type(value).__name__[:40]), of_segment)
    codes = [f"{code:.0f}" if code.is_integer() else str(code) for code in sorted(known.codes.get(fact.name, ()))]
    may_be = allowed(fact, as_of)
    message = (
        Sentence("must be {allowed}, or a special code ({codes})", allowed=may_be, codes=codes)
        if codes
        else Sentence("must be {allowed}", allowed=may_be)
    )
    return FactError(fact.name, shown(value), message)


def allowed(fact: Fact, as_of: dt.date | None = None) -> str:
    """What a fact may be, to complete the sentence "must be ..."."""
    if fact.kind == "flag":
        return Sentence("true or false")
    if fact.kind == "category":
        if not fact.values:
            return Sentence("a text of 1 to 100 printable characters")
        return Sentence("one of {allowed}", allowed=fact.values)
    if fact.kind == "date":
        until = as_of or Sentence("today")
        return Sentence("a day such as 2019-05-31, from {earliest} to {until}", earliest=_EARLIEST, until=until)
    bounds = {"least": fact.least, "most": fact.most}
    if fact.kind == "number":
        return Sentence("a number from {least} to {most}", **bounds)
    return Sentence("a whole number from {least} to {most}", **bounds)


def shown(value: object) -> str:
    """A short, printable form of anything at all: never long, never raises, one line."""
    if value is None or type(value) is bool:
        return {None: "null", True: "true", False: "false"}[value]
    if type(value) is int:
        # The text of a very long int is refused by Python itself and slow before that.
        return (
            str(value)
            if value.bit_length() <= 64
            else Sentence("a number of about {count} digits", count=_digits(value))
        )
    if type(value) in (float, dt.date):
        return str(value)
    if type(value) is str:
        return _quoted(value)
    if type(value) in (list, tuple, dict, set, frozenset):
        return Sentence("a {type} of {count}", type=type(value).__name__, count=len(value))
    return Sentence("a value of type {type}", type=type(value).__name__[:40])


def one_line(text: str, limit: int) -> str:
    """At most `limit` characters of a text, those escaped that would not print."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text[:limit])


def _quoted(text: str, limit: int = 40) -> str:
    quoted = one_line(text, limit)
    if len(text) <= limit:
        return f'"{quoted}"'
    return Sentence('"{start}..." ({count} characters)', start=quoted, count=len(text))


def _digits(value: int) -> int:
    return int(value.bit_length() * math.log10(2)) + 1


def as_input(
    segment: str,
    name: str,
    *,
    required: bool = False,
    special_codes: Mapping[str, str] | None = None,
    scale: str | None = None,
) -> dict:
    """The entry of a card's `inputs` for a fact, with the kind, unit and bounds it has here."""
    fact = FACTS[segment][name]
    entry = {
        "name": name,
        "kind": fact.kind,
        "unit": fact.unit,
        "required": required,
        "least": fact.least,
        "most": fact.most,
        "special_codes": dict(special_codes or {}),
    }
    return entry if scale is None else {**entry, "scale": scale}
