"""Policies over the API: who may do what, what the replies hold, and what a refusal leaves: nothing."""

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.accounts.models import Role
from apps.accounts.tests.factories import client_for, make_user
from apps.audit.models import AuditEvent
from apps.common.days import lender_today, start_of
from apps.policies.models import PolicyVersion
from apps.policies.tests.small_policy import SMALL, WRONG

pytestmark = pytest.mark.django_db
FACTS = {
    "requested_amount": 10_000_000,
    "term_months": 12,
    "annual_rate": 0.2,
    "repayment_type": "annuity",
    "salary": 4_000_000,
    "monthly_debt_payments": 3_000_000,
    "self_banned": False,
    "delinquencies_24m": 0,
}
ASSESSMENT = {"score": 550, "probability_of_default": 0.1, "horizon_months": 36, "grade": "D"}


def text(version: str = "mine", change: tuple[str, str] = ("", "")) -> str:
    today = lender_today()
    assert change[0] in SMALL
    changed = SMALL.replace(*change, 1).replace('version = "1"', f'version = "{version}"', 1)
    changed = changed.replace("valid_from = 2026-01-01", f"valid_from = {today}", 1)
    return changed.replace("on_date = 2026-03-02", f"on_date = {today}")


@pytest.fixture
def maker():
    return client_for(make_user("analyst"))


@pytest.fixture
def checker():
    return client_for(make_user("analyst"))


def draft(client, **changes):
    return client.post("/api/policies/", {"text": text()} | changes)


def told():
    return list(PolicyVersion.objects.values_list("version", "state")), AuditEvent.objects.count()


def refused(status, act):
    before = told()
    response = act()
    assert (response.status_code, told()) == (status, before), response.content
    return response.json()


def test_a_policy_is_drafted_read_published_and_in_force(maker, checker):
    drafted = draft(maker)
    assert drafted.status_code == 201
    body = drafted.json()
    assert (body["code"], body["version"], body["state"], body["segment"]) == ("small", "mine", "draft", "individual")
    assert body["checked"] == {"findings": [], "failed_examples": [], "examples": 7, "to_confirm": []}
    assert body["title"] == {"uz": "Kichik", "ru": "Малая", "en": "Small"}
    address = f"/api/policies/{body['id']}/"
    published = checker.post(f"{address}publish/", {"comment": "as decided"})
    assert (published.status_code, published.json()["state"]) == (200, "published")
    found = maker.get("/api/policies/in-force/", {"segment": "individual"})
    assert (found.status_code, found.json()["id"], found.json()["text"]) == (200, body["id"], text())
    earlier = (timezone.now() - timedelta(days=1)).isoformat()
    assert maker.get("/api/policies/in-force/", {"segment": "individual", "at": earlier}).status_code == 409
    listed = maker.get("/api/policies/", {"state": "published"}).json()["results"]
    assert [row["id"] for row in listed] == [body["id"]]
    assert "text" not in listed[0]


def test_of_two_policies_each_moment_has_its_own(maker, checker):
    """Asked for moments to come as well: what is published now for a later day."""
    today, later = lender_today(), lender_today() + timedelta(days=40)
    ids = []
    for version, day in (("first", today), ("second", later)):
        changed = text(version).replace(f"valid_from = {today}", f"valid_from = {day}", 1)
        ids.append(draft(maker, text=changed).json()["id"])
        assert checker.post(f"/api/policies/{ids[-1]}/publish/", {"comment": "as decided"}).status_code == 200
    midnight = start_of(later)
    moments = [None, midnight - timedelta(seconds=1), midnight]
    found = [
        maker.get("/api/policies/in-force/", {"segment": "individual"} | ({"at": at.isoformat()} if at else {}))
        for at in moments
    ]
    assert [reply.json()["id"] for reply in found] == [ids[0], ids[0], ids[1]]
    listed = maker.get("/api/policies/", {"segment": "company"}).json()["results"]
    assert listed == []


def test_its_maker_is_refused(maker):
    address = f"/api/policies/{draft(maker).json()['id']}/publish/"
    assert refused(403, lambda: maker.post(address, {"comment": "mine"}))["type"].endswith("not-permitted")


@pytest.mark.parametrize(("change", "where", "why"), WRONG)
def test_a_text_with_errors_is_refused_with_the_place_of_each(maker, change, where, why):
    body = refused(400, lambda: draft(maker, text=text(change=change)))
    told_of = [error for error in body["errors"] if where in error["field"] and why in error["message"]]
    assert told_of, body


def test_all_that_is_wrong_is_told_at_once(maker):
    wrong = text().replace("service > most_service", "service > income").replace("below = 440", "below = 430")
    body = refused(400, lambda: draft(maker, text=wrong))
    assert {error["field"].split(".")[0].split("[")[0] for error in body["errors"]} >= {"cut_offs", "rules"}


