"""Tables of a policy file read strictly: what is missing, unknown or of another type is a problem with its place."""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from apps.common.sentences import Sentence
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
            self.note("", Sentence("must be a table, not {given}", given=shown(table)))

    def note(self, name: str, message: str) -> None:
        self.problems.append((".".join(part for part in (self.where, name) if part), message))

    def done(self) -> None:
        for name in self.left:
            self.note(str(name)[:60], Sentence("is not known here; look for a mistyped name"))

    def _take(self, name: str, default: Any) -> Any:
        value = self.left.pop(name, MISSING)
        if value is MISSING and default is MISSING:
            self.note(name, Sentence("is missing"))
        return value

    def typed(self, name: str, kind: type, wanted: str, default: Any = MISSING, fallback: Any = None) -> Any:
        value = self._take(name, default)
        if value is MISSING:
            return fallback if default is MISSING else default
        if type(value) is kind or (kind is float and type(value) is int):
            return value
        self.note(name, Sentence("must be {wanted}, not {given}", wanted=wanted, given=shown(value)))
        return fallback

    def code(self, name: str = "code") -> str:
        value = self.typed(name, str, Sentence("a name in small letters"), fallback="")
        if value and not CODE.fullmatch(value):
            self.note(
                name, Sentence("must be small letters, digits and _ (at most 40), not {given}", given=shown(value))
            )
        return value

    def slug(self, name: str) -> str:
        value = self.typed(name, str, Sentence("a text"), fallback="")
        if value and not SLUG.fullmatch(value):
            self.note(
                name, Sentence("must be letters, digits, '.', '-' and _ (at most 40), not {given}", given=shown(value))
            )
        return value

    def text(self, name: str, default: Any = MISSING) -> str:
        value = self.typed(name, str, Sentence("a text"), default, fallback="")
        if value is not None and (not value.strip() or len(value) > MOST_TEXT) and default is MISSING and value:
            self.note(name, Sentence("must be a text of 1 to {most} characters", most=MOST_TEXT))
        return value

    def flag(self, name: str, default: bool) -> bool:
        return self.typed(name, bool, Sentence("true or false"), default, fallback=default)

    def day(self, name: str) -> date:
        return self.typed(name, date, Sentence("a day such as 2026-12-01"), fallback=date(1900, 1, 1))

    def whole(self, name: str, least: int, most: int, default: Any = MISSING) -> int:
        value = self.typed(
            name,
            int,
            Sentence("a whole number from {least} to {most}", least=least, most=most),
            default,
            fallback=least,
        )
        if value is not None and value is not default and not least <= value <= most:
            self.note(
                name, Sentence("must be from {least} to {most}, not {value}", least=least, most=most, value=value)
            )
        return value

    def number(self, name: str, least: float, most: float, default: Any = MISSING) -> float | None:
        value = self.typed(
            name,
            float,
            Sentence("a number from {least:g} to {most:g}", least=least, most=most),
            default,
            fallback=least,
        )
        if value is None or value is default:
            return value
        if not least <= value <= most:  # which NaN fails too
            self.note(
                name,
                Sentence("must be from {least:g} to {most:g}, not {given}", least=least, most=most, given=shown(value)),
            )
        return float(value)

    def one_of(self, name: str, allowed: Iterable[str], default: Any = MISSING) -> str:
        allowed = tuple(allowed)
        value = self.typed(name, str, Sentence("one of {allowed}", allowed=allowed), default, fallback=allowed[0])
        if value is default or value in allowed:
            return value
        self.note(name, Sentence("must be one of {allowed}, not {given}", allowed=allowed, given=shown(value)))
        return allowed[0]

    def codes(self, name: str, allowed: Iterable[str] | None = None) -> tuple[str, ...]:
        values = self.typed(name, list, Sentence("a list of names"), fallback=[])
        wrong = [value for value in values if type(value) is not str or not SLUG.fullmatch(value)]
        allowed = None if allowed is None else tuple(allowed)
        wrong += [value for value in values if value not in wrong and allowed is not None and value not in allowed]
        for value in wrong:
            self.note(
                name,
                Sentence("{given} is not one of {allowed}", given=shown(value), allowed=allowed)
                if allowed
                else Sentence("{given} is no name", given=shown(value)),
            )
        if len(values) != len({str(value) for value in values}):
            self.note(name, Sentence("names one twice"))
        return tuple(value for value in values if value not in wrong)

    def languages(self, name: str, default: Any = MISSING) -> dict[str, str] | None:
        value = self._take(name, default)
        if value is MISSING:
            return None
        texts = value if isinstance(value, Mapping) else {}
        if set(texts) != set(LANGUAGES) or not all(type(text) is str and text.strip() for text in texts.values()):
            self.note(name, Sentence("must hold a text in each of {allowed}, and nothing else", allowed=LANGUAGES))
        if any(len(text) > MOST_TEXT for text in texts.values() if type(text) is str):
            self.note(name, Sentence("must have at most {most} characters in each language", most=MOST_TEXT))
        return {language: str(texts.get(language, "")) for language in LANGUAGES}

    def expression(self, name: str, wanted: str, kinds: Mapping[str, str], default: Any = MISSING) -> Expression | None:
        text = self.typed(name, str, Sentence("an expression in quotes"), default, fallback=None)
        if text is None:
            return None
        try:
            expression = parse(text)
            unknown = next((name for name in expression.names if name not in kinds), None)
            if unknown is not None:
                raise ExpressionError(why_unknown(unknown))
            if (found := kind_of(expression.tree, kinds)) != wanted:
                raise ExpressionError(Sentence("it gives a {found}; a {wanted} is needed", found=found, wanted=wanted))
        except ExpressionError as error:
            self.note(name, error.args[0])
            return None
        return expression

    def tables(self, name: str) -> list["Table"]:
        values = self.typed(name, list, Sentence("tables, each under [[{name}]]", name=name), [], fallback=[])
        return [Table(f"{name}[{number}]", value, self.problems) for number, value in enumerate(values, start=1)]

    def table(self, name: str) -> "Table | None":
        value = self.left.pop(name, None)
        return (
            None
            if value is None
            else Table(".".join(part for part in (self.where, name) if part), value, self.problems)
        )
