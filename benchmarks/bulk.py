"""The bulk API and bulk rescoring on a durable private PostgreSQL, in one process.

The API is called through WSGI without a server: token, throttle, parsing, validation, a data key, seal and row of the
log for each applicant, audit event, reply. Rescoring goes over stored requests of people with external records, with
models that are new to all of them and then with nothing changed, beside the way that rescores one by one. Run as
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
from functools import partial
from io import BytesIO
from pathlib import Path
from statistics import median
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


def timed(call: Callable[[], Any]) -> tuple[float, float, float, Any]:
    """Seconds of the clock, of this process's CPU and of its PostgreSQL backend's, and the result."""
    wall, used, database = time.perf_counter(), time.process_time(), backend_seconds()
    result = call()
    return time.perf_counter() - wall, time.process_time() - used, backend_seconds() - database, result


def backend_seconds() -> float:
    from django.db import connection

    connection.ensure_connection()
    stat = Path(f"/proc/{connection.connection.info.backend_pid}/stat").read_text().rpartition(")")[2].split()
    return (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")


def ticks_of_host() -> list[int]:
    """user, nice, system, idle, iowait, irq, softirq, steal: of all cores, since the host started."""
    return [int(field) for field in Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]


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
    times = [timed(lambda: post("/api/score/individual/bulk/", token, body))[:3] for _ in range(rounds)]
    wall, used, database = (median(column) for column in zip(*times, strict=True))
    figures = {"applicants_s": round(applicants / wall), "cpu_us_per_applicant": round(used / applicants * 1e6)}
    figures |= {"database_cpu_us_per_applicant": round(database / applicants * 1e6)}
    return figures | {"applicants": applicants, "body_mb": round(len(body) / 1e6, 1)}


def stored_requests(count: int) -> None:
    """Undecided requests of people with a tax and a land record each, sealed as the services do, inserted in bulk."""
    from apps.accounts.tests.factories import make_branch
    from apps.credit_requests.models import CreditRequest
    from apps.credit_requests.tests.factories import make_product
    from apps.external_integrations.models import ExternalRecord

    branch, product = make_branch(), make_product()
    keys, people = sealed_people(count, branch)
    records, versions = sealed_records(keys)
    terms = {"requested_amount": 30_000_000, "term_months": 24, "purpose": "car", "channel": "branch"}
    terms |= {"branch": branch, "product": product, "currency": "UZS"}
    requests = [CreditRequest(individual=person, **terms) for person in people]
    beside = CreditRequest.external_records.through
    ties = [beside(creditrequest=requests[place // 2], externalrecord=record) for place, record in enumerate(records)]
    type(keys[0]).objects.bulk_create(keys)
    for rows in (people, records, versions, requests, ties):
        type(rows[0]).objects.bulk_create(rows, batch_size=2000)
    for record, version in zip(records, versions, strict=True):
        record.current = version
    ExternalRecord.objects.bulk_update(records, ["current"], batch_size=500)


def sealed_people(count: int, branch: Any) -> tuple[list[Any], list[Any]]:
    from apps.common.crypto import draw_data_key, seal
    from apps.individuals.models import Individual
    from apps.individuals.profile import EMPTY_PROFILE
    from apps.individuals.tests.factories import profile_of

    keys, people = [draw_data_key() for _ in range(count)], []
    for place, key in enumerate(keys):
        person = Individual(branch=branch, data_key=key, pinfl_index=f"bench:{place}", currency="UZS")
        profile = EMPTY_PROFILE | profile_of(existing_debt=1_000_000 + 1000 * place)
        person.sealed = seal(key, profile, person.seal_context)
        people.append(person)
    return keys, people


def sealed_records(keys: list[Any]) -> tuple[list[Any], list[Any]]:
    """A tax and a land record of each person, as the mocks tell them of one identity: its content does not matter."""
    from django.utils import timezone

    from apps.common.crypto import seal
    from apps.external_integrations.models import ExternalRecord, ExternalRecordVersion
    from apps.external_integrations.sources import SOURCES
    from apps.external_integrations.tests.factories import PARCEL, PINFL

    now, records, versions = timezone.now(), [], []
    identifiers = {"soliq": PINFL, "kadastr": PARCEL}
    replies = {name: SOURCES[name].read(SOURCES[name].invent(of, now), of, now) for name, of in identifiers.items()}
    for place, key in enumerate(keys):
        for source, told in replies.items():
            times = {"observed_at": now, "checked_at": now}
            record = ExternalRecord(source=source, key_index=f"bench:{place}", data_key=key, **times)
            record.sealed = seal(key, {"identifier": identifiers[source]}, record.context)
            version = ExternalRecordVersion(record=record, data_key=key, origin="mock", observed_at=now, fetched_at=now)
            version.digest = f"bench:{place}"
            document = {"raw": told.raw, "facts": told.facts(), "currency": told.currency}
            version.sealed = seal(key, document, version.context)
            records.append(record)
            versions.append(version)
    return records, versions


def rescoring(count: int, rounds: int) -> dict[str, float]:
    from django.utils import timezone

    from apps.credit_requests.bulk_rescoring import rescore_in_processes, rescore_undecided
    from apps.credit_requests.models import CreditRequest
    from apps.credit_requests.rescoring import rescore_credit_request
    from apps.scoring_engine.tests.factories import put_in_service
    from apps.scoring_engine.tests.fixed_card import fixed_card

    def of_another_model(round_: int, workers: int = 1) -> tuple[float, float, float]:
        put_in_service(fixed_card(version=f"individual-9.{round_}.0"))
        rescore = rescore_undecided if workers == 1 else partial(rescore_in_processes, workers)
        *spent, counts = timed(rescore)
        if counts["rescored"] != count:
            raise SystemExit(f"Of {count} requests {counts} were rescored.")
        return tuple(spent)

    stored_requests(count)
    of_another_model(0)
    sample = list(CreditRequest.objects.undecided()[:100])
    put_in_service(fixed_card(version="individual-8.0.0"))
    alone = timed(lambda: [rescore_credit_request(credit_request=each, actor=None) for each in sample])[0]
    times = [of_another_model(round_) for round_ in range(1, rounds + 1)]
    wall, used, database = (median(column) for column in zip(*times, strict=True))
    by_two = of_another_model(rounds + 1, workers=2)[0]
    again = timed(lambda: rescore_undecided(now=timezone.now()))[0]
    return {
        "requests": count,
        "one_by_one_rows_s": round(len(sample) / alone),
        "changed_rows_s": round(count / wall),
        "cpu_us_per_changed_row": round(used / count * 1e6),
        "database_cpu_us_per_changed_row": round(database / count * 1e6),
        "changed_rows_s_by_two_processes_with_their_start": round(count / by_two),
        "unchanged_rows_s": round(count / again),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--applicants", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--requests", type=int, default=5_000)
    options = parser.parse_args()
    with private_postgresql() as url, tempfile.TemporaryDirectory() as folder:
        start(url, folder)
        before = ticks_of_host()
        found = {
            "bulk_api": bulk_api(options.applicants, options.rounds),
            "rescoring": rescoring(options.requests, options.rounds),
        }
        from django.db import connections

        connections.close_all()
    ticks = [now - then for now, then in zip(ticks_of_host(), before, strict=True)]
    for name, figures in found.items():
        print(f"  {name:<10} {figures}")
    host = {"load_average": round(os.getloadavg()[0], 1), "steal": round(ticks[7] / sum(ticks), 3)}
    print(json.dumps(found | {"host": host}))


if __name__ == "__main__":
    main()
