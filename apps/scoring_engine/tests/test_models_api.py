"""/api/models/: who reads, registers, validates and promotes; and that a refusal changes nothing."""

import base64
import hashlib
import json
import uuid

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.accounts.tests.factories import client_for, make_user
from apps.audit.models import AuditEvent
from apps.scoring_engine.ml.tests.examples import small_card
from apps.scoring_engine.models import ModelAssignment, ModelFile, ModelValidation, ModelVersion
from apps.scoring_engine.tests.factories import (
    LONG_AGO,
    draft,
    figures_for,
    make_prediction,
    model_bytes,
    put_in_service,
    validate,
)
from apps.scoring_engine.tests.fixed_card import fixed_card

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fixed_model")]
LIST = "/api/models/"
WHY = {"reason": "the committee said so"}


def upload(card=None, **changes):
    content = model_bytes(card or small_card())
    manifest = {"model": (card or small_card())["version"], "sha256": hashlib.sha256(content).hexdigest()}
    return {"file": base64.b64encode(content).decode(), "manifest": manifest} | changes


def finding(model_id, **changes):
    figures = figures_for(ModelVersion.objects.get(id=model_id))
    return {"figures": figures, "passed": True, "on_own_data": True, "comment": "sound"} | changes


def registered(maker_client):
    reply = maker_client.post(LIST, upload())
    assert reply.status_code == 201, reply.json()
    return reply.json()["id"]


def rows():
    return [table.objects.count() for table in (ModelVersion, ModelFile, ModelValidation, ModelAssignment, AuditEvent)]


def test_the_whole_way_from_a_file_to_service_and_back(maker_client, checker_client, fixed_model):
    shown = maker_client.post(LIST, upload()).json()
    assert (shown["state"], shown["kind"], shown["types"], shown["checked_by"]) == ("draft", "scorecard", [], None)
    address = f"{LIST}{shown['id']}/"
    shown = checker_client.post(f"{address}validate/", finding(shown["id"])).json()
    assert (shown["state"], shown["on_own_data"], shown["validations"][0]["comment"]) == ("validated", True, "sound")
    assert checker_client.post(f"{address}challenge/", WHY).json()["state"] == "challenger"
    assert maker_client.post(f"{address}promote/", WHY).json()["state"] == "champion"
    answer = make_prediction()
    assert (answer.model_version, answer.purpose) == ("test-1.0.0", "own")
    back = client_for(make_user("administrator")).post(f"{LIST}rollback/", WHY | {"segment": "individual"}).json()
    assert (back["role"], back["model_version"], back["action"]) == ("champion", "individual-9.0.0", "rollback")
    assert make_prediction().model_version == "individual-9.0.0"
    shown = maker_client.get(address).json()
    assert shown["state"] == "retired"
    assert [(row["role"], row["action"]) for row in shown["assignments"]] == [
        ("champion", "promote"),
        ("challenger", "challenge"),
    ]
    assert shown["manifest"] == upload()["manifest"]


def test_the_list_and_its_filters(maker_client):
    registered(maker_client)

    def versions(query=""):
        return {row["version"] for row in maker_client.get(LIST + query).json()["results"]}

    assert {"test-1.0.0", "individual-9.0.0", "individual-1.1.0", "company-1.1.0"} <= versions()
    assert versions("?segment=individual&state=champion") == {"individual-9.0.0"}
    assert versions("?state=draft") == {"test-1.0.0"}
    assert versions("?kind=estimator") == set()
    assert "manifest" not in maker_client.get(LIST).json()["results"][0]


@pytest.mark.parametrize("query", ["?state=x", "?segment=moon", "?kind=x", "?colour=red", "history/?at=soon"])
def test_a_wrong_filter_is_refused(maker_client, query):
    assert maker_client.get(LIST + query).status_code == 400


