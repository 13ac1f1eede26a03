"""A card as PMML 4.4: a Scorecard whose reason codes rank characteristics by points below their reference points.

Steps as in the SQL: special codes become states, derived features follow, and every table asks for its bins in order,
where a predicate on a value that is not there is unknown and so never chosen.
"""

from collections.abc import Iterable, Sequence
from copy import deepcopy
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from ..card_inputs import OTHER_SCALE, Input
from ..cards import AS_OF, Feature
from ..characteristics import Characteristic
from ..features import DAYS_OF_YEAR, MISSING, SPECIAL, UNAVAILABLE
from ..grades import EVEN_ODDS_SCORE, POINTS_TO_DOUBLE_ODDS
from ..pairs import Axis, Pair
from ..vocabulary import SCALE_OF
from .parts import Parts, check_exact, code_values, over_nothing

VERSION, NAMESPACE = "4.4", "http://www.dmg.org/PMML-4_4"
MOST_REASON_CODES = 4
FIRST_YEAR = 1900  # no date of a fact is earlier
_TYPES = {"category": "string", "flag": "boolean", "date": "date"}
_VALUE = "value"  # the state of what is there


def as_pmml(scorer: object) -> str:
    """Facts must have passed the lender's checks; `unavailable` is a text of names of facts between commas."""
    root = _Document(Parts(scorer)).root()
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode") + "\n"


