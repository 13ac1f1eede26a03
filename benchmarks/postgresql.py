"""A private PostgreSQL on loopback for one run, durable (fsync and synchronous_commit on), removed afterwards."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def _program(name: str) -> str:
    found = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"))
    if not found:
        raise SystemExit("This benchmark needs PostgreSQL: apt-get install postgresql")
    return str(found[-1])


def _run(*command: str) -> None:
    """As the user postgres when run by root, whom PostgreSQL refuses."""
    user = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
    subprocess.run([*user, *command], check=True, stdout=subprocess.DEVNULL)


@contextmanager
def private_postgresql() -> Iterator[str]:
    """Yields its DATABASE_URL."""
    folder = Path(tempfile.mkdtemp(prefix="bench-postgresql-"))
    if os.getuid() == 0:
        os.chown(folder, pwd.getpwnam("postgres").pw_uid, -1)
    # A run that is told to end still stops its server.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("stopped"))
    port, data = free_port(), str(folder / "data")
    options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c shared_buffers=256MB"
    started = False
    try:
        _run(_program("initdb"), "-D", data, "-U", "credit_ml", "--auth=trust")
        _run(_program("pg_ctl"), "-D", data, "-l", str(folder / "log"), "-w", "-o", options, "start")
        started = True
        yield f"postgres://credit_ml@127.0.0.1:{port}/postgres"
    finally:
        if started:
            _run(_program("pg_ctl"), "-D", data, "-m", "fast", "-w", "stop")
        shutil.rmtree(folder)
