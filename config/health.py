"""/healthz: the process answers. /readyz: it can serve, and with which model. /metrics: Prometheus, by token."""

import secrets
from http import HTTPStatus

from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django_prometheus.exports import ExportToDjangoView

from apps.scoring_engine.ml.vocabulary import SEGMENTS
from apps.scoring_engine.registry import champion


def healthz(request: HttpRequest) -> JsonResponse:
    return JsonResponse({"status": "ok"})


def _database() -> str:
    try:
        executor = MigrationExecutor(connection)
        waiting = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except DatabaseError as error:
        return f"unreachable ({type(error).__name__})"
    return f"{len(waiting)} migrations are waiting: run `python manage.py migrate`" if waiting else "ok"


def _models() -> dict[str, dict[str, str | None]]:
    serving = {segment: champion(segment) for segment in SEGMENTS}
    return {
        segment: {"model_version": found.scorer.version, "mode": found.mode, "mode_reason": found.reason or None}
        for segment, found in serving.items()
    }


def readyz(request: HttpRequest) -> JsonResponse:
    """503 without a migrated database. A fallback is served, so it stays 200, and says so."""
    database = _database()
    models = _models() if database == "ok" else {}
    degraded = any(model["mode"] == "fallback" for model in models.values())
    status = "not ready" if database != "ok" else "degraded" if degraded else "ready"
    code = HTTPStatus.SERVICE_UNAVAILABLE if database != "ok" else HTTPStatus.OK
    mocks = [name for name, source in settings.EXTERNAL_SOURCES.items() if source["client"] == "mock"]
    return JsonResponse({"status": status, "database": database, "models": models, "mock_sources": mocks}, status=code)


def metrics(request: HttpRequest) -> HttpResponse:
    """Asks for `Authorization: Bearer <METRICS_TOKEN>`."""
    expected = f"Bearer {settings.METRICS_TOKEN}"
    if not secrets.compare_digest(request.headers.get("Authorization", "").encode(), expected.encode()):
        return HttpResponse("A metrics token is needed.\n", status=401, headers={"WWW-Authenticate": "Bearer"})
    return ExportToDjangoView(request)
