"""Pairs of invented names of one person and of two, and which of them likeness tells wrongly."""

import tomllib
from collections.abc import Iterator
from pathlib import Path

from apps.common.person_names import SAME_PERSON, likeness

Pairs = dict[str, dict[str, list[list[str]]]]


def read_pairs(name: str) -> Pairs:
    return tomllib.loads(Path(__file__).with_name(name).read_text(encoding="utf-8"))


TUNED_ON, HELD_OUT = read_pairs("name_pairs.toml"), read_pairs("name_pairs_held_out.toml")


def wrong_pairs(pairs: Pairs, threshold: float = SAME_PERSON) -> Iterator[tuple[str, str, str, str, float]]:
    """(same or different, class, one, other, likeness) of each pair that is told wrongly."""
    for truth, classes in pairs.items():
        for name, examples in classes.items():
            for one, other in examples:
                found = likeness(one, other)
                if (found >= threshold) != (truth == "same"):
                    yield truth, name, one, other, found
