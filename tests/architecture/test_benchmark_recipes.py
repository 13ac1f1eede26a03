"""The benchmark measures the method: every set has a recipe of the same plain settings, and sees no leak."""

import pytest

from apps.scoring_engine.ml.learning.recipe import load_recipe
from benchmarks.sets import SETS

LEAKS = {
    "lending_club": {"int_rate", "installment", "grade", "sub_grade", "recoveries", "last_pymnt_d", "funded_amnt"},
    "sba": {"Term", "DisbursementDate", "DisbursementGross", "ChgOffDate", "ChgOffPrinGr"},
}


@pytest.mark.parametrize("name", SETS)
def test_settings_are_the_same_for_every_set(name):
    recipe = load_recipe(SETS[name].recipes / f"{name}.toml")
    assert (recipe.pairs, recipe.most_bins) == (12, 20)
    assert "smallest_bin_share" not in recipe.raw
    assert {rule.direction for rule in recipe.characteristics} == {"free"}
    assert {rule.column for rule in recipe.inputs} & LEAKS.get(name, {recipe.target.column}) == set()
