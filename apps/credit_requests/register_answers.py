"""What a person read in a register that has no client yet: part of what the policy is asked with."""

from datetime import datetime, timedelta

from django.db import transaction

from apps.accounts.models import User
from apps.audit.services import record_event
from apps.common.crypto import seal
from apps.common.sentences import Sentence
from apps.credit_requests import transitions
from apps.credit_requests.models import CreditRequest, RegisterAnswer
from apps.credit_requests.rescoring import check_not_erased, lock_request
from apps.credit_requests.staff_links import check_may_speak


@transaction.atomic
def record_register_answer(
    *, credit_request: CreditRequest, register: str, is_listed: bool, actor: User, now: datetime
) -> RegisterAnswer:
    """`register`: one of REGISTERS. What it said is sealed; the audit event tells only that it was asked."""
    held = lock_request(credit_request.id)
    transitions.check_undecided(held.status, Sentence("an answer of a register"))
    check_may_speak(held, actor, service=True)
    check_not_erased(held.applicant)
    answer = RegisterAnswer(credit_request=held, register=register, answered_by=actor)
    answer.created_at = _after_the_last(held, register, now)
    answer.data_key = held.applicant.data_key
    answer.sealed = seal(answer.data_key, {"is_listed": is_listed}, f"register_answer:{answer.id}")
    answer.save(force_insert=True)
    details = {"register": register, "answer": str(answer.id)}
    record_event(actor=actor, action="credit_request.register_answer", subject=held, details=details)
    return answer


def fresh_answer(credit_request: CreditRequest, register: str, *, days: int, now: datetime) -> bool | None:
    """Whether the applicant is listed, by the newest answer of at most `days` ago; None when there is none."""
    answers = credit_request.register_answers.filter(register=register, created_at__gte=now - timedelta(days=days))
    newest = answers.select_related("data_key").order_by("-created_at").first()
    return newest and newest.opened()["is_listed"]


def _after_the_last(credit_request: CreditRequest, register: str, now: datetime) -> datetime:
    last = credit_request.register_answers.filter(register=register).order_by("-created_at").first()
    return max(now, last.created_at + timedelta(microseconds=1)) if last else now
