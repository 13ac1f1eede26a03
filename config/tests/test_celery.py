"""Whoever sends, works off or times a job has the application of config/celery.py, and nobody else imports it."""

import json
import os
import subprocess
import sys

import pytest
from celery.app.utils import find_app
from django.conf import settings

from config.celery import app

OF_THREADS = """
import json, threading
{begin}
from celery import current_app
names = [current_app.main]
thread = threading.Thread(target=lambda: names.append(current_app.main))
thread.start()
thread.join()
print(json.dumps(names))
"""
IN_THE_WEB = "import config.wsgi"
IN_A_COMMAND = """
import django
django.setup()
from apps.common import background
background._task("work_due_jobs")
"""
BEFORE_A_COMMAND = """
import json, sys
import django
django.setup()
from django.core.management import load_command_class
load_command_class("apps.scoring_engine", "rollback_model")
slow = ("celery", "kombu", "httpx", "rest_framework.serializers", "rich.progress", "numpy", "config.celery")
print(json.dumps([name for name in slow if name in sys.modules]))
"""


def printed(script, tmp_path):
    """By a process of its own."""
    set_here = {"DJANGO_SETTINGS_MODULE": "config.settings", "DATA_DIR": str(tmp_path)}
    command = [sys.executable, "-c", script]
    done = subprocess.run(
        command, cwd=settings.BASE_DIR, env=os.environ | set_here, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_the_worker_and_beat_find_it():
    assert find_app("config") is app


@pytest.mark.parametrize("begin", [IN_THE_WEB, IN_A_COMMAND], ids=["web", "command"])
def test_it_is_the_current_one_in_every_thread(begin, tmp_path):
    assert printed(OF_THREADS.format(begin=begin), tmp_path) == ["credit_ml", "credit_ml"]


def test_a_rollback_does_not_wait_for_what_it_does_not_need(tmp_path):
    assert printed(BEFORE_A_COMMAND, tmp_path) == []
