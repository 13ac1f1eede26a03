"""Read-only, and without what is sealed: results, models and removals, for the operator's eyes."""

from django.contrib import admin

from apps.common.admin import ReadOnlyAdmin
from apps.scoring_engine.models import ModelCard, PredictionLog, RetentionRun


@admin.register(PredictionLog)
class PredictionLogAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "segment", "score", "grade", "mode", "model_version", "cause"]
    list_filter = ["segment", "mode", "model_version"]
    list_select_related = False
    fields = [
        "id",
        "created_at",
        "segment",
        "score",
        "probability_of_default",
        "grade",
        "horizon_months",
        "mode",
        "mode_reason",
        "purpose",
        "model_version",
        "card",
        "cause",
        "request_id",
        "branch",
        "actor",
    ]


@admin.register(ModelCard)
class ModelCardAdmin(ReadOnlyAdmin):
    list_display = ["version", "segment", "digest", "created_at"]


@admin.register(RetentionRun)
class RetentionRunAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "older_than", "row_count", "actor"]
