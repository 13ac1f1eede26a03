"""One characteristic of a card: a table of points by bin of one feature, with its own strict reading."""

import re
from dataclasses import dataclass
from itertools import pairwise

from .typed_json import (
    CardError,
    Number,
    check_keys,
    check_unique,
    is_finite,
    names_of,
    one_of,
    points_of,
    take,
    text_of,
)
from .vocabulary import shown

UNITS = ("ratio", "percent", "years", "months", "count", "score", "category", "money", "number")
DIRECTIONS = ("higher_is_safer", "higher_is_riskier", "free")
NUMERIC_KINDS = ("money", "integer", "number")
SIGNS = {"higher_is_safer": 1, "higher_is_riskier": -1, "free": 0}
NAME = re.compile(r"[a-z][a-z0-9_]{0,59}", re.ASCII)
CODE = re.compile(r"[A-Z][A-Z0-9_]{0,59}", re.ASCII)


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


def read_characteristic(part: object, where: str) -> Characteristic:
    by_edges = type(part) is dict and "edges" in part
    table = ("edges",) if by_edges else ("groups", "unseen_points")
    left_out = {"edges", "groups", "unseen_points"} - set(table)
    optional = ("special_points", "typical")
    check_keys(part, [name for name in names_of(Characteristic) if name not in left_out], optional, where)
    where = f"{where} ({text_of(part, 'feature', where, NAME)})"
    special = part.get("special_points", {})
    if type(special) is not dict:
        raise CardError(f"{where}: special_points must be points by code")
    read = Characteristic(
        feature=part["feature"],
        label=text_of(part, "label", where),
        unit=one_of(part, "unit", UNITS, where),
        edges=read_edges(part, where) if by_edges else None,
        groups=None if by_edges else read_groups(part, where),
        points=_read_points(part, where),
        unseen_points=None if by_edges else points_of(part, "unseen_points", where),
        missing_points=points_of(part, "missing_points", where),
        unavailable_points=points_of(part, "unavailable_points", where),
        special_points={code: points_of(special, code, f"{where}.special_points") for code in special},
        reference_points=points_of(part, "reference_points", where),
        typical=_read_typical(part, where),
        direction=one_of(part, "direction", DIRECTIONS, where),
        code=text_of(part, "code", where, CODE),
    )
    _check_table(read, where)
    return read


def read_edges(part: dict, where: str) -> tuple[Number, ...]:
    edges = take(part, "edges", (list,), where)
    if not edges or not all(is_finite(edge) for edge in edges):
        raise CardError(f"{where}: edges must be finite numbers, at least one")
    if any(low >= high for low, high in pairwise(edges)):
        raise CardError(f"{where}: edges must ascend")
    return tuple(edges)


def read_groups(part: dict, where: str) -> tuple[tuple[str | bool, ...], ...]:
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
