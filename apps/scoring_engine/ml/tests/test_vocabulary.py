import datetime as dt
from decimal import Decimal

import pytest

from apps.scoring_engine.ml.vocabulary import FACTS, FactError, FactsError, as_input, check_facts, shown

INDIVIDUAL = {
    "yearly_income", "salary", "existing_debt", "monthly_debt_payments", "requested_amount", "term_months",
    "purpose", "collateral_value", "property_net_worth", "credit_history_score", "credit_history_scale",
    "criminal_history", "employment_years", "has_guarantor", "inquiries_6m", "delinquencies_24m",
    "open_accounts", "public_records", "revolving_utilisation", "oldest_account_date",
    "declared_yearly_income", "tax_debt", "property_area",
}  # fmt: skip
COMPANY = {
    "revenue", "net_income", "assets", "liabilities", "current_assets", "current_liabilities",
    "retained_earnings", "ebit", "years_in_business", "industry", "requested_amount", "term_months", "purpose",
    "existing_debt", "monthly_debt_payments", "collateral_value", "has_guarantor", "declared_revenue",
    "tax_debt", "property_area",
}  # fmt: skip


def refusal(segment: str = "individual", **facts) -> FactError:
    with pytest.raises(FactsError) as caught:
        check_facts(segment, facts)
    (error,) = caught.value.errors
    return error


def test_the_vocabulary_is_complete():
    assert set(FACTS["individual"]) == INDIVIDUAL
    assert set(FACTS["company"]) == COMPANY


def test_good_facts_pass_unchanged_and_none_is_left_out():
    facts = {
        "yearly_income": 10**15,
        "requested_amount": 1,
        "property_net_worth": -(10**15),
        "employment_years": 2.5,
        "revolving_utilisation": 0,
        "has_guarantor": False,
        "purpose": "car",
        "salary": None,
        "oldest_account_date": "2019-05-31",
    }
    checked = check_facts("individual", facts)
    assert checked == {
        "yearly_income": 10**15,
        "requested_amount": 1,
        "property_net_worth": -(10**15),
        "employment_years": 2.5,
        "revolving_utilisation": 0,
        "has_guarantor": False,
        "purpose": "car",
        "oldest_account_date": dt.date(2019, 5, 31),
    }
    assert facts["oldest_account_date"] == "2019-05-31"


@pytest.mark.parametrize(
    ("name", "value", "given", "allowed"),
    [
        ("yearly_income", -1, "-1", "a whole number from 0 to 1000000000000000"),
        ("yearly_income", 10**15 + 1, "1000000000000001", "a whole number from 0 to 1000000000000000"),
        ("yearly_income", 10**400, "a number of about 401 digits", "a whole number from 0 to 1000000000000000"),
        ("yearly_income", 50000.0, "50000.0", "a whole number from 0 to 1000000000000000"),
        ("yearly_income", "50000", '"50000"', "a whole number from 0 to 1000000000000000"),
        ("yearly_income", True, "true", "a whole number from 0 to 1000000000000000"),
        ("yearly_income", [1], "a list of 1", "a whole number from 0 to 1000000000000000"),
        ("yearly_income", Decimal(5), "a value of type Decimal", "a whole number from 0 to 1000000000000000"),
        ("requested_amount", 0, "0", "a whole number from 1 to 1000000000000000"),
        ("term_months", 601, "601", "a whole number from 1 to 600"),
        ("inquiries_6m", 1001, "1001", "a whole number from 0 to 1000"),
        ("inquiries_6m", 1.0, "1.0", "a whole number from 0 to 1000"),
        ("employment_years", float("nan"), "nan", "a number from 0 to 80"),
        ("employment_years", float("inf"), "inf", "a number from 0 to 80"),
        ("employment_years", 10**400, "a number of about 401 digits", "a number from 0 to 80"),
        ("employment_years", False, "false", "a number from 0 to 80"),
        ("has_guarantor", "false", '"false"', "true or false"),
        ("has_guarantor", 1, "1", "true or false"),
        ("credit_history_scale", "fico", '"fico"', "one of fico_300_850, katm_0_500, other"),
        ("credit_history_scale", ["other"], "a list of 1", "one of fico_300_850, katm_0_500, other"),
        ("purpose", "car\x00", '"car\\x00"', None),
        ("purpose", "x" * 200_000, f'"{"x" * 40}..." (200000 characters)', None),
        ("purpose", "\ud800", '"\\ud800"', None),
        ("oldest_account_date", "2019-02-30", '"2019-02-30"', None),
        ("oldest_account_date", "20190228", '"20190228"', None),
        ("oldest_account_date", "2019-W22-5", '"2019-W22-5"', None),
        ("oldest_account_date", "2019-5-031", '"2019-5-031"', None),
        ("oldest_account_date", "1899-12-31", '"1899-12-31"', None),
        ("oldest_account_date", "٢٠١٩-٠١-٠١", '"٢٠١٩-٠١-٠١"', None),
        ("oldest_account_date", 20190228, "20190228", None),
        ("oldest_account_date", dt.datetime(2019, 1, 1), "a value of type datetime", None),
    ],
)
def test_a_wrong_value_is_refused_with_what_is_allowed(name, value, given, allowed):
    error = refusal(**{name: value})
    assert (error.field, error.given) == (name, given)
    if allowed is not None:
        assert error.message == f"must be {allowed}"


