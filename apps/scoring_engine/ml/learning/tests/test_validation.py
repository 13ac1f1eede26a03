import dataclasses
import datetime as dt
import json
import math

import numpy as np
import pandas as pd
import pytest

from apps.scoring_engine.ml.learning.card import scores
from apps.scoring_engine.ml.learning.errors import TableError
from apps.scoring_engine.ml.learning.gaming import gaming_test, levers_of, missing_ceilings
from apps.scoring_engine.ml.learning.gates import rows_by_score, score_edges
from apps.scoring_engine.ml.learning.groups import levels_of
from apps.scoring_engine.ml.learning.stability import monotonicity, rows_learnt_from, score_stability, table_figures
from apps.scoring_engine.ml.learning.subject import ModelError, load_model, load_subject
from apps.scoring_engine.ml.learning.tests.hand_made import written
from apps.scoring_engine.ml.learning.validation import accepted, figures_of, gates, headline, plain, validate
from apps.scoring_engine.ml.risk_model import read_model_bytes


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return written(tmp_path_factory.mktemp("model"))


@pytest.fixture(scope="module")
def subject(files):
    return load_subject(load_model(files[0]), files[1], {})


@pytest.fixture(scope="module")
def figures(subject):
    return plain(figures_of(subject))


@pytest.fixture(scope="module")
def served(files):
    """Score and outcome of each row out of time, by the card as it is served."""
    card, table = read_model_bytes(files[0].read_bytes()), pd.read_csv(files[1])
    table = table[table["issued"] >= "2015-01-01"]
    found = []
    for row in table.to_dict("records"):
        facts = {"yearly_income": row["income"], "requested_amount": row["amount"], "inquiries_6m": row["inquiries"],
                 "purpose": {"auto": "car"}.get(row["purpose"], row["purpose"])}  # fmt: skip
        found.append((card.score(facts, as_of=dt.date(2016, 1, 1)).score, row["outcome"] == "bad", row["branch"]))
    return pd.DataFrame(found, columns=["score", "is_bad", "branch"])


def with_card(subject, change):
    """The subject with a card that the reader of cards would refuse."""
    card = json.loads(json.dumps(subject.card))
    change(card)
    model = dataclasses.replace(subject.model, card=card)
    return dataclasses.replace(subject, model=model, score=scores(card, subject.rows))


# Samples


def test_the_rows_out_of_time_are_scored_as_in_serving(figures, served):
    test, expected = figures["test"], (1 / (1 + 2 ** ((served["score"] - 400) / 50))).sum()
    assert (test["rows"], test["bads"]) == (len(served), served["is_bad"].sum())
    assert test["expected_bads"] == pytest.approx(expected, abs=1e-5)
    assert test["observed_to_expected"] == pytest.approx(served["is_bad"].sum() / expected, abs=1e-6)
    bands = test["distribution"]
    goods = sum(band["goods"] for band in bands["bands"])
    assert goods == len(served) - served["is_bad"].sum()
    lowest = bands["bands"][0]["from"]
    assert lowest <= served["score"].min() < lowest + bands["width"]


def test_the_auc_is_that_of_all_pairs_of_a_bad_and_a_good(figures, served):
    bads, goods = (served["score"][served["is_bad"] == side].to_numpy() for side in (True, False))
    wins = (bads[:, None] < goods).mean() + (bads[:, None] == goods).mean() / 2
    assert figures["test"]["auc"] == pytest.approx(wins, abs=1e-6)
    assert figures["test"]["auc_lower"] < wins < figures["test"]["auc_upper"]


def test_grades_are_of_the_annual_probability_and_add_up(figures, served):
    assert sum(one["rows"] for one in figures["test"]["grades"]) == len(served)
    probability = 1 / (1 + 2 ** ((served["score"] - 400) / 50))  # the horizon is 12 months
    grade_e = (probability >= 0.04) & (probability < 0.08)
    found = next(one for one in figures["test"]["grades"] if one["grade"] == "E")
    assert (found["rows"], found["bads"]) == (grade_e.sum(), served["is_bad"][grade_e].sum())
    assert found["expected"] == pytest.approx(probability[grade_e].mean(), abs=1e-6)


