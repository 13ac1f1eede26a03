"""The tables of the portfolio: what was counted of each week, and files that are scored once."""

from apps.portfolio.models.monitoring import MonitoringWeek, WeekFigures, WeekFiguresQuerySet
from apps.portfolio.models.uploads import Upload, UploadChunk, UploadQuerySet

__all__ = ["MonitoringWeek", "Upload", "UploadChunk", "UploadQuerySet", "WeekFigures", "WeekFiguresQuerySet"]
