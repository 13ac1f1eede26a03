"""A pair of a card: a grid of points by the bins of two features, with its own strict reading."""

from dataclasses import dataclass
from itertools import pairwise

from .characteristics import CODE, DIRECTIONS, SIGNS, Characteristic, read_edges, read_groups
from .typed_json import CardError, Number, check_keys, check_unique, each, names_of, points_of, take, text_of

MOST_PAIRS = 30
LEAST_SIDE, MOST_SIDE = 2, 20


@dataclass(frozen=True, slots=True)
class Axis:
    """One side of a grid: by `edges` (bin i holds edges[i-1] <= value < edges[i]) or by `groups`.

    special: whether the grid has one more row (column), the last, for the special codes of the feature.
    """

    feature: str
    edges: tuple[Number, ...] | None
    groups: tuple[tuple[str | bool, ...], ...] | None
    direction: str
    special: bool

    def bins(self) -> int:
        """Bins of values, special codes not counted."""
        return len(self.edges) + 1 if self.groups is None else len(self.groups)

    def side(self) -> int:
        """Rows (columns) of the grid along this axis."""
        return self.bins() + self.special


@dataclass(frozen=True, slots=True)
class Pair:
    """points[i][j] stand where the first value lies in bin i of the first axis, the second in bin j of the second.

    Of the two values an unavailable one decides first, then a special code whose axis has no place for it
    (reference_points), then a missing one or a category that no group holds (missing_points).
    """

    features: tuple[str, str]
    label: str
    code: str
    axes: tuple[Axis, Axis]
    points: tuple[tuple[int, ...], ...]
    missing_points: int
    unavailable_points: int
    reference_points: int
    directions: tuple[str, str]

    @property
    def name(self) -> str:
        return " x ".join(self.features)

    def all_points(self) -> list[int]:
        """Every number of points this pair can give."""
        cells = [points for line in self.points for points in line]
        return [*cells, self.missing_points, self.unavailable_points, self.reference_points]


def read_pairs(card: dict) -> tuple[Pair, ...]:
    pairs = each(card, "pairs", _read_pair)
    if len(pairs) > MOST_PAIRS:
        raise CardError(f"a card has at most {MOST_PAIRS} pairs, not {len(pairs)}")
    check_unique([" x ".join(sorted(pair.features)) for pair in pairs], "pairs")
    return pairs


def check_same_directions(pairs: tuple[Pair, ...], characteristics: tuple[Characteristic, ...]) -> None:
    """A feature has one direction on the whole card, so that a card is ordered where each of its tables is."""
    known: dict[str, str] = {c.feature: c.direction for c in characteristics}
    for pair in pairs:
        for axis in pair.axes:
            if known.setdefault(axis.feature, axis.direction) != axis.direction:
                raise CardError(
                    f"pair {pair.name}: {axis.feature} has the direction {known[axis.feature]} elsewhere on the card,"
                    f" not {axis.direction}"
                )


def _read_pair(part: object, where: str) -> Pair:
    check_keys(part, names_of(Pair), (), where)
    features = _two_texts(part, "features", where)
    if features[0] == features[1]:
        raise CardError(f"{where}: a pair is of two features, not of {features[0]} twice")
    where = f"{where} ({' x '.join(features)})"
    directions = _two_texts(part, "directions", where)
    pair = Pair(
        features=features,
        label=text_of(part, "label", where),
        code=text_of(part, "code", where, CODE),
        axes=_read_axes(part, features, directions, where),
        points=_read_grid(part, where),
        missing_points=points_of(part, "missing_points", where),
        unavailable_points=points_of(part, "unavailable_points", where),
        reference_points=points_of(part, "reference_points", where),
        directions=directions,
    )
    _check_grid(pair, where)
    return pair


def _two_texts(part: dict, key: str, where: str) -> tuple[str, str]:
    values = take(part, key, (list,), where)
    if len(values) != 2 or any(type(value) is not str for value in values):
        raise CardError(f"{where}: {key} must be two texts")
    return values[0], values[1]


def _read_axes(part: dict, features: tuple[str, str], directions: tuple[str, str], where: str) -> tuple[Axis, Axis]:
    axes = take(part, "axes", (list,), where)
    if len(axes) != 2:
        raise CardError(f"{where}: axes must be two, not {len(axes)}")
    first, second = (
        _read_axis(axis, feature, direction, f"{where}.axes[{number}]")
        for number, (axis, feature, direction) in enumerate(zip(axes, features, directions, strict=True))
    )
    return first, second


def _read_axis(part: object, feature: str, direction: str, where: str) -> Axis:
    by_edges = type(part) is dict and "edges" in part
    check_keys(part, ("edges" if by_edges else "groups", "special"), ("special",), where)
    if direction not in DIRECTIONS:
        raise CardError(f"{where}: the direction must be one of {', '.join(DIRECTIONS)}")
    if not by_edges and direction != "free":
        raise CardError(f"{where}: groups have no order, so the direction must be free")
    edges, groups = (read_edges(part, where), None) if by_edges else (None, read_groups(part, where))
    special = "special" in part and take(part, "special", (bool,), where)
    axis = Axis(feature, edges, groups, direction, special)
    if not LEAST_SIDE <= axis.bins() <= MOST_SIDE:
        raise CardError(f"{where}: a side of a grid has {LEAST_SIDE} to {MOST_SIDE} bins, not {axis.bins()}")
    return axis


def _read_grid(part: dict, where: str) -> tuple[tuple[int, ...], ...]:
    grid = take(part, "points", (list,), where)
    if any(type(line) is not list or any(type(points) is not int for points in line) for line in grid):
        raise CardError(f"{where}: points must be lists of whole numbers, one list a bin of the first feature")
    return tuple(tuple(line) for line in grid)


def _check_grid(pair: Pair, where: str) -> None:
    lines, columns = (axis.side() for axis in pair.axes)
    if [len(line) for line in pair.points] != [columns] * lines:
        raise CardError(f"{where}: axes of {lines} and {columns} bins need {lines} lists of {columns} points")
    if pair.unavailable_points != pair.reference_points:
        raise CardError(f"{where}: unavailable_points must be neutral, that is equal to reference_points")
    along_second, along_first = pair.points, tuple(zip(*pair.points, strict=True))
    for axis, series in zip(pair.axes, (along_first, along_second), strict=True):
        sign = SIGNS[axis.direction]
        ordered = (points[: axis.bins()] for points in series)
        if any(sign * low > sign * high for points in ordered for low, high in pairwise(points)):
            raise CardError(f"{where}: points do not follow the direction {axis.direction} of {axis.feature}")
