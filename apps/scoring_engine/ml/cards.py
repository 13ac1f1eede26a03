"""Format 1 of a card: read from a plain dict and checked whole, so that scoring never has to doubt it."""

import json
import math
import re
import sys
from dataclasses import dataclass
from itertools import pairwise

from .typed_json import (
    CardError,
    Number,
    check_keys,
    check_unique,
    each,
    is_finite,
    names_of,
    number_of,
    one_of,
    points_of,
    take,
    text_of,
)
from .vocabulary import FACTS, NEVER_SCORED, SCALE_BOUNDS, SCALE_OF, Fact, one_line, shown

FORMAT = 1
LEAST_SCORE, MOST_SCORE = 0, 1200
PURPOSES = ("demonstration", "own")
REFERENCES = ("all_applicants", "near_cut_off", "accepted_good")
UNITS = ("ratio", "percent", "years", "count", "score", "category")
DIRECTIONS = ("higher_is_safer", "higher_is_riskier", "free")
NUMERIC_KINDS = ("money", "integer", "number")

_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/+-]{0,99}", re.ASCII)
_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}", re.ASCII)
_CODE = re.compile(r"[A-Z][A-Z0-9_]{0,59}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Input:
    name: str
    kind: str
    unit: str
    required: bool
    least: int | None
    most: int | None
    special_codes: dict[str, str]
    scale: str | None


@dataclass(frozen=True, slots=True)
class Feature:
    """kind: ratio (clipped to least..most) | difference | years_between (a date and the day of scoring)."""

    name: str
    kind: str
    of: tuple[str, ...]
    multiplier: int
    least: Number
    most: Number


@dataclass(frozen=True, slots=True)
class Characteristic:
    """A table of points: by `edges` (bin i holds edges[i-1] <= value < edges[i]) or by `groups`."""

    feature: str
    label: str
    unit: str
    edges: tuple[Number, ...] | None
    groups: tuple[tuple[str | bool, ...], ...] | None
    points: tuple[int, ...]
    unseen_points: int | None
    missing_points: int
    unavailable_points: int
    special_points: dict[str, int]
    reference_points: int
    typical: Number | str | bool | None
    direction: str
    code: str

    def all_points(self) -> list[int]:
        """Every number of points this characteristic can give."""
        unseen = [] if self.unseen_points is None else [self.unseen_points]
        return [
            *self.points,
            *unseen,
            *self.special_points.values(),
            self.missing_points,
            self.unavailable_points,
        ]


@dataclass(frozen=True, slots=True)
class Card:
    format: int
    segment: str
    version: str
    purpose: str
    definition_of_bad: str
    horizon: dict
    points_to_double_odds: int
    base_points: int
    reference: str
    inputs: tuple[Input, ...]
    features: tuple[Feature, ...]
    characteristics: tuple[Characteristic, ...]
    pairs: tuple[()]
    provenance: dict

    def facts_of(self, name: str) -> frozenset[str]:
        """The facts that an input (itself) or a derived feature is made of."""
        for feature in self.features:
            if feature.name == name:
                return frozenset().union(*(self.facts_of(part) for part in feature.of if part != "as_of"))
        return frozenset((name,))

    def codes_of(self, name: str) -> dict[str, str]:
        """Special codes (with meanings) that can reach the input or derived feature `name`."""
        facts = self.facts_of(name)
        return {code: text for i in self.inputs if i.name in facts for code, text in i.special_codes.items()}


def canonical(card: object) -> str:
    """The one JSON text of a card, whose SHA-256 is its digest."""
    try:
        return json.dumps(card, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=True)
    except (TypeError, ValueError, RecursionError) as error:
        raise CardError(f"a card must be plain JSON: {one_line(str(error), 200)}") from None


def _interned(part: object) -> object:
    """Equal texts made the same object: lookups by name while scoring then compare no characters."""
    if type(part) is dict:
        return {sys.intern(key): _interned(value) for key, value in part.items()}
    if type(part) is list:
        return [_interned(value) for value in part]
    return sys.intern(part) if type(part) is str else part


def read_card(data: object) -> Card:
    """A checked card; raises CardError for anything else, whatever it is."""
    card = _interned(json.loads(canonical(data)))
    check_keys(card, names_of(Card), (), "the card")
    if take(card, "format", (int,), "the card") != FORMAT:
        raise CardError(f"format must be {FORMAT}, not {shown(card['format'])}")
    segment = one_of(card, "segment", tuple(FACTS), "the card")
    if take(card, "pairs", (list,), "the card"):
        raise CardError("pairs must be empty: this reader cannot score a pair")
    if take(card, "points_to_double_odds", (int,), "the card") != 50:
        raise CardError("points_to_double_odds must be 50")
    inputs = each(card, "inputs", lambda part, where: _read_input(part, segment, where))
    check_unique([entry.name for entry in inputs], "inputs")
    features = _read_features(card, {entry.name: entry.kind for entry in inputs})
    read = Card(
        format=FORMAT,
        segment=segment,
        version=text_of(card, "version", "the card", _VERSION),
        purpose=one_of(card, "purpose", PURPOSES, "the card"),
        definition_of_bad=text_of(card, "definition_of_bad", "the card"),
        horizon=_read_horizon(card),
        points_to_double_odds=50,
        base_points=points_of(card, "base_points", "the card"),
        reference=one_of(card, "reference", REFERENCES, "the card"),
        inputs=inputs,
        features=features,
        characteristics=each(card, "characteristics", _read_characteristic),
        pairs=(),
        provenance=take(card, "provenance", (dict,), "the card"),
    )
    _check_whole(read)
    return read


def reachable_range(card: Card) -> tuple[int, int]:
    """The lowest and highest score the tables allow, missing, unavailable and special values included."""
    points = [characteristic.all_points() for characteristic in card.characteristics]
    return card.base_points + sum(map(min, points)), card.base_points + sum(map(max, points))


# Parts of a card


def _read_horizon(card: dict) -> dict:
    horizon = take(card, "horizon", (dict,), "the card")
    check_keys(horizon, ("kind", "months"), (), "horizon")
    one_of(horizon, "kind", ("contract", "fixed"), "horizon")
    if not 1 <= take(horizon, "months", (int,), "horizon") <= 600:
        raise CardError(f"horizon.months must be from 1 to 600, not {shown(horizon['months'])}")
    return horizon


def _read_input(part: object, segment: str, where: str) -> Input:
    check_keys(part, names_of(Input), ("scale", "special_codes"), where)
    name = take(part, "name", (str,), where)
    if name in NEVER_SCORED:
        raise CardError(f"{where}: {name} may not be scored: {NEVER_SCORED[name]}")
    fact = FACTS[segment].get(name)
    if fact is None:
        raise CardError(f"{where}: {shown(name)} is not a fact of segment {segment}")
    for key in ("kind", "unit", "least", "most"):
        given, known = part.get(key), getattr(fact, key)
        if type(given) is not type(known) or given != known:
            raise CardError(f"{where} ({name}): {key} must be {shown(known)}, not {shown(given)}")
    codes = part.get("special_codes", {})
    scale = part.get("scale")
    _check_codes(codes, fact, scale, f"{where} ({name})")
    required = take(part, "required", (bool,), where)
    return Input(name, fact.kind, fact.unit, required, fact.least, fact.most, codes, scale)


def _check_codes(codes: object, fact: Fact, scale: object, where: str) -> None:
    if type(codes) is not dict or any(type(meaning) is not str for meaning in codes.values()):
        raise CardError(f"{where}: special_codes must be texts by code")
    known = type(scale) is str and scale in SCALE_BOUNDS
    if not known if fact.name in SCALE_OF else scale is not None:
        allowed = f"one of {', '.join(SCALE_BOUNDS)}" if fact.name in SCALE_OF else "left out"
        raise CardError(f"{where}: scale must be {allowed}, not {shown(scale)}")
    if (scale is not None) != ("other_scale" in codes):
        raise CardError(f"{where}: the special code other_scale belongs to inputs with a scale, and only to them")
    for code in codes:
        if code != "other_scale" and (fact.kind not in NUMERIC_KINDS or not _is_number_text(code)):
            raise CardError(f"{where}: special code {shown(code)} is no number that this fact could have")


def _is_number_text(code: str) -> bool:
    try:
        return math.isfinite(float(code))
    except ValueError:
        return False


def _read_features(card: dict, kinds: dict[str, str]) -> tuple[Feature, ...]:
    """`kinds` by input; a feature may be made of inputs and of features declared before it."""
    known = dict(kinds)

    def read(part: object, where: str) -> Feature:
        feature = _read_feature(part, known, where)
        if feature.name in known or feature.name in FACTS[card["segment"]]:
            raise CardError(f"{where}: the name {feature.name} is taken")
        known[feature.name] = "number"
        return feature

    return each(card, "features", read)


def _read_feature(part: object, kinds: dict[str, str], where: str) -> Feature:
    kind = one_of(part, "kind", ("ratio", "difference", "years_between"), where)
    extra = ("multiplier", "least", "most") if kind == "ratio" else ()
    check_keys(part, ("name", "kind", "of", *extra), ("multiplier",), where)
    of = take(part, "of", (list,), where)
    if len(of) != 2 or any(type(name) is not str for name in of):
        raise CardError(f"{where}: of must name two values")
    if kind == "years_between" and of[1] != "as_of":
        raise CardError(f"{where}: years_between is from a date to as_of")
    parts = tuple(of[:1] if kind == "years_between" else of)
    wanted = ("date",) if kind == "years_between" else NUMERIC_KINDS
    for name in parts:
        if kinds.get(name) not in wanted:
            raise CardError(f"{where}: {shown(name)} is no {' or '.join(wanted)} among the inputs and features above")
    name = text_of(part, "name", where, _NAME)
    if kind != "ratio":
        return Feature(name, kind, tuple(of), 1, 0, 0)
    multiplier = part.get("multiplier", 1)
    if type(multiplier) is not int or multiplier not in (1, 12):
        raise CardError(f"{where}: multiplier must be 1 or 12, not {shown(multiplier)}")
    least, most = number_of(part, "least", where), number_of(part, "most", where)
    if not least < most:
        raise CardError(f"{where}: least must be below most")
    return Feature(name, kind, parts, multiplier, least, most)


def _read_characteristic(part: object, where: str) -> Characteristic:
    by_edges = type(part) is dict and "edges" in part
    table = ("edges",) if by_edges else ("groups", "unseen_points")
    left_out = {"edges", "groups", "unseen_points"} - set(table)
    optional = ("special_points", "typical")
    check_keys(part, [name for name in names_of(Characteristic) if name not in left_out], optional, where)
    where = f"{where} ({text_of(part, 'feature', where, _NAME)})"
    special = part.get("special_points", {})
    if type(special) is not dict:
        raise CardError(f"{where}: special_points must be points by code")
    read = Characteristic(
        feature=part["feature"],
        label=text_of(part, "label", where),
        unit=one_of(part, "unit", UNITS, where),
        edges=_read_edges(part, where) if by_edges else None,
        groups=None if by_edges else _read_groups(part, where),
        points=_read_points(part, where),
        unseen_points=None if by_edges else points_of(part, "unseen_points", where),
        missing_points=points_of(part, "missing_points", where),
        unavailable_points=points_of(part, "unavailable_points", where),
        special_points={code: points_of(special, code, f"{where}.special_points") for code in special},
        reference_points=points_of(part, "reference_points", where),
        typical=_read_typical(part, where),
        direction=one_of(part, "direction", DIRECTIONS, where),
        code=text_of(part, "code", where, _CODE),
    )
    _check_table(read, where)
    return read


def _read_edges(part: dict, where: str) -> tuple[Number, ...]:
    edges = take(part, "edges", (list,), where)
    if not edges or not all(is_finite(edge) for edge in edges):
        raise CardError(f"{where}: edges must be finite numbers, at least one")
    if any(low >= high for low, high in pairwise(edges)):
        raise CardError(f"{where}: edges must ascend")
    return tuple(edges)


def _read_groups(part: dict, where: str) -> tuple[tuple[str | bool, ...], ...]:
    groups = take(part, "groups", (list,), where)
    if not groups or not all(type(group) is list and group for group in groups):
        raise CardError(f"{where}: groups must be lists of values, none of them empty")
    values = [value for group in groups for value in group]
    if any(type(value) not in (str, bool) for value in values):
        raise CardError(f"{where}: groups must hold categories, or true and false")
    check_unique(values, f"{where}: groups")
    return tuple(tuple(group) for group in groups)


def _read_points(part: dict, where: str) -> tuple[int, ...]:
    points = take(part, "points", (list,), where)
    if any(type(value) is not int for value in points):
        raise CardError(f"{where}: points must be whole numbers")
    return tuple(points)


def _read_typical(part: dict, where: str) -> Number | str | bool | None:
    typical = part.get("typical")
    if typical is None or type(typical) in (str, bool) or is_finite(typical):
        return typical
    raise CardError(f"{where}: typical must be a finite number, a category or null, not {shown(typical)}")


# Rules over a whole table and a whole card


def _check_table(c: Characteristic, where: str) -> None:
    expected = len(c.groups) if c.edges is None else len(c.edges) + 1
    if len(c.points) != expected:
        raise CardError(f"{where}: {expected} bins need {expected} points, not {len(c.points)}")
    if c.unavailable_points != c.reference_points:
        raise CardError(f"{where}: unavailable_points must be neutral, that is equal to reference_points")
    if c.special_points.get("other_scale", c.reference_points) != c.reference_points:
        raise CardError(f"{where}: points for other_scale must be neutral, that is equal to reference_points")
    if c.edges is None and c.direction != "free":
        raise CardError(f"{where}: groups have no order, so direction must be free")
    if (c.edges is None) != (c.unit == "category"):
        raise CardError(f"{where}: the unit category belongs to groups, and only to them")
    if c.edges is not None and type(c.typical) in (str, bool):
        raise CardError(f"{where}: typical must be a number")
    sign = {"higher_is_safer": 1, "higher_is_riskier": -1, "free": 0}[c.direction]
    if any(sign * low > sign * high for low, high in pairwise(c.points)):
        raise CardError(f"{where}: points do not follow the direction {c.direction}")


def _check_whole(card: Card) -> None:
    if not card.characteristics:
        raise CardError("a card needs at least one characteristic")
    check_unique([c.feature for c in card.characteristics], "characteristics")
    check_unique([c.code for c in card.characteristics], "codes of characteristics")
    for c in card.characteristics:
        _check_source(card, c)
    low, high = reachable_range(card)
    if low < LEAST_SCORE or high > MOST_SCORE:
        raise CardError(f"scores {shown(low)} to {shown(high)} are reachable, outside {LEAST_SCORE}..{MOST_SCORE}")


def _check_source(card: Card, c: Characteristic) -> None:
    where = f"characteristic {c.feature}"
    kinds = {entry.name: entry.kind for entry in card.inputs} | {f.name: "number" for f in card.features}
    kind = kinds.get(c.feature)
    if kind is None:
        raise CardError(f"{where} is neither an input nor a derived feature of the card")
    if (kind in NUMERIC_KINDS) != (c.edges is not None) or kind == "date":
        raise CardError(
            f"{where}: a {kind} has {'edges' if kind in NUMERIC_KINDS else 'groups'} (a date is derived from)"
        )
    if c.groups is not None:
        possible = (True, False) if kind == "flag" else FACTS[card.segment][c.feature].values
        for value in (value for group in c.groups for value in group):
            if not any(type(value) is type(p) and value == p for p in possible):
                raise CardError(f"{where}: {shown(value)} is not a value of it")
    if (codes := set(card.codes_of(c.feature))) != set(c.special_points):
        raise CardError(f"{where}: special_points must cover exactly the special codes {sorted(codes)}")
