"""The queue in a browser: by the keyboard, refined without loading the page, on a phone, and for a screen reader."""

from django.urls import reverse

from apps.accounts.tests.factories import make_branch, make_user
from apps.credit_requests.tests.factories import make_product, make_request
from apps.individuals.tests.factories import make_individual
from tests.browser import BrowserTestCase, assert_accessible, wait_until


class QueueInABrowser(BrowserTestCase):
    def setUp(self):
        super().setUp()
        branch = make_branch()
        self.officer, product = make_user("officer", branch), make_product(name="Olma")
        for place, name in enumerate(("Umarova Lola", "Qoʻchqorov Gʻofur"), 1):
            make_request(make_individual(branch, full_name=name), product, requested_amount=place * 10_000_000)
        self.address = reverse("workbench:queue")

    def test_rows_are_reached_and_opened_by_the_keyboard(self):
        page = self.page_as(self.officer)
        self.open(page, self.address)
        page.keyboard.press("j")
        page.keyboard.press("j")
        page.keyboard.press("Enter")
        page.wait_for_url("**/requests/*/")
        self.assertIn("Umarova Lola", page.content())

    def test_a_filter_refines_the_rows_and_the_address_and_keeps_the_form(self):
        page = self.page_as(self.officer)
        self.open(page, self.address)
        page.locator("form.queue-filters summary").click()
        page.get_by_label("Amount from").fill("15000000")
        page.get_by_label("Amount from").press("Tab")
        page.wait_for_url("**/queue/?least_amount=15000000")
        wait_until(page, "document.querySelectorAll('.row-link').length === 1")
        assert page.locator(".row-link").inner_text() == "Qoʻchqorov Gʻofur"
        assert page.get_by_label("Amount from").input_value() == "15000000"
        assert_accessible(page)

    def test_a_search_stays_out_of_the_address_and_a_view_is_kept(self):
        page = self.page_as(self.officer)
        self.open(page, self.address)
        page.keyboard.press("/")
        page.get_by_label("Search by name, PINFL or INN").fill("Қўчқоров")
        page.keyboard.press("Enter")
        page.get_by_text("Requests of applicants with all of these words").wait_for()
        assert page.url.endswith("/queue/")
        assert page.locator(".row-link").all_inner_texts() == ["Qoʻchqorov Gʻofur"]
        assert_accessible(page)
        self.open(page, f"{self.address}?flags=mock")
        page.get_by_text("Save as a view").click()
        page.get_by_label("Name of the view").fill("Invented ones")
        page.get_by_role("button", name="Save", exact=True).click()
        page.get_by_role("link", name="Invented ones").wait_for()
        assert_accessible(page)

    def test_nothing_stands_in_the_way_on_a_phone_in_the_dark_in_uzbek(self):
        page = self.page_as(self.officer, language="uz", width=390, theme="dark")
        self.open(page, self.address)
        page.locator("form.queue-filters summary").click()
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        assert_accessible(page)
