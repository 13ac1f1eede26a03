import csv
import io
from datetime import timedelta
from unittest import mock

import pyarrow as pa
import pyarrow.parquet as pq
from django.db import connection
from django.test import TestCase, override_settings
from openpyxl import load_workbook

from apps.accounts.tests.factories import make_user
from apps.audit.models import AuditEvent
from apps.common.errors import Conflict, InvalidInput, NotFound, NotPermitted
from apps.common.models import DataKey, Job
from apps.portfolio import upload_scoring, uploads
from apps.portfolio.models import Upload, UploadChunk
from apps.portfolio.tables import open_table
from apps.portfolio.tests.uploaded import NOW, officer, received, scored, spool_of, workbook
from apps.portfolio.upload_results import defused, export_results, result_page
from apps.scoring_engine.models import PredictionLog
from apps.scoring_engine.registry import champion

HEAD = "Ariza raqami;ЖШШИР;Сумма кредита;Muddat;yearly_income;izoh\n"
ROWS = "A-1;31234567890123;1 200 000;12;60000000,0;x\n=cmd|x;31234567890124;abc;12;60000000;y\n"


def export(upload: Upload, format: str = "csv") -> bytes:
    return b"".join(export_results(upload=upload, format=format, actor=upload.owner))


class UploadTests(TestCase):
    def setUp(self) -> None:
        self.officer = officer()

    def test_a_csv_of_three_languages_is_guessed_scored_and_refused_by_row(self) -> None:
        upload = received((HEAD + ROWS).encode("cp1251"), self.officer)
        document = uploads.read_document(upload)
        assert document["told"] == {"encoding": "CP1251", "delimiter": "semicolon"}
        assert document["dropped"] == ["ЖШШИР"]
        assert document["mapping"] == {
            "Ariza raqami": "row_id",
            "Сумма кредита": "requested_amount",
            "Muddat": "term_months",
            "yearly_income": "yearly_income",
        }
        done = scored((HEAD + ROWS).encode(), self.officer)
        assert (done.state, done.rows_done, done.rows_refused) == ("done", 2, 1)
        errors = result_page(done, 1, only_errors=True)
        assert errors == [
            [2, "=cmd|x", "requested_amount", '"abc"', "must be a whole number from 1 to 1000000000000000"]
        ]
        (row,) = result_page(done, 1, only_errors=False)
        facts = {"requested_amount": 1_200_000, "term_months": 12, "yearly_income": 60_000_000}
        card = champion("individual").scorer
        exact = card.score(facts, as_of=done.as_of)
        assert row[:3] == [1, "A-1", exact.score]
        assert PredictionLog.objects.count() == 0
        event = AuditEvent.objects.get(action="upload.finish")
        assert event.details == {
            "file": done.file_digest,
            "segment": "individual",
            "model": card.digest,
            "rows": 2,
            "refused": 1,
            "state": "done",
        }
        assert not done.chunks.filter(kind="file").exists()

    def test_no_cell_of_a_download_is_live(self) -> None:
        done = scored((HEAD + ROWS).encode(), self.officer)
        lines = list(csv.reader(io.StringIO(export(done).decode("utf-8-sig"))))
        assert lines[2][1] == "'=cmd|x"
        assert lines[1][2] == str(result_page(done, 1, only_errors=False)[0][2])
        sheet = load_workbook(io.BytesIO(export(done, "xlsx"))).active
        cell = sheet.cell(3, 2)
        assert (cell.value, cell.data_type) == ("=cmd|x", "s")
        assert sheet.cell(2, 3).data_type == "n"
        assert [defused(text) for text in ("=1", "+1", "-1", "@a", "\ta", "\ra", "a", 5, -5)] == [
            *("'=1", "'+1", "'-1", "'@a", "'\ta", "'\ra", "a", 5, -5)
        ]

    def test_a_workbook_gives_the_same_points_and_tells_formulas_without_a_result(self) -> None:
        rows = [["id", "amount", "term", "yearly_income"], ["a", 1_200_000, 12, 60_000_000], ["b", "=1+1", 12, 5]]
        done = scored(workbook(rows), self.officer, "a.xlsx")
        text = b"id,amount,term,yearly_income\na,1200000,12,60000000\n"
        same = scored(text, self.officer)
        assert result_page(done, 1, only_errors=False) == result_page(same, 1, only_errors=False)
        assert result_page(done, 1, only_errors=True) == [
            [2, "b", "requested_amount", "a formula without a result", "must be a value"]
        ]

    def test_a_text_that_a_parquet_file_has_once_is_not_unpacked_for_each_row(self) -> None:
        text, times = "x" * 2_000_000, 1_000
        texts = pa.DictionaryArray.from_arrays(pa.array([0] * times, pa.int32()), pa.array([text]))
        columns = {"note": texts, "list": [[text]] * 2 + [[]] * (times - 2), "n": [*range(times - 1), None]}
        packed = io.BytesIO()
        pq.write_table(pa.table(columns), packed, compression="zstd", store_schema=False)
        before = pa.total_allocated_bytes()
        table = open_table(io.BytesIO(packed.getvalue()), "a.parquet")
        first, *others = table.rows
        self.assertEqual((first, len(others)), (["x" * 10_000, "(list<element: string>)", 0], times - 1))
        self.assertEqual(others[-1], ["x" * 10_000, "(list<element: string>)", None])
        rows = open_table(io.BytesIO(packed.getvalue()), "a.parquet").rows
        next(rows)
        # Unpacked it would be 2 GB.
        self.assertLess(pa.total_allocated_bytes() - before, 20_000_000)

    def test_parquet_gives_the_same_points(self) -> None:
        packed = io.BytesIO()
        table = {"id": ["a"], "amount": [1_200_000], "term": [12], "yearly_income": [60_000_000.0]}
        pq.write_table(pa.table(table), packed)
        done = scored(packed.getvalue(), self.officer, "a.parquet")
        same = scored(b"id,amount,term,yearly_income\na,1200000,12,60000000\n", self.officer)
        assert result_page(done, 1, only_errors=False) == result_page(same, 1, only_errors=False)

    def test_a_worker_that_is_lost_goes_on_behind_the_last_chunk(self) -> None:
        text = "id,amount,term\n" + "".join(f"{n},{n + 1},12\n" for n in range(25))
        whole = scored(text.encode(), self.officer)
        with mock.patch.object(upload_scoring, "ROWS", 10):
            upload = received(text.encode(), self.officer)
            mapping = uploads.read_document(upload)["mapping"]
            uploads.map_columns(upload_id=upload.id, mapping=mapping, scale=1, actor=self.officer)
            uploads.start_upload(upload_id=upload.id, actor=self.officer, now=NOW)
            true, calls = upload_scoring._keep, []

            def killed(*args: object) -> bool:
                calls.append(args[1])
                if len(calls) == 3:
                    raise SystemExit
                return true(*args)  # type: ignore[arg-type]

            with mock.patch.object(upload_scoring, "_keep", killed), self.assertRaises(SystemExit):
                upload_scoring.score_upload(upload_id=str(upload.id), clock=lambda: NOW)
            assert Upload.objects.get(id=upload.id).rows_done == 20
            told = upload_scoring.score_upload(upload_id=str(upload.id), clock=lambda: NOW)
            assert told == {"state": "done", "rows": 25, "refused": 0}
            again = upload_scoring.score_upload(upload_id=str(upload.id), clock=lambda: NOW)
            assert again == {"state": "done"}
        assert export(Upload.objects.get(id=upload.id)) == export(whole)

    def test_a_job_that_keeps_dying_is_given_up(self) -> None:
        upload = received(b"id,amount\n1,5\n", self.officer)
        uploads.map_columns(upload_id=upload.id, mapping={"amount": "requested_amount"}, scale=1, actor=self.officer)
        uploads.start_upload(upload_id=upload.id, actor=self.officer, now=NOW)
        assert Job.objects.filter(name="score_upload").count() == 1
        Upload.objects.update(attempts=3)
        assert upload_scoring.score_upload(upload_id=str(upload.id), clock=lambda: NOW) == {"state": "failed"}
        assert Upload.objects.get().error == "stopped"

    def test_what_is_no_table_is_refused_and_nothing_is_kept(self) -> None:
        keys = DataKey.objects.count()
        refused = [
            (b"", "a.csv", "The file is empty."),
            (b"id,amount\n", "a.csv", "The file has no rows"),
            (b"a,a\n1,2\n", "a.csv", "the same name"),
            (b"PK\x03\x04rubbish", "a.xlsx", "damaged"),
            (b"PAR1rubbish", "a.parquet", "damaged"),
            (b"\x00\x01\x02", "a.csv", "damaged"),
            (b'id,amount\n"1,2\n', "a.csv", "damaged"),
            (b"id,amount\n1,2\n", "a.xlsx", "fit its name"),
            (b"id,amount\n1,2\n", "=cmd.exe", "fit its name"),
        ]
        for content, name, why in refused:
            with self.subTest(name=name, content=content), self.assertRaises(InvalidInput) as told:
                received(content, self.officer, name)
            assert why in str(told.exception)
        assert (Upload.objects.count(), UploadChunk.objects.count(), DataKey.objects.count()) == (0, 0, keys)

    def test_limits(self) -> None:
        for setting, content in {
            "UPLOAD_COLUMNS": b"a,b,c\n1,2,3\n",
            "UPLOAD_ROWS": b"a,b\n1,2\n1,2\n1,2\n",
            "UPLOAD_CELLS": b"a\n1\n2\n3\n",
            "UPLOAD_BYTES": b"amount\n1\n",
        }.items():
            with override_settings(**{setting: 2}), self.subTest(setting), self.assertRaises(InvalidInput):
                received(content, self.officer)
        book = workbook([["amount"], [1]])
        with override_settings(UPLOAD_UNPACKED_BYTES=100), self.assertRaises(InvalidInput):
            received(book, self.officer, "a.xlsx")

    @override_settings(UPLOAD_ROWS=7)
    def test_a_limit_that_is_met_while_scoring_ends_it(self) -> None:
        done = scored(b"amount\n" + b"5\n" * 9, self.officer, amount="requested_amount")
        assert (done.state, done.error, done.rows_done) == ("failed", "rows", 0)

    def test_mappings_that_are_refused(self) -> None:
        upload = received(b"id,amount,sum\n1,5,6\n", self.officer)
        for mapping in (
            {"none": "salary"},
            {"amount": "colour"},
            {"amount": "salary", "sum": "salary"},
            {"id": "row_id"},
        ):
            with self.subTest(mapping), self.assertRaises(InvalidInput):
                uploads.map_columns(upload_id=upload.id, mapping=mapping, scale=1, actor=self.officer)
        assert Upload.objects.get().state == "uploaded"
        with self.assertRaises(Conflict):
            uploads.start_upload(upload_id=upload.id, actor=self.officer, now=NOW)

    def test_of_others(self) -> None:
        upload = received(b"amount\n5\n", self.officer)
        with self.assertRaises(NotFound):
            uploads.delete_upload(upload_id=upload.id, actor=officer("buxoro"), now=NOW)
        with self.assertRaises(NotPermitted):
            uploads.delete_upload(upload_id=upload.id, actor=make_user("auditor", upload.branch), now=NOW)
        with self.assertRaises(NotPermitted):
            uploads.delete_upload(upload_id=upload.id, actor=make_user("officer", upload.branch), now=NOW)
        assert Upload.objects.get().state == "uploaded"
        assert list(Upload.objects.visible_to(officer())) == [upload]
        assert list(Upload.objects.visible_to(make_user("approver", upload.branch))) == []
        assert uploads.delete_upload(upload_id=upload.id, actor=make_user("analyst"), now=NOW).state == "deleted"

    def test_expired_ones_are_destroyed_with_their_key(self) -> None:
        done = scored(b"amount\n5\n", self.officer, amount="requested_amount")
        assert uploads.expire_uploads(now=NOW + timedelta(days=6)) == {"expired": 0}
        assert uploads.expire_uploads(now=NOW + timedelta(days=7)) == {"expired": 1}
        gone = Upload.objects.get(id=done.id)
        assert (gone.state, bytes(gone.sealed), gone.chunks.count()) == ("deleted", b"", 0)
        assert gone.data_key.destroyed_at is not None

    def test_nothing_of_a_file_lies_in_clear(self) -> None:
        content = "Kanareyka ustuni,amount\nQizilishton,5\nBoyogʻli,abc-Kaptar\n".encode()
        upload = received(content, self.officer, "Kanareyka.csv")
        mapping = {"amount": "requested_amount", "Kanareyka ustuni": "row_id"}
        uploads.map_columns(upload_id=upload.id, mapping=mapping, scale=1, actor=self.officer)
        uploads.start_upload(upload_id=upload.id, actor=self.officer, now=NOW)
        upload_scoring.score_upload(upload_id=str(upload.id), clock=lambda: NOW)
        assert len(result_page(Upload.objects.get(), 1, only_errors=True)) == 1
        spool = spool_of(content)
        spool.finish()
        stored = [spool.sealed_piece(0)]
        with connection.cursor() as cursor:
            for table in connection.introspection.table_names():
                cursor.execute(f'SELECT * FROM "{table}"')
                stored += [repr([bytes(v) if isinstance(v, memoryview) else v for v in row]).encode() for row in cursor]
        for canary in ("Kanareyka", "Qizilishton", "Kaptar"):
            assert not [row for row in stored if canary.encode() in row]