def test_a_day_after_the_scoring_is_refused_when_the_day_is_known():
    facts = {"oldest_account_date": "2024-01-02"}
    assert check_facts("individual", facts, as_of=dt.date(2024, 1, 2))
    with pytest.raises(FactsError, match="to 2024-01-01, not"):
        check_facts("individual", facts, as_of=dt.date(2024, 1, 1))


@pytest.mark.parametrize(
    ("scale", "value", "allowed"),
    [("fico_300_850", 299, "300 to 850"), ("fico_300_850", 851, "300 to 850"), ("katm_0_500", 501, "0 to 500")],
)
def test_a_score_outside_its_scale_is_refused(scale, value, allowed):
    error = refusal(credit_history_score=value, credit_history_scale=scale)
    assert error.field == "credit_history_score"
    assert error.message == f"must be from {allowed} on the scale {scale}"


def test_a_score_without_scale_or_on_another_one_has_the_wide_bounds():
    assert check_facts("individual", {"credit_history_score": 1000})
    assert check_facts("individual", {"credit_history_score": 1000, "credit_history_scale": "other"})


def test_the_scale_is_assumed_only_when_asked_and_absent():
    bare = check_facts("individual", {"credit_history_score": 650}, assumed_scale="fico_300_850")
    assert bare == {"credit_history_score": 650, "credit_history_scale": "fico_300_850"}
    given = {"credit_history_score": 400, "credit_history_scale": "katm_0_500"}
    assert check_facts("individual", given, assumed_scale="fico_300_850") == given
    assert check_facts("individual", {"salary": 5}, assumed_scale="fico_300_850") == {"salary": 5}


def test_facts_outside_the_vocabulary_are_refused_without_repeating_their_value():
    error = refusal(pinfl="31234567890123")
    assert error == FactError("pinfl", "a value of type str", "is not a fact known of an individual")
    assert refusal("company", yearly_income=5).message == "is not a fact known of a company"
    assert refusal(nothing=None).field == "nothing"


def test_every_refusal_is_named_at_once():
    with pytest.raises(FactsError) as caught:
        check_facts("individual", {"salary": "x", "purpose": 4, "inquiries_6m": 2, "city": "T", 3: 4})
    assert [error.field for error in caught.value.errors] == ["salary", "purpose", "city", "3"]
    assert "salary: must be a whole number" in str(caught.value)


@pytest.mark.parametrize("facts", [None, [], "facts", 5, [("salary", 5)]])
def test_only_an_object_holds_facts(facts):
    with pytest.raises(FactsError, match="facts: must be an object"):
        check_facts("individual", facts)


def test_company_values_may_be_negative_where_that_has_a_meaning():
    facts = {"net_income": -5, "ebit": -5, "retained_earnings": -5, "industry": "G"}
    assert check_facts("company", facts) == facts
    assert refusal("company", revenue=-5).field == "revenue"
    assert refusal("company", assets=0).field == "assets"
    assert refusal("company", industry="V").field == "industry"


def test_shown_never_fails_and_never_is_long():
    deep: list = []
    for _ in range(100_000):
        deep = [deep]
    for value in (deep, 10**50_000, b"x" * 1000, object(), {1: 2}, "a\nb", float("-inf"), 1 + 2j):
        text = shown(value)
        assert len(text) < 120
        assert text.isprintable()


def test_as_input_gives_what_a_card_needs():
    assert as_input("individual", "employment_years", required=True) == {
        "name": "employment_years",
        "kind": "number",
        "unit": "years",
        "required": True,
        "least": 0,
        "most": 80,
        "special_codes": {},
    }
