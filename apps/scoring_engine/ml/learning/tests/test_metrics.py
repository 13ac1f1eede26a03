import json

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import brentq
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score, roc_curve

from apps.scoring_engine.ml.learning import calibration_tests, metrics
from apps.scoring_engine.ml.learning.errors import TrainingError

RANKING = (metrics.auc, metrics.ks, metrics.roc_points, metrics.gain_points, metrics.figures)


@pytest.fixture
def rows():
    rng = np.random.default_rng(5)
    probability = np.round(rng.beta(1, 6, 3000), 2).clip(0.01, 0.99)  # rounded: many ties
    return rng.random(3000) < probability**0.8, probability


def test_auc_of_a_worked_example():
    # Pairs (bad, good): 0.8 beats 0.4 and 0.5; 0.4 ties with 0.4 and loses to 0.5: 2.5 of 4.
    assert metrics.auc(np.array([1, 1, 0, 0]), np.array([0.8, 0.4, 0.4, 0.5])) == 0.625


def test_figures_are_those_of_scikit_learn_and_scipy(rows):
    is_bad, p = rows
    found = metrics.figures(is_bad, p)
    assert found["auc"] == pytest.approx(roc_auc_score(is_bad, p), abs=1e-6)
    assert found["gini"] == pytest.approx(2 * roc_auc_score(is_bad, p) - 1, abs=1e-6)
    assert found["ks"] == pytest.approx(stats.ks_2samp(p[is_bad], p[~is_bad]).statistic, abs=1e-6)
    assert found["brier"] == pytest.approx(brier_score_loss(is_bad, p), abs=1e-6)
    assert found["observed_to_expected"] == pytest.approx(is_bad.sum() / p.sum(), abs=1e-6)
    assert (found["rows"], found["bads"]) == (3000, int(is_bad.sum()))
    assert metrics.log_loss(is_bad, p) == pytest.approx(log_loss(is_bad, p), abs=1e-12)


def test_calibration_slope_is_that_of_an_unpenalised_logistic_regression(rows):
    is_bad, p = rows
    model = LogisticRegression(C=np.inf, tol=1e-10, max_iter=1000).fit(metrics.log_odds(p)[:, None], is_bad)
    assert metrics.calibration_slope(is_bad, p) == pytest.approx(model.coef_[0, 0], abs=1e-4)


def test_calibration_intercept_makes_expected_meet_observed(rows):
    is_bad, p = rows
    moved = metrics.sigmoid(metrics.log_odds(p) + metrics.calibration_intercept(is_bad, p))
    assert moved.sum() == pytest.approx(is_bad.sum(), abs=1e-6)


def test_paired_bootstrap_finds_a_difference_and_none_where_there_is_none(rows):
    is_bad, p = rows
    noise = np.random.default_rng(2).random(len(p))
    group = np.arange(len(p)) // 3
    better, low, _ = metrics.paired_bootstrap(is_bad, p, noise, group, draws=200)
    assert better == pytest.approx(roc_auc_score(is_bad, p) - roc_auc_score(is_bad, noise), abs=1e-12)
    assert low > 0
    assert metrics.paired_bootstrap(is_bad, p, 2 * p, group, draws=50) == (0.0, 0.0, 0.0)


def test_auc_of_hanley_and_mcneil():
    """Radiology 143, 1982, table I: five ratings of 109 images, W = 0.893."""
    normal, abnormal = [33, 6, 6, 11, 2], [3, 2, 2, 11, 33]
    is_bad = np.repeat([0] * 5 + [1] * 5, normal + abnormal)
    assert round(metrics.auc(is_bad, np.repeat([1, 2, 3, 4, 5] * 2, normal + abnormal)), 3) == 0.893
    weighted = metrics.auc([0] * 5 + [1] * 5, [1, 2, 3, 4, 5] * 2, normal + abnormal)
    assert weighted == metrics.auc(is_bad, np.repeat([1, 2, 3, 4, 5] * 2, normal + abnormal))


def test_roc_points_are_those_of_scikit_learn(rows):
    is_bad, p = rows
    expected = roc_curve(is_bad, p, drop_intermediate=False)
    for found, wanted in zip(metrics.roc_points(is_bad, p), expected[:2], strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-15)


