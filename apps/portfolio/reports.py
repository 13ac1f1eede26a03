"""What monitoring tells, from the counted weeks: a read of some hundred rows, however many applications there were."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Sum

from apps.accounts.models import Branch, User
from apps.common.errors import InvalidInput
from apps.common.sentences import Sentence
from apps.portfolio import figures
from apps.portfolio.models import MonitoringWeek, WeekFigures, WeekFiguresQuerySet
from apps.portfolio.training import Training, training_of
from apps.portfolio.weeks import WEEK, monday_of, week_of, weeks_between
from apps.scoring_engine.ml.vocabulary import SEGMENTS
from apps.scoring_engine.models import CHALLENGER, CHAMPION, ModelCard

Document = dict[str, Any]
WEEKS = 12  # shown unless somebody asks for others
MOST_WEEKS = 260
MONTH = 4  # weeks: of a reference without training counts, and of the PSI that is told with each week
OLDEST, LATEST = date(2000, 1, 1), date(2199, 12, 31)
TRAINING, FIRST_WEEKS, NONE = "training", "first_weeks", "none"
IN_REFERENCE = "in_reference"


@dataclass(frozen=True, slots=True)
class Compared:
    """What a model is compared with. kind: training, first_weeks (`weeks`) or none; `counts`: of score or bins."""

    kind: str
    counts: Any
    weeks: Sequence[date] = ()

    def told(self) -> Document:
        span = (
            {"since": self.weeks[0], "until": self.weeks[-1] + WEEK} if self.weeks else {"since": None, "until": None}
        )
        return {"kind": self.kind, **span}


@dataclass(frozen=True, slots=True)
class Judged:
    """The model that is looked at, its weeks since a month before the span, and what they are compared with."""

    digest: str
    training: Training
    rows: Sequence[WeekFigures]
    scores: Compared
    bins: Compared

    def between(self, first: date, last: date, compared: Compared) -> list[WeekFigures]:
        """But for the weeks that the others are compared with."""
        return [row for row in self.rows if first <= row.week_id <= last and row.week_id not in compared.weeks]


def monitoring(
    *,
    user: User,
    now: datetime,
    segment: str = "individual",
    since: date | None = None,
    until: date | None = None,
    branch: str | None = None,
    model: str | None = None,
) -> Document:
    """Weeks from that of `since` on, up to the last that begins before `until`; the last twelve by default.

    `branch`: a code. `model`: the digest of a card; applications and decisions are then those on its scores. The score
    and its stability are always of one model: that which answered most of the span, unless it is named.
    """
    weeks, place = _span(since, until, now), _branch_of(user, branch)
    if segment not in SEGMENTS:
        raise InvalidInput.of(
            segment=Sentence("{given!r} was given; allowed are {segments}.", given=segment[:40], segments=SEGMENTS)
        )
    seen = WeekFigures.objects.visible_to(user).filter(segment=segment, branch=place)
    rows = seen.filter(week__gte=weeks[0], week__lte=weeks[-1])
    models = _models(rows)
    if model is not None and model not in {each["digest"] for each in models}:
        raise InvalidInput.of(
            model=Sentence("It scored no application of these weeks. Choose one of the models that did.")
        )
    judged = _judged(model or (models[0]["digest"] if models else ""), seen, weeks)
    counted = [row for row in rows if row.role == CHAMPION and model in (None, row.model_digest)]
    return {
        "segment": segment,
        "branch": place and place.code,
        "since": weeks[0],
        "until": weeks[-1] + WEEK,
        "models": models,
        "chosen_model": model,
        "total": _figures(counted),
        "weeks": _weeks(weeks, counted, judged),
        "judged_model": judged.digest or None,
        **_stability(judged, weeks),
    }


# --- What is asked for ----------------------------------------------------------------------------------------


def _span(since: date | None, until: date | None, now: datetime) -> list[date]:
    """The Mondays."""
    for name, day in (("since", since), ("until", until)):
        if day is not None and not OLDEST <= day <= LATEST:
            raise InvalidInput.of(
                **{
                    name: Sentence(
                        "{day} was given; allowed is a day from {oldest} to {latest}.",
                        day=day,
                        oldest=OLDEST,
                        latest=LATEST,
                    )
                }
            )
    last = week_of(now) if until is None else monday_of(until - timedelta(days=1))
    first = last - WEEK * (WEEKS - 1) if since is None else monday_of(since)
    if first > last:
        raise InvalidInput.of(
            until=Sentence(
                "The span is empty: it must end after {since}, not on {until}.", since=since, until=until or last + WEEK
            )
        )
    if first < last - WEEK * (MOST_WEEKS - 1):
        raise InvalidInput.of(
            since=Sentence("{since} was given; at most {most} weeks are shown at once.", since=since, most=MOST_WEEKS)
        )
    return list(weeks_between(first, last))


def _branch_of(user: User, code: str | None) -> Branch | None:
    """None: all together, for those who see all. Another branch than one's own is as absent as none at all."""
    own = None if user.sees_all_branches else user.branch
    if not code:
        return own
    found = Branch.objects.filter(code=code).first()
    if found is None or own not in (None, found):
        raise InvalidInput.of(
            branch=Sentence("{given!r} was given; no branch that you see has this code.", given=code[:40])
        )
    return found


