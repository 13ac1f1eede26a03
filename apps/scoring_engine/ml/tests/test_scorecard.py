import datetime as dt
import json

import pytest

from apps.scoring_engine.ml.scorecard import Assessment, Scorecard

from .examples import AS_OF, applicant, small_card


def assess(*, unavailable: frozenset[str] = frozenset(), card: dict | None = None, **changes) -> Assessment:
    scorecard = Scorecard.from_dict(card or small_card())
    return scorecard.score(applicant(**changes), as_of=AS_OF, unavailable=unavailable)


def entry(assessment: Assessment, feature: str) -> dict:
    return next(e for e in assessment.explanation if e["feature"] == feature)


def test_an_applicant_in_the_reference_bins_has_the_reference_score():
    assessment = assess()
    assert assessment.score == 475
    assert Scorecard.from_dict(small_card()).reference_score == 475
    assert [e["impact"] for e in assessment.explanation] == [0, 0, 0, 0]
    assert assessment.warnings == []
    assert assessment.missing_required == ()


def test_probability_follows_from_the_score():
    assert assess().probability_of_default == 1 / (1 + 2**1.5)


def test_every_entry_has_exactly_the_agreed_keys_and_values():
    assert assess(requested_amount=400).explanation[0] == {
        "feature": "amount_to_income",
        "value": 0.4,
        "points": 5,
        "reference_points": 20,
        "impact": -15,
        "code": "AMOUNT_TO_INCOME",
        "reason": "Requested amount to yearly income is from 35 % to under 50 %; 18 % is typical",
    }


def test_most_harmful_first_and_ties_by_name():
    assessment = assess(requested_amount=500, credit_history_score=500, purpose="small_business")
    assert [(e["feature"], e["impact"]) for e in assessment.explanation] == [
        ("amount_to_income", -60),
        ("credit_history_score", -50),
        ("purpose", -25),
        ("credit_age", 0),
    ]
    assert [e["feature"] for e in assess().explanation] == [
        "amount_to_income", "credit_age", "credit_history_score", "purpose",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("amount", "label", "points"),
    [
        (1, "(-inf, 0.2)", 30),
        (199, "(-inf, 0.2)", 30),
        (200, "[0.2, 0.35)", 20),
        (349, "[0.2, 0.35)", 20),
        (350, "[0.35, 0.5)", 5),
        (500, "[0.5, inf)", -40),
        (10**15, "[0.5, inf)", -40),
    ],
)
def test_a_bin_holds_its_lower_edge_and_not_its_upper(amount, label, points):
    assessment = assess(requested_amount=amount)
    assert assessment.bins["amount_to_income"] == label
    assert entry(assessment, "amount_to_income")["points"] == points


def test_missing_has_its_own_points_and_no_value():
    assessment = assess(credit_history_score=None, credit_history_scale=None)
    found = entry(assessment, "credit_history_score")
    assert (found["value"], found["points"], found["impact"]) == (None, 0, -30)
    assert assessment.bins["credit_history_score"] == "missing"
    assert assessment.score == 445
    assert assessment.warnings == []


def test_a_required_fact_that_is_missing_is_warned_of():
    assessment = assess(yearly_income=None)
    assert assessment.bins["amount_to_income"] == "missing"
    assert assessment.missing_required == ("yearly_income",)
    assert assessment.warnings == [
        {
            "code": "required_missing",
            "fact": "yearly_income",
            "message": "yearly_income is required by this card, but it was not given",
        }
    ]


def test_none_counts_as_missing_even_unchecked():
    facts = applicant() | {"yearly_income": None, "has_guarantor": None}
    assessment = Scorecard.from_dict(small_card()).score(facts, as_of=AS_OF)
    assert assessment.missing_required == ("yearly_income",)
    assert [w["code"] for w in assessment.warnings] == ["required_missing"]


def test_a_source_that_was_down_is_neutral_and_warned_of_if_required():
    assessment = assess(yearly_income=None, unavailable=frozenset({"yearly_income"}))
    found = entry(assessment, "amount_to_income")
    assert (found["value"], found["points"], found["impact"]) == (None, 20, 0)
    assert assessment.bins["amount_to_income"] == "unavailable"
    assert assessment.missing_required == ()
    assert [w["code"] for w in assessment.warnings] == ["required_unavailable"]


def test_unavailable_wins_over_missing_within_a_derived_feature():
    unavailable = frozenset({"yearly_income"})
    assessment = assess(yearly_income=None, requested_amount=None, unavailable=unavailable)
    assert assessment.bins["amount_to_income"] == "unavailable"
    assert assessment.missing_required == ("requested_amount",)


