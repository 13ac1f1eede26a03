"""What holds of every page, whoever looks at it and in whichever language."""

import re
from pathlib import Path

from django.contrib.staticfiles import finders
from django.test import Client, TestCase

from apps.common.languages import LANGUAGES
from apps.workbench.catalogues import read_catalogue
from apps.workbench.tests.html import read
from apps.workbench.tests.rows import make_world, parameters, routes, signed_in

ELSEWHERE = re.compile(rb"""(?:src|href|action|content|url\()\s*=?\s*["']?\s*(?:https?:)?//""")


class PageTests(TestCase):
    """Every page that each role may open, as it is rendered."""

    @classmethod
    def setUpTestData(cls):
        cls.world = make_world()
        given = parameters(cls.world)
        cls.pages = [
            (route.name, role, route.address(given.get(route.name, ({}, None))[0]))
            for route in routes()
            if route.method == "GET"
            for role in getattr(route.view, "roles", ())
        ]

    @classmethod
    def setUpClass(cls):
        """Each page is asked for once a language, and looked at by all tests."""
        super().setUpClass()
        cls.of_language = {language: list(cls.ask(language)) for language in LANGUAGES}

    @classmethod
    def ask(cls, language):
        for name, role, address in cls.pages:
            response = signed_in(cls.world.users[role], language).get(address)
            if response.status_code == 200 and response["Content-Type"].startswith("text/html"):
                yield f"{name} as {role} in {language}", response
        yield f"sign in in {language}", Client().get("/sign-in/", headers={"Accept-Language": language})

    def rendered(self, language):
        return self.of_language[language]

    def test_every_page_says_its_language_and_title_and_has_one_heading_and_one_main(self):
        seen = 0
        for language in LANGUAGES:
            for place, response in self.rendered(language):
                page, seen = read(response.content), seen + 1
                assert page.all("html")[0].attributes["lang"] == language, place
                assert len(page.all("title")) == len(page.all("h1")) == len(page.all("main")) == 1, place
                assert page.all("title")[0].text.strip() not in ("", "· credit_ML"), place
                assert page.all("h1")[0].text.strip(), place
                ids = [element.attributes["id"] for element in page.elements if "id" in element.attributes]
                assert len(ids) == len(set(ids)), (place, [each for each in ids if ids.count(each) > 1])
        assert seen >= 3 * 14

    def test_nothing_runs_or_looks_by_what_stands_in_the_page(self):
        """No inline script, style or handler: the content security policy would refuse it."""
        for place, response in self.rendered("en"):
            page = read(response.content)
            scripts = [each for each in page.all("script") if each.attributes.get("type") != "application/json"]
            assert [each for each in scripts if "src" not in each.attributes or each.text.strip()] == [], place
            assert page.all("style") == [], place
            inline = [
                name for each in page.elements for name in each.attributes if name == "style" or name.startswith("on")
            ]
            assert inline == [], place

    def test_no_page_asks_another_host_for_anything(self):
        for place, response in self.rendered("en"):
            assert ELSEWHERE.findall(response.content) == [], place

    def test_every_file_and_symbol_that_a_page_names_is_there(self):
        symbols = set(re.findall(r'<symbol id="([\w-]+)"', Path(finders.find("workbench/icons.svg")).read_text()))
        named = set()
        for _, response in self.rendered("en"):
            named |= set(re.findall(r'(?:src|href)="/static/([^"]+)"', response.content.decode()))
        assert {name for name in named if finders.find(name.partition("#")[0]) is None} == set()
        assert {name.partition("#")[2] for name in named if "#" in name} - symbols == set()
        assert len(named) > 10

    def test_every_form_that_is_posted_carries_its_token(self):
        posted = 0
        for place, response in self.rendered("en"):
            for form, names in read(response.content).forms:
                if form.attributes.get("method", "get").lower() == "post":
                    posted += 1
                    assert "csrfmiddlewaretoken" in names, (place, form.attributes)
        assert posted > 10

    def test_every_field_has_its_label(self):
        for place, response in self.rendered("en"):
            page = read(response.content)
            labelled = {each.attributes.get("for") for each in page.all("label")}
            for tag in ("input", "select", "textarea"):
                for each in page.all(tag):
                    told = each.attributes
                    named = told.get("id") in labelled or "aria-label" in told or "aria-labelledby" in told
                    assert named or told.get("type") in ("hidden", "submit"), (place, told)

    def test_no_text_of_ours_is_left_in_english(self):
        for language in ("uz", "ru"):
            ours = {
                str(message.id)
                for message in read_catalogue(language)
                if isinstance(message.id, str) and message.id and message.string != message.id
            }
            left = {
                (place, text)
                for place, response in self.rendered(language)
                for text in read(response.content).texts
                if text in ours
            }
            assert left == set()

    def test_pages_are_kept_by_no_cache_and_by_the_policy(self):
        for place, response in self.rendered("en"):
            assert response["Cache-Control"] == "no-store", place
            policy = response["Content-Security-Policy"]
            assert "script-src 'self'" in policy, place
            assert "unsafe" not in policy, place
