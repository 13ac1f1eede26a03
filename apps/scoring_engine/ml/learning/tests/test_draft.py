"""A drafted recipe trains as it stands, and says what it suspects."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from apps.scoring_engine.ml.learning.draft import draft_of
from apps.scoring_engine.ml.learning.draft_text import text_of_draft
from apps.scoring_engine.ml.learning.errors import TableError
from apps.scoring_engine.ml.learning.guessing import empty_code, special_codes
from apps.scoring_engine.ml.learning.recipe import load_recipe
from apps.scoring_engine.ml.learning.sampling import draw_sample
from apps.scoring_engine.ml.learning.suspicion import is_of_people
from apps.scoring_engine.ml.learning.table import read_tables
from apps.scoring_engine.ml.learning.tests.tables import loans

DATA = Path(__file__).resolve().parents[6] / "shared" / "data"
PUBLIC = [
    ("german_credit/germancredit", "creditability", ""),
    ("taiwan_credit_card_default/UCI_Credit_Card", "default.payment.next.month", ""),
    ("spanish_credit_scoring/CreditScoring", "Status", ""),
    ("polish_bankruptcy/polish_1_3_5year", "class", ""),
    ("sba_national_part/SBAnational_part", "MIS_Status", "ApprovalDate"),
]


def table():
    """Loans with one column of every kind that a draft has to think about."""
    rows = loans(2000)
    rng = np.random.default_rng(1)
    bad = rows["outcome"] == "bad"
    rows["loan_id"] = np.arange(100001, 102001)
    rows["Пол"] = rng.choice(["м", "ж"], 2000)
    rows["region"] = rng.choice(["Tashkent", "Nukus"], 2000)
    rows["recovered"] = np.where(bad, rng.random(2000) + 1, 0).round(3)
    rows["default_reason"] = np.where(bad, rng.choice(["a", "b"], 2000), "")
    rows["comment"] = [f"note {k}" for k in range(2000)]
    rows["country"] = "UZ"
    rows["empty"] = ""
    rows["opened"] = (pd.to_datetime(rows["issued"]) - pd.to_timedelta(rng.integers(30, 900, 2000), "D")).dt.date
    rows["closed"] = (pd.to_datetime(rows["issued"]) + pd.to_timedelta(300, "D")).dt.strftime("%Y-%m-%d")
    rows["term"] = rng.choice(["36 months", "60 months"], 2000)
    rows["guarantor"] = rng.choice(["yes", "no"], 2000)
    rows["years"] = rng.choice(["1", "2", "3", "NA"], 2000)
    rows["score"] = np.where(rng.random(2000) < 0.1, 999, rng.integers(0, 200, 2000)).astype(object)
    rows.loc[rng.random(2000) < 0.2, "score"] = ""
    rows["age"] = rng.integers(18, 75, 2000)
    rows["collateral_value"] = rng.integers(0, 99999, 2000)
    return rows


def drafted(folder, rows, **options):
    data, recipe = folder / "loans.csv", folder / "draft.toml"
    rows.to_csv(data, index=False)
    text = text_of_draft(draft_of(data, "outcome", **options), "individual")
    recipe.write_text(text, encoding="utf-8")
    loaded = load_recipe(recipe)
    return loaded, text, draw_sample(loaded, read_tables(loaded, data, {}))


@pytest.fixture(scope="module")
def draft(tmp_path_factory):
    return drafted(tmp_path_factory.mktemp("draft"), table(), date="issued")


def test_kinds_are_guessed(draft):
    recipe = draft[0]
    assert {rule.column: rule.kind for rule in recipe.inputs} == {
        "income": "number", "amount": "number", "inquiries": "integer", "utilisation": "number",
        "purpose": "category", "fico": "number", "opened": "date", "term": "integer", "guarantor": "flag",
        "years": "integer", "score": "number",
    }  # fmt: skip
    assert [feature.of for feature in recipe.features] == [("opened", "as_of")]
    rules = {rule.column: rule for rule in recipe.inputs}
    assert rules["term"].values == {"36 months": 36, "60 months": 60}
    assert rules["years"].missing == ("NA",)
    assert rules["purpose"].name == "own_purpose", "the engine's own fact has other values"
    assert all(rule.direction == "free" for rule in recipe.characteristics)


def test_codes_and_empties_get_points_of_their_own(draft):
    rule = next(rule for rule in draft[0].inputs if rule.column == "score")
    assert rule.special_codes == {"999": "not stated", "-1": "not stated, empty in the table"}
    assert rule.empty_is == "-1"
    rows = table()
    at = rows["score"] == 999
    rate = (rows["outcome"][at] == "bad").mean()
    assert f"# 999 in {at.sum()} rows looks like a code, bad rate {rate:.1%}" in draft[1]


def test_leaks_ids_and_later_columns_are_left_out_with_a_reason(draft):
    reasons = {one.columns[0]: one.reason for one in draft[0].not_used}
    assert {column: reason.partition(":")[0].partition("(")[0].strip() for column, reason in reasons.items()} == {
        "loan_id": "another number in every row", "recovered": "likely a leak", "default_reason": "likely a leak",
        "comment": "another text in every row", "country": "one value in all rows", "empty": "no value in any row",
        "closed": "2,000 rows have a day after the row's own",
        "collateral_value": "collateral belongs to loss given default and to policy, not to the score",
    }  # fmt: skip


def test_what_says_who_a_person_is_serves_fairness_only(draft):
    assert draft[0].fairness == ("Пол", "region", "age")
    assert is_of_people("Возраст клиента")
    assert is_of_people("yashash viloyati")
    assert not is_of_people("percentage")


def test_trends_are_suggested_and_outcomes_explained(draft):
    assert "looks higher_is_riskier: rank correlation +0." in draft[1]
    assert 'equals = ["bad"]    # taken as bad: 15.0% of the rows; check' in draft[1]
    assert draft[0].time.column == "issued"
    assert 0.2 < draft[2].test.mean() < 0.4


def test_days_numbers_and_letters_as_they_are_written(tmp_path):
    rows = loans(900)
    days = pd.to_datetime(rows["issued"])
    rows["issued"], rows["Доход"] = days.dt.strftime("%m/%d/%Y"), rows["income"]
    rows["outcome"] = np.where(rows["outcome"] == "bad", "Дефолт", "Погашен")
    rows.to_csv(tmp_path / "x.csv", index=False, sep=";", decimal=",", encoding="cp1251")
    text = text_of_draft(draft_of(tmp_path / "x.csv", "outcome", date="issued"), "individual")
    (tmp_path / "x.toml").write_text(text, encoding="utf-8")
    recipe = load_recipe(tmp_path / "x.toml")
    assert (recipe.encoding, recipe.decimal, recipe.date_format) == ("cp1251", ",", "%m/%d/%Y")
    assert recipe.target.equals == ("Дефолт",)
    sample = draw_sample(recipe, read_tables(recipe, tmp_path / "x.csv", {}))
    assert sample.when.tolist() == days.dt.date.tolist()
    assert sample.rows.values["dokhod"].tolist() == rows["income"].tolist()


def test_of_many_outcomes_those_that_are_neither_are_left_out(tmp_path):
    rows = loans(600)
    rows.loc[:49, "outcome"] = "still open"
    rows.loc[50:59, "outcome"] = ""
    recipe, _, sample = drafted(tmp_path, rows)
    assert (recipe.target.good, set(recipe.target.indeterminate)) == (("good",), {"still open", ""})
    assert len(sample.rows) == 540
    assert recipe.holdout == 0.3


@pytest.mark.parametrize(
    ("values", "codes"),
    [
        ([*range(50)] * 20 + [999] * 9, ["999"]),
        ([*range(50)] * 20 + [999] * 2, []),
        ([*range(50)] * 20 + [-9] * 9 + [-8] * 9, ["-9", "-8"]),
        ([*range(-40, 50)] * 20, []),
        ([*range(101)] * 20, []),
        ([*range(18, 90)] * 20 + [99] * 500, ["99"]),
        ([5] * 20, []),
    ],
)
def test_codes_are_repeated_extreme_and_far_from_the_rest(values, codes):
    assert special_codes(np.array(values, dtype=float)) == codes


@pytest.mark.parametrize(
    ("low", "taken", "code"), [(0, [], "-1"), (0, ["-1"], "-9"), (-5, [], "-9"), (-950, [], "-999")]
)
def test_the_code_of_empty_cells_lies_below_all_values(low, taken, code):
    assert empty_code(np.array([low, 7.0, np.nan]), taken) == code


def test_what_has_no_outcome_is_refused(tmp_path):
    loans(50).assign(outcome=range(50)).to_csv(tmp_path / "x.csv", index=False)
    with pytest.raises(TableError, match="Column 'outcome' has 50 different values; an outcome has two, or a few"):
        draft_of(tmp_path / "x.csv", "outcome")
    with pytest.raises(TableError, match=r"no column 'outcom' \(did you mean 'outcome'\?\)"):
        draft_of(tmp_path / "x.csv", "outcom")
    loans(50).assign(outcome=0).to_csv(tmp_path / "x.csv", index=False)
    with pytest.raises(TableError, match="Column 'outcome' has 1 value; an outcome has two, or a few"):
        draft_of(tmp_path / "x.csv", "outcome")


@pytest.mark.parametrize(("file", "target", "date"), PUBLIC)
def test_drafts_of_public_tables_can_be_drawn_from_as_they_stand(tmp_path, file, target, date):
    data = DATA / f"{file}.parquet"
    if not data.exists():
        pytest.skip("the public tables are not in ../shared/data")
    (tmp_path / "draft.toml").write_text(text_of_draft(draft_of(data, target, date=date), "individual"))
    recipe = load_recipe(tmp_path / "draft.toml")
    sample = draw_sample(recipe, read_tables(recipe, data, {}))
    assert 0.2 < sample.test.mean() < 0.4
    assert sample.rows.is_bad.any()
