"""Charts as a browser draws them: each figure of docs/how-to/add-a-chart.md, under the content security policy."""

import gzip
import hashlib
import re
import tomllib
from functools import cache
from pathlib import Path

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template import engines
from django.test import SimpleTestCase, override_settings
from django.urls import include, path

from tests.browser import BrowserTestCase, assert_accessible, wait_until

KINDS = ["waterfall", "scale", "bars", "heatmap", "lines", "histogram", "stacked"]
VENDOR = Path(settings.BASE_DIR) / "apps/workbench/static/workbench/vendor"
PAGE = """{% extends "workbench/page.html" %}{% block title %}Charts{% endblock %}
{% block scripts %}{% include "workbench/parts/charts.html" %}{% endblock %}
{% block content %}<h1>Charts</h1>FIGURE{% endblock %}"""
DARK_INK, LIGHT_INK = "rgb(228, 235, 238)", "rgb(23, 34, 42)"


@cache
def figures() -> dict[str, str]:
    text = (Path(settings.BASE_DIR) / "docs/how-to/add-a-chart.md").read_text(encoding="utf-8")
    found = re.findall(r"```html\n(<figure .*?</figure>)\n```", text, re.S)
    return {re.search(r'data-chart="(\w+)"', figure)[1]: figure for figure in found}


def show(request: HttpRequest, kind: str) -> HttpResponse:
    """The figure of the page on charts, or all of them, with whatever `old` says put as `new`."""
    old, new = request.GET.get("old", ""), request.GET.get("new", "")
    figure = "".join(figures().values()) if kind == "all" else figures()[kind]
    figure = figure.replace(old, new) if old else figure
    template = engines["django"].from_string(PAGE.replace("FIGURE", figure))
    return HttpResponse(template.render({"layout": "workbench/page.html"}, request))


urlpatterns = [path("charts/<str:kind>/", show), path("", include("config.urls"))]

# Of the first chart of the page: every number that it draws, series by series.
DRAWN = """() => echarts.getInstanceByDom(document.querySelector(".chart-canvas")).getOption().series
    .map((series) => series.data)"""
COLOUR = "getComputedStyle(document.querySelector('.chart-canvas text')).fill"


