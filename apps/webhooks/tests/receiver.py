"""A receiver over real HTTP on loopback: keeps what came, and answers as a test says."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from django.test import override_settings

Play = Callable[["Handler"], None]


@dataclass(frozen=True, slots=True)
class Received:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def document(self) -> dict[str, Any]:
        return json.loads(self.body)


class Handler(BaseHTTPRequestHandler):
    server: "Receiver"

    def do_POST(self) -> None:
        body = self.rfile.read(length := int(self.headers["Content-Length"]))
        if len(body) < length:  # the sender died, or gave up, halfway through: nothing has come
            self.close_connection = True
            return
        self.came = Received(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
        with self.server.lock:
            self.server.received.append(self.came)
        with suppress(BrokenPipeError, ConnectionResetError):  # the sender had enough, as some tests want
            self.server.play(self)

    do_GET = do_POST

    def answer(self, status: int = 200, body: bytes = b"", **headers: str) -> None:
        self.send_response(status)
        for name, value in ({"Content_Length": str(len(body))} | headers).items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


class Receiver(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, play: Play) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.lock = threading.Lock()
        self.received: list[Received] = []
        self.play = play

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook"

    def handle_error(self, request: object, client_address: object) -> None:
        """A sender that hung up is no news."""


def saying(status: int, **headers: str) -> Play:
    return lambda handler: handler.answer(status, **headers)


def serve(play: Play) -> Receiver:
    """Serves until it is shut down."""
    server = Receiver(play)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    return server


@contextmanager
def receiver(play: Play | None = None) -> Iterator[Receiver]:
    """Loopback is one of the private hosts meanwhile."""
    server = serve(play or saying(204))
    try:
        with override_settings(WEBHOOK_PRIVATE_HOSTS=["127.0.0.1"]):
            yield server
    finally:
        server.shutdown()
        server.server_close()
