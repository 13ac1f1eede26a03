"""What a rendered page is made of, read by the parser of the standard library."""

from dataclasses import dataclass, field
from html.parser import HTMLParser

SILENT = {"script", "style", "title"}


@dataclass
class Element:
    tag: str
    attributes: dict[str, str]
    text: str = ""


@dataclass
class Reader(HTMLParser):
    elements: list[Element] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    forms: list[tuple[Element, set[str]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self.open: list[Element] = []

    def handle_starttag(self, tag, attrs):
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.elements.append(element)
        if tag == "form":
            self.forms.append((element, set()))
        elif tag == "input" and self.forms:
            self.forms[-1][1].add(element.attributes.get("name", ""))
        if tag not in VOID:
            self.open.append(element)

    def handle_startendtag(self, tag, attrs):
        self.elements.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag):
        while self.open and self.open.pop().tag != tag:
            pass

    def handle_data(self, data):
        if self.open:
            self.open[-1].text += data
        languages = [each.attributes["lang"] for each in self.open if "lang" in each.attributes]
        if data.strip() and (not languages or languages[-1] == languages[0]):
            self.texts.append(" ".join(data.split()))

    def all(self, tag: str) -> list[Element]:
        return [element for element in self.elements if element.tag == tag]


VOID = {"meta", "link", "input", "br", "hr", "img", "use", "path", "col", "source", "wbr"}


def read(page: bytes) -> Reader:
    reader = Reader()
    reader.feed(page.decode())
    return reader
