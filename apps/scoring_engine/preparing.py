"""What a scoring will be, worked out and not yet written: the row of the champion, and the challenger's beside it.

One applicant and ten thousand take this same way.
"""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any
from uuid import UUID

from apps.accounts.models import Branch, User
from apps.common.crypto import blind_index, seal
from apps.common.days import lender_today
from apps.common.errors import FieldProblem, InvalidInput
from apps.common.facts import Found
from apps.common.models import DataKey
from apps.common.money import CURRENCIES
from apps.scoring_engine.metrics import report_challenger_failure
from apps.scoring_engine.ml.card_inputs import known_to
from apps.scoring_engine.ml.cards import canonical
from apps.scoring_engine.ml.grades import GRADES_VERSION, grade
from apps.scoring_engine.ml.scorer import Assessed, NoScoreError, Scorer, known_facts
from apps.scoring_engine.ml.vocabulary import FACTS, FactsError, Known, check_facts
from apps.scoring_engine.models import CHALLENGER, ModelCard, PredictionLog, sealing_context
from apps.scoring_engine.registry import Serving, hold_registry, in_service, stand_in


@dataclass(frozen=True, slots=True)
class InService:
    """The models that score a segment until this transaction ends. `now` is never before one came into service."""

    champion: Serving
    challenger: Serving | None
    known: Known | None
    now: datetime
    today: date


@dataclass(frozen=True, slots=True)
class Asked:
    """One scoring that is asked for. `latest`: the newest of the same request."""

    segment: str
    facts: Mapping[str, Found]
    unavailable: Collection[str]
    currency: str
    data_key: DataKey
    branch: Branch | None
    actor: User | None
    cause: str
    request_id: UUID | None = None
    latest: PredictionLog | None = None


@dataclass(frozen=True, slots=True)
class Prepared:
    """Rows that are not inserted yet; `row` is the newest one that stands when nothing a reader could tell changed."""

    row: PredictionLog
    beside: PredictionLog | None = None
    warnings: Sequence[dict[str, str]] = ()

    @property
    def rows(self) -> list[PredictionLog]:
        return [self.row] if self.beside is None else [self.row, self.beside]


def hold_models(segment: str, now: datetime) -> InService:
    """Held and read inside the transaction, so that each row names a model that was in service at its time."""
    hold_registry()
    champion, challenger = in_service(segment)
    if champion.mode == "fallback":
        _keep_card(champion.scorer)
    now = max(now, *(model.since for model in (champion, challenger) if model))
    return InService(champion, challenger, _known_to_both(champion, challenger), now, lender_today(now))


