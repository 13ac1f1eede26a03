"""A card as one Python module that stands alone: nothing but the standard library, and short enough to audit."""

from ..card_inputs import Input
from ..cards import Feature
from ..characteristics import Characteristic
from ..features import MISSING, SPECIAL, UNAVAILABLE
from ..pairs import Axis, Pair
from ..vocabulary import SCALE_OF
from .parts import Parts, code_values

_HEAD = '''\
"""{title}; digest (SHA-256 of its JSON) {digest}.

score(applicant) gives what the card gives: score = {base} + points of every table, and impact = points -
reference_points, so that score = {reference} + sum of the impacts. The applicant's facts must have passed the lender's
checks already: numbers within their bounds, dates as datetime.date or as "2019-05-31". What is None, NaN or left out is
missing, and `unavailable` names facts whose source was down. The probability of default is over the horizon of the
card: {months} months ({kind}).
Definition of bad: {bad}
"""

import datetime as dt
from bisect import bisect_right

BASE_POINTS = {base}
REFERENCE_SCORE = {reference}
FACTS = [
{facts}
]
DATES = {dates!r}


def score(applicant: dict, as_of: dt.date | None = None, unavailable: frozenset = frozenset()) -> dict:
    """score, probability_of_default and explanation, most harmful first; as of today, unless another day is given."""
    value, state = values_of(applicant, as_of or dt.date.today(), unavailable)
    rows = []
    for feature, code, reference_points, points_of in TABLES:
        names = feature.split(" x ")
        values = [value[name] for name in names]
        points = points_of(*values, *(state[name] for name in names))
        rows.append({{
            "feature": feature,
            "value": values if len(values) == 2 else values[0],
            "points": points,
            "reference_points": reference_points,
            "impact": points - reference_points,
            "code": code,
        }})
    total = BASE_POINTS + sum(row["points"] for row in rows)
    rows.sort(key=lambda row: (row["impact"], row["feature"]))
    probability = 1 / (1 + 2 ** ((total - 400) / 50))
    return {{"score": total, "probability_of_default": probability, "explanation": rows}}


def given(applicant: dict, name: str) -> object:
    """A fact; None for NaN, which equals nothing, itself included."""
    value = applicant.get(name)
    if name in DATES and isinstance(value, str):
        return dt.date.fromisoformat(value)
    return value if value == value else None


# Derived features. What has no value has a state: "missing", "unavailable" or "special:<code>".


def state_of_parts(*states: str) -> str:
    """Of the parts of a feature an unavailable one decides first, then a special code, then a missing one."""
    if "unavailable" in states:
        return "unavailable"
    return next((state for state in states if state and state.startswith("special:")), "missing")


def ratio(above: float, below: float, multiplier: float, least: float, most: float) -> float:
    if below:
        quotient = above / below * multiplier
    else:
        quotient = most if above > 0 else least if above < 0 else 0.0
    return least if quotient < least else most if quotient > most else quotient


def years_between(first: dt.date, last: dt.date) -> float:
    days = (last - first).days
    return days / 365.25 if days > 0 else 0.0


def pair_points(places: list, states: list, special_has_place: list, grid: list, others: dict) -> int:
    """The cell of a pair; without one, an unavailable value decides first, then a special code that has no place."""
    if None not in places:
        return grid[places[0]][places[1]]
    if "unavailable" in states:
        return others["unavailable"]
    for state, has_place in zip(states, special_has_place):
        if state and state.startswith("special:") and not has_place:
            return others["special"]
    return others["missing"]
'''


def as_python(scorer: object) -> str:
    """The module's source."""
    parts = Parts(scorer)
    card = parts.card
    head = _HEAD.format(
        title=parts.title(), digest=parts.scorer.digest, base=card.base_points, reference=parts.scorer.reference_score,
        months=card.horizon["months"], kind=card.horizon["kind"], bad=_in_docstring(card.definition_of_bad),
        facts="\n".join(f"    {name!r}," for name in sorted(parts.kinds())),
        dates=[name for name, kind in sorted(parts.kinds().items()) if kind == "date"],
    )  # fmt: skip
    tables = [_characteristic(c) for c in card.characteristics] + [
        _pair(pair, number) for number, pair in enumerate(card.pairs, start=1)
    ]
    return "\n\n".join([head, _values(parts), *tables, _tables(parts)])


