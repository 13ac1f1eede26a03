"""The points of a card as people read them, in the language of the page: a table a characteristic, a grid a pair."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.scoring_engine.ml.applicant_reasons import ReasonTeller
from apps.scoring_engine.ml.cards import Card, read_card
from apps.scoring_engine.ml.characteristics import SIGNS, Characteristic
from apps.scoring_engine.ml.features import MISSING, OTHER_SCALE, SPECIAL, UNAVAILABLE
from apps.scoring_engine.ml.pairs import Axis, Pair
from apps.scoring_engine.ml.reasons import UNSEEN, bin_labels
from apps.scoring_engine.ml.words import words_of
from apps.workbench import formats

Bins = Characteristic | Axis
Document = Mapping[str, Any]
STATES = {
    MISSING: gettext_lazy("Not given"),
    UNAVAILABLE: gettext_lazy("The source was down"),
    UNSEEN: gettext_lazy("Any other value"),
    SPECIAL + OTHER_SCALE: gettext_lazy("On another scale"),
}
DIRECTIONS = {
    1: gettext_lazy("Higher is safer"),
    -1: gettext_lazy("Higher is riskier"),
    0: gettext_lazy("No direction"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One bin or state. `share` of the training rows in it, and their `bad_rate`; None where nothing is known."""

    label: str
    points: int
    share: float | None
    bad_rate: float | None


@dataclass(frozen=True, slots=True)
class PointsTable:
    feature: str
    name: str
    direction: str
    spread: int  # between the fewest and the most points of its bins
    reference_points: int
    lines: list[Line]


@dataclass(frozen=True, slots=True)
class PointsGrid:
    """`rows`: of the first feature's bins, each with the points by bin of the second."""

    name: str
    first: str
    second: str
    columns: list[str]
    rows: list[tuple[str, list[int]]]
    reference_points: int


def points_tables(document: Document, manifest: Document) -> list[PointsTable]:
    """Those that move the score most first. `manifest`: what training wrote beside the card, or {}."""
    card = read_card(document)
    seen = manifest.get("training_bins")
    bins = seen if isinstance(seen, Mapping) else {}
    tables = [_table(card, one, bins.get(one.feature)) for one in card.characteristics]
    return sorted(tables, key=lambda table: -table.spread)


def points_grids(document: Document) -> list[PointsGrid]:
    card = read_card(document)
    return [_grid(card, pair) for pair in card.pairs]


def bin_texts(card: Card, bins: Bins) -> list[str]:
    """The bins in words, exact: "13.5 % to under 19 %"."""
    if bins.groups is not None:
        words = words_of(formats.language_now())
        return [", ".join(words.category(bins.feature, value) for value in group) for group in bins.groups]
    unit = _unit(card, bins.feature)
    return [_range(unit, low, high) for low, high in pairwise((None, *bins.edges, None))]


def _table(card: Card, one: Characteristic, seen: Document | None) -> PointsTable:
    states = {MISSING: one.missing_points, UNAVAILABLE: one.unavailable_points}
    states |= {SPECIAL + code: points for code, points in one.special_points.items()}
    if one.unseen_points is not None:
        states[UNSEEN] = one.unseen_points
    codes = {SPECIAL + code: meaning for code, meaning in card.codes_of(one.feature).items()}
    found = [*zip(bin_labels(one), bin_texts(card, one), one.points, strict=True)]
    found += [(state, str(STATES.get(state) or codes.get(state, state)), points) for state, points in states.items()]
    shares = _shares(seen)
    return PointsTable(
        feature=one.feature,
        name=feature_name(card, one.feature),
        direction=str(DIRECTIONS[SIGNS[one.direction]]) if one.groups is None else "",
        spread=max(one.points) - min(one.points),
        reference_points=one.reference_points,
        lines=[Line(text, points, *shares.get(label, (None, None))) for label, text, points in found],
    )


def _shares(seen: Document | None) -> dict[str, tuple[float, float | None]]:
    """By label of a bin: its share of the training rows, and their bad rate."""
    if not seen or not sum(seen["rows"]):
        return {}
    total = sum(seen["rows"])
    counted = zip(seen["labels"], seen["rows"], seen["bads"], strict=True)
    return {label: (rows / total, bads / rows if rows else None) for label, rows, bads in counted}


def _grid(card: Card, pair: Pair) -> PointsGrid:
    first, second = ([*bin_texts(card, axis), *[_("Special code")] * axis.special] for axis in pair.axes)
    names = [feature_name(card, feature) for feature in pair.features]
    rows = [(text, list(points)) for text, points in zip(first, pair.points, strict=True)]
    return PointsGrid(" × ".join(names), *names, second, rows, pair.reference_points)


def feature_name(card: Card, feature: str) -> str:
    """As letters call it; one of the lender's own as the card does."""
    teller = ReasonTeller.of_card(card)
    text = words_of(formats.language_now()).measure(teller.measure(feature)) or teller.label(feature)
    return text[:1].upper() + text[1:]


def _unit(card: Card, feature: str) -> str:
    unit = next((one.unit for one in card.characteristics if one.feature == feature), "number")
    whole = any(one.name == feature and one.kind == "integer" and one.least >= 0 for one in card.inputs)
    return "number" if unit == "count" and not whole else unit


def _range(unit: str, low: float | None, high: float | None) -> str:
    if unit == "count":
        return _counts(low, high)
    if low is None:
        return _("under %(most)s") % {"most": _quantity(unit, high)}
    if high is None:
        return _("%(least)s or more") % {"least": _quantity(unit, low)}
    return _("%(least)s to under %(most)s") % {"least": _quantity(unit, low), "most": _quantity(unit, high)}


def _counts(low: float | None, high: float | None) -> str:
    """Whole and not negative: the bin [0.5, 2.5) is "1 to 2"."""
    least = 0 if low is None else max(0, math.ceil(low))
    if high is None:
        return _("%(least)s or more") % {"least": formats.number(least)}
    most = math.ceil(high) - 1
    if least >= most:
        return formats.number(least)
    return _("%(least)s to %(most)s") % {"least": formats.number(least), "most": formats.number(most)}


def _quantity(unit: str, value: float) -> str:
    if unit == "percent":
        return f"{formats.exact(float(Decimal(repr(value)) * 100))}{formats.NBSP}%"
    if unit in ("years", "months") and (value >= 1 or unit == "months") and float(value * 10).is_integer():
        return words_of(formats.language_now()).quantity(unit, value, "")
    return formats.exact(value)
