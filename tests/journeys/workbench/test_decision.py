"""The journey of tests/journeys/test_decision_journey.py by clicking alone: an officer, an approver, an auditor."""

from datetime import timedelta
from unittest import mock

from django.utils import timezone
from playwright.sync_api import Page, expect

from apps.accounts.tests.factories import PASSWORD, make_branch, make_user
from apps.common.background import work_due_jobs
from apps.common.days import lender_today
from apps.credit_requests.models import CreditRequest, Override
from apps.credit_requests.tests.factories import make_product
from apps.individuals.tests.factories import make_individual
from apps.policies.services import register_shipped_policies
from tests.browser import SECONDS, BrowserTestCase
from tests.journeys.workbench.words import called, said

expect.set_options(timeout=SECONDS * 1000)
LETTERS = {
    "uz": "Kredit arizangiz maʼqullandi",
    "ru": "Ваша заявка на кредит одобрена",
    "en": "Your credit request is approved",
}
NAME = "Karimov Dilshod"
# Can pay, and has not always paid: only the score speaks against the request.
HISTORY = {"yearly_income": 240_000_000, "salary": None, "credit_history_score": 310, "employment_years": 0}
BUREAU = {"source": "bureau", "inquiries_6m": 9, "delinquencies_24m": 6, "public_records": 2,
          "revolving_utilisation": 1.4, "open_accounts": 12}  # fmt: skip


class DecisionByClicking(BrowserTestCase):
    def setUp(self):
        super().setUp()
        register_shipped_policies(now=timezone.now())
        branch = make_branch("tashkent")
        self.people = {role: make_user(role, branch, username=role) for role in ("officer", "approver")}
        self.people["auditor"] = make_user("auditor", username="auditor")
        self.product = make_product(name="Olma")
        bureau = BUREAU | {"observed_at": lender_today().isoformat()}
        self.person = make_individual(branch, full_name=NAME, bureau=bureau, **HISTORY)

    def test_in_english(self):
        self.decide("en")

    def test_in_uzbek(self):
        self.decide("uz")

    def test_in_russian(self):
        self.decide("ru")

    def decide(self, language: str) -> None:
        self.language = language
        officer, approver, auditor = (self.signed_in(name) for name in ("officer", "approver", "auditor"))
        self.apply(officer)
        self.refer(officer)
        self.ask_for_an_override(officer)
        self.agree(approver)
        self.read_letters(officer)
        self.replay(auditor)
        found = CreditRequest.objects.get()
        assert (found.status, found.decisions.count()) == ("approved", 2)
        assert Override.objects.get().reason_code == "collateral"

    def word(self, text: str) -> str:
        return said(text, self.language)

    def press(self, page: Page, text: str) -> None:
        page.get_by_role("button", name=self.word(text), exact=True).first.click()

    def follow(self, page: Page, text: str) -> None:
        page.get_by_role("link", name=self.word(text), exact=True).first.click()

    def sees(self, page: Page, text: str) -> None:
        expect(page.get_by_text(self.word(text)).first).to_be_visible()

    def fill(self, page: Page, label: str, value: str) -> None:
        page.get_by_label(self.word(label), exact=True).fill(value)

    def choose(self, page: Page, label: str, value: str) -> None:
        page.get_by_label(self.word(label), exact=True).select_option(value)

    def signed_in(self, name: str) -> Page:
        page = self.page_as(None, language=self.language)
        page.goto("/")
        self.fill(page, "Username", name)
        self.fill(page, "Password", PASSWORD)
        self.press(page, "Sign in")
        page.wait_for_url(self.live_server_url + "/")
        return page

    def apply(self, page: Page) -> None:
        self.follow(page, "New request")
        self.fill(page, "PINFL", self.person.profile["pinfl"])
        self.press(page, "Continue")
        expect(page.get_by_text(NAME)).to_be_visible()
        self.choose(page, "Product", str(self.product.id))
        self.fill(page, "Amount", "60 000 000")
        self.fill(page, "Term in months", "24")
        self.choose(page, "Purpose", "car")
        self.choose(page, "Channel", "branch")
        self.consent(page)
        with mock.patch("apps.common.background._look_now"):  # no worker is about yet
            self.press(page, "Submit and score")
            self.sees(page, "waits to be asked")
            expect(page.get_by_role("progressbar")).to_be_visible()
        work_due_jobs()
        expect(page.get_by_role("progressbar")).to_have_count(0)  # the page has looked again by itself
        expect(page.locator("#progress .answered").first).to_be_visible()

    def consent(self, page: Page) -> None:
        page.get_by_label(called("source", "soliq", self.language)).check()
        today = lender_today()
        self.choose(page, "Consent is given", "credit_assessment")
        self.fill(page, "Number of the signed form", "Form 12")
        self.fill(page, "Given on", today.isoformat())
        self.fill(page, "Holds until", (today + timedelta(days=90)).isoformat())

    def refer(self, page: Page) -> None:
        """A demonstration card decides nothing by itself, and no rule that must not be overruled speaks."""
        self.press(page, "Open the request")
        score = CreditRequest.objects.get().prediction.score
        expect(page.locator("#score-title").locator("..")).to_contain_text(str(score))
        expect(page.locator('figure[data-chart="waterfall"] svg')).to_be_visible()
        self.sees(page, "Demonstration model.")
        self.press(page, "No, not listed")
        self.press(page, "Decide by the policy")
        expect(page.locator(".page-head")).to_contain_text(called("status", "referred", self.language))

    def ask_for_an_override(self, page: Page) -> None:
        page.get_by_role("button", name=called("outcome", "approve", self.language), exact=True).click()
        act = page.locator("details.act[open]")
        act.get_by_label(self.word("Reason"), exact=True).select_option(
            called("override_reason", "collateral", self.language)
        )
        act.get_by_label(self.word("Why"), exact=True).fill("A flat in Tashkent secures it")
        self.press(page, "Ask a second person")
        self.sees(page, "Waits for a second person.")

    def agree(self, page: Page) -> None:
        page.goto("/")
        page.get_by_role("table", name=self.word("Decisions that wait for a second person")).get_by_role("link").click()
        self.sees(page, "A flat in Tashkent secures it")
        self.press(page, "Agree")
        page.locator("details.act[open]").get_by_label(self.word("Why"), exact=True).fill("I saw the papers")
        self.press(page, "Agree: it is decided so")
        expect(page.locator(".page-head")).to_contain_text(called("status", "approved", self.language))

    def read_letters(self, page: Page) -> None:
        page.reload()
        # A letter names no icon, being a document of its own; browsers then look for one at this address.
        page.context.route("**/favicon.ico", lambda route: route.fulfill(status=204))
        for language, title in LETTERS.items():
            with page.expect_popup() as opened:
                page.locator(f'.letters a[hreflang="{language}"]').first.click()
            letter = opened.value
            expect(letter.get_by_role("heading", level=1)).to_have_text(title)
            assert letter.locator("html").get_attribute("lang") == language
            letter.close()

    def replay(self, page: Page) -> None:
        self.follow(page, "Audit")
        page.get_by_role("searchbox").fill(NAME)
        self.press(page, "Find their requests")
        page.locator(".decisions a").first.click()
        for button in ("Replay the decision", "Replay the scoring"):
            self.press(page, button)
            self.sees(page, "The same, to the last bit.")
            page.go_back()
