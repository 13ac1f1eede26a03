"""Stored requests simulated with the values as of then, by command and over the API."""

import json
import uuid
from datetime import date

import pyarrow.parquet as pq
import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from apps.accounts.tests.factories import client_for, make_user
from apps.audit.models import AuditEvent
from apps.common.background import work_due_jobs
from apps.common.crypto import destroy_keys
from apps.common.errors import InvalidInput, NotFound
from apps.common.models import Job
from apps.common.tests.stored import tamper_with
from apps.credit_requests import simulation_jobs
from apps.credit_requests.deciding import decide_by_policy
from apps.credit_requests.models import CreditRequest, Decision, Simulation
from apps.credit_requests.simulation import Terms, simulate_file, simulate_requests
from apps.credit_requests.simulation_filters import RequestFilter, read_filter
from apps.credit_requests.simulation_policies import of_text, of_version
from apps.credit_requests.tests.deciders import BAD, GOOD, GREY, TEXT, make_scored, put_policy_in_force, read
from apps.credit_requests.tests.factories import change_debt, make_product

pytestmark = pytest.mark.django_db
# Scores of the small card: 515 (good), 485 (grey), 435 (bad). The candidate approves from 480 on.
CANDIDATE = TEXT.replace('version = "1"', 'version = "2"', 1).replace("500", "480")
TERMS = Terms(date(2026, 12, 1))


def simulated(current, chosen=None, **options):
    given = {"terms": TERMS, "chosen": chosen or RequestFilter(), "actor": None} | options
    return simulate_requests(candidate=of_text(CANDIDATE), current=of_version(current), **given)


def decide(request):
    return decide_by_policy(credit_request=request, version=request.version, actor=None, now=timezone.now())


def outcomes(figures, side):
    return {name: one["number"] for name, one in figures["outcomes"][side]["after_bars"].items()}


def test_one_decided_and_two_only_scored(django_assert_max_num_queries):
    policy = put_policy_in_force()
    decide(make_scored(GOOD))
    make_scored(GREY)
    make_scored(BAD)
    with django_assert_max_num_queries(40):
        figures = simulated(policy)
    assert outcomes(figures, "current") == {"approve": 1, "refer": 1, "decline": 1}
    assert outcomes(figures, "candidate") == {"approve": 2, "refer": 0, "decline": 1}
    told = {name: figures["source"][name] for name in ("found", "cut", "from_decision", "from_prediction", "erased")}
    assert told == {"found": 3, "cut": 0, "from_decision": 1, "from_prediction": 2, "erased": 0}
    assert [one["value"] for one in figures["segments"]["branch"]] == ["main"]


def test_values_are_those_of_then():
    policy = put_policy_in_force()
    request = make_scored(GOOD)
    decision = decide(request)
    change_debt(request, 10**12)
    CreditRequest.objects.filter(id=request.id).update(requested_amount=99_000_000, term_months=60)
    found = simulated(policy)["approved"]["current"]
    assert (found["number"], found["amount"], found["expected_loss"]) == (1, decision.amount, decision.expected_loss)
    annual, rate = decision.annual_probability_of_default, decision.annual_rate_basis_points / 10_000
    assert found["expected_profit"] == round(decision.amount * rate * (1 - annual) - decision.expected_loss)


def test_erased_unreadable_and_foreign_are_told_and_nothing_changes():
    policy = put_policy_in_force()
    erased, unreadable, sound = (make_scored(GOOD) for _ in range(3))
    make_scored(GOOD, currency="USD", product=make_product(currency="USD"))
    decide(sound)
    destroy_keys([erased.applicant.data_key_id], now=timezone.now())
    tamper_with(read(unreadable).prediction.data_key)
    before = (list(CreditRequest.objects.order_by("id").values()), Decision.objects.count(), Job.objects.count())
    figures = simulated(policy)
    assert figures["requests"]["simulated"] == 1
    assert figures["requests"]["other_currency"] == {"USD": 1}
    assert (figures["source"]["erased"], figures["source"]["unreadable"]) == (1, 1)
    after = (list(CreditRequest.objects.order_by("id").values()), Decision.objects.count(), Job.objects.count())
    assert after == before


def test_the_newest_count_where_there_are_too_many():
    policy = put_policy_in_force()
    decide(make_scored(GOOD))
    make_scored(BAD)
    figures = simulated(policy, most=1)
    assert (figures["source"]["found"], figures["source"]["cut"]) == (2, 1)
    assert outcomes(figures, "current") == {"approve": 0, "refer": 0, "decline": 1}


