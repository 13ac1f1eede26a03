"""Where a condition can be true: compared with trying every value, for conditions drawn at random."""

import random
from itertools import product

import pytest

from apps.policies.expressions import parse
from apps.policies.regions import Box, Domain, Range, boxes_of, is_covered

NUMBERS = range(-1, 6)
DOMAINS = {
    "late": Domain(Range(0.0, 4.0), whole=True),
    "open": Domain(Range(0.0, 4.0), whole=True),
    "flag": Domain(frozenset({True, False})),
    "kind": Domain(frozenset({"a", "b", "c"})),
}
CONSTANTS = {"most": 2.0}
POINTS = [
    {"late": float(late), "open": float(opened), "flag": flag, "kind": kind, "most": 2.0}
    for late, opened, flag, kind in product(range(5), range(5), (True, False), "abc")
]


def drawn(rng: random.Random, depth: int = 0) -> str:
    if depth < 3 and rng.random() < 0.6:
        operator = rng.choice(("and", "or"))
        joined = f"({drawn(rng, depth + 1)} {operator} {drawn(rng, depth + 1)})"
        return f"not {joined}" if rng.random() < 0.3 else joined
    name, comparison = rng.choice(("late", "open")), rng.choice(("<", "<=", ">", ">=", "==", "!="))
    number = rng.choice([*map(str, NUMBERS), "1.5", "most"])
    return rng.choice(
        (
            f"{name} {comparison} {number}",
            f"{number} {comparison} {name}",
            "flag",
            "not flag",
            f"kind {rng.choice(('==', '!='))} '{rng.choice('abcd')}'",
            "kind in ('a', 'b')",
            "late > open",
            f"{number} < {name} < 4",
        )
    )


def holds(box: Box, point: dict) -> bool:
    return all(
        point[name] in limit
        if isinstance(limit, frozenset)
        else not limit.narrowed(Range(point[name], point[name])).is_empty()
        for name, limit in box.limits.items()
    )


def test_boxes_hold_every_true_point_and_exact_ones_no_other():
    rng, empty = random.Random(5), 0
    for _ in range(500):
        text = drawn(rng)
        expression = parse(text)
        boxes = boxes_of(expression.tree, DOMAINS, CONSTANTS)
        empty += not boxes
        for point in POINTS:
            is_true = expression.value(point)
            held = [box for box in boxes if holds(box, point)]
            assert held or not is_true, (text, point)
            assert is_true or not any(box.exact for box in held), (text, point)
    assert empty > 10


def test_what_is_covered_implies_what_covers():
    rng, covered = random.Random(7), 0
    for _ in range(1500):
        milder, harsher = drawn(rng, 2), drawn(rng, 2)
        inner, outer = (boxes_of(parse(text).tree, DOMAINS, CONSTANTS) for text in (milder, harsher))
        if inner and is_covered(inner, outer):
            covered += 1
            one, other = parse(milder).value, parse(harsher).value
            assert all(other(point) for point in POINTS if one(point)), (milder, harsher)
    assert covered > 50


@pytest.mark.parametrize(
    ("limits", "rounded"),
    [
        (Range(1.0, 3.0, True, True), Range(2.0, 2.0)),
        (Range(1.5, 3.5), Range(2.0, 3.0)),
        (Range(1.5, 2.5, True, True), Range(2.0, 2.0)),
        (Range(), Range()),
    ],
)
def test_whole_numbers_between_two_bounds(limits, rounded):
    assert limits.rounded() == rounded


def test_too_many_alternatives_claim_nothing():
    text = " and ".join(f"(late != {number} or open != {number})" for number in (1, 2, 3, 1))
    (box,) = boxes_of(parse(text).tree, DOMAINS, CONSTANTS)
    assert (box.limits, box.exact) == ({}, False)
