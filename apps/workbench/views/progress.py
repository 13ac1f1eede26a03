"""What became of asking the registers about a request that was just submitted, and the score as it stands."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy

from apps.accounts.permissions import OFFICERS
from apps.common.models import Job
from apps.credit_requests.models import CreditRequest
from apps.external_integrations.clients import is_asked
from apps.external_integrations.consents import ASKING
from apps.external_integrations.keeping_fresh import task_of
from apps.external_integrations.models import ExternalRecord
from apps.scoring_engine.services import render
from apps.workbench.applicants import name_applicant
from apps.workbench.screen import Screen
from apps.workbench.views.credit_request import find_request, title_of

ANSWERED, UNKNOWN, ASKED, WAITING, DOWN, NOT_ASKED, NO_CONSENT = (
    "answered",
    "unknown",
    "asked",
    "waiting",
    "down",
    "not_asked",
    "no_consent",
)
GOING_ON = (ASKED, WAITING)
RESCORING = "rescore_requests_of_record"
ACTIVE = (Job.State.QUEUED, Job.State.RUNNING)


@dataclass(frozen=True, slots=True)
class Step:
    """at: when the source answered, or, of one that is down, when it is asked again."""

    source: str
    state: str
    at: datetime | None = None


class RequestProgress(Screen):
    """Looked at anew by htmx every two seconds while an answer is on its way; a plain page otherwise."""

    roles = OFFICERS
    template = "workbench/progress.html"
    title = gettext_lazy("Records and score")

    def get(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        found, now = find_request(request.user, pk), timezone.now()
        steps, is_rescoring = steps_of(found, now)
        named = name_applicant(found)
        return self.show(
            request_shown=found,
            name=title_of(named),
            steps=steps,
            is_going_on=is_rescoring or any(step.state in GOING_ON for step in steps),
            is_rescoring=is_rescoring,
            scoring=render(found.prediction, self.language),
            now=now,
        )


def steps_of(credit_request: CreditRequest, now: datetime) -> tuple[list[Step], bool]:
    """What is known of each source, and whether an answer is still to be scored."""
    records = list(credit_request.external_records.order_by("source", "id"))
    jobs = _jobs(credit_request, records)
    asked = {job.arguments["record_id"]: job for job in jobs if job.name != RESCORING and "record_id" in job.arguments}
    steps = [_step(record, asked.get(str(record.id)), now) for record in records]
    tied = {record.source for record in records}
    steps += [Step(source, NO_CONSENT) for source in _without_consent(credit_request, tied)]
    is_rescoring = any(job.name == RESCORING for job in jobs)
    return sorted(steps, key=lambda step: step.source), is_rescoring


def _jobs(credit_request: CreditRequest, records: list[ExternalRecord]) -> list[Job]:
    names = {task_of(record.source) for record in records} | {RESCORING}
    of_records = Q(name__in=names, arguments__record_id__in=[str(record.id) for record in records])
    return list(Job.objects.filter(of_records, state__in=ACTIVE).order_by("created_at"))


def _step(record: ExternalRecord, job: Job | None, now: datetime) -> Step:
    if job is not None and job.state == Job.State.RUNNING:
        return Step(record.source, ASKED)
    if job is not None:
        # Put off after it failed, or because nobody is asked for the time being.
        is_put_off = job.error and job.due_at > now
        return Step(record.source, DOWN, job.due_at) if is_put_off else Step(record.source, WAITING)
    if record.checked_at is None:
        return Step(record.source, NOT_ASKED)
    return Step(record.source, UNKNOWN if record.current_id is None else ANSWERED, record.checked_at)


def _without_consent(credit_request: CreditRequest, tied: set[str]) -> list[str]:
    if credit_request.individual_id is None:
        return []
    return [source for source in ASKING if is_asked(source) and source not in tied]