def test_a_text_that_is_too_long_is_refused(maker):
    for address in ("", "check/"):
        body = refused(400, lambda address=address: maker.post(f"/api/policies/{address}", {"text": "#" * 200_001}))
        assert [error["field"] for error in body["errors"]] == ["text"]


def test_a_text_is_checked_without_being_stored(maker):
    wrong = text().replace("below = 440", "below = 430")
    before = told()
    body = maker.post("/api/policies/check/", {"text": wrong}).json()
    assert told() == before
    assert [finding["severity"] for finding in body["findings"]] == ["error"]
    assert maker.post("/api/policies/check/", {"text": "{"}).status_code == 400


def test_one_key_makes_one_draft(maker):
    key = {"HTTP_IDEMPOTENCY_KEY": "one"}
    first = maker.post("/api/policies/", {"text": text()}, **key)
    second = maker.post("/api/policies/", {"text": text()}, **key)
    assert (first.status_code, second.status_code, first.json()) == (201, 201, second.json())
    assert PolicyVersion.objects.count() == 1
    other = maker.post("/api/policies/", {"text": text("other")}, **key)
    assert (other.status_code, PolicyVersion.objects.count()) == (422, 1)


# --- Trying out -----------------------------------------------------------------------------------------------


def tried(client, policy, **changes):
    body = {"facts": FACTS, "assessment": ASSESSMENT, "on_date": "2026-12-07"} | changes
    return client.post(f"/api/policies/{policy}/try/?language=en", body)


def test_a_draft_is_tried_out_on_invented_facts(maker):
    policy = draft(maker).json()["id"]
    before = told()
    body = tried(maker, policy).json()
    assert told() == before
    assert (body["outcome"], body["policy_outcome"], body["bars"]) == ("decline", "decline", [])
    assert body["reasons"] == [{"code": "service_over_limit", "text": "Share 75\u00a0%, 50\u00a0%."}]
    steps = {step["code"]: step for step in body["trace"]}
    assert steps["service_over_limit"]["values"] == {"service": 0.75, "most_service": 0.5}
    assert body["terms"] == {"amount": 10_000_000, "term_months": 12, "annual_rate_basis_points": 2_000,
                             "instalment": 926_346, "capped_by": []}  # fmt: skip


def test_what_is_not_known_is_told_as_missing(maker):
    policy = draft(maker).json()["id"]
    body = tried(maker, policy, facts=FACTS | {"self_banned": True}, assessment=None).json()
    assert (body["outcome"], body["bars"]) == ("decline", ["not_assessed"])
    assert [reason["text"] for reason in body["applicant_reasons"]] == ["A condition."]
    without = {name: value for name, value in FACTS.items() if name != "salary"}
    steps = {step["code"]: step for step in tried(maker, policy, facts=without).json()["trace"]}
    assert (steps["service_over_limit"]["fired"], steps["service_over_limit"]["missing"]) == (
        None,
        ["salary", "yearly_income"],
    )


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"facts": FACTS | {"sex": "male"}}, "facts.sex"),
        ({"facts": FACTS | {"salary": "much"}}, "facts.salary"),
        ({"facts": FACTS | {"salary": 10**16}}, "facts.salary"),
        ({"facts": FACTS | {"product_kind": "yacht"}}, "facts.product_kind"),
        ({"facts": []}, "facts"),
        ({"assessment": ASSESSMENT | {"score": 5_000}}, "assessment.score"),
        ({"assessment": ASSESSMENT | {"probability_of_default": 1}}, "assessment.probability_of_default"),
        ({"assessment": ASSESSMENT | {"grade": ["A"]}}, "assessment.grade"),
        ({"assessment": ASSESSMENT | {"bars": ["not_assessed"]}}, "assessment.bars"),
        ({"assessment": ASSESSMENT | {"mode": "model"}}, "assessment.mode"),
        ({"assessment": 5}, "assessment"),
        ({"on_date": "soon"}, "on_date"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_name(maker, changes, field):
    policy = draft(maker).json()["id"]
    body = refused(400, lambda: tried(maker, policy, **changes))
    assert field in [error["field"] for error in body["errors"]]


# --- Who may --------------------------------------------------------------------------------------------------

MAY = {
    ("get", ""): set(Role.values),
    ("get", "{id}/"): set(Role.values),
    ("get", "in-force/?segment=individual"): set(Role.values),
    ("post", ""): {"analyst"},
    ("post", "check/"): {"analyst"},
    ("post", "{id}/try/"): {"analyst"},
    ("post", "{id}/discard/"): {"analyst"},
    ("post", "{id}/publish/"): {"analyst", "administrator"},
}


@pytest.mark.parametrize(("method", "address"), MAY)
@pytest.mark.parametrize("role", Role.values)
def test_roles(maker, role, method, address):
    policy = draft(maker).json()["id"]
    client = client_for(make_user(role))
    response = getattr(client, method)(f"/api/policies/{address.format(id=policy)}")
    assert (response.status_code == 403) is (role not in MAY[method, address]), response.content
    assert response.status_code != 500