@override_settings(ROOT_URLCONF=__name__)
class ChartTests(BrowserTestCase):
    def chart(self, kind, query="", **options):
        page = self.page_as(None, **options)
        self.open(page, f"/charts/{kind}/{query}")
        return page

    def test_each_kind_is_drawn_from_its_table_at_either_width_in_either_theme(self):
        assert list(figures()) == KINDS
        for options in ({"width": 1440, "theme": "light"}, {"width": 390, "theme": "dark"}):
            page = self.chart("all", **options)
            assert page.locator(".chart-canvas svg").count() == len(KINDS)
            for kind in KINDS:
                assert page.locator(f"[data-chart={kind}] .chart-canvas svg path").count() >= 4, kind
            assert page.evaluate("document.documentElement.scrollWidth") == options["width"]

    def test_no_style_of_a_chart_is_written_into_the_page(self):
        """A <style> would need unsafe-inline; what ECharts writes as attributes is set through the object model."""
        page = self.chart("all")
        policy = page.request.get(page.url).headers["content-security-policy"]
        assert "style-src 'self'" in policy
        assert "unsafe" not in policy
        assert page.locator("style").count() == 0

    def test_the_bars_of_a_waterfall_add_up_to_the_score(self):
        page = self.chart("waterfall")
        bars = page.evaluate(DRAWN)[-1]
        (start, _, _), *steps, (_, score, _) = bars
        assert (start, score) == (512, 478)
        assert [to - start for start, to, _ in steps] == [-34, 22, -18, -12, 8]
        assert start + sum(to - begun for begun, to, _ in steps) == score
        assert [begun for begun, _, _ in steps] == [512, 478, 500, 482, 470]

    def test_a_waterfall_that_does_not_add_up_is_not_drawn_and_its_table_stays(self):
        page = self.page_as(None)
        self.expect_problem(page, "the impacts add up to 478, not to 479")
        self.open(page, "/charts/waterfall/?old=478&new=479")
        assert page.locator(".chart-canvas").count() == 0
        assert page.get_by_role("cell", name="479").is_visible()

    def test_a_word_for_a_number_is_not_drawn_and_its_table_stays_open(self):
        page = self.page_as(None)
        self.expect_problem(page, 'data-value="many" is not a number')
        self.open(page, "/charts/lines/?old=0.62&new=many")
        assert page.locator(".chart-canvas").count() == 0
        assert page.locator("figure.chart table").is_visible()

    def test_each_picture_is_named_by_the_page_and_its_table_is_one_step_away(self):
        page = self.chart("all")
        for kind in KINDS:
            label = re.search(r'data-label="([^"]+)"', figures()[kind])[1]
            assert page.get_by_role("img", name=label, exact=True).count() == 1, kind
            figure = page.locator(f"[data-chart={kind}]")
            if figure.locator("details").count():
                assert not figure.locator("table").is_visible()
                figure.locator("summary").click()
            assert figure.locator("table").is_visible(), kind

    def test_a_missing_number_is_a_gap(self):
        page = self.chart("lines")
        approved, expected, _ = page.evaluate(DRAWN)
        assert [y for _, y in approved] == [0.62, None, 0.66, 0.64]
        assert [y for _, y in expected] == [0.6, 0.6, 0.61, 0.61]

    def test_a_week_that_is_not_over_is_hatched_and_says_so(self):
        page = self.chart("lines", "?old=mark%22&new=running%22")
        approved, _, _, hatched, so_far, _ = page.evaluate(DRAWN)
        assert hatched == [[2]]
        assert ([y for _, y in approved], so_far) == ([0.62, None, None, 0.64], [[2, 0.66]])
        assert "new policy" in page.locator(".chart-canvas svg text").all_text_contents()

    def test_a_chart_follows_the_theme(self):
        page = self.chart("waterfall", theme="light")
        assert page.evaluate(COLOUR) == LIGHT_INK
        page.evaluate("document.documentElement.dataset.theme = 'dark'")
        wait_until(page, f"{COLOUR} === '{DARK_INK}'")

    def test_a_chart_follows_the_theme_of_the_device(self):
        page = self.chart("waterfall", theme="dark")
        page.evaluate("delete document.documentElement.dataset.theme")
        wait_until(page, f"{COLOUR} === '{DARK_INK}'")
        page.emulate_media(color_scheme="light")
        wait_until(page, f"{COLOUR} === '{LIGHT_INK}'")

    def test_a_chart_follows_the_width(self):
        page = self.chart("waterfall")
        width = "document.querySelector('.chart-canvas svg').clientWidth"
        wide = page.evaluate(width)
        page.set_viewport_size({"width": 390, "height": 844})
        wait_until(page, f"{width} < 380")
        assert wide > 600

    def test_a_figure_that_htmx_brings_is_drawn(self):
        page = self.chart("waterfall")
        swap = {"target": "figure.chart", "select": "figure.chart", "swap": "outerHTML"}
        page.evaluate("(swap) => htmx.ajax('GET', '/charts/bars/', swap)", swap)
        page.locator("[data-chart=bars] svg").wait_for()
        assert page.locator(".chart-canvas").count() == 1
        assert page.evaluate(DRAWN)[-1][0][:2] == [0, 31]

    def test_a_table_that_changes_is_drawn_anew(self):
        page = self.chart("bars")
        page.evaluate("document.querySelector('figure.chart tbody td').dataset.value = '44'")
        assert page.evaluate(DRAWN)[-1][0][:2] == [0, 44]
        page.evaluate("document.querySelector('figure.chart tbody').deleteRow(0)")
        assert [to for _, to, _ in page.evaluate(DRAWN)[-1]] == [18, -4, -41, -15]

    def test_a_hidden_figure_is_drawn_when_it_is_shown(self):
        page = self.page_as(None)
        self.open(page, "/charts/bars/?old=%3Cfigure&new=%3Cfigure%20hidden")
        assert page.locator(".chart-canvas svg").count() == 0
        page.evaluate("document.querySelector('figure').hidden = false")
        page.locator(".chart-canvas svg").wait_for()

    def test_a_tip_says_the_words_of_the_table(self):
        page = self.chart("lines")
        box = page.locator(".chart-canvas").bounding_box()
        page.mouse.move(box["x"] + box["width"] * 0.95, box["y"] + box["height"] * 0.5)
        assert page.locator(".chart-tip").inner_text().split("\n") == ["24 Aug", "Approved: 64%", "Expected: 61%"]

    def test_numbers_on_axes_are_written_in_the_language_of_the_page(self):
        for language, half in (("en", "0.5"), ("ru", "0,5"), ("uz", "0,5")):
            page = self.chart("lines", '?old=data-format%3D"percent"&new=', language=language)
            texts = page.locator(".chart-canvas svg text").all_text_contents()
            assert half in texts, (language, texts)

    def test_great_sums_are_written_short_in_the_language_of_the_page(self):
        """Chromium knows no numbers of Uzbek, so charts.js has them."""
        for language, million in (("en", "20M"), ("ru", "20\xa0млн"), ("uz", "20\xa0mln")):
            page = self.chart("bars", "?old=%2231%22&new=%2231000000%22", language=language)
            page.evaluate("document.querySelector('figure.chart').dataset.format = 'money'")
            assert million in page.locator(".chart-canvas svg text").all_text_contents(), language

    def test_without_scripts_every_table_stands_open(self):
        page = self.chart("all", java_script_enabled=False)
        assert page.locator("table:visible").count() == len(KINDS)
        assert page.locator(".chart-canvas").count() == 0

    def test_charts_are_accessible(self):
        for theme in ("light", "dark"):
            assert_accessible(self.chart("all", theme=theme))


class VendorTests(SimpleTestCase):
    def test_each_vendored_file_is_the_one_that_versions_toml_names(self):
        versions = tomllib.loads((VENDOR / "VERSIONS.toml").read_text())
        for name, noted in versions.items():
            content = (VENDOR / noted["file"]).read_bytes()
            assert hashlib.sha256(content).hexdigest() == noted["sha256"], name

    def test_the_library_of_the_charts_is_small_and_runs_no_text(self):
        content = (VENDOR / "echarts.js").read_bytes()
        assert len(gzip.compress(content, 9, mtime=0)) < 170_000
        assert not re.search(rb"\beval\(|new Function\(", content)
        assert set(re.findall(rb"https?://[^\"'\s)]+", content)) <= {
            b"http://www.w3.org/1999/xlink",
            b"http://www.w3.org/2000/svg",
            b"http://www.w3.org/2000/xmlns/",
            b"http://www.w3.org/XML/1998/namespace",
        }
