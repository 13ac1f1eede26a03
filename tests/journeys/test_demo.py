"""`manage.py demo`: loads once, changes nothing the second time, serves, and stops all that it started."""

import os
import re
import signal
import subprocess
import sys

import httpx
import pytest

from tests.installation import BASE, Installation, wait_for

COUNTS = {
    "individuals_individual": 300,
    "companies_company": 60,
    "companies_financialstatement": 180,
    "credit_requests_creditrequest": 400,
    "credit_requests_product": 4,
    "accounts_branch": 3,
    "accounts_user": 6,
    "knox_authtoken": 1,
}
ROLES = ("officer", "approver", "analyst", "auditor", "administrator")
pytestmark = pytest.mark.xdist_group("demo")


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    installation = Installation(tmp_path_factory.mktemp("demo"))
    installation.manage("demo", "--no-serve")
    yield installation
    installation.remove()


def test_the_portfolio_has_its_size(demo):
    assert {table: demo.query(f"SELECT count(*) FROM {table}")[0][0] for table in COUNTS} == COUNTS


def test_everything_is_marked_as_demo_and_scored(demo):
    for table in ("individuals_individual", "companies_company", "credit_requests_creditrequest"):
        assert demo.query(f"SELECT count(*) FROM {table} WHERE NOT is_demo") == [(0,)]
    assert demo.query("SELECT count(*) FROM credit_requests_creditrequest WHERE prediction_id IS NULL") == [(0,)]
    assert demo.query("SELECT DISTINCT purpose FROM scoring_engine_predictionlog") == [("demonstration",)]
    assert demo.query("SELECT count(*) FROM scoring_engine_predictionlog WHERE cause = 'create'") == [(400,)]
    assert demo.query("SELECT count(*) FROM common_job WHERE state <> 'done'") == [(0,)]


def test_a_file_was_uploaded_and_scored_but_for_some_rows(demo):
    found = demo.query("SELECT state, rows_done, rows_refused FROM portfolio_upload")
    assert found == [("done", 240, 10)]


def test_they_came_over_twelve_weeks_which_are_counted(demo):
    assert demo.query("SELECT count(*) FROM portfolio_monitoringweek")[0][0] in (12, 13)
    counted = "SELECT sum(applications) FROM portfolio_weekfigures WHERE branch_id IS NULL AND role = 'champion'"
    assert demo.query(counted) == [(400,)]
    late = "created_at > (SELECT max(created_at) FROM common_job)"
    assert demo.query(f"SELECT count(*) FROM credit_requests_creditrequest WHERE {late}") == [(0,)]


def test_some_are_decided_by_the_policy_some_by_one_person_and_some_by_two(demo):
    kinds = dict(demo.query("SELECT kind, count(*) FROM credit_requests_decision GROUP BY kind"))
    assert set(kinds) == {"policy", "person"}
    assert kinds["policy"] == 330
    assert 40 <= kinds["person"] <= 110
    outcomes = dict(demo.query("SELECT status, count(*) FROM credit_requests_creditrequest GROUP BY status"))
    assert outcomes["pending"] == 70
    assert outcomes["approved"] >= 10
    assert outcomes["rejected"] >= 10
    seconds = "SELECT state, count(*) FROM credit_requests_override WHERE needs_second_person GROUP BY state"
    found = dict(demo.query(seconds))
    assert found["waiting"] == 1
    assert found["confirmed"] >= 1


def test_the_policy_approves_nobody_on_a_demonstration_card_and_declines_only_by_knock_outs(demo):
    spoken = "FROM credit_requests_decision WHERE kind = 'policy'"
    assert demo.query(f"SELECT count(*) {spoken} AND outcome = 'approve'") == [(0,)]
    assert demo.query(f"SELECT count(*) {spoken} AND outcome = 'decline' AND NOT has_fired_knockout") == [(0,)]
    assert demo.query(f"SELECT count(*) {spoken} AND NOT is_barred") == [(0,)]


def test_what_was_decided_is_what_the_policies_say_again(demo):
    # What people decided rests on the policy as well.
    replayed = demo.manage("replay_decisions", "--since", "2020-01-01")
    number = demo.query("SELECT count(*) FROM credit_requests_decision")[0][0]
    assert f"{number} decisions replayed: {number} same, 0 different, 0 erased, 0 unreadable." in replayed


def test_scores_are_spread(demo):
    (least, most, grades) = demo.query(
        "SELECT min(score), max(score), count(DISTINCT grade) FROM scoring_engine_predictionlog"
    )[0]
    assert 0 <= least < 520
    assert 600 < most <= 1200
    assert grades >= 4


def test_the_sign_ins_are_for_their_owner_only(demo):
    file = demo.data / "demo_users.txt"
    assert [line.split()[0] for line in file.read_text().splitlines()[1:]] == [
        *(f"demo-{role}" for role in ROLES),
        "demo-service",
    ]
    if os.name == "posix":
        assert file.stat().st_mode & 0o777 == 0o600


