"""A row of the log before it is one: making a model instance of it takes longer than scoring the applicant."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from uuid import UUID

from apps.common.inserting import insert_rows
from apps.scoring_engine.models import PredictionLog

COLUMNS = tuple(field.attname for field in PredictionLog._meta.concrete_fields)
values_of = attrgetter(*COLUMNS)


@dataclass(slots=True, kw_only=True)
class LogRow:
    """By the names of the columns of PredictionLog."""

    id: UUID
    created_at: datetime
    segment: str
    score: int
    probability_of_default: float
    grade: str
    grades_version: str
    horizon_kind: str
    horizon_months: int
    role: str
    beside: UUID | None
    mode: str
    mode_reason: str
    purpose: str
    model_version: str
    card_id: str
    base_points: int
    reference_score: int
    currency: str
    inputs_digest: str
    data_key_id: UUID
    sealed: bytes
    actor_id: int | None
    branch_id: UUID | None
    cause: str
    request_id: UUID | None

    def as_prediction(self) -> PredictionLog:
        return PredictionLog(*values_of(self))


def insert_log(rows: Iterable[LogRow]) -> None:
    insert_rows(PredictionLog, COLUMNS, map(values_of, rows))
