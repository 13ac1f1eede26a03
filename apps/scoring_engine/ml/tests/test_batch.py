"""Batches give what the row path gives: the same points, probability bits, grade and reasons, for any applicant."""

import datetime as dt
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.scoring_engine.ml.batch import BatchError, BatchScorer, score_batches
from apps.scoring_engine.ml.grades import grade
from apps.scoring_engine.ml.risk_model import expert_card
from apps.scoring_engine.ml.scorecard import Scorecard
from apps.scoring_engine.ml.vocabulary import FactsError, check_facts

from .databases import ARROW_TYPES
from .edge_applicants import AS_OF, Applicant, EdgeApplicants
from .examples import small_card
from .exported import exported_card
from .strategies import applicants, facts_known

ROOT = Path(__file__).resolve().parents[4]
CARDS = ("golden", "individual", "company", "expert", "expert of individuals", "wide", "small")


@cache
def card_named(name: str) -> Scorecard:
    if name == "small":
        return Scorecard.from_dict(small_card())
    return expert_card("individual") if name == "expert of individuals" else exported_card(name)


@cache
def scorer_of(name: str) -> BatchScorer:
    return BatchScorer(card_named(name), as_of=AS_OF, contributions=True)


def batch_of(card: Scorecard, drawn: list[Applicant]) -> pa.RecordBatch:
    columns = {
        name: pa.array([facts.get(name) for facts, _ in drawn], ARROW_TYPES[fact.kind])
        for name, fact in facts_known(card).items()
    }
    down = pa.array([sorted(unavailable) or None for _, unavailable in drawn], pa.list_(pa.string()))
    return pa.RecordBatch.from_pydict(columns | {"unavailable": down})


def by_row(card: Scorecard, applicant: Applicant) -> dict[str, Any]:
    facts, unavailable = applicant
    found = card.score(facts, as_of=AS_OF, unavailable=unavailable)
    worst = [entry["code"] for entry in found.explanation if entry["impact"] < 0]
    probability = found.probability_of_default
    return {
        "score": found.score,
        "probability_of_default": probability,
        "grade": grade(probability, card.horizon_months(facts.get("term_months"))),
        **{f"reason_{k + 1}": worst[k] if k < len(worst) else None for k in range(4)},
        **{f"points_{entry['feature']}": entry["points"] for entry in found.explanation},
        "errors": None,
    }


def assert_same(name: str, drawn: list[Applicant]) -> None:
    card = card_named(name)
    found = scorer_of(name).score(batch_of(card, drawn)).batch.to_pylist()
    for applicant, row in zip(drawn, found, strict=True):
        assert row == by_row(card, applicant)


@pytest.mark.parametrize("name", CARDS)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_any_applicants_have_the_points_of_the_row_path(name, data):
    card = card_named(name)
    sent = applicants(card).map(lambda facts: check_facts(card.segment, facts, as_of=AS_OF, own=card.own))
    names = st.frozensets(st.sampled_from(sorted(facts_known(card))), max_size=4)
    assert_same(name, data.draw(st.lists(st.tuples(sent, names), min_size=1, max_size=12)))


@pytest.mark.parametrize("name", CARDS)
def test_edges_codes_zeros_and_denormals_have_the_points_of_the_row_path(name):
    assert_same(name, EdgeApplicants(card_named(name), 7).take(1500))


def scored(name: str, columns: dict[str, Any], *, texts: bool = False) -> list[dict[str, Any]]:
    scorer = BatchScorer(card_named(name), as_of=AS_OF, contributions=True, texts=texts)
    return scorer.score(pa.RecordBatch.from_pydict(columns)).batch.to_pylist()


