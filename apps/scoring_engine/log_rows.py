"""A row of the log before it is one: making a model instance of it takes longer than scoring the applicant."""

from collections import namedtuple
from collections.abc import Iterable

from apps.common.inserting import insert_rows
from apps.scoring_engine.models import PredictionLog

COLUMNS = tuple(field.attname for field in PredictionLog._meta.concrete_fields)


class LogRow(namedtuple("LogRow", COLUMNS)):
    """The values of PredictionLog's columns, in their order."""

    __slots__ = ()

    def as_prediction(self) -> PredictionLog:
        return PredictionLog(*self)


def insert_log(rows: Iterable[LogRow]) -> None:
    """On PostgreSQL while `rows` are made, so these must ask the database nothing."""
    insert_rows(PredictionLog, COLUMNS, rows)
