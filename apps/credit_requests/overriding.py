"""People decide: at once, or, against the policy and above an amount, under two pairs of eyes.

Whatever a person decides is weighed against what the policy says at that moment, again when a second person confirms.
"""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from apps.accounts.models import Role, User
from apps.audit.services import record_event
from apps.common.crypto import seal
from apps.common.errors import Conflict, NotPermitted
from apps.common.sentences import Sentence
from apps.credit_requests import transitions
from apps.credit_requests.deciding import (
    Judgement,
    bring_up_to_date,
    check_said,
    hold,
    record_decision,
)
from apps.credit_requests.models import CreditRequest, Decision, Override
from apps.credit_requests.models.decisions import (
    APPROVE,
    CONFIRMED,
    DECLINE,
    EXPIRED,
    PERSON,
    REFER,
    REFUSED,
    WAITING,
)
from apps.credit_requests.rescoring import lock_request
from apps.credit_requests.staff_links import check_may_speak, hindrance
from apps.credit_requests.weighing import BY_AMOUNT, Weighed, Wish, weigh
from apps.policies.engine import Terms


@transaction.atomic
def decide_by_person(
    *,
    credit_request: CreditRequest,
    version: int,
    prediction_id: UUID,
    outcome: str,
    terms: dict[str, int] | None,
    reason_code: str,
    comment: str,
    actor: User,
    now: datetime,
) -> Decision | Override:
    """A referred request: decided, or waiting for its second person. `prediction_id`: the assessment that was seen.

    `terms`: amount, term_months, where less is offered than was asked for; the rate is what the policy says for them.
    """
    wish = Wish(outcome, **(terms or {}), reason_code=reason_code, comment=comment)
    held = hold(credit_request, version)
    transitions.check_move(action=outcome, source=held.status, actor=actor)
    check_may_speak(held, actor)
    check_said({"comment": comment})
    _check_nothing_waits(held, now)
    _check_seen(held, prediction_id, actor, now)
    weighed = weigh(held, wish, now)
    if weighed.second_person_for:
        return _propose(held, wish, weighed, actor, now)
    override = _open(held, wish, weighed, actor, now) if weighed.direction else None
    return _decide(held, wish, weighed, override, maker=actor, now=now)


@transaction.atomic
def confirm_override(*, override: Override, comment: str, actor: User, now: datetime) -> Decision:
    """The second person agrees, while all is as the first one saw it."""
    held, override = _hold_waiting(override, actor, now)
    transitions.check_move(action=override.outcome, source=held.status, actor=actor)
    _check_still_theirs(held, override.requested_by)
    _check_seen(held, override.prediction_id, actor, now)
    wish = _wish_of(override)
    weighed = weigh(held, wish, now)
    _check_unchanged(override, weighed)
    _close(override, CONFIRMED, comment, actor, now)
    return _decide(held, wish, weighed, override, maker=override.requested_by, checker=actor, now=now)


@transaction.atomic
def refuse_override(*, override: Override, comment: str, actor: User, now: datetime) -> Override:
    """The request stays referred; people may decide otherwise."""
    held, override = _hold_waiting(override, actor, now)
    check_said({"comment": comment})
    _close(override, REFUSED, comment, actor, now)
    _touch(held)
    return override


def expire_overrides(now: datetime) -> dict[str, int]:
    """Close the overrides that nobody confirmed in time, each in a transaction of its own."""
    counts = {"expired": 0}
    for override_id in list(Override.objects.past_their_time(now).values_list("id", flat=True)):
        with transaction.atomic():
            override = Override.objects.select_for_update().filter(id=override_id, state=WAITING).first()
            if override is not None:
                _close(override, EXPIRED, "", None, now)
                counts["expired"] += 1
    return counts


def _check_seen(held: CreditRequest, prediction_id: UUID | None, actor: User, now: datetime) -> None:
    """Whoever decides has seen the assessment as it would be now."""
    bring_up_to_date(held, actor, now)
    if held.prediction_id != prediction_id:
        raise Conflict(
            Sentence(
                "The assessment that was looked at is no longer current: what is known of the request has"
                " changed since. Ask for a rescoring, read the request again, and decide on that."
            )
        )


def _check_still_theirs(held: CreditRequest, asked_by: User) -> None:
    why = hindrance(held, asked_by) or (
        "" if asked_by.role in transitions.DECIDERS else Sentence("their role is another now.")
    )
    if why:
        raise Conflict(
            Sentence(
                "{username}, who asked for it, may no longer decide: {why} Refuse the override.",
                username=asked_by.username,
                why=why,
            )
        )


def _check_unchanged(override: Override, weighed: Weighed) -> None:
    """The rate, too, is what was asked for."""
    said = weighed.evaluation.outcome
    rate = override.annual_rate_basis_points
    now = said.terms.annual_rate_basis_points if override.outcome == APPROVE else rate
    if (weighed.direction, now) != (override.direction, rate):
        raise Conflict(
            Sentence(
                "The policy now says {outcome} at {rate} basis points, which it did not when this was "
                "asked for. Refuse it; the officer may ask anew.",
                outcome=said.policy_outcome,
                rate=now,
            )
        )


# --- Rows -----------------------------------------------------------------------------------------------------