def test_over_two_years_the_same_probability_is_a_better_grade(tmp_path):
    model, data = written(tmp_path, changes=lambda card: card.update(horizon={"kind": "fixed", "months": 24}))
    grades = validate(model, data, {})["test"]["grades"]
    probability = 1 / (1 + 2 ** ((load_subject(load_model(model), data, {}).score - 400) / 50))
    assert [one["grade"] for one in grades] == list("ABCDEFG")
    test = load_subject(load_model(model), data, {}).test
    annual = 1 - np.sqrt(1 - probability[test])
    assert grades[4]["rows"] == ((annual >= 0.04) & (annual < 0.08)).sum()
    assert grades[4]["expected"] > 0.08  # over the two years


def test_a_holdout_is_found_again(tmp_path):
    model, data = written(tmp_path, holdout=0.25)
    figures = validate(model, data, {})
    assert figures["data"]["kind"] == "holdout"
    assert figures["test"]["rows"] + figures["training"]["rows"] == 4000
    assert 900 < figures["test"]["rows"] < 1100


def test_another_table_is_new_in_every_row(files, tmp_path):
    table = pd.read_csv(files[1]).iloc[::-1]
    table.to_csv(tmp_path / "new.csv", index=False)
    figures = validate(files[0], tmp_path / "new.csv", {})
    assert figures["data"]["kind"] == "new_data"
    assert figures["test"]["rows"] == 4000
    assert (figures["training"], figures["comparison"], figures["score_stability"]) == (None, None, None)
    assert all(one["training"] is None and one["psi"] is None for one in figures["tables"])


def test_new_rows_are_compared_with_the_training_counts_of_the_manifest(tmp_path):
    counts = {"labels": ["(-inf, 1)", "[1, 2)", "[2, inf)", "missing", "unavailable"], "rows": [900, 1000, 700, 50, 0],
              "bads": [90, 120, 150, 9, 0]}  # fmt: skip
    by_score = {"edges": [430], "rows": [1650, 1000]}
    model, data = written(tmp_path, manifest={"training_bins": {"inquiries_6m": counts}, "training_scores": by_score})
    data.write_text(data.read_text() + "\n")
    figures = validate(model, data, {})
    below, above = figures["score_stability"]["bands"]
    assert (below["training"], above["training"], below["below"], above["from"]) == (1650, 1000, 430, 430)
    moved = np.array([below["test"], above["test"]]) / 4000 - np.array([1650, 1000]) / 2650
    odds = np.log(np.array([below["test"], above["test"]]) / 4000 / (np.array([1650, 1000]) / 2650))
    assert below["test"] + above["test"] == 4000
    assert figures["score_stability"]["psi"] == pytest.approx((moved * odds).sum(), abs=1e-5)
    found = {one["name"]: one for one in figures["tables"]}
    assert found["inquiries_6m"]["training"]["rows"] == [900, 1000, 700, 50, 0]
    test = np.array(found["inquiries_6m"]["test"]["rows"]) + 0.0
    then, now = np.array([900, 1000, 700, 50.5]) / 2650, np.append(test[:3], 0.5) / test.sum()
    assert found["inquiries_6m"]["psi"] == pytest.approx(((now - then) * np.log(now / then)).sum(), abs=1e-5)
    assert found["purpose"]["training"] is None


def test_rows_of_one_outcome_cannot_be_validated_on(files, tmp_path):
    table = pd.read_csv(files[1])
    table["outcome"] = np.where(np.arange(len(table)) == 0, "bad", "good")
    table.iloc[1:].to_csv(tmp_path / "good.csv", index=False)
    with pytest.raises(TableError, match="'outcome'"):
        validate(files[0], tmp_path / "good.csv", {})


# Model and recipe


