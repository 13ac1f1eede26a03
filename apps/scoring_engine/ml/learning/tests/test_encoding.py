import dataclasses

import numpy as np
import pytest

from apps.scoring_engine.ml.learning import encoding
from apps.scoring_engine.ml.learning.card import scores
from apps.scoring_engine.ml.learning.encoding import Bins, encode, fine_bins, readable
from apps.scoring_engine.ml.learning.errors import TableError
from apps.scoring_engine.ml.learning.fitting import fit_card
from apps.scoring_engine.ml.learning.metrics import auc
from apps.scoring_engine.ml.learning.rows import KNOWN, MISSING, SPECIAL, UNAVAILABLE

from .made import drawn, entry_of, own, recipe, rows


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(0.3371, 0.3624, 0.35), (0, 1, 1.0), (12, 13, 13.0), (987, 1013, 1000.0), (-0.3, 0.2, 0.0),
     (-0.36, -0.34, -0.35), (0.0, 0.004, 0.002), (36, 60, 50.0), (-5, 0, 0.0), (1e12, 1.07e12, 1.05e12),
     (0.1, np.nextafter(0.1, 1), np.nextafter(0.1, 1))],
)  # fmt: skip
def test_the_number_with_the_fewest_digits_is_taken(low, high, expected):
    assert readable(low, high) == expected
    assert low < readable(low, high) <= high


def codes_of(bins, values):
    return np.searchsorted(np.asarray(bins.edges), values, side="right").tolist()


def test_few_distinct_values_get_a_bin_each_by_readable_cuts():
    assert fine_bins(np.array([3.0, 0, 0, 1, 2, 2])).edges == (1.0, 2.0, 3.0)
    assert fine_bins(np.array([0.127, 0.431, 0.129])).edges == (0.128, 0.2)
    assert fine_bins(np.array([7.0, 7.0])).edges == fine_bins(np.array([])).edges == ()


def test_many_values_are_cut_near_their_quantiles():
    values = np.random.default_rng(0).normal(0, 1, 20000)
    bins = fine_bins(values)
    share = np.bincount(codes_of(bins, values)) / 20000
    assert 60 <= bins.count <= 64
    assert share.min() > 0.4 / 64
    assert share.max() < 1.6 / 64
    assert max(len(f"{edge:g}".lstrip("-")) for edge in bins.edges) <= 5


def test_a_heavy_value_stands_alone_among_many():
    rng = np.random.default_rng(0)
    light = rng.uniform(0.01, 1, 5000)
    values = np.where(rng.random(5000) < 0.3, 0.0, np.where(rng.random(5000) < 0.2, 0.5, light))
    bins = fine_bins(values)
    places = np.array(codes_of(bins, values))
    for heavy in (0.0, 0.5):
        beside = values[(places == codes_of(bins, [heavy])[0]) & (values != heavy)]
        assert len(beside) < encoding.SLACK * 5000 / encoding.MOST_FINE_BINS
    assert bins.count <= 64 + 3


def test_bins_are_made_wider_and_groups_put_in_order():
    assert Bins((1.0, 2.0, 3.0)).merged([0, 2]) == Bins((2.0,))
    groups = Bins(None, (("b",), ("a",), ("c",)))
    assert groups.count == 3
    assert groups.reordered([2, 1, 0]).merged([0, 1]) == Bins(None, (("c",), ("a", "b")))


def one_feature(values, is_bad, direction="free", kind="number", **rest):
    made = recipe(own("x", direction, kind))
    return encode(rows({"x": values}, is_bad, **rest), made.characteristics, seed=1)[0]


def test_states_come_after_the_bins_in_ascending_order():
    state = np.array([KNOWN, SPECIAL, MISSING, KNOWN, UNAVAILABLE])
    values = np.array([1.0, np.nan, np.nan, 2, np.nan])
    found = one_feature(values, [0, 1, 0, 1, 0], "higher_is_safer", states={"x": state}, codes={"x": ("-9",)})
    assert (found.bins, found.states, found.direction) == (Bins((2.0,)), (MISSING, UNAVAILABLE, SPECIAL), -1)
    assert found.codes.tolist() == found.learnt_on.tolist() == [0, 4, 2, 1, 3]
    assert (found.places, found.has_special) == (5, True)


def test_levels_are_ordered_by_bad_rate():
    values = np.array(["a"] * 100 + ["b"] * 100 + ["rare"] + [None] * 5, dtype=object)
    found = one_feature(values, [True] * 60 + [False] * 140 + [True] + [False] * 5, kind="category")
    # One bad row of one is shrunk to (1 + 20 x 61/201) / 21 = 0.337, which is below 0.55 of a.
    assert found.bins.groups == (("b",), ("rare",), ("a",))
    assert found.codes[[0, 100, 200, 201]].tolist() == [2, 0, 1, 3]


