"""Each page of the workbench over 100,000 requests and 200,000 scorings: server time, queries, weight.

On the database that DATABASE_URL names, else on an SQLite file of its own, which is removed; one that holds so many
requests already is measured as it is. Pages are asked for in this process, signed in, one after the other; addresses
without parameters come from the urls, and those of a request from random ids. The last line is JSON.
"""

import argparse
import gzip
import json
import os
import random
import re
import shutil
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from html import unescape
from typing import Any, NamedTuple

REQUESTS, ROUNDS, MOST_MS = 100_000, 100, 300
# Whom a page is measured as: the one who looks at it most, and sees most.
ROLES = ("officer", "analyst", "approver", "auditor", "administrator")
# Of what the queue is asked, beside the plain page: what chooses few of many, and what many hang on.
QUEUE = {
    "officer": ("status=pending&order=oldest", "status=referred", "flags=contradiction", "mine=on", "order=largest"),
    "approver": ("waits_for_second=on&order=oldest", "status=referred&order=largest"),
    "analyst": (
        "", "status=approved&order=riskiest", "flags=stale", "flags=fallback", "flags=thin_file&grade=E",
        "segment=company&order=largest", "older_than=400", "outcome=approve&least_amount=50000000", "branch=samarkand",
    ),
}  # fmt: skip
AUDIT = ("actor=demo-officer", "action=credit_request.decide", "since=2026-01-01&until=2026-01-31")
NEXT = re.compile(r'<a href="([^"]+)" rel="next"')
SEARCHES = ("Каримова", "Karimov", "nobody")


class Page(NamedTuple):
    """`address`: drawn anew for each round."""

    name: str
    role: str
    address: Callable[[], str]
    body: dict[str, str] | None = None


class Measured(NamedTuple):
    """Times by the clock; cpu_ms: mean processor time of this process and of its PostgreSQL backend."""

    median_ms: float
    p95_ms: float
    cpu_ms: float
    queries: str
    gzip_kb: float


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--requests", type=int, default=REQUESTS)
    options.add_argument("--rounds", type=int, default=ROUNDS)
    options.add_argument("--only", default="", help="pages whose name has this in it")
    given = options.parse_args()
    with _database():
        _build(given.requests)
        figures = {}
        print(f"{'page':66} {'median':>7} {'p95':>7} {'cpu':>6} {'queries':>8} {'gzip kB':>8}")
        for page in _pages():
            if given.only in page.name:
                name = f"{page.name} ({page.role or 'nobody'})"
                measured = _measure(page, given.rounds)
                if measured is None:
                    print(f"not measured, it leads elsewhere: {page.name}")
                    continue
                figures[name] = measured._asdict()
                print(f"{name:66} {_in_columns(measured)}", flush=True)
        slow = [name for name, of_page in figures.items() if of_page["p95_ms"] > MOST_MS]
        print(f"{len(figures)} pages, of which above {MOST_MS} ms at the 95th percentile: {', '.join(slow) or 'none'}")
        print(json.dumps(figures))


def _in_columns(told: Measured) -> str:
    mark = f"  above {MOST_MS} ms" if told.p95_ms > MOST_MS else ""
    times = f"{told.median_ms:7.0f} {told.p95_ms:7.0f} {told.cpu_ms:6.0f}"
    return f"{times} {told.queries:>8} {told.gzip_kb:8.1f}{mark}"


@contextmanager
def _database() -> Iterator[None]:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    folder = (
        None if "DATABASE_URL" in os.environ or "DATA_DIR" in os.environ else tempfile.mkdtemp(prefix="bench-pages-")
    )
    if folder:
        os.environ["DATA_DIR"] = folder
    try:
        import logging

        import django

        django.setup()
        logging.disable(logging.WARNING)
        yield
    finally:
        if folder:
            shutil.rmtree(folder)


def _build(requests: int) -> None:
    from django.core.management import call_command
    from django.db import connection

    from apps.credit_requests.models import CreditRequest
    from benchmarks.workbench_rows import build

    start = time.perf_counter()
    call_command("migrate", verbosity=0, interactive=False)
    if CreditRequest.objects.count() < requests:
        counts = build(requests)
        print(f"{connection.vendor}: {json.dumps(counts)}, built in {time.perf_counter() - start:.0f} s", flush=True)
    else:
        print(f"{connection.vendor}: what is there already", flush=True)


# --- Pages ----------------------------------------------------------------------------------------------------


def _pages() -> Iterator[Page]:
    yield from _queue_pages()
    for query in AUDIT:
        yield Page(f"/audit/?{query}", "auditor", lambda query=query: f"/audit/?{query}")
    for entry in _entries():
        if "<" not in str(entry.pattern) and entry.name != "queue":
            yield Page(f"/{entry.pattern}", _role(entry), lambda entry=entry: f"/{entry.pattern}")
        elif "<" in str(entry.pattern):
            yield from _pages_of_rows(entry)


