"""The screen of a request in a browser: decided in three clicks, by keyboard alone, without JavaScript; terms tried."""

from django.utils import timezone

from apps.credit_requests.deciding import refer_request, review_request
from apps.credit_requests.models import Decision
from apps.credit_requests.overriding import decide_by_person
from apps.credit_requests.tests.deciders import BAD, GREY, make_approver, make_scored, put_policy_in_force, read
from apps.credit_requests.tests.factories import make_officer
from tests.browser import BrowserTestCase, assert_accessible, wait_until


class RequestInABrowser(BrowserTestCase):
    def setUp(self):
        super().setUp()
        put_policy_in_force()
        self.officer = make_officer()

    def referred(self, score=GREY, **options):
        request = make_scored(score, **options)
        refer_request(credit_request=request, version=1, comment="look", actor=self.officer, now=timezone.now())
        return read(request)

    def opened(self, request, who=None, **options):
        page = self.page_as(who or self.officer, **options)
        self.open(page, f"/requests/{request.id}/")
        return page

    def test_three_clicks_decide_against_the_policy(self):
        request = self.referred(BAD)
        page = self.opened(request)
        page.locator("summary.approve").click()
        page.locator("#reason-approve").select_option("collateral")
        page.locator("#comment-approve").fill("The house is worth three times the loan")
        page.get_by_role("button", name="Approve now").click()
        page.get_by_text("The request is approved.").wait_for()
        assert read(request).status == "approved"
        assert Decision.objects.newest().get().reason_code == "collateral"

    def test_the_keyboard_alone_decides(self):
        request = self.referred()
        page = self.opened(request)
        for _ in range(80):
            if page.evaluate("document.activeElement.matches('summary.decline')"):
                break
            page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        page.keyboard.type("The papers say otherwise")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.get_by_text("The request is declined.").wait_for()
        assert read(request).status == "rejected"

    def test_without_javascript_all_is_read_and_decided(self):
        request = self.referred()
        page = self.opened(request, java_script_enabled=False)
        assert page.locator(".waterfall table").is_visible()
        assert not page.locator("input[type=range]").first.is_visible()
        page.locator("#trial-amount").fill("10000000")
        page.get_by_role("button", name="Try").click()
        page.get_by_text("A try: nothing is saved, logged or decided.").wait_for()
        page.get_by_role("button", name="Back to the request").click()
        page.locator("summary.approve").click()
        page.locator("#comment-approve").fill("Seen")
        page.get_by_role("button", name="Approve now").click()
        page.get_by_text("The request is approved.").wait_for()

    def test_a_slider_scores_anew_as_it_moves(self):
        request = make_scored(GREY)
        page = self.opened(request)
        result = page.locator("#trial-result")
        assert page.locator("#trial-amount").input_value() == "30000000"
        page.locator("[data-of=trial-amount]").focus()
        page.keyboard.press("Home")
        wait_until(page, "document.querySelector('#trial-result .figures') !== null")
        assert page.locator("#trial-amount").input_value() == "1000000"
        assert "1,000,000 UZS · 24 months" in result.inner_text().replace("\u00a0", " ")
        page.locator("#trial-term").fill("60")
        wait_until(page, "document.querySelector('#trial-result').innerText.includes('60')")
        result.get_by_role("button", name="Use these terms").click()
        page.get_by_text("The terms are changed, and the request is scored anew.").wait_for()
        changed = read(request)
        assert (changed.requested_amount, changed.term_months, changed.version) == (1_000_000, 60, 2)

    def test_a_try_that_is_refused_says_why(self):
        page = self.opened(make_scored(GREY))
        page.evaluate("document.querySelector('.trial-form').noValidate = true")
        self.expect_problem(page, "400")
        page.locator("#trial-amount").fill("12.5")
        page.get_by_role("button", name="Try").click()
        page.get_by_text("Give a whole number.").wait_for()
        page.locator("#trial-amount").fill("12000000")
        page.get_by_role("button", name="Try").click()
        wait_until(page, "document.querySelector('#trial-result .figures') !== null")
        assert page.locator("[role=alert]").count() == 0

    def test_the_smallest_changes_come_when_they_are_looked_at(self):
        page = self.opened(make_scored(GREY))
        page.locator("#trial-title").scroll_into_view_if_needed()
        wait_until(page, "document.querySelector('#alternatives a') === null")

    def test_a_refusal_keeps_what_was_typed(self):
        request = self.referred()
        page = self.opened(request, language="uz")
        page.locator("summary.approve").click()
        page.locator("#comment-approve").fill("Hujjatlar koʻrildi")
        decide_and_review(request, self.officer)
        self.expect_problem(page, "409")
        page.locator("details[open] button.approve").click()
        page.locator("[role=alert]").wait_for()
        assert page.locator("#comment-approve").input_value() == "Hujjatlar koʻrildi"
        assert_accessible(page)

    def test_every_look_of_the_screen_is_accessible(self):
        request = self.referred(BAD, requested_amount=38_000_000)
        for width, theme, language in ((1440, "light", "en"), (390, "dark", "uz"), (1440, "dark", "ru")):
            page = self.opened(request, language=language, width=width, theme=theme)
            for summary in ("summary.approve", "details.passed > summary"):
                page.locator(summary).first.click()
            assert_accessible(page)
            assert page.evaluate("document.documentElement.scrollWidth") == width
        page.locator("#reason-approve").select_option("collateral")
        page.locator("#comment-approve").fill("Garov")
        page.locator("details[open] button.approve").click()
        page.locator(".waiting").wait_for()
        second = self.opened(request, make_approver(), language="ru")
        assert second.locator("form[action$='/confirm/']").count() == 1
        assert_accessible(second)


def decide_and_review(request, officer):
    """Somebody declines it meanwhile, and somebody wants a new look: another version, still for people to decide."""
    decide_by_person(
        credit_request=request,
        version=request.version,
        prediction_id=request.prediction_id,
        outcome="decline",
        terms=None,
        reason_code="",
        comment="no",
        actor=officer,
        now=timezone.now(),
    )
    review_request(credit_request=request, version=3, reason="again", actor=officer, now=timezone.now())
