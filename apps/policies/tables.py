"""Tables of a policy file read strictly: what is missing, unknown or of another type is a problem with its place."""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from apps.policies.expressions import Expression, ExpressionError, kind_of, parse
from apps.policies.forbidden import why_unknown
from apps.scoring_engine.ml.vocabulary import shown
from apps.scoring_engine.ml.words import LANGUAGES

MISSING = object()
CODE = re.compile(r"[a-z][a-z0-9_]{0,39}")
SLUG = re.compile(r"[A-Za-z0-9._-]{1,40}")
MOST_TEXT = 600


class Table:
    """One table of the file. Each read notes a problem and gives a harmless value, so that all problems are found."""

    def __init__(self, where: str, table: Any, problems: list[tuple[str, str]]) -> None:
        self.where, self.problems = where, problems
        self.left: dict[str, Any] = dict(table) if isinstance(table, Mapping) else {}
        if not isinstance(table, Mapping):
            self.note("", f"must be a table, not {shown(table)}")

    def note(self, name: str, message: str) -> None:
        self.problems.append((".".join(part for part in (self.where, name) if part), message))

    def done(self) -> None:
        for name in self.left:
            self.note(str(name)[:60], "is not known here; look for a mistyped name")

    def _take(self, name: str, default: Any) -> Any:
        value = self.left.pop(name, MISSING)
        if value is MISSING and default is MISSING:
            self.note(name, "is missing")
        return value

    def typed(self, name: str, kind: type, wanted: str, default: Any = MISSING, fallback: Any = None) -> Any:
        value = self._take(name, default)
        if value is MISSING:
            return fallback if default is MISSING else default
        if type(value) is kind or (kind is float and type(value) is int):
            return value
        self.note(name, f"must be {wanted}, not {shown(value)}")
        return fallback

    def code(self, name: str = "code") -> str:
        value = self.typed(name, str, "a name in small letters", fallback="")
        if value and not CODE.fullmatch(value):
            self.note(name, f"must be small letters, digits and _ (at most 40), not {shown(value)}")
        return value

    def slug(self, name: str) -> str:
        value = self.typed(name, str, "a text", fallback="")
        if value and not SLUG.fullmatch(value):
            self.note(name, f"must be letters, digits, '.', '-' and _ (at most 40), not {shown(value)}")
        return value

    def text(self, name: str, default: Any = MISSING) -> str:
        value = self.typed(name, str, "a text", default, fallback="")
        if value is not None and (not value.strip() or len(value) > MOST_TEXT) and default is MISSING and value:
            self.note(name, f"must be a text of 1 to {MOST_TEXT} characters")
        return value

    def flag(self, name: str, default: bool) -> bool:
        return self.typed(name, bool, "true or false", default, fallback=default)

    def day(self, name: str) -> date:
        return self.typed(name, date, "a day such as 2026-12-01", fallback=date(1900, 1, 1))

    def whole(self, name: str, least: int, most: int, default: Any = MISSING) -> int:
        value = self.typed(name, int, f"a whole number from {least} to {most}", default, fallback=least)
        if value is not None and value is not default and not least <= value <= most:
            self.note(name, f"must be from {least} to {most}, not {value}")
        return value

    def number(self, name: str, least: float, most: float, default: Any = MISSING) -> float | None:
        value = self.typed(name, float, f"a number from {least:g} to {most:g}", default, fallback=least)
        if value is None or value is default:
            return value
        if not least <= value <= most:  # which NaN fails too
            self.note(name, f"must be from {least:g} to {most:g}, not {shown(value)}")
        return float(value)

    def one_of(self, name: str, allowed: Iterable[str], default: Any = MISSING) -> str:
        allowed = tuple(allowed)
        value = self.typed(name, str, f"one of {', '.join(allowed)}", default, fallback=allowed[0])
        if value is default or value in allowed:
            return value
        self.note(name, f"must be one of {', '.join(allowed)}, not {shown(value)}")
        return allowed[0]

    def codes(self, name: str, allowed: Iterable[str] | None = None) -> tuple[str, ...]:
        values = self.typed(name, list, "a list of names", fallback=[])
        wrong = [value for value in values if type(value) is not str or not SLUG.fullmatch(value)]
        allowed = None if allowed is None else tuple(allowed)
        wrong += [value for value in values if value not in wrong and allowed is not None and value not in allowed]
        for value in wrong:
            self.note(
                name, f"{shown(value)} is not one of {', '.join(allowed)}" if allowed else f"{shown(value)} is no name"
            )
        if len(values) != len({str(value) for value in values}):
            self.note(name, "names one twice")
        return tuple(value for value in values if value not in wrong)

    def languages(self, name: str, default: Any = MISSING) -> dict[str, str] | None:
        value = self._take(name, default)
        if value is MISSING:
            return None
        texts = value if isinstance(value, Mapping) else {}
        if set(texts) != set(LANGUAGES) or not all(type(text) is str and text.strip() for text in texts.values()):
            self.note(name, f"must hold a text in each of {', '.join(LANGUAGES)}, and nothing else")
        if any(len(text) > MOST_TEXT for text in texts.values() if type(text) is str):
            self.note(name, f"must have at most {MOST_TEXT} characters in each language")
        return {language: str(texts.get(language, "")) for language in LANGUAGES}

    def expression(self, name: str, wanted: str, kinds: Mapping[str, str], default: Any = MISSING) -> Expression | None:
        text = self.typed(name, str, "an expression in quotes", default, fallback=None)
        if text is None:
            return None
        try:
            expression = parse(text)
            unknown = next((name for name in expression.names if name not in kinds), None)
            if unknown is not None:
                raise ExpressionError(why_unknown(unknown))
            if (found := kind_of(expression.tree, kinds)) != wanted:
                raise ExpressionError(f"it gives a {found}; a {wanted} is needed")
        except ExpressionError as error:
            self.note(name, str(error))
            return None
        return expression

    def tables(self, name: str) -> list["Table"]:
        values = self.typed(name, list, f"tables, each under [[{name}]]", [], fallback=[])
        return [Table(f"{name}[{number}]", value, self.problems) for number, value in enumerate(values, start=1)]

    def table(self, name: str) -> "Table | None":
        value = self.left.pop(name, None)
        return (
            None
            if value is None
            else Table(".".join(part for part in (self.where, name) if part), value, self.problems)
        )