def test_a_recipe_that_did_not_make_the_card_is_refused_unless_it_is_named(tmp_path):
    model, data = written(tmp_path)
    recipe = tmp_path / "individual_model.recipe.toml"
    recipe.write_text(recipe.read_text() + "\n# changed\n")
    with pytest.raises(ModelError, match=r"not the one that individual_model\.joblib was made by"):
        load_model(model)
    figures = validate(model, data, {}, recipe=recipe)
    assert figures["data"]["recipe"]["named_by_hand"] is True


def test_a_manifest_of_another_file_is_refused(tmp_path):
    model, _ = written(tmp_path, manifest={"sha256": "00"})
    with pytest.raises(ModelError, match="is of another file"):
        load_model(model)


def test_a_model_file_that_is_not_plain_data_is_refused(tmp_path):
    model, _ = written(tmp_path)
    model.write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    with pytest.raises(ModelError, match=r"The model individual_model.joblib is not used: .*only plain data"):
        load_model(model)


def test_groups_are_not_compared_by_an_input(files):
    with pytest.raises(ModelError, match="The column 'amount' is an input"):
        load_subject(load_model(files[0]), files[1], {}, ["amount"])


def test_a_group_column_can_be_named(files):
    subject = load_subject(load_model(files[0]), files[1], {}, ["branch"])
    assert list(subject.sample.extra) == ["sex", "branch"]


# Tables


def test_every_bin_has_its_rows_and_bads_on_either_side(subject, figures, served):
    one = next(one for one in figures["tables"] if one["name"] == "amount_to_income")
    assert one["labels"] == ["(-inf, 0.2)", "[0.2, 0.4)", "[0.4, inf)", "missing", "unavailable"]
    assert (sum(one["test"]["rows"]), sum(one["test"]["bads"])) == (len(served), served["is_bad"].sum())
    assert sum(one["training"]["rows"]) + sum(one["test"]["rows"]) == 4000
    rows, bads = np.array(one["test"]["rows"][:3]), np.array(one["test"]["bads"][:3])
    good_share, bad_share = (rows - bads) / (rows - bads).sum(), bads / bads.sum()
    value = ((good_share - bad_share) * np.log(good_share / bad_share)).sum()
    assert one["test"]["information_value"] == pytest.approx(value, abs=1e-6)


def test_a_pair_counts_its_cells(figures, subject):
    pair = figures["tables"][-1]
    assert pair["points"][:4] == [4, 0, 0, -6]
    ratio = subject.rows.values["amount_to_income"][subject.test]
    cell = (ratio >= 0.3) & (subject.rows.values["inquiries_6m"][subject.test] >= 2)
    assert pair["test"]["rows"][3] == cell.sum()


def test_the_order_is_read_off_the_tables(subject):
    found = monotonicity(subject.tables)
    assert [(one["feature"], one["kind"], one["points"], one["steps"], one["against"]) for one in found] == [
        ("amount_to_income", "characteristic", [50, 0, -50], 2, 0),
        ("inquiries_6m", "characteristic", [30, 5, -25], 2, 0),
        ("amount_to_income", "pair", [[4, 0], [0, -6]], 2, 0),
        ("inquiries_6m", "pair", [[4, 0], [0, -6]], 2, 0),
    ]


def test_steps_against_the_direction_are_counted(subject):
    wrong = with_card(subject, lambda card: card["characteristics"][0].update(points=[50, 60, -50]))
    assert [one["against"] for one in monotonicity(wrong.tables)] == [1, 0, 0, 0]


def test_stability_of_the_score_by_hand():
    training, test = np.repeat(np.arange(10), 10), np.repeat(np.arange(10), [1, 19, *[10] * 8])
    edges, ones = score_edges(training), np.ones(100)
    assert edges.tolist() == list(range(1, 10))
    found = score_stability(edges, rows_by_score(edges, training, ones), rows_by_score(edges, test, ones))
    assert [band["training"] for band in found["bands"]] == [10] * 10
    assert found["psi"] == pytest.approx(-0.09 * math.log(0.1) + 0.09 * math.log(1.9))
    assert found["psi_by_chance"] == pytest.approx(9 * 2 / 100)
    assert [(band["from"], band["below"]) for band in found["bands"]][:2] == [(None, 1), (1, 2)]


# Groups


