"""Reject inference by parcelling: an assumption about applicants who were refused, and what it changes.

Nobody knows how they would have paid. Each refused applicant enters training twice, as bad and as good, with
the weights that the bad rate of the accepted in the same score band gives, made worse by `prudence`. (Siddiqi,
Credit Risk Scorecards, 2006, ch. 6.) The figures reported are always of applicants with a known outcome.
"""

from copy import deepcopy
from dataclasses import replace
from typing import Any

import numpy as np

from .calibration import missing_points
from .card import scores, tables_of
from .recipe import RejectInference
from .rows import Rows

NOTE = "an assumption: nobody knows how refused applicants would have paid"


def with_rejected(card: dict[str, Any], rows: Rows, rejected: Rows, rule: RejectInference) -> Rows:
    """The training rows and, twice, the rejected ones; `card` is the one learnt on the accepted alone."""
    edges, bad_rate = _bands(scores(card, rows), rows, rule.bands)
    rate = bad_rate[np.searchsorted(edges, scores(card, rejected), side="right")]
    rate = np.clip(rule.prudence * rate, 0.001, 0.999)
    bad = replace(rejected, is_bad=np.ones(len(rejected), dtype=bool), weight=rejected.weight * rate)
    good = replace(rejected, is_bad=np.zeros(len(rejected), dtype=bool), weight=rejected.weight * (1 - rate))
    return joined(rows, bad, good)


def capped(card: dict[str, Any], accepted: Rows) -> dict[str, Any]:
    """The card, in which missing earns no more than the rule allows by the accepted alone, too.

    The rule can then be checked where rejected applicants are not at hand.
    """
    card = deepcopy(card)
    for table in tables_of(card):
        known = accepted.at(table.known(accepted))
        most = missing_points(table.points[table.index(known)], known.weight, np.nan) if len(known) else np.inf
        for name in ("missing_points", "unseen_points"):
            if name in table.entry:
                table.entry[name] = min(table.entry[name], most)
    return card


def joined(*parts: Rows) -> Rows:
    """The rows of all parts; those of one group stay together."""
    first = parts[0]
    return Rows(
        {name: np.concatenate([part.values[name] for part in parts]) for name in first.values},
        {name: np.concatenate([part.states[name] for part in parts]) for name in first.states},
        first.codes,
        *(np.concatenate([getattr(part, name) for part in parts]) for name in ("is_bad", "weight", "group")),
    )  # fmt: skip


def effect(without: dict[str, Any], card: dict[str, Any], rejected: Rows, rule: RejectInference) -> dict[str, Any]:
    """What the assumption did to the scores of the rejected themselves."""
    before, after = scores(without, rejected), scores(card, rejected)
    return {
        "method": rule.method,
        "prudence": rule.prudence,
        "bands": rule.bands,
        "rejected": len(rejected),
        "mean_score_shift": round(float((after - before).mean()), 2),
        "note": NOTE,
    }


def _bands(score: np.ndarray, rows: Rows, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Edges of score bands of about as many accepted rows each, and the weighted bad rate in each band."""
    edges = np.unique(np.quantile(score, np.arange(1, count) / count))
    place = np.searchsorted(edges, score, side="right")
    mass = np.bincount(place, rows.weight, len(edges) + 1)
    bads = np.bincount(place, rows.weight * rows.is_bad, len(edges) + 1)
    base = bads.sum() / mass.sum()
    return edges, (bads + base) / (mass + 1)