def test_history_tells_what_was_in_force(maker_client, fixed_model):
    def in_force(at):
        found = maker_client.get(f"{LIST}history/", {"segment": "individual", "role": "champion", "at": at})
        return [row["model_version"] for row in found.json()["results"]]

    since = ModelAssignment.objects.filter(model=fixed_model).get().started_at
    assert in_force("2019-12-31T00:00:00Z") == []
    assert in_force(since.isoformat()) == ["individual-9.0.0"]
    client_for(make_user("administrator")).post(f"{LIST}{fixed_model.id}/retire/", WHY)
    assert in_force("2090-01-01T00:00:00Z") == [None]
    actions = [row["action"] for row in maker_client.get(f"{LIST}history/?segment=individual").json()["results"]]
    assert actions == ["retire", "promote", "retire", "promote"]


def test_history_comes_in_pages_newest_first(maker_client):
    seen, address = [], f"{LIST}history/?page_size=1"
    while address:
        page = maker_client.get(address).json()
        seen += [row["id"] for row in page["results"]]
        address = page["next"]
    assert sorted(seen, reverse=True) == seen
    assert len(seen) == ModelAssignment.objects.count()


def test_a_longer_list_takes_no_more_queries(maker_client):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            maker_client.get(LIST)
            maker_client.get(f"{LIST}history/")
        return len(captured)

    few = queries()
    for number in range(3):
        put_in_service(fixed_card(version=f"individual-9.{number}.1"))
    assert queries() == few


@pytest.mark.parametrize("role", ["officer", "approver", "auditor", "administrator"])
def test_others_read_and_change_nothing(role, maker_client):
    model_id = registered(maker_client)
    client, before = client_for(make_user(role)), rows()
    assert client.get(LIST).status_code == client.get(f"{LIST}history/").status_code == 200
    assert client.get(f"{LIST}{model_id}/").status_code == 200
    before = rows()
    bodies = {"": upload(), f"{model_id}/validate/": finding(model_id), f"{model_id}/promote/": WHY}
    for path, body in {**bodies, f"{model_id}/challenge/": WHY}.items():
        assert client.post(LIST + path, body).status_code == 403
    if role != "administrator":
        assert client.post(f"{LIST}{model_id}/retire/", WHY).status_code == 403
        assert client.post(f"{LIST}rollback/", WHY | {"segment": "individual"}).status_code == 403
    assert rows() == before


REFUSED_FILES = {
    "no base64": ({"file": "%%%"}, "file"),
    "no model": ({"file": base64.b64encode(b"hello").decode()}, "file"),
    "a pickle that runs something": ({"file": base64.b64encode(b"cos\nsystem\n(S'true'\ntR.").decode()}, "file"),
    "another file's manifest": ({"manifest": {"model": "test-1.0.0", "sha256": "0" * 64}}, "manifest"),
    "no manifest": ({"manifest": {}}, "manifest"),
    "an unknown field": ({"state": "champion"}, "state"),
}


@pytest.mark.parametrize(("changes", "field"), REFUSED_FILES.values(), ids=REFUSED_FILES)
def test_what_is_no_model_is_refused_and_leaves_nothing(maker_client, changes, field):
    before = rows()
    reply = maker_client.post(LIST, upload(**changes))
    assert (reply.status_code, reply.json()["errors"][0]["field"]) == (400, field)
    assert rows() == before


def test_a_version_or_a_file_that_is_there_is_a_conflict(maker_client):
    registered(maker_client)
    before = rows()
    again = maker_client.post(LIST, upload())
    assert (again.status_code, again.json()["detail"]) == (
        409,
        "This file is registered already: it is test-1.0.0, draft.",
    )
    other = maker_client.post(LIST, upload(small_card() | {"definition_of_bad": "another one"}))
    assert (other.status_code, "give this one a version of its own" in other.json()["detail"]) == (409, True)
    assert rows() == before


def test_a_file_larger_than_stated_is_413(maker_client):
    assert maker_client.post(LIST, upload(file="A" * (13 << 20))).status_code == 413


