"""Tables and tests of calibration (calibration_tests.py)."""

import numpy as np
import pytest
from scipy import stats

from apps.scoring_engine.ml.learning import metrics
from apps.scoring_engine.ml.learning.calibration_tests import calibration_bins


@pytest.mark.parametrize(
    ("bads", "rows", "lower", "upper"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_wilson_of_newcombe(bads, rows, lower, upper):
    """Newcombe, Statistics in Medicine 17, 1998, table I, score method without continuity correction."""
    assert tuple(round(end, 4) for end in metrics.wilson(bads, rows)) == (lower, upper)
    interval = stats.binomtest(bads, rows).proportion_ci(method="wilson")
    assert metrics.wilson(bads, rows) == pytest.approx((interval.low, interval.high), abs=1e-12)


def test_wilson_stays_inside_and_is_nan_without_rows():
    assert metrics.wilson(20, 20)[1] == 1
    assert np.isnan(metrics.wilson(0, 0)).all()


def test_calibration_table_computed_by_hand():
    table = metrics.calibration_table([0, 0, 0, 1], [0.2, 0.4, 0.6, 0.8], 2)
    assert [(one.rows, one.bads, one.observed) for one in table] == [(2, 0, 0), (2, 1, 0.5)]
    assert [one.expected for one in table] == pytest.approx([0.3, 0.7])
    assert [(one.lower, one.upper) for one in table] == [metrics.wilson(0, 2), metrics.wilson(1, 2)]


def test_bins_keep_ties_together_and_do_not_ask_for_an_order():
    probability = np.repeat([0.01, 0.05, 0.2], [70, 20, 10])
    is_bad = np.arange(100) % 7 == 0
    rows, bads, expected = calibration_bins(is_bad, probability)
    assert rows.tolist() == [70, 20, 10]
    assert expected == pytest.approx([0.7, 1, 2])
    mixed = np.random.default_rng(1).permutation(100)
    assert calibration_bins(is_bad[mixed], probability[mixed])[1].tolist() == bads.tolist()
    assert metrics.calibration_table([], []) == []
    with pytest.raises(ValueError, match="at least one bin"):
        calibration_bins(is_bad, probability, 0)


def test_whole_weights_are_rows_repeated_in_the_table():
    rng = np.random.default_rng(2)
    p, times = rng.random(300).round(2), rng.integers(0, 4, 300)
    is_bad, repeated = rng.random(300) < p, np.repeat(np.arange(300), times)
    weighted = metrics.calibration_table(is_bad, p, weight=times)
    for one, other in zip(weighted, metrics.calibration_table(is_bad[repeated], p[repeated]), strict=True):
        assert [getattr(one, name) for name in one.__slots__] == pytest.approx(
            [getattr(other, name) for name in one.__slots__], abs=1e-12
        )


def test_hosmer_lemeshow_computed_by_hand():
    # Two groups of ten: expected 1 and 4, observed 2 and 3: 1 / 0.9 + 1 / 2.4 = 1.52778.
    p = np.repeat([0.1, 0.4], 10)
    is_bad = np.array([1, 1, *[0] * 8, 1, 1, 1, *[0] * 7])
    found = metrics.hosmer_lemeshow(is_bad, p)
    assert (found.statistic, found.degrees_of_freedom) == (pytest.approx(1.527778, abs=1e-6), 2)
    assert found.p_value == pytest.approx(stats.chi2.sf(1 / 0.9 + 1 / 2.4, 2), abs=1e-12)


def test_hosmer_lemeshow_loses_two_degrees_on_the_rows_it_was_learnt_from():
    rng = np.random.default_rng(3)
    p = rng.random(1000)
    is_bad = rng.random(1000) < p
    new, old = metrics.hosmer_lemeshow(is_bad, p), metrics.hosmer_lemeshow(is_bad, p, learnt_from=True)
    assert (new.degrees_of_freedom, old.degrees_of_freedom) == (10, 8)
    assert old.p_value == pytest.approx(stats.chi2.sf(new.statistic, 8), abs=1e-12)


def test_hosmer_lemeshow_of_what_cannot_be_tested():
    assert np.isnan(metrics.hosmer_lemeshow([], []).p_value)
    assert np.isnan(metrics.hosmer_lemeshow([0, 1], [0.5, 0.5], learnt_from=True).p_value)
    assert metrics.hosmer_lemeshow([0, 0, 1], [0, 0, 1]).statistic == 0
    impossible = metrics.hosmer_lemeshow([1, 0, 1], [0, 0, 1])
    assert (impossible.statistic, impossible.p_value) == (np.inf, 0)


def test_spiegelhalter_computed_by_hand():
    # (-0.1)(0.8) + (0.8)(0.6) + (0.3)(-0.4) = 0.28; 0.64 x 0.09 + 0.36 x 0.16 + 0.16 x 0.21 = 0.1488.
    found = metrics.spiegelhalter([0, 1, 1], [0.1, 0.2, 0.7])
    assert found.z == pytest.approx(0.28 / np.sqrt(0.1488), abs=1e-12)
    assert found.p_value == pytest.approx(2 * stats.norm.sf(found.z), abs=1e-12)


def test_spiegelhalter_is_the_brier_score_standardised():
    rng = np.random.default_rng(4)
    p = rng.random(50)
    is_bad = rng.random(50) < p
    expected, variance = (p * (1 - p)).mean(), ((1 - 2 * p) ** 2 * p * (1 - p)).sum() / 50**2
    z = (metrics.brier(is_bad, p) - expected) / np.sqrt(variance)
    assert metrics.spiegelhalter(is_bad, p).z == pytest.approx(z, abs=1e-9)


def test_spiegelhalter_of_what_cannot_be_tested():
    for is_bad, p in (([], []), ([0, 1], [0.5, 0.5]), ([0, 1], [0, 1])):
        assert np.isnan(metrics.spiegelhalter(is_bad, p).p_value)
    assert metrics.spiegelhalter([1, 0], [0, 0]) == metrics.ZTest(np.inf, 0)


@pytest.mark.parametrize(("bads", "rows", "p"), [(0, 10, 0.1), (3, 10, 0.1), (10, 10, 0.9), (40, 5000, 0.006)])
def test_binomial_and_jeffreys_are_those_of_scipy(bads, rows, p):
    assert metrics.binomial_test(bads, rows, p) == pytest.approx(
        stats.binomtest(bads, rows, p, alternative="greater").pvalue, abs=1e-12
    )
    assert metrics.jeffreys_test(bads, rows, p) == pytest.approx(
        stats.beta.cdf(p, bads + 0.5, rows - bads + 0.5), abs=1e-12
    )


@pytest.mark.parametrize("test", [metrics.binomial_test, metrics.jeffreys_test])
def test_grades_at_their_ends(test):
    assert np.isnan(test(0, 0, 0.1))
    assert (test(1, 10, 0.0), test(9, 10, 1.0)) == (0, 1)
    for bads, rows, p in ((11, 10, 0.1), (-1, 10, 0.1), (1, 10, 1.1), (1, 10, np.nan)):
        with pytest.raises(ValueError, match=r"cannot be|no probability"):
            test(bads, rows, p)
    assert metrics.binomial_test(0, 10, 0.0) == 1


def test_traffic_light():
    lights = [metrics.traffic_light(p) for p in (1.0, 0.05, 0.0499, 0.01, 0.0099, 0.0, np.nan)]
    assert lights == ["green", "green", "amber", "amber", "red", "red", "amber"]
