"""By the keyboard alone, and without JavaScript: a request is found and decided either way."""

from django.utils import timezone
from playwright.sync_api import expect

from apps.accounts.tests.factories import PASSWORD
from apps.credit_requests.deciding import refer_request
from apps.credit_requests.tests.deciders import GREY, make_scored, put_policy_in_force
from apps.credit_requests.tests.factories import make_officer
from tests.browser import SECONDS, BrowserTestCase, wait_until
from tests.journeys.workbench.keyboard import Keyboard

expect.set_options(timeout=SECONDS * 1000)


class ByTheKeyboard(BrowserTestCase):
    def setUp(self):
        super().setUp()
        put_policy_in_force()
        self.officer = make_officer()
        self.request = make_scored(GREY)

    def refer(self) -> None:
        now, officer = timezone.now(), self.officer
        refer_request(credit_request=self.request, version=self.request.version, comment="look", actor=officer, now=now)

    def test_an_officer_decides_a_referred_request(self):
        self.refer()
        page = self.page_as(self.officer)
        self.open(page, "/")
        keys = Keyboard(page)
        keys.skip_to_the_content()
        wait_until(page, "document.activeElement.id === 'main'")
        page.keyboard.press("g")
        page.keyboard.press("r")
        page.wait_for_url("**/queue/**")
        keys.press("j")
        page.keyboard.press("Enter")
        page.wait_for_url("**/requests/*/")
        keys.press("Tab")
        page.keyboard.press("Enter")
        keys.tab_to(lambda held: held["text"] == "Decline")
        page.keyboard.press("Space")
        keys.tab_to(lambda held: held["tag"] == "TEXTAREA")
        page.keyboard.type("The papers are not in order")
        keys.tab_to(lambda held: held["tag"] == "BUTTON")
        page.keyboard.press("Enter")
        expect(page.locator(".page-head")).to_contain_text("Rejected")
        self.request.refresh_from_db()
        assert self.request.status == "rejected"

    def test_the_dialog_keeps_the_focus_and_gives_it_back(self):
        page = self.page_as(self.officer)
        self.open(page, "/queue/")
        page.keyboard.press("j")
        before = page.evaluate("document.activeElement.href")
        page.keyboard.press("?")
        expect(page.get_by_role("dialog")).to_be_visible()
        for key in ("Tab", "Tab", "Tab", "Shift+Tab", "Shift+Tab"):
            page.keyboard.press(key)
            # The browser's own controls come in between: then nothing of the page has the focus.
            assert page.evaluate("document.activeElement.matches('dialog *, dialog, body')"), key
        page.keyboard.press("Escape")
        expect(page.get_by_role("dialog")).to_be_hidden()
        assert page.evaluate("document.activeElement.href") == before

    def test_without_javascript(self):
        page = self.page_as(None, java_script_enabled=False)
        self.open(page, "/")
        page.get_by_label("Username").fill(self.officer.username)
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        page.get_by_role("link", name="Requests").first.click()
        for least, found in (("90000000", 0), ("20000000", 1)):
            if not page.get_by_label("Amount from").is_visible():
                page.get_by_text("Filters", exact=True).click()
            page.get_by_label("Amount from").fill(least)
            page.get_by_role("button", name="Apply").click()
            expect(page.locator(".row-link")).to_have_count(found)
        page.locator(".row-link").click()
        expect(page.locator('figure[data-chart="waterfall"] table')).to_be_visible()
        page.get_by_role("button", name="Decide by the policy").click()
        expect(page.locator(".page-head")).to_contain_text("Referred")
        page.locator("summary", has_text="Decline").click()
        page.locator("details[open]").get_by_label("Why").fill("The papers are not in order")
        page.get_by_role("button", name="Decline now").click()
        expect(page.locator(".page-head")).to_contain_text("Rejected")
        self.request.refresh_from_db()
        assert self.request.status == "rejected"
