"""An installation of its own: real processes on a fresh database and data folder, for journeys and faults."""

import os
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import httpx
import psycopg
from django.conf import settings

BASE = Path(settings.BASE_DIR)
NOT_INHERITED = ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "CELERY_BROKER_URL", "PYTEST_ADDOPTS", "PORT")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Installation:
    """Commands and processes over one data folder; on PostgreSQL over a new database of the same cluster."""

    def __init__(self, data: Path, **environment: str) -> None:
        self.data = data
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self.environment = {name: value for name, value in os.environ.items() if name not in NOT_INHERITED}
        self.environment |= {"DATA_DIR": str(data), "PYTHONIOENCODING": "utf-8"} | environment
        self.cluster = os.environ.get("DATABASE_URL", "")
        self.database = f"installation_{os.getpid()}_{self.port}" if self.cluster else ""
        if self.cluster:
            self._on_cluster(f"CREATE DATABASE {self.database}")
            self.environment["DATABASE_URL"] = self.database_url

    @property
    def database_url(self) -> str:
        return urlunsplit(urlsplit(self.cluster)._replace(path=f"/{self.database}"))

    def remove(self) -> None:
        if self.cluster:
            self._on_cluster(f"DROP DATABASE {self.database} WITH (FORCE)")

    def _on_cluster(self, statement: str) -> None:
        with psycopg.connect(self.cluster, autocommit=True) as connection:
            connection.execute(statement)

    def manage(self, *arguments: str, typed: str = "") -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=BASE,
            env=self.environment,
            input=typed,
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=240,
            check=False,
        )
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
        return done.stdout

    @contextmanager
    def process(self, log: str, *command: str) -> Iterator[subprocess.Popen[bytes]]:
        """A process of this installation with its output in the file `log` of the data folder."""
        with (self.data / log).open("wb") as output:
            child = subprocess.Popen(
                [sys.executable, *command], cwd=BASE, env=self.environment, stdout=output, stderr=subprocess.STDOUT
            )
        try:
            yield child
        finally:
            if child.poll() is None:
                child.terminate()
                child.wait(30)

    def web(self) -> Any:
        return self.process("web.log", "manage.py", "runserver", "--noreload", f"127.0.0.1:{self.port}")

    def worker(self) -> Any:
        celery = ["-m", "celery", "-A", "config", "worker", "--pool", "solo", "--without-gossip", "--without-mingle"]
        return self.process("worker.log", *celery)

    def wait_until_ready(self) -> None:
        wait_for(lambda: self._answers(), seconds=60)

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.address}/readyz", timeout=5).status_code == 200
        except httpx.TransportError:
            return False

    def query(self, statement: str) -> list[tuple[Any, ...]]:
        if self.cluster:
            with psycopg.connect(self.database_url) as connection:
                return connection.execute(statement).fetchall()
        connection = sqlite3.connect(self.data / "credit_ml.sqlite3")
        try:
            return connection.execute(statement).fetchall()
        finally:
            connection.close()

    def write(self, statement: str) -> None:
        if self.cluster:
            with psycopg.connect(self.database_url) as connection:
                connection.execute(statement)
            return
        with closing(sqlite3.connect(self.data / "credit_ml.sqlite3", timeout=20)) as connection, connection:
            connection.execute(statement)

    def tables(self) -> list[str]:
        names = (
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"
            if self.cluster
            else "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        )
        return sorted(name for (name,) in self.query(names))

    def contents(self) -> dict[str, list[str]]:
        """Every row of every table, as text."""
        return {table: sorted(repr(row) for row in self.query(f'SELECT * FROM "{table}"')) for table in self.tables()}

    def wait_for_jobs(self) -> None:
        unfinished = "SELECT count(*) FROM common_job WHERE state IN ('queued', 'running')"
        wait_for(lambda: self.query(unfinished) == [(0,)], seconds=60)


def wait_for(condition: Any, *, seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.2)
