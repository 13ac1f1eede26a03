"""/api/credit-requests/: who may read and write, what is refused, and what a refusal leaves behind: nothing."""

from base64 import b64encode
from datetime import timedelta

import pytest
from rest_framework.test import APIClient

from apps.accounts.tests.factories import client_for, make_branch, make_user
from apps.audit.models import AuditEvent
from apps.common.models import Job
from apps.companies.tests.factories import make_company
from apps.credit_requests.models import CreditRequest
from apps.credit_requests.services import update_product
from apps.credit_requests.tests.factories import make_officer, make_product, make_request
from apps.external_integrations.models import ExternalRecord
from apps.external_integrations.tests.factories import allow
from apps.individuals.tests.factories import make_individual
from apps.scoring_engine.models import PredictionLog

pytestmark = pytest.mark.django_db
LIST = "/api/credit-requests/"
NOBODY = "00000000-0000-4000-8000-000000000000"


def address(request, action=""):
    return f"{LIST}{request.id}/{action}"


def body_of(applicant=None, product=None, **overrides):
    return {
        "individual": str((applicant or make_individual(make_branch())).id),
        "product": str((product or make_product()).id),
        "requested_amount": 30_000_000,
        "term_months": 24,
        "purpose": "car",
        "channel": "online",
    } | overrides


def counted():
    models = (CreditRequest, PredictionLog, AuditEvent, ExternalRecord, Job)
    return {model: model.objects.count() for model in models}


def fields_of(response, status=400):
    assert response.status_code == status, response.json()
    assert response["Content-Type"] == "application/problem+json"
    return [problem["field"] for problem in response.json()["errors"]]


@pytest.fixture
def officer():
    return client_for(make_officer())


# --- Create ---------------------------------------------------------------------------------------------------


def test_creating_a_request_scores_it_and_queues_the_records(officer):
    person = make_individual(make_branch(), parcel_ids=["10:01:02:03:04:0055", "10:01:02:03:04:0056"])
    allow(person.profile["pinfl"])
    response = officer.post(LIST, body_of(person))
    assert response.status_code == 201
    body = response.json()
    request, prediction = CreditRequest.objects.get(), PredictionLog.objects.get()
    assert body["id"] == str(request.id)
    assert {name: body[name] for name in ("status", "version", "branch", "individual", "company", "currency")} == {
        "status": "pending",
        "version": 1,
        "branch": "main",
        "individual": str(person.id),
        "company": None,
        "currency": "UZS",
    }
    assert (prediction.cause, prediction.request_id, request.prediction) == ("create", request.id, prediction)
    scored = body["prediction"]
    assert (scored["prediction_id"], scored["score"]) == (str(prediction.id), prediction.score)
    assert scored["reference_score"] + sum(row["impact"] for row in scored["explanation"]) == scored["score"]
    assert request.last_checked_at == prediction.created_at
    assert sorted(record.source for record in request.external_records.all()) == ["kadastr", "kadastr", "soliq"]
    assert sorted(body["external_records"]) == sorted(str(record.id) for record in ExternalRecord.objects.all())
    assert sorted(Job.objects.values_list("name", flat=True)) == [
        "refresh_kadastr_record",
        "refresh_kadastr_record",
        "refresh_soliq_record",
    ]
    terms = {"product": body["product"], "requested_amount": 30_000_000, "term_months": 24}
    assert AuditEvent.objects.get(action="credit_request.create").details == terms
    score_event = AuditEvent.objects.get(action="credit_request.score")
    assert score_event.details == {"cause": "create", "prediction": str(prediction.id), "before": None}


def test_a_company_asks_too(officer):
    company = make_company(make_branch())
    body = body_of(purpose="working_capital") | {"company": str(company.id)}
    del body["individual"]
    response = officer.post(LIST, body)
    assert response.status_code == 201
    assert (response.json()["company"], response.json()["individual"]) == (str(company.id), None)
    assert response.json()["prediction"]["segment"] == "company"


@pytest.mark.parametrize("role", ["approver", "analyst", "auditor", "administrator"])
def test_only_officers_create(role):
    body = body_of()
    client = client_for(make_user(role))
    before = counted()
    assert client.post(LIST, body).status_code == 403
    assert counted() == before


def test_anonymous_is_sent_to_sign_in():
    request = make_request()
    anonymous, before = APIClient(), counted()
    assert anonymous.get(LIST).status_code == 401
    assert anonymous.get(address(request)).status_code == 401
    assert anonymous.post(LIST, body_of(request.individual, request.product)).status_code == 401
    assert anonymous.patch(address(request), {"version": 1, "term_months": 12}).status_code == 401
    assert anonymous.post(address(request, "withdraw/"), {"version": 1}).status_code == 401
    assert anonymous.post(address(request, "rescore/")).status_code == 401
    assert counted() == before


