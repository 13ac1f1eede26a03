"""What a scoring will be, worked out and not yet written: the row of the champion, and the challenger's beside it.

One applicant and ten thousand take this same way. What each of them passes through are tuples, which are made in a
third of the time of a frozen dataclass.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID, uuid4

from apps.common.crypto import OpenKey, blind_index
from apps.common.days import lender_today
from apps.common.errors import FieldProblem, InvalidInput
from apps.common.facts import Found
from apps.common.money import CURRENCIES
from apps.common.sentences import Sentence
from apps.scoring_engine.log_rows import LogRow
from apps.scoring_engine.metrics import report_challenger_failure
from apps.scoring_engine.ml.card_inputs import known_to
from apps.scoring_engine.ml.cards import canonical
from apps.scoring_engine.ml.grades import GRADES_VERSION, grade
from apps.scoring_engine.ml.risk_model import expert_card
from apps.scoring_engine.ml.scorecard import Scorecard
from apps.scoring_engine.ml.scorer import Assessed, NoScoreError, Scorer, known_facts
from apps.scoring_engine.ml.vocabulary import FACTS, FactsError, Known, check_facts
from apps.scoring_engine.models import CHALLENGER, CHAMPION, ModelCard, sealing_context
from apps.scoring_engine.registry import Serving, in_service, stand_in
from apps.scoring_engine.sealing import Sources, digested_text, sealed_text, written_facts


@dataclass(frozen=True, slots=True)
class InService:
    """The models that score a segment until this transaction ends. `now` is never before one came into service."""

    champion: Serving
    challenger: Serving | None
    known: Known | None
    now: datetime
    today: date


class Asked(NamedTuple):
    """One scoring that is asked for. `sources`: of each fact; `latest`: the inputs digest of the same request's newest.

    `key` seals what is personal.
    """

    segment: str
    facts: Mapping[str, Any]
    sources: Sources
    unavailable: Collection[str]
    currency: str
    key: OpenKey
    branch_id: UUID | None
    actor_id: UUID | None
    cause: str
    request_id: UUID | None = None
    latest: str | None = None


class Prepared(NamedTuple):
    """Rows that are not inserted yet. None when nothing a reader could tell changed: the newest row stands."""

    row: LogRow | None
    key: OpenKey | None = None
    beside: LogRow | None = None
    warnings: Sequence[dict[str, str]] = ()

    @property
    def rows(self) -> list[LogRow]:
        return [row for row in (self.row, self.beside) if row is not None]

    def opened(self) -> dict[str, Any]:
        """What is sealed in `row`."""
        return self.key.unseal(self.row.sealed, sealing_context(self.row.id))


def told(facts: Mapping[str, Found]) -> tuple[dict[str, Any], Sources]:
    """Facts as `Asked` takes them: the values, and the sources."""
    values = {name: found.value for name, found in facts.items()}
    return values, {name: found.provenance() for name, found in facts.items()}


def hold_models(segment: str, now: datetime) -> InService:
    """Held and read inside the transaction, so that each row names a model that was in service at its time."""
    champion, challenger = in_service(segment)
    # Kept before anybody is scored: `prepare` asks the database nothing, so that rows can be copied into it meanwhile.
    if champion.mode == "fallback" or not isinstance(champion.scorer, Scorecard):
        _keep_card(expert_card(segment))
    now = max(now, *(model.since for model in (champion, challenger) if model))
    return InService(champion, challenger, _known_to_both(champion, challenger), now, lender_today(now))


def prepare(models: InService, asked: Asked) -> Prepared:
    """Raises InvalidInput naming each fact that is refused."""
    inputs = _checked(models, asked)
    try:
        scored = _scored(models.champion, inputs)
    except NoScoreError as error:
        serving = stand_in(models.champion, str(error))
        scored = _scored(serving, _accepted_by(serving.scorer, inputs))
    digest = scored.digest()
    if asked.latest == digest:
        return Prepared(None)
    warnings = scored.warnings()
    row = _row(models, asked, scored, digest, warnings)
    beside = None if models.challenger is None else _challenge(models, asked, row, scored.inputs)
    return Prepared(row, asked.key, beside, warnings)


class Inputs(NamedTuple):
    """What a card is given, all of it checked. `sources` tells of each fact where it comes from and as of when."""

    segment: str
    facts: dict[str, Any]
    sources: Sources
    unavailable: frozenset[str]
    currency: str
    as_of: date

    def warnings(self) -> list[dict[str, str]]:
        """What the reader has to know of the sources: an invented or an old fact never passes in silence."""
        marked = [(name, told) for name, told in self.sources.items() if "origin" in told]
        mock = [(name, told["source"]) for name, told in marked if told["origin"] == "mock"]
        stale = [(name, told["source"]) for name, told in marked if told["is_stale"]]
        return [
            *(_warning("mock_source", name, f"was invented by the mock of {source}") for name, source in mock),
            *(
                _warning("stale_record", name, f"is of a record that {source} has not renewed")
                for name, source in stale
            ),
        ]


def _warning(code: str, fact: str, what: str) -> dict[str, str]:
    return {"code": code, "fact": fact, "message": f"{fact} {what}"}


class Scored(NamedTuple):
    """What a model says of inputs. `facts`: as written in JSON; `bins`: label by feature."""

    serving: Serving
    assessment: Assessed
    inputs: Inputs
    facts: dict[str, str]
    bins: dict[str, str]

    def digest(self) -> str:
        return _digest(self.serving.scorer, self.inputs, self.facts, self.bins)

    def warnings(self) -> list[dict[str, str]]:
        return self.assessment.warnings + self.inputs.warnings()

    def sealed_text(self, warnings: Sequence[dict[str, str]]) -> str:
        rest = {
            "unavailable": sorted(self.inputs.unavailable),
            "as_of": self.inputs.as_of.isoformat(),
            "currency": self.inputs.currency,
            "missing_required": self.assessment.missing_required,
        }
        return sealed_text(self.facts, self.inputs.sources, self.assessment.explanation, self.bins, warnings, rest)


def _scored(serving: Serving, inputs: Inputs) -> Scored:
    assessment = serving.scorer.score(inputs.facts, as_of=inputs.as_of, unavailable=inputs.unavailable)
    return Scored(serving, assessment, inputs, written_facts(inputs.facts), assessment.bins)


def _known_to_both(serving: Serving, challenger: Serving | None) -> Known | None:
    """What may be sent: the facts of the vocabulary, of the champion, and those that only a challenger asks for."""
    if challenger is None or challenger.scorer.own is None:
        return serving.scorer.own
    of_champion = {entry.name for entry in serving.scorer.inputs}
    more = [entry for entry in challenger.scorer.inputs if entry.name not in of_champion]
    return known_to(serving.scorer.segment, [*serving.scorer.inputs, *more])


def _challenge(models: InService, asked: Asked, row: LogRow, inputs: Inputs) -> LogRow | None:
    """The challenger's own row. Facts that only it refuses make none: the champion's answer is never in question."""
    scorer = models.challenger.scorer
    try:
        scored = _scored(models.challenger, _known_by(scorer, inputs))
    except FactsError as error:
        refused = ", ".join(refused.field for refused in error.errors)
        report_challenger_failure(row, scorer.version, f"it refuses {refused}")
        return None
    except NoScoreError as error:
        report_challenger_failure(row, scorer.version, str(error))
        return None
    return _row(models, asked, scored, scored.digest(), scored.warnings(), beside=row)


def _known_by(scorer: Scorer, inputs: Inputs) -> Inputs:
    """Raises FactsError for what only another model of the segment lets pass, such as special codes."""
    facts = check_facts(scorer.segment, known_facts(scorer, inputs.facts), as_of=inputs.as_of, own=scorer.own)
    return inputs._replace(facts=facts, sources={name: inputs.sources[name] for name in facts})


def _accepted_by(scorer: Scorer, inputs: Inputs) -> Inputs:
    """Without the facts that it refuses, which then count as missing."""
    try:
        return _known_by(scorer, inputs)
    except FactsError as error:
        refused = {refused.field for refused in error.errors}
        kept = {name: value for name, value in inputs.facts.items() if name not in refused}
        return _known_by(scorer, inputs._replace(facts=kept))


def _checked(models: InService, asked: Asked) -> Inputs:
    segment, facts, as_of = asked.segment, asked.facts, models.today
    problems = list(_problems(segment, models.known, facts, asked.unavailable, asked.currency))
    try:
        values = check_facts(segment, facts, as_of=as_of, own=models.known)
    except FactsError as error:
        problems += [
            FieldProblem(e.field, Sentence("{given} was given; it {message}.", given=e.given, message=e.message))
            for e in error.errors
        ]
    if problems:
        raise InvalidInput("; ".join(f"{p.field}: {p.message}" for p in problems), problems)
    sources = {name: asked.sources[name] for name in values}
    return Inputs(segment, values, sources, frozenset(asked.unavailable), asked.currency, as_of)


def _problems(
    segment: str, own: Known | None, facts: Mapping[str, Any], unavailable: Iterable[Any], currency: str
) -> Iterable[FieldProblem]:
    """What the vocabulary does not say: a score needs its scale, money its currency, a source that is down a name."""
    known = own.facts if own else FACTS[segment]
    if facts.get("credit_history_score") is not None and facts.get("credit_history_scale") is None:
        scales = FACTS["individual"]["credit_history_scale"].values
        yield FieldProblem(
            "credit_history_scale",
            Sentence("It was left out; credit_history_score needs one of {scales}.", scales=scales),
        )
    for place, name in enumerate(unavailable):
        if not isinstance(name, str) or name not in known:
            yield FieldProblem(
                f"unavailable[{place}]",
                Sentence("It must name a fact known of this segment ({segment}).", segment=segment),
            )
        elif facts.get(name) is not None:
            yield FieldProblem(
                f"unavailable[{place}]", Sentence("{fact} is given as well; leave it out here, or there.", fact=name)
            )
    if currency not in CURRENCIES:
        yield FieldProblem("currency", Sentence("It must be one of {allowed}.", allowed=CURRENCIES))


def _row(
    models: InService,
    asked: Asked,
    scored: Scored,
    digest: str,
    warnings: Sequence[dict[str, str]],
    *,
    beside: LogRow | None = None,
) -> LogRow:
    """Of the challenger, if it stands beside one."""
    serving, assessment, row_id = scored.serving, scored.assessment, uuid4()
    card, months = serving.scorer, serving.scorer.horizon_months(scored.inputs.facts.get("term_months"))
    return LogRow(
        id=row_id,
        created_at=models.now,
        segment=asked.segment,
        score=assessment.score,
        probability_of_default=assessment.probability_of_default,
        grade=grade(assessment.probability_of_default, months),
        grades_version=GRADES_VERSION,
        horizon_kind=card.horizon["kind"],
        horizon_months=months,
        role=CHALLENGER if beside else CHAMPION,
        beside=beside and beside.id,
        mode=serving.mode,
        mode_reason=serving.reason,
        purpose=serving.purpose,
        model_version=card.version,
        card_id=card.digest,
        base_points=card.base_points,
        reference_score=card.reference_score,
        currency=scored.inputs.currency,
        inputs_digest=digest,
        data_key_id=asked.key.id,
        sealed=asked.key.seal_text(scored.sealed_text(warnings), sealing_context(row_id)),
        actor_id=asked.actor_id,
        branch_id=asked.branch_id,
        cause=f"challenger:{beside.id}" if beside else asked.cause,
        request_id=asked.request_id,
    )


def inputs_digest(card: Scorer, assessment: Assessed, inputs: Inputs) -> str:
    """Equal for two scorings that no reader of the log could tell apart but by their time."""
    return _digest(card, inputs, written_facts(inputs.facts), assessment.bins)


def _digest(card: Scorer, inputs: Inputs, facts: Mapping[str, str], bins: Mapping[str, str]) -> str:
    return blind_index("inputs", digested_text(facts, inputs.unavailable, inputs.currency, card.digest, bins))


def _keep_card(card: Scorer) -> None:
    """An expert card is in no registry."""
    if ModelCard.objects.filter(digest=card.digest).exists():
        return
    text = canonical(card.to_dict())
    kept = ModelCard(digest=card.digest, segment=card.segment, version=card.version, text=text)
    # Another process may be keeping the same card at this moment.
    ModelCard.objects.bulk_create([kept], ignore_conflicts=True)
