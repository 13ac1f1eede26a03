"""The English reason of every bin, written once when a card is loaded.

Bounds are shown exactly as the card has them, so that a reason is true of every value in its bin; only
the typical value, which is said to be typical, is rounded.
"""

import json
import math
from decimal import Decimal
from itertools import pairwise

from .cards import Card
from .characteristics import Characteristic
from .features import MISSING, OTHER_SCALE, SPECIAL, UNAVAILABLE
from .pairs import Axis, Pair

UNSEEN = "unseen"
SPECIAL_IN_PAIR = "special"
_MARKS = ("|", '"', " x ", SPECIAL)
_NEUTRAL = "so it counts neither for nor against"


def reasons_by_label(card: Card) -> dict[str, dict[str, str]]:
    """Of every characteristic and pair, the sentence by label of its bins and states."""
    reasons = {
        c.feature: reasons_of_states(card, c) | dict(zip(bin_labels(c), reasons_of_bins(card, c), strict=True))
        for c in card.characteristics
    }
    return reasons | {
        pair.name: reasons_of_pair_states(card, pair)
        | dict(zip(cell_labels(pair), reasons_of_cells(card, pair), strict=True))
        for pair in card.pairs
    }


def reasons_of_bins(card: Card, c: Characteristic) -> list[str]:
    """One sentence per entry of `c.points`, in its order."""
    typical = "" if c.typical is None else f"; {typical_text(c)} is typical"
    return [f"{c.label} is {text}{typical}" for text in bin_texts(card, c)]


def reasons_of_cells(card: Card, pair: Pair) -> list[str]:
    """One sentence per cell of a pair, row by row: what is said of the first value, then of the second."""
    firsts, seconds = (
        [f"{label_of(card, axis.feature)} is {text}" for text in side_texts(card, axis)] for axis in pair.axes
    )
    return [f"{first}, while {second}" for first in firsts for second in seconds]


def reasons_of_pair_states(card: Card, pair: Pair) -> dict[str, str]:
    """One sentence per state in which a pair has no cell."""
    first, second = (label_of(card, feature) for feature in pair.features)
    both = f"{first} and {second} cannot be seen together, because"
    by_groups = any(axis.groups is not None for axis in pair.axes)
    return {
        MISSING: f"{both} a value was not given" + " or is one that the card was not made for" * by_groups,
        UNAVAILABLE: f"{both} a source could not be reached, {_NEUTRAL}",
        SPECIAL_IN_PAIR: f"{both} a value is a special code, {_NEUTRAL}",
    }


def reasons_of_states(card: Card, c: Characteristic) -> dict[str, str]:
    """One sentence per state in which the characteristic has no value, and for an unseen category."""
    texts = {
        MISSING: f"{c.label} is not known, because {_parts_text(card, c.feature)} not given",
        UNAVAILABLE: f"{c.label} is not known, because its source could not be reached, {_NEUTRAL}",
        UNSEEN: f"{c.label} is a value that the card was not made for",
    }
    for code, meaning in card.codes_of(c.feature).items():
        texts[SPECIAL + code] = f"{c.label}: {meaning}"
    if SPECIAL + OTHER_SCALE in texts:
        scale = next(entry.scale for entry in card.inputs if entry.scale is not None)
        texts[SPECIAL + OTHER_SCALE] = f"{c.label} is not on the scale {scale} of this card, {_NEUTRAL}"
    return texts


def cell_labels(pair: Pair) -> list[str]:
    """Names of the cells of a pair in a log row, row by row: "[0.2, 0.35) x car|wedding"."""
    firsts, seconds = ([*bin_labels(axis), *["special"] * axis.special] for axis in pair.axes)
    return [f"{first} x {second}" for first in firsts for second in seconds]


def bin_labels(c: Characteristic | Axis) -> list[str]:
    """Names of the bins in a log row: "[0.2, 0.35)", or the values of a group."""
    if c.groups is not None:
        return ["|".join(_value_label(value) for value in group) for group in c.groups]
    inner = [f"[{low}, {high})" for low, high in pairwise(c.edges)]
    return [f"(-inf, {c.edges[0]})", *inner, f"[{c.edges[-1]}, inf)"]


def _parts_text(card: Card, feature: str) -> str:
    """The facts behind a feature, with the verb of "... not given"."""
    names = [name.replace("_", " ") for name in sorted(card.facts_of(feature))]
    return "it was" if len(names) == 1 else f"at least one of {', '.join(names[:-1])} and {names[-1]} was"


def label_of(card: Card, feature: str) -> str:
    """What a feature is called: as its characteristic has it, if it has one."""
    labels = (c.label for c in card.characteristics if c.feature == feature)
    return next(labels, feature.replace("_", " ").capitalize())


def side_texts(card: Card, axis: Axis) -> list[str]:
    """The rows (columns) of a grid in words."""
    return [*bin_texts(card, axis), *["a special code"] * axis.special]


def bin_texts(card: Card, bins: Characteristic | Axis) -> list[str]:
    """The bins of a characteristic, or of a side of a pair, in words: "from 12 to under 60 months"."""
    if bins.groups is not None:
        return [_group_text(group) for group in bins.groups]
    unit = _unit_of(card, bins.feature)
    return [_range_text(unit, low, high) for low, high in pairwise((None, *bins.edges, None))]


def _unit_of(card: Card, feature: str) -> str:
    unit = next((c.unit for c in card.characteristics if c.feature == feature), "number")
    # Only of whole numbers from 0 on may a bin [0.5, 2.5) be called "1 to 2".
    whole = any(i.name == feature and i.kind == "integer" and i.least >= 0 for i in card.inputs)
    return "number" if unit == "count" and not whole else unit


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
    if unit in ("years", "months"):
        return f" {unit[:-1]}" if number == 1 else f" {unit}"
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


def _value_label(value: str | bool) -> str:
    """A value as a log row names it; quoted where it could be taken for a state, or for several values."""
    text = _value_text(value)
    misread = text in (MISSING, UNAVAILABLE, UNSEEN, SPECIAL_IN_PAIR) or any(c in text for c in _MARKS)
    return json.dumps(text, ensure_ascii=False) if misread else text


def _value_text(value: str | bool) -> str:
    return value if type(value) is str else "yes" if value else "no"


def _exact(unit: str, value: float) -> str:
    number = Decimal(repr(value)) * (100 if unit == "percent" else 1)
    return _plain(unit, number)


def typical_text(c: Characteristic) -> str:
    if type(c.typical) in (str, bool):
        return _value_text(c.typical).replace("_", " ")
    number = Decimal(repr(c.typical)) * (100 if c.unit == "percent" else 1)
    rounded = _rounded(c.unit, number)
    return _plain(c.unit, rounded) + _suffix(c.unit, rounded)


def _rounded(unit: str, number: Decimal) -> Decimal:
    if unit in ("percent", "ratio", "years"):
        return Decimal(f"{number:.2g}")
    # Of money and plain numbers as small as 0.37 nothing would be left.
    return Decimal(f"{number:.3g}") if unit in ("money", "number") and abs(number) < 100 else Decimal(round(number))


def _plain(unit: str, number: Decimal) -> str:
    """Money with thousands separators: "1,200"."""
    text = f"{number:,f}" if unit == "money" else f"{number:f}"
    return (text.rstrip("0").rstrip(".") if "." in text else text) or "0"
