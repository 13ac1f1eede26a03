"""A card as one SELECT: score, probability of default and points, for every row of a table of facts."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..card_inputs import OTHER_SCALE, Input
from ..cards import AS_OF, Feature
from ..characteristics import Characteristic
from ..features import MISSING, SPECIAL, UNAVAILABLE
from ..pairs import Axis, Pair
from ..vocabulary import SCALE_OF
from .dialects import DIALECTS, Dialect
from .parts import ExportError, Parts, check_exact, code_values, over_nothing

LONGEST_NAME = 63  # bytes; PostgreSQL cuts longer ones
Columns = dict[str, str]  # SQL expression by name of the column
_TYPES = {"category": "TEXT", "flag": "BOOLEAN"}


@dataclass(frozen=True, slots=True)
class Table:
    """Where the facts stand.

    keys: columns that come back with the score; columns: by fact, where a column is not called as its fact;
    as_of: a column, or the day itself; unavailable: a text column with names of facts between commas, or None.
    """

    name: str = "applicants"
    keys: tuple[str, ...] = ("id",)
    columns: Mapping[str, str] = field(default_factory=dict)
    as_of: str | dt.date = AS_OF
    unavailable: str | None = None


def as_sql(scorer: object, dialect: str, table: Table | None = None) -> str:
    """Facts must have passed the lender's checks; NULL is missing, and so is NaN."""
    if dialect not in DIALECTS:
        raise ExportError(f"The dialect must be one of {', '.join(DIALECTS)}, not {dialect}.")
    return _Select(Parts(scorer), DIALECTS[dialect], table or Table()).text()


