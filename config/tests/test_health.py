"""/healthz, /readyz and /metrics: who may see them and what they say."""

import pytest
from django.db import DatabaseError
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client

from apps.accounts.tests.factories import client_for, make_user
from apps.scoring_engine.tests.factories import empty_registry

pytestmark = pytest.mark.django_db
SEGMENTS = {"individual", "company"}


def test_healthz_answers_without_the_database(django_db_blocker):
    with django_db_blocker.block():
        response = Client().get("/healthz")
    assert (response.status_code, response.json()) == (200, {"status": "ok"})


def test_readyz_names_database_and_models():
    response = Client().get("/readyz")
    body = response.json()
    assert (response.status_code, body["database"], set(body["models"])) == (200, "ok", SEGMENTS)
    assert body["status"] in ("ready", "degraded")
    for model in body["models"].values():
        assert model["mode"] in ("model", "fallback")
        assert (model["mode_reason"] is None) == (model["mode"] == "model")


def test_readyz_is_degraded_and_says_why_without_a_model_in_service():
    empty_registry()
    response = Client().get("/readyz")
    body = response.json()
    assert (response.status_code, body["status"]) == (200, "degraded")
    assert {model["mode"] for model in body["models"].values()} == {"fallback"}
    assert body["models"]["individual"]["model_version"].startswith("expert/individual")
    assert "no model of this segment is in service" in body["models"]["individual"]["mode_reason"]


def test_readyz_is_503_while_migrations_wait():
    MigrationRecorder.Migration.objects.filter(app="audit").delete()
    response = Client().get("/readyz")
    assert response.status_code == 503
    assert response.json()["status"] == "not ready"
    assert "migrations are waiting: run `python manage.py migrate`" in response.json()["database"]


def test_readyz_is_503_without_a_database(monkeypatch):
    def unreachable(self, *arguments) -> None:
        raise DatabaseError("password=secret")

    monkeypatch.setattr(MigrationExecutor, "__init__", unreachable)
    response = Client().get("/readyz")
    assert (response.status_code, response.json()["database"]) == (503, "unreachable (DatabaseError)")
    assert "secret" not in response.content.decode()


def test_readyz_is_503_without_the_redis_that_is_set(settings):
    settings.CACHES = {"default": {"BACKEND": "apps.common.caches.SharedCache", "LOCATION": "redis://127.0.0.1:1/0"}}
    response = Client().get("/readyz")
    body = response.json()
    assert (response.status_code, body["status"], body["database"]) == (503, "not ready", "ok")
    assert body["cache"] == "unreachable (ConnectionError)"


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer wrong", "Token {token}", "bearer {token}", "Bearer é"])
def test_metrics_need_their_own_token(settings, header):
    headers = {} if header is None else {"Authorization": header.format(token=settings.METRICS_TOKEN)}
    response = Client().get("/metrics", headers=headers)
    assert (response.status_code, response["WWW-Authenticate"]) == (401, "Bearer")
    assert b"django_" not in response.content


def test_a_person_does_not_open_metrics():
    assert client_for(make_user("administrator")).get("/metrics").status_code == 401


def test_metrics_count_by_route_and_hold_no_path(settings):
    Client().get("/api/external/soliq/987654321/")
    response = Client().get("/metrics", headers={"Authorization": f"Bearer {settings.METRICS_TOKEN}"})
    assert response.status_code == 200
    assert b"django_http_requests_total_by_method_total" in response.content
    assert b"987654321" not in response.content
