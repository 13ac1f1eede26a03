import numpy as np
import pytest

from apps.scoring_engine.ml.drift import population_stability_index, stability_light


def test_population_stability_index_computed_by_hand():
    # (0.5 - 0.4) ln(0.5 / 0.4) + 0 + (0.3 - 0.2) ln(0.3 / 0.2) = 0.0223144 + 0.0405465
    assert population_stability_index([50, 30, 20], [40, 30, 30]) == pytest.approx(0.0628609, abs=1e-7)
    assert population_stability_index([50, 30, 20], [4, 3, 3]) == pytest.approx(0.0628609, abs=1e-7)


def test_population_stability_index_is_0_for_like_shares_and_the_same_both_ways():
    assert population_stability_index([10, 20, 0], [100, 200, 0]) == 0
    first, second = np.array([7, 0, 13, 2]), np.array([3.5, 9, 1, 0])
    assert population_stability_index(first, second) == pytest.approx(population_stability_index(second, first))


def test_a_bin_of_one_side_counts_half_a_row():
    wanted = (100.5 / 200 - 0.5 / 100) * np.log((100.5 / 200) / (0.5 / 100)) + (0.5 - 1) * np.log(0.5)
    assert population_stability_index([0, 100], [100, 100]) == pytest.approx(wanted)


def test_a_side_without_rows_has_no_index():
    assert np.isnan(population_stability_index([0, 0], [1, 2]))
    assert np.isnan(population_stability_index([], []))
    for counts in ([1, -1], [1, np.nan], [1, 2, 3]):
        with pytest.raises(ValueError, match="count"):
            population_stability_index([1, 2], counts)


def test_stability_light():
    lights = [stability_light(psi) for psi in (0.0, 0.0999, 0.1, 0.2499, 0.25, np.nan)]
    assert lights == ["green", "green", "amber", "amber", "red", "amber"]
