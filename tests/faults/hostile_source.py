"""A tax and a land register over HTTP that know the canaries, and in their errors repeat whatever they were asked."""

import json
import threading
import time
from typing import Any

from django.utils import timezone

from apps.external_integrations.sources import SOURCES
from apps.webhooks.tests.receiver import Handler
from tests.faults.canaries import Canary

BY_PATH = {contract.path: contract for contract in SOURCES.values()}
FAULTS = (
    "echo_500", "page", "another_one", "wrong_type", "unknown_field", "redirect", "echo_429", "echo_404", "cut_short",
    "slow", "hang_up", "echo_header", "echo_400", "deep",
)  # fmt: skip


class HostileSource:
    """Answers rightly of even canaries, and of each odd one with a fault of its own."""

    def __init__(self, canaries: list[Canary]) -> None:
        self.by_identifier = {canary.pinfl: canary for canary in canaries} | {one.parcel: one for one in canaries}
        self.by_identifier |= {canary.inn: canary for canary in canaries}
        self.played: set[str] = set()
        self.lock = threading.Lock()

    def __call__(self, handler: Handler) -> None:
        (asked,) = json.loads(handler.came.body).values()
        contract, canary = BY_PATH[handler.came.path], self.by_identifier.get(asked)
        right = json.loads(contract.invent(asked, timezone.now())) | self._of_owner(contract.code, canary)
        odd = canary is not None and canary.number % 2 and contract.code == "soliq"
        fault = FAULTS[canary.number // 2 % len(FAULTS)] if odd else ""
        with self.lock:
            self.played.add(fault or "right")
        self._answer(handler, fault, asked, right)

    def _of_owner(self, code: str, canary: Canary | None) -> dict[str, str]:
        if canary is None:
            return {}
        if code == "kadastr":
            return {"owner_name": canary.name, "owner_identifier": canary.pinfl}
        return {"name": canary.name}

    def _answer(self, handler: Handler, fault: str, asked: str, right: dict[str, Any]) -> None:
        if fault in ("slow", "hang_up"):
            time.sleep(2 if fault == "slow" else 0)
            handler.close_connection = True
            handler.connection.close()
        elif fault.startswith("echo_") and fault != "echo_header":
            status = int(fault.removeprefix("echo_"))
            handler.answer(status, f"no luck with {right}".encode(), Retry_After="1", X_Asked=asked)
        elif fault == "redirect":
            handler.answer(302, Location=f"/v1/{asked}")
        else:
            handler.answer(200, self._body(fault, asked, right), Content_Type="application/json", X_Asked=asked)

    def _body(self, fault: str, asked: str, right: dict[str, Any]) -> bytes:
        whole = json.dumps(right)
        return {
            "page": f"<html>{asked}</html>",
            "another_one": json.dumps(right | {"identifier": asked[::-1]}),
            "wrong_type": json.dumps(right | {"tax_debt": f"{asked} owes", "currency": asked}),
            "unknown_field": json.dumps(right | {asked: asked}),
            "cut_short": whole[: len(whole) * 3 // 4],
            "deep": f"{whole[:-1]}, " + '"x": ' + "[" * 5000 + f'"{asked}"' + "]" * 5000 + "}",
        }.get(fault, whole).encode()  # fmt: skip
