"""How soon a rollback counts: from the start of the command, or of the call, to scorings by the model of before.

Two web processes and one that scores without a web server, over one database (that of DATABASE_URL, or SQLite), none of
them restarted. Beside it the wait that a scoring has while models change: the slowest of those sent one after another
through a promotion, over HTTP. Run as `python -m benchmarks.rollback`; the last line is JSON, in seconds.
"""

import argparse
import itertools
import json
import os
import statistics
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import django

ROUNDS = 5
PAUSE = 0.05  # seconds between two scorings: some traffic, and not one process that takes a whole core


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--rounds", type=int, default=ROUNDS)
    rounds = arguments.parse_args().rounds
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from tests.installation import Installation

    with tempfile.TemporaryDirectory() as folder:
        installation = Installation(Path(folder))
        try:
            print(json.dumps(measured(installation, rounds)))
        finally:
            installation.remove()


def measured(installation, rounds):
    from tests.registry import SHIPPED, RegisteredModels

    models = RegisteredModels(installation)
    models.prepare()
    models.register("individual-9.0.0")
    ways = {"by_command": lambda: models.change("rollback_model", "individual"), "by_api": models.roll_back_over_http}
    taken, slowest = {way: [] for way in ways}, []
    with models.running() as processes, ThreadPoolExecutor(1) as pool:
        for number, way in itertools.product(range(rounds), ways):
            models.change("promote_model", "individual-9.0.0")
            assert models.answers() == ["individual-9.0.0"] * 3
            began = time.perf_counter()
            slowest.append(max(scorings_until(pool.submit(ways[way]), models)))
            assert models.answers() == [SHIPPED] * 3
            taken[way].append(time.perf_counter() - began)
            print(f"round {number + 1}, {way}: {taken[way][-1]:.2f} s", file=sys.stderr)
        restarts = sum(process.poll() is not None for process in processes)
    return {
        "database": "PostgreSQL" if installation.cluster else "SQLite",
        "rounds": rounds,
        "restarts": restarts,
        "until_all_processes_follow": {
            way: {"median": round(statistics.median(found), 2), "most": round(max(found), 2)}
            for way, found in taken.items()
        },
        "slowest_scoring_meanwhile": round(max(slowest), 3),
    }


def scorings_until(rollback, models):
    """Seconds of each scoring over HTTP until the rollback is through."""
    taken = []
    while not rollback.done() or not taken:
        began = time.perf_counter()
        models.answer_over_http(models.ports[0])
        taken.append(time.perf_counter() - began)
        time.sleep(PAUSE)
    rollback.result()
    return taken


if __name__ == "__main__":
    main()
