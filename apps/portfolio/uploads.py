"""Files of applicants: received sealed, columns named, scored in the background, destroyed when done with."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from itertools import islice
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction

from apps.accounts.models import Role, User
from apps.audit.services import record_event
from apps.common import background
from apps.common.crypto import KeptKey, OpenKey, destroy_keys, insert_keys, open_key
from apps.common.days import lender_today
from apps.common.errors import Conflict, InvalidInput, NotFound, NotPermitted
from apps.common.masking import mask_identifiers
from apps.common.sentences import Sentence
from apps.portfolio.columns import ROW_ID, check_mapping, facts_of, guess_mapping, is_identifier
from apps.portfolio.models import Upload, UploadChunk
from apps.portfolio.models.uploads import (
    CANCELLED,
    DELETED,
    FILE,
    MAPPED,
    MAY_UPLOAD,
    SCORING,
    TRANSITIONS,
)
from apps.portfolio.sealed_files import SealedFile, SealedSpool
from apps.portfolio.tables import PROBLEMS, Cell, TableError, open_table
from apps.scoring_engine.ml.scorecard import Scorecard
from apps.scoring_engine.ml.vocabulary import SEGMENTS
from apps.scoring_engine.registry import Serving, champion

SAMPLES = 5
SCALES = (1, 1_000, 1_000_000)
LONGEST_SAMPLE = 60
Document = dict[str, Any]
NO_CARD = Sentence("The model in service is not a points table: only scorecards score files.")


@transaction.atomic
def receive_upload(*, spool: SealedSpool, name: str, segment: str, actor: User, now: datetime) -> Upload:
    """Keep a file that arrived, sealed as it is, and guess what its columns are. Raises InvalidInput."""
    if actor.role not in MAY_UPLOAD:
        raise NotPermitted(Sentence("Officers and analysts upload files."))
    if segment not in SEGMENTS:
        raise InvalidInput.of(segment=Sentence("Choose one of {segments}.", segments=SEGMENTS))
    spool.finish()
    document, shape = _read_start(spool, name, segment)
    insert_keys([spool.key])
    upload = Upload(
        id=spool.id,
        data_key_id=spool.key.id,
        owner=actor,
        branch_id=actor.branch_id,
        segment=segment,
        size=spool.size,
        file_digest=spool.digest,
        created_at=now,
        expires_at=now + timedelta(days=settings.UPLOAD_DAYS),
        sealed=_sealed(spool.key, spool.id, document),
        **shape,
    )
    upload.save(force_insert=True)
    for number in range(spool.pieces):
        UploadChunk.objects.create(upload=upload, kind=FILE, number=number, sealed=spool.sealed_piece(number))
    _record(upload, "upload.receive", actor, {"bytes": upload.size, "columns": upload.columns})
    return upload


def _read_start(spool: SealedSpool, name: str, segment: str) -> tuple[Document, Document]:
    if spool.size > settings.UPLOAD_BYTES:
        raise InvalidInput.of(file=PROBLEMS["bytes"])
    file = SealedFile(spool.id, spool.key, spool.size, spool.sealed_piece)
    try:
        table = open_table(file, name, spool.lines)
        samples = list(islice(table.rows, SAMPLES))
        if not samples:
            raise TableError("no_rows")
    except TableError as error:
        raise InvalidInput.of(file=PROBLEMS[str(error)]) from None
    shape = {"format": table.format, "columns": len(table.names), "rows_expected": table.rows_expected}
    return _described(name, segment, table.names, samples, table.told), shape


def _described(name: str, segment: str, names: list[str], samples: list[list[Cell]], told: Document) -> Document:
    columns = list(zip(*samples, strict=True))
    dropped = [each for each, cells in zip(names, columns, strict=True) if is_identifier(each, cells)]
    kept = [each for each in names if each not in dropped]
    shown = {
        each: [mask_identifiers(str("" if cell is None else cell))[:LONGEST_SAMPLE] for cell in cells]
        for each, cells in zip(names, columns, strict=True)
        if each not in dropped
    }
    guesses = guess_mapping(kept, facts_of(card_in_service(segment)[0]))
    return {"file": name[-120:], "names": names, "dropped": dropped, "samples": shown, "told": told, "mapping": guesses,
            "scale": 1}  # fmt: skip


def card_in_service(segment: str) -> tuple[Scorecard, Serving]:
    serving = champion(segment)
    if not isinstance(serving.scorer, Scorecard):
        raise Conflict(NO_CARD)
    return serving.scorer, serving


@transaction.atomic
def map_columns(*, upload_id: UUID, mapping: Mapping[str, str], scale: int, actor: User) -> Upload:
    """`mapping`: fact, or "row_id", by name of column; others are left out. `scale`: units that an amount counts."""
    upload = _held(upload_id, actor)
    document = read_document(upload)
    offered = [name for name in document["names"] if name not in document["dropped"]]
    check_mapping(mapping, offered, card_in_service(upload.segment)[0])
    if scale not in SCALES:
        raise InvalidInput.of(scale=Sentence("Choose one of {allowed}.", allowed=SCALES))
    _move(upload, MAPPED)
    upload.sealed = _sealed(open_key(upload.data_key), upload.id, document | {"mapping": dict(mapping), "scale": scale})
    upload.save()
    facts = sorted(set(mapping.values()) - {ROW_ID})
    _record(upload, "upload.map", actor, {"facts": facts, "row_id": ROW_ID in mapping.values(), "scale": scale})
    return upload


@transaction.atomic
def start_upload(*, upload_id: UUID, actor: User, now: datetime) -> Upload:
    """Queue the scoring of all rows by the model that is champion now, whatever is promoted meanwhile."""
    upload = _held(upload_id, actor)
    card, serving = card_in_service(upload.segment)
    _move(upload, SCORING)
    check_mapping(read_document(upload)["mapping"], read_document(upload)["names"], card)
    upload.model_digest, upload.model_version = card.digest, card.version
    upload.mode, upload.purpose, upload.as_of = serving.mode, serving.purpose, lender_today(now)
    upload.save()
    _record(upload, "upload.start", actor, {"model": card.digest})
    background.enqueue("score_upload", upload_id=str(upload.id))
    return upload


@transaction.atomic
def cancel_upload(*, upload_id: UUID, actor: User, now: datetime) -> Upload:
    """What was scored so far stays to be read; the file itself goes."""
    upload = _held(upload_id, actor)
    finish(upload, CANCELLED, now)
    _record(upload, "upload.cancel", actor, {"rows": upload.rows_done})
    return upload


@transaction.atomic
def delete_upload(*, upload_id: UUID, actor: User | None, now: datetime) -> Upload:
    """Destroys the key and everything it sealed; the row stays, to say that it was. `actor`: None, once it expired."""
    upload = _held(upload_id, actor)
    _move(upload, DELETED)
    upload.chunks.all().delete()
    destroy_keys([upload.data_key_id], now=now)
    upload.sealed, upload.finished_at = b"", upload.finished_at or now
    upload.save()
    _record(upload, "upload.delete", actor, {"rows": upload.rows_done})
    return upload


def expire_uploads(*, now: datetime) -> dict[str, int]:
    """Destroy those whose days are over, whatever came of them."""
    over = Upload.objects.filter(expires_at__lte=now).exclude(state=DELETED)
    ids = list(over.values_list("id", "state"))
    for upload_id, state in ids:
        if state == SCORING:
            _give_up(upload_id, now)
        delete_upload(upload_id=upload_id, actor=None, now=now)
        background.heartbeat()
    return {"expired": len(ids)}


@transaction.atomic
def _give_up(upload_id: UUID, now: datetime) -> None:
    finish(_held(upload_id, None), CANCELLED, now)


def finish(upload: Upload, state: str, now: datetime, error: str = "") -> None:
    """Inside a transaction that holds the upload: the file goes, the results stay until they are deleted or expire."""
    _move(upload, state)
    upload.finished_at, upload.error = now, error
    upload.save()
    upload.chunks.filter(kind=FILE).delete()


def may_change(upload: Upload, user: User) -> bool:
    return user.role in MAY_UPLOAD and (user.role != Role.OFFICER or user.id == upload.owner_id)


def read_document(upload: Upload, key: OpenKey | None = None) -> Document:
    return (key or open_key(upload.data_key)).unseal(bytes(upload.sealed), f"upload:{upload.id}")


def _sealed(key: OpenKey | KeptKey, upload_id: UUID, document: Document) -> bytes:
    return key.seal_text(json.dumps(document, ensure_ascii=False), f"upload:{upload_id}")


def stored_file(upload: Upload, key: OpenKey) -> SealedFile:
    def piece(number: int) -> bytes:
        return bytes(UploadChunk.objects.get(upload=upload, kind=FILE, number=number).sealed)

    return SealedFile(upload.id, key, upload.size, piece)


def _held(upload_id: UUID, actor: User | None) -> Upload:
    """One that the actor sees and may change, held until the transaction ends."""
    rows = Upload.objects.select_for_update(of=("self",)).select_related("data_key").exclude(state=DELETED)
    upload = rows.filter(id=upload_id).first()
    if upload is None or (actor is not None and not Upload.objects.visible_to(actor).filter(id=upload_id).exists()):
        raise NotFound(Sentence("There is no such upload, or it is not yours to see."))
    if actor is not None and not may_change(upload, actor):
        raise NotPermitted(Sentence("An officer changes what they uploaded themselves, an analyst every upload."))
    return upload


def _move(upload: Upload, state: str) -> None:
    if state not in TRANSITIONS[upload.state]:
        raise Conflict(
            Sentence(
                "The upload is {upload_state}; it cannot become {next_upload_state}.",
                upload_state=upload.state,
                next_upload_state=state,
            )
        )
    upload.state, upload.version = state, upload.version + 1


def _record(upload: Upload, action: str, actor: User | None, details: Document) -> None:
    """Never a name of the file or of a column: both may be of people."""
    known = {"file": upload.file_digest, "segment": upload.segment}
    record_event(actor=actor, action=action, subject=upload, details=known | details)