def test_figures_by_segment(figures, served):
    levels = figures["segments"]["branch"]
    assert [one["level"] for one in levels] == ["north", "south"]
    assert [one["rows"] for one in levels] == served["branch"].value_counts().tolist()
    assert levels[0]["bads"] == served["is_bad"][served["branch"] == "north"].sum()


def test_fairness_is_beside_the_largest_group_and_says_where_evidence_is_insufficient(figures):
    found = figures["fairness"]["sex"]
    assert found["reference"] == "male"
    groups = {one["group"]: one for one in found["groups"]}
    assert set(groups) == {"female", "male", "other"}
    assert groups["female"]["approval"]["enough"] is True
    assert groups["other"]["approval"]["enough"] is False
    female, male = groups["female"]["approval"], groups["male"]["approval"]
    assert female["ratio"] == pytest.approx(female["rate"] / male["rate"], abs=1e-5)


def test_approved_is_at_or_above_the_cut_off_that_accepts_seven_tenths(subject, figures, served):
    found = figures["accepted"]
    assert found["source"] == "share"
    assert (served["score"] >= found["cut_off"]).mean() >= 0.7 > (served["score"] > found["cut_off"]).mean()
    own = dataclasses.replace(subject.recipe, cut_off=480)
    model = dataclasses.replace(subject.model, recipe=own)
    assert accepted(dataclasses.replace(subject, model=model))["cut_off"] == 480


def test_many_numbers_become_five_bands_and_rare_texts_one_level():
    ages = levels_of(np.array([str(age) for age in range(20, 70)] + [""]))
    assert [(ages == level).sum() for level in dict.fromkeys(ages)] == [10, 10, 10, 10, 10, 1]
    assert ages[0] == "under 30"
    assert ages[-1] == "(not given)"
    towns = levels_of(np.array([f"town {k}" for k in range(20) for _ in range(k + 1)]))
    assert len(set(towns)) == 12
    assert (towns == "(all others)").sum() == sum(range(1, 10))


# Comparison


def test_challengers_learn_from_the_training_rows(figures, served):
    compared = figures["comparison"]
    assert compared["training_rows"] == figures["training"]["rows"]
    logistic, trees = compared["challengers"]
    assert (logistic["name"], trees["name"]) == ("logistic regression", "LightGBM")
    assert logistic["auc"] > 0.7  # the truth of the table is linear, and the card knows half of it
    assert logistic["card_auc"] == trees["card_auc"] == figures["test"]["auc"]
    assert logistic["difference"] == pytest.approx(logistic["card_auc"] - logistic["auc"], abs=2e-6)
    assert logistic["lower"] < logistic["difference"] < logistic["upper"]
    for one in (logistic, trees):
        assert one["swap"]["in_rows"] == pytest.approx(one["swap"]["out_rows"])  # both accept the same share


# Gaming


def test_each_input_has_the_side_that_its_tables_agree_on(subject):
    assert {lever.name: lever.risky for lever in levers_of(subject)} == {
        "yearly_income": -1, "requested_amount": 1, "inquiries_6m": 1, "purpose": 0,
    }  # fmt: skip


def test_a_sound_card_cannot_be_gamed(figures):
    for part in ("worsening", "hiding"):
        assert 19_000 < figures["gaming"][part]["pairs"] <= 20_000
        assert figures["gaming"][part]["violations"] == 0
        assert figures["gaming"][part]["worst"] is None
    assert figures["gaming"]["worsening"]["score_rose"] == 0


def test_a_card_against_its_direction_is_caught(subject):
    wrong = with_card(subject, lambda card: card["characteristics"][1].update(points=[30, -25, 40]))
    found = gaming_test(wrong, {}, 500, seed=1)["worsening"]
    assert found["violations"] > 1000
    assert found["worst"]["input"] == "inquiries_6m"
    assert found["worst"]["rise"] == 65 - 4  # the pair takes 4 away