def test_a_second_start_changes_no_data(demo):
    before, file = demo.contents(), (demo.data / "demo_users.txt").read_text()
    assert len(before) > 25
    demo.manage("demo", "--no-serve")
    assert demo.contents() == before
    assert (demo.data / "demo_users.txt").read_text() == file


@pytest.mark.skipif(sys.platform != "linux", reason="looks for child processes as Linux lists them")
def test_it_serves_scores_and_stops_everything(demo):
    command = ["manage.py", "demo", "--port", str(demo.port)]
    with demo.process("demo.log", *command) as parent:
        wait_for(lambda: "Ctrl-C stops" in told(demo) or parent.poll() is not None, seconds=90)
        assert parent.poll() is None, told(demo)
        guide = told(demo)
        passwords = dict(re.findall(r"^  (demo-[a-z]+) +(\S+)$", guide, re.MULTILINE))
        assert set(passwords) == {f"demo-{role}" for role in ROLES}
        reply = score_as_the_guide_says(guide)
        assert reply["reference_score"] + sum(item["impact"] for item in reply["explanation"]) == reply["score"]
        assert_decision_is_told_as_the_guide_says(guide)
        login = {"username": "demo-auditor", "password": passwords["demo-auditor"]}
        assert httpx.post(f"{demo.address}/api/auth/login/", json=login).status_code == 200
        children = children_of(parent.pid)
        assert len(children) == 3
        parent.send_signal(signal.SIGTERM)
        assert parent.wait(40) == 0
    assert "Stopped." in told(demo)
    assert [pid for pid in children if is_running(pid)] == []


@pytest.mark.skipif(sys.platform != "linux", reason="looks for child processes as Linux lists them")
def test_when_one_process_ends_the_others_are_stopped_and_it_is_named(demo):
    with demo.process("demo.log", "manage.py", "demo", "--port", str(demo.port)) as parent:
        wait_for(lambda: "Ctrl-C stops" in told(demo) or parent.poll() is not None, seconds=90)
        children = children_of(parent.pid)
        os.kill(children[0], signal.SIGKILL)
        assert parent.wait(40) == 1
    assert re.search(r"The (web|worker|beat) process ended with status -9", told(demo))
    assert [pid for pid in children if is_running(pid)] == []


def told(demo) -> str:
    return (demo.data / "demo.log").read_text()


def score_as_the_guide_says(guide: str) -> dict:
    """Does what the printed curl line says."""
    address = re.search(r"curl -s (\S+)", guide)[1]
    token = re.search(r"Token ([0-9a-f]{64})", guide)[1]
    body = re.search(r"-d '(\{.*\})'", guide)[1]
    headers = {"Authorization": f"Token {token}", "Content-Type": "application/json"}
    response = httpx.post(address, content=body, headers=headers)
    assert response.status_code == 200, response.text
    return response.json()


def assert_decision_is_told_as_the_guide_says(guide: str) -> None:
    history, letter = re.findall(r'curl -s "?(\S+/api/credit-requests/[^\s"]+)', guide)
    headers = {"Authorization": f"Token {re.search(r'Token ([0-9a-f]{64})', guide)[1]}"}
    steps = [step["step"] for step in httpx.get(history, headers=headers).json()]
    assert steps[0] == "create"
    assert steps[-2:] == ["decide", "decline"]
    page = httpx.get(letter, headers=headers)
    assert (page.status_code, page.headers["content-language"]) == (200, "uz")
    assert "Kredit arizangiz rad etildi" in page.text


def children_of(pid: int) -> list[int]:
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=True)
    return [int(line) for line in found.stdout.split()]


def is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_the_bare_line_of_the_guide_prints_a_score_without_django():
    line = (
        "from apps.scoring_engine.ml.risk_model import predict_individual_risk; "
        "print(predict_individual_risk({'yearly_income': 50000, 'existing_debt': 5000, 'requested_amount': 10000, "
        "'credit_history_score': 650}))"
    )
    found = subprocess.run([sys.executable, "-c", line], cwd=BASE, capture_output=True, text=True, check=True)
    assert re.match(r"\(\d{3}, \[\{'feature': ", found.stdout)


def test_production_and_true_sources_are_refused(demo):
    true_source = {
        "SOLIQ_CLIENT": "http",
        "SOLIQ_BASE_URL": "https://soliq.example",
        "SOLIQ_ALLOWED_HOSTS": "soliq.example",
    }
    for change, message in (
        (true_source, "SOLIQ_CLIENT is http"),
        ({"ENVIRONMENT": "production", "ALLOW_MOCK_SOURCES": "true"} | secrets_of(demo), "ENVIRONMENT is production"),
    ):
        refused = subprocess.run(
            [sys.executable, "manage.py", "demo", "--no-serve"],
            cwd=BASE,
            env=demo.environment | change,
            capture_output=True,
            text=True,
            check=False,
        )
        assert refused.returncode == 1
        assert message in refused.stderr


def secrets_of(demo) -> dict[str, str]:
    lines = (demo.data / "local.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if not line.startswith("#"))
