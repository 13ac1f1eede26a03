"""From an empty database through the API alone: people, policy, applicant, records, request, letters, history.

Only the first administrator comes by command, as the README says. The model is the shipped one, so the policy refers.
"""

import re
from datetime import timedelta
from io import StringIO
from typing import Any

import httpx
from django.core.management import call_command
from django.db import connections
from django.test import LiveServerTestCase, override_settings

from apps.accounts.services import create_user
from apps.common.days import lender_today
from apps.common.tests.committed import CommittedTestCase
from apps.policies.services import DEFAULTS
from apps.webhooks.signing import sign
from apps.webhooks.tests.receiver import receiver
from tests.journeys.test_newcomer import PRODUCT, person_of, terms_of

PASSWORD = "a long enough passphrase"
PEOPLE = {
    "officer": ("officer", "tashkent"),
    "approver": ("approver", "tashkent"),
    "stranger": ("officer", "samarkand"),
    "anvar": ("analyst", None),
    "bahor": ("analyst", None),
    "auditor": ("auditor", None),
}


@override_settings(WEBHOOK_HOSTS=["127.0.0.1"], WEBHOOK_PRIVATE_HOSTS=["127.0.0.1"])
class DecisionJourney(CommittedTestCase, LiveServerTestCase):
    def setUp(self) -> None:
        # What `manage.py create_user root --role administrator` does with a password typed in.
        create_user(username="root", role="administrator", branch=None, password=PASSWORD, kind="person", actor=None)
        self.root = self.sign_in("root")
        for code in ("tashkent", "samarkand"):
            self.ok(self.root.post("/api/branches/", json={"code": code, "name": code.title()}), 201)
        for name, (role, branch) in PEOPLE.items():
            person = {"username": name, "role": role, "branch": branch, "password": PASSWORD}
            self.ok(self.root.post("/api/users/", json=person), 201)
        self.people = {name: self.sign_in(name) for name in PEOPLE}

    def tearDown(self) -> None:
        connections.close_all()

    def sign_in(self, username: str) -> httpx.Client:
        client = httpx.Client(base_url=self.live_server_url, timeout=60)
        self.addCleanup(client.close)
        reply = client.post("/api/auth/login/", json={"username": username, "password": PASSWORD})
        client.headers["Authorization"] = f"Token {reply.json()['token']}"
        return client

    def ok(self, response: httpx.Response, status: int = 200) -> Any:
        assert response.status_code == status, response.text
        return response.json()

    def test_a_request_is_referred_overridden_by_two_and_told(self):
        with receiver() as server:
            secret = self.subscribe(server.url)
            self.publish_policy()
            request = self.apply()
            referred = self.refer(request)
            approved = self.override(referred)
            self.letters(approved)
            self.history(approved)
            self.others(approved)
            self.signed(server.received, secret)

    def subscribe(self, url: str) -> str:
        endpoint = {"url": url, "events": ["credit_request.decided", "credit_request.referred"]}
        return self.ok(self.root.post("/api/webhooks/", json=endpoint), 201)["secret"]

    def publish_policy(self) -> None:
        text = (DEFAULTS / "uz_individual.toml").read_text(encoding="utf-8")
        text = text.replace("valid_from = 2026-01-01", f"valid_from = {lender_today()}", 1)
        draft = self.ok(self.people["anvar"].post("/api/policies/", json={"text": text}), 201)
        address = f"/api/policies/{draft['id']}/publish/"
        self.ok(self.people["anvar"].post(address, json={"comment": "mine"}), 403)
        published = self.ok(self.people["bahor"].post(address, json={"comment": "as the committee decided"}))
        assert (published["state"], published["checked"]["failed_examples"]) == ("published", [])

    def apply(self) -> dict[str, Any]:
        officer = self.people["officer"]
        product = self.ok(self.root.post("/api/products/", json=PRODUCT), 201)
        # Can pay, and has not always paid: only the score speaks against the request.
        bureau = {"inquiries_6m": 9, "delinquencies_24m": 6, "public_records": 2, "revolving_utilisation": 1.4}
        bureau |= {"source": "bureau", "observed_at": lender_today().isoformat(), "open_accounts": 12}
        history = {"yearly_income": 240_000_000, "credit_history_score": 310, "employment_years": 0, "bureau": bureau}
        person = self.ok(officer.post("/api/individuals/", json=person_of() | history), 201)
        self.consent(person["pinfl"])
        terms = terms_of(product) | {"individual": person["id"], "requested_amount": 60_000_000, "channel": "branch"}
        request = self.ok(officer.post("/api/credit-requests/", json=terms), 201)
        assert request["status"] == "pending"
        answer = {"register": "self_ban", "is_listed": False}
        self.ok(officer.post(f"/api/credit-requests/{request['id']}/register-answers/", json=answer), 201)
        records = self.ok(officer.get(f"/api/credit-requests/{request['id']}/"))["external_records"]
        assert len(records) == 2  # Soliq and Kadastr have answered
        return request

    def consent(self, pinfl: str) -> None:
        """To ask the tax service, and no credit bureau."""
        today = lender_today()
        consent = {"pinfl": pinfl, "sources": ["soliq"], "purpose": "credit_assessment", "reference": "Form 12"}
        consent |= {"given_on": today.isoformat(), "expires_on": (today + timedelta(days=90)).isoformat()}
        self.ok(self.people["officer"].post("/api/consents/", json=consent), 201)

    def refer(self, request: dict[str, Any]) -> dict[str, Any]:
        """A demonstration card decides nothing by itself, and no rule that must not be overruled speaks."""
        officer, address = self.people["officer"], f"/api/credit-requests/{request['id']}/"
        said = self.ok(officer.get(f"{address}policy/?language=en"))
        assert (said["policy_outcome"], said["outcome"]) == ("decline", "refer")
        assert "demonstration" in said["bars"]
        current = self.ok(officer.get(address))
        decided = self.ok(officer.post(f"{address}decide/", json={"version": current["version"]}))
        assert (decided["status"], decided["decision"]["outcome"]) == ("referred", "refer")
        assert "bar:demonstration" in [reason["code"] for reason in decided["decision"]["reasons"]]
        return decided

    def override(self, request: dict[str, Any]) -> dict[str, Any]:
        officer, approver = self.people["officer"], self.people["approver"]
        address = f"/api/credit-requests/{request['id']}/"
        wish = {"version": request["version"], "prediction": request["prediction"]["prediction_id"],
                "reason_code": "collateral", "comment": "A flat in Tashkent secures it"}  # fmt: skip
        waiting = self.ok(officer.post(f"{address}approve/", json=wish), 202)
        assert (waiting["state"], waiting["direction"]) == ("waiting", "low_side")
        assert waiting["second_person_for"] == ["override"]  # above the amount that one person may overrule
        queue = self.ok(approver.get("/api/overrides/?state=waiting"))["results"]
        assert [one["id"] for one in queue] == [waiting["id"]]
        confirm = f"/api/overrides/{waiting['id']}/confirm/"
        self.ok(officer.post(confirm, json={"comment": "mine"}), 403)
        approved = self.ok(approver.post(confirm, json={"comment": "I saw the papers"}))
        assert (approved["status"], approved["decision"]["kind"]) == ("approved", "person")
        return approved

    def letters(self, request: dict[str, Any]) -> None:
        officer, address = self.people["officer"], f"/api/credit-requests/{request['id']}/letter/"
        titles = {
            "uz": "Kredit arizangiz maʼqullandi",
            "ru": "Ваша заявка на кредит одобрена",
            "en": "Your credit request is approved",
        }
        for language, title in titles.items():
            page = officer.get(address, params={"language": language})
            assert (page.status_code, page.headers["content-language"]) == (200, language)
            assert f"<h1>{title}</h1>" in page.text
            assert re.search(r"60[,\u00a0]000[,\u00a0]000", page.text)
        first = officer.get(address, params={"language": "en", "decision": 1})
        assert "Your credit request needs a closer look" in first.text
        assert "demonstration model" in first.text

    def history(self, request: dict[str, Any]) -> None:
        steps = self.ok(self.people["auditor"].get(f"/api/credit-requests/{request['id']}/history/?language=en"))
        told = [(step["step"], step["by"] and step["by"]["username"]) for step in steps]
        assert [one for one in told if one[0] != "score"] == [
            ("create", "officer"),
            ("register_answer", "officer"),
            ("decide", "officer"),
            ("override_request", "officer"),
            ("override_confirm", "approver"),
            ("approve", "approver"),
            *[("letter", "officer")] * 4,
        ]
        assert [step["at"] for step in steps] == sorted(step["at"] for step in steps)
        said = {step["step"]: step["comment"] for step in steps}
        assert said["override_request"] == "A flat in Tashkent secures it"
        assert said["override_confirm"] == "I saw the papers"

    def others(self, request: dict[str, Any]) -> None:
        """Another branch finds nothing; an auditor reads all and changes nothing."""
        address = f"/api/credit-requests/{request['id']}/"
        for path in ("", "decisions/", "history/", "policy/", "letter/", "overrides/"):
            assert self.people["stranger"].get(address + path).status_code == 404, path
            assert self.people["auditor"].get(address + path).status_code == 200, path
        self.ok(self.people["auditor"].post(f"{address}review/", json={"version": 3, "reason": "x"}), 403)
        rows = self.ok(self.people["auditor"].get(f"{address}decisions/"))
        assert [(row["number"], row["kind"], row["outcome"]) for row in rows] == [
            (1, "policy", "refer"),
            (2, "person", "approve"),
        ]
        out = StringIO()
        call_command("replay_decisions", "--since", "2020-01-01", stdout=out, stderr=StringIO())
        assert out.getvalue() == "2 decisions replayed: 2 same, 0 different, 0 erased, 0 unreadable.\n"

    def signed(self, received: list[Any], secret: str) -> None:
        assert [one.document["type"] for one in received] == ["credit_request.referred", "credit_request.decided"]
        for one in received:
            made = sign([secret], event_id=one.id, timestamp=int(one.headers["webhook-timestamp"]), body=one.body)
            assert one.headers["webhook-signature"] == made
            assert b"Karimov" not in one.body
