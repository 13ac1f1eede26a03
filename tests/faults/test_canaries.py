"""No personal identifier stands in clear: planted through the API, sought in database, broker, cache and logs."""

from datetime import date

import httpx
import pytest

from apps.common.identifiers import build_inn, build_pinfl
from tests.installation import Installation

PASSWORD = "canary-Password-77"
PINFL = build_pinfl(birth_date=date(1987, 6, 5), sex="female", area=977, serial=988)
OTHER_PINFL = build_pinfl(birth_date=date(1971, 2, 3), sex="male", area=966, serial=955)
INN, OTHER_INN = build_inn(serial=9_876_543), build_inn(serial=9_765_432)
PERSON = {
    "full_name": "Канарейкина Зумрад",
    "pinfl": PINFL,
    "birth_date": "1987-06-05",
    "phone": "+998935550187",
    "email": "kanareyka@canary.example",
    "yearly_income": 98_765_431,
    "existing_debt": 12_345_679,
    "guarantor": {"name": "Порука Канарейкин", "inn": OTHER_PINFL, "phone": "+998935550188"},
    "credit_history_score": 702,
    "credit_history_scale": "fico_300_850",
    "parcel_ids": ["19:18:17:16:15:1413"],
}
COMPANY = {
    "company_name": "Kanareyka Savdo MCHJ",
    "tax_id": INN,
    "industry": "G",
    "incorporated_date": "2015-05-05",
    "contact": {"name": "Qanotli Qush", "phone": "+998935550189", "email": "qush@canary.example"},
    "statements": [
        {"year": 2024, "revenue": 5_000_000_000, "net_income": 1, "assets": 4_000_000_000, "liabilities": 1}
    ],
    "parcel_ids": ["19:18:17:16:15:1412"],
}
CANARIES = [
    "Канарейкин", "Порука", "Зумрад", PINFL, OTHER_PINFL, INN, OTHER_INN, "935550187", "935550188", "935550189",
    "canary.example", "98765431", "12345679", "19:18:17:16:15", "Kanareyka", "Qanotli", PASSWORD,
]  # fmt: skip
PRODUCT = {
    "code": "canary-product", "name": "Consumer", "kind": "consumer", "currency": "UZS",
    "annual_rate_basis_points": 2600, "repayment_type": "annuity", "least_amount": 1_000_000,
    "most_amount": 100_000_000_000, "least_term_months": 1, "most_term_months": 60,
}  # fmt: skip


@pytest.fixture
def installation(tmp_path):
    made = Installation(tmp_path)
    made.manage("migrate", "--verbosity=0")
    made.manage("create_branch", "canary-branch", "Main")
    for role in ("officer", "administrator"):
        branch = ["--branch=canary-branch"] if role == "officer" else []
        made.manage("create_user", role, f"--role={role}", *branch, typed=f"{PASSWORD}\n")
    yield made
    made.remove()


def signed_in(installation: Installation, username: str) -> httpx.Client:
    client = httpx.Client(base_url=installation.address, timeout=30)
    reply = client.post("/api/auth/login/", json={"username": username, "password": PASSWORD})
    client.headers["Authorization"] = f"Token {reply.json()['token']}"
    return client


def created(response: httpx.Response) -> str:
    assert response.status_code in (200, 201), response.text
    return response.json().get("id", "")


def plant(installation: Installation) -> None:
    """Through every door that takes an identifier, in ways that work and in ways that are refused."""
    administrator, officer = signed_in(installation, "administrator"), signed_in(installation, "officer")
    product = created(administrator.post("/api/products/", json=PRODUCT))
    person = created(officer.post("/api/individuals/", json=PERSON, headers={"Idempotency-Key": "k1"}))
    company = created(officer.post("/api/companies/", json=COMPANY, headers={"Idempotency-Key": "k2"}))
    terms = {"product": product, "requested_amount": 20_000_000, "term_months": 24, "channel": "branch"}
    for applicant in ({"individual": person, "purpose": "car"}, {"company": company, "purpose": "equipment"}):
        created(officer.post("/api/credit-requests/", json=terms | applicant))
    facts = {"yearly_income": 98_765_431, "existing_debt": 12_345_679, "requested_amount": 20_000_000}
    created(officer.post("/api/score/individual/", json=facts))
    created(officer.get(f"/api/external/soliq/{OTHER_INN}/"))
    created(officer.post("/api/external/soliq/lookup/", json={"pinfl": OTHER_PINFL}))
    created(officer.get("/api/external/kadastr/19:18:17:16:15:1411/"))
    created(officer.post("/api/individuals/lookup/", json={"pinfl": PINFL}))
    refused = [
        officer.post("/api/individuals/", json=PERSON),
        officer.post("/api/individuals/", json=PERSON | {"pinfl": PINFL[:-1] + "x"}),
        officer.post("/api/score/individual/", json=facts | {"full_name": "Канарейкина Зумрад"}),
        officer.get(f"/api/nothing/{PINFL}/", headers={"X-Request-ID": PINFL}),
        officer.get(f"/api/individuals/?pinfl={PINFL}"),
        officer.get(f"/api/individuals/{PINFL}/"),
        httpx.post(f"{installation.address}/api/auth/login/", json={"username": "nobody", "password": PASSWORD}),
    ]
    assert all(400 <= response.status_code < 500 for response in refused), [r.status_code for r in refused]


def test_no_identifier_stands_in_clear(installation):
    with installation.web():
        installation.wait_until_ready()
        plant(installation)
        queued = installation.query("SELECT count(*) FROM common_job")[0][0]
        assert queued >= 4
        kept = {"with jobs waiting": everything(installation)}
        with installation.worker():
            installation.wait_for_jobs()
            assert installation.query("SELECT count(*) FROM common_job WHERE state = 'failed'") == [(0,)]
        kept["after the jobs"] = everything(installation)
    kept["after the stop"] = everything(installation)
    for moment, haystack in kept.items():
        found = [canary for canary in CANARIES for form in forms(canary) if form in haystack]
        assert found == [], moment
        assert b"canary-branch" in haystack  # that the search finds what is there
        assert b"api/individuals/" in haystack


def everything(installation: Installation) -> bytes:
    """All files of the data folder, and on PostgreSQL every row, as bytes."""
    files = [path for path in installation.data.rglob("*") if path.is_file()]
    assert any("broker" in path.parts for path in files) or not installation.query("SELECT 1 FROM common_job")
    parts = [path.read_bytes() for path in files if path.name != "local.env"]
    if installation.cluster:
        parts += [repr(rows).encode() for rows in installation.contents().values()]
    return b"\n".join(parts)


def forms(canary: str) -> list[bytes]:
    """As text, as JSON escapes it, and as bytes of a row are shown."""
    return [
        canary.encode(),
        canary.encode("unicode_escape"),
        canary.encode().hex().encode(),
        canary.encode("utf-16-le"),
    ]
