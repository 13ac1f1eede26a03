"""The server: one thread a connection, the contracts of all sources, and a control address for the faults."""

import json
import random
import threading
from collections import Counter
from contextlib import suppress
from dataclasses import asdict, dataclass
from hmac import compare_digest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from django.utils import timezone

from apps.external_integrations.simulator.faults import FAULTS, Document, Exchange
from apps.external_integrations.sources import SOURCES
from apps.external_integrations.sources.contract import Contract

LOOPBACK = "127.0.0.1"
UNKNOWN_ENDING = "0000"  # an identifier that ends so is not known
MOST_BODY = 10_000
PATHS = {contract.path: contract for contract in SOURCES.values()}


@dataclass(frozen=True, slots=True)
class Chosen:
    """share: of the questions, 0 to 1; seconds: for the faults that wait or ask to."""

    fault: str
    share: float = 1.0
    seconds: float = 1.0


class Simulator(ThreadingHTTPServer):
    """Binds loopback alone. `asked` counts the questions by source, `chosen` holds the fault of each."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, port: int = 0, *, api_key: str = "", seed: int = 0) -> None:
        super().__init__((LOOPBACK, port), Handler)
        self.api_key, self.random, self.lock = api_key, random.Random(seed), threading.Lock()  # noqa: S311
        self.asked: Counter[str] = Counter()
        self.chosen: dict[str, Chosen] = {}

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.server_port}"

    def choose(self, source: str, fault: str | None, share: float = 1.0, seconds: float = 1.0) -> None:
        """None ends it. Raises ValueError."""
        if source not in SOURCES or (fault is not None and fault not in FAULTS):
            raise ValueError(f"Allowed are the sources {', '.join(SOURCES)} and the faults {', '.join(FAULTS)}.")
        if not (0 <= share <= 1 and 0 <= seconds <= 600):
            raise ValueError("A share is from 0 to 1, seconds are from 0 to 600.")
        with self.lock:
            self.chosen.pop(source, None)
            if fault is not None:
                self.chosen[source] = Chosen(fault, share, seconds)

    def fault_of(self, source: str) -> Chosen | None:
        """Count the question, and say what goes wrong with it."""
        with self.lock:
            self.asked[source] += 1
            chosen = self.chosen.get(source)
            return chosen if chosen is not None and self.random.random() < chosen.share else None

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that leave are what faults are for."""


class Handler(BaseHTTPRequestHandler, Exchange):
    server: Simulator
    contract: Contract[Any]
    identifier: str

    def do_POST(self) -> None:
        body = self._body()
        if self.path not in PATHS:
            return self.answer("", 404)
        self.contract = PATHS[self.path]
        chosen = self.server.fault_of(self.contract.code)
        if self.server.api_key and not compare_digest(self.headers.get("X-API-Key", ""), self.server.api_key):
            return self.answer("", 401)
        if not (isinstance(body, dict) and len(body) == 1 and isinstance(next(iter(body.values())), str)):
            return self.answer("", 400)
        self.identifier = next(iter(body.values()))
        with suppress(OSError):  # the client has left
            self._tell(chosen)
        return None

    def _tell(self, chosen: Chosen | None) -> None:
        if chosen is not None:
            FAULTS[chosen.fault].play(self, chosen.seconds)
        elif self.identifier.endswith(UNKNOWN_ENDING):
            self.answer('{"code": "unknown-identifier"}', 404)
        else:
            self.answer(json.dumps(self.document()))

    def document(self) -> Document:
        return json.loads(self.contract.invent(self.identifier, timezone.now()))

    def do_PUT(self) -> None:
        """/_faults {"source": "soliq", "fault": "late", "share": 0.5, "seconds": 3}; without fault it ends."""
        try:
            if self.path != "/_faults":
                raise ValueError("There is only /_faults.")
            given = self._body()
            self.server.choose(given["source"], given.get("fault"), *(float(given.get(n, 1)) for n in OPTIONS))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            self.answer(json.dumps({"error": str(error)}), 400)
        else:
            self.do_GET()

    def do_GET(self) -> None:
        """/_asked: the questions so far; /_faults: those chosen now, and all that there are."""
        with self.server.lock:
            chosen = {source: asdict(each) for source, each in self.server.chosen.items()}
            told = {"asked": dict(self.server.asked), "chosen": chosen}
        self.answer(json.dumps(told | {"faults": {name: fault.says for name, fault in FAULTS.items()}}))

    def answer(self, body: bytes | str, status: int = 200, **headers: str) -> None:
        data = body.encode() if isinstance(body, str) else body
        self.send_response(status)
        own = {"Content_Type": "application/json", "Content_Length": str(len(data)), "X_Simulated": "true"}
        for name, value in (own | headers).items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.write(data)

    def write(self, data: bytes) -> None:
        self.wfile.write(data)

    def _body(self) -> Any:
        try:
            return json.loads(self.rfile.read(min(int(self.headers.get("Content-Length", 0)), MOST_BODY)))
        except ValueError:
            return None

    def log_message(self, *args: object) -> None:
        """Identifiers stay out of every log."""


OPTIONS = ("share", "seconds")
