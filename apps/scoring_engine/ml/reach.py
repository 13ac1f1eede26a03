"""The lowest and the highest score that a card can give to anybody.

Tables that share a feature cannot all be at their extremes at once: a value lies in one bin of each. So the
sum over the pairs is maximised feature by feature (variable elimination: Dechter, Bucket elimination, 1999);
where that would grow past MOST_WORK combinations, a bucket is split, which can only widen the range.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod

from .characteristics import Characteristic
from .pairs import Axis, Pair

MOST_WORK = 5_000  # a card of 12 pairs of 8 x 8 is then ready in about 0.1 s
MISSING, UNAVAILABLE, SPECIAL, UNSEEN, VALUE = "missing", "unavailable", "special", "unseen", "value"

Token = tuple[str, object]  # one way a feature can be: a value, or the state it is in without one
Factor = tuple[tuple[str, ...], dict[tuple[int, ...], int]]  # points by place of each feature of the scope
Find = Callable[[object], int | None]


@dataclass(frozen=True, slots=True)
class _Way:
    """How a feature can be for its pairs: without a value or with one, its place on each axis, its own points then."""

    kind: str
    places: tuple[int | None, ...]
    least: int
    most: int


def reach(base_points: int, characteristics: Sequence[Characteristic], pairs: Sequence[Pair]) -> tuple[int, int]:
    """(lowest, highest) score, whatever is known, missing, unavailable or special-coded."""
    by_feature = {c.feature: c for c in characteristics}
    axes = {name: [axis for pair in pairs for axis in pair.axes if axis.feature == name] for name in _paired(pairs)}
    ways = {name: _ways(axes[name], by_feature.get(name)) for name in axes}
    grids = [_grid(pair, axes, ways) for pair in pairs]
    alone = [c.all_points() for c in characteristics if c.feature not in ways]
    lowest = sum(min(points) for points in alone) - _most(_factors(ways, grids, -1))
    highest = sum(max(points) for points in alone) + _most(_factors(ways, grids, 1))
    return base_points + lowest, base_points + highest


def _paired(pairs: Sequence[Pair]) -> list[str]:
    return sorted({name for pair in pairs for name in pair.features})


def _factors(ways: dict[str, list[_Way]], grids: list[Factor], sign: int) -> list[Factor]:
    """Points x sign of all tables, each feature's own at their best for each of its ways."""
    own = [
        ((name,), {(k,): way.most if sign > 0 else -way.least for k, way in enumerate(found)})
        for name, found in ways.items()
    ]
    return own + [(scope, {at: sign * points for at, points in table.items()}) for scope, table in grids]


def _ways(axes: Sequence[Axis], own: Characteristic | None) -> list[_Way]:
    """Those that differ for the pairs, from a value of each stretch in which no table changes, and every state."""
    finds = [_find(axis.edges, axis.groups) for axis in axes]
    own_points = _own_points(own) if own else lambda token: 0
    found: dict[tuple, _Way] = {}
    for token in _tokens(axes, own):
        points = own_points(token)
        places = tuple(_place(axis, find, token) for axis, find in zip(axes, finds, strict=True))
        seen = (MISSING if token[0] == UNSEEN else token[0], places)
        known = found.get(seen)
        least, most = (min(known.least, points), max(known.most, points)) if known else (points, points)
        found[seen] = _Way(*seen, least, most)
    return list(found.values())


def _tokens(axes: Iterable[Axis], own: Characteristic | None) -> list[Token]:
    tables = [*axes, *([own] if own else [])]
    edges = sorted({edge for table in tables for edge in table.edges or ()})
    values = [value for table in tables for group in table.groups or () for value in group]
    known = [*([float("-inf"), *edges] if edges else []), *dict.fromkeys(values)]
    codes = list(own.special_points) if own else ["any"]
    states = [(MISSING, None), (UNAVAILABLE, None), *((SPECIAL, code) for code in codes)]
    return [*((VALUE, value) for value in known), *states, *([(UNSEEN, None)] if values else [])]


