"""The lowest and the highest score that a card can give to anybody.

Tables that share a feature cannot all be at their extremes at once: a value lies in one bin of each. So the
sum over the pairs is maximised feature by feature (variable elimination: Dechter, Bucket elimination, 1999);
where that would grow past MOST_WORK combinations, a bucket is split, which can only widen the range.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import product
from math import prod

from .characteristics import Characteristic
from .pairs import Axis, Pair

MOST_WORK = 5_000  # a card of 12 pairs of 8 x 8 is then ready in about 0.1 s
MISSING, UNAVAILABLE, SPECIAL, UNSEEN, VALUE = "missing", "unavailable", "special", "unseen", "value"

Token = tuple[str, object]  # one way a feature can be: a value, or the state it is in without one
Factor = tuple[tuple[str, ...], dict[tuple[int, ...], int]]  # points by place of each feature of the scope


def reach(base_points: int, characteristics: Sequence[Characteristic], pairs: Sequence[Pair]) -> tuple[int, int]:
    """(lowest, highest) score, whatever is known, missing, unavailable or special-coded."""
    paired = {name for pair in pairs for name in pair.features}
    alone = [c.all_points() for c in characteristics if c.feature not in paired]
    with_pairs = [c for c in characteristics if c.feature in paired]
    found = []
    for sign in (-1, 1):
        most = sum(max(sign * points for points in table) for table in alone)
        found.append(base_points + sign * (most + _most(_factors(with_pairs, pairs, sign))))
    return found[0], found[1]


def _factors(characteristics: Sequence[Characteristic], pairs: Sequence[Pair], sign: int) -> list[Factor]:
    """Points x sign of all tables, over the ways in which a feature can differ for the pairs."""
    by_feature = {c.feature: c for c in characteristics}
    ways, factors = {}, []
    for name in sorted({name for pair in pairs for name in pair.features}):
        axes = [axis for pair in pairs for axis in pair.axes if axis.feature == name]
        own = by_feature.get(name)
        tokens = _tokens(axes, own)
        best: dict[tuple, tuple[int, Token]] = {}
        for token in tokens:
            points = sign * _own_points(own, token) if own else 0
            seen = (_kind(token), *(_place(axis, token) for axis in axes))
            if seen not in best or points > best[seen][0]:
                best[seen] = (points, token)
        ways[name] = [token for _, token in best.values()]
        factors.append(((name,), {(k,): points for k, (points, _) in enumerate(best.values())}))
    for pair in pairs:
        first, second = (ways[name] for name in pair.features)
        cells = product(enumerate(first), enumerate(second))
        factors.append((pair.features, {(i, j): sign * _pair_points(pair, a, b) for (i, a), (j, b) in cells}))
    return factors


def _tokens(axes: Iterable[Axis], own: Characteristic | None) -> list[Token]:
    """A value from each stretch in which no table changes, and every state without a value."""
    tables = [*axes, *([own] if own else [])]
    edges = sorted({edge for table in tables for edge in table.edges or ()})
    values = [value for table in tables for group in table.groups or () for value in group]
    known = [*([float("-inf"), *edges] if edges else []), *dict.fromkeys(values)]
    codes = list(own.special_points) if own else ["any"]
    states = [(MISSING, None), (UNAVAILABLE, None), *((SPECIAL, code) for code in codes)]
    return [*((VALUE, value) for value in known), *states, *([(UNSEEN, None)] if values else [])]


def _kind(token: Token) -> str:
    return MISSING if token[0] == UNSEEN else token[0]


def _own_points(own: Characteristic, token: Token) -> int:
    kind, value = token
    if kind == VALUE:
        place = _place_of(own.edges, own.groups, value)
        return own.unseen_points if place is None else own.points[place]
    states = {MISSING: own.missing_points, UNAVAILABLE: own.unavailable_points, UNSEEN: own.unseen_points}
    return own.special_points[value] if kind == SPECIAL else states[kind]


def _pair_points(pair: Pair, first: Token, second: Token) -> int:
    kinds, sides = (first[0], second[0]), tuple(zip(pair.axes, (first, second), strict=True))
    if UNAVAILABLE in kinds:
        return pair.unavailable_points
    if any(token[0] == SPECIAL and not axis.special for axis, token in sides):
        return pair.reference_points
    places = [_place(axis, token) for axis, token in sides]
    return pair.missing_points if None in places else pair.points[places[0]][places[1]]


def _place(axis: Axis, token: Token) -> int | None:
    kind, value = token
    if kind == VALUE:
        return _place_of(axis.edges, axis.groups, value)
    return axis.bins() if kind == SPECIAL and axis.special else None


def _place_of(edges: Sequence | None, groups: Sequence | None, value: object) -> int | None:
    if edges is not None:
        return bisect_right(edges, value)
    return next((place for place, group in enumerate(groups) if value in group), None)


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
    table = {}
    for places in product(*(range(sizes[each]) for each in scope)):
        at = dict(zip(scope, places, strict=True))
        table[places] = max(
            sum(points[tuple(k if each == name else at[each] for each in others)] for others, points in factors)
            for k in range(sizes[name])
        )
    return scope, table
