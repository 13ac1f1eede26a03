"""A file of applicants whose worker is killed twice: each row is scored once, and none of it lies in clear."""

import csv
import io
import re

import httpx
import pytest

from tests.faults.canaries import seen
from tests.installation import Installation, wait_for

ROWS, KILLED_AT = 9_000, (1_000, 4_000)
NAME, PINFL, PASSWORD = "Qizilqanot", "40506879770000", "upload-Password-55"
HEAD = "Ariza raqami;F.I.Sh.;ЖШШИР;Сумма кредита;Muddat\n"
WORK = "from apps.common import background; background.work_due_jobs()"
# The minutes of silence after which a job is taken from its worker, and those before it is tried again, are over.
PASS_TIME = """
from datetime import timedelta
from django.utils import timezone
from apps.common import background
now = timezone.now()
background.Job.objects.filter(state="running").update(heartbeat_at=now - timedelta(hours=1))
background.sweep(now)
background.hasten("score_upload")
"""


def applicants() -> bytes:
    """Each fifth row is refused, with what it holds told on the page."""
    lines = (
        f"{NAME}-{n};{NAME} {n};{int(PINFL) + n};{'?' + NAME if n % 5 == 0 else 1_000_000 + n};12\n"
        for n in range(1, ROWS + 1)
    )
    return (HEAD + "".join(lines)).encode("cp1251")


@pytest.fixture
def installation(tmp_path):
    (tmp_path / "tmp").mkdir()
    made = Installation(tmp_path, TMPDIR=str(tmp_path / "tmp"))
    made.manage("migrate", "--verbosity=0")
    made.manage("register_shipped_models")
    made.manage("create_branch", "main", "Main")
    made.manage("create_user", "officer", "--role=officer", "--branch=main", typed=f"{PASSWORD}\n")
    yield made
    made.remove()


class Officer:
    """Somebody at a browser."""

    def __init__(self, address: str) -> None:
        self.browser = httpx.Client(base_url=address, timeout=60, follow_redirects=True)
        self.browser.get("/sign-in/")
        self.post("/sign-in/", {"username": "officer", "password": PASSWORD})

    def post(self, address: str, form: dict[str, str], **files: tuple[str, bytes]) -> httpx.Response:
        token = {"csrfmiddlewaretoken": self.browser.cookies["csrftoken"]}
        reply = self.browser.post(address, data=token | form, files=files or None)
        assert reply.status_code == 200, reply.text
        return reply


def test_a_file_that_breaks_off_is_told_and_leaves_nothing_in_clear(installation):
    broken = applicants().replace(f"{NAME}-1500;".encode(), f'"{NAME}"x;'.encode())
    with installation.web():
        installation.wait_until_ready()
        officer = Officer(installation.address)
        page = officer.post("/upload/receive/", {"segment": "individual"}, file=(f"{NAME}.csv", broken))
        own = re.search(r"/upload/[0-9a-f-]{36}/", str(page.url))[0]
        officer.post(f"{own}columns/", {"column-3": "requested_amount", "scale": "1", "do": "start"})
        installation.manage("shell", "--no-imports", "-c", WORK)
        told = officer.browser.get(own).text
    ended = installation.query("SELECT state, error, rows_done FROM portfolio_upload")
    assert ended == [("failed", "damaged", 1_000)]
    assert "The file cannot be read: it is damaged, or not what its name says." in told
    assert in_clear(everything(installation)) == []


def done(here: Installation) -> int:
    return here.query("SELECT rows_done FROM portfolio_upload")[0][0]


def everything(here: Installation) -> bytes:
    rows = [repr(rows).encode() for rows in here.contents().values()]
    return b"\n".join([*(path.read_bytes() for path in here.data.rglob("*") if path.is_file()), *rows])


def in_clear(content: bytes) -> list[str]:
    return seen(content, (), (NAME, PINFL[:10]))


def test_each_row_is_scored_once_though_workers_die_and_nothing_lies_in_clear(installation):
    with installation.web():
        installation.wait_until_ready()
        officer = Officer(installation.address)
        page = officer.post("/upload/receive/", {"segment": "individual"}, file=(f"{NAME}.csv", applicants()))
        own = re.search(r"/upload/[0-9a-f-]{36}/", str(page.url))[0]
        columns = {"column-0": "row_id", "column-3": "requested_amount", "column-4": "term_months"}
        officer.post(f"{own}columns/", columns | {"scale": "1", "do": "start"})
        for rows in KILLED_AT:
            with installation.process(f"{rows}.log", "manage.py", "shell", "--no-imports", "-c", WORK) as worker:
                wait_for(lambda rows=rows: done(installation) >= rows, seconds=120)
                worker.kill()
            assert rows <= done(installation) < ROWS
            assert in_clear(everything(installation)) == []
            installation.manage("shell", "--no-imports", "-c", PASS_TIME)
        installation.manage("shell", "--no-imports", "-c", WORK)
        assert done(installation) == ROWS
        taken = officer.post(f"{own}download/", {"format": "csv"}).content
        assert NAME in officer.browser.get(own).text
    assert set(in_clear(taken)) == {NAME}
    assert in_clear(everything(installation)) == []
    table = list(csv.DictReader(io.StringIO(taken.decode("utf-8-sig"))))
    assert [int(line["row"]) for line in table] == list(range(1, ROWS + 1))
    assert [line["row_id"] for line in table] == [f"{NAME}-{n}" for n in range(1, ROWS + 1)]
    assert [bool(line["errors"]) for line in table] == [n % 5 == 0 for n in range(1, ROWS + 1)]
    assert all(bool(line["score"]) != bool(line["errors"]) for line in table)
    ended = installation.query("SELECT state, rows_done, rows_refused FROM portfolio_upload")
    assert ended == [("done", ROWS, ROWS // 5)]
    assert installation.query("SELECT count(*) FROM audit_auditevent WHERE action = 'upload.finish'") == [(1,)]