def test_the_filter_chooses_and_says_what_it_knows():
    policy = put_policy_in_force()
    make_scored(GOOD, channel="online")
    make_scored(BAD)
    assert simulated(policy, read_filter("channel=online branch=main"))["requests"]["simulated"] == 1
    for text, error, words in (
        ("chanel=online", InvalidInput, "'chanel=online' was given; allowed are all, or pairs such as since="),
        ("channel=post", InvalidInput, "allowed are branch, online, partner, phone"),
        ("since=yesterday", InvalidInput, "since: 'yesterday' was given; allowed is a day"),
        ("since=2026-02-01 until=2026-02-01", InvalidInput, "The span is empty"),
        ("since=2026-02-01 since=2026-02-01", InvalidInput, "since is given twice"),
        ("", InvalidInput, "Nothing was given"),
        ("branch=nowhere", NotFound, "Known branches: main"),
        ("product=nothing", InvalidInput, "There is no product 'nothing'"),
        ("until=2020-01-01", InvalidInput, "No request is as asked for: until=2020-01-01"),
    ):
        with pytest.raises(error, match=words):
            simulated(policy, read_filter(text))


def test_the_trail_names_it_before_anything_is_opened(monkeypatch):
    policy = put_policy_in_force()
    make_scored(GOOD)

    def stop(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr("apps.credit_requests.simulation_requests._row", stop)
    analyst = make_user("analyst")
    with pytest.raises(KeyboardInterrupt):
        simulated(policy, actor=analyst)
    event = AuditEvent.objects.get(action="policy.simulate")
    assert event.actor == analyst
    assert (event.details["rows"], event.details["requests"]) == (1, {})
    assert event.details["against"] == policy_digest(policy)


def policy_digest(policy):
    return of_version(policy).policy.digest


def test_a_snapshot_gives_the_figures_of_the_requests(tmp_path, capsys):
    policy = put_policy_in_force()
    decide(make_scored(GOOD))
    make_scored(GREY)
    out = tmp_path / "requests.parquet"
    call_command("snapshot_requests", "all", "--out", str(out))
    assert "2 of 2 requests written" in capsys.readouterr().out
    assert AuditEvent.objects.filter(action="credit_request.snapshot").count() == 1
    names = set(pq.read_schema(out).names)
    assert {"id", "salary", "self_banned", "score", "bar", "branch"} <= names
    assert not names & {"full_name", "pinfl", "phone", "birth_date", "purpose_text"}
    from_file = simulate_file(candidate=of_text(CANDIDATE), current=of_version(policy), terms=TERMS, path=out)
    stored = simulated(policy)
    for name in ("outcomes", "approved", "swaps", "rules", "segments", "curve"):
        assert from_file[name] == stored[name]
    with pytest.raises(CommandError, match="does not exist yet"):
        call_command("snapshot_requests", "all", "--out", str(out))


def test_the_command_takes_a_policy_by_name_against_the_one_in_force(tmp_path, capsys):
    put_policy_in_force(TEXT, code="test_individual", version="1")
    decide(make_scored(GOOD))
    out = tmp_path / "out"
    call_command("simulate_policy", "test_individual/1", "--requests", "all", "--out", str(out))
    assert "The cost of funds is 0: expected profit is before it." in capsys.readouterr().out
    figures = json.loads((out / "simulation.json").read_text())
    assert figures["policies"]["current"] == figures["policies"]["candidate"]
    assert "1 as the policy of then was asked about them" in (out / "simulation.html").read_text()
    for given, words in (
        (["nothing/1", "--requests", "all"], "There is no policy 'nothing/1'"),
        (["test_individual/1", "--requests", "all", "--by", "x"], "give it with --data"),
        (["test_individual/1", "--requests", "all", "--on-date", "2019-01-01"], "No policy .* in force on 2019-01-01"),
    ):
        with pytest.raises(CommandError, match=words):
            call_command("simulate_policy", *given)


# --- Over the API -------------------------------------------------------------------------------------------------


def asked_for(client, **body):
    return client.post("/api/simulations/", {"policy": CANDIDATE, "on_date": "2026-12-01"} | body, format="json")


def test_an_analyst_asks_and_others_read():
    policy = put_policy_in_force()
    decide(make_scored(GOOD))
    make_scored(GREY)
    analyst = make_user("analyst")
    reply = asked_for(client_for(analyst), cost_of_funds=0.1, filter={"branch": "main"})
    assert reply.status_code == 202
    body = reply.json()
    assert (body["state"], body["progress"], body["against"], body["result"]) == ("queued", 0, str(policy.id), None)
    work_due_jobs()
    for role in ("analyst", "auditor", "approver"):
        found = client_for(make_user(role)).get(f"/api/simulations/{body['id']}/").json()
        assert (found["state"], found["progress"]) == ("done", 100)
        assert outcomes(found["result"], "candidate") == {"approve": 2, "refer": 0, "decline": 0}
        assert found["result"]["terms"] == {"on_date": "2026-12-01", "cost_of_funds": 0.1, "before_bars": False}
    listed = client_for(analyst).get("/api/simulations/?state=done").json()["results"]
    assert [(one["id"], "result" in one) for one in listed] == [(body["id"], False)]
    actions = list(AuditEvent.objects.filter(subject_id=body["id"]).order_by("id").values_list("action", flat=True))
    assert actions == ["simulation.request", "policy.simulate", "simulation.finish"]


@pytest.mark.parametrize("role", ["officer", "approver", "auditor", "administrator"])
def test_only_analysts_ask(role):
    put_policy_in_force()
    assert asked_for(client_for(make_user(role))).status_code == 403
    assert Simulation.objects.count() == 0


@pytest.mark.parametrize("role", ["officer", "administrator"])
def test_others_read_nothing(role):
    client = client_for(make_user(role))
    assert client.get("/api/simulations/").status_code == 403
    assert client.get(f"/api/simulations/{uuid.uuid4()}/").status_code == 403


def test_the_same_key_asks_once():
    put_policy_in_force()
    make_scored(GOOD)
    client = client_for(make_user("analyst"))
    body = {"policy": CANDIDATE}
    replies = [client.post("/api/simulations/", body, format="json", headers={"Idempotency-Key": "one"}) for _ in "ab"]
    assert [reply.status_code for reply in replies] == [202, 202]
    assert replies[0].json() == replies[1].json()
    assert Simulation.objects.count() == 1
    other = client.post("/api/simulations/", {"policy": TEXT}, format="json", headers={"Idempotency-Key": "one"})
    assert other.status_code == 422


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({"policy": "format = 2"}, 400, "format"),
        ({"policy": str(uuid.uuid4())}, 400, "policy"),
        ({"against": str(uuid.uuid4())}, 400, "against"),
        ({"policy": CANDIDATE.replace('"UZS"', '"USD"')}, 400, "policy"),
        ({"cost_of_funds": 2}, 400, "cost_of_funds"),
        ({"filter": {"chanel": "online"}}, 400, "filter.chanel"),
        ({"filter": {"until": "2020-01-01"}}, 400, "filter"),
        ({"filter": {"branch": "nowhere"}}, 404, None),
        ({"on_date": "2019-01-01"}, 409, None),
        ({"rows": 5}, 400, "rows"),
        ({"before_bars": "true"}, 400, "before_bars"),
    ],
)
def test_what_is_wrong_is_refused_and_nothing_is_queued(body, status, field):
    put_policy_in_force()
    make_scored(GOOD)
    before = (AuditEvent.objects.count(), Job.objects.count())
    client = client_for(make_user("analyst"))
    before = (AuditEvent.objects.count(), Job.objects.count())
    reply = asked_for(client, **body)
    assert reply.status_code == status, reply.json()
    if field:
        assert field in {problem["field"] for problem in reply.json()["errors"]}
    assert (Simulation.objects.count(), AuditEvent.objects.count(), Job.objects.count()) == (0, *before)


