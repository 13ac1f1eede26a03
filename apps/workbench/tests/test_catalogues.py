"""The texts of the screens: all found, all translated, and compiled as they stand."""

import re
from pathlib import Path
from string import Formatter

import pytest
import rest_framework
from babel.messages.mofile import read_mo

from apps.workbench import catalogues

PLACES = re.compile(r"%\(\w+\)[sd]|%%")
# What other programs say of a text that they cannot read is English, and is left out.
NOT_TOLD = {"reason"}


@pytest.fixture(scope="module")
def wanted():
    return catalogues.texts_in_sources()


@pytest.mark.parametrize("language", catalogues.LANGUAGES)
def test_the_catalogue_has_every_text_of_the_sources_and_no_other(language, wanted):
    held = {(message.id, message.context) for message in catalogues.read_catalogue(language) if message.id}
    assert held == wanted
    assert len(held) > 150


@pytest.mark.parametrize("language", catalogues.LANGUAGES)
def test_nothing_is_left_untranslated_or_guessed(language):
    assert catalogues.untranslated(catalogues.read_catalogue(language)) == []


@pytest.mark.parametrize("language", catalogues.LANGUAGES)
def test_what_is_compiled_is_what_is_written(language):
    path = catalogues.po_file(language)
    assert path.with_suffix(".mo").read_bytes() == catalogues.compiled(catalogues.read_catalogue(language))


@pytest.mark.parametrize("language", catalogues.LANGUAGES)
def test_a_translation_has_the_places_of_its_text(language):
    wrong = {}
    for message in catalogues.read_catalogue(language):
        sources, forms = (each if isinstance(each, tuple) else (each,) for each in (message.id, message.string))
        allowed = set().union(*(PLACES.findall(each) for each in sources))
        found = [set(PLACES.findall(form)) for form in forms if form]
        # One of several forms may say "one" in letters.
        if message.id and any(not each <= allowed or (each != allowed and len(sources) == 1) for each in found):
            wrong[message.id] = message.string
    assert wrong == {}


def _values(text):
    """The names in braces, each with its format in English only."""
    return {(name, spec, conversion) for _, name, spec, conversion in Formatter().parse(text) if name is not None}


@pytest.mark.parametrize("language", catalogues.LANGUAGES)
def test_a_sentence_of_the_engine_keeps_all_its_values(language):
    catalogue, sentences = catalogues.read_catalogue(language), catalogues.sentences_in_sources()
    assert len(sentences) > 100
    wrong = {}
    for template, _context in sentences:
        translated = catalogue.get(template).string
        named = {name for name, _, _ in _values(template)}
        told = _values(translated)
        if {name for name, _, _ in told} != named - NOT_TOLD or any(spec or way for _, spec, way in told):
            wrong[template] = translated
    assert wrong == {}


def test_uzbek_is_in_latin_script_with_its_own_letters():
    """U+02BB in oʻ and gʻ, U+02BC elsewhere: never an apostrophe of the keyboard or a quotation mark."""
    texts = [str(message.string) for message in catalogues.read_catalogue("uz") if message.id]
    assert [text for text in texts if re.search(r"[А-Яа-яЁё‘’`]|\w'\w|[OoGg]ʼ|(?<![OoGg])ʻ", text)] == []


def test_no_text_of_ours_stands_in_for_one_that_the_api_says():
    """The catalogues of all rooms are one: a sentence of Django REST framework that we translate would be its reply."""
    with (Path(rest_framework.__file__).parent / "locale/ru/LC_MESSAGES/django.mo").open("rb") as file:
        theirs = {message.id for message in read_mo(file) if str(message.id).endswith(".")}
    ours = {message.id for message in catalogues.read_catalogue("ru") if message.id and message.context is None}
    assert len(theirs) > 40
    assert ours & theirs == set()


def test_texts_are_found_in_views_and_in_templates(tmp_path):
    room = tmp_path / "workbench"
    (room / "templates").mkdir(parents=True)
    (tmp_path / "services.py").write_text('_("Not of a page")\nraise Conflict(Sentence("Only {most}.", most=3))\n')
    lines = ['title = _("One")', 'ngettext("%(n)s row", "%(n)s rows", n)', 'pgettext("door", "Open")']
    (room / "view.py").write_text("\n".join(lines))
    lines = [
        "{% load i18n %}",
        '    <p>{% translate "Two" %}</p>',
        "{% blocktranslate with a=b %}Three {{ a }} 5%{% endblocktranslate %}",
    ]
    (room / "templates" / "page.html").write_text("\n".join(lines))
    assert catalogues.texts_in_sources(tmp_path) == {
        ("One", None),
        (("%(n)s row", "%(n)s rows"), None),
        ("Open", "door"),
        ("Two", None),
        ("Three %(a)s 5%%", None),
        ("Only {most}.", None),
    }


def test_an_update_keeps_what_is_translated_and_forgets_what_is_gone(tmp_path):
    first = catalogues.update_catalogue("ru", [("One", None), ("Two", None)], tmp_path)
    first.get("One").string = "Один"
    catalogues.write_catalogue(first, tmp_path)
    second = catalogues.update_catalogue("ru", [("One", None), ("Three", None)], tmp_path)
    assert {message.id: message.string for message in second if message.id} == {"One": "Один", "Three": ""}
    assert catalogues.untranslated(second) == ["Three"]
    written = catalogues.po_file("ru", tmp_path).read_bytes()
    catalogues.write_catalogue(first, tmp_path)
    assert catalogues.po_file("ru", tmp_path).read_bytes() == written
