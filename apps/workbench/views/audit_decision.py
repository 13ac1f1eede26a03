"""One decision as it was made: reasons, policy rule by rule, records as of then; and both worked out anew."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy

from apps.accounts.models import User
from apps.credit_requests import decision_replay
from apps.credit_requests.api_records import present_known
from apps.credit_requests.decision_presentation import render_decision_record
from apps.credit_requests.models import CreditRequest, Decision
from apps.credit_requests.request_records import read_records
from apps.scoring_engine import replay
from apps.scoring_engine.models import PredictionLog
from apps.scoring_engine.services import render
from apps.workbench.applicants import name_applicant
from apps.workbench.audit_words import COMPARED
from apps.workbench.request_parts.reasons import waterfall_of
from apps.workbench.request_parts.records import tell_records
from apps.workbench.request_parts.rules import told_then
from apps.workbench.screen import Screen
from apps.workbench.views.audit import AUDITORS
from apps.workbench.views.credit_request import title_of


class AuditedDecision(Screen):
    roles = AUDITORS
    template = "workbench/audit_decision.html"

    def get(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        decision = find_decision(request.user, pk)
        found = CreditRequest.objects.with_everything().get(id=decision.credit_request_id)
        known = read_records(credit_request=found, actor=request.user, now=timezone.now(), decision=decision)
        records = present_known(found, known, self.language)
        scoring = decision.prediction and render(decision.prediction, self.language)
        return self.show(
            title=title_of(name_applicant(found)),
            request_shown=found,
            row=decision,
            decision=render_decision_record(decision, self.language),
            policy_told=told_then(decision, found.currency, self.language),
            scoring=scoring,
            waterfall=scoring and waterfall_of(decision.prediction, scoring, self.language),
            records=records,
            records_told=tell_records(records),
            of_decision=decision,
            decided=list(found.decisions.order_by("number").values_list("number", flat=True)),
        )


class ReplayPrediction(Screen):
    """Worked out again from the log and the registry alone; that somebody did is an event of its own."""

    roles = AUDITORS
    template = "workbench/audit_replay.html"
    title = gettext_lazy("Replay of a scoring")

    def post(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        rows = PredictionLog.objects.filter(id=pk).select_related("data_key")
        if not replay.record_replay(rows=rows, actor=request.user):
            raise Http404
        found = next(replay.replay(rows))
        return self.show(replayed=found, lines=lines_of(found), decisions=Decision.objects.filter(prediction=pk))


class ReplayDecision(Screen):
    """Asked again of the text of its policy, on the facts that were sealed with it."""

    roles = AUDITORS
    template = "workbench/audit_replay_decision.html"
    title = gettext_lazy("Replay of a decision")

    def post(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        find_decision(request.user, pk)
        rows = decision_replay.recorded_decision(pk)
        if not decision_replay.record_replay(rows=rows, actor=request.user):
            raise Http404
        return self.show(replayed=next(decision_replay.replay_decisions(rows)))


def find_decision(user: User, pk: UUID) -> Decision:
    visible = CreditRequest.objects.visible_to(user)
    rows = Decision.objects.with_everything().select_related("credit_request", "prediction__data_key", "made_by")
    found = rows.filter(id=pk, credit_request__in=visible).first()
    if found is None:
        raise Http404
    return found


def lines_of(found: replay.Replay) -> list[dict[str, Any]]:
    """What, as logged, as worked out now. Of what cannot be worked out, nothing stands beside what was logged."""
    differing = {name: (then, now) for name, then, now in found.differing}
    is_known = found.result in (replay.SAME, replay.DIFFERENT)
    lines = []
    for name, label in COMPARED.items():
        if name == "grade" and found.of_older_grades:
            continue
        then = getattr(found.row, name)
        then = then.hex() if isinstance(then, float) else then
        now = differing.pop(name, (then, then))[1] if is_known else None
        lines.append({"label": label, "then": then, "now": now, "is_same": is_known and then == now})
    # What is sealed is told by name alone: its values are a person's.
    return lines + [{"label": name, "then": None, "now": None, "is_same": False} for name in differing]