def test_what_cannot_be_worked_off_fails_and_says_why():
    put_policy_in_force()
    request = make_scored(GOOD)
    body = asked_for(client_for(make_user("analyst"))).json()
    destroy_keys([request.applicant.data_key_id], now=timezone.now())
    work_due_jobs()
    simulation = Simulation.objects.get(id=body["id"])
    assert (simulation.state, simulation.result) == ("failed", None)
    assert simulation.error == "There is nothing to simulate: found 1, erased 1."


def test_one_that_keeps_stopping_its_worker_is_given_up(monkeypatch):
    put_policy_in_force()
    make_scored(GOOD)
    simulation_id = asked_for(client_for(make_user("analyst"))).json()["id"]

    def stop(simulation):
        raise KeyboardInterrupt

    monkeypatch.setattr(simulation_jobs, "_simulated", stop)
    for _ in range(simulation_jobs.MOST_ATTEMPTS):
        with pytest.raises(KeyboardInterrupt):
            simulation_jobs.work_simulation(simulation_id=simulation_id, clock=timezone.now)
    done = simulation_jobs.work_simulation(simulation_id=simulation_id, clock=timezone.now)
    assert done == {"state": "failed"}
    assert Simulation.objects.get(id=simulation_id).error == simulation_jobs.GIVEN_UP
    # Once more changes nothing.
    assert simulation_jobs.work_simulation(simulation_id=simulation_id, clock=timezone.now) == {"state": "failed"}