def test_gain_and_lift_computed_by_hand():
    # Riskiest first: bad, good, then a bad and a good tied, then six goods. 2 bads among 10.
    is_bad, risk = [1, 0, 1, 0, 0, 0, 0, 0, 0, 0], [9, 8, 7, 7, 6, 5, 4, 3, 2, 1]
    share, bads = metrics.gain_points(is_bad, risk)
    np.testing.assert_allclose(share, [0, 0.1, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1])
    np.testing.assert_allclose(bads, [0, 0.5, 0.5, 1, 1, 1, 1, 1, 1, 1])
    assert metrics.lift_at(is_bad, risk, 0.1) == pytest.approx(5)  # 1 of 1 against 2 of 10
    assert metrics.lift_at(is_bad, risk, 0.3) == pytest.approx(0.75 / 0.3)  # half of the tied bad
    assert metrics.lift_at(is_bad, risk, 1) == 1
    with pytest.raises(ValueError, match="share of rows"):
        metrics.lift_at(is_bad, risk, 0)


def test_figures_have_the_error_and_the_loss(rows):
    is_bad, p = rows
    found = metrics.figures(is_bad, p)
    assert found["log_loss"] == round(log_loss(is_bad, p), 6)
    assert found["expected_calibration_error"] == round(metrics.expected_calibration_error(is_bad, p), 6)
    assert found["bad_rate"] == round(is_bad.mean(), 6)


def test_expected_calibration_error_computed_by_hand():
    # Two bins of two: expected 0.3, observed 0 of 2; expected 0.7, observed 1 of 2. (2 x 0.3 + 2 x 0.2) / 4.
    assert metrics.expected_calibration_error([0, 0, 0, 1], [0.2, 0.4, 0.6, 0.8], 2) == pytest.approx(0.25)
    assert metrics.expected_calibration_error([0, 1], [0.5, 0.5]) == 0


def integer_weights(count):
    """(weights 0..3, the rows repeated so many times)"""
    times = np.random.default_rng(1).integers(0, 4, count)
    return times.astype(float), np.repeat(np.arange(count), times)


def flat(found):
    return np.concatenate([np.ravel(part) for part in (found if isinstance(found, tuple) else (found,))])


COUNTING = {
    "auc": metrics.auc,
    "ks": metrics.ks,
    "roc_points": metrics.roc_points,
    "gain_points": metrics.gain_points,
    "lift_at": lambda y, p, **weight: metrics.lift_at(y, p, 0.1, **weight),
    "brier": metrics.brier,
    "log_loss": metrics.log_loss,
    "calibration_slope": metrics.calibration_slope,
    "calibration_intercept": metrics.calibration_intercept,
    "fit_logistic": lambda y, p, **weight: metrics.fit_logistic(p**2, y, 0.3 * p, **weight),
    "expected_calibration_error": metrics.expected_calibration_error,
    "calibration_bins": lambda y, p, **weight: calibration_tests.calibration_bins(y, p, **weight),
    "swap_sets": lambda y, p, **w: np.array([getattr(metrics.swap_sets(y, -p, np.sin(9 * p), 0.7, **w), name)
                                            for name in metrics.SwapSets.__slots__]),
}  # fmt: skip


@pytest.mark.parametrize("name", COUNTING)
def test_a_whole_weight_is_the_row_repeated_and_a_weight_of_all_changes_no_share(rows, name):
    is_bad, p = rows
    times, repeated = integer_weights(len(p))
    weighted = flat(COUNTING[name](is_bad, p, weight=times))
    np.testing.assert_allclose(weighted, flat(COUNTING[name](is_bad[repeated], p[repeated])), rtol=1e-9, atol=1e-9)
    if name in ("swap_sets", "calibration_bins"):
        return
    np.testing.assert_allclose(flat(COUNTING[name](is_bad, p, weight=times * 0.37)), weighted, rtol=1e-9, atol=1e-9)


