"""A card without pairs, unrolled into one Python function for the ordinary applicant: no loops, no look-up of plans.

Ordinary is who gave every fact that the tables rest on, none of them a special code. Of anybody else the function says
None, and the tables of scorecard.py are gone through one by one; those define the score, and tests hold both against
each other. No text of a card stands in the source that is compiled: it names constants by number.
"""

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from .card_inputs import Input
from .cards import AS_OF, Card, Feature
from .features import DAYS_OF_YEAR, over_zero
from .reasons import UNSEEN
from .vocabulary import SCALE_OF

# Score, explanation, and labels in the order of the tables.
Found = tuple[int, list[dict[str, Any]], list[str]]
Table = tuple[str, Sequence[float] | None, Any, dict[str, Any]]


def unrolled(card: Card, tables: Sequence[Table]) -> Callable[[Mapping[str, Any], Any], Found | None]:
    """`tables` as scorecard.py has them: feature, edges or None, rows (by index, or by category), rows by state."""
    source = _Source()
    used = frozenset().union(*(card.facts_of(table[0]) for table in tables))
    # A score on another scale is warned of even where no table rests on it.
    facts = [entry for entry in card.inputs if entry.name in used or entry.scale is not None]
    for entry in facts:
        source.read(entry)
    for feature in card.features:
        if set(card.facts_of(feature.name)) <= {entry.name for entry in facts}:
            source.derive(feature)
    for table in tables:
        source.look_up(table)
    return source.function(card.base_points)


class _Source:
    """Lines of the function, the constants they name, and the variable by fact or feature."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._constants: dict[str, Any] = {"bisect_right": bisect_right, "over_zero": over_zero}
        self._variables: dict[str, str] = {AS_OF: "as_of"}
        self._tables = 0

    def _constant(self, value: object) -> str:
        name = f"c{len(self._constants)}"
        self._constants[name] = value
        return name

    def _variable(self, name: str) -> str:
        return self._variables.setdefault(name, f"v{len(self._variables)}")

    def read(self, entry: Input) -> None:
        value = self._variable(entry.name)
        self._lines += [f"{value} = facts.get({self._constant(entry.name)})", f"if {value} is None: return None"]
        if entry.scale is not None:
            scale = f"facts.get({self._constant(SCALE_OF[entry.name])})"
            self._lines.append(f"if {scale} != {self._constant(entry.scale)}: return None")
        if codes := entry.code_values():
            self._lines.append(f"if {value} in {self._constant(codes)}: return None")

    def derive(self, feature: Feature) -> None:
        first, last = (self._variables[part] for part in feature.of)
        value = self._variable(feature.name)
        if feature.kind == "difference":
            self._lines.append(f"{value} = {first} - {last}")
        elif feature.kind == "years_between":
            self._lines.append(f"{value} = {last}.toordinal() - {first}.toordinal()")
            self._lines.append(f"{value} = {value} / {DAYS_OF_YEAR!r} if {value} > 0 else 0.0")
        else:
            multiplier, least, most = (repr(float(n)) for n in (feature.multiplier, feature.least, feature.most))
            quotient = f"{first} / {last} * {multiplier}"
            self._lines.append(f"{value} = {quotient} if {last} else over_zero({first}, {least}, {most})")
            self._lines.append(f"if {value} < {least}: {value} = {least}")
            self._lines.append(f"elif {value} > {most}: {value} = {most}")

    def look_up(self, table: Table) -> None:
        feature, edges, rows, others = table
        value, number = self._variables[feature], self._tables
        place = "" if edges is None else f"[bisect_right({self._constant(edges)}, {value})]"
        row = self._constant(rows) + (place or f".get({value}, {self._constant(others.get(UNSEEN))})")
        self._lines.append(f"p{number}, l{number}, e = {row}")
        self._lines.append(f"e{number} = e.copy()")
        self._lines.append(f"e{number}['value'] = {value}")
        self._tables += 1

    def function(self, base_points: int) -> Callable[[Mapping[str, Any], Any], Found | None]:
        entries, labels, points = (", ".join(f"{kind}{n}" for n in range(self._tables)) for kind in "elp")
        by_impact = self._constant(itemgetter("impact"))
        total = points.replace(",", " +")
        lines = [
            *self._lines,
            f"explanation = [{entries}]",
            f"explanation.sort(key={by_impact})",
            f"return {base_points} + {total}, explanation, [{labels}]",
        ]
        names = dict(self._constants)
        exec("def assess(facts, as_of):\n" + "\n".join(f"    {line}" for line in lines), names)  # noqa: S102
        return names["assess"]