def _models(rows: WeekFiguresQuerySet) -> list[Document]:
    """Those that scored, with their applications as champion and as challenger; who answered most comes first."""
    found: dict[str, dict[str, int]] = {}
    sums = rows.exclude(model_digest="").values("model_digest", "role").annotate(number=Sum("applications"))
    for row in sums.order_by("model_digest", "role"):
        roles = found.setdefault(row["model_digest"], {CHAMPION: 0, CHALLENGER: 0})
        roles[row["role"]] = row["number"]
    versions = dict(ModelCard.objects.filter(digest__in=found).values_list("digest", "version"))
    told = [{"digest": digest, "version": versions.get(digest, ""), **roles} for digest, roles in found.items()]
    return sorted(told, key=lambda one: (-one[CHAMPION], -one[CHALLENGER], one["version"]))


# --- What it is compared with ---------------------------------------------------------------------------------


def _judged(digest: str, seen: WeekFiguresQuerySet, weeks: Sequence[date]) -> Judged:
    training = training_of(digest)
    rows = seen.filter(model_digest=digest, week__gt=weeks[0] - MONTH * WEEK, week__lte=weeks[-1])
    first = _first_weeks(digest, seen) if digest and not (training.rows and training.bins) else []
    early, known = FIRST_WEEKS if first else NONE, sorted({row.week_id for row in first})
    scores = Compared(early, figures.scores_of(first, training), known)
    bins = Compared(early, figures.bins_of(first), known)
    return Judged(
        digest=digest,
        training=training,
        rows=list(rows) if digest else [],
        scores=Compared(TRAINING, training.rows) if training.rows else scores,
        bins=Compared(TRAINING, training.bins) if training.bins else bins,
    )


def _first_weeks(digest: str, seen: WeekFiguresQuerySet) -> list[WeekFigures]:
    """Of the first complete weeks in which the model scored, about a month of them."""
    scored = seen.filter(model_digest=digest, week__is_complete=True, applications__gt=0)
    weeks = list(scored.order_by("week").values_list("week", flat=True).distinct()[:MONTH])
    return list(scored.filter(week__in=weeks))


# --- Figures --------------------------------------------------------------------------------------------------


def _figures(rows: Sequence[WeekFigures]) -> Document:
    counts = figures.counts_of(rows)
    return {**counts, **figures.shares_of(counts), **figures.hours_of(rows)}


def _weeks(weeks: Sequence[date], counted: Sequence[WeekFigures], judged: Judged) -> list[Document]:
    kept = MonitoringWeek.objects.in_bulk(weeks)
    return [
        {
            "week": week,
            "is_counted": week in kept,
            "is_complete": week in kept and kept[week].is_complete,
            "counted_at": kept[week].counted_at if week in kept else None,
            **_figures([row for row in counted if row.week_id == week]),
            **_moved_score(judged, week - WEEK * (MONTH - 1), week),
        }
        for week in weeks
    ]


def _moved_score(judged: Judged, first: date, last: date) -> Document:
    """Of the applications of all these weeks."""
    rows = judged.between(first, last, judged.scores)
    found = figures.moved(figures.scores_of(rows, judged.training), judged.scores.counts)
    return found | {"why": IN_REFERENCE} if last in judged.scores.weeks else found


def _stability(judged: Judged, weeks: Sequence[date]) -> Document:
    """Of the whole span."""
    now = figures.scores_of(judged.between(weeks[0], weeks[-1], judged.scores), judged.training)
    rows = judged.between(weeks[0], weeks[-1], judged.bins)
    bins: Mapping[str, Mapping[str, float]] = judged.bins.counts
    return {
        "score": {
            "applications": sum(now),
            "reference": judged.scores.told(),
            **figures.moved(now, judged.scores.counts),
            "bands": figures.bands_of(judged.training.edges, now, judged.scores.counts),
        },
        "characteristics_reference": judged.bins.told(),
        "characteristics": figures.characteristics_of(figures.bins_of(rows), bins),
    }