def test_an_applicant_of_another_branch_is_not_found(officer):
    body = body_of(make_individual(make_branch("other")))
    before = counted()
    assert fields_of(officer.post(LIST, body), 404) == ["individual"]
    assert fields_of(officer.post(LIST, body | {"individual": NOBODY}), 404) == ["individual"]
    assert counted() == before


@pytest.mark.parametrize(
    ("overrides", "fields"),
    [
        ({"requested_amount": 0}, ["requested_amount"]),
        ({"requested_amount": -1}, ["requested_amount"]),
        ({"requested_amount": "30000000"}, ["requested_amount"]),
        ({"requested_amount": 30_000_000.5}, ["requested_amount"]),
        ({"requested_amount": True}, ["requested_amount"]),
        ({"requested_amount": None}, ["requested_amount"]),
        ({"requested_amount": [1]}, ["requested_amount"]),
        ({"requested_amount": 10**15 + 1}, ["requested_amount"]),
        ({"term_months": 0}, ["term_months"]),
        ({"term_months": 601}, ["term_months"]),
        ({"purpose": "yacht"}, ["purpose"]),
        ({"purpose": ["car"]}, ["purpose"]),
        ({"channel": "pigeon"}, ["channel"]),
        ({"product": NOBODY}, ["product"]),
        ({"product": "abc"}, ["product"]),
        ({"individual": "abc"}, ["individual"]),
        ({"individual": {"id": 1}}, ["individual"]),
        ({"company": NOBODY}, ["individual", "company"]),
        ({"status": "approved"}, ["status"]),
        ({"score": 900}, ["score"]),
        ({"prediction": {"score": 900}}, ["prediction"]),
        ({"branch": "main"}, ["branch"]),
        ({"external_records": []}, ["external_records"]),
        ({"declared_yearly_income": 10**9}, ["declared_yearly_income"]),
        ({"is_demo": True}, ["is_demo"]),
    ],
)
def test_an_invalid_request_is_refused_by_name(officer, overrides, fields):
    body = body_of() | overrides
    before = counted()
    assert fields_of(officer.post(LIST, body)) == fields
    assert counted() == before


def test_exactly_one_applicant_is_named(officer):
    body = body_of()
    del body["individual"]
    assert fields_of(officer.post(LIST, body)) == ["individual", "company"]


@pytest.mark.parametrize(
    ("overrides", "field", "allowed"),
    [
        ({"requested_amount": 999_999}, "requested_amount", "1000000 to 100000000"),
        ({"requested_amount": 100_000_001}, "requested_amount", "1000000 to 100000000"),
        ({"term_months": 2}, "term_months", "3 to 60"),
        ({"term_months": 61}, "term_months", "3 to 60"),
    ],
)
def test_what_the_product_does_not_allow_is_refused_with_its_range(officer, overrides, field, allowed):
    body = body_of(**overrides)
    before = counted()
    response = officer.post(LIST, body)
    assert fields_of(response) == [field]
    assert allowed in response.json()["errors"][0]["message"]
    assert counted() == before


def test_mixed_currencies_are_refused(officer):
    body = body_of(product=make_product(currency="USD"))
    before = counted()
    response = officer.post(LIST, body)
    assert fields_of(response) == ["product"]
    assert "Mixed currencies" in response.json()["detail"]
    assert counted() == before


def test_a_product_that_is_no_longer_offered_is_refused(officer):
    product = make_product()
    update_product(product=product, version=1, changes={"is_active": False}, actor=None)
    assert fields_of(officer.post(LIST, body_of(product=product))) == ["product"]
    assert CreditRequest.objects.count() == 0


def test_the_same_key_makes_one_request(officer):
    body = body_of()
    replies = [officer.post(LIST, body, headers={"Idempotency-Key": "k"}) for _ in range(3)]
    assert {reply.status_code for reply in replies} == {201}
    assert replies[0].json() == replies[2].json()
    assert (CreditRequest.objects.count(), PredictionLog.objects.count()) == (1, 1)
    changed = body | {"term_months": 12}
    assert officer.post(LIST, changed, headers={"Idempotency-Key": "k"}).status_code == 422


# --- Read -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("role", "seen"), [("officer", 1), ("approver", 1), ("analyst", 2), ("auditor", 2), ("administrator", None)]
)
def test_who_reads_what(role, seen):
    own = make_request()
    other = make_request(make_individual(make_branch("other")))
    client = client_for(make_user(role))
    if seen is None:
        assert client.get(LIST).status_code == 403
        assert client.get(address(own)).status_code == 403
        return
    assert len(client.get(LIST).json()["results"]) == seen
    assert client.get(address(own)).json()["prediction"]["score"] == own.prediction.score
    assert client.get(address(other)).status_code == (200 if seen == 2 else 404)


