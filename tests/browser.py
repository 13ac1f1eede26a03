"""Pages looked at in a real browser: Debian's chromium, driven by Playwright, against a live server of the test.

    class QueueScreens(BrowserTestCase):
        def test_an_officer_finds_a_request(self):
            page = self.page_as("officer", language="uz", width=390, theme="dark")    # or a User; None: not signed in
            self.open(page, reverse("workbench:queue"))
            page.get_by_role("link", name="...").click()
            assert_accessible(page)

Whatever a page does, the test fails at its end if the browser met an error (of a script, a style that the policy
refuses, a missing file) or if anything was asked of another host. An error that is meant:
`self.expect_problem(page, "words of it")`.

One browser per class, and each class stays on one worker. Playwright keeps an event loop in the thread of the tests for
as long: the ORM works (the class says so to Django), asyncio.run does not, so what calls a source over HTTP belongs
behind the server. When the class ends both are gone, and the next tests find the thread as it was.
Data are committed and removed after each test, as in every CommittedTestCase.
"""

import os
import shutil
import time
import unittest
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.contrib.staticfiles.testing import StaticLiveServerTestCase
from django.test import Client
from playwright.sync_api import BrowserContext, Page, sync_playwright

from apps.accounts.models import User
from apps.accounts.tests.factories import make_user
from apps.common.tests.committed import CommittedTestCase
from apps.workbench.layout import THEME_COOKIE

CHROMIUM = "chromium"
HEIGHTS = {390: 844}  # px; other widths are screens of a desk
SECONDS = 15  # a page may take on two busy cores
UNSAFE = "DJANGO_ALLOW_ASYNC_UNSAFE"


@dataclass
class Watch:
    """What went wrong in a page since it was opened."""

    host: str
    problems: list[str] = field(default_factory=list)
    expected: list[str] = field(default_factory=list)

    def follow(self, context: BrowserContext) -> None:
        context.on("console", lambda said: said.type in ("error", "warning") and self.problems.append(said.text))
        context.on("weberror", lambda met: self.problems.append(str(met.error)))
        context.on("request", lambda asked: self.see(asked.url))

    def see(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("data", "blob", "about") and parts.netloc != self.host:
            self.problems.append(f"something was asked of another host: {url}")

    def unexpected(self) -> list[str]:
        return [problem for problem in self.problems if not any(words in problem for words in self.expected)]

    def missed(self) -> list[str]:
        return [words for words in self.expected if not any(words in problem for problem in self.problems)]


@pytest.mark.browser
class BrowserTestCase(CommittedTestCase, StaticLiveServerTestCase):
    def __init_subclass__(cls, **rest) -> None:
        super().__init_subclass__(**rest)
        cls.pytestmark = [*vars(cls).get("pytestmark", []), pytest.mark.xdist_group(cls.__name__)]

    @classmethod
    def setUpClass(cls) -> None:
        program = shutil.which(CHROMIUM)
        if program is None:
            raise unittest.SkipTest(f"NOT LOOKED AT: there is no {CHROMIUM} here (apt-get install {CHROMIUM}).")
        super().setUpClass()
        before = os.environ.get(UNSAFE)
        os.environ[UNSAFE] = "true"
        cls.addClassCleanup(lambda: os.environ.pop(UNSAFE) if before is None else os.environ.update({UNSAFE: before}))
        driver = sync_playwright().start()
        cls.addClassCleanup(driver.stop)
        cls.browser = driver.chromium.launch(executable_path=program, args=["--no-sandbox"])
        cls.addClassCleanup(cls.browser.close)

    def page_as(
        self, who: User | str | None, *, language: str = "en", width: int = 1440, theme: str = "light", **context
    ) -> Page:
        """A page of a person's own browser, signed in and not opened yet. A role: a new person of that role."""
        options = {"viewport": {"width": width, "height": HEIGHTS.get(width, 900)}, "reduced_motion": "reduce"}
        own = self.browser.new_context(base_url=self.live_server_url, color_scheme=theme, **options, **context)
        own.set_default_timeout(SECONDS * 1000)
        own.add_cookies(self._cookies(who, {settings.LANGUAGE_COOKIE_NAME: language, THEME_COOKIE: theme}))
        page = own.new_page()
        page.watch = Watch(host=urlsplit(self.live_server_url).netloc)
        page.watch.follow(own)
        self.addCleanup(self._finish, page)
        return page

    def _cookies(self, who: User | str | None, cookies: dict[str, str]) -> list[dict[str, str]]:
        client = Client()
        if who is not None:
            client.force_login(make_user(who) if isinstance(who, str) else who)
            cookies[settings.SESSION_COOKIE_NAME] = client.cookies[settings.SESSION_COOKIE_NAME].value
        return [{"name": name, "value": value, "url": self.live_server_url} for name, value in cookies.items()]

    def open(self, page: Page, address: str) -> None:
        page.goto(address)

    def expect_problem(self, page: Page, words: str) -> None:
        page.watch.expected.append(words)

    def _finish(self, page: Page) -> None:
        page.context.close()
        assert page.watch.unexpected() == [], page.watch.unexpected()
        assert page.watch.missed() == [], f"expected, and did not happen: {page.watch.missed()}"


def wait_until(page: Page, condition: str) -> None:
    """`condition`: an expression of JavaScript. page.wait_for_function would need the eval that the policy refuses."""
    over = time.monotonic() + SECONDS
    while not page.evaluate(condition):
        assert time.monotonic() < over, f"not within {SECONDS} s: {condition}"
        page.wait_for_timeout(50)


def assert_accessible(page: Page) -> None:
    """No violation of any rule of axe-core: WCAG 2.2 A and AA, and its good practice."""
    # Without preload: axe would ask for what a style sheet imports at the address of the page, where it is not.
    violations = Axe().run(page, options={"resultTypes": ["violations"], "preload": False}).response["violations"]
    assert violations == [], "\n".join(_told(violation) for violation in violations)


def _told(violation: dict) -> str:
    places = "".join(f"\n    {node['target']}: {node['html'][:160]}" for node in violation["nodes"][:5])
    return f"{violation['id']} ({violation['impact']}, {len(violation['nodes'])}): {violation['help']}{places}"
