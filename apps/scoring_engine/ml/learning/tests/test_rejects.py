"""Reject inference is an assumption: it is labelled, its effect is shown, and no figure is of rejected applicants."""

import copy
import dataclasses

import numpy as np
import pytest

from apps.scoring_engine.ml.learning.card import scores, tables_of
from apps.scoring_engine.ml.learning.fitting import fit_card
from apps.scoring_engine.ml.learning.recipe import RejectInference, load_recipe
from apps.scoring_engine.ml.learning.rejects import NOTE, capped, joined, with_rejected
from apps.scoring_engine.ml.learning.tests.tables import loans, recipe_text, written
from apps.scoring_engine.ml.learning.training import train

from .made import drawn, own, recipe, rows


def rule(prudence=1.5, bands=4):
    return RejectInference("parcelling", "accepted", ("no",), prudence, bands)


@pytest.fixture(scope="module")
def sides():
    """Accepted applicants of low x, rejected ones of high x, and the card of the accepted."""
    rng = np.random.default_rng(1)
    x = rng.normal(0, 1, 6000)
    data = rows({"x": x}, drawn(rng, -1.5 + x))
    accepted, rejected = data.at(x < 0.5), data.at(x > 0)
    rejected = dataclasses.replace(rejected, is_bad=np.zeros(len(rejected), dtype=bool))
    return fit_card(recipe(own("x", "higher_is_riskier")), accepted), accepted, rejected


def test_each_rejected_counts_once_as_bad_and_good_together(sides):
    card, accepted, rejected = sides
    all_rows = with_rejected(card, accepted, rejected, rule())
    count, more = len(accepted), len(rejected)
    assert len(all_rows) == count + 2 * more
    bad, good = (all_rows.at(np.arange(count + k * more, count + (k + 1) * more)) for k in (0, 1))
    assert bad.is_bad.all()
    assert not good.is_bad.any()
    assert bad.weight + good.weight == pytest.approx(rejected.weight)
    assert (bad.group == good.group).all()


@pytest.mark.parametrize("prudence", [1.0, 2.0])
def test_the_bad_rate_is_of_the_accepted_in_the_same_band_times_prudence(sides, prudence):
    card, accepted, rejected = sides
    all_rows = with_rejected(card, accepted, rejected, rule(prudence))
    assumed = all_rows.weight[len(accepted) : len(accepted) + len(rejected)]
    score, of_rejected = scores(card, accepted), scores(card, rejected)
    lowest = np.quantile(score, 0.25)
    seen, base = accepted.is_bad[score < lowest], accepted.is_bad.mean()
    # One row of the base rate steadies each band.
    expected = prudence * (seen.sum() + base) / (len(seen) + 1)
    assert assumed[of_rejected < lowest] == pytest.approx(min(expected, 0.999))


def test_the_more_prudent_the_lower_the_rejected_score(sides):
    card, accepted, rejected = sides
    made = recipe(own("x", "higher_is_riskier"))
    means = [scores(fit_card(made, with_rejected(card, accepted, rejected, rule(prudence))), rejected).mean()
             for prudence in (1.0, 2.0, 4.0)]  # fmt: skip
    assert means[0] > means[1] + 10 > means[2] + 20


def test_missing_is_capped_by_the_accepted_alone(sides):
    card, accepted, _ = sides
    generous = copy.deepcopy(card)
    generous["characteristics"][0]["missing_points"] = 99
    found = capped(generous, accepted)["characteristics"][0]
    assert found["missing_points"] == card["characteristics"][0]["missing_points"]
    assert generous["characteristics"][0]["missing_points"] == 99
    assert capped(card, accepted) == card


def test_joined_rows_keep_everything():
    one = rows({"x": np.array([1.0, np.nan])}, [True, False], weight=[1, 2], group=np.array([0, 1]))
    both = joined(one, one.at(np.array([1])))
    assert both.states["x"].tolist() == [0, 1, 1]
    assert (both.is_bad.tolist(), both.weight.tolist(), both.group.tolist()) == ([1, 0, 0], [1, 2, 2], [0, 1, 1])


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    table = loans(4000)
    refused = (table["utilisation"] > 70) & (np.arange(4000) % 3 > 0)
    table["accepted"] = np.where(refused, "no", "yes")
    text = recipe_text().replace("seed = 7\n", "seed = 7\npairs = 0\n")
    inference = '\n[reject_inference]\nmethod = "parcelling"\ncolumn = "accepted"\nrejected = ["no"]\nprudence = 3.0\n'
    recipe_file, data = written(tmp_path_factory.mktemp("rejects"), table, text + inference)
    return table, train(load_recipe(recipe_file), data, {})


def test_the_effect_is_shown_and_labelled(trained):
    _, found = trained
    effect = found.report["reject_inference"]
    assert effect["note"] == NOTE
    assert effect["rejected"] == len(found.sample.rejected)
    assert effect["mean_score_shift"] < 0
    assert min(effect["auc_with"], effect["auc_without"]) > 0.6
    assert effect["auc_with"] == found.report["out_of_time"]["auc"]


def test_the_figures_are_of_accepted_applicants_only(trained):
    table, found = trained
    accepted = table[table["accepted"] == "yes"]
    dated = accepted["issued"] < "2015-01-01"
    assert found.report["training"]["rows"] == dated.sum()
    assert found.report["training"]["bads"] == (accepted["outcome"][dated] == "bad").sum()
    assert found.report["out_of_time"]["rows"] == (~dated).sum()
    for bins in found.report["training_bins"].values():
        assert sum(bins["rows"]) == dated.sum()


def test_missing_never_earns_more_than_the_lower_quarter_of_the_accepted(trained):
    _, found = trained
    training = found.rows.at(~found.sample.test)
    for table in tables_of(found.card):
        points = table.points[table.index(training)[table.known(training)]]
        assert table.entry["missing_points"] <= np.percentile(points, 25, method="higher")
