"""What a person is told, in English, remembered in its parts so that a screen can say it in another language."""

from collections.abc import Mapping
from datetime import date
from typing import Any


class Sentence(str):
    """`Sentence("{given} was given; allowed are {allowed}.", given=..., allowed=(...))`: a text like any other.

    `template` is found by the catalogues of the workbench, so it is written out where the sentence is made. `values`
    stay what they are: numbers, days, codes, several of them, other sentences.
    """

    template: str
    values: Mapping[str, Any]

    def __new__(cls, template: str, /, **values: Any) -> "Sentence":
        said = super().__new__(cls, template.format(**{name: _english(value) for name, value in values.items()}))
        said.template, said.values = template, values
        return said

    def __getnewargs_ex__(self) -> tuple[tuple[str], dict[str, Any]]:
        return (self.template,), dict(self.values)


def _english(value: Any) -> Any:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else value


def as_document(text: str) -> str | dict[str, Any]:
    """For JSON, which knows no days: one is told apart from a text by its name there."""
    if not isinstance(text, Sentence):
        return text
    return {"template": text.template, "values": {name: _plain(value) for name, value in text.values.items()}}


def _plain(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    if isinstance(value, date):
        return {"day": value.isoformat()}
    return as_document(value) if isinstance(value, str) else value


def of_document(document: str | Mapping[str, Any]) -> str:
    """What `as_document` gave; a plain text is one."""
    if isinstance(document, str):
        return document
    template, values = document["template"], document["values"]
    return Sentence(template, **{name: _read(value) for name, value in values.items()})


def _read(value: Any) -> Any:
    if isinstance(value, list):
        return [_read(each) for each in value]
    if isinstance(value, Mapping) and "day" in value:
        return date.fromisoformat(value["day"])
    return of_document(value) if isinstance(value, str | Mapping) else value
