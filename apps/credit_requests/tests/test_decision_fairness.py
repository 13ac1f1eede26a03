"""Whether groups fare alike: every figure worked out by hand on twelve requests, and nobody opened unrecorded."""

import json
from datetime import date, timedelta

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.utils import timezone

from apps.accounts.models import User
from apps.accounts.tests.factories import make_user
from apps.audit.models import AuditEvent
from apps.common.background import work_due_jobs
from apps.common.crypto import destroy_keys
from apps.common.days import lender_today
from apps.common.errors import InvalidInput
from apps.credit_requests import decision_fairness
from apps.credit_requests.deciding import decide_by_policy, refer_request, review_request
from apps.credit_requests.decision_fairness import fairness_of_decisions
from apps.credit_requests.decision_fairness_page import fairness_page
from apps.credit_requests.models import CreditRequest
from apps.credit_requests.overriding import decide_by_person
from apps.credit_requests.register_answers import record_register_answer
from apps.credit_requests.tests.deciders import BAD, GOOD, put_policy_in_force, read
from apps.credit_requests.tests.factories import make_officer, make_request
from apps.individuals.tests.factories import make_individual, make_pinfl

pytestmark = pytest.mark.django_db
# Sex, age, credit history, branch, what a person decides against the policy; it approves GOOD and declines BAD.
DOZEN = (
    ("male", 45, GOOD, "main", None),
    ("male", 45, GOOD, "main", None),
    ("male", 45, GOOD, "main", None),
    ("male", 30, GOOD, "main", None),
    ("male", 45, BAD, "main", None),
    ("male", 23, BAD, "main", "approve"),
    ("male", 66, BAD, "main", None),
    ("female", 45, GOOD, "main", None),
    ("female", 45, GOOD, "main", "decline"),
    ("female", 30, GOOD, "main", None),
    ("female", 30, BAD, "north", None),
    ("female", 30, BAD, "north", None),
)
REASON_CODES = {"approve": "collateral", "decline": "conduct"}


@pytest.fixture
def dozen() -> list[CreditRequest]:
    put_policy_in_force()
    officers = {branch: make_officer(branch) for branch in ("main", "north")}
    return [decided(officers[branch], *given, against) for *given, branch, against in DOZEN]


def decided(officer: User, sex: str, age: int, score: int, against: str | None) -> CreditRequest:
    born = date(lender_today(timezone.now()).year - age, 1, 1)
    given = {"birth_date": born.isoformat(), "pinfl": make_pinfl(born, sex), "credit_history_score": score}
    request = make_request(make_individual(officer.branch, **given))
    answered = {"register": "self_ban", "is_listed": False, "actor": officer}
    record_register_answer(credit_request=request, **answered, now=timezone.now())
    work_due_jobs()
    if against is None:
        decide_by_policy(credit_request=read(request), version=1, actor=None, now=timezone.now())
    else:
        overrule(request, against, officer)
    return read(request)


def overrule(request: CreditRequest, outcome: str, officer: User) -> None:
    refer_request(credit_request=read(request), version=1, comment="look", actor=officer, now=timezone.now())
    held = read(request)
    decide_by_person(
        credit_request=held,
        version=held.version,
        prediction_id=held.prediction_id,
        outcome=outcome,
        terms=None,
        reason_code=REASON_CODES[outcome],
        comment="I know them",
        actor=officer,
        now=timezone.now(),
    )


def today() -> date:
    return lender_today(timezone.now())


def figures(**changes) -> dict:
    return fairness_of_decisions(**{"since": today(), "until": None, "actor": None} | changes)


def told(groups: list[dict]) -> dict[str, tuple]:
    """group -> rows, rate, ratio."""
    rounded = [(one["group"], one["rows"], round(one["rate"], 6), one["ratio"]) for one in groups]
    return {name: (rows, rate, None if ratio is None else round(ratio, 6)) for name, rows, rate, ratio in rounded}


def test_men_and_women_are_told_apart_by_the_pinfl(dozen):
    found = figures()["groups"]["sex"]
    assert found["reference"] == "male"
    assert told(found["approved"]) == {"male": (7, 0.714286, 1), "female": (5, 0.4, 0.56)}
    assert told(found["approved_by_policy"]) == {"male": (7, 0.571429, 1), "female": (5, 0.6, 1.05)}


