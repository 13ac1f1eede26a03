"""What an integrating engineer does first, over real HTTP: sign in, make a profile, ask for credit, read the log."""

from typing import Any

import httpx
from django.db import connections
from django.test import LiveServerTestCase

from apps.accounts.tests.factories import PASSWORD, make_branch, make_user
from apps.common.identifiers import build_inn
from apps.common.tests.committed import CommittedTestCase
from apps.companies.tests.factories import make_tax_id
from apps.individuals.tests.factories import make_pinfl

PRODUCT = {
    "code": "consumer-2026", "name": "Consumer credit", "kind": "consumer", "currency": "UZS",
    "annual_rate_basis_points": 2600, "repayment_type": "annuity", "least_amount": 1_000_000,
    "most_amount": 5_000_000_000, "least_term_months": 3, "most_term_months": 60,
}  # fmt: skip
STATEMENT = {
    "year": 2024, "revenue": 4_000_000_000, "net_income": 320_000_000, "assets": 2_500_000_000,
    "liabilities": 1_100_000_000, "current_assets": 1_200_000_000, "current_liabilities": 700_000_000,
    "retained_earnings": 600_000_000, "ebit": 450_000_000,
}  # fmt: skip


class NewcomerJourney(CommittedTestCase, LiveServerTestCase):
    def setUp(self) -> None:
        branch = make_branch("tashkent")
        for role in ("officer", "auditor", "administrator"):
            make_user(role, branch if role == "officer" else None, username=role)

    def tearDown(self) -> None:
        connections.close_all()

    def sign_in(self, username: str) -> httpx.Client:
        client = httpx.Client(base_url=self.live_server_url, timeout=30)
        self.addCleanup(client.close)
        reply = client.post("/api/auth/login/", json={"username": username, "password": PASSWORD})
        client.headers["Authorization"] = f"Token {reply.json()['token']}"
        return client

    def ok(self, response: httpx.Response, status: int) -> Any:
        assert response.status_code == status, response.text
        return response.json() if response.content else None

    def check_adds_up(self, scoring: dict[str, Any]) -> None:
        impacts = [item["impact"] for item in scoring["explanation"]]
        assert scoring["reference_score"] + sum(impacts) == scoring["score"]
        assert scoring["base_points"] + sum(item["points"] for item in scoring["explanation"]) == scoring["score"]
        assert impacts == sorted(impacts)
        assert scoring["probability_of_default"] == 1 / (1 + 2 ** ((scoring["score"] - 400) / 50))

    def test_from_sign_in_to_the_audit_trail_of_a_person(self):
        officer, administrator = self.sign_in("officer"), self.sign_in("administrator")
        product = self.ok(administrator.post("/api/products/", json=PRODUCT), 201)
        person = self.ok(officer.post("/api/individuals/", json=person_of()), 201)
        request = self.ok(
            officer.post("/api/credit-requests/", json=terms_of(product) | {"individual": person["id"]}), 201
        )
        assert (request["status"], request["version"], request["branch"]) == ("pending", 1, "tashkent")
        self.check_adds_up(request["prediction"])
        rows = self.ok(officer.get(f"/api/prediction-logs/?request_id={request['id']}"), 200)["results"]
        # Scored at once on what was stored, and again when the records of Soliq and Kadastr had come.
        assert rows[-1]["cause"] == "create"
        assert {row["cause"].partition(":")[0] for row in rows[:-1]} <= {"record"}
        record = self.ok(officer.get(f"/api/prediction-logs/{rows[-1]['prediction_id']}/"), 200)
        self.check_adds_up(record)
        assert record["facts"]["yearly_income"]["source"] == "profile"
        withdrawn = self.ok(
            officer.post(f"/api/credit-requests/{request['id']}/withdraw/", json={"version": request["version"]}), 200
        )
        assert withdrawn["status"] == "withdrawn"
        trail = self.ok(self.sign_in("auditor").get(f"/api/audit/?subject_id={request['id']}"), 200)["results"]
        actions = [event["action"] for event in reversed(trail)]
        assert actions[0] == "credit_request.create"
        assert actions[-1] == "credit_request.withdraw"
        assert set(actions[1:-1]) == {"credit_request.score"}

    def test_a_company_gets_its_score_too(self):
        officer, administrator = self.sign_in("officer"), self.sign_in("administrator")
        product = self.ok(administrator.post("/api/products/", json=PRODUCT), 201)
        company = self.ok(officer.post("/api/companies/", json=company_of()), 201)
        terms = terms_of(product) | {"company": company["id"], "purpose": "equipment"}
        request = self.ok(officer.post("/api/credit-requests/", json=terms), 201)
        assert request["prediction"]["segment"] == "company"
        self.check_adds_up(request["prediction"])

    def test_scoring_facts_alone_after_reading_what_the_card_asks_for(self):
        officer = self.sign_in("officer")
        schema = self.ok(officer.get("/api/score/schema/individual/"), 200)
        required = {item["name"] for item in schema["inputs"] if item["required"]}
        assert {"yearly_income", "requested_amount", "existing_debt"} <= required
        facts = dict.fromkeys(required, 50_000_000)
        scoring = self.ok(officer.post("/api/score/individual/", json=facts), 200)
        self.check_adds_up(scoring)
        assert scoring["model_digest"] == schema["model_digest"]
        kept = self.ok(officer.get(f"/api/prediction-logs/{scoring['prediction_id']}/"), 200)
        assert kept["score"] == scoring["score"]

    def test_signing_out_closes_the_door(self):
        officer = self.sign_in("officer")
        self.ok(officer.post("/api/auth/logout/"), 204)
        self.ok(officer.get("/api/individuals/"), 401)


def terms_of(product: dict[str, Any]) -> dict[str, Any]:
    return {
        "product": product["id"],
        "requested_amount": 30_000_000,
        "term_months": 24,
        "purpose": "car",
        "channel": "online",
    }


def person_of() -> dict[str, Any]:
    return {
        "full_name": "Dilshod Karimov",
        "pinfl": make_pinfl(),
        "birth_date": "1985-03-14",
        "phone": "+998 90 123 45 67",
        "yearly_income": 120_000_000,
        "existing_debt": 20_000_000,
        "monthly_debt_payments": 1_500_000,
        "employment_years": 6,
        "credit_history_score": 690,
        "credit_history_scale": "fico_300_850",
        "guarantor": {"name": "Aziza Karimova", "inn": build_inn(serial=7), "phone": "+998907654321"},
        "parcel_ids": ["10:01:02:03:04:0055"],
    }


def company_of() -> dict[str, Any]:
    return {
        "company_name": "Zarafshon Savdo MCHJ",
        "tax_id": make_tax_id(),
        "industry": "G",
        "incorporated_date": "2014-05-20",
        "existing_debt": 300_000_000,
        "statements": [STATEMENT],
    }
