"""Why the score is what it is: a waterfall from the typical applicant to this one, whose steps add up exactly."""

from dataclasses import dataclass
from typing import Any

from apps.scoring_engine.models import PredictionLog
from apps.scoring_engine.presentation import name_features, show_values


@dataclass(frozen=True, slots=True)
class Reason:
    """`value` in words, None where it is not known; `impact` in points."""

    name: str
    value: str | None
    impact: int


@dataclass(frozen=True, slots=True)
class Waterfall:
    """reference_score + the impacts of `reasons`, the strongest first, = score. `unmoved`: names of the rest."""

    reference_score: int
    reasons: list[Reason]
    unmoved: list[str]
    score: int


def waterfall_of(prediction: PredictionLog, scoring: dict[str, Any], language: str) -> Waterfall | None:
    """Of a rendered scoring. None once the applicant was erased."""
    entries = scoring["explanation"]
    if entries is None:
        return None
    names = name_features(prediction, [entry["feature"] for entry in entries], language)
    values = show_values(prediction, entries, language)
    told = [Reason(names[entry["feature"]], values[entry["feature"]], entry["impact"]) for entry in entries]
    return Waterfall(
        reference_score=scoring["reference_score"],
        reasons=sorted((reason for reason in told if reason.impact), key=lambda reason: -abs(reason.impact)),
        unmoved=[reason.name for reason in told if not reason.impact],
        score=scoring["score"],
    )