def test_filters():
    company = make_request(make_company(make_branch()), channel="phone", purpose="equipment")
    person = make_request(make_individual(make_branch("other")))
    client = client_for(make_user("auditor"))
    between = (company.created_at + (person.created_at - company.created_at) / 2).isoformat().replace("+", "%2B")
    expected = {
        "status=pending": {company, person},
        "status=withdrawn": set(),
        "applicant=company": {company},
        "applicant=individual": {person},
        f"product={person.product_id}": {person},
        f"individual={person.individual_id}": {person},
        f"company={company.company_id}": {company},
        "branch=other": {person},
        "channel=phone": {company},
        f"created_from={between}": {person},
        f"created_to={between}": {company},
        f"grade={person.prediction.grade}&applicant=individual": {person},
        f"mode={company.prediction.mode}&applicant=company": {company},
    }
    found = {query: {row["id"] for row in client.get(f"{LIST}?{query}").json()["results"]} for query in expected}
    assert found == {query: {str(row.id) for row in rows} for query, rows in expected.items()}


@pytest.mark.parametrize(
    "query",
    [
        "status=lost",
        "applicant=robot",
        "product=abc",
        "created_from=yesterday",
        "created_from=0001-01-01T00:00:00%2B14:00",
        "created_to=9999-12-31T23:59:59-14:00",
        "mode=x",
        "grade=Z",
        "branch=%00",
        "colour=red",
        f"cursor={b64encode(b'p=abc').decode()}",
        f"cursor={b64encode(b'p=0001-01-01T00:00:00%2B14:00').decode()}",
    ],
)
def test_a_filter_that_is_none_is_refused(query):
    make_request()
    assert client_for(make_user("auditor")).get(f"{LIST}?{query}").status_code in (400, 404), query


def test_pages_follow_the_cursor(officer):
    requests = [make_request() for _ in range(5)]
    seen, address_of_page = [], f"{LIST}?page_size=2"
    while address_of_page:
        page = officer.get(address_of_page).json()
        seen += [row["id"] for row in page["results"]]
        address_of_page = page["next"]
    assert seen == [str(request.id) for request in reversed(requests)]


@pytest.mark.parametrize("rows", [1, 12])
def test_a_list_takes_the_same_queries_however_long(officer, django_assert_num_queries, rows):
    for place in range(rows):
        make_request(make_company(make_branch()) if place % 2 else None)
    officer.get(LIST)  # the card of the explanations is read once a process
    # token with its user, the page, its records, its newest decisions
    with django_assert_num_queries(4):
        assert len(officer.get(LIST).json()["results"]) == rows


def test_reasons_are_in_the_language_asked_for(officer):
    request = make_request()
    address = f"{LIST}{request.id}/"
    for shown in (
        officer.get(f"{address}?language=ru").json(),
        officer.get(address, headers={"Accept-Language": "ru"}).json(),
        officer.get(f"{LIST}?language=ru").json()["results"][0],
    ):
        assert shown["prediction"]["language"] == "ru"
        assert len(shown["prediction"]["reasons"]) > 0
        assert all(set("абвгде") & set(reason["text"]) for reason in shown["prediction"]["reasons"])


def test_a_language_that_there_is_not_leaves_nothing_done(officer):
    request = make_request()
    address = f"{LIST}{request.id}/"
    before = CreditRequest.objects.get(id=request.id).version
    body = {"version": before, "requested_amount": 7}
    for reply in (
        officer.get(f"{address}?language=de"),
        officer.get(f"{LIST}?language=de"),
        officer.patch(f"{address}?language=de", body),
        officer.post(f"{address}withdraw/?language=de", {"version": before}),
    ):
        assert (reply.status_code, reply.json()["errors"][0]["field"]) == (400, "language")
    assert CreditRequest.objects.get(id=request.id).version == before


# --- Change ---------------------------------------------------------------------------------------------------


def test_an_officer_changes_the_terms_and_it_is_scored_anew(officer):
    request = make_request()
    before = request.prediction
    product = make_product(most_amount=200_000_000)
    body = {"version": 1, "requested_amount": 150_000_000, "term_months": 36, "product": str(product.id)}
    response = officer.patch(address(request), body)
    assert response.status_code == 200
    changed = response.json()
    assert {name: changed[name] for name in body} == body | {"version": 2}
    request.refresh_from_db()
    assert request.prediction != before
    assert (request.prediction.cause, changed["prediction"]["score"]) == ("change:2", request.prediction.score)
    assert request.prediction.opened()["facts"]["requested_amount"] == 150_000_000
    details = AuditEvent.objects.get(action="credit_request.change").details
    assert (details["before"]["requested_amount"], details["after"]["requested_amount"]) == (30_000_000, 150_000_000)


