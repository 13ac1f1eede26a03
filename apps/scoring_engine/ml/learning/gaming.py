"""The gaming test: can an applicant earn points by telling less, or by being worse than they are?

Random pairs of a row and an input. Worsening: a directed input is moved to its risky side within its bounds,
and the score must not rise. Hiding: a value is left out, and no table may then earn more than before and more
than the rule for missing values allows (at most the 25th percentile of its training points).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .calibration import MISSING_PERCENTILE
from .card import Table, scores
from .derive import AS_OF, derive
from .rows import KNOWN, MISSING, Rows
from .subject import Subject

PAIRS = 20_000
MOST_DAYS = 20_000
SIGNS = {"higher_is_safer": 1, "higher_is_riskier": -1, "free": 0}
OnShare = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Lever:
    """An input and the side of it that is risky: +1 upwards, -1 downwards, 0 where the card makes no claim."""

    name: str
    risky: int
    tables: tuple[Table, ...]


def gaming_test(subject: Subject, ceilings: dict[str, float], cut_off: int, *, seed: int) -> dict[str, Any]:
    """ceilings: the most that the rule for missing values allows, by table name (see missing_ceilings)."""
    levers = levers_of(subject)
    rng = np.random.default_rng(seed)
    worse = _Tally(subject)
    hidden = _Tally(subject)
    crossed = {True: 0, False: 0}
    required = {entry["name"] for entry in subject.card["inputs"] if entry["required"]}
    for lever, places in _draws(subject, [lever for lever in levers if lever.risky], rng):
        _worsen(subject, lever, places, worse, rng)
    for lever, places in _draws(subject, levers, rng):
        crossed[lever.name in required] += _hide(subject, lever, places, hidden, ceilings, cut_off)
    return {
        "seed": seed,
        "directed_inputs": [lever.name for lever in levers if lever.risky],
        "undirected_inputs": [lever.name for lever in levers if not lever.risky],
        "worsening": worse.as_dict(),
        "hiding": hidden.as_dict(),
        "hiding_tables_without_ceiling": [table.name for table in subject.tables if table.name not in ceilings],
        "hiding_moved_over_cut_off": {"required_inputs": crossed[True], "optional_inputs": crossed[False]},
        "cut_off": cut_off,
    }


def missing_ceilings(tables: tuple[Table, ...], counts: dict[str, np.ndarray]) -> dict[str, float]:
    """The 25th percentile of each table's points over training rows with a value.

    counts: training rows by place of the table. Tables without such rows have no ceiling.
    """
    found = {}
    for table in tables:
        cells = int(np.prod([len(axis.labels()) for axis in table.axes]))
        rows = np.asarray(counts.get(table.name, ()), dtype=float)[:cells]
        if not rows.sum():
            continue
        order = np.argsort(table.points[:cells], kind="stable")
        reached = np.cumsum(rows[order]) >= rows.sum() * MISSING_PERCENTILE / 100
        found[table.name] = float(table.points[:cells][order][np.argmax(reached)])
    return found


def levers_of(subject: Subject) -> list[Lever]:
    """Inputs that reach a table, each with its risky side if all tables it reaches agree on one."""
    card = subject.card
    found = []
    for entry in card["inputs"]:
        reach = _reach(card, entry["name"])
        touched = tuple(table for table in subject.tables if set(table.features) & set(reach))
        if touched:
            found.append(Lever(entry["name"], _risky_side(touched, reach), touched))
    return found


def _reach(card: dict[str, Any], name: str) -> dict[str, int]:
    """The features that an input moves, each with the sign of its effect (0: not of one sign)."""
    least = {entry["name"]: entry["least"] for entry in card["inputs"]}
    effect = {name: 1}
    for feature in card["features"]:
        parts = [part for part in feature["of"] if part != AS_OF]
        signs = _signs_of_parts(feature["kind"], [least.get(part) for part in parts])
        moved = [effect[part] * sign for part, sign in zip(parts, signs, strict=True) if part in effect]
        if moved:
            effect[feature["name"]] = moved[0] if len(set(moved)) == 1 else 0
        least[feature["name"]] = feature["least"] if feature["kind"] == "ratio" else None
    return effect


def _signs_of_parts(kind: str, least: list[float | None]) -> list[int]:
    """How a derived feature moves with each part. A ratio has an order only where nothing is negative."""
    if kind == "years_between":
        return [-1]
    if kind == "difference":
        return [1, -1]
    above_zero = [bound is not None and bound >= 0 for bound in least]
    return [int(above_zero[1]), -int(all(above_zero))]


def _risky_side(tables: tuple[Table, ...], reach: dict[str, int]) -> int:
    sides = set()
    for table in tables:
        directions = table.entry["directions"] if table.kind == "pair" else [table.entry["direction"]]
        moved = zip(table.features, directions, strict=True)
        sides |= {-SIGNS[direction] * reach[feature] for feature, direction in moved if feature in reach}
    return sides.pop() if len(sides) == 1 else 0


def _draws(subject: Subject, levers: list[Lever], rng: np.random.Generator) -> list[tuple[Lever, np.ndarray]]:
    """PAIRS pairs of input and row, the rows drawn from those that have a value of the input."""
    known = [np.flatnonzero(subject.rows.known(lever.name)) for lever in levers]
    levers, known = ([one for one, k in zip(levers, known, strict=True) if len(k)], [k for k in known if len(k)])
    if not levers:
        return []
    drawn = np.bincount(rng.integers(0, len(levers), PAIRS), minlength=len(levers))
    return [(lever, rng.choice(k, n)) for lever, k, n in zip(levers, known, drawn, strict=True) if n]


def _worsen(subject: Subject, lever: Lever, places: np.ndarray, tally: "_Tally", rng: np.random.Generator) -> None:
    entry = next(entry for entry in subject.card["inputs"] if entry["name"] == lever.name)
    values = subject.rows.values[lever.name]
    worse = _worse(entry, lever.risky, values[places], rng.choice(values[subject.rows.known(lever.name)], len(places)),
                   rng)  # fmt: skip
    # A number that stands for a special code is no worse value but another statement.
    coded = [float(code) for code in subject.rows.codes[lever.name] if _is_number(code)]
    fair = (worse != values[places]) & (True if entry["kind"] == "date" else ~np.isin(worse, coded))
    places, worse = places[fair], worse[fair]
    after = scores(subject.card, _changed(subject, lever.name, places, worse, KNOWN))
    tally.add(lever.name, places, subject.score[places], after, after > subject.score[places])


def _worse(
    entry: dict[str, Any], risky: int, value: np.ndarray, others: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Half the values move towards another row's where that is worse, the rest some way to the bound."""
    share = rng.random(len(value))
    if entry["kind"] == "date":
        return value + (risky * (1 + share * MOST_DAYS)).astype("timedelta64[D]")
    bound = np.full(len(value), float(entry["most"] if risky > 0 else entry["least"]))
    towards = (rng.random(len(value)) < 0.5) & (risky * (others - value) > 0)
    target = value + share * (np.where(towards, others, bound) - value)
    target = np.rint(target) if entry["kind"] in ("integer", "money") else target
    return np.where(risky * (target - value) > 0, target, bound)


