"""Files for the tests of uploads, and the way of one through all its states."""

import io
from datetime import UTC, datetime
from typing import Any

from apps.accounts.models import User
from apps.accounts.tests.factories import make_branch, make_user
from apps.portfolio import uploads
from apps.portfolio.models import Upload
from apps.portfolio.sealed_files import SealedSpool
from apps.portfolio.upload_scoring import score_upload

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


def spool_of(content: bytes) -> SealedSpool:
    spool = SealedSpool()
    spool.write(content)
    return spool


def officer(branch: str = "main") -> User:
    return make_user("officer", make_branch(branch))


def received(content: bytes, actor: User, name: str = "applicants.csv", segment: str = "individual") -> Upload:
    return uploads.receive_upload(spool=spool_of(content), name=name, segment=segment, actor=actor, now=NOW)


def scored(content: bytes, actor: User, name: str = "applicants.csv", **mapping: str) -> Upload:
    upload = received(content, actor, name)
    chosen = mapping or uploads.read_document(upload)["mapping"]
    uploads.map_columns(upload_id=upload.id, mapping=chosen, scale=1, actor=actor)
    uploads.start_upload(upload_id=upload.id, actor=actor, now=NOW)
    score_upload(upload_id=str(upload.id), clock=lambda: NOW)
    return Upload.objects.get(id=upload.id)


def workbook(rows: list[list[Any]]) -> bytes:
    from openpyxl import Workbook

    book = Workbook()
    for row in rows:
        book.active.append(row)
    packed = io.BytesIO()
    book.save(packed)
    return packed.getvalue()