def test_a_value_that_is_known_stands_though_its_source_is_down_now():
    assert assess(unavailable=frozenset({"yearly_income"})).bins["amount_to_income"] == "[0.2, 0.35)"


@pytest.mark.parametrize("scale", ["katm_0_500", "other", None])
def test_a_score_on_another_scale_is_never_a_value(scale):
    assessment = assess(credit_history_score=450, credit_history_scale=scale)
    found = entry(assessment, "credit_history_score")
    assert (found["value"], found["impact"]) == (None, 0)
    assert assessment.bins["credit_history_score"] == "special:other_scale"
    assert [(w["code"], w["fact"]) for w in assessment.warnings] == [("other_scale", "credit_history_score")]


def test_a_special_code_that_is_a_number_stands_for_that_value():
    assessment = assess(credit_history_score=850)
    assert entry(assessment, "credit_history_score")["points"] == 12
    assert assessment.bins["credit_history_score"] == "special:850"
    assert entry(assessment, "credit_history_score")["reason"] == (
        "Credit history score: the bureau's code for a frozen file"
    )


def test_groups_and_unseen_categories():
    assert assess(purpose="wedding").bins["purpose"] == "car|wedding"
    assessment = assess(purpose="medical")
    assert assessment.bins["purpose"] == "unseen"
    assert entry(assessment, "purpose")["points"] == -5
    assert entry(assessment, "purpose")["value"] == "medical"
    assert [(w["code"], w["fact"]) for w in assessment.warnings] == [("unseen_category", "purpose")]


def test_flags_have_groups_of_true_and_false():
    card = small_card()
    card["inputs"].append(
        {"name": "has_guarantor", "kind": "flag", "unit": "flag", "required": False, "least": None, "most": None}
    )
    purpose = card["characteristics"][2]
    guarantor = {**purpose, "feature": "has_guarantor", "label": "Guarantor", "code": "GUARANTOR"}
    card["characteristics"].append({**guarantor, "groups": [[True], [False]], "typical": False})
    assert assess(card=card, has_guarantor=True).bins["has_guarantor"] == "yes"
    no = assess(card=card, has_guarantor=False)
    assert entry(no, "has_guarantor")["points"] == -15
    assert entry(no, "has_guarantor")["reason"] == "Guarantor is no; no is typical"


def test_years_between_and_a_date_after_the_scoring():
    assert assess(oldest_account_date=dt.date(2019, 1, 1)).bins["credit_age"] == "[4.5, inf)"
    assert assess(oldest_account_date=dt.date(2023, 6, 1)).bins["credit_age"] == "(-inf, 1)"
    late = assess(oldest_account_date=dt.date(2024, 6, 1))
    assert entry(late, "credit_age")["value"] == 0.0


def test_a_fact_the_card_does_not_use_is_named():
    assessment = assess(collateral_value=5, term_months=24)
    assert [(w["code"], w["fact"]) for w in assessment.warnings] == [("fact_not_used", "collateral_value")]


def test_a_fixed_horizon_does_not_use_the_term():
    card = small_card() | {"horizon": {"kind": "fixed", "months": 12}}
    assert [w["fact"] for w in assess(card=card, term_months=24).warnings] == ["term_months"]


def test_horizon_months():
    contract = Scorecard.from_dict(small_card())
    fixed = Scorecard.from_dict(small_card() | {"horizon": {"kind": "fixed", "months": 12}})
    assert [contract.horizon_months(), contract.horizon_months(24)] == [36, 24]
    assert [fixed.horizon_months(), fixed.horizon_months(24)] == [12, 12]


def test_scoring_changes_neither_the_facts_nor_the_card():
    card = Scorecard.from_dict(small_card())
    facts = applicant()
    first = card.score(facts, as_of=AS_OF)
    first.explanation[0]["reason"] = "spoilt"
    first.bins.clear()
    assert facts == applicant()
    assert card.score(facts, as_of=AS_OF).explanation[0]["reason"] != "spoilt"
    assert len(card.score(facts, as_of=AS_OF).bins) == 4


def test_digest_is_of_the_content_alone():
    card = Scorecard.from_dict(small_card())
    shuffled = dict(reversed(small_card().items()))
    assert Scorecard.from_dict(shuffled).digest == card.digest
    assert Scorecard.from_dict(json.loads(json.dumps(card.to_dict()))).digest == card.digest
    assert Scorecard.from_dict(small_card() | {"base_points": 401}).digest != card.digest
    assert len(card.digest) == 64


def test_a_card_is_cut_off_from_the_dict_it_came_from():
    source = small_card()
    card = Scorecard.from_dict(source)
    source["characteristics"][0]["points"][1] = 999
    assert card.to_dict() == small_card()
    assert card.score(applicant(), as_of=AS_OF).score == 475
