"""Logged scorings worked out again from the log and the registry alone, and compared bit by bit."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import lru_cache
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from apps.accounts.models import User
from apps.audit.services import record_event
from apps.common.crypto import DataErased, InvalidTag
from apps.common.sentences import Sentence
from apps.scoring_engine.ml.grades import GRADES_VERSION, grade
from apps.scoring_engine.ml.risk_model import ModelFileError
from apps.scoring_engine.ml.scorecard import Scorecard
from apps.scoring_engine.ml.scorer import Assessed, NoScoreError, Scorer, known_facts
from apps.scoring_engine.ml.typed_json import CardError
from apps.scoring_engine.ml.vocabulary import FactsError, check_facts
from apps.scoring_engine.models import ModelCard, ModelVersion, PredictionLog
from apps.scoring_engine.preparing import Inputs, inputs_digest
from apps.scoring_engine.registry import scorer_of

SAME, DIFFERENT, ERASED, UNREADABLE = RESULTS = ("same", "different", "erased", "unreadable")
SEALED_ANEW = Sentence("what is sealed was changed, or belongs to another row")
KEPT = ("feature", "value", "points", "reference_points", "code")
OF_SOURCES = ("mock_source", "stale_record")  # warnings that no model gives
ROWS_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Replay:
    """result: one of RESULTS; differing: (what, as logged, as worked out now), without any fact of a person."""

    row: PredictionLog
    result: str
    differing: tuple[tuple[str, Any, Any], ...] = ()
    why: str = ""

    @property
    def of_older_grades(self) -> bool:
        """Its grade is history, and is not compared: this release does not have the table it is of."""
        return self.row.grades_version != GRADES_VERSION


def logged(
    *, since: datetime, until: datetime | None = None, segment: str | None = None, limit: int | None = None
) -> QuerySet[PredictionLog]:
    """Scorings from `since` on, before `until`, oldest first, at most `limit`; those of challengers too."""
    rows = PredictionLog.objects.filter(created_at__gte=since).select_related("data_key")
    rows = rows.filter(created_at__lt=until) if until else rows
    rows = rows.filter(segment=segment) if segment else rows
    return rows.order_by("created_at", "id")[:limit]


def record_replay(*, rows: QuerySet[PredictionLog], actor: User | None) -> int:
    """Their number, told to the audit trail before the first of them is opened."""
    number, first = rows.count(), rows.first()
    if first is None:
        return 0
    with transaction.atomic():
        details = {"rows": number, "from": first.created_at.isoformat()}
        record_event(actor=actor, action="prediction.replay", subject=first, details=details)
    return number


def replay(rows: QuerySet[PredictionLog]) -> Iterator[Replay]:
    """One by one, however many. Nobody's facts but the sealed ones are read."""
    for row in rows.iterator(chunk_size=ROWS_AT_ONCE):
        try:
            differing = _differing(row, row.opened(), _scorer(row.card_id))
        except DataErased:
            yield Replay(row, ERASED)
        except InvalidTag:
            yield Replay(row, UNREADABLE, why=SEALED_ANEW)
        except FactsError as error:
            # Their names alone, because the values are a person's.
            refused = [each.field for each in error.errors]
            why = Sentence(
                "{model}: it refuses today what was logged as {facts}", model=row.model_version, facts=refused
            )
            yield Replay(row, UNREADABLE, why=why)
        except (ModelFileError, CardError, NoScoreError) as error:
            yield Replay(
                row, UNREADABLE, why=Sentence("{model}: {error}", model=row.model_version, error=error.args[0])
            )
        else:
            yield Replay(row, DIFFERENT if differing else SAME, differing)


def _differing(row: PredictionLog, sealed: Mapping[str, Any], scorer: Scorer) -> tuple[tuple[str, Any, Any], ...]:
    as_of = date.fromisoformat(sealed["as_of"])
    known = check_facts(row.segment, known_facts(scorer, sealed["facts"]), as_of=as_of, own=scorer.own)
    facts = {name: known.get(name, value) for name, value in sealed["facts"].items()}
    assessment = scorer.score(facts, as_of=as_of, unavailable=frozenset(sealed["unavailable"]))
    months = scorer.horizon_months(facts.get("term_months"))
    now = {
        "score": assessment.score,
        "probability_of_default": assessment.probability_of_default.hex(),
        "horizon_kind": scorer.horizon["kind"],
        "horizon_months": months,
        "model_version": scorer.version,
        "base_points": scorer.base_points,
        "reference_score": scorer.reference_score,
        "inputs_digest": inputs_digest(scorer, assessment, _inputs(row, sealed, facts)),
    }
    then = {name: getattr(row, name) for name in now} | {"probability_of_default": row.probability_of_default.hex()}
    if row.grades_version == GRADES_VERSION:
        now["grade"], then["grade"] = grade(assessment.probability_of_default, months), row.grade
    unequal = [(name, then[name], now[name]) for name in now if then[name] != now[name]]
    return (*unequal, *((name, "sealed", "sealed") for name in _differing_sealed(sealed, assessment)))


def _inputs(row: PredictionLog, sealed: Mapping[str, Any], facts: dict[str, Any]) -> Inputs:
    as_of, unavailable = date.fromisoformat(sealed["as_of"]), frozenset(sealed["unavailable"])
    return Inputs(row.segment, facts, sealed["sources"], unavailable, sealed["currency"], as_of)


def _differing_sealed(sealed: Mapping[str, Any], assessment: Assessed) -> Iterator[str]:
    """Names alone, because the values are a person's."""
    if [told for told in sealed["warnings"] if told["code"] not in OF_SOURCES] != assessment.warnings:
        yield "warnings"
    if sealed["missing_required"] != list(assessment.missing_required):
        yield "missing_required"
    now = [{name: entry[name] for name in KEPT} for entry in assessment.explanation]
    for entry in now:
        entry["bin"] = assessment.bins[entry["feature"]]
    then = sealed["characteristics"]
    if len(then) != len(now):
        yield "number of characteristics"
    # As text: 1, 1.0 and true are equal in Python and are not the same bits.
    yield from (
        f"characteristic {logged_entry['feature']}"
        for logged_entry, entry in zip(then, now, strict=False)
        if json.dumps(logged_entry, sort_keys=True) != json.dumps(entry, sort_keys=True)
    )


@lru_cache(maxsize=32)
def _scorer(digest: str) -> Scorer:
    """From the registry; an expert card, which is in none, from the document that was kept with its first scoring."""
    model = ModelVersion.objects.filter(card_id=digest).first()
    if model is not None:
        return scorer_of(model)
    text = ModelCard.objects.get(digest=digest).text
    if hashlib.sha256(text.encode()).hexdigest() != digest:
        raise ModelFileError("its document is not the one that was kept")
    return Scorecard.from_dict(json.loads(text))