class _Document:
    """The value of a fact with special codes is the field "<name> value", its state "<name> is"."""

    def __init__(self, parts: Parts) -> None:
        check_exact(parts)
        self._parts = parts
        self._valued = {entry.name for entry in parts.facts if entry.special_codes}
        self._fields = {name: _TYPES.get(kind, "double") for name, kind in parts.kinds().items()}
        if parts.reads_as_of:
            self._fields[AS_OF] = "date"
        self._fields[UNAVAILABLE] = "string"

    def root(self) -> Element:
        header = _element("Header", description=self._parts.title())
        header.append(_element("Extension", name="digest", value=self._parts.scorer.digest))
        header.append(_element("Application", name="credit_ML"))
        fields = [_element("DataField", name=name, **_typed(kind)) for name, kind in self._fields.items()]
        transformations = _element("TransformationDictionary", *self._known(), *self._derived())
        dictionary = _element("DataDictionary", *fields)
        return _element(
            "PMML", header, dictionary, transformations, self._scorecard(), version=VERSION, xmlns=NAMESPACE
        )

    # Fields

    def _field(self, name: str) -> Element:
        return _element("FieldRef", field=self._name_of(name))

    def _name_of(self, name: str) -> str:
        return f"{name} value" if name in self._valued else name

    def _known(self) -> Iterable[Element]:
        """A special code is no value: it becomes a state."""
        for entry in self._parts.facts:
            if entry.special_codes:
                yield _derived_field(f"{entry.name} value", "double", self._value_of_fact(entry))
            yield _derived_field(f"{entry.name} is", "string", self._state_of_fact(entry))

    def _value_of_fact(self, entry: Input) -> Element:
        given = _element("FieldRef", field=entry.name)
        return _first([*((test, _nothing()) for test, _ in self._special_tests(entry)), (None, given)])

    def _special_tests(self, entry: Input) -> list[tuple[Element, str]]:
        """(condition, state); all but the first may count on a value."""
        given = _element("FieldRef", field=entry.name)
        tests = [(_apply("isMissing", given), MISSING)]
        if entry.scale is not None:
            scale = _element("FieldRef", field=SCALE_OF[entry.name])
            tests.append((_apply("isMissing", scale), SPECIAL + OTHER_SCALE))
            tests.append((_apply("notEqual", scale, _text(entry.scale)), SPECIAL + OTHER_SCALE))
        for code, number in code_values(entry).items():
            tests.append((_apply("equal", given, _number(number)), SPECIAL + code))
        return tests

    def _state_of_fact(self, entry: Input) -> Element:
        (absent, _), *specials = self._special_tests(entry)
        down = _element("FieldRef", field=UNAVAILABLE)
        named = _apply("matches", down, _text(f"(^|[, ]){entry.name}([, ]|$)"))
        why = _first([(_apply("isMissing", down), _text(MISSING)), (named, _text(UNAVAILABLE)), (None, _text(MISSING))])
        return _first([(absent, why), *((test, _text(state)) for test, state in specials), (None, _text(_VALUE))])

    def _derived(self) -> Iterable[Element]:
        for feature in self._parts.features:
            parts = [part for part in feature.of if part != AS_OF]
            absent = [(_apply("isMissing", self._field(part)), _nothing()) for part in parts]
            yield _derived_field(feature.name, "double", _first([*absent, *self._formula(feature)]))
            yield _derived_field(f"{feature.name} is", "string", self._state_of_parts(feature, parts))

    def _formula(self, feature: Feature) -> list[tuple[Element | None, Element]]:
        first, last = self._field(feature.of[0]), self._field(feature.of[-1])
        if feature.kind == "difference":
            return [(None, _apply("-", first, last))]
        if feature.kind == "years_between":
            days = _apply("-", _days(last), _days(first))
            years = _apply("/", days, _number(DAYS_OF_YEAR))
            return [(_apply("greaterThan", days, _number(0)), years), (None, _number(0))]
        return self._ratio(feature, first, last)

    def _ratio(self, feature: Feature, above: Element, below: Element) -> list[tuple[Element | None, Element]]:
        least, nothing, most = (_number(value) for value in over_nothing(feature))
        by_sign = _first(
            [
                (_apply("greaterThan", above, _number(0)), most),
                (_apply("lessThan", above, _number(0)), least),
                (None, nothing),
            ]
        )
        quotient = _apply("*", _apply("/", above, below), _number(feature.multiplier))
        clipped = [(_apply("lessThan", quotient, least), least), (_apply("greaterThan", quotient, most), most)]
        return [(_apply("equal", below, _number(0)), by_sign), *clipped, (None, quotient)]

    def _state_of_parts(self, feature: Feature, parts: Sequence[str]) -> Element:
        """Of the parts an unavailable one decides first, then a special code, then a missing one."""
        states = [UNAVAILABLE, *(state for part in parts for state in self._parts.specials(part)), MISSING]
        cases = [
            (_apply("equal", _element("FieldRef", field=f"{part} is"), _text(state)), _text(state))
            for state in dict.fromkeys(states)
            for part in parts
        ]
        return _first([*cases, (None, _text(_VALUE))])

    # The scorecard

    def _scorecard(self) -> Element:
        card = self._parts.card
        tables = [*map(self._characteristic, card.characteristics), *map(self._pair, card.pairs)]
        mining = [_element("MiningField", name=name, invalidValueTreatment="asIs") for name in self._fields]
        return _element(
            "Scorecard", _element("MiningSchema", *mining), self._output(), _element("Characteristics", *tables),
            modelName=card.version, functionName="regression", initialScore=str(card.base_points),
            useReasonCodes="true", reasonCodeAlgorithm="pointsBelow", baselineMethod="other",
        )  # fmt: skip

    def _output(self) -> Element:
        score = _element("FieldRef", field="score")
        exponent = _apply("/", _apply("-", score, _number(EVEN_ODDS_SCORE)), _number(POINTS_TO_DOUBLE_ODDS))
        probability = _apply("/", _number(1), _apply("+", _number(1), _apply("pow", _number(2), exponent)))
        double, text = _typed("double"), _typed("string")
        count = min(MOST_REASON_CODES, len(self._parts.card.characteristics) + len(self._parts.card.pairs))
        codes = (
            _element("OutputField", name=f"reason_code_{rank}", feature="reasonCode", rank=str(rank), **text)
            for rank in range(1, count + 1)
        )
        named = {"name": "probability_of_default", "feature": "transformedValue"}
        return _element(
            "Output",
            _element("OutputField", name="score", feature="predictedValue", **double),
            _element("OutputField", probability, **named, **double),
            *codes,
        )

    def _characteristic(self, c: Characteristic) -> Element:
        rows = list(zip(self._bins(c), c.points, strict=True))
        if c.unseen_points is not None:
            rows.append((_test(self._name_of(c.feature), "isNotMissing"), c.unseen_points))
        for code, points in c.special_points.items():
            rows.append((self._in_state(c.feature, [SPECIAL + code]), points))
        rows.append((self._in_state(c.feature, [UNAVAILABLE]), c.unavailable_points))
        return _table(c, c.feature, [*rows, (_element("True"), c.missing_points)])

    def _pair(self, pair: Pair) -> Element:
        """Unavailable, then a special code without a place, then a cell, and else missing."""
        down = [self._in_state(name, [UNAVAILABLE]) for name in pair.features]
        rows = [(_compound("or", down), pair.unavailable_points)]
        for axis in pair.axes:
            specials = self._parts.specials(axis.feature)
            if specials and not axis.special:
                rows.append((self._in_state(axis.feature, specials), pair.reference_points))
        columns = self._sides(pair.axes[1])
        for line, points in zip(self._sides(pair.axes[0]), pair.points, strict=False):
            rows += [(_compound("and", [line, column]), cell) for column, cell in zip(columns, points, strict=False)]
        return _table(pair, pair.name, [*rows, (_element("True"), pair.missing_points)])

    def _sides(self, axis: Axis) -> list[Element]:
        specials = self._parts.specials(axis.feature) if axis.special else ()
        return [*self._bins(axis), *([self._in_state(axis.feature, specials)] if specials else [])]

    def _bins(self, table: Characteristic | Axis) -> list[Element]:
        """One predicate a bin, to be asked in this order."""
        name = self._name_of(table.feature)
        if table.groups is None:
            below = [_test(name, "lessThan", repr(float(edge))) for edge in table.edges]
            return [*below, _test(name, "greaterOrEqual", repr(float(table.edges[-1])))]
        return [_compound("or", [_test(name, "equal", _shown(value)) for value in group]) for group in table.groups]

    def _in_state(self, name: str, states: Sequence[str]) -> Element:
        return _compound("or", [_test(f"{name} is", "equal", state) for state in states])


