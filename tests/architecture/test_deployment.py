"""Docker files by reading and by a YAML parse: there is no engine to run them here."""

import re
from pathlib import Path

import yaml
from django.conf import settings

BASE = Path(settings.BASE_DIR)
COMPOSE = yaml.safe_load((BASE / "docker-compose.yml").read_text())
SECRETS = ("SECRET_KEY", "ENCRYPTION_KEYS", "BLIND_INDEX_KEY", "METRICS_TOKEN", "DATABASE_PASSWORD", "REDIS_PASSWORD")
OURS = ("migrate", "web", "worker", "beat")


def settings_read() -> set[str]:
    """Every variable that settings.py asks the environment for."""
    text = (BASE / "config" / "settings.py").read_text()
    names = set(re.findall(r"""env(?:\.\w+)?\(\s*"([A-Z_]+)\"""", text))
    of_sources = set(re.findall(r'env(?:\.\w+)?\(f"\{source\.upper\(\)\}_([A-Z_]+)"', text))
    return names | {f"{source.upper()}_{name}" for source in settings.EXTERNAL_SOURCES for name in of_sources}


def test_the_services_are_there():
    assert set(COMPOSE["services"]) == {"postgres", "redis", *OURS}


def test_there_are_no_default_passwords():
    text = (BASE / "docker-compose.yml").read_text()
    for secret in (*SECRETS, "DATABASE_OWNER_PASSWORD"):
        assert f"${{{secret}:?}}" in text
        assert f"${{{secret}:-" not in text
    example = dict(line.split("=", 1) for line in (BASE / ".env.example").read_text().splitlines() if "=" in line)
    assert {example[secret] for secret in (*SECRETS, "DATABASE_OWNER_PASSWORD")} == {""}


def test_only_the_migration_knows_the_owner_of_the_tables():
    knowing = [name for name in OURS if "DATABASE_OWNER_URL" in COMPOSE["services"][name]["environment"]]
    assert knowing == ["migrate"]
    for name in ("web", "worker", "beat"):
        waits_for = COMPOSE["services"][name]["depends_on"]["migrate"]
        assert waits_for == {"condition": "service_completed_successfully"}


def test_nothing_but_the_web_is_reached_and_only_from_this_machine():
    published = {name: service["ports"] for name, service in COMPOSE["services"].items() if "ports" in service}
    assert published == {"web": ["127.0.0.1:${PORT:-8000}:8000"]}


def test_our_processes_run_without_privileges():
    for name in OURS:
        service = COMPOSE["services"][name]
        assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
    dockerfile = (BASE / "Dockerfile").read_text().splitlines()
    assert [line for line in dockerfile if line.startswith("USER ")] == ["USER credit"]
    assert dockerfile.index("USER credit") > max(n for n, line in enumerate(dockerfile) if line.startswith("COPY"))


def test_each_setting_is_in_the_example_and_reaches_the_containers():
    names = settings_read()
    assert {"SECRET_KEY", "DATABASE_URL", "SOLIQ_CLIENT", "KADASTR_BASE_URL", "THROTTLE_LOGIN"} <= names
    example = (BASE / ".env.example").read_text()
    assert sorted(name for name in names if not re.search(rf"^(# )?{name}=", example, re.MULTILINE)) == []
    local_only = {"DATA_DIR", "CELERY_BROKER_URL", "CELERY_TASK_ALWAYS_EAGER", "DATABASE_OWNER_URL", "AXES_ENABLED"}
    assert names - set(COMPOSE["services"]["web"]["environment"]) <= local_only


def test_the_image_holds_what_it_runs_and_no_secrets():
    ignored = (BASE / ".dockerignore").read_text().splitlines()
    assert ignored[0] == "*"
    copied = re.findall(r"^COPY (?:--\S+ )?(.+) \S+$", (BASE / "Dockerfile").read_text(), re.MULTILINE)
    assert {f"!{name}" for names in copied for name in names.split()} <= set(ignored)
    assert not any(".env" in line or "var" in line for line in ignored if line.startswith("!"))