def test_the_maker_is_no_checker(maker_client):
    model_id = registered(maker_client)
    before = rows()
    reply = maker_client.post(f"{LIST}{model_id}/validate/", finding(model_id))
    assert (reply.status_code, reply.json()["detail"]) == (
        403,
        "maker registered test-1.0.0; somebody else has to validate it.",
    )
    assert rows() == before


def gates(passed):
    return [{"gate": "auc", "required": "at least 0.65", "found": 0.6, "passed": passed}]


REFUSED_FINDINGS = {
    "no figures": (lambda figures: {}, "figures"),
    "of another file": (lambda f: f | {"model": f["model"] | {"sha256": "0" * 64}}, "figures"),
    "of another document": (lambda f: f | {"model": f["model"] | {"card_digest": 5}}, "figures"),
    "a gate that failed": (lambda f: f | {"gates": gates(False)}, "passed"),
    "a gate that says 'yes'": (lambda f: f | {"gates": gates("yes")}, "passed"),
    "no gates": (lambda f: f | {"gates": []}, "passed"),
    "gates of another shape": (lambda f: f | {"gates": ["x"]}, "passed"),
}


@pytest.mark.parametrize(("change", "field"), REFUSED_FINDINGS.values(), ids=REFUSED_FINDINGS)
def test_figures_that_do_not_carry_a_pass_are_refused(maker_client, checker_client, change, field):
    model_id = registered(maker_client)
    before, body = rows(), finding(model_id)
    reply = checker_client.post(f"{LIST}{model_id}/validate/", body | {"figures": change(body["figures"])})
    assert (reply.status_code, reply.json()["errors"][0]["field"]) == (400, field)
    assert rows() == before


def test_a_draft_is_not_promoted(maker_client, checker_client):
    model_id = registered(maker_client)
    for move in ("promote", "challenge"):
        reply = checker_client.post(f"{LIST}{model_id}/{move}/", WHY)
        assert (reply.status_code, "was never validated" in reply.json()["detail"]) == (409, True)


def test_a_reason_is_needed(maker_client, fixed_model):
    before = rows()
    for body in ({}, {"reason": ""}, {"reason": "  "}, {"reason": 5}):
        assert maker_client.post(f"{LIST}{fixed_model.id}/retire/", body).status_code == 400
    assert rows() == before


@pytest.mark.parametrize("path", ["5/", f"{uuid.UUID(int=7)}/", "%00/"])
def test_a_model_that_is_not_there(maker_client, path):
    assert maker_client.get(LIST + path).status_code == 404
    assert maker_client.post(f"{LIST}{path}promote/", WHY).status_code == 404


def test_the_same_key_promotes_once_and_gives_the_same_reply(maker_client):
    model = draft(small_card())
    validate(model, make_user("analyst"))
    key = {"Idempotency-Key": "promote-1"}
    first = maker_client.post(f"{LIST}{model.id}/promote/", WHY, headers=key)
    again = maker_client.post(f"{LIST}{model.id}/promote/", WHY, headers=key)
    assert (first.status_code, again.status_code, again["Idempotency-Replayed"]) == (200, 200, "true")
    assert first.json() == again.json()
    assert ModelAssignment.objects.filter(model=model).count() == 1
    assert maker_client.post(f"{LIST}{model.id}/promote/", {"reason": "other"}, headers=key).status_code == 422


def test_nothing_of_a_retired_model_is_lost(maker_client, fixed_model):
    before = json.dumps(maker_client.get(f"{LIST}{fixed_model.id}/").json()["validations"])
    put_in_service(fixed_card(version="individual-9.1.0"))
    shown = maker_client.get(f"{LIST}{fixed_model.id}/").json()
    assert (shown["state"], json.dumps(shown["validations"])) == ("retired", before)
    assert shown["validations"][0]["created_at"] == LONG_AGO.isoformat().replace("+00:00", "Z")
