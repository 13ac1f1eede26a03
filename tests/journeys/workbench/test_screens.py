"""Every screen in a browser, for each role that it opens to, in each language; and what its first load weighs.

With SCREENS_IN_FULL each of them on a desk and on a phone, in the light and in the dark (over twenty minutes); without,
in one of these four looks, so that each screen is met in all of them. A browser error, or anything asked of another
host, fails these tests as it does every BrowserTestCase.
"""

import gzip
import os
from collections.abc import Iterator

from playwright.sync_api import Page, Response

from apps.workbench.tests.rows import make_world
from tests.browser import BrowserTestCase, assert_accessible
from tests.journeys.workbench.pages import all_pages

FULL = bool(os.environ.get("SCREENS_IN_FULL"))
LANGUAGES = ("en", "uz", "ru")
LOOKS = ((1440, "light"), (390, "dark"), (1440, "dark"), (390, "light"))
MOST_BYTES = 400_000  # of one first load, compressed


class Screens(BrowserTestCase):
    def setUp(self):
        super().setUp()
        self.pages = list(all_pages(make_world()))

    def opened(self, language: str) -> Iterator[tuple[str, Page]]:
        """Every page in one language, each reader in a browser of their own; what it was opened as."""
        browsers: dict[tuple[int | None, int, str], Page] = {}
        for place, look in enumerate(self.pages, LANGUAGES.index(language)):
            for width, theme in LOOKS if FULL else (LOOKS[place % len(LOOKS)],):
                key = look.who and look.who.id, width, theme
                if key not in browsers:
                    browsers[key] = self.page_as(look.who, language=language, width=width, theme=theme)
                told = f"{look.name} as {look.who and look.who.role}, {width} px, {theme}"
                answer = browsers[key].goto(look.address)
                assert answer is not None, told
                assert (answer.status, told) == (200, told)
                yield told, browsers[key]

    def look_at_all(self, language: str) -> None:
        wrong: list[str] = []
        for told, page in self.opened(language):
            page.wait_for_load_state("networkidle")
            width = page.viewport_size["width"]
            try:
                assert page.locator("html").get_attribute("lang") == language
                assert page.evaluate("document.documentElement.scrollWidth") <= width, "scrolls sideways"
                assert_accessible(page)
            except AssertionError as problem:
                wrong.append(f"{told}: {problem}")
        assert wrong == [], "\n\n".join(wrong)

    def test_every_screen_in_english(self):
        self.look_at_all("en")

    def test_every_screen_in_uzbek(self):
        self.look_at_all("uz")

    def test_every_screen_in_russian(self):
        self.look_at_all("ru")

    def test_a_first_load_is_light(self):
        """Each page in a browser that has nothing of it yet."""
        for look in {look.name: look for look in self.pages}.values():
            page, answers = self.page_as(look.who), list[Response]()
            page.on("response", lambda answer, kept=answers: kept.append(answer))
            page.goto(look.address, wait_until="networkidle")
            weights = {answer.url: compressed(answer) for answer in answers}
            assert sum(weights.values()) <= MOST_BYTES, (look.name, weights)
            page.close()


def compressed(answer: Response) -> int:
    """Bytes on the way, as a proxy or the pages themselves send them."""
    return len(gzip.compress(answer.body(), 6)) if answer.ok else 0