def test_weighted_figures_are_of_the_weights_but_count_rows(rows):
    is_bad, p = rows
    times, repeated = integer_weights(len(p))
    found, wanted = metrics.figures(is_bad, p, times), metrics.figures(is_bad[repeated], p[repeated])
    assert (found.pop("rows"), found.pop("bads")) == (len(p), is_bad.sum())
    assert found == {name: pytest.approx(wanted[name], abs=1.1e-6) for name in found}
    assert found["auc"] == pytest.approx(roc_auc_score(is_bad, p, sample_weight=times), abs=1e-6)
    assert found["brier"] == pytest.approx(brier_score_loss(is_bad, p, sample_weight=times), abs=1e-6)
    assert found["log_loss"] == pytest.approx(log_loss(is_bad, p, sample_weight=times), abs=1e-6)


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("spread", [0.0, 1.0, 30.0])
def test_fit_intercept_solves_its_equation(weighted, spread):
    rng = np.random.default_rng(3)
    offset = 3 + spread * rng.normal(size=500)
    is_bad, weight = rng.random(500) < 0.02, rng.random(500) + 0.1 if weighted else None
    times = np.ones(500) if weight is None else weight

    def gap(a):
        return float(times @ (metrics.sigmoid(offset + a) - is_bad))

    wanted = brentq(gap, -300, 300, xtol=1e-13, rtol=1e-14)
    assert metrics.fit_intercept(offset, is_bad, weight=weight) == pytest.approx(wanted, abs=1e-10)


def test_fit_intercept_without_an_outcome_is_at_its_end():
    assert metrics.fit_intercept(np.zeros(3), [0, 0, 0]) == -60
    assert metrics.fit_intercept(np.zeros(3), [1, 1, 1]) == 60
    assert metrics.fit_intercept(np.zeros(3), [1, 1, 0], weight=np.array([1, 1, 0])) == 60


def test_fit_logistic_with_weights_is_that_of_scikit_learn(rows):
    is_bad, p = rows
    x, weight = 1e4 + 50 * p, np.random.default_rng(4).random(len(p)) + 0.1  # far from 0: standardised inside
    model = LogisticRegression(C=np.inf, tol=1e-12, max_iter=5000).fit(50 * p[:, None], is_bad, sample_weight=weight)
    intercept, slope = metrics.fit_logistic(x, is_bad, weight=weight)
    assert slope == pytest.approx(model.coef_[0, 0], abs=1e-5)
    assert intercept + 1e4 * slope == pytest.approx(model.intercept_[0], abs=1e-4)


def test_fit_logistic_beside_an_offset_has_no_gradient_left(rows):
    is_bad, p = rows
    x, offset = np.sqrt(p), metrics.log_odds(p) * 2
    intercept, slope = metrics.fit_logistic(x, is_bad, offset)
    rest = is_bad - metrics.sigmoid(intercept + slope * x + offset)
    assert [rest.sum(), rest @ x] == pytest.approx([0, 0], abs=1e-7)


def test_fits_of_what_has_no_fit_end(rows):
    is_bad, _ = rows
    x = np.linspace(-1, 1, 200)
    assert metrics.fit_logistic(x, x > 0)[1] > 1000
    assert metrics.fit_logistic(np.full(len(is_bad), 7.0), is_bad)[1] == 0
    assert np.isnan(metrics.calibration_slope(x > 0, metrics.sigmoid(x)))
    assert np.isnan(metrics.calibration_slope(x < 0, metrics.sigmoid(x)))
    assert np.isnan(metrics.calibration_slope(is_bad, np.full(len(is_bad), 0.2)))


def test_figures_without_a_finite_value_are_none_and_fit_json():
    perfect = metrics.figures([0, 0, 0, 1], [0.0, 0.1, 0.1, 1.0])
    assert (perfect["auc"], perfect["ks"], perfect["calibration_slope"]) == (1, 1, None)
    assert metrics.figures([0, 1], [0.0, 0.0])["observed_to_expected"] is None
    assert json.loads(json.dumps(perfect, allow_nan=False)) == perfect


@pytest.mark.parametrize("figure", RANKING)
@pytest.mark.parametrize("is_bad", [[0, 0, 0], [1, 1, 1], []])
def test_one_outcome_ranks_nothing(figure, is_bad):
    with pytest.raises(TrainingError, match="both outcomes"):
        figure(is_bad, np.linspace(0.1, 0.3, len(is_bad)))


