"""Every connection that this process begins, counted where Python begins it, and a listener on loopback beside it.

An audit hook sees `connect` of any library; it cannot be taken away again, so it counts only while somebody counts.
What does not stay on loopback is noted and then refused, so that no test reaches the network.
"""

import socketserver
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

LOOPBACK = ("127.", "::1", "::ffff:127.")
_counting: list[list[tuple[str, int]]] = []


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if event != "socket.connect" or not _counting or not isinstance(arguments[1], tuple):
        return
    host, port = arguments[1][:2]
    for count in _counting:
        count.append((str(host), port))
    if not str(host).startswith(LOOPBACK):
        raise ConnectionRefusedError("Tests do not leave this machine.")


sys.addaudithook(_hook)


@contextmanager
def counted_connections() -> Iterator[list[tuple[str, int]]]:
    """The (address, port) of each connection begun inside, in order, by whatever thread."""
    begun: list[tuple[str, int]] = []
    _counting.append(begun)
    try:
        yield begun
    finally:
        _counting.remove(begun)


class Listener(socketserver.ThreadingTCPServer):
    """Answers each request with `reply`, bytes as they are, and counts those who came."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, reply: bytes) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.reply, self.accepted = reply, 0

    @property
    def port(self) -> int:
        return self.server_address[1]


class _Handler(socketserver.BaseRequestHandler):
    server: Listener

    def handle(self) -> None:
        self.server.accepted += 1
        if self.request.recv(65536):
            self.request.sendall(self.server.reply)


@contextmanager
def listener(reply: bytes = b"HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n") -> Iterator[Listener]:
    server = Listener(reply)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
