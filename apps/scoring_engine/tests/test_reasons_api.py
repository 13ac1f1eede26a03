"""The applicant's reasons in replies: the language asked for, past rows, challengers, fallbacks, the erased."""

import pytest
from django.utils import timezone

from apps.accounts.tests.factories import client_for, make_user
from apps.common.crypto import create_data_key, destroy_keys
from apps.scoring_engine.models import PredictionLog
from apps.scoring_engine.promotion import promote_model
from apps.scoring_engine.registration import register_model
from apps.scoring_engine.tests.factories import LONG_AGO, PERSON, caller, make_prediction, put_in_service, validate
from apps.scoring_engine.tests.fixed_card import fixed_card
from apps.scoring_engine.tests.test_registered_estimators import MANIFEST, logistic

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fixed_model")]
ADDRESS, LOG = "/api/score/individual/", "/api/prediction-logs/"
FACTS = PERSON | {"requested_amount": 30_000, "purpose": "small_business"}
FIRST = {
    "en": "The requested amount is 60\u00a0% of your yearly income; among applicants 30\u00a0% is typical.",
    "ru": "Запрошенная сумма составляет 60\u00a0% вашего годового дохода; обычное значение среди заявителей —"
    " 30\u00a0%.",
    "uz": "Soʻralgan summa yillik daromadingizning 60\u00a0foizini tashkil etadi; arizachilar orasida odatdagi qiymat —"
    " 30\u00a0foiz.",
}


@pytest.fixture
def officer():
    return client_for(make_user("officer"))


def told(reply):
    assert reply.status_code == 200, reply.content[:500]
    return reply.json()["language"], reply.json()["reasons"][0]["text"]


@pytest.mark.parametrize("language", FIRST)
def test_the_language_is_the_one_that_is_asked_for(officer, language):
    assert told(officer.post(f"{ADDRESS}?language={language}", FACTS)) == (language, FIRST[language])


@pytest.mark.parametrize(
    ("accepted", "language"),
    [("ru", "ru"), ("uz-Latn, ru;q=0.5", "uz"), ("fr, ru;q=0.3", "ru"), ("de", "en"), ("", "en"), ("\u00ff;q=x", "en")],
)
def test_else_the_client_decides_and_then_the_installation(officer, accepted, language):
    reply = officer.post(ADDRESS, FACTS, headers={"Accept-Language": accepted})
    assert told(reply) == (language, FIRST[language])


def test_the_address_goes_before_the_header(officer):
    reply = officer.post(f"{ADDRESS}?language=uz", FACTS, headers={"Accept-Language": "ru"})
    assert told(reply) == ("uz", FIRST["uz"])


@pytest.mark.parametrize("language", ["", "de", "UZ", "uz-Cyrl", "x" * 5_000, "%00"])
@pytest.mark.parametrize("address", [ADDRESS, "/api/score/company/", f"{ADDRESS}explain/"])
def test_another_language_is_refused_and_nothing_is_scored(officer, address, language):
    reply = officer.post(f"{address}?language={language}", FACTS | {"target_score": 500})
    assert (reply.status_code, reply["Content-Type"]) == (400, "application/problem+json")
    assert reply.json()["errors"] == [{"field": "language", "message": "Allowed are en, ru, uz."}]
    assert not PredictionLog.objects.exists()


def test_a_row_of_the_log_is_read_in_any_language(officer):
    made = officer.post(f"{ADDRESS}?language=ru", FACTS).json()
    for language in FIRST:
        shown = officer.get(f"{LOG}{made['prediction_id']}/?language={language}").json()
        assert (shown["language"], shown["reasons"][0]["text"]) == (language, FIRST[language])
        assert shown["explanation"] == made["explanation"]
    assert officer.get(f"{LOG}{made['prediction_id']}/?language=de").status_code == 400


def test_reasons_are_the_largest_negative_impacts(officer):
    reply = officer.post(ADDRESS, FACTS | {"credit_history_score": 500}).json()
    assert [(reason["code"], reason["feature"], reason["impact"]) for reason in reply["reasons"]] == [
        ("AMOUNT_TO_INCOME", "amount_to_income", -40),
        ("CREDIT_HISTORY_SCORE", "credit_history_score", -40),
        ("PURPOSE", "purpose", -25),
    ]
    assert [entry["impact"] for entry in reply["explanation"]] == [-40, -40, -25]