@pytest.mark.parametrize("figure", RANKING)
@pytest.mark.parametrize(
    ("is_bad", "risk", "weight", "sentence"),
    [
        ([0, 1], [0.1, np.nan], None, "Row 1 has no figure"),
        ([0, 1], [0.1, 0.2, 0.3], None, "shape"),
        ([0, 2], [0.1, 0.2], None, "neither 0 nor 1"),
        ([0, np.nan], [0.1, 0.2], None, "neither 0 nor 1"),
        ([0, 1], [0.1, 0.2], [1, -1], "below zero"),
        ([0, 1], [0.1, 0.2], [1, np.inf], "not finite"),
        ([0, 1], [0.1, 0.2], [1], "weights of shape"),
    ],
)
def test_arrays_that_mean_nothing_are_refused(figure, is_bad, risk, weight, sentence):
    with pytest.raises(ValueError, match=sentence):
        figure(is_bad, risk, weight=weight)


def test_no_rows_no_error_and_what_is_no_probability_is_refused():
    assert all(np.isnan(f([], [])) for f in (metrics.brier, metrics.log_loss, metrics.expected_calibration_error))
    for figure in (metrics.brier, metrics.log_loss, metrics.expected_calibration_error, metrics.calibration_slope):
        with pytest.raises(ValueError, match="outside 0 to 1"):
            figure([0, 1], [0.5, 1.5])


@pytest.mark.parametrize("weighted", [False, True])
def test_auc_interval_is_that_of_rows_drawn_by_group(rows, weighted):
    is_bad, p = (column[:200] for column in rows)
    group = np.arange(200) // 4
    weight = np.random.default_rng(8).random(200) if weighted else np.ones(200)
    rng, wanted = np.random.default_rng(9), []
    for _ in range(60):
        drawn = np.concatenate([np.flatnonzero(group == k) for k in rng.integers(0, 50, 50)])
        wanted.append(roc_auc_score(is_bad[drawn], p[drawn], sample_weight=weight[drawn]))
    given = weight if weighted else None
    found, lower, upper = metrics.auc_interval(is_bad, p, group, draws=60, seed=9, weight=given)
    assert found == metrics.auc(is_bad, p, given)
    assert (lower, upper) == pytest.approx(np.percentile(wanted, [2.5, 97.5]), abs=1e-12)


def test_auc_interval_leaves_out_draws_without_a_bad():
    assert metrics.auc_interval([1, 0, 0, 0], [4, 1, 2, 3], np.arange(4), draws=100) == (1, 1, 1)
    assert metrics.auc_interval([1, 0], [1, 0], np.array(["one", "one"]), draws=5) == (1, 1, 1)


def test_draws_fall_for_large_tables(rows, monkeypatch):
    is_bad, p = rows
    monkeypatch.setattr(metrics, "ROWS_DRAWN", 250 * len(p))
    drawn = []
    metrics.paired_bootstrap(is_bad, p, -p, np.arange(len(p)), draws=400, on_draw=lambda: drawn.append(1))
    monkeypatch.setattr(metrics, "ROWS_DRAWN", 10)
    assert len(drawn) == 250
    metrics.paired_bootstrap(is_bad, p, -p, np.arange(len(p)), draws=400, on_draw=lambda: drawn.append(1))
    assert len(drawn) == 250 + 200


def delong_by_pairs(is_bad, first, second):
    """Difference and its variance, equations (1) to (5) of DeLong, DeLong and Clarke-Pearson (1988), pair by pair."""
    areas, by_bad, by_good = [], [], []
    for risk in (first, second):
        bad, good = risk[is_bad], risk[~is_bad]
        psi = (bad[:, None] > good) + 0.5 * (bad[:, None] == good)
        areas.append(psi.mean())
        by_bad.append(psi.mean(axis=1))
        by_good.append(psi.mean(axis=0))
    covariance = np.cov(by_bad) / is_bad.sum() + np.cov(by_good) / (~is_bad).sum()
    contrast = np.array([1, -1])
    return areas[0] - areas[1], contrast @ covariance @ contrast


