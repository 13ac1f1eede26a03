"""What may go wrong with a source, by name. Each is played on the connection of one question."""

import gzip
import json
import random
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

LONGEST_SILENCE = 60.0  # seconds
HUGE = 1 << 20  # bytes
Document = dict[str, Any]


class Exchange(Protocol):
    """One question as it is being answered."""

    connection: socket.socket

    def answer(self, body: bytes | str, status: int = 200, **headers: str) -> None: ...

    def document(self) -> Document:
        """The reply that would be right."""

    def write(self, data: bytes) -> None:
        """Raises ConnectionError once the client has left."""


@dataclass(frozen=True, slots=True)
class Fault:
    """play: by the exchange and the seconds that were chosen. says: for the list of faults."""

    play: Callable[[Exchange, float], None]
    says: str


def _right(exchange: Exchange, **changes: Any) -> str:
    return json.dumps(exchange.document() | changes)


def _late(exchange: Exchange, seconds: float) -> None:
    time.sleep(seconds)
    exchange.answer(_right(exchange))


def _silent(exchange: Exchange, seconds: float) -> None:
    """Until the client leaves."""
    exchange.connection.settimeout(LONGEST_SILENCE)
    exchange.connection.recv(1)


def _reset(exchange: Exchange, seconds: float) -> None:
    # SO_LINGER of no seconds: closing sends RST instead of FIN.
    exchange.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    exchange.connection.close()


def _hung_up(exchange: Exchange, seconds: float) -> None:
    exchange.connection.shutdown(socket.SHUT_RDWR)


def _dripping(exchange: Exchange, seconds: float) -> None:
    """A byte every 50 ms, which is always soon enough for a time-out of silence."""
    body = _right(exchange).encode()
    exchange.write(_head(len(body)))
    for byte in body:
        time.sleep(0.05)
        exchange.write(bytes([byte]))


def _cut_short(exchange: Exchange, seconds: float) -> None:
    body = _right(exchange).encode()
    exchange.write(_head(len(body)) + body[: len(body) // 2])


def _head(length: int) -> bytes:
    return f"HTTP/1.0 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n".encode()


def _garbage(exchange: Exchange, seconds: float) -> None:
    exchange.write(bytes(range(256)) * 4)


def _huge(exchange: Exchange, seconds: float) -> None:
    exchange.answer(_right(exchange, padding="x" * HUGE))


def _truncated(exchange: Exchange, seconds: float) -> None:
    body = _right(exchange)
    exchange.answer(body[: len(body) // 2])


def _compressed(exchange: Exchange, seconds: float) -> None:
    exchange.answer(gzip.compress(_right(exchange).encode()), Content_Encoding="gzip")


def _contradictory(exchange: Exchange, seconds: float) -> None:
    """A tenth of every sum, and another name than anybody would expect."""
    document = exchange.document()
    sums = {name: value // 10 for name, value in document.items() if type(value) is int and value > 1_000_000}
    names = {name: "Boshqa Odam" for name in ("name", "owner_name") if name in document}
    exchange.answer(json.dumps(document | sums | names))


def _out_of_order(exchange: Exchange, seconds: float) -> None:
    """As of any time within the last thirty days, with other figures each time."""
    document = exchange.document()
    observed = datetime.fromisoformat(document["observed_at"]) - timedelta(days=random.uniform(0, 30))  # noqa: S311
    figures = {name: random.randrange(10**9) for name in document if name.startswith(("tax", "cadastral", "existing"))}  # noqa: S311
    exchange.answer(json.dumps(document | figures | {"observed_at": observed.isoformat()}))


def _somebody_else(exchange: Exchange, seconds: float) -> None:
    identifier = exchange.document()["identifier"]
    exchange.answer(_right(exchange, identifier=identifier[:-1] + ("1" if identifier[-1] != "1" else "2")))


def _answering(body: str, status: int = 200, **headers: str) -> Callable[[Exchange, float], None]:
    return lambda exchange, seconds: exchange.answer(body, status, **headers)


def _busy(exchange: Exchange, seconds: float) -> None:
    exchange.answer("", 429, Retry_After=f"{max(round(seconds), 1)}")


FAULTS: dict[str, Fault] = {
    "late": Fault(_late, "the right answer after the given seconds"),
    "silent": Fault(_silent, "no answer at all, until the client leaves"),
    "reset": Fault(_reset, "the connection is reset"),
    "hung_up": Fault(_hung_up, "the connection ends without an answer"),
    "dripping": Fault(_dripping, "the right answer, a byte every 50 ms"),
    "cut_short": Fault(_cut_short, "the connection ends in the middle of the body"),
    "garbage": Fault(_garbage, "bytes that are not HTTP"),
    "failed": Fault(_answering("", 500), "500"),
    "unavailable": Fault(_answering("", 503), "503"),
    "busy": Fault(_busy, "429, with the given seconds as Retry-After"),
    "refused": Fault(_answering("", 403), "403"),
    "redirected": Fault(_answering("", 307, Location="http://169.254.169.254/latest/"), "307 to another host"),
    "truncated": Fault(_truncated, "half of the JSON, as if it were all"),
    "not_json": Fault(_answering("<html>Service page</html>"), "a page that calls itself JSON"),
    "other_type": Fault(_answering("<html></html>", Content_Type="text/html"), "a page"),
    "other_shape": Fault(_answering('{"identifier": 5, "records": []}'), "JSON of another shape"),
    "not_finite": Fault(_answering('{"tax_debt": NaN, "area_m2": 1e999}'), "numbers that are none"),
    "compressed": Fault(_compressed, "a compressed answer, though none was asked for"),
    "huge": Fault(_huge, "an answer of a megabyte"),
    "somebody_else": Fault(_somebody_else, "the record of another identifier"),
    "contradictory": Fault(_contradictory, "a right answer that contradicts what applicants tell"),
    "out_of_order": Fault(_out_of_order, "right answers, older and newer ones in turn"),
}
