"""The rows of an uploaded file, scored by the batch path, chunk by chunk; each chunk is one transaction.

A worker that is lost loses at most the chunk in hand: the next one reads past the rows whose chunks are committed.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from itertools import islice
from typing import Any

import structlog
from django.db import transaction

from apps.audit.services import record_event
from apps.common import background
from apps.common.crypto import OpenKey, open_key
from apps.common.masking import mask_identifiers
from apps.common.sentences import Sentence, as_document
from apps.portfolio.cells import text_of
from apps.portfolio.columns import ROW_ID, facts_of
from apps.portfolio.models import Upload, UploadChunk
from apps.portfolio.models.uploads import DONE, FAILED, RESULT, SCORING
from apps.portfolio.tables import FORMULA, Cell, Table, TableError, open_table
from apps.portfolio.uploads import finish, read_document, stored_file
from apps.scoring_engine.ml.applicant_reasons import ReasonTeller
from apps.scoring_engine.ml.scorecard import Scorecard
from apps.scoring_engine.ml.vocabulary import Fact, FactError
from apps.scoring_engine.models import ModelCard
from apps.scoring_engine.presentation import scorecard_of
from apps.scoring_engine.registry import champion

log = structlog.get_logger("uploads")
ROWS = 1000
REASONS = 4
MOST_ATTEMPTS = 3  # without a chunk between them
LONGEST_ROW_ID = 60
NO_RESULT = Sentence("a formula without a result")
Clock = Callable[[], datetime]


def score_upload(*, upload_id: str, clock: Clock) -> dict[str, str | int]:
    """Score what is left of it. Does nothing for one that is not being scored (any more)."""
    upload = _take_up(upload_id, clock)
    if upload is None or upload.state != SCORING:
        return {"state": upload.state if upload else "deleted"}
    key = open_key(upload.data_key)
    try:
        work = _Work(upload, read_document(upload, key), key)
        table = open_table(stored_file(upload, key), work.document["file"])  # type: ignore[arg-type]
        going_on = _score_rest(work, table, clock)
    except TableError as error:
        return _end(upload_id, FAILED, clock, str(error))
    return _end(upload_id, DONE, clock) if going_on else {"state": "stopped"}


@transaction.atomic
def _take_up(upload_id: str, clock: Clock) -> Upload | None:
    upload = _held(upload_id)
    if upload is not None and upload.state == SCORING:
        upload.attempts += 1
        upload.heartbeat_at = clock()
        upload.save(update_fields=["attempts", "heartbeat_at"])
        if upload.attempts > MOST_ATTEMPTS:
            _finished(upload, FAILED, clock, "stopped")
    return upload


def _score_rest(work: "_Work", table: Table, clock: Clock) -> bool:
    """False when somebody stopped it in between."""
    number, done = divmod(work.upload.rows_done, ROWS)
    if done:
        return True  # the last chunk, which is shorter, is there: only the end was not told
    _pass_over(table, number * ROWS)
    while rows := list(islice(table.rows, ROWS)):
        result = work.score(table.names, rows, first=number * ROWS + 1)
        if not _keep(work, number, len(rows), result, clock):
            return False
        background.heartbeat()
        number += 1
    return True


def _pass_over(table: Table, rows: int) -> None:
    for _ in islice(table.rows, rows):
        pass


@transaction.atomic
def _keep(work: "_Work", number: int, rows: int, result: dict[str, Any], clock: Clock) -> bool:
    upload = _held(str(work.upload.id))
    if upload is None or upload.state != SCORING or upload.rows_done != number * ROWS:
        return False
    refused = len({error[0] for error in result["errors"]})
    text = json.dumps(result, ensure_ascii=False, allow_nan=False)
    sealed = work.key.seal_text(text, result_context(upload, number))
    UploadChunk.objects.create(upload=upload, kind=RESULT, number=number, rows=rows, refused=refused, sealed=sealed)
    upload.rows_done += rows
    upload.rows_refused += refused
    upload.attempts, upload.heartbeat_at = 0, clock()
    upload.save(update_fields=["rows_done", "rows_refused", "attempts", "heartbeat_at"])
    return True


def result_context(upload: Upload, number: int) -> str:
    return f"upload:{upload.id}:result:{number}"


@transaction.atomic
def _end(upload_id: str, state: str, clock: Clock, error: str = "") -> dict[str, str | int]:
    upload = _held(upload_id)
    if upload is None or upload.state != SCORING:
        return {"state": "stopped"}
    return _finished(upload, state, clock, error)


def _finished(upload: Upload, state: str, clock: Clock, error: str) -> dict[str, str | int]:
    finish(upload, state, clock(), error)
    found = {"rows": upload.rows_done, "refused": upload.rows_refused, "state": state}
    details = {"file": upload.file_digest, "segment": upload.segment, "model": upload.model_digest} | found
    record_event(actor=upload.owner, action="upload.finish", subject=upload, details=details)
    log.info("upload_finished", upload_id=str(upload.id), state=state, rows=upload.rows_done)
    return {"state": state, "rows": upload.rows_done, "refused": upload.rows_refused}


def _held(upload_id: str) -> Upload | None:
    rows = Upload.objects.select_for_update(of=("self",)).select_related("data_key", "owner")
    return rows.filter(id=upload_id).first()


@dataclass
class _Work:
    upload: Upload
    document: dict[str, Any]
    key: OpenKey

    @cached_property
    def card(self) -> Scorecard:
        serving = champion(self.upload.segment).scorer
        if serving.digest == self.upload.model_digest and isinstance(serving, Scorecard):
            return serving
        try:
            kept = scorecard_of(self.upload.model_digest)
        except ModelCard.DoesNotExist:
            kept = None
        if kept is None:
            raise TableError("model")
        return kept

    @cached_property
    def facts(self) -> dict[str, Fact]:
        return facts_of(self.card)

    @cached_property
    def scorer(self) -> Any:
        # Not at the top: only this job needs numpy and the compiled loops.
        from apps.scoring_engine.ml.batch import BatchScorer

        return BatchScorer(self.card, as_of=self.upload.as_of, top_reasons=REASONS, texts=True)

    @cached_property
    def names_of_codes(self) -> dict[str, str]:
        """The measure that a language has a name for, such as debt_to_income, by code of the reason; of a pair both."""
        teller = ReasonTeller(self.card.segment, self.card.inputs, self.card.features)
        return {
            table.code: " x ".join(teller.measure(part) for part in table.name.split(" x "))
            for table in self.scorer.layout.tables
        }

    def score(self, names: list[str], rows: list[list[Cell]], *, first: int) -> dict[str, Any]:
        """`rows`: [row, row id, score, probability, grade, features that cost points, required facts not given];
        `errors`: [row, row id, field, given, allowed], the last two as documents of sentences. first: the number of the
        first row, from 1.
        """
        import pyarrow as pa

        mapping = self.document["mapping"]
        places = {fact: place for place, name in enumerate(names) if (fact := mapping.get(name)) is not None}
        ids = [_row_id(row[places[ROW_ID]]) if ROW_ID in places else "" for row in rows]
        texts = {fact: self._texts(fact, place, rows) for fact, place in places.items() if fact != ROW_ID}
        batch = pa.record_batch({fact: pa.array(column, pa.string()) for fact, column in texts.items()})
        scored = self.scorer.score(batch)
        refused = {place: list(errors) for place, errors in scored.refused.items()}
        for place, fact in _formulas(places, rows):
            refused.setdefault(place, []).append(FactError(fact, NO_RESULT, Sentence("must be a value")))
        lines = scored.batch.to_pylist()
        return {
            "rows": [
                [first + place, ids[place], *self._told(line, place, texts)]
                for place, line in enumerate(lines)
                if place not in refused
            ],
            "errors": [
                [first + place, ids[place], error.field, _kept(error.given), as_document(error.message)]
                for place in sorted(refused)
                for error in refused[place]
            ],
        }

    def _texts(self, fact: str, place: int, rows: list[list[Cell]]) -> list[str | None]:
        known, scale = self.facts[fact], self.document["scale"]
        return [None if row[place] == FORMULA else text_of(row[place], known, scale) for row in rows]

    def _told(self, line: dict[str, Any], place: int, texts: dict[str, list[str | None]]) -> list[Any]:
        codes = [code for number in range(1, REASONS + 1) if (code := line.get(f"reason_{number}"))]
        absent = [name for name in sorted(self.card.required) if name not in texts or texts[name][place] is None]
        features = [self.names_of_codes[code] for code in codes]
        return [line["score"], line["probability_of_default"], line["grade"], features, absent]


def _kept(given: str) -> str | dict[str, Any]:
    """Without identifiers, whichever part of a sentence they are."""
    if not isinstance(given, Sentence):
        return mask_identifiers(given)
    values = {name: mask_identifiers(each) if isinstance(each, str) else each for name, each in given.values.items()}
    return as_document(Sentence(given.template, **values))


def _row_id(cell: Cell) -> str:
    return "" if cell is None else mask_identifiers(str(cell))[:LONGEST_ROW_ID]


def _formulas(places: dict[str, int], rows: list[list[Cell]]) -> Iterator[tuple[int, str]]:
    for number, row in enumerate(rows):
        for fact, place in places.items():
            if row[place] == FORMULA:
                yield number, fact
