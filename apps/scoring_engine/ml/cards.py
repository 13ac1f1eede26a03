"""Format 1 of a card: read from a plain dict and checked whole, so that scoring never has to doubt it."""

import json
import re
import sys
from dataclasses import dataclass

from .card_inputs import Input, read_input
from .characteristics import (
    NAME,
    NUMERIC_KINDS,
    Characteristic,
    read_characteristic,
)
from .pairs import Axis, Pair, check_same_directions, read_pairs
from .reach import reach
from .typed_json import (
    CardError,
    Number,
    check_keys,
    check_unique,
    each,
    names_of,
    number_of,
    one_of,
    points_of,
    take,
    text_of,
)
from .vocabulary import FACTS, one_line, shown

FORMAT = 1
LEAST_SCORE, MOST_SCORE = 0, 1200
PURPOSES = ("demonstration", "own")
AS_OF = "as_of"  # the day of scoring, as a part of a derived feature
REFERENCES = ("all_applicants", "near_cut_off", "accepted_good")
VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/+-]{0,99}", re.ASCII)


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
    pairs: tuple[Pair, ...]
    provenance: dict

    def facts_of(self, name: str) -> frozenset[str]:
        """The facts that an input (itself) or a derived feature is made of."""
        for feature in self.features:
            if feature.name == name:
                return frozenset().union(*(self.facts_of(part) for part in feature.of if part != AS_OF))
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
    if take(card, "points_to_double_odds", (int,), "the card") != 50:
        raise CardError("points_to_double_odds must be 50")
    inputs = each(card, "inputs", lambda part, where: read_input(part, segment, where))
    check_unique([entry.name for entry in inputs], "inputs")
    features = read_features(card, {entry.name: entry.kind for entry in inputs})
    read = Card(
        format=FORMAT,
        segment=segment,
        version=text_of(card, "version", "the card", VERSION),
        purpose=one_of(card, "purpose", PURPOSES, "the card"),
        definition_of_bad=text_of(card, "definition_of_bad", "the card"),
        horizon=read_horizon(card),
        points_to_double_odds=50,
        base_points=points_of(card, "base_points", "the card"),
        reference=one_of(card, "reference", REFERENCES, "the card"),
        inputs=inputs,
        features=features,
        characteristics=each(card, "characteristics", read_characteristic),
        pairs=read_pairs(card),
        provenance=take(card, "provenance", (dict,), "the card"),
    )
    _check_whole(read)
    return read


def reachable_range(card: Card) -> tuple[int, int]:
    """The lowest and the highest score that the card can give to anybody."""
    return reach(card.base_points, card.characteristics, card.pairs)


# Parts of a card


def read_horizon(card: dict) -> dict:
    horizon = take(card, "horizon", (dict,), "the card")
    check_keys(horizon, ("kind", "months"), (), "horizon")
    one_of(horizon, "kind", ("contract", "fixed"), "horizon")
    if not 1 <= take(horizon, "months", (int,), "horizon") <= 600:
        raise CardError(f"horizon.months must be from 1 to 600, not {shown(horizon['months'])}")
    return horizon


def read_features(card: dict, kinds: dict[str, str]) -> tuple[Feature, ...]:
    """`kinds` by input; a feature may be made of inputs and of features declared before it."""
    known = dict(kinds)

    def read(part: object, where: str) -> Feature:
        feature = _read_feature(part, known, where)
        if feature.name in known or feature.name in FACTS[card["segment"]] or feature.name == AS_OF:
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
    if kind == "years_between" and of[1] != AS_OF:
        raise CardError(f"{where}: years_between is from a date to as_of")
    parts = tuple(of[:1] if kind == "years_between" else of)
    wanted = ("date",) if kind == "years_between" else NUMERIC_KINDS
    for name in parts:
        if kinds.get(name) not in wanted:
            raise CardError(f"{where}: {shown(name)} is no {' or '.join(wanted)} among the inputs and features above")
    name = text_of(part, "name", where, NAME)
    if kind != "ratio":
        return Feature(name, kind, tuple(of), 1, 0, 0)
    multiplier = part.get("multiplier", 1)
    if type(multiplier) is not int or multiplier not in (1, 12):
        raise CardError(f"{where}: multiplier must be 1 or 12, not {shown(multiplier)}")
    least, most = number_of(part, "least", where), number_of(part, "most", where)
    if not least < most:
        raise CardError(f"{where}: least must be below most")
    return Feature(name, kind, parts, multiplier, least, most)


# Rules over a whole card


def _check_whole(card: Card) -> None:
    if not card.characteristics:
        raise CardError("a card needs at least one characteristic")
    check_unique([c.feature for c in card.characteristics], "characteristics")
    check_unique([table.code for table in (*card.characteristics, *card.pairs)], "codes of characteristics and pairs")
    kinds = {entry.name: entry.kind for entry in card.inputs} | {f.name: "number" for f in card.features}
    for c in card.characteristics:
        where = f"characteristic {c.feature}"
        _check_source(card, kinds, c, where)
        if (codes := set(card.codes_of(c.feature))) != set(c.special_points):
            raise CardError(f"{where}: special_points must cover exactly the special codes {sorted(codes)}")
    for pair in card.pairs:
        for axis in pair.axes:
            _check_source(card, kinds, axis, f"pair {pair.name}: {axis.feature}")
    check_same_directions(card.pairs, card.characteristics)
    low, high = reachable_range(card)
    if low < LEAST_SCORE or high > MOST_SCORE:
        raise CardError(f"scores {shown(low)} to {shown(high)} are reachable, outside {LEAST_SCORE}..{MOST_SCORE}")


def _check_source(card: Card, kinds: dict[str, str], table: Characteristic | Axis, where: str) -> None:
    """A characteristic, or a side of a pair, has bins of the kind that its feature has values of."""
    kind = kinds.get(table.feature)
    if kind is None:
        raise CardError(f"{where} is neither an input nor a derived feature of the card")
    if (kind in NUMERIC_KINDS) != (table.edges is not None) or kind == "date":
        raise CardError(
            f"{where}: a {kind} has {'edges' if kind in NUMERIC_KINDS else 'groups'} (a date is derived from)"
        )
    if table.groups is not None:
        own = next((entry.values for entry in card.inputs if entry.name == table.feature), ())
        possible = (True, False) if kind == "flag" else own or FACTS[card.segment][table.feature].values
        for value in (value for group in table.groups for value in group):
            if not any(type(value) is type(p) and value == p for p in possible):
                raise CardError(f"{where}: {shown(value)} is not a value of it")
