"""The card over many rows at once says what serving says of each."""

import datetime as dt

import numpy as np
import pytest

from apps.scoring_engine.ml.learning.card import scores, tables_of
from apps.scoring_engine.ml.learning.derive import derive
from apps.scoring_engine.ml.learning.rows import KNOWN, MISSING, SPECIAL, UNAVAILABLE, Rows
from apps.scoring_engine.ml.scorecard import Scorecard
from apps.scoring_engine.ml.tests.examples import wide_card

AS_OF = dt.date(2024, 1, 1)
COUNT = 3000
NUMBERS = {
    "yearly_income": (0, 2000), "requested_amount": (1, 1000), "credit_history_score": (300, 849),
    "months_at_address": (0, 90), "savings": (-300, 3000), "load": (0, 4),
}  # fmt: skip
LEVELS = {
    "purpose": ["car", "wedding", "small_business", "medical"], "housing": ["own", "rent", "with parents", "a boat"],
    "has_car": [True, False],
}  # fmt: skip


def card():
    """The wide card, one of whose pairs has a row for the special codes of its first feature."""
    made = wide_card()
    pair = made["pairs"][2]
    pair["axes"][0]["special"] = True
    pair["points"].append([-3, 5])
    return made


def facts(seed=1):
    """Every input known, missing, unavailable or special-coded, in all combinations."""
    rng = np.random.default_rng(seed)
    made = card()
    codes = {entry["name"]: tuple(entry.get("special_codes", {})) for entry in made["inputs"]}
    codes["credit_history_score"] = ("other_scale", "850")
    values, states = {}, {}
    for name in codes:
        kinds = [KNOWN, MISSING, UNAVAILABLE, *(SPECIAL + k for k in range(len(codes[name])))]
        share = np.array([6, 1, 1, *[1] * len(codes[name])])
        states[name] = rng.choice(kinds, COUNT, p=share / share.sum()).astype(np.int16)
        known = states[name] == KNOWN
        if name in NUMBERS:
            low, high = NUMBERS[name]
            values[name] = np.where(known, rng.integers(low, high + 1, COUNT), np.nan)
        elif name in LEVELS:
            drawn = [LEVELS[name][k] for k in rng.integers(0, len(LEVELS[name]), COUNT)]
            values[name] = np.array([v if k else None for v, k in zip(drawn, known, strict=True)], dtype=object)
        else:
            days = np.datetime64("2024-01-01") - rng.integers(0, 4000, COUNT)
            values[name] = np.where(known, days, np.datetime64("NaT"))
    return Rows(values, states, codes, np.zeros(COUNT, dtype=bool), np.ones(COUNT), np.arange(COUNT))


def sent(data, row):
    """The facts of one row as they are sent to a card, and the names of those whose source was down."""
    given, down = {}, set()
    for name, column in data.values.items():
        state = int(data.states[name][row])
        value = column[row].item() if isinstance(column[row], np.generic) else column[row]
        if state == KNOWN:
            given[name] = value
        elif state == UNAVAILABLE:
            down.add(name)
        elif state >= SPECIAL:
            code = data.codes[name][state - SPECIAL]
            given[name] = 700 if code == "other_scale" else int(code)
            if code == "other_scale":
                given["credit_history_scale"] = "other_200_540"
    if "credit_history_score" in given:
        given.setdefault("credit_history_scale", "fico_300_850")
    return given, frozenset(down)


@pytest.fixture(scope="module")
def both():
    made, data = card(), facts()
    as_of = np.full(COUNT, np.datetime64(AS_OF))
    return made, Scorecard.from_dict(made), data, derive(data, made["features"], as_of)


def test_every_row_scores_as_in_serving(both):
    made, served, data, derived = both
    learnt = scores(made, derived)
    for row in range(COUNT):
        given, down = sent(data, row)
        assert served.score(given, as_of=AS_OF, unavailable=down).score == learnt[row], (given, down)


def test_every_row_falls_into_the_bin_that_serving_names(both):
    made, served, data, derived = both
    places = {table.name: (table, table.index(derived)) for table in tables_of(made)}
    for row in range(0, COUNT, 10):
        given, down = sent(data, row)
        named = served.score(given, as_of=AS_OF, unavailable=down).bins
        for name, (table, index) in places.items():
            assert table.labels[index[row]].partition(":")[0] == named[name].partition(":")[0], (name, given)


def test_every_state_is_met(both):
    made, _, _, derived = both
    met = {(table.name, table.labels[place]) for table in tables_of(made) for place in set(table.index(derived))}
    # These two pairs have no special code that has no row of its own.
    never = {("has_car x housing", "special"), ("savings x years_known", "special")}
    assert met == {(table.name, label) for table in tables_of(made) for label in table.labels} - never
