"""The bulk API and bulk rescoring on a durable private PostgreSQL, in one process.

The API is called through WSGI without a server: token, throttle, parsing, validation, a data key, seal and row of the
log for each applicant, audit event, reply. Rescoring goes over stored requests of people with external records, once
with a model that is new to all of them and once with nothing changed, beside the way that rescores one by one. Run as
`python -m benchmarks.bulk`; the last line is JSON.
"""

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

from benchmarks.postgresql import private_postgresql

ROOT = Path(__file__).resolve().parents[1]


def start(url: str, folder: str) -> None:
    """Django on the private cluster, migrated, with the shipped models. Settings are read at the first import."""
    os.environ |= {"DATABASE_URL": url, "DATA_DIR": folder, "THROTTLE_USER": "10000000/min", "LOG_LEVEL": "ERROR"}
    os.environ |= {"DJANGO_SETTINGS_MODULE": "config.settings", "CELERY_TASK_ALWAYS_EAGER": "true"}
    for command in (["migrate", "--verbosity", "0"], ["register_shipped_models"]):
        subprocess.run([sys.executable, "manage.py", *command], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    import django

    django.setup()


def timed(call: Callable[[], Any]) -> tuple[float, float, Any]:
    """Seconds of the clock, seconds of this process's CPU, and the result."""
    wall, used = time.perf_counter(), time.process_time()
    result = call()
    return time.perf_counter() - wall, time.process_time() - used, result


def post(path: str, token: str, body: bytes) -> bytes:
    from django.core.wsgi import get_wsgi_application

    told: list[str] = []
    environ = {
        "REQUEST_METHOD": "POST", "PATH_INFO": path, "SERVER_NAME": "localhost", "SERVER_PORT": "80",
        "HTTP_HOST": "localhost", "wsgi.input": BytesIO(body), "CONTENT_LENGTH": str(len(body)),
        "CONTENT_TYPE": "application/json", "HTTP_AUTHORIZATION": f"Token {token}", "wsgi.url_scheme": "http",
        "REMOTE_ADDR": "127.0.0.1", "wsgi.errors": sys.stderr,
    }  # fmt: skip
    reply = b"".join(get_wsgi_application()(environ, lambda status, headers: told.append(status)))
    if not told[0].startswith("200"):
        raise SystemExit(f"The bulk API answered {told[0]}: {reply[:500]!r}")
    return reply


def bulk_api(applicants: int, rounds: int) -> dict[str, float]:
    from datetime import timedelta

    from apps.accounts.services import issue_token
    from apps.accounts.tests.factories import make_user
    from benchmarks.scoring_speed import applicant

    user = make_user("officer")
    token, draw = issue_token(user=user, expires_in=timedelta(hours=1), actor=user)[1], random.Random(1)  # noqa: S311
    body = json.dumps({"applicants": [applicant(draw) for _ in range(applicants)]}).encode()
    post("/api/score/individual/bulk/", token, body)
    times = [timed(lambda: post("/api/score/individual/bulk/", token, body))[:2] for _ in range(rounds)]
    wall, used = sorted(times)[len(times) // 2]
    figures = {"applicants_s": round(applicants / wall), "cpu_us_per_applicant": round(used / applicants * 1e6)}
    return figures | {"applicants": applicants, "body_mb": round(len(body) / 1e6, 1)}


def stored_requests(count: int) -> None:
    from apps.accounts.tests.factories import make_branch
    from apps.common.background import work_due_jobs
    from apps.credit_requests.tests.factories import make_product, make_request
    from apps.individuals.tests.factories import make_individual

    branch, product = make_branch(), make_product()
    for _ in range(count):
        make_request(make_individual(branch), product)
    work_due_jobs()


def rescoring(count: int) -> dict[str, float]:
    from django.utils import timezone

    from apps.credit_requests.bulk_rescoring import rescore_undecided
    from apps.credit_requests.models import CreditRequest
    from apps.credit_requests.rescoring import rescore_credit_request
    from apps.scoring_engine.tests.factories import put_in_service
    from apps.scoring_engine.tests.fixed_card import fixed_card

    stored_requests(count)
    sample = list(CreditRequest.objects.undecided()[: max(count // 10, 1)])
    put_in_service(fixed_card())
    alone = timed(lambda: [rescore_credit_request(credit_request=each, actor=None) for each in sample])[0]
    put_in_service(fixed_card(version="individual-9.1.0"))
    changed, used, counts = timed(lambda: rescore_undecided(now=timezone.now()))
    unchanged = timed(lambda: rescore_undecided(now=timezone.now()))[0]
    return {
        "requests": count,
        "rescored": counts["rescored"],
        "one_by_one_rows_s": round(len(sample) / alone),
        "changed_rows_s": round(count / changed),
        "cpu_us_per_changed_row": round(used / count * 1e6),
        "unchanged_rows_s": round(count / unchanged),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--applicants", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--requests", type=int, default=300)
    options = parser.parse_args()
    with private_postgresql() as url, tempfile.TemporaryDirectory() as folder:
        start(url, folder)
        found = {"bulk_api": bulk_api(options.applicants, options.rounds), "rescoring": rescoring(options.requests)}
        from django.db import connections

        connections.close_all()
    for name, figures in found.items():
        print(f"  {name:<10} {figures}")
    print(json.dumps(found | {"load_average": round(os.getloadavg()[0], 1)}))


if __name__ == "__main__":
    main()
