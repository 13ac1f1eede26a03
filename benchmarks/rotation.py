"""Rotation of the key ring over many people, on SQLite and on a durable private PostgreSQL, while others work.

`rotate_keys` runs as a process of its own; in another, threads read people drawn at random and write new ones through
the service. Beside it the same threads with no rotation under way, so that what a rotation costs them shows. Afterwards
every profile is opened with the new key alone, and what is sealed is compared byte by byte with what was before. Run as
`python -m benchmarks.rotation`; the last line is JSON.
"""

import argparse
import base64
import hashlib
import itertools
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from datetime import date
from pathlib import Path
from threading import Event
from typing import Any
from uuid import UUID

from benchmarks.postgresql import private_postgresql

ROOT = Path(__file__).resolve().parents[1]
OLD, NEW = (f"{name}:{base64.b64encode(name.encode()[:1] * 32).decode()}" for name in ("old", "new"))
READERS, WRITERS = 2, 1
QUIET_SECONDS = 5


def start(url: str, folder: str) -> None:
    """Django on this database, migrated, with the ring of after. Settings are read at the first import."""
    os.environ |= {"DATABASE_URL": url, "DATA_DIR": folder, "LOG_LEVEL": "ERROR", "ENCRYPTION_KEYS": f"{NEW},{OLD}"}
    os.environ |= {"DJANGO_SETTINGS_MODULE": "config.settings", "CELERY_TASK_ALWAYS_EAGER": "true"}
    subprocess.run([sys.executable, "manage.py", "migrate", "--verbosity", "0"], cwd=ROOT, check=True)
    import django

    django.setup()


def use_ring(*entries: str) -> None:
    from django.conf import settings

    from apps.common import crypto

    settings.ENCRYPTION_KEYS = list(entries)
    crypto._key_ring.cache_clear()


def sealed_people(count: int) -> list[UUID]:
    """Under the old key alone, as the services seal them, inserted in bulk."""
    from apps.accounts.tests.factories import make_branch
    from apps.common.crypto import draw_data_key, seal
    from apps.individuals.models import Individual
    from apps.individuals.profile import EMPTY_PROFILE
    from apps.individuals.tests.factories import profile_of

    use_ring(OLD)
    branch, profile = make_branch(), EMPTY_PROFILE | profile_of()
    keys, people = [draw_data_key() for _ in range(count)], []
    for place, key in enumerate(keys):
        person = Individual(branch=branch, data_key=key, pinfl_index=f"bench:{place}", currency="UZS")
        person.sealed = seal(key, profile | {"salary": place}, person.seal_context)
        key.owner_index = person.pinfl_index
        people.append(person)
    for rows in (keys, people):
        type(rows[0]).objects.bulk_create(rows, batch_size=2000)
    use_ring(NEW, OLD)
    return [person.id for person in people]


