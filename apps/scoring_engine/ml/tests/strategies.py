"""Random applicants that pass the check of facts."""

import datetime as dt
import math

from hypothesis import strategies as st

from apps.scoring_engine.ml.card_inputs import own_fact
from apps.scoring_engine.ml.scorecard import Scorecard
from apps.scoring_engine.ml.vocabulary import FACTS, SCALE_BOUNDS, Fact

AS_OF = dt.date(2024, 1, 1)


def values_of(fact: Fact) -> st.SearchStrategy:
    if fact.kind == "category":
        return st.sampled_from(fact.values)
    if fact.kind == "flag":
        return st.booleans()
    if fact.kind == "date":
        return st.dates(dt.date(1950, 1, 1), AS_OF)
    if fact.kind == "number":
        return st.one_of(st.integers(math.ceil(fact.least), math.floor(fact.most)), st.floats(fact.least, fact.most))
    # Small values too, or hardly a ratio would ever fall inside the tables.
    small = st.integers(max(fact.least, -200), min(fact.most, 200))
    return st.one_of(small, st.integers(fact.least, fact.most))


def facts_known(card: Scorecard) -> dict[str, Fact]:
    """The vocabulary of a card's segment, and its own facts."""
    return {entry.name: own_fact(entry) for entry in card.inputs} | FACTS[card.segment]


def values_sent(card: Scorecard, fact: Fact) -> st.SearchStrategy:
    """Values of a fact, and with them special codes and categories that the card does not know."""
    values = values_of(fact)
    numbers = [float(code) for entry in card.inputs if entry.name == fact.name for code in entry.code_values().values()]
    # A code such as 850 is no score of a bureau on another scale.
    codes = [] if fact.name == "credit_history_score" else numbers
    if codes:
        values = st.one_of(values, st.sampled_from([int(code) if code.is_integer() else code for code in codes]))
    if fact.kind == "category" and fact.name not in FACTS[card.segment]:
        values = st.one_of(values, st.text("abc", min_size=1, max_size=3))
    return values


def applicants(card: Scorecard) -> st.SearchStrategy[dict]:
    """Facts that a card may be sent, any of them left out."""
    optional = {name: values_sent(card, fact) for name, fact in facts_known(card).items()}
    return st.fixed_dictionaries({}, optional=optional).map(_on_scale)


def _on_scale(facts: dict) -> dict:
    bounds = SCALE_BOUNDS.get(facts.get("credit_history_scale", ""))
    value = facts.get("credit_history_score")
    if bounds is None or value is None or bounds[0] <= value <= bounds[1]:
        return facts
    return facts | {"credit_history_score": bounds[0] + value % (bounds[1] - bounds[0])}