def test_points_for_missing_above_the_25th_percentile_are_caught(subject):
    ceilings = missing_ceilings(subject.tables, rows_learnt_from(subject, table_figures(subject)))
    assert ceilings["inquiries_6m"] == -25  # a quarter of the rows and more have two inquiries
    wrong = with_card(subject, lambda card: card["characteristics"][1].update(missing_points=6))
    found = gaming_test(wrong, ceilings, 500, seed=1)["hiding"]
    assert found["violations"] > 1000
    assert (found["worst"]["input"], found["worst"]["rise"]) == ("inquiries_6m", 31)
    lenient = gaming_test(wrong, {}, 500, seed=1)
    assert lenient["hiding"]["violations"] == 0
    assert len(lenient["hiding_tables_without_ceiling"]) == 4


def test_rejected_applicants_that_the_card_was_learnt_from_count_for_the_percentile(subject):
    rejected = subject.rows.at(np.flatnonzero(subject.rows.values["inquiries_6m"] == 0)[:500])
    facts = dataclasses.replace(rejected, values={k: v for k, v in rejected.values.items() if k != "amount_to_income"})
    sample = dataclasses.replace(subject.sample, rejected=facts)
    model = dataclasses.replace(subject.model, manifest={"figures": {"reject_inference": {"method": "parcelling"}}})
    with_them = dataclasses.replace(subject, sample=sample, model=model)
    tables = table_figures(with_them)
    before = rows_learnt_from(subject, tables)["inquiries_6m"]
    assert (rows_learnt_from(with_them, tables)["inquiries_6m"] - before).tolist() == [500, 0, 0, 0, 0]
    assert rows_learnt_from(dataclasses.replace(with_them, kind="new_data"), tables) == {}


def test_without_order_among_negative_numbers_a_ratio_makes_no_claim(subject):
    def change(card):
        card["inputs"][0]["least"] = -1

    assert {lever.name: lever.risky for lever in levers_of(with_card(subject, change))}["requested_amount"] == 0


# The whole


def test_the_gates_of_the_recipe_are_checked_on_the_test_rows(subject, figures):
    psi = figures["score_stability"]["psi"]
    assert figures["gates"] == [
        {"gate": "auc", "required": "at least 0.6", "found": figures["test"]["auc"], "passed": True},
        {"gate": "population_stability_index", "required": "at most 0.25", "found": psi, "passed": True},
    ]
    new = dataclasses.replace(subject, kind="new_data", test=np.ones(len(subject.rows), dtype=bool))
    assert [(one["found"], one["passed"]) for one in gates(new, {**figures["test"], "auc": 0.59})] == [
        (0.59, False), (None, False),
    ]  # fmt: skip


def test_the_headline_is_flat(figures):
    found = headline(figures)
    assert (found["model"], found["sample"], found["rows"]) == ("small-1.0.0", "out_of_time", figures["test"]["rows"])
    assert found["gaming_violations"] == 0
    assert found["gates_passed"] is True


def test_made_twice_it_is_the_same(subject, figures):
    assert json.dumps(plain(figures_of(subject))) == json.dumps(figures)


def test_figures_are_plain_and_rounded():
    found = plain({"a": np.float64(0.12345678), "b": float("nan"), "c": (np.int64(3), np.bool_(True)), "d": -1e-9})
    assert json.dumps(found) == '{"a": 0.123457, "b": null, "c": [3, true], "d": 0.0}'


def test_the_interval_of_the_slope_is_that_of_the_information_matrix(figures, served):
    x = -(served["score"].to_numpy() - 400) / 50 * math.log(2)
    slope, intercept = 1.0, 0.0
    design = np.column_stack([np.ones(len(x)), x])
    for _ in range(30):
        p = 1 / (1 + np.exp(-(intercept + slope * x)))
        information = design.T @ (design * (p * (1 - p))[:, None])
        intercept, slope = np.array([intercept, slope]) + np.linalg.solve(
            information, design.T @ (served["is_bad"] - p)
        )
    half = 1.959964 * math.sqrt(np.linalg.inv(information)[1, 1])
    test = figures["test"]
    assert test["calibration_slope_lower"] == pytest.approx(slope - half, abs=2e-5)
    assert test["calibration_slope_upper"] == pytest.approx(slope + half, abs=2e-5)
