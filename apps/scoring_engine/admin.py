"""Read-only, and without what is sealed: results, models and removals, for the operator's eyes."""

from django.contrib import admin

from apps.common.admin import ReadOnlyAdmin
from apps.scoring_engine.models import (
    ModelAssignment,
    ModelCard,
    ModelValidation,
    ModelVersion,
    PredictionLog,
    RetentionRun,
)


@admin.register(PredictionLog)
class PredictionLogAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "segment", "score", "grade", "role", "mode", "model_version", "cause"]
    list_filter = ["segment", "role", "mode", "model_version"]
    list_select_related = False
    fields = [
        "id",
        "created_at",
        "segment",
        "score",
        "probability_of_default",
        "grade",
        "horizon_months",
        "role",
        "beside",
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


@admin.register(ModelVersion)
class ModelVersionAdmin(ReadOnlyAdmin):
    list_display = ["segment", "version", "kind", "origin", "state", "since", "made_by", "checked_by", "on_own_data"]
    list_filter = ["segment", "state", "kind"]
    list_select_related = ["made_by", "checked_by"]
    # Not the file: it would be read whole to be shown as nothing.
    fields = [*list_display, "file_id", "card", "types", "manifest", "created_at"]
    readonly_fields = ["file_id"]


@admin.register(ModelValidation)
class ModelValidationAdmin(ReadOnlyAdmin):
    list_display = ["created_at", "model", "validator", "passed", "gates_passed", "on_own_data"]
    list_select_related = ["model", "validator"]


@admin.register(ModelAssignment)
class ModelAssignmentAdmin(ReadOnlyAdmin):
    list_display = ["started_at", "segment", "role", "model", "action", "actor", "reason"]
    list_filter = ["segment", "role"]
    list_select_related = ["model", "actor"]