def test_whole_floats_serve_for_money_and_midnights_for_days():
    columns = {
        "yearly_income": pa.array([1000.0, None]),
        "requested_amount": pa.array([200.0, 200.0]),
        "oldest_account_date": pa.array([dt.datetime(2020, 1, 1), dt.datetime(2021, 5, 5)], pa.timestamp("us")),
    }
    facts = {"yearly_income": 1000, "requested_amount": 200, "oldest_account_date": dt.date(2020, 1, 1)}
    other = {"requested_amount": 200, "oldest_account_date": dt.date(2021, 5, 5)}
    wanted = [by_row(card_named("small"), (given, frozenset())) for given in (facts, other)]
    assert scored("small", columns) == wanted


def test_a_source_that_was_down_may_be_named_in_a_text_with_commas():
    found = scored(
        "small", {"purpose": pa.array([None, None]), "unavailable": pa.array(["purpose, yearly_income", None])}
    )
    down = frozenset(("purpose", "yearly_income"))
    assert found == [by_row(card_named("small"), ({}, names)) for names in (down, frozenset())]


def test_an_unknown_name_of_a_source_that_was_down_is_refused():
    found = scored("small", {"purpose": pa.array(["car"]), "unavailable": pa.array([["purpos"]])})
    assert found[0]["score"] is None
    assert found[0]["errors"] == [
        {"field": "unavailable", "given": '"purpos"', "message": "must name facts of individual applicants"}
    ]


def test_texts_of_a_csv_are_read_by_the_kind_of_their_fact():
    columns = {"yearly_income": "1000", "load": "4.4e-1", "has_car": "True", "housing": "rent", "savings": "-9000000",
               "customer_since": "2023-01-01", "term_months": "0000000000000000000012"}  # fmt: skip
    facts = {"yearly_income": 1000, "load": 0.44, "has_car": True, "housing": "rent", "savings": -9000000,
             "customer_since": dt.date(2023, 1, 1), "term_months": 12}  # fmt: skip
    found = scored("wide", {name: pa.array([text]) for name, text in columns.items()}, texts=True)
    assert found == [by_row(card_named("wide"), (facts, frozenset()))]


def test_refused_rows_say_what_the_check_of_facts_says_and_leave_the_others_scored():
    card = card_named("small")
    facts = [{"yearly_income": -1, "requested_amount": 0}, {"yearly_income": 5}]
    names = ("yearly_income", "requested_amount")
    found = scored("small", {name: pa.array([row.get(name) for row in facts]) for name in names})
    with pytest.raises(FactsError) as refused:
        check_facts("individual", facts[0], as_of=AS_OF)
    said = [{"field": e.field, "given": e.given, "message": e.message} for e in refused.value.errors]
    assert [found[0][name] for name in ("score", "grade", "reason_1", "errors")] == [None, None, None, said]
    assert found[1] == by_row(card, (facts[1], frozenset()))


def test_batches_come_out_as_they_went_in_with_the_kept_columns():
    batch = pa.RecordBatch.from_pydict({"id": pa.array(["a", "b", "c"]), "yearly_income": pa.array([1, 2, 3])})
    found = list(
        score_batches(card_named("small"), iter([batch[:2], batch[2:]]), as_of=AS_OF, top_reasons=1, keep=["id"])
    )
    assert [one.num_rows for one in found] == [2, 1]
    assert found[0].schema.names == ["id", "score", "probability_of_default", "grade", "reason_1", "errors"]
    assert [name for one in found for name in one.column("id").to_pylist()] == ["a", "b", "c"]


def test_a_kept_column_may_not_hide_a_score():
    with pytest.raises(BatchError, match="may not be called score"):
        score_batches(card_named("small"), iter([]), as_of=AS_OF, keep=["score"])


def test_without_a_folder_for_compiled_loops_they_are_compiled_anew():
    code = (
        "import numpy as np; from apps.scoring_engine.ml.batch_kernels import all_within;"
        "print(all_within(np.array([0.5]), 0.0, 1.0), all_within(np.array([np.nan]), 0.0, 1.0))"
    )
    # Nobody can make a folder in /proc: as on an installation that is read-only.
    env = os.environ | {"NUMBA_CACHE_DIR": "/proc/none", "PYTHONPATH": "."}
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("True False\n", "")