class Others:
    """Threads that read and write as the services do, until they are told to stop."""

    serials = itertools.count(1)

    def __init__(self, ids: list[UUID]) -> None:
        self.ids, self.stop = ids, Event()
        self.reads: list[float] = []
        self.writes: list[float] = []
        self.failed: list[str] = []

    def __enter__(self) -> "Others":
        calls = [self._read] * READERS + [self._write] * WRITERS
        pool = ThreadPoolExecutor(len(calls))
        self.running = [pool.submit(self._repeat, call, random.Random(n)) for n, call in enumerate(calls)]  # noqa: S311
        pool.shutdown(wait=False)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop.set()
        for running in self.running:
            running.result()

    def _repeat(self, call: Any, draw: random.Random) -> None:
        """What the engine can refuse is counted: there must be none. Anything else ends the benchmark."""
        from django.db import DatabaseError, connection

        from apps.common.errors import DomainError

        try:
            while not self.stop.is_set():
                try:
                    call(draw)
                except (DatabaseError, DomainError) as error:
                    self.failed.append(f"{call.__name__}: {type(error).__name__}: {error}")
        finally:
            connection.close()

    def _read(self, draw: random.Random) -> None:
        from apps.individuals.models import Individual

        place, began = draw.randrange(len(self.ids)), time.perf_counter()
        read = Individual.objects.for_reading().get(id=self.ids[place]).profile["salary"]
        self.reads.append(time.perf_counter() - began)
        if read != place:
            self.failed.append(f"person {place} was read as {read}")

    def _write(self, draw: random.Random) -> None:
        from apps.accounts.models import Branch
        from apps.common.identifiers import build_pinfl
        from apps.individuals.services import create_individual
        from apps.individuals.tests.factories import profile_of

        area, serial = divmod(next(self.serials), 999)
        pinfl = build_pinfl(birth_date=date(1990, 1, 1), sex="male", area=area + 1, serial=serial + 1)
        profile, began = profile_of() | {"pinfl": pinfl, "birth_date": "1990-01-01"}, time.perf_counter()
        create_individual(profile=profile, currency="UZS", branch=Branch.objects.get(), actor=None)
        self.writes.append(time.perf_counter() - began)
        time.sleep(0.02)

    def told(self, seconds: float) -> dict[str, Any]:
        if self.failed:
            print("\n".join(self.failed[:5]), file=sys.stderr)
        figures = {"reads": len(self.reads), "reads_s": round(len(self.reads) / seconds), "writes": len(self.writes)}
        for name, taken in (("read", self.reads), ("write", self.writes)):
            figures |= {f"{name}_p99_ms": round(1000 * sorted(taken)[int(len(taken) * 0.99)], 1)}
            figures |= {f"slowest_{name}_ms": round(1000 * max(taken), 1)}
        failed_reads = sum(not told.startswith("_write") for told in self.failed)
        return figures | {"failed_reads": failed_reads, "failed_writes": len(self.failed) - failed_reads}


def sealed_digest(ids: list[UUID]) -> str:
    from apps.individuals.models import Individual

    rows = Individual.objects.filter(pinfl_index__startswith="bench:").order_by("id").values_list("id", "sealed")
    whole = hashlib.sha256()
    for id_, sealed in rows.iterator(chunk_size=2000):
        whole.update(id_.bytes + bytes(sealed))
    return whole.hexdigest()


def unreadable_under_the_new_key() -> int:
    from apps.common.errors import DomainError
    from apps.individuals.models import Individual

    use_ring(NEW)
    missed = 0
    for person in Individual.objects.for_reading().iterator(chunk_size=2000):
        try:
            person.profile  # noqa: B018 - opens it
        except DomainError:
            missed += 1
    return missed


def measured(count: int) -> dict[str, Any]:
    from apps.common.models import DataKey

    ids = sealed_people(count)
    before = sealed_digest(ids)
    with Others(ids) as quiet:
        time.sleep(QUIET_SECONDS)
    with Others(ids) as others:
        began = time.perf_counter()
        done = subprocess.run([sys.executable, "manage.py", "rotate_keys"], cwd=ROOT, check=True, capture_output=True)
        seconds = time.perf_counter() - began
    print(done.stdout.decode(), file=sys.stderr)
    return {
        "people": count,
        "seconds": round(seconds, 1),
        "rows_s": round(count / seconds),
        "meanwhile": others.told(seconds),
        "without_a_rotation": quiet.told(QUIET_SECONDS),
        "sealed_rows_unchanged": sealed_digest(ids) == before,
        "left_under_the_old_key": DataKey.objects.filter(key_id="old").count(),
        "unreadable_under_the_new_key_alone": unreadable_under_the_new_key(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--people", type=int, default=100_000)
    parser.add_argument("--on", choices=["SQLite", "PostgreSQL"], help="only this one")
    parser.add_argument("--url", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.url:
        with tempfile.TemporaryDirectory() as folder:
            start(options.url.format(folder=folder), folder)
            print(json.dumps(measured(options.people)))
        return
    found = {}
    for name in [options.on] if options.on else ["SQLite", "PostgreSQL"]:
        with nullcontext("sqlite:///{folder}/bench.sqlite3") if name == "SQLite" else private_postgresql() as url:
            command = [sys.executable, "-m", "benchmarks.rotation", f"--people={options.people}", f"--url={url}"]
            out = subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.PIPE).stdout
        found[name] = json.loads(out.splitlines()[-1])
        print(f"  {name:<10} {found[name]}")
    print(json.dumps(found | {"load_average": round(os.getloadavg()[0], 1)}))


if __name__ == "__main__":
    main()