def test_strength_by_the_method_of_moments():
    # Four levels of 100 rows with 10, 20, 30, 40 bads: base 0.25, spread 100 x (2 x 0.0225 + 2 x 0.0025) = 5,
    # expected 3 x 0.1875 = 0.5625, between (5 - 0.5625) / (400 - 100) = 0.0147917, strength 0.1875 / 0.0147917.
    mass, bads = np.full(4, 100.0), np.array([10.0, 20, 30, 40])
    assert encoding._strength(mass, bads) == pytest.approx(12.676, abs=1e-3)
    # Levels that differ less than chance would make them: the most that is allowed.
    assert encoding._strength(mass, np.full(4, 25.0)) == 1000
    assert encoding._strength(mass, np.array([0.0, 0, 100, 100])) == 5


def wide(seed, count=12000, levels=3000):
    rng = np.random.default_rng(seed)
    return rng.integers(0, levels, count), rng


def as_texts(numbers):
    return np.array([f"L{number:04d}" for number in numbers], dtype=object)


def test_a_wide_category_is_seen_out_of_fold_and_each_level_has_one_bin():
    number, rng = wide(1)
    found = one_feature(as_texts(number), drawn(rng, np.full(12000, -1.5)), kind="category")
    assert found.bins.count <= encoding.MOST_FINE_BINS
    held = [level for group in found.bins.groups for level in group]
    assert sorted(held) == sorted(set(as_texts(number)))
    place = {level: code for code, group in enumerate(found.bins.groups) for level in group}
    assert found.codes.tolist() == [place[text] for text in as_texts(number)]
    assert (found.codes != found.learnt_on).any()


@pytest.mark.parametrize("seed", [1, 2])
def test_a_wide_category_of_pure_noise_says_nothing_on_fresh_rows(seed):
    number, rng = wide(seed)
    x = rng.normal(0, 1, 12000)
    is_bad = drawn(rng, -2 + x)
    data = rows({"x": x, "noise": as_texts(number)}, is_bad)
    made = recipe(own("x", "higher_is_riskier"), own("noise", kind="category"))
    card = fit_card(made, data.at(np.arange(6000)))
    fresh = data.at(np.arange(6000, 12000))
    with_it = auc(fresh.is_bad, -scores(card, fresh))
    alone = fit_card(recipe(own("x", "higher_is_riskier")), data.at(np.arange(6000)))
    assert with_it > auc(fresh.is_bad, -scores(alone, fresh)) - 0.01
    entries = [entry for entry in card["characteristics"] if entry["feature"] == "noise"]
    for entry in entries:
        # Seen in the fold, levels of two rows would separate with an AUC above 0.9, and earn hundreds of points.
        assert max(entry["points"]) - min(entry["points"]) < 60
        only = {**card, "characteristics": [entry]}
        assert abs(auc(fresh.is_bad, -scores(only, fresh)) - 0.5) < 0.03


def test_levels_of_one_group_never_speak_for_each_other():
    """A borrower with several loans and an employer of their own: out of fold is out of group."""
    rng = np.random.default_rng(3)
    group = np.repeat(np.arange(1000), 6)
    is_bad = np.repeat(drawn(rng, np.full(1000, -1.0)), 6)
    found = one_feature(as_texts(group), is_bad, kind="category", group=group)
    assert abs(auc(is_bad, found.learnt_on) - 0.5) < 0.05


def test_a_level_never_seen_earns_what_missing_earns():
    rng = np.random.default_rng(5)
    number = rng.integers(0, 5, 4000)
    data = rows({"x": as_texts(number)}, drawn(rng, -2.0 + number / 2))
    card = fit_card(recipe(own("x", kind="category")), data)
    entry = entry_of(card, "x")
    assert entry["unseen_points"] == entry["missing_points"] <= np.percentile(entry["points"], 50)
    new = rows({"x": np.array(["L9999", None], dtype=object)}, np.zeros(2))
    assert scores(card, new).tolist() == [card["base_points"] + entry["missing_points"]] * 2


def test_the_unit_of_weights_does_not_matter():
    number, rng = wide(4, 6000, 60)
    effect = rng.normal(0, 0.7, 60)
    data = rows({"x": as_texts(number)}, drawn(rng, -1.5 + effect[number]), weight=rng.uniform(0.5, 1.5, 6000))
    made = recipe(own("x", kind="category"))
    cards = [fit_card(made, dataclasses.replace(data, weight=data.weight * times)) for times in (1, 1024, 1 / 1024)]
    assert cards[0] == cards[1] == cards[2]


def test_noise_alone_is_refused():
    rng = np.random.default_rng(6)
    data = rows({"x": np.repeat([1.0, 2.0], 500)}, rng.permutation(1000) < 200)
    with pytest.raises(TableError, match="Nothing was learnt"):
        fit_card(recipe(own("x")), data.at(np.r_[0:500]))