# Elements


def _element(tag: str, *children: Element, **attributes: str) -> Element:
    made = Element(tag, attributes)
    made.extend(map(deepcopy, children))  # an element that stands twice would be indented once
    return made


def _typed(kind: str) -> dict[str, str]:
    return {"optype": "continuous" if kind in ("double", "date") else "categorical", "dataType": kind}


def _derived_field(name: str, kind: str, expression: Element) -> Element:
    return _element("DerivedField", expression, name=name, **_typed(kind))


def _apply(function: str, *arguments: Element) -> Element:
    return _element("Apply", *arguments, function=function)


def _first(cases: Sequence[tuple[Element | None, Element]]) -> Element:
    """The value of the first condition that holds; the last one stands without a condition."""
    *tests, (_, value) = cases
    for condition, other in reversed(tests):
        value = _apply("if", condition, other, value)
    return value


def _nothing() -> Element:
    return _element("Constant", missing="true")


def _number(value: float) -> Element:
    made = _element("Constant", dataType="double")
    made.text = repr(float(value))
    return made


def _text(value: str) -> Element:
    made = _element("Constant", dataType="string")
    made.text = value
    return made


def _days(field: Element) -> Element:
    year = _element("Constant", dataType="integer")
    year.text = str(FIRST_YEAR)
    return _apply("dateDaysSinceYear", field, year)


def _test(field: str, operator: str, value: str | None = None) -> Element:
    return _element("SimplePredicate", field=field, operator=operator, **({} if value is None else {"value": value}))


def _compound(operator: str, predicates: Sequence[Element]) -> Element:
    alone = len(predicates) == 1
    return predicates[0] if alone else _element("CompoundPredicate", *predicates, booleanOperator=operator)


def _shown(value: str | bool) -> str:
    return str(value).lower() if type(value) is bool else value


def _table(table: Characteristic | Pair, name: str, rows: Sequence[tuple[Element, int]]) -> Element:
    attributes = [_element("Attribute", predicate, partialScore=str(points)) for predicate, points in rows]
    named = {"name": name, "reasonCode": table.code, "baselineScore": str(table.reference_points)}
    return _element("Characteristic", *attributes, **named)
