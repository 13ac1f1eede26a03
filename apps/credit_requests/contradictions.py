"""Where a register says otherwise than the applicant: warnings for the officer, and flags that a policy may ask for.

Nothing is overwritten by what is found here. Unknown is not False: a comparison of which either side says nothing, or
whose sums are in two currencies, tells nothing, and a flag stands only where every record that could tell has told.

Taxes that were paid are compared with nothing: what is due depends on the regime, on relief and on taxes that have
nothing to do with income, none of which a record holds.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from apps.common.crypto import DataErased, mask
from apps.common.facts import Found
from apps.credit_requests.facts import applicant_facts
from apps.credit_requests.models import CreditRequest
from apps.external_integrations.as_of import Held
from apps.external_integrations.derived import Subject, name_matches, owner_matches, read_again
from apps.external_integrations.sources.bureau import DEBTS, BureauRecord
from apps.external_integrations.sources.contract import Record
from apps.external_integrations.sources.kadastr import KadastrRecord
from apps.external_integrations.sources.soliq import SoliqRecord

INCOME, REVENUE, DEBT, OWNER, NAME = CODES = (
    "income_contradiction",
    "revenue_contradiction",
    "debt_contradiction",
    "owner_contradiction",
    "name_contradiction",
)
# In tenths of what the register says.
MUCH_MORE, MUCH_LESS = 14, 9
Opened = tuple[Held, Record]


@dataclass(frozen=True, slots=True)
class Stated:
    """What the applicant says. facts: of the profile alone; named_at: when the profile was last changed."""

    subject: Subject
    named_at: datetime
    facts: Mapping[str, Found]
    currency: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """`differs`: None where one of the two says nothing. what: which sentence of contradiction_texts.toml tells it."""

    code: str
    what: str
    differs: bool | None
    held: Held
    stated: int | str | None
    stated_at: datetime | None
    told: int | str | None
    about: str = ""

    def document(self) -> dict[str, Any]:
        """As it is sealed with a decision, and shown."""
        return {
            "code": self.code,
            "what": self.what,
            "about": self.about,
            "source": self.held.record.source,
            "record": str(self.held.record.id),
            "version": str(self.held.version.id),
            "is_mock": self.held.is_mock,
            "stated": self.stated,
            "stated_at": self.stated_at and self.stated_at.isoformat(),
            "told": self.told,
            "told_at": self.held.observed_at.isoformat(),
        }


def stated_by(credit_request: CreditRequest, now: datetime) -> Stated:
    """Raises DataErased."""
    applicant = credit_request.applicant
    facts = {name: found for name, found in applicant_facts(credit_request, now).items() if found.source != "bureau"}
    return Stated(subject_of(credit_request), applicant.updated_at, facts, credit_request.currency)


def subject_of(credit_request: CreditRequest) -> Subject:
    profile = credit_request.applicant.profile
    if credit_request.individual_id:
        return Subject(profile["full_name"], profile["pinfl"])
    return Subject(profile["company_name"], profile["tax_id"])


def open_records(held: Iterable[Held]) -> list[Opened]:
    """Those that can be read: what was erased, or breaks today's contract, says nothing."""
    opened = []
    for each in held:
        try:
            told = read_again(each.record, each.version)
        except DataErased:
            continue
        if told is not None:
            opened.append((each, told))
    return opened


def compare(stated: Stated, opened: Sequence[Opened]) -> list[Comparison]:
    return [comparison for held, told in opened for comparison in _compared(stated, held, told)]


def flags_of(comparisons: Iterable[Comparison]) -> dict[str, bool]:
    """By code, those that are known: one that differs is enough, and otherwise all must have told."""
    found: dict[str, list[bool | None]] = {}
    for comparison in comparisons:
        found.setdefault(comparison.code, []).append(comparison.differs)
    return {code: True in verdicts for code, verdicts in found.items() if True in verdicts or None not in verdicts}


def contradictions_of(comparisons: Iterable[Comparison]) -> list[dict[str, Any]]:
    return [comparison.document() for comparison in comparisons if comparison.differs]


def _compared(stated: Stated, held: Held, told: Record) -> Iterator[Comparison]:
    match told:
        case SoliqRecord():
            yield _earnings(stated, held, told)
            yield _name(stated, held, told.name)
        case BureauRecord():
            yield from (_debt(stated, held, told, name) for name in DEBTS)
            yield _name(stated, held, told.name)
        case KadastrRecord():
            yield _owner(stated, held, told)


def _earnings(stated: Stated, held: Held, told: SoliqRecord) -> Comparison:
    if stated.subject.is_person:
        code, claim, declared = INCOME, _largest_claim(stated.facts), told.declared_yearly_income
    else:
        code, claim, declared = REVENUE, stated.facts.get("revenue"), told.declared_revenue
    differs = _is_much_more(claim.value, declared) if _are_comparable(stated, told, claim, declared) else None
    return Comparison(code, code, differs, held, claim and claim.value, claim and claim.at, declared)


def _largest_claim(facts: Mapping[str, Found]) -> Found | None:
    """Of a year. Net pay twelve times is less than the gross income, so that it never makes a claim larger."""
    claims = [facts["yearly_income"]] if "yearly_income" in facts else []
    if "salary" in facts:
        claims.append(replace(facts["salary"], value=facts["salary"].value * 12))
    return max(claims, key=lambda claim: claim.value, default=None)


def _debt(stated: Stated, held: Held, told: BureauRecord, name: str) -> Comparison:
    claim, known = stated.facts.get(name), getattr(told, name)
    differs = _is_much_less(claim.value, known) if _are_comparable(stated, told, claim, known) else None
    return Comparison(DEBT, name, differs, held, claim and claim.value, claim and claim.at, known)


def _are_comparable(stated: Stated, told: Record, claim: Found | None, known: int | None) -> bool:
    return claim is not None and known is not None and told.currency == stated.currency


def _is_much_more(stated: int, told: int) -> bool:
    return stated > told and stated * 10 >= told * MUCH_MORE


def _is_much_less(stated: int, told: int) -> bool:
    return stated < told and stated * 10 <= told * MUCH_LESS


def _owner(stated: Stated, held: Held, told: KadastrRecord) -> Comparison:
    owner = told.owner_name or (told.owner_identifier and mask(told.owner_identifier))
    differs, name = _is_other(owner_matches(told, stated.subject)), stated.subject.name
    return Comparison(OWNER, OWNER, differs, held, name, stated.named_at, owner, mask(told.identifier))


def _name(stated: Stated, held: Held, name: str | None) -> Comparison:
    same = name_matches(name, stated.subject)
    return Comparison(
        NAME, f"name_of_{held.record.source}", _is_other(same), held, stated.subject.name, stated.named_at, name
    )


def _is_other(same: bool | None) -> bool | None:
    return None if same is None else not same
