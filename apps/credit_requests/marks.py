"""What the queue chooses and orders requests by, kept in columns of the request by whoever scores it.

Score, grade, fallback and demonstration are those of its newest prediction, which a trigger checks. Contradictions and
a thin file are as of the last check of an undecided request, and of a decided one as of its decision.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from apps.common.facts import Found
from apps.credit_requests.contradictions import compare, contradictions_of, open_records, stated_by
from apps.credit_requests.models import CreditRequest
from apps.external_integrations.as_of import held_now
from apps.external_integrations.models import ExternalRecord
from apps.scoring_engine.log_rows import LogRow
from apps.scoring_engine.models import PredictionLog

OF_PREDICTION = ("score", "grade", "is_fallback", "is_demonstration")
OF_FACTS = ("has_contradiction", "is_thin_file")
MARKS = (*OF_PREDICTION, *OF_FACTS)
# Any of them, known and not 0, tells of a history; without one there is nothing to judge by but what applicants say.
HISTORY = {
    "individual": ("credit_history_score", "open_accounts", "oldest_account_date"),
    "company": ("revenue", "assets"),
}


def marks_of(prediction: PredictionLog | LogRow) -> dict[str, Any]:
    """OF_PREDICTION."""
    return {
        "score": prediction.score,
        "grade": prediction.grade,
        "is_fallback": prediction.mode == "fallback",
        "is_demonstration": prediction.purpose == "demonstration",
    }


def set_marks(
    credit_request: CreditRequest, facts: Mapping[str, Found], records: Iterable[ExternalRecord], now: datetime
) -> None:
    """All MARKS of a request that was just looked at; the caller stores them."""
    for name, value in marks_of(credit_request.prediction).items():
        setattr(credit_request, name, value)
    credit_request.has_contradiction = has_contradiction(credit_request, records, now)
    credit_request.is_thin_file = is_thin_file(credit_request.segment, facts)


def has_contradiction(credit_request: CreditRequest, records: Iterable[ExternalRecord], now: datetime) -> bool:
    held = [known for record in records if (known := held_now(record)) is not None]
    return bool(contradictions_of(compare(stated_by(credit_request, now), open_records(held))))


def is_thin_file(segment: str, facts: Mapping[str, Found]) -> bool:
    """Nothing known tells of a person's credit history, or of a company's business."""
    return not any(facts[name].value for name in HISTORY[segment] if name in facts)
