"""The inputs of a card: facts of the vocabulary, and facts of the lender's own that the card states whole."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace

from .characteristics import NAME, NUMERIC_KINDS
from .typed_json import CardError, Number, check_keys, check_unique, is_finite, names_of, one_of, take, text_of
from .vocabulary import (
    FACTS,
    MONEY_LIMIT,
    NEVER_SCORED,
    RESERVED_NAMES,
    SCALE_BOUNDS,
    SCALE_OF,
    SHORT_TEXTS,
    Fact,
    Known,
    known_with,
    shown,
)

OTHER_SCALE = "other_scale"
OWN_KINDS = (*NUMERIC_KINDS, "category", "flag", "date")


@dataclass(frozen=True, slots=True)
class Input:
    """values: the categories of a fact of the lender's own; the vocabulary has those of its own facts."""

    name: str
    kind: str
    unit: str
    required: bool
    least: Number | None
    most: Number | None
    special_codes: dict[str, str]
    scale: str | None
    values: tuple[str, ...]

    def code_values(self) -> dict[float, str]:
        """Special codes that are numbers, by that very value of the fact."""
        return {float(code): code for code in self.special_codes if code != OTHER_SCALE}


def read_input(part: object, segment: str, where: str) -> Input:
    check_keys(part, names_of(Input), ("scale", "special_codes", "values"), where)
    name = take(part, "name", (str,), where)
    if name in NEVER_SCORED:
        raise CardError(f"{where}: {name} may not be scored: {NEVER_SCORED[name]}")
    known = FACTS[segment].get(name)
    fact = _same_fact(part, known, f"{where} ({name})") if known else _read_own_fact(part, where)
    codes = part.get("special_codes", {})
    scale = part.get("scale")
    _check_codes(codes, fact, scale, f"{where} ({name})")
    required = take(part, "required", (bool,), where)
    values = () if known else fact.values
    return Input(name, fact.kind, fact.unit, required, fact.least, fact.most, codes, scale, values)


def own_fact(entry: Input) -> Fact:
    """An input outside the vocabulary as a fact."""
    meaning = f"{entry.name.replace('_', ' ').capitalize()}: a fact of the lender's own"
    return Fact(entry.name, entry.kind, entry.unit, entry.least, entry.most, entry.values, meaning)


def known_to(segment: str, inputs: Iterable[Input]) -> Known | None:
    """What a card may be sent, where that is more than the vocabulary of its segment allows; else None."""
    inputs = tuple(inputs)
    # Any short text passes the check of facts: a category never seen is scored, with a warning.
    own = [replace(own_fact(entry), values=()) for entry in inputs if entry.name not in FACTS[segment]]
    codes = {entry.name: frozenset(values) for entry in inputs if (values := entry.code_values())}
    return known_with(segment, own, codes) if own or codes else None


def _same_fact(part: dict, fact: Fact, where: str) -> Fact:
    if "values" in part:
        raise CardError(f"{where}: values must be left out: the vocabulary has them")
    for key in ("kind", "unit", "least", "most"):
        given, known = part.get(key), getattr(fact, key)
        if type(given) is not type(known) or given != known:
            raise CardError(f"{where}: {key} must be {shown(known)}, not {shown(given)}")
    return fact


def _read_own_fact(part: dict, where: str) -> Fact:
    """A fact outside the vocabulary; as nothing else knows of it, the card states all of it."""
    name = text_of(part, "name", where, NAME)
    where = f"{where} ({name})"
    if name in RESERVED_NAMES:
        raise CardError(f"{where}: the name {name} is taken: {RESERVED_NAMES[name]}")
    kind = one_of(part, "kind", OWN_KINDS, where)
    unit = text_of(part, "unit", where)
    if len(unit) > 60:
        raise CardError(f"{where}: unit must be short")
    values = _read_values(part, kind, where)
    least, most = _read_bounds(part, kind, where)
    return Fact(name, kind, unit, least, most, values, "")


def _read_bounds(part: dict, kind: str, where: str) -> tuple[Number | None, Number | None]:
    bounds = least, most = part["least"], part["most"]
    if kind not in NUMERIC_KINDS:
        if bounds != (None, None):
            raise CardError(f"{where}: least and most of a {kind} must be null")
        return bounds
    types = (int, float) if kind == "number" else (int,)
    if not all(type(bound) in types and is_finite(bound) and abs(bound) <= MONEY_LIMIT for bound in bounds):
        noun = "numbers" if kind == "number" else "whole numbers"
        raise CardError(f"{where}: least and most must be {noun} from -{MONEY_LIMIT} to {MONEY_LIMIT}")
    if not least < most:
        raise CardError(f"{where}: least must be below most")
    return bounds


def _read_values(part: dict, kind: str, where: str) -> tuple[str, ...]:
    if kind != "category":
        if "values" in part:
            raise CardError(f"{where}: values belong to a category, and only to it")
        return ()
    values = take(part, "values", (list,), where)
    if not values or any(type(value) is not str or value not in SHORT_TEXTS for value in values):
        raise CardError(f"{where}: values must be texts of 1 to 100 printable characters, at least one")
    check_unique(values, f"{where}: values")
    return tuple(values)


def _check_codes(codes: object, fact: Fact, scale: object, where: str) -> None:
    if type(codes) is not dict or any(type(meaning) is not str for meaning in codes.values()):
        raise CardError(f"{where}: special_codes must be texts by code")
    known = type(scale) is str and scale in SCALE_BOUNDS
    if not known if fact.name in SCALE_OF else scale is not None:
        allowed = f"one of {', '.join(SCALE_BOUNDS)}" if fact.name in SCALE_OF else "left out"
        raise CardError(f"{where}: scale must be {allowed}, not {shown(scale)}")
    if (scale is not None) != (OTHER_SCALE in codes):
        raise CardError(f"{where}: the special code other_scale belongs to inputs with a scale, and only to them")
    numbers = [code for code in codes if code != OTHER_SCALE]
    for code in numbers:
        if fact.kind not in NUMERIC_KINDS or not _is_number_text(code, whole=fact.kind != "number"):
            raise CardError(f"{where}: special code {shown(code)} is no number that this fact could have")
    check_unique([float(code) for code in numbers], f"{where}: special_codes")


def _is_number_text(code: str, *, whole: bool) -> bool:
    try:
        number = float(code)
    except ValueError:
        return False
    return math.isfinite(number) and (number.is_integer() or not whole)