def test_delong_is_that_of_all_pairs(rows):
    is_bad, p = (column[:400] for column in rows)
    second = np.round(p + np.random.default_rng(6).normal(0, 0.1, 400), 1)
    found, (difference, variance) = metrics.delong(is_bad, p, second), delong_by_pairs(is_bad, p, second)
    z = difference / np.sqrt(variance)
    assert (found.first, found.second) == pytest.approx((roc_auc_score(is_bad, p), roc_auc_score(is_bad, second)))
    assert found.difference == pytest.approx(difference, abs=1e-14)
    assert found.z == pytest.approx(z, rel=1e-9)
    assert found.p_value == pytest.approx(2 * stats.norm.sf(abs(z)), rel=1e-9)
    assert (found.upper - found.lower) / 2 == pytest.approx(stats.norm.ppf(0.975) * np.sqrt(variance), rel=1e-9)


def test_delong_of_like_rankings_and_of_what_has_no_variance():
    is_bad = np.array([1, 1, 0, 0, 0])
    risk = np.array([0.9, 0.3, 0.4, 0.2, 0.2])
    like = metrics.delong(is_bad, risk, 5 * risk)
    assert (like.difference, like.lower, like.upper, like.z, like.p_value) == (0, 0, 0, 0, 1)
    for found in (metrics.delong(is_bad, is_bad, np.ones(5)), metrics.delong([1, 0, 0], [1, 0, 1], [1, 2, 0])):
        assert np.isfinite(found.difference)
        assert np.isnan([found.lower, found.upper, found.z, found.p_value]).all()


def test_swap_sets_computed_by_hand():
    is_bad = np.array([1, 0, 0, 1, 0])
    found = metrics.swap_sets(is_bad, np.array([5, 4, 3, 2, 1]), np.array([1, 5, 4, 3, 2]), 0.6)
    # Accepted by the first: rows 0, 1, 2; by the second: rows 1, 2, 3.
    assert found == metrics.SwapSets(1, 1, 1, 1, 2, 0, 1, 0)


def test_swap_sets_accept_ties_in_part_and_swap_nobody_between_like_scores():
    is_bad, score = np.array([1, 0, 0, 0]), np.array([600, 600, 500, 400])
    like = metrics.swap_sets(is_bad, score, 2 * score, 0.25)
    assert like == metrics.SwapSets(0, 0, 0, 0, 1, 0.5, 3, 0.5)
    found = metrics.swap_sets(is_bad, score, np.array([700, 600, 500, 400]), 0.25)
    assert (found.in_rows, found.in_bads, found.out_rows, found.out_bads) == (0.5, 0.5, 0.5, 0)


AGE = np.array([[860, 140], [3040, 960], [4920, 1080], [8100, 900], [9500, 500], [6800, 200], [2940, 60]])


def test_weight_of_evidence_of_siddiqi():
    """Credit Risk Scorecards (2006), goods and bads by age; the book prints 100 times these."""
    found = metrics.weight_of_evidence(AGE[:, 1], AGE[:, 0])
    wanted = [-0.42719, -1.08980, -0.72613, -0.04526, 0.70196, 1.28388, 1.64934]
    np.testing.assert_allclose(found, wanted, atol=5e-6)
    shares = AGE / AGE.sum(axis=0)
    assert metrics.information_value(AGE[:, 1], AGE[:, 0]) == pytest.approx(
        stats.entropy(*shares.T) + stats.entropy(*shares.T[::-1]), abs=1e-12
    )


def test_weight_of_evidence_of_bins_without_bads_or_rows():
    found = metrics.weight_of_evidence([0, 4, 0], [1, 9, 0])
    np.testing.assert_allclose(found, [np.log((1.5 / 10) / (0.5 / 4)), np.log((9 / 10) / (4 / 4)), 0])
    assert metrics.information_value([0, 4, 0], [1, 9, 0]) > 0
    assert np.isnan(metrics.information_value([0, 0], [1, 9]))
    assert np.isnan(metrics.weight_of_evidence([2, 0], [0, 0])).all()
    with pytest.raises(ValueError, match="below zero"):
        metrics.information_value([-1, 2], [1, 2])
