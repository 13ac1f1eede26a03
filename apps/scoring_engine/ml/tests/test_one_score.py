"""One score everywhere: the row path, batches, the exported SQL in two databases and the exported Python
say the same.

(The API says it too: apps/scoring_engine/tests/test_one_score_over_the_api.py; PostgreSQL and PMML have tests of their
own in apps/scoring_engine/tests.)
"""

from functools import cache
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.scoring_engine.ml.exports.as_python import as_python
from apps.scoring_engine.ml.scorecard import Scorecard
from apps.scoring_engine.ml.vocabulary import check_facts

from .databases import answers_of, ask_batches, ask_duckdb, ask_sqlite
from .edge_applicants import AS_OF, Applicant, EdgeApplicants
from .exported import DRAWN, exported_card
from .strategies import applicants, facts_known

MOST_AT_ONCE = 12


@cache
def python_of(name: str) -> dict[str, Any]:
    module: dict[str, Any] = {}
    exec(compile(as_python(exported_card(name)), name, "exec"), module)  # noqa: S102
    return module


def any_applicants(card: Scorecard) -> st.SearchStrategy[list[Applicant]]:
    """Of two kinds: anything that may be sent, and what lies at an edge, a special code, a zero or a denormal."""
    names = sorted(facts_known(card))
    sent = st.tuples(
        applicants(card).map(lambda facts: check_facts(card.segment, facts, as_of=AS_OF, own=card.own)),
        st.frozensets(st.sampled_from(names), max_size=4),
    )
    at_edges = st.integers(0, 2**32).map(lambda seed: EdgeApplicants(card, seed).take(1)[0])
    return st.lists(st.one_of(sent, at_edges), min_size=1, max_size=MOST_AT_ONCE)


@pytest.mark.parametrize("name", DRAWN)
@settings(max_examples=10, deadline=None)
@given(data=st.data())
def test_every_way_gives_the_same_score_and_points(name, data):
    card = exported_card(name)
    drawn = data.draw(any_applicants(card))
    found = [card.score(facts, as_of=AS_OF, unavailable=unavailable) for facts, unavailable in drawn]
    answers = answers_of(card, found)
    assert ask_batches(card, drawn) == answers
    assert ask_sqlite(card, drawn) == answers
    assert ask_duckdb(card, drawn) == answers
    for (facts, unavailable), assessment in zip(drawn, found, strict=True):
        said = python_of(name)["score"](facts, AS_OF, unavailable)
        assert (said["score"], said["probability_of_default"]) == (assessment.score, assessment.probability_of_default)
        assert [entry | {"reason": ""} for entry in said["explanation"]] == [
            entry | {"reason": ""} for entry in assessment.explanation
        ]
