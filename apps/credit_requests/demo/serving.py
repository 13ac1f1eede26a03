"""Web, worker and beat as child processes of one command, stopped together, on every system that Python runs on."""

import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

READY_WITHIN = 60.0
STOP_WITHIN = 15.0
LAST_LINES = 15
Children = dict[str, subprocess.Popen[bytes]]


class ChildEnded(Exception):
    """One of the processes ended by itself."""


def commands(*, base: Path, data: Path, port: int) -> dict[str, list[str]]:
    celery = [sys.executable, "-m", "celery", "-A", "config"]
    return {
        "web": [sys.executable, str(base / "manage.py"), "runserver", "--noreload", f"127.0.0.1:{port}"],
        "worker": [*celery, "worker", "--pool", "solo", "--without-gossip", "--without-mingle"],
        "beat": [*celery, "beat", "--schedule", str(data / "beat-schedule"), "--pidfile="],
    }


def port_is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) != 0


@contextmanager
def running(*, base: Path, data: Path, port: int) -> Iterator[Children]:
    """The processes, each with a log file in `data`/logs; all of them are ended on the way out, whatever happened."""
    logs = data / "logs"
    logs.mkdir(exist_ok=True)
    children: Children = {}
    try:
        for name, command in commands(base=base, data=data, port=port).items():
            with (logs / f"{name}.log").open("wb") as log:
                children[name] = subprocess.Popen(  # noqa: S603 - our own programs
                    command, cwd=base, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
                )
        yield children
    finally:
        _stop(children)


def _stop(children: Children) -> None:
    for child in children.values():
        child.terminate()
    end = time.monotonic() + STOP_WITHIN
    for child in children.values():
        try:
            child.wait(max(end - time.monotonic(), 0.1))
        except subprocess.TimeoutExpired:
            child.kill()
            child.wait()


@contextmanager
def terminate_as_interrupt() -> Iterator[None]:
    """SIGTERM ends the command as Ctrl-C does: in order."""
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def wait_until_ready(children: Children, *, data: Path, port: int) -> None:
    """Raises ChildEnded, or TimeoutError when the web process does not answer in time."""
    end = time.monotonic() + READY_WITHIN
    while not _is_ready(port):
        check_alive(children, data=data)
        if time.monotonic() > end:
            raise TimeoutError(f"/readyz did not answer within {READY_WITHIN:.0f} seconds. Logs: {data / 'logs'}")
        time.sleep(0.2)


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as reply:
            return reply.status == 200
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def watch(children: Children, *, data: Path) -> None:
    """Until a process ends by itself; raises ChildEnded then."""
    while True:
        check_alive(children, data=data)
        time.sleep(0.5)


def check_alive(children: Children, *, data: Path) -> None:
    for name, child in children.items():
        if child.poll() is not None:
            tail = (data / "logs" / f"{name}.log").read_text(errors="replace").splitlines()[-LAST_LINES:]
            raise ChildEnded(
                f"The {name} process ended with status {child.returncode}; so the others are stopped too. "
                "The end of its log:\n" + "\n".join(tail)
            )
