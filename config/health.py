"""/healthz: the process answers. /readyz: it can serve, and with which model. /metrics: Prometheus, by token."""

import secrets
from http import HTTPStatus

from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django_prometheus.exports import ExportToDjangoView

from apps.common.crypto import missing_ids
from apps.common.errors import CacheUnreachable
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


def _keys() -> str:
    missing = ", ".join(missing_ids())
    return f"ENCRYPTION_KEYS lacks {missing}: what is sealed under it cannot be read" if missing else "ok"


def _cache() -> str:
    try:
        cache.get("readyz")
    except CacheUnreachable as error:
        return f"unreachable ({type(error.__cause__).__name__})"
    return "ok"


def readyz(request: HttpRequest) -> JsonResponse:
    """503 without a migrated database, or a Redis that answers. With a fallback, or without an old key of the ring, it
    is 200 and says so.
    """
    database, shared = _database(), _cache()
    models = _models() if database == "ok" else {}
    keys = _keys() if database == "ok" else "not looked at"
    degraded = keys != "ok" or any(model["mode"] == "fallback" for model in models.values())
    serves = database == shared == "ok"
    status = "degraded" if serves and degraded else "ready" if serves else "not ready"
    code = HTTPStatus.OK if serves else HTTPStatus.SERVICE_UNAVAILABLE
    mocks = [name for name, source in settings.EXTERNAL_SOURCES.items() if source["client"] == "mock"]
    told = {"status": status, "database": database, "cache": shared, "keys": keys}
    return JsonResponse(told | {"models": models, "mock_sources": mocks}, status=code)


def metrics(request: HttpRequest) -> HttpResponse:
    """Asks for `Authorization: Bearer <METRICS_TOKEN>`."""
    expected = f"Bearer {settings.METRICS_TOKEN}"
    if not secrets.compare_digest(request.headers.get("Authorization", "").encode(), expected.encode()):
        return HttpResponse("A metrics token is needed.\n", status=401, headers={"WWW-Authenticate": "Bearer"})
    return ExportToDjangoView(request)
