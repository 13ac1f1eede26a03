import numpy as np
import pytest
from scipy.stats import ks_2samp
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

from apps.scoring_engine.ml.learning import metrics


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
    assert found["ks"] == pytest.approx(ks_2samp(p[is_bad], p[~is_bad]).statistic, abs=1e-6)
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


def test_weights_count_rows_as_often_as_they_say(rows):
    is_bad, p = rows
    times = np.random.default_rng(1).integers(0, 4, len(p))
    repeated = np.repeat(np.arange(len(p)), times)
    assert metrics.auc(is_bad, p, times.astype(float)) == pytest.approx(
        roc_auc_score(is_bad[repeated], p[repeated]), abs=1e-12
    )


def test_paired_bootstrap_finds_a_difference_and_none_where_there_is_none(rows):
    is_bad, p = rows
    noise = np.random.default_rng(2).random(len(p))
    group = np.arange(len(p)) // 3
    better, low, _ = metrics.paired_bootstrap(is_bad, p, noise, group, draws=200)
    assert better == pytest.approx(roc_auc_score(is_bad, p) - roc_auc_score(is_bad, noise), abs=1e-12)
    assert low > 0
    assert metrics.paired_bootstrap(is_bad, p, 2 * p, group, draws=50) == (0.0, 0.0, 0.0)
