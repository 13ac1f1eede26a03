"""Shares, quantiles and stability from counts; nothing here reads the database."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from apps.portfolio.models import WeekFigures
from apps.portfolio.models.monitoring import COUNTS, SEALED
from apps.portfolio.training import Training
from apps.scoring_engine.ml.drift import population_stability_index, stability_light

# Below so many applications on either side a PSI says more of chance than of change.
FLOOR = 100
TOO_FEW, NO_REFERENCE = "too_few", "no_reference"
MEDIAN, SLOW = 0.5, 0.9
Document = dict[str, Any]
Counts = Mapping[str, float]


def counts_of(rows: Iterable[WeekFigures]) -> dict[str, int]:
    total = dict.fromkeys(COUNTS, 0)
    for row in rows:
        for name in COUNTS:
            total[name] += getattr(row, name)
    return total


def shares_of(counts: Mapping[str, int]) -> Document:
    """Of final decisions, of decisions by people, of applications, and of those that can be read; None of nothing."""
    by_policy = counts["policy_approved"] + counts["policy_declined"]
    by_people = counts["person_approved"] + counts["person_declined"]
    approved = counts["policy_approved"] + counts["person_approved"]
    applications, readable = counts["applications"], counts["applications"] - counts["unreadable"]
    return {
        "decisions": by_policy + by_people,
        "approval_rate": _share(approved, by_policy + by_people),
        "automatic_share": _share(by_policy, by_policy + by_people),
        "low_side_share": _share(counts["low_side"], by_people),
        "high_side_share": _share(counts["high_side"], by_people),
        "fallback_share": _share(counts["fallback"], applications),
        "demonstration_share": _share(counts["demonstration"], applications),
        **{f"{name}_share": _share(counts[name], readable) for name in SEALED},
    }


def hours_of(rows: Iterable[WeekFigures]) -> Document:
    """Of n decisions in order of their time the k-th with k = ceil(n q): whole hours that one of them took."""
    hours: Counter[int] = Counter()
    for row in rows:
        hours.update({int(each): count for each, count in row.hours.items()})
    return {"median_hours": _quantile(hours, MEDIAN), "p90_hours": _quantile(hours, SLOW)}


def scores_of(rows: Iterable[WeekFigures], training: Training) -> list[int]:
    """Applications by band of the score."""
    bands = np.zeros(len(training.edges) + 1, np.int64)
    for row in rows:
        if row.scores["edges"] == list(training.edges):
            bands += np.array(row.scores["rows"])
    return bands.tolist()


def bins_of(rows: Iterable[WeekFigures]) -> dict[str, Counter[str]]:
    """Applications by characteristic and bin."""
    found: dict[str, Counter[str]] = {}
    for row in rows:
        for name, bins in row.bins.items():
            found.setdefault(name, Counter()).update(bins)
    return found


def moved(now: Sequence[float], reference: Sequence[float]) -> Document:
    """PSI with its light and what chance alone gives, (bins - 1)(1/n + 1/m); or `why` there is none."""
    nothing = {"psi": None, "light": None, "psi_by_chance": None}
    if not sum(reference):
        return nothing | {"why": NO_REFERENCE}
    if min(sum(now), sum(reference)) < FLOOR:
        return nothing | {"why": TOO_FEW}
    psi = population_stability_index(np.array(reference, float), np.array(now, float))
    used = sum(1 for a, e in zip(now, reference, strict=True) if a or e)
    by_chance = (used - 1) * (1 / sum(now) + 1 / sum(reference))
    return {"psi": round(psi, 4), "light": stability_light(psi), "psi_by_chance": round(by_chance, 4), "why": ""}


def characteristics_of(now: Mapping[str, Counts], reference: Mapping[str, Counts]) -> list[Document]:
    """The most moved first; those without a figure last, by name."""
    found = [_characteristic(name, now.get(name, {}), reference.get(name, {})) for name in sorted({*now, *reference})]
    return sorted(found, key=lambda one: -1 if one["psi"] is None else one["psi"], reverse=True)


def _characteristic(name: str, now: Counts, reference: Counts) -> Document:
    labels = [*reference, *sorted(now.keys() - reference.keys())]
    both = [now.get(label, 0) for label in labels], [reference.get(label, 0) for label in labels]
    shares = [_shares(side) for side in both]
    bins = [
        {"label": label, "share": share, "reference_share": before}
        for label, share, before in zip(labels, *shares, strict=True)
    ]
    return {"name": name, "applications": int(sum(both[0])), **moved(*both), "bins": bins}


def bands_of(edges: Sequence[int], now: Sequence[int], reference: Sequence[float]) -> list[Document]:
    """From a score (None: open below) up to below another (None: open above), with the shares on both sides."""
    bounds = [None, *edges, None]
    before = _shares(reference) if sum(reference) else [None] * len(now)
    return [
        {"from": bounds[place], "below": bounds[place + 1], "share": share, "reference_share": before[place]}
        for place, share in enumerate(_shares(now))
    ]


def _shares(counts: Sequence[float]) -> list[float | None]:
    whole = sum(counts)
    return [_share(count, whole) for count in counts]


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _quantile(hours: Counter[int], q: float) -> int | None:
    rank, seen = math.ceil(hours.total() * q), 0
    for each in sorted(hours):
        seen += hours[each]
        if seen >= rank:
            return each
    return None
