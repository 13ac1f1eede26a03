"""manage.py load_demo_upload: a file of invented applicants, scored, so that the demo has one to look at."""

from contextlib import closing
from random import Random
from typing import Any

from django.core.management.base import BaseCommand
from django.db import transaction
from django.utils import timezone

from apps.accounts.models import User
from apps.common import background
from apps.portfolio import uploads
from apps.portfolio.models import Upload
from apps.portfolio.sealed_files import SealedSpool

SEED, ROWS, BAD_EVERY = 20_110_104, 240, 24
NAME = "namuna-arizachilar.csv"
HEAD = "Ariza raqami;F.I.Sh.;Soʻralgan summa;Muddat;Yillik daromad;Qarz"


class Command(BaseCommand):
    help = "Upload and score an invented file as demo-officer; `demo` calls it once."

    def handle(self, **options: Any) -> None:
        officer = User.objects.get(username="demo-officer")
        with transaction.atomic():
            upload = _received(officer)
            mapping = uploads.read_document(upload)["mapping"]
            uploads.map_columns(upload_id=upload.id, mapping=mapping, scale=1, actor=officer)
            uploads.start_upload(upload_id=upload.id, actor=officer, now=timezone.now())
        background.work_due_jobs()


def _received(officer: User) -> Upload:
    with closing(SealedSpool()) as spool:
        spool.write("\n".join([HEAD, *_lines()]).encode())
        return uploads.receive_upload(spool=spool, name=NAME, segment="individual", actor=officer, now=timezone.now())


def _lines() -> list[str]:
    """Some amounts are in words, as people type them: their rows are refused."""
    rng = Random(SEED)  # noqa: S311
    return [
        f"N-{number};Namuna {number};{_amount(rng, number)};{rng.choice((12, 24, 36, 48))};"
        f"{rng.randrange(20, 240)}000000;{rng.randrange(0, 60)}000000"
        for number in range(1, ROWS + 1)
    ]


def _amount(rng: Random, number: int) -> str:
    amount = f"{rng.randrange(3, 90)}000000"
    return "besh mln" if number % BAD_EVERY == 0 else amount