@pytest.mark.parametrize("role", ["approver", "analyst", "auditor", "administrator"])
def test_only_officers_change_and_withdraw(role):
    request, client = make_request(), client_for(make_user(role))
    before = counted()
    assert client.patch(address(request), {"version": 1, "term_months": 12}).status_code == 403
    assert client.post(address(request, "withdraw/"), {"version": 1}).status_code == 403
    assert counted() == before


def test_another_branch_is_not_there(officer):
    request = make_request(make_individual(make_branch("other")))
    before = counted()
    assert officer.patch(address(request), {"version": 1, "term_months": 12}).status_code == 404
    assert officer.post(address(request, "withdraw/"), {"version": 1}).status_code == 404
    assert officer.post(address(request, "rescore/")).status_code == 404
    assert counted() == before


@pytest.mark.parametrize(
    ("body", "fields"),
    [
        ({"term_months": 12}, ["version"]),
        ({"version": 1}, ["(body)"]),
        ({"version": 1, "term_months": 61}, ["term_months"]),
        ({"version": 1, "requested_amount": 1}, ["requested_amount"]),
        ({"version": 1, "product": NOBODY}, ["product"]),
        ({"version": 1, "status": "approved"}, ["status"]),
        ({"version": 1, "score": 1000}, ["score"]),
        ({"version": 1, "prediction": None}, ["prediction"]),
        ({"version": 1, "purpose": "house"}, ["purpose"]),
        ({"version": 1, "individual": NOBODY}, ["individual"]),
    ],
)
def test_an_invalid_change_leaves_nothing(officer, body, fields):
    request = make_request()
    before = counted()
    assert fields_of(officer.patch(address(request), body)) == fields
    assert counted() == before
    assert CreditRequest.objects.get().version == 1


def test_a_change_to_a_product_in_another_currency_or_not_offered_is_refused(officer):
    request = make_request()
    dollars, retired = make_product(currency="USD"), make_product(is_active=False)
    before = counted()
    for product in (dollars, retired):
        response = officer.patch(address(request), {"version": 1, "product": str(product.id)})
        assert fields_of(response) == ["product"]
    assert counted() == before


def test_a_stale_change_is_refused_and_leaves_nothing(officer):
    request = make_request()
    assert officer.patch(address(request), {"version": 1, "term_months": 12}).status_code == 200
    before = counted()
    assert officer.patch(address(request), {"version": 1, "term_months": 18}).status_code == 409
    assert officer.post(address(request, "withdraw/"), {"version": 1}).status_code == 409
    assert counted() == before
    request.refresh_from_db()
    assert (request.term_months, request.version, request.status) == (12, 2, "pending")


# --- Withdraw and rescore -------------------------------------------------------------------------------------


def test_a_withdrawn_request_stays_as_it_is(officer):
    request = make_request()
    response = officer.post(address(request, "withdraw/"), {"version": 1})
    assert response.status_code == 200
    assert (response.json()["status"], response.json()["version"]) == ("withdrawn", 2)
    details = AuditEvent.objects.get(action="credit_request.withdraw").details
    assert details == {"version": 2, "from": "pending", "to": "withdrawn"}
    before = counted()
    assert officer.patch(address(request), {"version": 2, "term_months": 12}).status_code == 409
    assert officer.post(address(request, "withdraw/"), {"version": 2}).status_code == 409
    assert officer.post(address(request, "rescore/")).status_code == 409
    assert counted() == before


@pytest.mark.parametrize("body", [{}, {"version": "1"}, {"version": 1, "status": "approved"}])
def test_a_withdrawal_names_the_version_and_nothing_else(officer, body):
    request = make_request()
    assert officer.post(address(request, "withdraw/"), body).status_code == 400
    request.refresh_from_db()
    assert request.status == "pending"


@pytest.mark.parametrize("role", ["officer", "analyst"])
def test_rescoring_on_unchanged_inputs_makes_no_row(role):
    request = make_request()
    response = client_for(make_user(role)).post(address(request, "rescore/"))
    assert response.status_code == 200
    assert response.json()["prediction"]["prediction_id"] == str(request.prediction_id)
    assert PredictionLog.objects.count() == 1
    checked = CreditRequest.objects.get().last_checked_at
    assert timedelta(0) < checked - request.last_checked_at < timedelta(minutes=1)


@pytest.mark.parametrize("role", ["approver", "auditor", "administrator"])
def test_others_do_not_rescore(role):
    request = make_request()
    client, before = client_for(make_user(role)), CreditRequest.objects.get().last_checked_at
    assert client.post(address(request, "rescore/")).status_code == 403
    assert CreditRequest.objects.get().last_checked_at == before


def test_rescoring_takes_no_body(officer):
    request = make_request()
    assert fields_of(officer.post(address(request, "rescore/"), {"score": 900})) == ["score"]
    assert PredictionLog.objects.count() == 1
