"""The English reason of every bin, written once when a card is loaded.

Bounds are shown exactly as the card has them, so that a reason is true of every value in its bin; only
the typical value, which is said to be typical, is rounded.
"""

import math
from decimal import Decimal
from itertools import pairwise

from .cards import Card, Characteristic
from .features import MISSING, OTHER_SCALE, SPECIAL, UNAVAILABLE

UNSEEN = "unseen"


def reasons_of_bins(c: Characteristic) -> list[str]:
    """One sentence per entry of `c.points`, in its order."""
    if c.groups is not None:
        ranges = [_group_text(group) for group in c.groups]
    else:
        bounds = (None, *c.edges, None)
        ranges = [_range_text(c.unit, low, high) for low, high in pairwise(bounds)]
    typical = "" if c.typical is None else f"; {_typical_text(c)} is typical"
    return [f"{c.label} is {text}{typical}" for text in ranges]


def reasons_of_states(card: Card, c: Characteristic) -> dict[str, str]:
    """One sentence per state in which the characteristic has no value, and for an unseen category."""
    neutral = "so it counts neither for nor against"
    texts = {
        MISSING: f"{c.label} is not known, because {_parts_text(card, c.feature)} not given",
        UNAVAILABLE: f"{c.label} is not known, because its source could not be reached, {neutral}",
        UNSEEN: f"{c.label} is a value that the card was not made for",
    }
    for code, meaning in card.codes_of(c.feature).items():
        texts[SPECIAL + code] = f"{c.label}: {meaning}"
    if SPECIAL + OTHER_SCALE in texts:
        scale = next(entry.scale for entry in card.inputs if entry.scale is not None)
        texts[SPECIAL + OTHER_SCALE] = f"{c.label} is not on the scale {scale} of this card, {neutral}"
    return texts


def bin_labels(c: Characteristic) -> list[str]:
    """Names of the bins in a log row: "[0.2, 0.35)", or the values of a group."""
    if c.groups is not None:
        return ["|".join(_value_text(value) for value in group) for group in c.groups]
    inner = [f"[{low}, {high})" for low, high in pairwise(c.edges)]
    return [f"(-inf, {c.edges[0]})", *inner, f"[{c.edges[-1]}, inf)"]


def _parts_text(card: Card, feature: str) -> str:
    """The facts behind a feature, with the verb of "... not given"."""
    names = [name.replace("_", " ") for name in sorted(card.facts_of(feature))]
    return "it was" if len(names) == 1 else f"at least one of {', '.join(names[:-1])} and {names[-1]} was"


def _range_text(unit: str, low: float | None, high: float | None) -> str:
    if unit == "count":
        return _count_text(low, high)
    if low is None:
        return f"under {_exact(unit, high)}{_suffix(unit, high)}"
    if high is None:
        return f"{_exact(unit, low)}{_suffix(unit, low)} or more"
    first = _exact(unit, low) + (_suffix(unit, low) if unit == "percent" else "")
    return f"from {first} to under {_exact(unit, high)}{_suffix(unit, high)}"


def _suffix(unit: str, number: float | Decimal) -> str:
    if unit == "years":
        return " year" if number == 1 else " years"
    return " %" if unit == "percent" else ""


def _count_text(low: float | None, high: float | None) -> str:
    """Counts are whole and not negative: the bin [0.5, 2.5) is "1 to 2"."""
    least = 0 if low is None else max(0, math.ceil(low))
    if high is None:
        return f"{least} or more"
    most = math.ceil(high) - 1
    if most < least:
        return f"from {_exact('count', least)} to under {_exact('count', high)}"
    return str(least) if least == most else f"{least} to {most}"


def _group_text(group: tuple[str | bool, ...]) -> str:
    words = [_value_text(value).replace("_", " ") for value in group]
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _value_text(value: str | bool) -> str:
    return value if type(value) is str else "yes" if value else "no"


def _exact(unit: str, value: float) -> str:
    number = Decimal(repr(value)) * (100 if unit == "percent" else 1)
    return _plain(number)


def _typical_text(c: Characteristic) -> str:
    if type(c.typical) in (str, bool):
        return _value_text(c.typical).replace("_", " ")
    number = Decimal(repr(c.typical)) * (100 if c.unit == "percent" else 1)
    rounded = Decimal(f"{number:.2g}") if c.unit in ("percent", "ratio", "years") else Decimal(round(number))
    return _plain(rounded) + _suffix(c.unit, rounded)


def _plain(number: Decimal) -> str:
    text = f"{number:f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"
