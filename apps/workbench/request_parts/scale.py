"""The score on its scale: the grades as bands of scores, and where the policy says otherwise."""

from dataclasses import dataclass
from math import ceil, log2
from typing import Any

from apps.policies.policy import Policy
from apps.scoring_engine.ml.grades import (
    EVEN_ODDS_SCORE,
    GRADES,
    POINTS_TO_DOUBLE_ODDS,
    annual_probability,
    probability_of_default,
)

MARGIN, STEP = 40, 20  # points beyond what is shown, to the next round number
CERTAIN = 1.0


@dataclass(frozen=True, slots=True)
class Band:
    """`least` is None of the riskiest grade, `below` of the safest."""

    grade: str
    least: int | None
    below: int | None


@dataclass(frozen=True, slots=True)
class CutOff:
    """From this score on the policy's bands say `outcome`."""

    outcome: str
    score: int


@dataclass(frozen=True, slots=True)
class Scale:
    score: int
    least: int
    most: int
    bands: list[Band]
    cut_offs: list[CutOff]


def scale_of(scoring: dict[str, Any], policy: Policy | None) -> Scale:
    """Of a rendered scoring. Grades go by the probability within a year, so their scores depend on its horizon."""
    months = scoring["horizon"]["months"]
    bands = _bands(months)
    cut_offs = _cut_offs(policy, months) if policy else []
    shown = [scoring["score"], *(band.least for band in bands if band.least is not None)]
    shown += [cut_off.score for cut_off in cut_offs]
    least, most = (min(shown) - MARGIN) // STEP * STEP, -(-(max(shown) + MARGIN) // STEP) * STEP
    return Scale(scoring["score"], least, most, bands, cut_offs)


def _bands(months: int) -> list[Band]:
    """The safest first."""
    bands, below = [], None
    for letter, bound in GRADES:
        least = None if bound == CERTAIN else least_score(bound, months)
        bands.append(Band(letter, least, below))
        below = least
    return bands


def least_score(bound: float, months: int) -> int:
    """The lowest score whose probability of default within a year is below `bound`, 0 < bound < 1."""
    probability = 1 - (1 - bound) ** (months / 12)
    score = ceil(EVEN_ODDS_SCORE + POINTS_TO_DOUBLE_ODDS * log2((1 - probability) / probability))
    # The formula may miss by one where a bound falls on a whole score.
    while annual_probability(probability_of_default(score - 1), months) < bound:
        score -= 1
    while annual_probability(probability_of_default(score), months) >= bound:
        score += 1
    return score


def _cut_offs(policy: Policy, months: int) -> list[CutOff]:
    """The lowest first."""
    if policy.cut_offs_on == "score":
        found = [CutOff(band.outcome, ceil(band.start)) for band in policy.bands if band.start is not None]
    else:
        bounds = [(band.outcome, band.below) for band in policy.bands if band.below is not None]
        found = [CutOff(outcome, least_score(bound, months)) for outcome, bound in bounds if 0 < bound < CERTAIN]
    return sorted(found, key=lambda cut_off: cut_off.score)
