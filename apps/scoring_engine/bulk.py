"""Many scorings in one transaction, each by the way of one: the same checks, bins, seals and guards."""

from collections.abc import Mapping, Sequence
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
from apps.scoring_engine.log_rows import insert_log
from apps.scoring_engine.metrics import report_bulk
from apps.scoring_engine.ml.vocabulary import FACTS
from apps.scoring_engine.preparing import Asked, InService, Prepared, hold_models, prepare
from apps.scoring_engine.services import creation_details

CALLER = "caller"
MOST_APPLICANTS = 10_000
Source = Mapping[str, str | bool]
BESIDE_FACTS = ("currency", "unavailable")
Outcome = Prepared | list[FieldProblem]


@transaction.atomic
def score_applicants(
    *, segment: str, applicants: Sequence[Any], actor: User, now: datetime, refuse_all: bool
) -> list[Outcome]:
    """Score and log facts that the caller sent, each applicant under a data key of their own, in the order given.

    `applicants`: bodies as of one scoring. Of one that is refused its problems stand in its place, or, when
    `refuse_all`, InvalidInput names row and field, and nothing is written.
    """
    models = hold_models(segment, now)
    cause, source = f"bulk:{uuid4()}", Found(None, CALLER, now).provenance()
    prepared = [_prepared(models, segment, body, actor, source, cause) for body in applicants]
    if refuse_all:
        _refuse_any(prepared)
    good = [each for each in prepared if isinstance(each, Prepared)]
    if good:
        _insert(good, actor, refused=len(prepared) - len(good))
    return prepared


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
        return [FieldProblem("", f"An object of facts is needed; a {type(body).__name__} was given.")]
    unavailable, most = body.get("unavailable", []), max(len(facts) for facts in FACTS.values())
    if not isinstance(unavailable, list) or len(unavailable) > most:
        return [FieldProblem("unavailable", f"A list of the names of facts is needed, at most {most} of them.")]
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


def _insert(prepared: Sequence[Prepared], actor: User, *, refused: int) -> None:
    """One audit event for all of them: it names the first row, and the cause that finds the others."""
    rows = [each.row for each in prepared]
    insert_keys([each.key for each in prepared])
    insert_log(row for each in prepared for row in each.rows)
    details = creation_details(rows[0]) | {"rows": len(rows), "refused": refused}
    subject = rows[0].as_prediction()
    insert_together(new_event(actor=actor, action="prediction.create_bulk", subject=subject, details=details))
    transaction.on_commit(partial(report_bulk, rows))
