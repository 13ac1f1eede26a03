"""Applications, decisions and counted weeks to test with. Scores are those of the small card: 515, 485, 435."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from apps.accounts.models import Branch
from apps.credit_requests.models import CreditRequest, Decision
from apps.credit_requests.tests.deciders import decision_row
from apps.credit_requests.tests.factories import make_request
from apps.individuals.tests.factories import make_individual
from apps.portfolio.models import MonitoringWeek, WeekFigures
from apps.portfolio.models.monitoring import COUNTS
from apps.scoring_engine.models import CHAMPION

WEEK = date(2026, 3, 2)
MIDDLE = datetime(2026, 3, 4, 6, tzinfo=UTC)  # Wednesday, 11:00 in Tashkent
AFTER = datetime(2026, 3, 9, 12, tzinfo=UTC)  # when the week is complete


def apply(branch: Branch, at: datetime = MIDDLE, score: int | None = 790, **options: Any) -> CreditRequest:
    """`score`: that of the credit history; `options`: of the person, and `consents`."""
    consents = options.pop("consents", ("soliq",))
    return make_request(make_individual(branch, credit_history_score=score, **options), now=at, consents=consents)


def decided(request: CreditRequest, at: datetime, **columns: Any) -> Decision:
    decision = decision_row(request, columns.pop("policy"), created_at=at, **columns)
    decision.save(force_insert=True)
    return decision


def figures(week: date = WEEK, **columns: Any) -> WeekFigures | None:
    """Of all branches and the champion, unless others are named."""
    given = {"segment": "individual", "branch": None, "role": CHAMPION} | columns
    return WeekFigures.objects.filter(week=week, **given).first()


def counts(row: WeekFigures) -> dict[str, int]:
    """Those that are not nought."""
    return {name: getattr(row, name) for name in COUNTS if getattr(row, name)}


def counted_week(week: date, **columns: Any) -> WeekFigures:
    """A row that nobody counted, of a complete week."""
    kept, _ = MonitoringWeek.objects.get_or_create(
        week=week, defaults={"counted_at": AFTER + timedelta(days=400), "is_complete": True}
    )
    given = {"segment": "individual", "model_digest": "d" * 64, "role": CHAMPION} | columns
    given["scores"] = given.get("scores", {"edges": [], "rows": [given.get("applications", 0)]})
    return WeekFigures.objects.create(week=kept, **given)
