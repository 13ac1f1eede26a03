"""100,000 applicants through an upload on a durable private PostgreSQL: received, scored by the job, taken home.

Run as `python -m benchmarks.upload`; the last line is JSON.
"""

import json
import random
import tempfile
import time
from itertools import pairwise
from typing import Any

from benchmarks.bulk import start
from benchmarks.postgresql import private_postgresql

ROWS = 100_000
HEADER = "id,requested_amount,term_months,yearly_income,existing_debt,salary\n"


def table(rows: int) -> bytes:
    draw = random.Random(1)  # noqa: S311 - invented applicants
    lines = (
        f"{row},{draw.randint(1, 90)}000000,12,{draw.randint(20, 300)}000000,{draw.randint(0, 50)}000000,5000000\n"
        for row in range(rows)
    )
    return (HEADER + "".join(lines)).encode()


def measure() -> dict[str, Any]:
    from django.utils import timezone

    from apps.accounts.services import create_branch, create_user
    from apps.portfolio import uploads
    from apps.portfolio.sealed_files import SealedSpool
    from apps.portfolio.upload_results import FORMATS, export_results
    from apps.portfolio.upload_scoring import score_upload

    branch = create_branch(code="main", name="Main", actor=None)
    actor = create_user(username="u", role="officer", branch=branch, password=None, kind="service", actor=None)
    content, spool = table(ROWS), SealedSpool()
    times = [time.perf_counter()]
    spool.write(content)
    upload = uploads.receive_upload(spool=spool, name="a.csv", segment="individual", actor=actor, now=timezone.now())
    times.append(time.perf_counter())
    mapping = uploads.read_document(upload)["mapping"]
    uploads.map_columns(upload_id=upload.id, mapping=mapping, scale=1, actor=actor)
    uploads.start_upload(upload_id=upload.id, actor=actor, now=timezone.now())
    score_upload(upload_id=str(upload.id), clock=timezone.now)
    times.append(time.perf_counter())
    upload.refresh_from_db()
    for kind in FORMATS:
        sum(map(len, export_results(upload=upload, format=kind, naming=str, actor=actor)))
        times.append(time.perf_counter())
    took = [round(after - before, 2) for before, after in pairwise(times)]
    named = dict(zip(("receive", "score", *FORMATS), took, strict=True))
    return {"rows": upload.rows_done, "bytes": len(content), "seconds": named, "rows_a_second": int(ROWS / took[1])}


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, private_postgresql() as url:
        start(url, folder)
        print(json.dumps(measure()))


if __name__ == "__main__":
    main()
