"""Many scorings in one transaction, each by the way of one: the same checks, bins, seals and guards."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.db import transaction

from apps.accounts.models import User
from apps.audit.services import new_event
from apps.common.crypto import draw_key, insert_keys
from apps.common.errors import MOST_PROBLEMS, FieldProblem, InvalidInput
from apps.common.facts import Found
from apps.common.inserting import insert_together
from apps.scoring_engine.log_rows import LogRow, insert_log
from apps.scoring_engine.metrics import report_bulk
from apps.scoring_engine.ml.vocabulary import FACTS, shown
from apps.scoring_engine.preparing import Asked, InService, Prepared, hold_models, prepare
from apps.scoring_engine.services import creation_details

CALLER = "caller"
MOST_APPLICANTS = 10_000
MOST_UNAVAILABLE = max(len(facts) for facts in FACTS.values())
Source = Mapping[str, str | bool]
BESIDE_FACTS = ("currency", "unavailable")
Outcome = Prepared | list[FieldProblem]


@transaction.atomic
def score_applicants(
    *, segment: str, applicants: Sequence[Any], actor: User, now: datetime, refuse_all: bool
) -> list[Outcome]:
    """Score and log facts that the caller sent, each applicant under a data key of their own, in the order given.

    A key of their own, because whoever asks to be erased is one of thousands, and an insert-only row goes only with its
    key: one key for the call would be cheaper, and erase either everybody or nobody.

    `applicants`: bodies as of one scoring. Of one that is refused its problems stand in its place, or, when
    `refuse_all`, InvalidInput names row and field, and nothing is written.
    """
    models = hold_models(segment, now)
    cause, source = f"bulk:{uuid4()}", Found(None, CALLER, now).provenance()
    outcomes: list[Outcome] = []
    prepared = (_prepared(models, segment, body, actor, source, cause) for body in applicants)
    insert_log(_rows(prepared, outcomes, refuse_all=refuse_all))
    if refuse_all:
        _refuse_any(outcomes)
    good = [each for each in outcomes if isinstance(each, Prepared)]
    if good:
        _insert_beside(good, actor, refused=len(outcomes) - len(good))
    return outcomes


def _rows(prepared: Iterable[Outcome], outcomes: list[Outcome], *, refuse_all: bool) -> Iterator[LogRow]:
    """Those to write, one applicant's after the other, so that the database takes them while the next is prepared.

    Fills `outcomes`. When all will be refused none follows the first that is: the transaction takes back the others.
    """
    refused = False
    for outcome in prepared:
        outcomes.append(outcome)
        refused = refused or (refuse_all and isinstance(outcome, list))
        if not refused and isinstance(outcome, Prepared):
            yield from outcome.rows


def _prepared(models: InService, segment: str, body: Any, actor: User, source: Source, cause: str) -> Outcome:
    problems = _shape_problems(body)
    if problems:
        return problems
    facts = {name: value for name, value in body.items() if name not in BESIDE_FACTS}
    unavailable, currency = body.get("unavailable", ()), body.get("currency", settings.DEFAULT_CURRENCY)
    sources = dict.fromkeys(facts, source)
    asked = Asked(segment, facts, sources, unavailable, currency, draw_key(), actor.branch_id, actor.id, cause)
    try:
        return prepare(models, asked)
    except InvalidInput as error:
        return error.errors


def _shape_problems(body: Any) -> list[FieldProblem]:
    if not isinstance(body, Mapping):
        return [FieldProblem("", f"An object of facts is needed; {shown(body)} was given.")]
    unavailable = body.get("unavailable", [])
    if not isinstance(unavailable, list) or len(unavailable) > MOST_UNAVAILABLE:
        allowed = f"A list of the names of facts is needed, at most {MOST_UNAVAILABLE} of them"
        return [FieldProblem("unavailable", f"{allowed}; {shown(unavailable)} was given.")]
    return []


def _refuse_any(prepared: Sequence[Outcome]) -> None:
    refused = {place: each for place, each in enumerate(prepared) if isinstance(each, list)}
    problems = [problem for place, each in refused.items() for problem in placed(each, place)]
    if problems:
        detail = f"{len(refused)} of {len(prepared)} applicants are refused, so none is scored."
        raise InvalidInput(detail, problems[:MOST_PROBLEMS])


def placed(problems: Sequence[FieldProblem], place: int) -> list[FieldProblem]:
    """With the place of the applicant in the body before the field."""
    row = f"applicants[{place}]"
    return [FieldProblem(f"{row}.{each.field}" if each.field else row, each.message) for each in problems]


def _insert_beside(prepared: Sequence[Prepared], actor: User, *, refused: int) -> None:
    """The keys of the rows, and one audit event for all: it names the first, and the cause that finds the others."""
    rows = [each.row for each in prepared]
    insert_keys([each.key for each in prepared])
    details = creation_details(rows[0]) | {"rows": len(rows), "refused": refused}
    subject = rows[0].as_prediction()
    insert_together(new_event(actor=actor, action="prediction.create_bulk", subject=subject, details=details))
    transaction.on_commit(partial(report_bulk, rows))