def _own_points(own: Characteristic) -> Callable[[Token], int]:
    find = _find(own.edges, own.groups)
    states = {MISSING: own.missing_points, UNAVAILABLE: own.unavailable_points, UNSEEN: own.unseen_points}

    def points(token: Token) -> int:
        kind, value = token
        if kind == VALUE:
            place = find(value)
            return own.unseen_points if place is None else own.points[place]
        return own.special_points[value] if kind == SPECIAL else states[kind]

    return points


def _grid(pair: Pair, axes: dict[str, list[Axis]], ways: dict[str, list[_Way]]) -> Factor:
    """Points of the pair for each two ways of its features."""
    columns = [axes[name].index(axis) for name, axis in zip(pair.features, pair.axes, strict=True)]
    sides = [
        [(way.kind, way.places[column]) for way in ways[name]]
        for name, column in zip(pair.features, columns, strict=True)
    ]
    cells = product(enumerate(sides[0]), enumerate(sides[1]))
    return pair.features, {(i, j): _pair_points(pair, (a, b)) for (i, a), (j, b) in cells}


def _pair_points(pair: Pair, sides: tuple[tuple[str, int | None], tuple[str, int | None]]) -> int:
    if UNAVAILABLE in (sides[0][0], sides[1][0]):
        return pair.unavailable_points
    if any(kind == SPECIAL and not axis.special for axis, (kind, _) in zip(pair.axes, sides, strict=True)):
        return pair.reference_points
    row, column = sides[0][1], sides[1][1]
    return pair.missing_points if row is None or column is None else pair.points[row][column]


def _place(axis: Axis, find: Find, token: Token) -> int | None:
    kind, value = token
    if kind == VALUE:
        return find(value)
    return axis.bins() if kind == SPECIAL and axis.special else None


def _find(edges: Sequence | None, groups: Sequence | None) -> Find:
    """The place of a value: its stretch, or its group (None: in none of them)."""
    if edges is not None:
        return lambda value: bisect_right(edges, value)
    return {value: place for place, group in enumerate(groups) for value in group}.get


def _most(factors: list[Factor]) -> int:
    """The greatest sum of factors over all places of all features, or a bound above it."""
    sizes = {name: len(table) for (name, *others), table in factors if not others}
    while sizes:
        name = min(sizes, key=lambda each: _work(each, factors, sizes))
        touched = sorted((f for f in factors if name in f[0]), key=lambda f: len(f[1]))
        factors = [f for f in factors if name not in f[0]]
        for bucket in _buckets(touched, sizes):
            factors.append(_without(name, bucket, sizes))
        del sizes[name]
    return sum(table[()] for _, table in factors)


def _work(name: str, factors: list[Factor], sizes: dict[str, int]) -> int:
    return prod(sizes[each] for each in {each for scope, _ in factors if name in scope for each in scope})


def _buckets(factors: list[Factor], sizes: dict[str, int]) -> list[list[Factor]]:
    """Factors to be maximised together: all of them, or as many as MOST_WORK allows."""
    found: list[list[Factor]] = [[]]
    for factor in factors:
        scope = {name for other in [*found[-1], factor] for name in other[0]}
        if found[-1] and prod(sizes[name] for name in scope) > MOST_WORK:
            found.append([])
        found[-1].append(factor)
    return found


def _without(name: str, factors: list[Factor], sizes: dict[str, int]) -> Factor:
    """The greatest sum of the factors over the places of one feature."""
    scope = tuple(sorted({each for others, _ in factors for each in others} - {name}))
    order = (*scope, name)
    reads = [(points, [order.index(each) for each in others]) for others, points in factors]
    table: dict[tuple[int, ...], int] = {}
    for at in product(*(range(sizes[each]) for each in order)):
        total = sum([points[tuple([at[column] for column in columns])] for points, columns in reads])
        table[at[:-1]] = max(total, table.get(at[:-1], total))
    return scope, table
