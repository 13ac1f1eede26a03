import tempfile
from pathlib import Path
from unittest import mock

from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client, TestCase, override_settings

from apps.portfolio.models import Upload
from apps.portfolio.tests.uploaded import officer, received, scored
from apps.portfolio.uploads import read_document
from apps.workbench.tests.rows import signed_in

FILE = b"raqam;summa;muddat;pinfl\n7;1200000;12;31234567890123\n8;olma;12;31234567890124\n"


class UploadScreenTests(TestCase):
    def setUp(self) -> None:
        self.officer = officer()
        self.client = signed_in(self.officer)

    def send(self, content: bytes, name: str = "arizachilar.csv", client: Client | None = None, **more: str):
        given = {"file": SimpleUploadedFile(name, content), "segment": "individual"} | more
        return (client or self.client).post("/upload/receive/", given)

    def test_from_file_to_download_without_a_script(self) -> None:
        address = self.send(FILE)["Location"]
        page = self.client.get(address).content.decode()
        assert "columns parted by: semicolon" in page
        assert "31234567890123" not in page
        upload = Upload.objects.get()
        chosen = {"column-0": "row_id", "column-1": "requested_amount", "column-2": "term_months", "scale": "1"}
        with self.captureOnCommitCallbacks(execute=True):
            assert self.client.post(f"{address}columns/", chosen | {"do": "start"}).status_code == 303
        upload.refresh_from_db()
        assert (upload.state, upload.rows_done, upload.rows_refused) == ("done", 2, 1)
        page = self.client.get(address).content.decode()
        assert "olma" in page
        assert "must be a whole number" in page
        response = self.client.post(f"{address}download/", {"format": "csv"})
        lines = b"".join(response).decode("utf-8-sig").splitlines()
        assert [lines[1][:4], lines[2][:7]] == ["1,7,", "2,8,,,,"]
        assert self.client.post(f"{address}delete/").status_code == 303
        assert self.client.get(address).status_code == 404

    def test_nothing_is_written_in_clear_while_it_arrives(self) -> None:
        written: list[bytes] = []
        true = tempfile.TemporaryFile

        def watched(*args: object, **kwargs: object):
            file = true(*args, **kwargs)
            write = file.write
            return mock.Mock(wraps=file, write=lambda data: written.append(bytes(data)) or write(data))

        with (
            mock.patch("apps.portfolio.sealed_files.tempfile.TemporaryFile", watched),
            mock.patch("django.core.files.uploadhandler.TemporaryUploadedFile", side_effect=AssertionError),
        ):
            content = FILE + b"9;kanareyka;12;31234567890125\n" * 200_000
            assert self.send(content).status_code == 303
        assert len(written) > 1
        assert not [piece for piece in written if b"kanareyka" in piece]
        kept = [path for path in Path(settings.DATA_DIR).rglob("*") if path.is_file()]
        assert not [path for path in kept if b"kanareyka" in path.read_bytes()]

    def test_what_is_refused_is_said_beside_the_field_and_keeps_nothing(self) -> None:
        for content, name, why in (
            (b"a,a\n1,2\n", "a.csv", "same name"),
            (b"PK\x03\x04x", "a.xlsx", "cannot be read"),
            (b"amount\n5\n", "../../=cmd.exe", "fit its name"),
        ):
            response = self.send(content, name)
            assert response.status_code == 400, name
            assert why in response.content.decode()
        assert self.client.post("/upload/receive/", {"segment": "individual"}).status_code == 400
        with override_settings(UPLOAD_BYTES=10):
            assert self.send(b"amount\n" + b"5\n" * 70_000).status_code == 413
            assert self.send(FILE).status_code == 400
        assert Upload.objects.count() == 0

    def test_a_form_of_another_site_is_refused(self) -> None:
        client = Client(enforce_csrf_checks=True)
        client.force_login(self.officer)
        assert self.send(FILE, client=client).status_code == 403
        assert Upload.objects.count() == 0

    def test_hostile_names_are_text(self) -> None:
        content = b'"<script>x</script>",summa\n"<img src=x>",5\n'
        address = self.send(content, "<b>x.csv")["Location"]
        page = self.client.get(address).content.decode()
        assert not [text for text in ("<script>x", "<img src=x>", "<b>x") if text in page]

    def test_the_list_asks_the_database_a_fixed_number_of_times(self) -> None:
        for _ in range(3):
            received(FILE, self.officer)
        with self.assertNumQueries(4):
            self.client.get("/upload/")
        assert read_document(Upload.objects.first())["file"] == "applicants.csv"

    def test_reasons_are_told_in_the_language_of_the_page(self) -> None:
        done = scored(b"raqam,summa,daromad,qarz\n1,5000000,6000000,9000000\n", self.officer)
        page = signed_in(self.officer, "uz").get(f"/upload/{done.id}/?show=scored").content.decode()
        assert done.rows_done == 1
        assert "to income" not in page
