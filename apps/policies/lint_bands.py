"""Checks of the cut-offs: every score in exactly one band, every outcome possible, safer never judged more harshly."""

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise

from apps.common.sentences import Sentence
from apps.policies.findings import Finding, error, warning
from apps.policies.outline import Outline
from apps.policies.policy import OUTCOMES, Band
from apps.policies.regions import Range

_PROBABILITIES = Range(0.0, 1.0)
Held = tuple[Range, Band]


def check_bands(outline: Outline) -> Iterator[Finding]:
    policy = outline.policy
    if not policy.bands:
        yield warning("cut_offs", Sentence("are missing: whatever no rule speaks against is approved, at any score"))
        return
    on_score = policy.cut_offs_on == "score"
    bands = [(_range(band, on_score), band) for band in policy.bands]
    for limits, band in bands:
        if limits.is_empty():
            yield error(
                _where(band), Sentence("holds no score at all") if on_score else Sentence("holds no probability at all")
            )
    held = sorted(((limits, band) for limits, band in bands if not limits.is_empty()), key=_place)
    yield from _ends(held, on_score)
    for before, after in pairwise(held):
        yield from _seam(before, after, on_score)
    yield from _outcomes(outline, held, on_score)


def _where(band: Band) -> str:
    return f"cut_offs.{band.code}"


def _range(band: Band, on_score: bool) -> Range:
    start = -math.inf if band.start is None else band.start
    below = math.inf if band.below is None else band.below
    limits = Range(start, below, high_open=band.below is not None)
    return limits.rounded() if on_score else limits.narrowed(_PROBABILITIES)


def _place(held: Held) -> tuple[float, float]:
    return held[0].low, held[0].high


def _ends(held: Sequence[Held], on_score: bool) -> Iterator[Finding]:
    """The whole line of scores, or the probabilities from 0 to 1, must be held."""
    if not held:
        return
    limits, band = held[0]
    if limits.low > (-math.inf if on_score else 0.0):
        yield error(_where(band), Sentence("leaves a gap: no band holds what is below {edge:.15g}", edge=band.start))
    limits, band = max(held, key=lambda each: (each[0].high, not each[0].high_open))
    if limits.high < (math.inf if on_score else 1.0) or limits.high_open:
        yield error(_where(band), Sentence("leaves a gap: no band holds {edge:.15g} and above", edge=band.below))


def _seam(before: Held, after: Held, on_score: bool) -> Iterator[Finding]:
    (low, one), (high, other) = before, after
    if not low.narrowed(high).is_empty():
        yield error(
            _where(other),
            Sentence("overlaps {code}: what is in both is judged by whichever stands first", code=one.code),
        )
    elif high.low > (low.high + 1 if on_score else low.high):
        yield error(
            _where(other),
            Sentence(
                "leaves a gap after {code}: from {start:.15g} to below {below:.15g}",
                code=one.code,
                start=one.below,
                below=other.start,
            ),
        )


def _outcomes(outline: Outline, held: Sequence[Held], on_score: bool) -> Iterator[Finding]:
    """The most severe outcome wins, so only a band can approve; to refer and to decline a rule will do."""
    by_band = {band.outcome for _, band in held}
    if "approve" not in by_band:
        yield error("cut_offs", Sentence("have no band that approves: nothing can be approved"))
    reached = by_band | {rule.outcome for rule in outline.policy.rules}
    for outcome in OUTCOMES[1:]:
        if outcome not in reached:
            yield error(
                "cut_offs",
                Sentence("no band and no rule has the outcome {outcome}: it cannot be reached", outcome=outcome),
            )
    from_safest = [band for _, band in (reversed(held) if on_score else held)]
    for safer, riskier in pairwise(from_safest):
        if OUTCOMES.index(safer.outcome) > OUTCOMES.index(riskier.outcome):
            yield warning(_where(safer), Sentence("is safer than {code} and has a harsher outcome", code=riskier.code))
