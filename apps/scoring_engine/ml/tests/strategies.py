"""Random applicants that pass the check of facts."""

import datetime as dt

from hypothesis import strategies as st

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
        return st.one_of(st.integers(fact.least, fact.most), st.floats(fact.least, fact.most))
    # Small values too, or hardly a ratio would ever fall inside the tables.
    small = st.integers(max(fact.least, -200), min(fact.most, 200))
    return st.one_of(small, st.integers(fact.least, fact.most))


def applicants(segment: str) -> st.SearchStrategy[dict]:
    """Facts of a segment, any of them left out."""
    optional = {name: values_of(fact) for name, fact in FACTS[segment].items()}
    return st.fixed_dictionaries({}, optional=optional).map(_on_scale)


def _on_scale(facts: dict) -> dict:
    bounds = SCALE_BOUNDS.get(facts.get("credit_history_scale", ""))
    value = facts.get("credit_history_score")
    if bounds is None or value is None or bounds[0] <= value <= bounds[1]:
        return facts
    return facts | {"credit_history_score": bounds[0] + value % (bounds[1] - bounds[0])}
