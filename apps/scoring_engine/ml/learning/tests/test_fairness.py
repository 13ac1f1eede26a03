import numpy as np
import pytest
from scipy.stats.contingency import relative_risk

from apps.scoring_engine.ml.learning.fairness import adverse_impact, calibration_by_group, equal_opportunity
from apps.scoring_engine.ml.learning.metrics import wilson


def people(**groups):
    """(chosen, group) of groups given as (chosen, not chosen)."""
    chosen = np.concatenate([np.repeat([True, False], counts) for counts in groups.values()])
    return chosen, np.repeat(list(groups), [sum(counts) for counts in groups.values()])


def test_adverse_impact_of_the_uniform_guidelines():
    """Questions and Answers on the guidelines (1979): 80 applicants 48 hired, 40 applicants 12 hired: 50 %."""
    one, other = adverse_impact(*people(black=(12, 28), white=(48, 32)), "white")
    assert (one.group, one.rows, one.rate, one.ratio, one.enough) == ("black", 40, 0.3, 0.5, True)
    assert (other.group, other.rate, other.ratio, other.lower, other.upper) == ("white", 0.6, 1, 1, 1)
    interval = relative_risk(12, 40, 48, 80).confidence_interval(0.95)
    assert (one.lower, one.upper) == pytest.approx((interval.low, interval.high), abs=1e-12)


@pytest.mark.parametrize("counts", [(0, 40), (40, 0)])
def test_nobody_or_everybody_of_a_group(counts):
    found = adverse_impact(*people(a=counts, b=(30, 10)), "b")[0]
    assert found.ratio == counts[0] / 40 / 0.75
    assert found.lower <= found.ratio <= found.upper < 2
    assert found.lower < found.upper
    back = adverse_impact(*people(a=counts, b=(30, 10)), "a")[1]
    assert np.isnan(back.ratio) == (counts[0] == 0)


def test_small_groups_are_insufficient_evidence():
    groups = people(few=(15, 14), rare=(30, 1), large=(500, 500))
    assert {one.group: one.enough for one in adverse_impact(*groups, "large")} == {
        "few": False, "rare": True, "large": True,
    }  # fmt: skip
    # Everybody is chosen nearly everywhere: of 100, fewer than 5 would not be.
    almost = people(small=(99, 1), large=(9700, 300))
    assert [one.enough for one in adverse_impact(*almost, "large")] == [True, False]
    # A reference group too small makes every comparison too weak.
    assert not any(one.enough for one in adverse_impact(*groups, "few"))


def test_a_reference_that_nobody_is_in_is_refused():
    with pytest.raises(ValueError, match="reference group c"):
        adverse_impact(*people(a=(1, 1), b=(1, 1)), "c")
    with pytest.raises(ValueError, match="1 groups for 2 rows"):
        adverse_impact([True, False], ["a"], "a")


def test_equal_opportunity_is_of_goods_alone():
    selected = np.array([1, 1, 0, 1, 0, 1, 1, 0])
    is_bad = np.array([0, 0, 0, 1, 1, 0, 0, 1])
    group = np.array(["a", "a", "a", "a", "b", "b", "b", "b"])
    one, other = equal_opportunity(selected, is_bad, group, "b")
    assert (one.rows, one.rate, one.ratio) == (3, pytest.approx(2 / 3), pytest.approx(2 / 3))
    assert (other.rows, other.rate) == (2, 1)
    assert equal_opportunity(selected, group == "a", group, "a") == []
    assert [one.group for one in equal_opportunity(selected, group == "a", group, "b")] == ["b"]


def test_calibration_by_group_computed_by_hand():
    is_bad = np.repeat([1, 0, 1, 0], [10, 90, 4, 16])
    probability = np.repeat([0.08, 0.1], [100, 20])
    one, other = calibration_by_group(is_bad, probability, np.repeat(["a", "b"], [100, 20]))
    assert (one.group, one.rows, one.bads, one.observed, one.enough) == ("a", 100, 10, 0.1, True)
    assert (one.expected, one.ratio) == pytest.approx((0.08, 1.25))
    assert (one.lower, one.upper) == pytest.approx([end / 0.08 for end in wilson(10, 100)])
    assert (other.ratio, other.enough) == (pytest.approx(2), False)
    nothing = calibration_by_group([0, 0], [0.0, 0.0], ["a", "a"])[0]
    assert np.isnan([nothing.ratio, nothing.lower, nothing.upper]).all()


@pytest.mark.parametrize("weights", ["whole", "zero"])
def test_whole_weights_are_rows_repeated(weights):
    rng = np.random.default_rng(1)
    p, group = rng.random(400), rng.choice(["a", "b", "c"], 400)
    is_bad, selected = rng.random(400) < p, p < 0.6
    times = rng.integers(0, 4, 400) if weights == "whole" else np.where(group == "c", 0, 1)
    kept = np.repeat(np.arange(400), times)
    for weighted, repeated in (
        (adverse_impact(selected, group, "a", weight=times), adverse_impact(selected[kept], group[kept], "a")),
        (equal_opportunity(selected, is_bad, group, "a", weight=times),
         equal_opportunity(selected[kept], is_bad[kept], group[kept], "a")),
        (calibration_by_group(is_bad, p, group, weight=times),
         calibration_by_group(is_bad[kept], p[kept], group[kept])),
    ):  # fmt: skip
        assert len(weighted) == 3
        for one, other in zip(weighted, repeated, strict=False):  # a group of weight 0 comes with nothing known
            assert [getattr(one, n) for n in one.__slots__[1:]] == pytest.approx(
                [getattr(other, n) for n in one.__slots__[1:]], abs=1e-12
            )
        if weights == "zero":
            assert (weighted[2].rows, np.isnan(weighted[2].ratio), weighted[2].enough) == (0, True, False)
