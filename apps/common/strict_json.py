"""JSON as RFC 8259 means it: finite numbers, no duplicate keys, text that can be stored."""

import json
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from math import isinf
from typing import Any

from apps.common.errors import MOST_PROBLEMS, FieldProblem, InvalidInput
from apps.common.sentences import Sentence

MOST_DIGITS = 40
MOST_OF_A_KEY = 60
# Where a value stands: the trail of what holds it, and its key or its place there. None is the body.
Trail = tuple["Trail", str | int] | None


class _Refused:
    """Stands in a parsed document where a value was that JSON, or this system, cannot hold."""

    def __init__(self, why: str) -> None:
        self.why = why


class _Reader:
    """Reads one document. refused: whether it held a value that stands in it as _Refused now."""

    def __init__(self) -> None:
        self.refused = False

    def read(self, text: str) -> Any:
        return json.JSONDecoder(
            object_pairs_hook=self._object,
            parse_constant=self._constant,
            parse_float=self._float,
            parse_int=self._integer,
        ).decode(text)

    def _refuse(self, why: str) -> _Refused:
        self.refused = True
        return _Refused(why)

    def _constant(self, text: str) -> _Refused:
        return self._refuse(f"{text} is not a JSON number; give a finite number or leave the field out")

    def _float(self, text: str) -> float | _Refused:
        number = float(text)
        if isinf(number):
            return self._refuse("the number is too large to be represented; give a finite number")
        return number

    def _integer(self, text: str) -> int | _Refused:
        if len(text) > MOST_DIGITS:
            return self._refuse(f"the number has {len(text)} digits; at most {MOST_DIGITS} are read")
        return int(text)

    def _object(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        document = dict(pairs)
        if len(document) < len(pairs):
            counts = Counter(key for key, _ in pairs)
            twice = self._refuse(Sentence("the key is given twice; give it once"))
            document |= {key: twice for key, count in counts.items() if count > 1}
        return document


def _text_problem(text: str) -> str | None:
    if "\x00" in text:
        return Sentence("the text holds a NUL character; remove it")
    try:
        text.encode()
    except UnicodeEncodeError:
        return Sentence("the text holds half of a surrogate pair and cannot be stored; send valid Unicode")
    return None


def _path(trail: Trail) -> str:
    """Built for what is refused only: for every value of a body it would cost far more than the body."""
    steps: list[str] = []
    while trail is not None:
        trail, key = trail
        steps.append(f"[{key}]" if isinstance(key, int) else f".{_brief(key)}")
    return "".join(reversed(steps)).removeprefix(".")


def _brief(key: str) -> str:
    return key if len(key) <= MOST_OF_A_KEY else f"{key[: MOST_OF_A_KEY - 3]}..."


def _children(trail: Trail, value: Any) -> list[tuple[Trail, Any]]:
    """Of the values in `value`, those that can be refused or hold others."""
    if not isinstance(value, dict | list):
        return []
    steps = value.items() if isinstance(value, dict) else enumerate(value)
    return [((trail, key), child) for key, child in steps if isinstance(child, str | dict | list | _Refused)]


def _problems(document: Any) -> Iterator[FieldProblem]:
    waiting: list[tuple[Trail, Any]] = [(None, document)]
    while waiting:
        trail, value = waiting.pop()
        if isinstance(value, _Refused):
            yield FieldProblem(_path(trail), value.why)
        elif isinstance(value, str) and (why := _text_problem(value)):
            yield FieldProblem(_path(trail), why)
        elif isinstance(value, dict):
            for key in value:
                if why := _text_problem(key):
                    yield FieldProblem(_path(trail) or "(body)", Sentence("in the name of a field: {why}", why=why))
        waiting.extend(reversed(_children(trail, value)))


def parse_json(body: bytes) -> Any:
    """The document in `body`. Raises InvalidInput naming each field that cannot be accepted."""
    try:
        return _document(body.decode("utf-8"))
    except RecursionError:
        raise InvalidInput(
            Sentence("The JSON is nested too deeply; a request of this API needs fewer than 10 levels.")
        ) from None
    except UnicodeDecodeError:
        raise InvalidInput(Sentence("The body is not UTF-8 text.")) from None
    except json.JSONDecodeError as error:
        raise InvalidInput(
            Sentence(
                "The body is not valid JSON: {reason} at line {line}, column {column}.",
                reason=error.msg,
                line=error.lineno,
                column=error.colno,
            )
        ) from None


def _document(text: str) -> Any:
    """Looked through again only if it may hold what is refused: in a text without "\\u", nothing else can hide."""
    reader = _Reader()
    document = reader.read(text)
    if not reader.refused and "\\u" not in text:
        return document
    problems = [
        FieldProblem(p.field.encode("utf-8", "replace").decode().replace("\x00", "?"), p.message)
        for p in islice(_problems(document), MOST_PROBLEMS)
    ]
    if problems:
        raise InvalidInput(Sentence("The body holds values that cannot be accepted."), problems)
    return document