def _entries() -> Iterator[Any]:
    """Those that are read."""
    from apps.workbench import urls

    for entry in urls.urlpatterns:
        if hasattr(entry.callback.view_class, "get"):
            yield entry


def _role(entry: Any) -> str:
    roles = getattr(entry.callback.view_class, "roles", frozenset())
    return next((role for role in ROLES if role in roles), "")


def _queue_pages() -> Iterator[Page]:
    yield Page("/queue/", "officer", lambda: "/queue/")
    for role, queries in QUEUE.items():
        for query in queries:
            address = f"/queue/?{query}"
            yield Page(address, role, lambda address=address: address)
            if query in ("", "status=referred"):
                yield Page(f"{address}, next page", role, lambda address=address, role=role: _next(address, role))
    for text in SEARCHES:
        yield Page(f"/queue/ searched for {text}", "analyst", lambda: "/queue/", {"search": text})


def _next(address: str, role: str) -> str:
    found = NEXT.search(_client(role).get(address).content.decode())
    return f"/queue/{unescape(found[1])}"


def _pages_of_rows(entry: Any) -> Iterator[Page]:
    """Of random requests; of the rows that other pages are of, whichever the database gives."""
    from django.urls import NoReverseMatch, reverse

    role = _role(entry)
    ids = _ids_for(entry.name, role)
    if not ids:
        print(f"not measured, no row is known for it: /{entry.pattern}")
        return
    draw = random.Random(11)  # noqa: S311
    try:
        reverse(f"workbench:{entry.name}", kwargs={"pk": ids[0]})
    except NoReverseMatch:
        print(f"not measured, it takes more than an id: /{entry.pattern}")
        return
    yield Page(f"/{entry.pattern}", role, lambda: reverse(f"workbench:{entry.name}", kwargs={"pk": draw.choice(ids)}))


def _ids_for(name: str, role: str) -> list[Any]:
    """By what the page is called: "model" and "model-history" are of models."""
    from apps.credit_requests.models import CreditRequest, Decision, Simulation
    from apps.policies.models import PolicyVersion
    from apps.portfolio.models import Upload
    from apps.scoring_engine.models import ModelVersion

    models = {
        "model": ModelVersion, "policy": PolicyVersion, "simulation": Simulation, "decision": Decision,
        "upload": Upload,
    }  # fmt: skip
    for word, model in models.items():
        if word in name:
            return list(model.objects.values_list("pk", flat=True)[:500])
    rows = CreditRequest.objects.visible_to(_user(role))
    return list(rows.order_by("id").values_list("id", flat=True)[:2000])


# --- Measuring ------------------------------------------------------------------------------------------------


def _user(role: str) -> Any:
    from apps.accounts.models import User

    return User.objects.get(username=f"demo-{role}")


def _client(role: str) -> Any:
    from django.test import Client

    client = Client(SERVER_NAME="localhost")
    if role:
        client.force_login(_user(role))
    return client


def _measure(page: Page, rounds: int) -> Measured | None:
    """None of an address that sends the browser on to another."""
    from django.db import connection

    client, queries, weight = _client(page.role), [], 0.0
    times: list[float] = []

    def count(execute: Callable[..., Any], *told: Any) -> Any:
        counted.append(None)
        return execute(*told)

    for round_ in range(rounds + 1):
        address, counted = page.address(), []
        with connection.execute_wrapper(count):
            start = time.perf_counter()
            reply = client.get(address) if page.body is None else client.post(address, page.body)
            spent = (time.perf_counter() - start) * 1000
        if reply.status_code in (302, 303):
            return None
        if reply.status_code != 200:
            raise SystemExit(f"{address} answered {reply.status_code} to {page.role}.")
        if round_ == 0:  # it fills the caches of the process
            used = _processor_seconds()
        else:
            times.append(spent)
            queries.append(len(counted))
            weight = max(weight, len(gzip.compress(reply.content, 6)) / 1000)
    few, many = min(queries), max(queries)
    p95 = statistics.quantiles(times, n=20)[-1] if len(times) > 1 else times[0]
    told = str(few) if few == many else f"{few}-{many}"
    cpu = (_processor_seconds() - used) / rounds * 1000
    return Measured(statistics.median(times), p95, cpu, told, weight)


def _processor_seconds() -> float:
    """Drawing addresses counts too: where that asks for a page, the figure is of two."""
    from django.db import connection

    from benchmarks.bulk import backend_seconds

    of_database = backend_seconds() if connection.vendor == "postgresql" else 0.0
    return time.process_time() + of_database


if __name__ == "__main__":
    main()
