"""What a production start insists on, tried by starting."""

import os
import subprocess
import sys

import pytest
from django.conf import settings

KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="
OTHER_KEY = "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE="
GOOD = {
    "ENVIRONMENT": "production",
    "SECRET_KEY": "s" * 60,
    "ENCRYPTION_KEYS": f"k:{KEY}",
    "BLIND_INDEX_KEY": KEY,
    "METRICS_TOKEN": "m" * 20,
    "ALLOWED_HOSTS": "credit.example",
    "SOLIQ_CLIENT": "http",
    "SOLIQ_BASE_URL": "https://soliq.example",
    "SOLIQ_ALLOWED_HOSTS": "soliq.example",
    "KADASTR_CLIENT": "http",
    "KADASTR_BASE_URL": "https://kadastr.example",
    "KADASTR_ALLOWED_HOSTS": "kadastr.example",
}


def start(tmp_path, **changes: str | None) -> tuple[int, str]:
    wanted = GOOD | {"DATA_DIR": str(tmp_path)} | changes
    environment = {name: value for name, value in os.environ.items() if name not in wanted and "DATABASE" not in name}
    environment |= {name: value for name, value in wanted.items() if value is not None}
    command = [sys.executable, "manage.py", "check"]
    done = subprocess.run(command, cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stderr


def test_a_complete_environment_starts_and_makes_no_secrets(tmp_path):
    assert start(tmp_path)[0] == 0
    assert not (tmp_path / "local.env").exists()


def test_what_the_settings_name_is_found_in_a_production_start(tmp_path):
    start_up = "import config.wsgi; from rest_framework.views import APIView as V"
    told = "print([throttle.__name__ for throttle in V.throttle_classes])"
    environment = os.environ | GOOD | {"DATA_DIR": str(tmp_path), "DJANGO_SETTINGS_MODULE": "config.settings"}
    command = [sys.executable, "-c", f"{start_up}; {told}"]
    done = subprocess.run(command, cwd=settings.BASE_DIR, env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "['AnonWindow', 'UserWindow']", done.stderr


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"SECRET_KEY": None}, "SECRET_KEY"),
        ({"METRICS_TOKEN": ""}, "METRICS_TOKEN is empty"),
        ({"ENCRYPTION_KEYS": ""}, "ENCRYPTION_KEYS is empty"),
        ({"ENCRYPTION_KEYS": KEY}, "ENCRYPTION_KEYS: entry 1 of 1 is not id:base64"),
        ({"ENCRYPTION_KEYS": "k:not*base64"}, "ENCRYPTION_KEYS: the key 'k' is not base64."),
        ({"ENCRYPTION_KEYS": f"k:{KEY},k:{OTHER_KEY}"}, "ENCRYPTION_KEYS: the id 'k' stands twice"),
        ({"ENCRYPTION_KEYS": f"k:{KEY},old:MDEyMzQ1Njc4OTAxMjM0NQ=="}, "the key 'old' has 16 bytes; 32 are needed."),
        ({"BLIND_INDEX_KEY": "short"}, "BLIND_INDEX_KEY is not base64."),
        ({"ENVIRONMENT": "staging"}, "ENVIRONMENT is 'staging'; allowed are local and production."),
        ({"SOLIQ_CLIENT": "mock"}, "SOLIQ_CLIENT is mock in production"),
        ({"KADASTR_CLIENT": None}, "KADASTR_CLIENT is mock in production"),
        ({"WEBHOOK_DEADLINE_SECONDS": "0"}, "WEBHOOK_DEADLINE_SECONDS is more than 0 and at most 60"),
    ],
)
def test_what_is_missing_is_named(tmp_path, changes, message):
    status, told = start(tmp_path, **changes)
    assert status == 1
    assert message in told


def test_invented_records_in_production_are_a_choice(tmp_path):
    assert start(tmp_path, SOLIQ_CLIENT="mock", ALLOW_MOCK_SOURCES="true")[0] == 0


def test_a_local_start_makes_secrets_for_its_owner_only(tmp_path):
    names = ("ENVIRONMENT", "SECRET_KEY", "ENCRYPTION_KEYS", "BLIND_INDEX_KEY", "METRICS_TOKEN")
    assert start(tmp_path, **dict.fromkeys(names))[0] == 0
    made = tmp_path / "local.env"
    first = made.read_text()
    assert [line.split("=")[0] for line in first.splitlines()[1:]] == list(names[1:])
    if os.name == "posix":
        assert made.stat().st_mode & 0o777 == 0o600
    assert start(tmp_path, **dict.fromkeys(names))[0] == 0
    assert made.read_text() == first