class _Select:
    """One SELECT under construction. Inside it a value is called as its fact or feature, its state "<name> is"."""

    def __init__(self, parts: Parts, dialect: Dialect, table: Table) -> None:
        check_exact(parts)
        self._parts = parts
        self._sql = dialect
        self._table = table
        self._keys = {f"key {number}": key for number, key in enumerate(table.keys, start=1)}
        self._carried = [*self._keys, *([AS_OF] if parts.reads_as_of else [])]
        self._names = output_names([*_table_names(parts)], table.keys)
        if table.name.lower() in self._steps():
            raise ExportError(f"A table called {table.name}, as a step of the SQL is, needs its schema beside it.")
        if taken := [key for key in table.keys if key in ("score", "probability_of_default")]:
            raise ExportError(f"A key cannot be called {taken[0]}, which is a column of the result.")
        unknown = set(table.columns) - set(parts.kinds())
        if unknown:
            raise ExportError(f"{', '.join(sorted(unknown))}: not a fact that this card reads.")

    def text(self) -> str:
        source = ".".join(_quoted(name) for name in self._table.name.split("."))
        names = self._steps()
        selects = [_select(self._given(), f"{source} AS a"), _select(self._known(), "given")]
        done = [entry.name for entry in self._parts.facts]
        for before, features in zip(names[1:], self._parts.levels(), strict=False):
            selects.append(_select(self._derived(done, features), before))
            done += [feature.name for feature in features]
        selects.append(_select(self._points(), names[-3]))
        selects.append(_select(self._scored(), "points"))
        steps = ",\n".join(
            f"{name} AS {self._sql.once}(\n{select}\n)" for name, select in zip(names, selects, strict=True)
        )
        return f"{self._heading()}\nWITH {steps}\n{_select(self._result(), 'scored', indent='  ')};\n"

    def _steps(self) -> list[str]:
        derived = [f"derived_{level}" for level, _ in enumerate(self._parts.levels(), start=1)]
        return ["given", "known", *derived, "points", "scored"]

    def _heading(self) -> str:
        horizon = self._parts.card.horizon
        return (
            f"-- {self._parts.title()} for {self._sql.name}\n"
            f"-- Digest (SHA-256 of its JSON): {self._parts.scorer.digest}\n"
            f"-- Horizon of the probability of default: {horizon['months']} months ({horizon['kind']})\n"
            "-- The facts must have passed the lender's checks already; NULL (and NaN) is missing."
        )

    # Steps, each a SELECT over the one before

    def _given(self) -> Columns:
        """Columns of the table, each in the one type that all that follows counts on."""
        table = self._table
        columns = {alias: f"a.{_quoted(key)}" for alias, key in self._keys.items()}
        if self._parts.reads_as_of:
            day = table.as_of
            literal = f"a.{_quoted(day)}" if isinstance(day, str) else self._sql.text(day.isoformat())
            columns[AS_OF] = self._sql.date(literal)
        for name, kind in self._parts.kinds().items():
            columns[name] = self._typed(kind, f"a.{_quoted(table.columns.get(name, name))}")
        if table.unavailable is not None:
            columns["unavailable facts"] = f"',' || replace(a.{_quoted(table.unavailable)}, ' ', '') || ','"
        return columns

    def _typed(self, kind: str, column: str) -> str:
        if kind == "date":
            return self._sql.date(column)
        return f"CAST({column} AS {_TYPES[kind]})" if kind in _TYPES else self._sql.double(column)

    def _known(self) -> Columns:
        """A special code is no value: it becomes a state."""
        columns = {name: _quoted(name) for name in self._carried}
        for entry in self._parts.facts:
            conditions = self._special_conditions(entry)
            value = _quoted(entry.name)
            if conditions:
                columns[entry.name] = _case([(test, "NULL") for test, _ in conditions], value)
            else:
                columns[entry.name] = value
            if self._has_state(entry.name):
                columns[f"{entry.name} is"] = self._state_of_fact(entry, conditions)
        return columns

    def _has_state(self, name: str) -> bool:
        """Whether a value that is not there can be anything else than missing."""
        return self._table.unavailable is not None or bool(self._parts.specials(name))

    def _special_conditions(self, entry: Input) -> list[tuple[str, str]]:
        value, found = _quoted(entry.name), []
        if entry.scale is not None:
            scale = f"COALESCE({_quoted(SCALE_OF[entry.name])}, '') <> {self._sql.text(entry.scale)}"
            found.append((f"{value} IS NOT NULL AND {scale}", SPECIAL + OTHER_SCALE))
        codes = code_values(entry).items()
        return found + [(f"{value} = {self._sql.number(number)}", SPECIAL + code) for code, number in codes]

    def _state_of_fact(self, entry: Input, conditions: list[tuple[str, str]]) -> str:
        absent = f"{_quoted(entry.name)} IS NULL"
        states = [(test, self._sql.text(state)) for test, state in conditions]
        if self._table.unavailable is not None:
            named = self._sql.place_of(self._sql.text(f",{entry.name},"), _quoted("unavailable facts"))
            states.append((f"{absent} AND {named} > 0", f"'{UNAVAILABLE}'"))
        return _case([*states, (absent, f"'{MISSING}'")])

    def _derived(self, done: Sequence[str], features: Sequence[Feature]) -> Columns:
        columns = {name: _quoted(name) for name in self._carried}
        for name in done:
            columns[name] = _quoted(name)
            if self._has_state(name):
                columns[f"{name} is"] = _quoted(f"{name} is")
        for feature in features:
            columns[feature.name] = self._value_of(feature)
            if self._has_state(feature.name):
                columns[f"{feature.name} is"] = self._state_of_parts(feature)
        return columns

    def _value_of(self, feature: Feature) -> str:
        first, last = _quoted(feature.of[0]), _quoted(feature.of[-1])
        if feature.kind == "difference":
            return f"{first} - {last}"
        if feature.kind == "ratio":
            return self._ratio(first, last, feature)
        days = self._sql.days(first, last)
        years = f"CAST({days} AS DOUBLE PRECISION) / {self._sql.number(365.25)}"
        return _case([(f"{first} IS NULL", "NULL"), (f"{days} > 0", years)], self._sql.number(0))

    def _ratio(self, above: str, below: str, feature: Feature) -> str:
        least, nothing, most = (self._sql.number(value) for value in over_nothing(feature))
        quotient = f"{above} / {below}"
        if feature.multiplier != 1:
            quotient += f" * {self._sql.number(feature.multiplier)}"
        cases = [
            (f"{above} IS NULL OR {below} IS NULL", "NULL"),
            (f"{below} = 0 AND {above} > 0", most),
            (f"{below} = 0 AND {above} < 0", least),
            (f"{below} = 0", nothing),
            *self._sql.quotient_guards(above, below, feature),
            (f"{quotient} < {least}", least),
            (f"{quotient} > {most}", most),
        ]
        return _case(cases, quotient)

    def _state_of_parts(self, feature: Feature) -> str:
        """NULL where there is a value: of the parts an unavailable one decides first, then a special code."""
        parts = [part for part in feature.of if part != AS_OF]
        stated = [part for part in parts if self._has_state(part)]
        unavailable = " OR ".join(f"{_quoted(f'{part} is')} = '{UNAVAILABLE}'" for part in stated)
        cases = [(unavailable, f"'{UNAVAILABLE}'")] if self._table.unavailable is not None else []
        cases += [(self._is_special(part), _quoted(f"{part} is")) for part in stated if self._parts.specials(part)]
        absent = " OR ".join(f"{_quoted(part)} IS NULL" for part in parts)
        return _case([*cases, (absent, f"'{MISSING}'")])

    def _is_special(self, name: str) -> str:
        return f"{_quoted(f'{name} is')} IN ({', '.join(map(self._sql.text, self._parts.specials(name)))})"

    def _points(self) -> Columns:
        card = self._parts.card
        columns = {name: _quoted(name) for name in self._keys}
        columns |= {self._names[c.feature]: self._characteristic(c) for c in card.characteristics}
        return columns | {self._names[pair.name]: self._pair(pair) for pair in card.pairs}

    def _characteristic(self, c: Characteristic) -> str:
        value, state = _quoted(c.feature), _quoted(f"{c.feature} is")
        cases = list(zip(self._bins(c), map(str, c.points), strict=True))
        if c.unseen_points is not None:
            cases.append((f"{value} IS NOT NULL", str(c.unseen_points)))
        for code, points in c.special_points.items():
            cases.append((f"{state} = {self._sql.text(SPECIAL + code)}", str(points)))
        if self._table.unavailable is not None:
            cases.append((f"{state} = '{UNAVAILABLE}'", str(c.unavailable_points)))
        return _case(cases, str(c.missing_points))

    def _bins(self, table: Characteristic | Axis) -> list[str]:
        """One condition a bin, to be asked in this order."""
        value = _quoted(table.feature)
        if table.groups is None:
            numbers = [self._sql.number(edge) for edge in table.edges]
            return [*(f"{value} < {number}" for number in numbers), f"{value} >= {numbers[-1]}"]
        return [f"{value} IN ({', '.join(map(self._value, group))})" for group in table.groups]

    def _value(self, value: str | bool) -> str:
        return str(value).upper() if type(value) is bool else self._sql.text(value)

    def _pair(self, pair: Pair) -> str:
        """Unavailable, then a special code without a place, then a cell, and else missing."""
        cases = []
        if self._table.unavailable is not None:
            down = " OR ".join(f"{_quoted(f'{name} is')} = '{UNAVAILABLE}'" for name in pair.features)
            cases.append((down, str(pair.unavailable_points)))
        for axis in pair.axes:
            if self._parts.specials(axis.feature) and not axis.special:
                cases.append((self._is_special(axis.feature), str(pair.reference_points)))
        columns = self._sides(pair.axes[1])
        for line, points in zip(self._sides(pair.axes[0]), pair.points, strict=False):
            cells = zip(columns, map(str, points), strict=False)
            cases.append((line, _case(list(cells), str(pair.missing_points), deeper=True)))
        return _case(cases, str(pair.missing_points))

    def _sides(self, axis: Axis) -> list[str]:
        special = axis.special and self._parts.specials(axis.feature)
        return [*self._bins(axis), *([self._is_special(axis.feature)] if special else [])]

    def _scored(self) -> Columns:
        points = list(self._names.values())
        columns = {name: _quoted(name) for name in (*self._keys, *points)}
        columns["score"] = " + ".join([str(self._parts.card.base_points), *map(_quoted, points)])
        return columns

    def _result(self) -> Columns:
        columns = {key: _quoted(alias) for alias, key in self._keys.items()}
        odds = f'("score" - 400) / {self._sql.number(50)}'
        columns["score"] = _quoted("score")
        columns["probability_of_default"] = f"1 / (1 + power({self._sql.number(2)}, {odds}))"
        return columns | {name: _quoted(name) for name in self._names.values()}