def test_overrides_are_shares_of_those_whom_the_rules_had_decided_otherwise(dozen):
    found = figures()["groups"]["sex"]
    assert told(found["low_side"]) == {"male": (3, 0.333333, 1), "female": (2, 0, 0)}
    # No man was declined against the rules, so there is nothing to compare with.
    assert told(found["high_side"]) == {"male": (4, 0, None), "female": (3, 0.333333, None)}


def test_ages_are_those_of_the_day_of_the_decision(dozen):
    found = figures()["groups"]["age"]
    assert found["reference"] == "40 to 59"
    assert told(found["approved"]) == {
        "under 25": (1, 1, 1.5),
        "25 to 39": (4, 0.5, 0.75),
        "40 to 59": (6, 0.666667, 1),
        "60 and over": (1, 0, 0),
    }


def test_branches_are_those_of_the_requests(dozen):
    found = figures()["groups"]["branch"]
    assert found["reference"] == "main"
    assert told(found["approved"]) == {"main": (10, 0.7, 1), "north": (2, 0, 0)}


def test_a_dozen_is_evidence_of_nothing(dozen):
    groups = figures()["groups"].values()
    rates = ("approved", "approved_by_policy", "low_side", "high_side")
    assert not any(one["enough"] for found in groups for rate in rates for one in found[rate])


def test_an_erased_person_is_left_out_and_counted(dozen):
    destroy_keys([dozen[0].individual.data_key_id], now=timezone.now())
    found = figures()
    assert found["requests"] == {"compared": 11, "found": 12, "erased": 1, "unreadable": 0, "demo": 0}
    assert told(found["groups"]["sex"]["approved"])["male"] == (6, 0.666667, 1)


def test_a_request_that_is_open_again_is_left_out(dozen):
    again = dozen[0]
    asked = {"reason": "asked for", "actor": make_officer(), "now": timezone.now()}
    review_request(credit_request=again, version=again.version, **asked)
    assert figures()["requests"]["found"] == 11


def test_the_reading_is_recorded_before_the_first_profile_is_opened(dozen, monkeypatch):
    recorded = []
    looked_at = decision_fairness._fared

    def watched(*given):
        recorded.append(AuditEvent.objects.filter(action="decision.fairness").count())
        return looked_at(*given)

    monkeypatch.setattr(decision_fairness, "_fared", watched)
    analyst = make_user("analyst")
    figures(actor=analyst)
    assert recorded == [1] * 12
    event = AuditEvent.objects.get(action="decision.fairness")
    assert (event.actor, event.details) == (analyst, {"since": today().isoformat(), "until": None, "rows": 12})


def test_where_nothing_was_decided_it_is_said_and_nothing_recorded(dozen):
    tomorrow = today() + timedelta(days=1)
    with pytest.raises(InvalidInput, match=f"No request of a person was decided from {tomorrow} on"):
        figures(since=tomorrow)
    with pytest.raises(InvalidInput, match="The span is empty"):
        figures(until=today())
    assert not AuditEvent.objects.filter(action="decision.fairness").exists()


def test_the_command_writes_figures_and_page(dozen, tmp_path, capsys):
    out = tmp_path / "fairness"
    analyst = make_user("analyst")
    call_command("fairness_report", since=today(), out=out, username=analyst.username)
    assert capsys.readouterr().out == f"12 of 12 decided requests compared: {out}/fairness.html\n"
    assert sorted(file.name for file in out.iterdir()) == ["fairness.html", "fairness.json"]
    assert json.loads((out / "fairness.json").read_text()) == figures()
    page = (out / "fairness.html").read_text()
    assert page.count("<table") == 1 + 3 * 4
    for heading in ("By sex", "By age", "By branch", "Approved by people against the rules", "insufficient evidence"):
        assert heading in page


def test_the_command_leaves_no_folder_where_it_refuses(dozen, tmp_path):
    out, tomorrow = tmp_path / "fairness", today() + timedelta(days=1)
    with pytest.raises(CommandError, match="No request of a person was decided"):
        call_command("fairness_report", since=tomorrow, out=out)
    with pytest.raises(CommandError, match="officer"):
        call_command("fairness_report", since=today(), out=out, username=make_officer().username)
    assert not out.exists()


def test_the_page_states_a_ratio_with_its_interval_once_there_is_evidence(dozen):
    found = figures()
    women = next(one for one in found["groups"]["sex"]["approved"] if one["group"] == "female")
    women |= {"ratio": 0.7512, "lower": 0.6, "upper": 0.91, "enough": True}
    page = fairness_page(found)
    assert "0.75 (0.60 to 0.91)" in page
    assert page == fairness_page(found)
