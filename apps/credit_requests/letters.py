"""The letter that tells an applicant what was decided, why, what would change it, and how to ask for a review.

It is written from the decision as it was recorded, so the letter of March says in May what it said in March. Reasons
are those of the policy's rules, in its order, and the model's own only where the score was what spoke.
"""

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import transaction
from django.template.loader import render_to_string

from apps.accounts.models import User
from apps.audit.services import record_event
from apps.common.crypto import DataErased
from apps.common.days import lender_today
from apps.common.errors import Conflict, InvalidInput
from apps.common.sentences import Sentence
from apps.credit_requests.alternatives import Alternative, find_alternatives
from apps.credit_requests.models import CreditRequest, Decision
from apps.credit_requests.outcomes import recorded_outcome
from apps.policies.documents import Policy
from apps.policies.services import policy_of
from apps.policies.texts import reason_texts
from apps.scoring_engine.ml.words import Words, words_of
from apps.scoring_engine.presentation import render

_FOLDER = Path(__file__).parent / "letter_texts"
MOST_MODEL_REASONS = 4
Rows = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Letter:
    """All texts of a letter, in one language."""

    language: str
    lender: str
    address: str
    reference: str
    date: str
    title: str
    greeting: str
    opening: str
    asked: Rows
    offered: Rows
    capped_because: str
    capped: list[str]
    reasons: list[str]
    model_reasons: list[str]
    changes: list[str]
    sources: list[str]
    decided_by: str
    notices: list[str]
    review: str
    labels: dict[str, str]


@cache
def _texts(language: str) -> dict[str, Any]:
    return tomllib.loads((_FOLDER / f"{language}.toml").read_text(encoding="utf-8"))


@transaction.atomic
def write_letter(*, decision: Decision, language: str, actor: User) -> Letter:
    """The letter, for somebody who hands it on or reads it: that is recorded, as any reading of a whole person is."""
    letter = compose_letter(decision=decision, language=language)
    details = {"decision": str(decision.id), "number": decision.number, "language": language}
    record_event(actor=actor, action="credit_request.letter", subject=decision.credit_request, details=details)
    return letter


def compose_letter(*, decision: Decision, language: str) -> Letter:
    """The letter of a decision. Raises Conflict once the applicant's data were erased."""
    try:
        return _Writer(decision, language).letter()
    except DataErased:
        raise Conflict(
            Sentence("The applicant's personal data were erased; no letter can be written any more.")
        ) from None


def letter_page(letter: Letter) -> str:
    return render_to_string("credit_requests/letter.html", {"letter": letter, "labels": letter.labels})


@cache
def can_print_letters() -> bool:
    """Whether requirements/pdf.txt is installed; that Pango is missing shows only when a letter is printed."""
    return find_spec("weasyprint") is not None


def print_letter(page: str) -> bytes:
    """The page as PDF. Raises InvalidInput where the extra is not installed."""
    try:
        # Heavy, and an extra: only a process that prints a letter needs it.
        from weasyprint import HTML
    except (ImportError, OSError):
        raise InvalidInput.of(
            form=Sentence("This installation cannot make PDF: install requirements/pdf.txt and Pango. Use form=html.")
        ) from None
    return HTML(string=page, url_fetcher=_fetch_nothing).write_pdf()


def _fetch_nothing(url: str, *_: Any, **__: Any) -> dict[str, Any]:
    raise ValueError(f"A letter refers to nothing outside of itself, and not to {url[:80]}.")


