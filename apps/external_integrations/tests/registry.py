"""A registry over real HTTP on loopback, which answers by the contracts and misbehaves when a test says so."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from django.conf import settings
from django.test import override_settings
from django.utils import timezone

from apps.external_integrations.sources import SOURCES

Play = Callable[["Handler", dict[str, Any]], None]


class Handler(BaseHTTPRequestHandler):
    server: "Registry"

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.lock:
            self.server.asked.append((self.path, body, dict(self.headers)))
        with suppress(BrokenPipeError, ConnectionResetError):  # the client had enough, as some tests want
            self.server.play(self, body)

    do_GET = do_POST

    def answer(self, body: bytes | str, status: int = 200, **headers: str) -> None:
        body = body.encode() if isinstance(body, str) else body
        self.send_response(status)
        for name, value in ({"Content_Type": "application/json", "Content_Length": str(len(body))} | headers).items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


class Registry(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, play: Play) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.lock = threading.Lock()
        self.asked: list[tuple[str, dict[str, Any], dict[str, str]]] = []
        self.play = play

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


def by_contract(handler: Handler, body: dict[str, Any]) -> None:
    contract = next(contract for contract in SOURCES.values() if handler.path.endswith(contract.path))
    handler.answer(contract.invent(next(iter(body.values())), timezone.now()))


def document(**changes: Any) -> dict[str, Any]:
    """A tax record of 123456789, to be changed into a wrong one."""
    return json.loads(SOURCES["soliq"].invent("123456789", timezone.now())) | changes


def saying(text: bytes | str, status: int = 200, **headers: str) -> Play:
    return lambda handler, body: handler.answer(text, status, **headers)


@contextmanager
def registry(play: Play = by_contract) -> Iterator[Registry]:
    server = Registry(play)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def source_settings(url: str, *, deadline_seconds: float = 2.0, client: str = "http", api_key: str = "") -> dict:
    """The EXTERNAL_SOURCES of settings, all sources at `url`."""
    chosen = {
        "client": client,
        "base_url": url,
        "api_key": api_key,
        "allowed_hosts": ["127.0.0.1"],
        "deadline_seconds": deadline_seconds,
        "quota_per_minute": 0,
    }
    return {source: settings.EXTERNAL_SOURCES[source] | chosen for source in SOURCES}


def asking(url: str, **choices: Any) -> override_settings:
    return override_settings(EXTERNAL_SOURCES=source_settings(url, **choices))


@contextmanager
def live_registry(play: Play = by_contract, **choices: Any) -> Iterator[Registry]:
    """A registry, with both sources set to ask it over HTTP."""
    with registry(play) as server, asking(server.url, **choices):
        yield server


# Nothing listens on port 9 (discard) of a test machine.
NOBODY = "http://127.0.0.1:9"