def output_names(tables: Sequence[str], taken: Sequence[str]) -> dict[str, str]:
    """By characteristic or pair, the column of its points: <name>_points, shorter and numbered where it must be."""
    used, names = {"score", "probability_of_default", *taken}, {}
    for number, table in enumerate(tables, start=1):
        name = table.replace(" ", "_") + "_points"
        if len(name) > LONGEST_NAME or name in used:
            name = f"{name[: LONGEST_NAME - 12]}_{number}_points"
        names[table] = name
        used.add(name)
    return names


def _table_names(parts: Parts) -> list[str]:
    return [c.feature for c in parts.card.characteristics] + [pair.name for pair in parts.card.pairs]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _case(cases: Sequence[tuple[str, str]], otherwise: str | None = None, *, deeper: bool = False) -> str:
    margin = "\n          " if deeper else "\n      "
    lines = "".join(f"{margin}WHEN {condition} THEN {value}" for condition, value in cases)
    end = "" if otherwise is None else f"{margin}ELSE {otherwise}"
    return f"CASE{lines}{end}{margin[:-2]}END" if cases else (otherwise or "NULL")


def _select(columns: Columns, source: str, indent: str = "    ") -> str:
    shown = [
        expression if expression == _quoted(name) else f"{expression} AS {_quoted(name)}"
        for name, expression in columns.items()
    ]
    lines = f",\n{indent}".join(shown)
    return f"{indent[2:]}SELECT\n{indent}{lines}\n{indent[2:]}FROM {source}"