def _in_docstring(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


def _values(parts: Parts) -> str:
    lines = [
        "def values_of(applicant: dict, as_of: dt.date, unavailable: frozenset) -> tuple[dict, dict]:",
        "    value = {name: given(applicant, name) for name in FACTS}",
        '    state = {name: "unavailable" if name in unavailable else "missing" for name in FACTS}',
        "    state = {name: state[name] if value[name] is None else None for name in FACTS}",
    ]
    for entry in parts.facts:
        lines += _special(entry)
    for feature in parts.features:
        lines += _feature(feature)
    return "\n".join([*lines, "    return value, state", ""])


def _special(entry: Input) -> list[str]:
    """Lines that take a special code for what it is."""
    name, lines = entry.name, []
    if entry.scale is not None:
        lines += [
            f"    if value[{name!r}] is not None and value[{SCALE_OF[name]!r}] != {entry.scale!r}:",
            f"        value[{name!r}], state[{name!r}] = None, 'special:other_scale'",
        ]
    for code, number in code_values(entry).items():
        lines += [
            f"    if value[{name!r}] == {number!r}:  # {_in_comment(entry.special_codes[code])}",
            f"        value[{name!r}], state[{name!r}] = None, {SPECIAL + code!r}",
        ]
    return lines


def _in_comment(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)


def _feature(feature: Feature) -> list[str]:
    name, first = feature.name, feature.of[0]
    last = feature.of[-1]
    if feature.kind == "years_between":
        missing = f"value[{first!r}] is None"
        states, formula = f"state[{first!r}]", f"years_between(value[{first!r}], as_of)"
    else:
        missing = f"value[{first!r}] is None or value[{last!r}] is None"
        states, formula = f"state[{first!r}], state[{last!r}]", f"value[{first!r}] - value[{last!r}]"
    if feature.kind == "ratio":
        bounds = f"{float(feature.multiplier)!r}, {float(feature.least)!r}, {float(feature.most)!r}"
        formula = f"ratio(value[{first!r}], value[{last!r}], {bounds})"
    return [
        f"    if {missing}:",
        f"        value[{name!r}], state[{name!r}] = None, state_of_parts({states})",
        "    else:",
        f"        value[{name!r}], state[{name!r}] = {formula}, None",
    ]


def _characteristic(c: Characteristic) -> str:
    by_state = {MISSING: c.missing_points, UNAVAILABLE: c.unavailable_points}
    by_state |= {SPECIAL + code: points for code, points in c.special_points.items()}
    lines = [
        f"def points_of_{c.feature}(value: object, state: str) -> int:",
        f"    # {_in_comment(c.label)}",
        "    if value is None:",
        f"        return {by_state!r}[state]",
    ]
    if c.groups is None:
        bins = [(f"value < {edge!r}", points) for edge, points in zip(c.edges, c.points, strict=False)]
        last = c.points[-1]
    else:
        bins = [(f"value in {list(group)!r}", points) for group, points in zip(c.groups, c.points, strict=True)]
        last = c.unseen_points
    for condition, points in bins:
        lines += [f"    if {condition}:", f"        return {points}"]
    return "\n".join([*lines, f"    return {last}", ""])


def _pair(pair: Pair, number: int) -> str:
    others = {MISSING: pair.missing_points, UNAVAILABLE: pair.unavailable_points, "special": pair.reference_points}
    lines = [
        f"def pair_{number}(first: object, second: object, first_state: str, second_state: str) -> int:",
        f"    # {_in_comment(pair.label)}",
        *_place(pair.axes[0], "first"),
        *_place(pair.axes[1], "second"),
        "    grid = [",
        *(f"        {list(line)!r}," for line in pair.points),
        "    ]",
        f"    has_place = {[axis.special for axis in pair.axes]!r}",
        f"    others = {others!r}",
        "    return pair_points([line, column], [first_state, second_state], has_place, grid, others)",
    ]
    return "\n".join([*lines, ""])


def _place(axis: Axis, which: str) -> list[str]:
    """Lines that find the place of a value on one side of a grid: a whole number, or None."""
    place = {"first": "line", "second": "column"}[which]
    of_state = "None"
    if axis.special:
        of_state = f"{axis.bins()} if {which}_state.startswith('special:') else None"
    if axis.groups is None:
        of_value = f"bisect_right({list(axis.edges)!r}, {which})"
    else:
        places = {value: number for number, group in enumerate(axis.groups) for value in group}
        of_value = f"{places!r}.get({which})"
    return [
        f"    if {which} is None:",
        f"        {place} = {of_state}",
        "    else:",
        f"        {place} = {of_value}",
    ]


def _tables(parts: Parts) -> str:
    rows = [(c.feature, c.code, c.reference_points, f"points_of_{c.feature}") for c in parts.card.characteristics]
    rows += [
        (pair.name, pair.code, pair.reference_points, f"pair_{number}")
        for number, pair in enumerate(parts.card.pairs, start=1)
    ]
    lines = [f"    ({feature!r}, {code!r}, {reference}, {function})," for feature, code, reference, function in rows]
    return "\n".join(["# feature, code, reference points, points by value and state", "TABLES = [", *lines, "]", ""])
