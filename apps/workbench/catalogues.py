"""The texts of the screens in Uzbek and Russian: found in the sources, kept as .po, compiled to .mo.

With them the sentences that the rest of the engine makes, which the screens tell (telling.py).

In pure Python, so that nobody needs GNU gettext.
"""

from collections.abc import Iterable, Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOM = Path(__file__).parent
LANGUAGES = ("uz", "ru")  # the sources are English
Keywords = dict[str, tuple[int | tuple[int, str], ...] | None]
KEYWORDS: Keywords = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "npgettext_lazy": ((1, "c"), 2, 3),
}
SENTENCES: Keywords = {"Sentence": None}  # apps.common.sentences
WIDTH = 118
HEAD = "# The texts of the workbench. `make messages` keeps this file; only the translations are written by hand."
Key = tuple[str | tuple[str, ...], str | None]  # what babel calls id (with its plural) and context


class PlainCatalog(Catalog):
    """Its head names no dates, people or versions: the files change with their texts only."""

    def _plain_headers(self) -> list[tuple[str, str]]:
        return [
            ("Language", str(self.locale)),
            ("Plural-Forms", self.plural_forms),
            ("MIME-Version", "1.0"),
            ("Content-Type", "text/plain; charset=utf-8"),
            ("Content-Transfer-Encoding", "8bit"),
        ]

    mime_headers = property(_plain_headers)


def texts_in_sources(apps: Path = ROOM.parent) -> set[Key]:
    """Every text that a view or a template asks a translation of, and every sentence that the engine makes."""
    room = apps / ROOM.name
    paths = [*_python(room), *sorted((room / "templates").rglob("*.html"))]
    return {key for path in paths for key in _texts_of(path, KEYWORDS)} | sentences_in_sources(apps)


def sentences_in_sources(apps: Path = ROOM.parent) -> set[Key]:
    paths = [path for path in _python(apps) if b"Sentence(" in path.read_bytes()]
    return {key for path in paths for key in _texts_of(path, SENTENCES)}


def _python(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.rglob("*.py")) if "tests" not in path.parts]


def _texts_of(path: Path, keywords: Keywords) -> Iterator[Key]:
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".html":
        # Without indents, which the reader of Python would stumble over.
        text = "\n".join(line.strip() for line in templatize(text, origin=str(path)).splitlines())
    for _, message, _, context in extract("python", BytesIO(text.encode()), keywords=keywords):
        yield message, context


def po_file(language: str, room: Path = ROOM) -> Path:
    return room / "locale" / language / "LC_MESSAGES" / "django.po"


def read_catalogue(language: str, room: Path = ROOM) -> Catalog:
    path, plain = po_file(language, room), PlainCatalog(locale=language, fuzzy=False, header_comment=HEAD)
    if path.exists():
        with path.open("rb") as file:
            for message in read_po(file, locale=language):
                if message.id:
                    plain.add(message.id, message.string, flags=message.flags, context=message.context)
    return plain


def update_catalogue(language: str, wanted: Iterable[Key], room: Path = ROOM) -> Catalog:
    """The catalogue with exactly the texts that are wanted: translations that are there stay, others are empty."""
    kept, made = read_catalogue(language, room), PlainCatalog(locale=language, fuzzy=False, header_comment=HEAD)
    for message, context in wanted:
        known = kept.get(message if isinstance(message, str) else message[0], context)
        same = known is not None and known.id == message
        made.add(message, known.string if same else "", context=context)
    return made


def write_catalogue(catalogue: Catalog, room: Path = ROOM) -> None:
    """Both files: the .po in the order of its texts, the .mo as it follows from it."""
    path = po_file(str(catalogue.locale), room)
    path.parent.mkdir(parents=True, exist_ok=True)
    written = BytesIO()
    write_po(written, catalogue, width=WIDTH, no_location=True, sort_output=True)
    path.write_bytes(written.getvalue())
    path.with_suffix(".mo").write_bytes(compiled(read_catalogue(str(catalogue.locale), room)))


def compiled(catalogue: Catalog) -> bytes:
    """The .mo. What has no translation is left out, and shows in English."""
    written = BytesIO()
    write_mo(written, catalogue)
    return written.getvalue()


def untranslated(catalogue: Catalog) -> list[str]:
    """Texts without a translation, in one of the plural's forms at least, or with one that is only guessed."""
    return [
        str(message.id) for message in catalogue if message.id and (message.fuzzy or not all(_forms(message.string)))
    ]


def _forms(string: str | tuple[str, ...] | list[str]) -> tuple[str, ...]:
    return (string,) if isinstance(string, str) else tuple(string)