def test_nothing_against_the_applicant_gives_an_empty_list(officer):
    assert officer.post(ADDRESS, PERSON | {"purpose": "car"}).json()["reasons"] == []


def test_a_fallback_tells_its_reasons_too(officer):
    body = officer.post("/api/score/company/?language=uz", {"revenue": 900, "net_income": -90, "assets": 600}).json()
    assert body["mode"] == "fallback"
    assert body["reasons"][0] == {
        "code": "RETURN_ON_ASSETS",
        "feature": "return_on_assets",
        "text": "Sof foyda kompaniya aktivlarining -15\u00a0foizini tashkil etadi;"
        " odatdagi qiymat deb 2\u00a0foiz olinadi.",
        "impact": -40,
    }  # fmt: skip


def test_a_challengers_row_is_told_by_its_own_card(officer):
    other = fixed_card(version="individual-9.1.0")
    other["characteristics"] = [c | {"typical": 0.25} if c["edges"] == [0.2, 0.5] else c
                                for c in other["characteristics"] if "edges" in c]  # fmt: skip
    put_in_service(other, role="challenger")
    answered = officer.post(f"{ADDRESS}?language=en", FACTS).json()
    beside = PredictionLog.objects.get(role="challenger")
    shown = officer.get(f"{LOG}{beside.id}/").json()
    assert (shown["role"], shown["beside"]) == ("challenger", answered["prediction_id"])
    assert [reason["code"] for reason in shown["reasons"]] == ["AMOUNT_TO_INCOME"]
    assert shown["reasons"][0]["text"].endswith("among applicants 25\u00a0% is typical.")
    assert "role" not in answered


def test_money_of_an_own_fact_is_in_the_currency_of_the_scoring():
    from apps.scoring_engine.ml.tests.examples import OWN_FACTS, wide_card
    from apps.scoring_engine.presentation import render
    from apps.scoring_engine.tests.factories import found

    put_in_service(wide_card())
    row = make_prediction(facts=found(PERSON | OWN_FACTS | {"savings": -1_500}), currency="EUR")
    texts = [reason["text"] for reason in render(row, "ru")["reasons"]]
    assert "Savings: -1\u00a0500\u00a0EUR" in " ".join(texts)


def test_the_erased_have_no_reasons(officer):
    user = make_user("officer", username="second")
    key = create_data_key("owner")
    row = caller(user, data_key=key)
    destroy_keys([key.id], now=timezone.now())
    shown = client_for(user).get(f"{LOG}{row.id}/").json()
    assert (shown["reasons"], shown["explanation"]) == (None, None)


@pytest.fixture
def estimator(fixed_model):
    """A classifier that the test fits itself, in service."""
    checker = make_user("analyst", username="checker")
    maker = make_user("analyst", username="maker")
    model = register_model(content=logistic(), manifest=MANIFEST, actor=maker, now=LONG_AGO)
    validate(model, checker)
    promote_model(model=model, actor=checker, reason="a test", now=LONG_AGO)
    return model


def test_an_estimator_tells_value_and_impact(officer, estimator):
    facts = {"yearly_income": 20_000, "requested_amount": 90_000}
    body = officer.post(f"{ADDRESS}?language=ru", facts).json()
    assert body["model_version"] == "logistic-1.0.0"
    texts = {
        "yearly_income": "Годовой доход: 20\u00a0000\u00a0сум.",
        "requested_amount": "Запрошенная сумма: 90\u00a0000\u00a0сум.",
    }
    assert [(r["feature"], r["impact"], r["text"]) for r in body["reasons"]] == [
        (entry["feature"], entry["impact"], texts[entry["feature"]]) for entry in body["explanation"]
    ]
    assert all(reason["impact"] < 0 for reason in body["reasons"])
    shown = officer.get(f"{LOG}{body['prediction_id']}/?language=uz").json()
    assert {r["text"] for r in shown["reasons"]} >= {"Yillik daromad: 20\u00a0000\u00a0soʻm."}
    missing = officer.post(ADDRESS, {"requested_amount": 90_000}).json()
    assert "No data were given: yearly income." in {reason["text"] for reason in missing["reasons"]}


def test_an_estimator_has_no_changes_and_says_so(officer, estimator):
    body = officer.post(f"{ADDRESS}explain/", PERSON | {"target_score": 1200}).json()
    assert (body["changes"], body["best_reachable_score"]) == (None, None)
    assert body["changes_note"] == (
        "Changes are found only for models that are scorecards; this score comes from a model of another kind."
    )
