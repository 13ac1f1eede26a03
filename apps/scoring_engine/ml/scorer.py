"""What a model is to those who ask it for a score: a scorecard, or an estimator of another kind."""

import datetime as dt
from collections.abc import Mapping
from typing import Any, Protocol

from .card_inputs import Input
from .vocabulary import FACTS, Known


class NoScoreError(ValueError):
    """The model gives this applicant no score; the message is one clause, why."""


class Assessed(Protocol):
    """What a scorer says of one applicant. explanation: most harmful first; warnings: code, fact, message."""

    @property
    def score(self) -> int: ...
    @property
    def explanation(self) -> list[dict[str, Any]]: ...
    @property
    def bins(self) -> dict[str, str]: ...
    @property
    def probability_of_default(self) -> float: ...
    @property
    def missing_required(self) -> tuple[str, ...]: ...
    @property
    def warnings(self) -> list[dict[str, str]]: ...


class Scorer(Protocol):
    """digest: SHA-256 of the canonical JSON of to_dict(). score == reference_score + sum of the impacts, exactly."""

    digest: str
    version: str
    segment: str
    purpose: str
    definition_of_bad: str
    horizon: dict[str, Any]
    base_points: int
    reference_score: int
    inputs: tuple[Input, ...]
    own: Known | None

    def to_dict(self) -> dict[str, Any]: ...
    def horizon_months(self, term_months: int | None = None) -> int: ...
    def score(self, facts: Mapping[str, Any], *, as_of: dt.date, unavailable: frozenset[str] = frozenset()) -> Assessed:
        """Raises NoScoreError; a scorecard never does."""


def known_facts(scorer: Scorer, facts: Mapping[str, Any]) -> dict[str, Any]:
    """Without the facts that only another model of the segment has a name for."""
    known = scorer.own.facts if scorer.own else FACTS[scorer.segment]
    return {name: value for name, value in facts.items() if name in known}
