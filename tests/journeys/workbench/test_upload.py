"""A file of applicants, from choosing it to taking the results home: by keyboard alone, without JavaScript; and every
state of it looked at with axe, wide and narrow, light and dark.
"""

from collections.abc import Iterator
from pathlib import Path
from unittest import mock

from playwright.sync_api import Download, FilePayload, Page, expect

from apps.portfolio import uploads
from apps.portfolio.models import Upload, UploadChunk
from apps.portfolio.tests.uploaded import NOW, officer, received, scored
from tests.browser import SECONDS, BrowserTestCase, assert_accessible
from tests.journeys.workbench.keyboard import Keyboard

expect.set_options(timeout=SECONDS * 1000)
FILE = b"raqam;summa;muddat\n7;1200000;12\n8;olma;12\n9;2500000;24\n"
SENT: FilePayload = {"name": "arizachilar.csv", "mimeType": "text/csv", "buffer": FILE}
LOOKS = tuple({"width": width, "theme": theme} for width in (1440, 390) for theme in ("light", "dark"))


def being_scored(actor) -> Upload:
    """Queued, and no worker has come to it."""
    upload = received(FILE, actor)
    uploads.map_columns(upload_id=upload.id, mapping={"summa": "requested_amount"}, scale=1, actor=actor)
    with mock.patch.object(uploads.background, "enqueue"):
        return uploads.start_upload(upload_id=upload.id, actor=actor, now=NOW)


class Uploads(BrowserTestCase):
    def setUp(self):
        super().setUp()
        self.officer = officer()

    def addresses(self) -> Iterator[tuple[str, str]]:
        """What each state says, and where."""
        yield "No file was uploaded yet.", "/upload/"
        yield "columns parted by: semicolon", f"/upload/{received(FILE, self.officer).id}/"
        yield "0 rows are done", f"/upload/{being_scored(self.officer).id}/"
        done = scored(FILE, self.officer)
        yield "must be a whole number", f"/upload/{done.id}/?show=errors"
        yield "What cost most points", f"/upload/{done.id}/?show=scored"
        yield "applicants.csv", "/upload/"

    def test_every_state_is_accessible_wide_and_narrow_light_and_dark(self):
        pages = [self.page_as(self.officer, **look) for look in LOOKS]
        for words, address in self.addresses():
            for page in pages:
                self.open(page, address)
                expect(page.locator("main")).to_contain_text(words)
                assert page.evaluate("document.documentElement.scrollWidth") <= page.viewport_size["width"], address
                assert_accessible(page)

    def test_a_refused_file_is_accessible(self):
        for look in LOOKS:
            page = self.page_as(self.officer, **look)
            self.expect_problem(page, "400")
            self.send(page, {**SENT, "buffer": b"a,a\n1,2\n"})
            expect(page.locator("#file-problem")).to_contain_text("same name")
            assert_accessible(page)

    def send(self, page: Page, file: FilePayload = SENT) -> None:
        self.open(page, "/upload/")
        page.locator("#file").set_input_files(file)
        page.get_by_role("button", name="Upload", exact=True).click()

    def test_by_the_keyboard_alone(self):
        page = self.page_as(self.officer)
        keys = Keyboard(page)
        # Watched for from the start: the browser has to be told so before the key is pressed.
        with page.expect_file_chooser() as chosen:
            self.open(page, "/upload/")
            keys.skip_to_the_content()
            keys.tab_to(lambda held: held["text"] == "file")
            page.keyboard.press("Space")
        chosen.value.set_files(SENT)
        keys.tab_to(lambda held: held["text"] == "Upload")
        page.keyboard.press("Enter")
        page.wait_for_url("**/upload/*-*/")
        keys.skip_to_the_content()
        keys.tab_to(lambda held: held["text"] == "Score the file")
        page.keyboard.press("Enter")
        expect(page.locator(".page-head")).to_contain_text("Scored")
        keys.tab_to(lambda held: held["text"].startswith("CSV"))
        with page.expect_download() as taken:
            page.keyboard.press("Enter")
        self.check_results(taken.value)

    def test_without_javascript(self):
        page = self.page_as(self.officer, java_script_enabled=False)
        self.send(page)
        page.get_by_label("muddat").select_option(label="Left out")
        page.get_by_role("button", name="Keep the columns").click()
        expect(page.get_by_label("muddat")).to_have_value("")
        page.get_by_label("muddat").select_option("term_months")
        page.get_by_role("button", name="Score the file").click()
        expect(page.locator(".page-head")).to_contain_text("Scored")
        expect(page.locator("tbody")).to_contain_text("olma")
        page.get_by_role("link", name="Scored (2)").click()
        expect(page.locator("tbody tr")).to_have_count(2)
        with page.expect_download() as taken:
            page.get_by_role("button", name="CSV").click()
        self.check_results(taken.value)
        page.get_by_role("button", name="Destroy the file").click()
        expect(page.locator("main")).to_contain_text("No file was uploaded yet.")
        assert (Upload.objects.get().state, UploadChunk.objects.count()) == ("deleted", 0)

    def check_results(self, taken: Download) -> None:
        lines = Path(taken.path()).read_text("utf-8-sig").splitlines()
        assert [line.split(",")[:2] for line in lines] == [["row", "row_id"], ["1", "7"], ["2", "8"], ["3", "9"]]
        assert "olma" in lines[2]
