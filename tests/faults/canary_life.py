"""What each identity goes through in an installation, and all of them together."""

import base64
import csv
import os
import re
import subprocess
import sys
from datetime import timedelta
from typing import Any

import httpx

from apps.common.days import lender_today
from tests.faults.canaries import Canary
from tests.installation import BASE, Installation

PASSWORD, REFERENCE = "canary-Password-77", "form KNR-77-55"
CANARIES = [Canary(number) for number in range(int(os.environ.get("CANARIES", "8")))]
ROLES = {"officer": "canary-branch", "approver": "canary-branch", "analyst": None, "auditor": None}
PRODUCT = {
    "code": "canary-product", "name": "Consumer", "kind": "consumer", "currency": "UZS",
    "annual_rate_basis_points": 2600, "repayment_type": "annuity", "least_amount": 1_000_000,
    "most_amount": 100_000_000_000, "least_term_months": 1, "most_term_months": 60,
}  # fmt: skip


class Life:
    """What the canaries go through in one installation. Refusals and what commands say are kept to be searched."""

    def __init__(self, installation: Installation, hook: str) -> None:
        self.installation, self.hook = installation, hook
        self.refused: list[bytes] = []
        self.said: list[bytes] = []
        self.statuses: set[int] = set()
        self.erased: list[str] = []
        self.shown = b""

    def begin(self) -> None:
        administrator = self._signed_in("administrator")
        self.done(administrator.post("/api/branches/", json={"code": "canary-branch", "name": "Main"}))
        for role, branch in ROLES.items():
            user = {"username": role, "role": role, "branch": branch, "password": PASSWORD}
            self.done(administrator.post("/api/users/", json=user))
        self.by = {role: self._signed_in(role) for role in ROLES} | {"administrator": administrator}
        self.product = self.done(administrator.post("/api/products/", json=PRODUCT))["id"]
        events = {"url": self.hook, "events": ["credit_request.decided", "credit_request.referred"]}
        self.done(administrator.post("/api/webhooks/", json=events))

    def _signed_in(self, username: str) -> httpx.Client:
        client = httpx.Client(base_url=self.installation.address, timeout=60)
        reply = client.post("/api/auth/login/", json={"username": username, "password": PASSWORD})
        client.headers["Authorization"] = f"Token {reply.json()['token']}"
        return client

    def done(self, response: httpx.Response) -> Any:
        assert response.status_code < 300, response.text
        self.shown += response.content
        return response.json() if "json" in response.headers["content-type"] else response.text

    def keep(self, *responses: httpx.Response) -> None:
        """A refusal tells neither in its body nor in its headers what was asked for."""
        for response in responses:
            self.statuses.add(response.status_code)
            if response.status_code >= 400:
                self.refused.append(response.content + repr(response.headers).encode())

    def run(self, *arguments: str) -> str:
        """A command; what it says is searched, whatever its exit code."""
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(
            command, cwd=BASE, env=self.installation.environment, capture_output=True, timeout=240, check=False
        )
        self.said.append(done.stdout + done.stderr)
        return done.stdout.decode()

    # --- One identity ---------------------------------------------------------------------------------------

    def go_through(self, canary: Canary) -> None:
        self.knock_in_vain(canary)
        person = self.apply(canary)
        if canary.number % 4 == 0:
            self.apply_as_company(canary)
        self.decide(canary, person)
        self.look_around(canary, person)

    def knock_in_vain(self, canary: Canary) -> None:
        officer, person, pinfl = self.by["officer"], canary.person(), canary.pinfl
        self.keep(
            officer.post("/api/external/soliq/lookup/", json={"pinfl": pinfl}),
            officer.post("/api/external/bureau/lookup/", json={"pinfl": pinfl}),
            officer.post("/api/individuals/lookup/", json={"pinfl": pinfl}),
            officer.post("/api/individuals/", json=person | {"pinfl": pinfl[:-1] + "x"}),
            officer.post("/api/individuals/", json=person | {"birth_date": "1980-01-01"}),
            officer.post("/api/individuals/", json=person | {"phone": canary.name, "email": canary.name}),
            officer.post("/api/individuals/", content=f'{{"pinfl": "{pinfl}", "full_name": "{canary.name}'),
            officer.post("/api/score/individual/", json=canary.facts() | {"full_name": canary.name}),
            officer.get(f"/api/nothing/{pinfl}/", headers={"X-Request-ID": pinfl}),
            officer.get(f"/api/individuals/?pinfl={pinfl}"),
            officer.get(f"/api/individuals/{pinfl}/"),
            officer.get(f"/api/external/soliq/{pinfl[:-1]}/"),
            self.by["administrator"].post("/api/individuals/", json=person),
            httpx.post(f"{self.installation.address}/api/auth/login/", json={"username": pinfl, "password": PASSWORD}),
            httpx.get(f"{self.installation.address}/{pinfl}?name={canary.name}"),
        )

        self.put_in_wrong_places(canary)

    def put_in_wrong_places(self, canary: Canary) -> None:
        """Where a number, a code or the name of a field belongs, the refusal repeats what was given, to whoever gave
        it; nothing else may keep it.
        """
        officer, person, facts = self.by["officer"], canary.person(), canary.facts()
        for response in (
            officer.post("/api/individuals/", json=person | {canary.pinfl: canary.name}),
            officer.post("/api/individuals/", json=person | {"yearly_income": canary.name}),
            officer.post("/api/score/individual/bulk/", json={"applicants": [facts, {canary.pinfl: 1}]}),
            officer.post("/api/consents/", json={"pinfl": canary.pinfl, "sources": [canary.name]}),
        ):
            assert response.status_code == 400

    def apply(self, canary: Canary) -> str:
        officer, pinfl = self.by["officer"], canary.pinfl
        today = lender_today()
        consent = {"pinfl": pinfl, "sources": ["soliq", "bureau"], "purpose": "credit_assessment",
                   "given_on": str(today), "expires_on": str(today + timedelta(days=30)),
                   "reference": f"{REFERENCE} {canary.name}"}  # fmt: skip
        self.done(officer.post("/api/consents/", json=consent, headers={"Idempotency-Key": f"c{canary.number}"}))
        self.keep(officer.post("/api/consents/", json=consent | {"expires_on": "1999-01-01"}))
        key = {"Idempotency-Key": f"p{canary.number}"}
        person = self.done(officer.post("/api/individuals/", json=canary.person(), headers=key))["id"]
        self.keep(officer.post("/api/individuals/", json=canary.person()))
        self.keep(officer.post("/api/individuals/", json=canary.person() | {"full_name": "x"}, headers=key))
        for response in (
            officer.post("/api/external/soliq/lookup/", json={"pinfl": pinfl}),
            officer.post("/api/external/bureau/lookup/", json={"pinfl": pinfl}),
            officer.get(f"/api/external/kadastr/{canary.parcel}/"),
        ):
            assert response.status_code < 600
            self.keep(response)
        return person

    def apply_as_company(self, canary: Canary) -> None:
        officer = self.by["officer"]
        self.keep(officer.post("/api/external/soliq/lookup/", json={"inn": canary.inn}))
        company = self.done(officer.post("/api/companies/", json=canary.company()))["id"]
        self.keep(officer.post("/api/companies/", json=canary.company()))
        self.done(officer.post("/api/companies/lookup/", json={"tax_id": canary.inn}))
        terms = {"product": self.product, "requested_amount": 20_000_000, "term_months": 24, "channel": "branch"}
        request = self.done(
            officer.post("/api/credit-requests/", json=terms | {"company": company, "purpose": "equipment"})
        )
        self.keep(officer.post(f"/api/credit-requests/{request['id']}/decide/", json={"version": request["version"]}))

    def decide(self, canary: Canary, person: str) -> None:
        officer, approver = self.by["officer"], self.by["approver"]
        terms = {"product": self.product, "requested_amount": 60_000_000, "term_months": 24, "channel": "branch",
                 "individual": person, "purpose": "car"}  # fmt: skip
        created = self.done(officer.post("/api/credit-requests/", json=terms))
        address = f"/api/credit-requests/{created['id']}/"
        self.done(officer.post(f"{address}register-answers/", json={"register": "self_ban", "is_listed": False}))
        self.keep(officer.patch(address, json={"version": 99, "term_months": 12}))
        decided = self.done(officer.post(f"{address}decide/", json={"version": self._version(address)}))
        if decided["status"] == "referred":
            said = officer.get(address).json()
            wish = {"version": said["version"], "prediction": said["prediction"]["prediction_id"],
                    "reason_code": "collateral", "comment": f"{canary.name} {canary.pinfl} showed a flat"}  # fmt: skip
            asked = officer.post(f"{address}approve/", json=wish)
            self.keep(asked)
            if asked.status_code == 202:
                confirm = f"/api/overrides/{asked.json()['id']}/confirm/"
                self.keep(officer.post(confirm, json={"comment": canary.name}))
                self.keep(approver.post(confirm, json={"comment": f"{canary.name} was here"}))
        for path in ("letter/?language=uz", "letter/?language=en", "history/", "decisions/", "overrides/", "policy/"):
            self.keep(officer.get(address + path))
        if canary.number % 4 == 3:
            self._erase(person, address)

    def _version(self, address: str) -> int:
        return self.by["officer"].get(address).json()["version"]

    def _erase(self, person: str, address: str) -> None:
        administrator, wish = self.by["administrator"], {"reason": "asked"}
        self.keep(administrator.post(f"/api/individuals/{person}/erase/", json=wish))
        self.keep(self.by["officer"].post(f"{address}withdraw/", json={"version": self._version(address)}))
        self.keep(administrator.post(f"/api/individuals/{person}/erase/", json=wish))
        assert self.by["officer"].get(f"/api/individuals/{person}/").json()["full_name"] is None
        self.keep(self.by["officer"].patch(f"/api/individuals/{person}/", json={"version": 9, "salary": 5}))
        self.erased.append(person)

    def look_around(self, canary: Canary, person: str) -> None:
        officer, facts = self.by["officer"], canary.facts()
        self.done(officer.post("/api/score/individual/", json=facts))
        self.done(officer.post("/api/score/individual/bulk/", json={"applicants": [facts] * 2}))
        self.keep(officer.post("/api/score/individual/explain/", json=facts | {"target_score": 500}))
        changes = {"version": 1, "phone": "+998935559999", "full_name": f"{canary.name}а"}
        self.keep(officer.patch(f"/api/individuals/{person}/", json=changes))

    # --- All of them ----------------------------------------------------------------------------------------

    def look_at_all(self) -> None:
        analyst, auditor = self.by["analyst"], self.by["auditor"]
        policy = auditor.get("/api/policies/").json()["results"]
        candidate = next(one["id"] for one in policy if one["segment"] == "individual")
        self.keep(analyst.post("/api/simulations/", json={"policy": candidate}))
        self.keep(auditor.get("/api/reports/overrides/?since=2020-01-01"), auditor.get("/api/audit/?page_size=200"))
        for page in ("individuals", "companies", "credit-requests", "prediction-logs", "overrides"):
            assert any(form in self.by["officer"].get(f"/api/{page}/?page_size=50").content for form in (b"id", b"[]"))
        token = self.secret("METRICS_TOKEN")
        metrics = httpx.get(f"{self.installation.address}/metrics", headers={"Authorization": f"Bearer {token}"})
        assert metrics.status_code == 200
        self.said.append(metrics.content)

    def secret(self, name: str) -> str:
        """Of the environment, or else of the file that a first start makes."""
        file = (self.installation.data / "local.env").read_text()
        return self.installation.environment.get(name) or re.search(rf"{name}=(.*)", file)[1]

    def break_a_row(self) -> None:
        """What is sealed was changed: a real 500, with its trace in the log."""
        (row,) = self.installation.query("SELECT id FROM individuals_individual ORDER BY created_at LIMIT 1")
        changed = "decode('78', 'hex')" if self.installation.cluster else "x'78'"
        self.installation.write(f"UPDATE individuals_individual SET sealed = {changed} WHERE id = '{row[0]}'")
        response = self.by["officer"].get(f"/api/individuals/{row[0]}/")
        assert response.status_code == 500
        self.keep(response)

    def command(self) -> None:
        folder = self.installation.data.parent
        applicants = folder / "applicants.csv"
        with applicants.open("w", encoding="utf-8", newline="") as file:
            writer = csv.DictWriter(file, [*Canary(1).facts(), "full_name"])
            writer.writeheader()
            writer.writerows(canary.facts() | {"full_name": canary.name} for canary in CANARIES)
        since = ("--since", "2020-01-01")
        for command in (
            ("replay", *since),
            ("replay_decisions", *since),
            ("fairness_report", *since, "--out", str(folder / "fairness")),
            ("rescore_requests",),
            ("score_file", str(applicants), "--segment", "individual", "--out", str(folder / "scored.csv")),
            ("score_file", str(applicants), "--segment", "company", "--out", str(folder / "wrong.csv")),
            ("list_erased_keys",),
            ("erase_person", CANARIES[0].pinfl, "--reason", "asked", "--as", "administrator"),
            ("rotate_keys", "--check"),
        ):
            self.run(*command)

    def rotate(self) -> str:
        """Under a new key, and then without the old one."""
        old = self.secret("ENCRYPTION_KEYS")
        fresh = f"canary-2:{base64.b64encode(os.urandom(32)).decode()}"
        self.installation.environment["ENCRYPTION_KEYS"] = f"{fresh},{old}"
        told = self.run("rotate_keys")
        self.installation.environment["ENCRYPTION_KEYS"] = fresh
        return told
