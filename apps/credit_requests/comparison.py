"""Two models side by side on past applications, with the facts as they were sealed then.

Of each application the champion's latest scoring of the span counts. Nothing of today's profiles, requests' terms or
external records is read: amount, purpose and all other facts are those of that scoring. Only the product's name is
looked up, because the log does not hold it.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import date, datetime
from sys import intern
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import OuterRef, QuerySet, Subquery

from apps.accounts.models import User
from apps.audit.services import record_event
from apps.common.crypto import DataErased, InvalidTag
from apps.common.days import start_of
from apps.common.errors import InvalidInput
from apps.credit_requests.comparison_figures import SIDES, Assessed, Compared, all_figures
from apps.credit_requests.models import CreditRequest
from apps.scoring_engine.ml.cards import LEAST_SCORE, MOST_SCORE
from apps.scoring_engine.ml.grades import grade
from apps.scoring_engine.ml.scorer import NoScoreError, Scorer, known_facts
from apps.scoring_engine.ml.vocabulary import FactsError, check_facts
from apps.scoring_engine.models import CHALLENGER, PredictionLog

FORMAT = 1
LOSS_GIVEN_DEFAULT = 0.45
ROWS_AT_ONCE = 500
NOWHERE = "(no branch)"
Progress = Callable[[int, int], None]
Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Terms:
    """What a comparison is asked for. Days as the lender counts them; `until` is the first day that is left out."""

    since: date
    until: date | None
    cut_off: int
    loss_given_default: float = LOSS_GIVEN_DEFAULT

    def check(self) -> None:
        if self.until is not None and self.until <= self.since:
            raise InvalidInput(f"The span is empty: it must end after {self.since}, not on {self.until}.")
        if not LEAST_SCORE <= self.cut_off <= MOST_SCORE:
            raise InvalidInput(f"The cut-off must be a score from {LEAST_SCORE} to {MOST_SCORE}, not {self.cut_off}.")
        if not 0 < self.loss_given_default <= 1:
            raise InvalidInput(
                f"The loss given default must be above 0 and at most 1, not {self.loss_given_default:g}."
            )


def compare_models(
    *, first: Scorer, second: Scorer, terms: Terms, actor: User | None, progress: Progress = lambda done, total: None
) -> Document:
    """Past applications scored again by both. Raises InvalidInput where there is nothing to compare."""
    terms.check()
    if first.segment != second.segment:
        raise InvalidInput(
            f"{first.version} scores the segment {first.segment} and {second.version} {second.segment}; "
            "only models of one segment can be compared."
        )
    rows, counts = _latest(_in_span(first.segment, terms).of_champions()), Counter()
    documents = {
        side: each.to_dict() | {"digest": each.digest} for side, each in zip(SIDES, (first, second), strict=True)
    }
    counts["found"] = rows.count()
    _record(rows, counts["found"], documents, terms, actor)
    compared = []
    for done, row in enumerate(_with_neighbours(rows).iterator(chunk_size=ROWS_AT_ONCE), start=1):
        compared += _scored_again(row, first, second, counts)
        progress(done, counts["found"])
    return _document("again", documents, terms, rows, compared, counts)


def compare_challenger(
    *, segment: str, terms: Terms, actor: User | None, progress: Progress = lambda done, total: None
) -> Document:
    """The champion and the challenger of the newest pair of scorings in the span, as they were logged side by side."""
    terms.check()
    beside = _in_span(segment, terms, linked=False).filter(role=CHALLENGER)
    newest = beside.exclude(request_id=None).order_by("-created_at", "-id").first()
    if newest is None:
        raise InvalidInput(f"No challenger has scored an application of the segment {segment} {_span_told(terms)}.")
    counts = Counter(without_a_request=beside.filter(request_id=None).count())
    rows = _latest(beside.exclude(request_id=None))
    champion_digest = PredictionLog.objects.get(id=newest.beside).card_id
    documents = {"first": _kept(champion_digest), "second": _kept(newest.card_id)}
    counts["found"] = rows.count()
    _record(rows, counts["found"], documents, terms, actor)
    compared = []
    for done, (row, challenger) in enumerate(_pairs(rows), start=1):
        if (row.card_id, challenger.card_id) == (champion_digest, newest.card_id):
            compared += _as_logged(row, challenger, counts)
        else:
            counts["other_models"] += 1
        progress(done, counts["found"])
    return _document("as logged", documents, terms, rows, compared, counts)


def _in_span(segment: str, terms: Terms, *, linked: bool = True) -> QuerySet[PredictionLog]:
    rows = PredictionLog.objects.filter(segment=segment, created_at__gte=start_of(terms.since))
    rows = rows if terms.until is None else rows.filter(created_at__lt=start_of(terms.until))
    return rows.exclude(request_id=None) if linked else rows


def _latest(rows: QuerySet[PredictionLog]) -> QuerySet[PredictionLog]:
    """Of each application the last of `rows`, oldest first."""
    same = rows.filter(request_id=OuterRef("request_id")).order_by("-created_at", "-id").values("id")[:1]
    return rows.filter(id=Subquery(same)).order_by("created_at", "id")


def _with_neighbours(rows: QuerySet[PredictionLog]) -> QuerySet[PredictionLog]:
    request = CreditRequest.objects.filter(id=OuterRef("request_id"))
    return rows.select_related("data_key", "branch").annotate(
        product=Subquery(request.values("product__code")[:1]), is_demo=Subquery(request.values("is_demo")[:1])
    )


def _pairs(challengers: QuerySet[PredictionLog]) -> Iterator[tuple[PredictionLog, PredictionLog]]:
    """(champion's row, challenger's row beside it)."""
    held: list[PredictionLog] = []
    for row in challengers.select_related("data_key").iterator(chunk_size=ROWS_AT_ONCE):
        held.append(row)
        if len(held) == ROWS_AT_ONCE:
            yield from _joined(held)
            held = []
    yield from _joined(held)


def _joined(challengers: Iterable[PredictionLog]) -> Iterator[tuple[PredictionLog, PredictionLog]]:
    ids: list[UUID] = [row.beside for row in challengers]
    champions = _with_neighbours(PredictionLog.objects.all()).in_bulk(ids)
    return ((champions[row.beside], row) for row in challengers)


def _scored_again(row: PredictionLog, first: Scorer, second: Scorer, counts: Counter) -> list[Compared]:
    """The application by both models, or nothing, and then it is counted why."""
    sealed = _opened(row, counts)
    if sealed is None:
        return []
    found = {side: _score(scorer, sealed) for side, scorer in zip(SIDES, (first, second), strict=True)}
    refused = [side for side in SIDES if found[side] is None]
    counts.update(f"refused_by_{side}" for side in refused)
    if refused:
        counts["refused"] += 1
        return []
    counts.update(f"missing_required_{side}" for side in SIDES if found[side][1])
    return [_compared(row, sealed, found["first"][0], found["second"][0], counts)]


def _as_logged(row: PredictionLog, challenger: PredictionLog, counts: Counter) -> list[Compared]:
    sealed = _opened(row, counts)
    beside = sealed and _opened(challenger, counts)
    if not beside:
        return []
    missing = {"first": sealed["missing_required"], "second": beside["missing_required"]}
    counts.update(f"missing_required_{side}" for side in SIDES if missing[side])
    first, second = (Assessed(each.score, each.probability_of_default, each.grade) for each in (row, challenger))
    return [_compared(row, sealed, first, second, counts)]


def _opened(row: PredictionLog, counts: Counter) -> Document | None:
    try:
        return row.opened()
    except DataErased:
        counts["erased"] += 1
    except InvalidTag:
        counts["unreadable"] += 1
    return None


def _score(scorer: Scorer, sealed: Document) -> tuple[Assessed, bool] | None:
    """And whether a fact was missing that the model requires; None where it refuses a fact, or gives no score."""
    as_of = date.fromisoformat(sealed["as_of"])
    with suppress(FactsError, NoScoreError):
        facts = check_facts(scorer.segment, known_facts(scorer, sealed["facts"]), as_of=as_of, own=scorer.own)
        found = scorer.score(facts, as_of=as_of, unavailable=frozenset(sealed["unavailable"]))
        letter = grade(found.probability_of_default, scorer.horizon_months(facts.get("term_months")))
        return Assessed(found.score, found.probability_of_default, letter), bool(found.missing_required)
    return None


def _compared(row: PredictionLog, sealed: Document, first: Assessed, second: Assessed, counts: Counter) -> Compared:
    counts["demonstration"] += bool(row.is_demo)
    facts = sealed["facts"]
    # Interned, because a million applications share a handful of names.
    names = (sealed["currency"], row.product, row.branch.code if row.branch else NOWHERE, facts["purpose"])
    return Compared(first, second, facts["requested_amount"], *(intern(name) for name in names))


def _described(scorer: Scorer) -> Document:
    return scorer.to_dict() | {"digest": scorer.digest}


def _kept(digest: str) -> Document:
    """The document of a model that has scored, which the log keeps for good."""
    row = PredictionLog.objects.filter(card_id=digest).select_related("card").first()
    return json.loads(row.card.text) | {"digest": digest}


def _record(rows: QuerySet[PredictionLog], number: int, documents: Document, terms: Terms, actor: User | None) -> None:
    """Written before the first fact is opened; it names the first scoring, and what finds the others."""
    first = rows.first()
    if first is None:
        segment = documents["first"]["segment"]
        raise InvalidInput(f"No application of the segment {segment} was scored {_span_told(terms)}.")
    details = {
        "models": [documents[side]["digest"] for side in SIDES],
        "segment": first.segment,
        "role": first.role,
        "since": terms.since.isoformat(),
        "until": terms.until and terms.until.isoformat(),
        "rows": number,
    }
    with transaction.atomic():
        record_event(actor=actor, action="model.compare", subject=first, details=details)


def _document(
    scored: str,
    models: Document,
    terms: Terms,
    rows: QuerySet[PredictionLog],
    compared: list[Compared],
    counts: Counter,
) -> Document:
    told = _told(counts, len(compared))
    if not compared:
        why = ", ".join(f"{number} {name.replace('_', ' ')}" for name, number in told.items() if number)
        raise InvalidInput(f"None of the applications can be compared: {why}.")
    ends: list[datetime] = [row.created_at for row in (rows.first(), rows.last())]
    return {
        "format": FORMAT,
        "scored": scored,
        "segment": models["first"]["segment"],
        "terms": asdict(terms) | {"since": terms.since.isoformat(), "until": terms.until and terms.until.isoformat()},
        "first_scoring": ends[0].isoformat(timespec="seconds"),
        "last_scoring": ends[1].isoformat(timespec="seconds"),
        "models": {side: _model(models[side]) for side in SIDES},
        "applications": told,
        **all_figures(compared, terms.cut_off, terms.loss_given_default),
    }


def _told(counts: Counter, compared: int) -> Document:
    names = ("found", "erased", "unreadable", "refused", "refused_by_first", "refused_by_second", "other_models",
             "without_a_request", "missing_required_first", "missing_required_second", "demonstration")  # fmt: skip
    return {"compared": compared} | {name: counts[name] for name in names}


def _model(document: Document) -> Document:
    names = ("version", "digest", "purpose", "definition_of_bad", "horizon")
    return {name: document[name] for name in names}


def _span_told(terms: Terms) -> str:
    return f"from {terms.since} on" if terms.until is None else f"from {terms.since} to before {terms.until}"


__all__ = ["LOSS_GIVEN_DEFAULT", "Terms", "compare_challenger", "compare_models"]
