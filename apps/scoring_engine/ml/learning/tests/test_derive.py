"""Derived features of many rows are those that serving derives of each."""

import datetime as dt

import numpy as np
import pytest

from apps.scoring_engine.ml.learning.derive import derive
from apps.scoring_engine.ml.learning.rows import KNOWN, MISSING, SPECIAL, UNAVAILABLE

from .made import rows

RATIO = {"name": "r", "kind": "ratio", "of": ["a", "b"], "multiplier": 12, "least": -2, "most": 9}


def of_numbers(a, b, feature, **rest):
    found = derive(rows({"a": np.array(a, dtype=float), "b": np.array(b, dtype=float)}, np.zeros(len(a)), **rest),
                   [feature], None)  # fmt: skip
    return found.values[feature["name"]], found.states[feature["name"]], found.codes[feature["name"]]


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [(1, 4, 3.0), (1, 1, 9.0), (-1, 4, -2.0), (0, 0, 0.0), (5, 0, 9.0), (-5, 0, -2.0), (1, -12, -1.0)],
)
def test_a_ratio_is_clipped_and_over_zero_it_is_an_end(a, b, expected):
    value, state, _ = of_numbers([a], [b], RATIO)
    assert (value[0], state[0]) == (expected, KNOWN)


def test_a_difference_may_be_of_a_feature_derived_before():
    data = rows({"a": np.array([6.0]), "b": np.array([24.0])}, np.zeros(1))
    found = derive(data, [RATIO, {"name": "d", "kind": "difference", "of": ["r", "a"]}], None)
    assert found.values["d"].tolist() == [3.0 - 6.0]


def test_years_are_of_365_and_a_quarter_days_and_not_below_zero():
    since = np.array(["2020-01-01", "2024-01-11", "NaT"], dtype="datetime64[D]")
    as_of = np.full(3, np.datetime64(dt.date(2024, 1, 1)))
    feature = {"name": "y", "kind": "years_between", "of": ["since", "as_of"]}
    found = derive(rows({"since": since}, np.zeros(3)), [feature], as_of)
    assert found.values["y"][:2].tolist() == [1461 / 365.25, 0.0]
    assert found.states["y"].tolist() == [KNOWN, KNOWN, MISSING]


def test_an_unavailable_part_decides_first_then_a_special_code_then_a_missing_one():
    a = [KNOWN, MISSING, MISSING, SPECIAL, SPECIAL, UNAVAILABLE, SPECIAL + 1]
    b = [MISSING, UNAVAILABLE, SPECIAL, MISSING, SPECIAL, SPECIAL, KNOWN]
    nothing = [np.nan] * 7
    state = {"a": np.array(a, dtype=np.int16), "b": np.array(b, dtype=np.int16)}
    value, states, codes = of_numbers(nothing, nothing, RATIO, states=state, codes={"a": ("-1", "-2"), "b": ("-9",)})
    assert codes == ("-1", "-2", "-9")
    # Of two special codes the first part's decides.
    assert states.tolist() == [MISSING, UNAVAILABLE, SPECIAL + 2, SPECIAL, SPECIAL, UNAVAILABLE, SPECIAL + 1]
    assert np.isnan(value).all()