def _propose(held: CreditRequest, wish: Wish, weighed: Weighed, actor: User, now: datetime) -> Override:
    override = _open(held, wish, weighed, actor, now)
    _touch(held)
    return override


def _open(held: CreditRequest, wish: Wish, weighed: Weighed, actor: User, now: datetime) -> Override:
    """Waiting, or confirmed at once where the policy lets one person overrule it."""
    alone = not weighed.second_person_for
    terms = weighed.evaluation.outcome.terms if wish.outcome == APPROVE else _asked_terms(held)
    override = Override(
        credit_request=held,
        against=held.decisions.newest().get(),
        prediction=held.prediction,
        outcome=wish.outcome,
        direction=weighed.direction,
        reason_code=wish.reason_code or BY_AMOUNT,
        amount=terms.amount,
        term_months=terms.term_months,
        annual_rate_basis_points=terms.annual_rate_basis_points,
        second_person_for=weighed.second_person_for,
        needs_second_person=not alone,
        data_key=held.applicant.data_key,
        state=CONFIRMED if alone else WAITING,
        requested_by=actor,
        requested_at=now,
        expires_at=now + timedelta(days=weighed.evaluation.policy.people.override_days),
        closed_at=now if alone else None,
    )
    override.sealed = seal(override.data_key, {"comment": wish.comment}, f"override:{override.id}")
    override.save(force_insert=True)
    details = {
        "credit_request": str(held.id),
        "outcome": override.outcome,
        "direction": override.direction,
        "reason_code": override.reason_code,
        "second_person_for": override.second_person_for,
    }
    record_event(actor=actor, action="override.request", subject=override, details=details)
    return override


def _asked_terms(held: CreditRequest) -> Terms:
    """What a decline turns down."""
    rate = held.product.annual_rate_basis_points
    return Terms(held.requested_amount, held.term_months, rate, instalment=None, capped_by=())


def _decide(
    held: CreditRequest,
    wish: Wish,
    weighed: Weighed,
    override: Override | None,
    *,
    maker: User,
    checker: User | None = None,
    now: datetime,
) -> Decision:
    """A decline names the rules that ask for it, or else those that had it referred."""
    evaluation = weighed.evaluation
    against = evaluation.asking_for(DECLINE) or evaluation.asking_for(REFER)
    judgement = Judgement(
        PERSON,
        wish.outcome,
        wish.comment,
        reasons=() if wish.outcome == APPROVE else tuple(against),
        direction=weighed.direction,
        reason_code=wish.reason_code,
        maker=maker,
        checker=checker,
        override=override,
    )
    return record_decision(held, judgement, evaluation, now=now)


def _wish_of(override: Override) -> Wish:
    """Of an override that waits. A decline was of what was asked for."""
    approved = override.outcome == APPROVE
    return Wish(
        override.outcome,
        amount=override.amount if approved else None,
        term_months=override.term_months if approved else None,
        reason_code="" if override.reason_code == BY_AMOUNT else override.reason_code,
        comment=override.opened()["comment"],
    )


def _hold_waiting(override: Override, actor: User, now: datetime) -> tuple[CreditRequest, Override]:
    """The request first, as whoever decides holds it, then the override; `actor` may be its second person."""
    held = lock_request(override.credit_request_id)
    override = (
        Override.objects.select_for_update(of=("self",)).select_related("data_key", "requested_by").get(id=override.id)
    )
    if override.state != WAITING or override.expires_at < now:
        state = Sentence("past its time") if override.state == WAITING else override.state
        raise Conflict(
            Sentence(
                "The override is {override_state}; it cannot be confirmed or refused any more.", override_state=state
            )
        )
    if actor.role != Role.APPROVER:
        raise NotPermitted(Sentence("The role {role} may not close an override; an approver has to.", role=actor.role))
    if actor.id == override.requested_by_id:
        raise NotPermitted(Sentence("The second person is somebody other than who asked for the override."))
    check_may_speak(held, actor)
    return held, override


def _check_nothing_waits(held: CreditRequest, now: datetime) -> None:
    waiting = held.overrides.waiting().first()
    if waiting is None:
        return
    if waiting.expires_at >= now:
        raise Conflict(
            Sentence("An override of this request waits for its second person; it has to be confirmed or refused.")
        )
    _close(waiting, EXPIRED, "", None, now)


def close_waiting(held: CreditRequest, now: datetime) -> None:
    """Of a request that is withdrawn: there is nothing left to confirm."""
    for override in held.overrides.waiting().select_for_update():
        _close(override, EXPIRED, "", None, now)


VERBS = {CONFIRMED: "confirm", REFUSED: "refuse", EXPIRED: "expire"}


def _close(override: Override, state: str, comment: str, actor: User | None, now: datetime) -> None:
    override.state, override.closed_by, override.closed_at = state, actor, now
    if comment:
        override.closing = seal(override.data_key, {"comment": comment}, override.closing_context)
    override.save(update_fields=["state", "closed_by", "closed_at", "closing"])
    details = {"credit_request": str(override.credit_request_id), "state": state}
    record_event(actor=actor, action=f"override.{VERBS[state]}", subject=override, details=details)


def _touch(held: CreditRequest) -> None:
    """Whoever read the request before has to read it again."""
    held.version += 1
    held.save(update_fields=["version", "updated_at"])
