"""Recorded decisions asked again of the policy that made them, and compared: "why was this person declined?"

Nothing of today's profiles, records or settings is read: the facts and the assessment as they were sealed with the
decision, the text of its policy, and the day it was made.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from apps.accounts.models import User
from apps.audit.services import record_event
from apps.common.crypto import DataErased, InvalidTag
from apps.common.sentences import Sentence
from apps.credit_requests.deciding import within_product
from apps.credit_requests.models import Decision
from apps.policies.engine import Assessment, Outcome, decide
from apps.policies.models import PolicyVersion
from apps.policies.policy import Policy, PolicyError, Problem
from apps.policies.services import policy_of

SAME, DIFFERENT, ERASED, UNREADABLE = RESULTS = ("same", "different", "erased", "unreadable")
SEALED_ANEW = Sentence("what is sealed was changed, or belongs to another row")
ROWS_AT_ONCE = 500
RECORDED = ("policy_outcome", "annual_probability_of_default", "loss_given_default", "expected_loss")


@dataclass(frozen=True, slots=True)
class Replay:
    """result: one of RESULTS; differing: names of what is not as recorded, without any fact of a person."""

    row: Decision
    result: str
    differing: tuple[str, ...] = ()
    why: str = ""


def recorded_decisions(*, since: datetime, until: datetime | None = None) -> QuerySet[Decision]:
    """Those that a policy made, or people after a policy had spoken; oldest first."""
    rows = _of_policies().filter(created_at__gte=since)
    return rows.filter(created_at__lt=until) if until else rows


def recorded_decision(decision_id: UUID) -> QuerySet[Decision]:
    """That one; none if no policy has spoken."""
    return _of_policies().filter(id=decision_id)


def _of_policies() -> QuerySet[Decision]:
    rows = Decision.objects.exclude(policy=None).select_related("policy", "data_key", "credit_request__product")
    return rows.order_by("created_at", "id")


def record_replay(*, rows: QuerySet[Decision], actor: User | None) -> int:
    """Their number, told to the audit trail before the first of them is opened."""
    number, first = rows.count(), rows.first()
    if first is None:
        return 0
    with transaction.atomic():
        details = {"rows": number, "from": first.created_at.isoformat()}
        record_event(actor=actor, action="decision.replay", subject=first, details=details)
    return number


def replay_decisions(rows: QuerySet[Decision]) -> Iterator[Replay]:
    """One by one, however many."""
    for row in rows.iterator(chunk_size=ROWS_AT_ONCE):
        try:
            differing = tuple(_differing(row, row.opened(), _policy(row.policy)))
        except DataErased:
            yield Replay(row, ERASED)
        except InvalidTag:
            yield Replay(row, UNREADABLE, why=SEALED_ANEW)
        except PolicyError as error:
            yield Replay(
                row,
                UNREADABLE,
                why=Sentence(
                    "{policy}: {error}", policy=str(row.policy), error=[each.message for each in error.problems]
                ),
            )
        else:
            yield Replay(row, DIFFERENT if differing else SAME, differing)


def _policy(version: PolicyVersion) -> Policy:
    if hashlib.sha256(version.text.encode()).hexdigest() != version.digest:
        raise PolicyError([Problem("text", Sentence("it is not the one that was published"))])
    return policy_of(version)


def _differing(row: Decision, sealed: dict[str, Any], policy: Policy) -> Iterator[str]:
    spoken = decide(sealed["facts"], _assessment(sealed["assessment"]), policy, row.on_date)
    # A product's terms never change.
    found = within_product(row.credit_request.product, spoken)
    yield from (name for name in RECORDED if getattr(row, name) != getattr(found, name))
    if row.is_barred != bool(found.bars):
        yield "is_barred"
    # As text: 1, 1.0 and true are equal in Python and are not the same bits.
    if _text(sealed["trace"]) != _text([step._asdict() for step in found.trace]):
        yield "trace"
    if row.kind == "policy":
        yield from _differing_of_policy(row, found)


def _differing_of_policy(row: Decision, found: Outcome) -> Iterator[str]:
    """What people decided is theirs; what the policy decided is its own."""
    if row.outcome != found.outcome:
        yield "outcome"
    if row.reasons != list(found.reasons):
        yield "reasons"
    if row.amount is not None and found.terms is not None:
        names = ("amount", "term_months", "annual_rate_basis_points", "instalment")
        yield from (name for name in names if getattr(row, name) != getattr(found.terms, name))


def _assessment(sealed: dict[str, Any] | None) -> Assessment | None:
    return None if sealed is None else Assessment(**sealed | {"bars": tuple(sealed["bars"])})


def _text(trace: Any) -> str:
    return json.dumps(trace, sort_keys=True)
