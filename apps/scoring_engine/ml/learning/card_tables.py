"""The tables of a card in markdown: points by bin, special codes, and pairs as grids."""

from typing import Any

from ..cards import Card, read_card
from ..characteristics import Characteristic
from ..features import OTHER_SCALE
from ..pairs import Pair
from ..reasons import bin_texts, label_of, side_texts, typical_text

_DIRECTIONS = {"higher_is_safer": "higher is safer", "higher_is_riskier": "higher is riskier", "free": "free"}


def card_tables(plain: dict[str, Any]) -> str:
    """Every table of a sound card, with how many bins and cells there are."""
    card = read_card(plain)
    parts = [f"{_size(card)} Base points: {card.base_points}. Each table adds:"]
    parts += [_characteristic(card, c) for c in card.characteristics]
    parts += [_pair(card, pair) for pair in card.pairs]
    return "\n\n".join([*parts, *_special_codes(card)])


def row(*cells: object) -> str:
    """One row of a table; a text from a data table may hold what would break it."""
    return "| " + " | ".join(" ".join(str(cell).replace("|", "\\|").split()) for cell in cells) + " |"


def table(head: tuple[object, ...], rows: list[tuple[object, ...]]) -> str:
    return "\n".join([row(*head), "|---" * len(head) + "|", *(row(*cells) for cells in rows)])


def _size(card: Card) -> str:
    bins = sum(len(c.points) for c in card.characteristics)
    text = f"The card has {_counted(bins, 'bin')} in {_counted(len(card.characteristics), 'characteristic')}"
    if not card.pairs:
        return f"{text} and no pairs."
    cells = sum(len(line) for pair in card.pairs for line in pair.points)
    return f"{text} and {_counted(cells, 'cell')} in {_counted(len(card.pairs), 'pair')}."


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _characteristic(card: Card, c: Characteristic) -> str:
    typical = "no typical value" if c.typical is None else f"typical {typical_text(c)}"
    title = f"**{c.label}** (`{c.feature}`, {_DIRECTIONS[c.direction]}, {typical},"
    points = list(zip(bin_texts(card, c), c.points, strict=True))
    points.append(("missing", c.missing_points))
    if c.unseen_points is not None:
        points.append(("not seen in training", c.unseen_points))
    points.append(("source down", c.unavailable_points))
    points += [(f"special code: {_code_text(code)}", value) for code, value in c.special_points.items()]
    rows = [(text, f"{value:+d}") for text, value in points]
    return f"{title} reference points {c.reference_points})\n\n" + table(("value", "points"), rows)


def _pair(card: Card, pair: Pair) -> str:
    first, second = (label_of(card, feature) for feature in pair.features)
    lines, columns = (side_texts(card, axis) for axis in pair.axes)
    rows = [(text, *(f"{value:+d}" for value in line)) for text, line in zip(lines, pair.points, strict=True)]
    orders = ", ".join(
        f"{label}: {_DIRECTIONS[direction]}" for label, direction in zip((first, second), pair.directions, strict=True)
    )
    coded = any(card.codes_of(axis.feature) and not axis.special for axis in pair.axes)
    neutral = "A source that was down" + (" or a special code without a place in the grid" * coded)
    return (
        f"**{first} and {second} together** (`{pair.name}`, {orders}, reference points {pair.reference_points})\n\n"
        + table((f"{first} \\ {second}", *columns), rows)
        + f"\n\nA value that is missing or was not seen in training: {pair.missing_points:+d}. {neutral}:"
        f" {pair.unavailable_points:+d}."
    )


def _special_codes(card: Card) -> list[str]:
    """Nothing for a card without special codes."""
    rows = [
        (f"`{entry.name}`", _code_text(code), meaning)
        for entry in card.inputs for code, meaning in entry.special_codes.items()
    ]  # fmt: skip
    return ["### Special codes", table(("fact", "code", "meaning"), rows)] if rows else []


def _code_text(code: str) -> str:
    return "another scale" if code == OTHER_SCALE else code
