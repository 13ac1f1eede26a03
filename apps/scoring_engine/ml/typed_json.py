"""Typed reading of the plain JSON of a card: every refusal says where and what."""

import math
import re
from collections.abc import Callable
from dataclasses import fields
from typing import Any, TypeVar

from .vocabulary import shown

LARGEST = 10**18
Number = int | float
Part = TypeVar("Part")


class CardError(ValueError):
    """A card that must not score; the message names what is wrong with it."""


def names_of(part: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields(part))


def check_keys(part: object, keys: tuple[str, ...] | list[str], optional: tuple[str, ...], where: str) -> None:
    """Refuses unknown keys too: a rule that this reader does not know must not be dropped silently."""
    if type(part) is not dict:
        raise CardError(f"{where} must be an object, not {shown(part)}")
    for key in part:
        if key not in keys:
            raise CardError(f"{where} has the unknown key {shown(key)}")
    for key in keys:
        if key not in part and key not in optional:
            raise CardError(f"{where} lacks {key}")


def take(part: object, key: str, types: tuple[type, ...], where: str) -> Any:
    if type(part) is not dict:
        raise CardError(f"{where} must be an object, not {shown(part)}")
    if key not in part:
        raise CardError(f"{where} lacks {key}")
    if type(part[key]) not in types:
        names = " or ".join(known.__name__ for known in types)
        raise CardError(f"{where}: {key} must be of type {names}, not {shown(part[key])}")
    return part[key]


def each(card: dict, key: str, read: Callable[[object, str], Part]) -> tuple[Part, ...]:
    parts = take(card, key, (list,), "the card")
    return tuple(read(part, f"{key}[{number}]") for number, part in enumerate(parts))


def one_of(part: object, key: str, allowed: tuple[str, ...], where: str) -> str:
    value = take(part, key, (str,), where)
    if value not in allowed:
        raise CardError(f"{where}: {key} must be one of {', '.join(allowed)}, not {shown(value)}")
    return value


def text_of(part: dict, key: str, where: str, pattern: re.Pattern[str] | None = None) -> str:
    value = take(part, key, (str,), where)
    fits = pattern.fullmatch(value) if pattern else 0 < len(value) <= 1000 and value.isprintable()
    if not fits:
        rule = f"match {pattern.pattern}" if pattern else "be one line of text"
        raise CardError(f"{where}: {key} must {rule}, not {shown(value)}")
    return value


def points_of(part: dict, key: str, where: str) -> int:
    return take(part, key, (int,), where)


def number_of(part: dict, key: str, where: str) -> Number:
    if not is_finite(take(part, key, (int, float), where)):
        raise CardError(f"{where}: {key} must be a finite number")
    return part[key]


def is_finite(value: object) -> bool:
    if type(value) is int:
        return -LARGEST <= value <= LARGEST
    return type(value) is float and math.isfinite(value)


def check_unique(values: list, where: str) -> None:
    seen = set()
    for value in values:
        if value in seen:
            raise CardError(f"{where}: {shown(value)} stands twice")
        seen.add(value)
