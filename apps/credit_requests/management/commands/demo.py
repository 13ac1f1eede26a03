"""manage.py demo: the system at work on invented data, started by one command."""

import logging
import os
from argparse import ArgumentParser
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from apps.accounts.models import Branch, User
from apps.audit.models import AuditEvent
from apps.common.commands import progress_bar, refusals_told
from apps.credit_requests.demo import serving
from apps.credit_requests.demo.decisions import Staff, load_decisions, request_to_show
from apps.credit_requests.demo.portfolio import load_portfolio
from apps.credit_requests.demo.users import SignIns, ensure_demo_users
from apps.credit_requests.demo.visits import began
from apps.policies.services import register_shipped_policies
from apps.scoring_engine.ml.risk_model import ModelFileError
from apps.scoring_engine.models import ModelVersion
from apps.scoring_engine.registration import register_shipped_models

GUIDE = """
credit_ML is at work:
  the workbench        {address}/ (sign in as one of the people below)
  API, to try by hand  {address}/api/docs/
  ready or not         {address}/readyz
  logs                 {logs}

Demo sign-ins (kept in {file}):
{people}

Score an applicant over the API:
  curl -s {address}/api/score/individual/ \\
    -H "Authorization: Token {token}" -H "Content-Type: application/json" \\
    -d '{{"yearly_income": 84000000, "existing_debt": 12000000, "requested_amount": 20000000, "term_months": 24}}'

What was decided of one of the requests, step by step, and the letter that its applicant gets:
  curl -s {address}/api/credit-requests/{request}/history/ -H "Authorization: Token {token}"
  curl -s "{address}/api/credit-requests/{request}/letter/?language=uz" -H "Authorization: Token {token}" > letter.html

Score one in Python, without server or database:
  {python} -c "from apps.scoring_engine.ml.risk_model import predict_individual_risk; \
print(predict_individual_risk({{'yearly_income': 50000, 'existing_debt': 5000, 'requested_amount': 10000, \
'credit_history_score': 650}}))"

Ctrl-C stops all of it.
"""
DECIDED = (
    "Of the requests {approved} are approved, {rejected} rejected, {referred} referred to people, {pending} pending. "
    "The shipped models are demonstrations, so the policy refers whatever no knock-out declines."
)


class Command(BaseCommand):
    help = "Migrate, load the demo portfolio once, and run web, worker and beat until Ctrl-C."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=int(os.environ.get("PORT", "8000")))
        parser.add_argument("--no-serve", action="store_true", help="only migrate and load")

    def handle(self, *, port: int, no_serve: bool, **options: Any) -> None:
        _refuse_production()
        if not no_serve and not serving.port_is_free(port):
            raise CommandError(f"Port {port} is taken. Choose another: PORT=8001 make run, or demo --port 8001.")
        sign_ins = self._load()
        if not no_serve:
            self._serve(port, sign_ins)

    def _load(self) -> SignIns:
        call_command("migrate", interactive=False, verbosity=0, database=_owner())
        _register(timezone.now())
        self.stdout.write("Loading the demo portfolio, unless it is there ...")
        with _without_log_lines(), progress_bar() as show:
            counts = load_portfolio(now=timezone.now(), show=show)
        self.stdout.write("There are {people} people, {companies} companies, {requests} requests.".format(**counts))
        branch = Branch.objects.get(code="tashkent")
        sign_ins = ensure_demo_users(path=_sign_in_file(), branch=branch, now=timezone.now())
        with _without_log_lines(), progress_bar() as show:
            decided = load_decisions(staff=_staff(), now=timezone.now(), show=show)
        self.stdout.write(DECIDED.format(**decided))
        # By name: they stand in a room above.
        if not AuditEvent.objects.filter(action="monitoring.count").exists():
            call_command("update_monitoring", verbosity=0)
        if not AuditEvent.objects.filter(action="upload.receive").exists():
            with _without_log_lines():
                call_command("load_demo_upload")
        return sign_ins

    def _serve(self, port: int, sign_ins: SignIns) -> None:
        data = settings.DATA_DIR
        try:
            with (
                serving.terminate_as_interrupt(),
                serving.running(base=settings.BASE_DIR, data=data, port=port) as children,
            ):
                serving.wait_until_ready(children, data=data, port=port)
                self.stdout.write(_guide(port, sign_ins))
                self.stdout.flush()
                serving.watch(children, data=data)
        except KeyboardInterrupt:
            self.stdout.write("\nStopped.")
        except (serving.ChildEnded, TimeoutError) as error:
            raise CommandError(str(error)) from None


def _register(now: datetime) -> None:
    """The shipped models and policies, in service since before the first applicant of the demo came."""
    since = now if ModelVersion.objects.exists() else began(now)
    try:
        with refusals_told():
            register_shipped_models(now=since)
            register_shipped_policies(now=since)
    except ModelFileError as error:
        raise CommandError(f"The shipped models are not registered: {error}.") from None


def _refuse_production() -> None:
    """Invented people do not belong among real ones, nor their numbers into real registries."""
    if settings.PRODUCTION:
        raise CommandError("ENVIRONMENT is production; the demo is for a local installation.")
    for name, source in settings.EXTERNAL_SOURCES.items():
        if source["client"] != "mock":
            raise CommandError(f"{name.upper()}_CLIENT is {source['client']}; the demo asks only mocks.")


@contextmanager
def _without_log_lines() -> Iterator[None]:
    """Each scoring writes a line or two; 400 of them would bury what a newcomer is to read."""
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


def _staff() -> Staff:
    return Staff(*(User.objects.get(username=name) for name in ("demo-officer", "demo-approver")))


def _owner() -> str:
    return "owner" if "owner" in settings.DATABASES else "default"


def _sign_in_file() -> Path:
    return settings.DATA_DIR / "demo_users.txt"


def _guide(port: int, sign_ins: SignIns) -> str:
    return GUIDE.format(
        address=f"http://127.0.0.1:{port}",
        logs=settings.DATA_DIR / "logs",
        file=_sign_in_file(),
        people="\n".join(f"  {name:20} {password}" for name, password in sign_ins.passwords.items()),
        token=sign_ins.token,
        request=request_to_show().id,
        python=os.path.join(".venv", "Scripts" if os.name == "nt" else "bin", "python"),
    )