def _hide(
    subject: Subject, lever: Lever, places: np.ndarray, tally: "_Tally", ceilings: dict[str, float], cut_off: int
) -> int:
    """Adds to the tally; the number of draws that hiding moved from below the cut-off to it or above."""
    before, after = subject.rows.at(places), _changed(subject, lever.name, places, None, MISSING)
    wrong, moved = np.zeros(len(places), dtype=bool), np.zeros(len(places), dtype=np.int64)
    for table in lever.tables:
        old, new = (table.points[table.index(rows)] for rows in (before, after))
        moved += new - old
        wrong |= (new > old) & (new > min(table.entry["missing_points"], ceilings.get(table.name, np.inf)))
    score = subject.score[places]
    tally.add(lever.name, places, score, score + moved, wrong)
    return int(((score < cut_off) & (score + moved >= cut_off)).sum())


def _changed(subject: Subject, name: str, places: np.ndarray, values: np.ndarray | None, state: int) -> Rows:
    """The drawn rows with one input changed and the features derived anew."""
    names = [entry["name"] for entry in subject.card["inputs"]]
    rows = subject.rows.at(places)
    facts = Rows({n: rows.values[n].copy() for n in names}, {n: rows.states[n].copy() for n in names},
                 {n: rows.codes[n] for n in names}, rows.is_bad, rows.weight, rows.group)  # fmt: skip
    facts.values[name][:] = _nothing(facts.values[name]) if values is None else values
    facts.states[name][:] = state
    when = None if subject.sample.when is None else subject.sample.when[places]
    return derive(facts, subject.card["features"], when)


def _nothing(column: np.ndarray) -> object:
    if column.dtype == object:
        return None
    return np.datetime64("NaT") if column.dtype.kind == "M" else np.nan


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


class _Tally:
    """Counts draws and violations; remembers the worst."""

    def __init__(self, subject: Subject) -> None:
        self._positions = subject.sample.positions
        self._pairs = self._raised = self._violations = self._largest = 0
        self._worst: dict[str, Any] | None = None

    def add(self, name: str, places: np.ndarray, before: np.ndarray, after: np.ndarray, wrong: np.ndarray) -> None:
        rise = after - before
        self._pairs += len(places)
        self._raised += int((rise > 0).sum())
        self._violations += int(wrong.sum())
        self._largest = max(self._largest, int(rise.max(initial=0)))
        if wrong.any():
            worst = int(np.argmax(np.where(wrong, rise, np.iinfo(np.int64).min)))
            if self._worst is None or rise[worst] > self._worst["rise"]:
                self._worst = {"input": name, "row": int(self._positions[places[worst]]) + 1,
                               "score_before": int(before[worst]), "score_after": int(after[worst]),
                               "rise": int(rise[worst])}  # fmt: skip

    def as_dict(self) -> dict[str, Any]:
        return {"pairs": self._pairs, "score_rose": self._raised, "largest_rise": self._largest,
                "violations": self._violations, "worst": self._worst}  # fmt: skip