def prepare(models: InService, asked: Asked) -> Prepared:
    """Raises InvalidInput naming each fact that is refused."""
    inputs = _checked(models, asked)
    try:
        serving, assessment = models.champion, _assess(models.champion.scorer, inputs)
    except NoScoreError as error:
        serving = stand_in(models.champion, str(error))
        _keep_card(serving.scorer)
        inputs = _accepted_by(serving.scorer, inputs)
        assessment = _assess(serving.scorer, inputs)
    row = _row(serving, assessment, inputs)
    if asked.latest is not None and asked.latest.inputs_digest == row.inputs_digest:
        return Prepared(asked.latest)
    row.data_key, row.branch, row.actor = asked.data_key, asked.branch, asked.actor
    row.cause, row.request_id, row.created_at = asked.cause, asked.request_id, models.now
    document = _to_seal(assessment, inputs)
    row.sealed = seal(asked.data_key, document, sealing_context(row.id))
    beside = None if models.challenger is None else _challenge(row, models.challenger, inputs)
    return Prepared(row, beside, document["warnings"])


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a card is given, all of it checked. `sources` tells of each fact where it comes from and as of when."""

    segment: str
    facts: dict[str, Any]
    sources: dict[str, dict[str, str | bool]]
    unavailable: frozenset[str]
    currency: str
    as_of: date

    def warnings(self) -> list[dict[str, str]]:
        """What the reader has to know of the sources: an invented or an old fact never passes in silence."""
        mock = [(name, told["source"]) for name, told in self.sources.items() if told.get("origin") == "mock"]
        stale = [(name, told["source"]) for name, told in self.sources.items() if told.get("is_stale")]
        return [
            *(_warning("mock_source", name, f"was invented by the mock of {source}") for name, source in mock),
            *(
                _warning("stale_record", name, f"is of a record that {source} has not renewed")
                for name, source in stale
            ),
        ]


def _warning(code: str, fact: str, what: str) -> dict[str, str]:
    return {"code": code, "fact": fact, "message": f"{fact} {what}"}


def _known_to_both(serving: Serving, challenger: Serving | None) -> Known | None:
    """What may be sent: the facts of the vocabulary, of the champion, and those that only a challenger asks for."""
    if challenger is None or challenger.scorer.own is None:
        return serving.scorer.own
    of_champion = {entry.name for entry in serving.scorer.inputs}
    more = [entry for entry in challenger.scorer.inputs if entry.name not in of_champion]
    return known_to(serving.scorer.segment, [*serving.scorer.inputs, *more])


def _challenge(row: PredictionLog, challenger: Serving, inputs: Inputs) -> PredictionLog | None:
    """The challenger's own row. Facts that only it refuses make none: the champion's answer is never in question."""
    scorer = challenger.scorer
    try:
        inputs = _known_by(scorer, inputs)
        assessment = _assess(scorer, inputs)
    except FactsError as error:
        refused = ", ".join(refused.field for refused in error.errors)
        report_challenger_failure(row, scorer.version, f"it refuses {refused}")
        return None
    except NoScoreError as error:
        report_challenger_failure(row, scorer.version, str(error))
        return None
    beside = _row(challenger, assessment, inputs)
    beside.role, beside.beside, beside.created_at = CHALLENGER, row.id, row.created_at
    beside.data_key, beside.branch, beside.actor = row.data_key, row.branch, row.actor
    beside.cause, beside.request_id = f"challenger:{row.id}", row.request_id
    beside.sealed = seal(row.data_key, _to_seal(assessment, inputs), sealing_context(beside.id))
    return beside


def _assess(scorer: Scorer, inputs: Inputs) -> Assessed:
    return scorer.score(inputs.facts, as_of=inputs.as_of, unavailable=inputs.unavailable)


def _known_by(scorer: Scorer, inputs: Inputs) -> Inputs:
    """Raises FactsError for what only another model of the segment lets pass, such as special codes."""
    facts = check_facts(scorer.segment, known_facts(scorer, inputs.facts), as_of=inputs.as_of, own=scorer.own)
    return replace(inputs, facts=facts, sources={name: inputs.sources[name] for name in facts})


def _accepted_by(scorer: Scorer, inputs: Inputs) -> Inputs:
    """Without the facts that it refuses, which then count as missing."""
    try:
        return _known_by(scorer, inputs)
    except FactsError as error:
        refused = {refused.field for refused in error.errors}
        kept = {name: value for name, value in inputs.facts.items() if name not in refused}
        return _known_by(scorer, replace(inputs, facts=kept))


def _checked(models: InService, asked: Asked) -> Inputs:
    segment, facts, as_of = asked.segment, asked.facts, models.today
    problems = list(_problems(segment, models.known, facts, asked.unavailable, asked.currency))
    given = {name: found.value for name, found in facts.items()}
    try:
        values = check_facts(segment, given, as_of=as_of, own=models.known)
    except FactsError as error:
        problems += [FieldProblem(e.field, f"{e.given} was given; it {e.message}.") for e in error.errors]
    if problems:
        raise InvalidInput("; ".join(f"{p.field}: {p.message}" for p in problems), problems)
    sources = {name: facts[name].provenance() for name in values}
    return Inputs(segment, values, sources, frozenset(asked.unavailable), asked.currency, as_of)


def _problems(
    segment: str, own: Known | None, facts: Mapping[str, Found], unavailable: Iterable[Any], currency: str
) -> Iterable[FieldProblem]:
    """What the vocabulary does not say: a score needs its scale, money its currency, a source that is down a name."""
    given = {name for name, found in facts.items() if found.value is not None}
    known = own.facts if own else FACTS[segment]
    if "credit_history_score" in given and "credit_history_scale" not in given:
        scales = ", ".join(FACTS["individual"]["credit_history_scale"].values)
        yield FieldProblem("credit_history_scale", f"It was left out; credit_history_score needs one of {scales}.")
    for place, name in enumerate(unavailable):
        if not isinstance(name, str) or name not in known:
            yield FieldProblem(f"unavailable[{place}]", f"It must name a fact known of this segment ({segment}).")
        elif name in given:
            yield FieldProblem(f"unavailable[{place}]", f"{name} is given as well; leave it out here, or there.")
    if currency not in CURRENCIES:
        yield FieldProblem("currency", f"It must be one of {', '.join(CURRENCIES)}.")


def _row(serving: Serving, assessment: Assessed, inputs: Inputs) -> PredictionLog:
    card, months = serving.scorer, serving.scorer.horizon_months(inputs.facts.get("term_months"))
    return PredictionLog(
        segment=inputs.segment,
        score=assessment.score,
        probability_of_default=assessment.probability_of_default,
        grade=grade(assessment.probability_of_default, months),
        grades_version=GRADES_VERSION,
        horizon_kind=card.horizon["kind"],
        horizon_months=months,
        mode=serving.mode,
        mode_reason=serving.reason,
        purpose=serving.purpose,
        model_version=card.version,
        card_id=card.digest,
        base_points=card.base_points,
        reference_score=card.reference_score,
        currency=inputs.currency,
        inputs_digest=inputs_digest(card, assessment, inputs),
    )


def inputs_digest(card: Scorer, assessment: Assessed, inputs: Inputs) -> str:
    """Equal for two scorings that no reader of the log could tell apart but by their time."""
    document = {
        "facts": _plain(inputs.facts),
        "unavailable": sorted(inputs.unavailable),
        "currency": inputs.currency,
        "model": card.digest,
        "bins": assessment.bins,
    }
    return blind_index("inputs", json.dumps(document, sort_keys=True, separators=(",", ":")))


def _to_seal(assessment: Assessed, inputs: Inputs) -> dict[str, Any]:
    bins = assessment.bins
    return {
        "facts": _plain(inputs.facts),
        "sources": inputs.sources,
        "unavailable": sorted(inputs.unavailable),
        "as_of": inputs.as_of.isoformat(),
        "currency": inputs.currency,
        "characteristics": [
            {
                "feature": entry["feature"],
                "value": entry["value"],
                "points": entry["points"],
                "reference_points": entry["reference_points"],
                "code": entry["code"],
                "bin": bins[entry["feature"]],
            }
            for entry in assessment.explanation
        ],
        "warnings": assessment.warnings + inputs.warnings(),
        "missing_required": list(assessment.missing_required),
    }


def _plain(facts: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, date) else value for name, value in facts.items()}


def _keep_card(card: Scorer) -> None:
    """An expert card is in no registry."""
    if ModelCard.objects.filter(digest=card.digest).exists():
        return
    text = canonical(card.to_dict())
    kept = ModelCard(digest=card.digest, segment=card.segment, version=card.version, text=text)
    # Another process may be keeping the same card at this moment.
    ModelCard.objects.bulk_create([kept], ignore_conflicts=True)
