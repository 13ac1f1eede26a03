"""Counts of one week that add up row by row, of each branch and of all branches together."""

from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID

from apps.credit_requests.marks import HISTORY
from apps.credit_requests.models.decisions import APPROVE, DECLINE, PERSON, POLICY, REFER
from apps.portfolio.models import WeekFigures
from apps.portfolio.training import Training, training_of
from apps.scoring_engine.models import CHAMPION

MOST_HOURS = 24 * 90  # what took longer counts as this
HOUR = timedelta(hours=1)
_SAID = {
    (POLICY, APPROVE): "policy_approved",
    (POLICY, REFER): "policy_referred",
    (POLICY, DECLINE): "policy_declined",
    (PERSON, APPROVE): "person_approved",
    (PERSON, DECLINE): "person_declined",
}


class Scoring(NamedTuple):
    """`opened`: what is sealed of it, None where that cannot be read."""

    segment: str
    branch_id: UUID | None
    model_digest: str
    role: str
    score: int
    is_fallback: bool
    is_demonstration: bool
    opened: Mapping[str, Any] | None


class Decided(NamedTuple):
    """`taken`: from the application to here, of the request's first final decision only."""

    segment: str
    branch_id: UUID
    model_digest: str
    kind: str
    outcome: str
    direction: str
    taken: timedelta | None


class _Totals:
    def __init__(self, bands: int) -> None:
        self.counts: Counter[str] = Counter()
        self.scores = [0] * bands
        self.bins: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self.hours: Counter[int] = Counter()


class Tally:
    """Of one week."""

    def __init__(self) -> None:
        self._totals: dict[tuple[str, UUID | None, str, str], _Totals] = {}
        self._training: dict[str, Training] = {}

    def add_scoring(self, scoring: Scoring) -> None:
        """Of one application, by the champion or by the challenger beside it."""
        names = ["applications", *_marks(scoring)]
        band = bisect_right(self._learnt(scoring.model_digest).edges, scoring.score)
        opened = scoring.opened or {}
        for totals in self._both(scoring.segment, scoring.branch_id, scoring.model_digest, scoring.role):
            totals.counts.update(names)
            totals.scores[band] += 1
            for each in opened.get("characteristics", ()):
                totals.bins[each["feature"]][each["bin"]] += 1

    def add_decision(self, decided: Decided) -> None:
        names = [_SAID[decided.kind, decided.outcome]]
        names += [decided.direction] if decided.direction else []
        for totals in self._both(decided.segment, decided.branch_id, decided.model_digest, CHAMPION):
            totals.counts.update(names)
            if decided.taken is not None:
                totals.hours[min(max(decided.taken // HOUR, 0), MOST_HOURS)] += 1

    def rows(self) -> Iterable[WeekFigures]:
        """Always in one order and written in one way, so that counting again gives the same."""
        for (segment, branch_id, digest, role), totals in sorted(self._totals.items(), key=lambda pair: str(pair[0])):
            yield WeekFigures(
                segment=segment,
                branch_id=branch_id,
                model_digest=digest,
                role=role,
                **totals.counts,
                scores={"edges": list(self._learnt(digest).edges), "rows": totals.scores},
                bins={name: dict(sorted(bins.items())) for name, bins in sorted(totals.bins.items())},
                hours={str(hours): count for hours, count in sorted(totals.hours.items())},
            )

    def _both(self, segment: str, branch_id: UUID | None, digest: str, role: str) -> Iterable[_Totals]:
        """Of the branch, and of all."""
        bands = len(self._learnt(digest).edges) + 1
        for branch in {branch_id, None}:
            yield self._totals.setdefault((segment, branch, digest, role), _Totals(bands))

    def _learnt(self, digest: str) -> Training:
        if digest not in self._training:
            self._training[digest] = training_of(digest)
        return self._training[digest]


def _marks(scoring: Scoring) -> Iterable[str]:
    if scoring.is_fallback:
        yield "fallback"
    if scoring.is_demonstration:
        yield "demonstration"
    if scoring.opened is None:
        yield "unreadable"
        return
    warned = {warning["code"] for warning in scoring.opened["warnings"]}
    if "stale_record" in warned:
        yield "stale"
    if "mock_source" in warned:
        yield "mock"
    if scoring.opened["unavailable"]:
        yield "source_down"
    if not any(scoring.opened["facts"].get(name) for name in HISTORY[scoring.segment]):
        yield "thin_file"
