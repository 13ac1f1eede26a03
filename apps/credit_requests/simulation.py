"""A policy tried on past requests beside the one that decides today, on the values as of then. It changes nothing.

One day binds the dated limits of both, so that what differs between the two is the policy and not its day.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa
from django.db import models

from apps.accounts.models import User
from apps.common.errors import InvalidInput
from apps.common.sentences import Sentence
from apps.credit_requests.simulation_figures import SIDES, Document, Tally
from apps.credit_requests.simulation_filters import RequestFilter, chosen_requests
from apps.credit_requests.simulation_policies import Named, check_comparable
from apps.credit_requests.simulation_requests import Told, record_opening, request_tables
from apps.credit_requests.simulation_tables import Form, as_batch, only_of_currency, open_snapshot
from apps.policies.columns import decide_columns
from apps.policies.policy import Policy

FORMAT = 1
Progress = Callable[[float, int], None]  # share done, requests done


@dataclass(frozen=True, slots=True)
class Terms:
    """cost_of_funds: a ratio a year. before_bars: as if no bar stood. by: extra columns of a file, for segments."""

    on_date: date
    cost_of_funds: float = 0.0
    before_bars: bool = False
    by: tuple[str, ...] = ()

    def check(self) -> None:
        if not 0 <= self.cost_of_funds <= 1:
            why = Sentence(
                "{cost_of_funds:g} was given; allowed is a ratio a year from 0 to 1, such as 0.14.",
                cost_of_funds=self.cost_of_funds,
            )
            raise InvalidInput.of(cost_of_funds=why)


def simulate_requests(
    *,
    candidate: Named,
    current: Named,
    terms: Terms,
    chosen: RequestFilter,
    actor: User | None,
    subject: models.Model | None = None,
    most: int | None = None,
    progress: Progress = lambda share, done: None,
) -> Document:
    """Over stored requests, the `most` newest of them. Raises InvalidInput where there is nothing to simulate."""
    check(candidate, current, terms)
    rows, told = chosen_requests(candidate.policy.segment, chosen), Told()
    record_opening(
        action="policy.simulate",
        subject=subject or candidate.version,
        rows=rows,
        chosen=chosen,
        actor=actor,
        details={"policy": candidate.policy.digest, "against": current.policy.digest},
    )
    tables = request_tables(rows, candidate.policy, told, lambda done, total: progress(done / total, done), most)
    tally, apart = _tallied(tables, candidate.policy, current.policy, terms)
    source = {"kind": "requests", "requests": chosen.as_dict()} | told.as_dict()
    return _document(candidate, current, terms, source, tally, apart)


def simulate_file(
    *, candidate: Named, current: Named, terms: Terms, path: Path, progress: Progress = lambda share, done: None
) -> Document:
    """Over a snapshot, batch by batch. Raises InvalidInput for a file that is none."""
    check(candidate, current, terms)
    form = Form(candidate.policy.segment, terms.by)
    with open_snapshot(path, form) as table:
        tables = _watched(table.batches(), lambda done: progress(table.position() / table.size, done))
        tally, apart = _tallied(tables, candidate.policy, current.policy, terms, texts=table.texts)
    source = {"kind": "file", "file": path.name, "found": tally.rows + sum(apart["other_currency"].values())}
    return _document(candidate, current, terms, source, tally, apart)


def _watched(tables: Iterable[pa.RecordBatch], seen: Callable[[int], None]) -> Iterator[pa.RecordBatch]:
    done = 0
    for table in tables:
        yield table
        done += table.num_rows
        seen(done)


def check(candidate: Named, current: Named, terms: Terms) -> None:
    terms.check()
    check_comparable(candidate.policy, current.policy)


def _tallied(
    tables: Iterable[pa.RecordBatch], candidate: Policy, current: Policy, terms: Terms, *, texts: bool = False
) -> tuple[Tally, Mapping[str, Counter[str]]]:
    """And what is told apart: requests in other currencies, and those with a bar, by their first one."""
    policies = dict(zip(SIDES, (current, candidate), strict=True))
    tally, form = Tally(policies, terms.cost_of_funds), Form(candidate.segment, terms.by)
    apart = {"other_currency": Counter[str](), "barred": Counter[str]()}
    first_row = 0
    for table in tables:
        read = as_batch(table, form, texts=texts, first_row=first_row)
        batch, others = only_of_currency(read, table, candidate.currency)
        apart["other_currency"].update(others)
        first_row += table.num_rows
        if not len(batch):
            continue
        apart["barred"].update(batch.bars())
        asked = batch.without_bars() if terms.before_bars else batch
        tally.add(asked, {side: decide_columns(asked.columns, asked.assessments, policy, terms.on_date)
                          for side, policy in policies.items()})  # fmt: skip
    return tally, apart


def _document(
    candidate: Named, current: Named, terms: Terms, source: Document, tally: Tally, apart: Mapping[str, Counter[str]]
) -> Document:  # fmt: skip
    told = {name: dict(sorted(counts.items())) for name, counts in apart.items()}
    if not tally.rows:
        counts = {name: number for name, number in source.items() if isinstance(number, int)} | told["other_currency"]
        left = ", ".join(f"{name.replace('_', ' ')} {number}" for name, number in counts.items() if number)
        raise InvalidInput(Sentence("There is nothing to simulate: {left}.", left=left or "no rows"))
    return {
        "format": FORMAT,
        "segment": candidate.policy.segment,
        "currency": candidate.policy.currency,
        "policies": {side: named.as_dict() for side, named in zip(SIDES, (current, candidate), strict=True)},
        "terms": {
            "on_date": terms.on_date.isoformat(),
            "cost_of_funds": terms.cost_of_funds,
            "before_bars": terms.before_bars,
        },
        "source": source,
        "requests": {"simulated": tally.rows} | told,
        **tally.figures(),
    }
