"""POST /api/score/individual/ against a plain Django REST framework view that scores with LightGBM and logs nothing.

Ours checks the facts strictly, counts the caller's requests, seals the facts and keeps a durable row of the log and an
audit event; the plain view has none of that and no middleware but Django's CommonMiddleware. Both stand behind gunicorn
with the same workers, those of the Dockerfile unless told otherwise, on one private PostgreSQL (fsync and
synchronous_commit on), ask for the same token, get the same facts, and take turns. The plain view reads the token with
knox as it comes; with --same-tokens it borrows our class, which finds token, person and branch by one planned
statement. Throttles count in Redis, as in production. commit_ms is what a bare INSERT with its COMMIT takes here on one
connection, the floor under a durable row. Clients, servers and databases share the cores of the machine. Run as
`python -m benchmarks.http_scoring`; the last line is JSON.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg

from benchmarks.postgresql import free_port, private_postgresql

ROOT = Path(__file__).resolve().parents[1]
CONNECTIONS = 8
OUR_TOKENS = "apps.accounts.authentication.TokenAuthentication"
OFFICER = """
from datetime import timedelta
from apps.accounts.models import Branch
from apps.accounts.services import create_user, issue_token
branch = Branch.objects.create(code="bench", name="Bench")
user = create_user(username="bench", role="officer", branch=branch, password="not used by anybody 1", actor=None)
print("token", issue_token(user=user, expires_in=timedelta(hours=1), actor=user)[1])
"""
MODEL = """
import random, sys
from apps.scoring_engine.ml.risk_model import card_in_service
from benchmarks.scoring_speed import applicant, learnt, used_facts
card, draw = card_in_service("individual").card, random.Random(1)
learnt(card, [used_facts(card, applicant(draw)) for _ in range(20_000)]).save_model(sys.argv[1])
"""


def python(*arguments: str, env: dict[str, str]) -> str:
    done = subprocess.run([sys.executable, *arguments], cwd=ROOT, env=env, check=True, capture_output=True, text=True)
    return done.stdout


@contextmanager
def private_redis(folder: str) -> Iterator[str]:
    """Yields its REDIS_URL."""
    port = free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait(timeout=30)


def milliseconds_of_commit(url: str, commits: int = 300) -> dict[str, float]:
    with psycopg.connect(url.replace("postgres://", "postgresql://"), autocommit=True) as connection:
        connection.execute("CREATE TABLE floor (body bytea)")
        times = []
        for _ in range(commits):
            began = time.perf_counter()
            connection.execute("INSERT INTO floor VALUES (%s)", [b"x" * 2000])
            times.append((time.perf_counter() - began) * 1000)
        connection.execute("DROP TABLE floor")
    return {"p50": round(statistics.median(times), 2), "p99": round(statistics.quantiles(times, n=100)[98], 2)}


def prepare(env: dict[str, str]) -> str:
    """The tables, the shipped models, an officer; returns the officer's token."""
    python("manage.py", "migrate", "--verbosity", "0", env=env)
    python("manage.py", "register_shipped_models", env=env)
    told = python("manage.py", "shell", "--verbosity", "0", "-c", OFFICER, env=env)
    return next(line.split()[1] for line in told.splitlines() if line.startswith("token "))


@contextmanager
def served(application: str, env: dict[str, str], options: argparse.Namespace) -> Iterator[int]:
    """gunicorn with `application`; yields its port once it answers."""
    port = free_port()
    command = ["-m", "gunicorn", application, "--bind", f"127.0.0.1:{port}", "--workers", str(options.workers)]
    command += ["--threads", str(options.threads)]
    process = subprocess.Popen(
        [sys.executable, *command, "--log-level", "error"], cwd=ROOT, env=env, stderr=subprocess.DEVNULL
    )
    try:
        _wait_for(port, process)
        yield port
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait_for(port: int, process: subprocess.Popen) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5)
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise SystemExit("The server did not start.")


def bodies(count: int) -> str:
    from benchmarks.scoring_speed import applicant

    draw = random.Random(2)  # noqa: S311
    return "\n".join(json.dumps(applicant(draw)) for _ in range(count))


def load(port: int, path: str, token: str, seconds: float, lines: str) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.load", str(port), path, token, str(CONNECTIONS), str(seconds)]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True, input=lines)
    return json.loads(done.stdout)


def measure(env: dict[str, str], token: str, options: argparse.Namespace) -> dict[str, list[dict[str, float]]]:
    found: dict[str, list[dict[str, float]]] = {"credit_ml": [], "plain": []}
    lines = bodies(500)
    with served("config.wsgi", env, options) as ours, served("benchmarks.plain_site.wsgi", env, options) as plain:
        sides = {"credit_ml": (ours, "/api/score/individual/"), "plain": (plain, "/score/")}
        for port, path in sides.values():
            load(port, path, token, 2, lines)
        for _ in range(options.rounds):
            for name, (port, path) in sides.items():
                found[name].append(load(port, path, token, options.seconds, lines))
                print(f"  {name:<10} {found[name][-1]}", flush=True)
    return found


def median(rounds: list[dict[str, float]]) -> dict[str, float]:
    return {name: statistics.median(each[name] for each in rounds) for name in rounds[0]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=6)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1, help="Of each worker; with one it is gunicorn's sync worker.")
    parser.add_argument("--same-tokens", action="store_true", help="The plain view reads tokens by our class.")
    options = parser.parse_args()
    with private_postgresql() as url, tempfile.TemporaryDirectory() as folder, private_redis(folder) as redis:
        env = os.environ | {"DATABASE_URL": url, "DATA_DIR": folder, "THROTTLE_USER": "10000000/min"}
        env |= {"REDIS_URL": redis}
        floor = milliseconds_of_commit(url)
        env |= {"LOG_LEVEL": "INFO", "PLAIN_SITE_MODEL": f"{folder}/model.txt", "PYTHONPATH": str(ROOT)}
        python("-c", MODEL, env["PLAIN_SITE_MODEL"], env=env)
        env |= {"PLAIN_SITE_TOKENS": OUR_TOKENS if options.same_tokens else "knox.auth.TokenAuthentication"}
        found = measure(env, prepare(env), options)
    figures = {name: median(rounds) for name, rounds in found.items()}
    ratio = round(figures["credit_ml"]["requests_s"] / figures["plain"]["requests_s"], 2)
    setup = {"commit_ms": floor, "connections": CONNECTIONS} | vars(options)
    setup["load_average"] = round(os.getloadavg()[0], 1)
    print(json.dumps(figures | {"ratio": ratio} | setup))


if __name__ == "__main__":
    main()