class _Writer:
    def __init__(self, decision: Decision, language: str) -> None:
        self.decision = decision
        self.request: CreditRequest = decision.credit_request
        self.language = language
        self.texts = _texts(language)
        self.words: Words = words_of(language)
        self.policy: Policy | None = decision.policy and policy_of(decision.policy)

    def letter(self) -> Letter:
        labels, sentences = self.texts["labels"], self.texts["sentences"]
        told = self._reasons()
        return Letter(
            language=self.language,
            lender=settings.LENDER_NAME,
            address=settings.LENDER_ADDRESS,
            reference=f"{self.request.id} / {self.decision.number}",
            date=self._day(self.decision.on_date),
            title=self.texts["titles"][self.decision.outcome],
            greeting=sentences["greeting"].format(name=self._name()),
            opening=sentences[self.decision.outcome],
            asked=self._terms(self.request.requested_amount, self.request.term_months),
            offered=self._offered(),
            capped_because=sentences["capped"],
            capped=[text for code, text in told if code in self._caps()] if self.decision.outcome == "approve" else [],
            reasons=[text for _, text in told] if self.decision.outcome != "approve" else [],
            model_reasons=self._model_reasons(),
            changes=self._changes(),
            sources=list(self._sources()),
            decided_by=self._decided_by(),
            notices=list(self._notices()),
            review=self._review(),
            labels=labels,
        )

    def _name(self) -> str:
        profile = self.request.applicant.profile
        return profile["full_name" if self.request.individual_id else "company_name"] or str(self.request.id)

    def _money(self, amount: int) -> str:
        return self.words.quantity("money", amount, self.request.currency)

    def _months(self, months: int) -> str:
        return self.words.quantity("months", months, self.request.currency)

    def _day(self, day: date) -> str:
        return self.texts["date"].format(day=day.day, month=self.texts["months"][day.month - 1], year=day.year)

    def _terms(self, amount: int, term: int) -> Rows:
        labels = self.texts["labels"]
        return [
            (labels["product"], self.request.product.name),
            (labels["amount"], self._money(amount)),
            (labels["term"], self._months(term)),
        ]

    def _offered(self) -> Rows:
        decision, labels = self.decision, self.texts["labels"]
        if decision.outcome != "approve":
            return []
        rows = [*self._terms(decision.amount, decision.term_months), (labels["rate"], self._rate())]
        if decision.instalment is not None:
            rows.append((labels["instalment"], self._money(decision.instalment)))
        return rows

    def _rate(self) -> str:
        """To the basis point: it is what will be owed, not a figure to compare."""
        percent = self.words.number(Decimal(self.decision.annual_rate_basis_points) / 100)
        return self.words.texts["units"]["percent"]["other"].format(value=percent)

    def _caps(self) -> set[str]:
        return {cap.code for cap in self.policy.caps} if self.policy else set()

    def _reasons(self) -> list[tuple[str, str]]:
        """(code, sentence) in the policy's order; where the score spoke, its own sentence gives way to the model's."""
        if self.policy is None:
            return []
        bands = {band.code for band in self.policy.bands}
        outcome = recorded_outcome(self.decision)
        told = reason_texts(self.policy, outcome, self.language, audience="applicant", currency=self.request.currency)
        texts = [(reason["code"], reason["text"]) for reason in told if reason["code"] not in bands]
        return texts + self._reasons_of_people()

    def _reasons_of_people(self) -> list[tuple[str, str]]:
        """Only against the applicant: in whose favour somebody decided, needs no reason."""
        code = self.decision.reason_code
        if not code or self.decision.outcome != "decline":
            return []
        known = self.texts["person_reasons"]
        return [(code, known.get(code, known["other"]))]

    def _score_spoke(self) -> bool:
        bands = {band.code for band in self.policy.bands} if self.policy else set()
        return self.decision.outcome != "approve" and not bands.isdisjoint(self.decision.reasons)

    def _model_reasons(self) -> list[str]:
        if self.decision.prediction is None or not self._score_spoke():
            return []
        reasons = render(self.decision.prediction, self.language)["reasons"]
        return [reason["text"] for reason in reasons[:MOST_MODEL_REASONS]]

    def _changes(self) -> list[str]:
        if self.decision.outcome == "approve" or self.policy is None:
            return []
        found = find_alternatives(self.decision, self.policy)
        return [self._change(each) for each in found] or [self.texts["sentences"]["no_changes"]]

    def _change(self, each: Alternative) -> str:
        amount_differs = each.amount != self.request.requested_amount
        kind = ("change_amount" if amount_differs else "change_term") + ("" if each.outcome == "approve" else "_refer")
        given = self._money(self.request.requested_amount) if amount_differs else self._months(self.request.term_months)
        return self.texts["sentences"][kind].format(
            amount=self._money(each.amount), term=self._months(each.term_months), given=given
        )

    def _sources(self) -> Iterator[str]:
        texts = self.texts["sources"]
        yield texts["request"]
        yield texts["own"]
        for record in self.decision.records:
            if record["source"] in texts:
                yield texts[record["source"]].format(date=self._day(_lender_day(record["observed_at"])))

    def _decided_by(self) -> str:
        named = str(self.decision.policy) if self.decision.policy else "–"
        by_whom = "by_policy" if self.decision.kind == "policy" else "by_people"
        return self.texts["sentences"][by_whom].format(policy=named)

    def _notices(self) -> Iterator[str]:
        sentences, prediction = self.texts["sentences"], self.decision.prediction
        if prediction is not None and prediction.mode == "fallback":
            yield sentences["fallback"]
        if "bar:demonstration" in self.decision.reasons or _is_of_a_demonstration(self.decision):
            yield sentences["demonstration"]
        if any(record["origin"] == "mock" for record in self.decision.records):
            yield sentences["mock"]
        if self.request.is_demo:
            yield sentences["demo"]

    def _review(self) -> str:
        sentences = self.texts["sentences"]
        contact = settings.LENDER_CONTACT or sentences["no_contact"]
        return sentences["review"].format(days=settings.REVIEW_DAYS, contact=contact)


def _is_of_a_demonstration(decision: Decision) -> bool:
    return decision.is_barred and decision.prediction is not None and decision.prediction.purpose == "demonstration"


def _lender_day(moment: str) -> date:
    return lender_today(datetime.fromisoformat(moment))
