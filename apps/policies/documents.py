"""A policy file (TOML, format 1) becomes a Policy, or a list of all that is wrong with it.

docs/reference/policy-format.md describes the file. What is read here can be decided with; whether it is wise and
complete is for lint.py to say.
"""

import re
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from functools import lru_cache

from apps.common.sentences import Sentence
from apps.policies.expressions import FLAG, NUMBER, TEXT, Expression, parse
from apps.policies.names import names_of
from apps.policies.policy import (
    CUT_OFF_NAMES,
    KIND_OF_UNIT,
    KINDS,
    KNOCKOUT,
    LEGAL,
    OUTCOMES,
    OVERS,
    SOURCES,
    UNITS,
    UNKNOWNS,
    Band,
    Cap,
    DatedValue,
    Example,
    Feature,
    People,
    Policy,
    PolicyError,
    Price,
    Problem,
    Rule,
)
from apps.policies.tables import CODE, Table
from apps.scoring_engine.ml.grades import GRADES
from apps.scoring_engine.ml.vocabulary import SEGMENTS

__all__ = ["Policy", "PolicyError", "Problem", "read_policy"]

FORMAT = 1
MOST = 10**15
CURRENCIES = ("UZS", "USD", "EUR", "RUB", "KZT", "GBP", "CNY", "JPY", "TRY", "CHF")
GRADE_LETTERS = tuple(letter for letter, _ in GRADES)
NUMBER_UNITS = tuple(unit for unit in UNITS if unit not in KIND_OF_UNIT)
DEFAULT_LOSS = "0.45"
_PLACE = re.compile(r"\(at line (\d+), column (\d+)\)$")
NOTHING = parse("0")  # stands where an expression was refused, so that all other problems are found too
RESERVED = frozenset({"true", "false", "probability_of_default", "instalment", "min", "max", "first", "known"})
ENGINE_CODES = frozenset({"grade_unknown", "price_unknown", "price_above_most"})


@lru_cache(maxsize=64)
def read_policy(text: str) -> Policy:
    """Raises PolicyError with all problems that can be found at once."""
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise PolicyError([Problem("file", _not_toml(error))]) from None
    problems: list[tuple[str, str]] = []
    policy = _policy(Table("", document, problems), text)
    if problems:
        raise PolicyError([Problem(where or "file", message) for where, message in problems])
    return policy


def _not_toml(error: Exception) -> Sentence:
    place = _PLACE.search(str(error))
    if place is None:
        return Sentence("it is not TOML: {reason}", reason=str(error))
    line, column = map(int, place.groups())
    reason = str(error)[: place.start()].rstrip()
    return Sentence(
        "it is not TOML: {reason} (at line {line}, column {column})", reason=reason, line=line, column=column
    )


def _policy(file: Table, text: str) -> Policy:
    if file.whole("format", 1, 1_000) != FORMAT:
        file.note("format", Sentence("must be {format}; no other is known", format=FORMAT))
    head = {"code": file.slug("code"), "version": file.slug("version"), "segment": file.one_of("segment", SEGMENTS)}
    kinds = {name: known.kind for name, known in names_of(head["segment"]).items()}
    values = _values(file, kinds)
    kinds |= dict.fromkeys(values, NUMBER)
    loss, price, features = _risk(file, kinds)
    rules = _rules(file, kinds)
    on, bands = _cut_offs(file)
    policy = Policy(
        **head,
        currency=file.one_of("currency", CURRENCIES),
        valid_from=file.day("valid_from"),
        title=file.languages("title"),
        values=values,
        features=features,
        rules=rules,
        cut_offs_on=on,
        bands=bands,
        caps=_caps(file, kinds),
        loss_given_default=loss,
        price=price,
        people=_people(file),
        freshness=_freshness(file),
        examples=_examples(file),
        text=text,
    )
    file.done()
    _check_codes(file, policy)
    return policy


def _values(file: Table, kinds: Mapping[str, str]) -> dict[str, DatedValue]:
    table = file.table("values")
    if table is None:
        return {}
    names = list(table.left)
    return {name: _value(table.table(name), name, kinds) for name in names if _is_new(table, name, kinds)}


def _is_new(table: Table, name: str, kinds: Mapping[str, str]) -> bool:
    if CODE.fullmatch(name) and name not in kinds and name not in RESERVED:
        return True
    table.note(name, Sentence("is taken, or no name: small letters, digits and _, other than a fact's"))
    return False


def _value(table: Table, name: str, kinds: Mapping[str, str]) -> DatedValue:
    by = table.one_of("by", [known for known, kind in kinds.items() if kind == TEXT], None)
    value = DatedValue(
        name=name,
        unit=table.one_of("unit", NUMBER_UNITS),
        source=table.text("source"),
        to_confirm=table.flag("to_confirm", False),
        by=by,
        dated=tuple(_dated(table, by)),
    )
    table.done()
    return value


def _dated(table: Table, by: str | None) -> Iterator[tuple[date, float | dict[str, float]]]:
    last = date.min
    entries = table.tables("dated")
    if not entries:
        table.note("dated", Sentence("must name at least one day: dated = [{{ from = 2026-01-01, is = 0.5 }}]"))
    for entry in entries:
        entry.where = f"{table.where}.{entry.where}"
        start = entry.day("from")
        if start <= last:
            entry.note("from", Sentence("must be later than {last}: the days ascend", last=last))
        last = start
        yield start, entry.number("is", -MOST, MOST) if by is None else _by_category(entry)
        entry.done()


def _by_category(entry: Table) -> dict[str, float]:
    table = entry.table("is")
    if table is None:
        entry.note("is", Sentence("is missing"))
        return {}
    if "otherwise" not in table.left:
        table.note("otherwise", Sentence("is missing: what holds for every other category"))
    return {name: table.number(name, -MOST, MOST) for name in list(table.left)}


def _risk(file: Table, kinds: dict[str, str]) -> tuple[Expression, Price | None, tuple[Feature, ...]]:
    """Features, loss and price may speak of each other, only not in a circle: their kinds come first."""
    tables = file.tables("features")
    units = [(table.where, table.code("name"), table.one_of("unit", UNITS)) for table in tables]
    for where, name, _ in units:
        if name in kinds or name in RESERVED:
            file.problems.append((f"{where}.name", Sentence("{name} is taken; choose another name", name=name)))
    kinds |= {name: KIND_OF_UNIT.get(unit, NUMBER) for _, name, unit in units}
    features = tuple(_feature(*each, kinds) for each in zip(tables, units, strict=True))
    loss, price = _loss(file, kinds), _price(file, kinds)
    _check_circles(file, features, loss, price)
    return loss, price, features


def _feature(table: Table, unit: tuple[str, str, str], kinds: Mapping[str, str]) -> Feature:
    _, name, measured = unit
    formula = table.expression("formula", kinds.get(name, NUMBER), kinds) or NOTHING
    feature = Feature(name=name, unit=measured, formula=formula, label=table.languages("label"))
    table.done()
    return feature


def _loss(file: Table, kinds: Mapping[str, str]) -> Expression:
    table = file.table("loss")
    if table is None:
        return parse(DEFAULT_LOSS)
    loss = table.expression("given_default", NUMBER, kinds)
    table.done()
    return loss or NOTHING


def _price(file: Table, kinds: Mapping[str, str]) -> Price | None:
    table = file.table("price")
    if table is None:
        return None
    rate = table.expression("annual_rate", NUMBER, kinds) or NOTHING
    price = Price(annual_rate=rate, least=table.number("least", 0, 10), most=table.number("most", 0, 10))
    if price.least is not None and price.most is not None and price.least > price.most:
        table.note("least", Sentence("must not be above most, which is {most:g}", most=price.most))
    table.done()
    return price


def _check_circles(file: Table, features: tuple[Feature, ...], loss: Expression, price: Price | None) -> None:
    needs = {feature.name: feature.formula.names for feature in features} | {"loss_given_default": loss.names}
    needs |= {"annual_rate": price.annual_rate.names} if price else {}
    done: set[str] = set()

    def walk(name: str, above: tuple[str, ...]) -> None:
        if name in above:
            file.note(
                "features", Sentence("a circle: {circle}", circle=" needs ".join((*above[above.index(name) :], name)))
            )
        elif name in needs and name not in done:
            for needed in needs[name]:
                walk(needed, (*above, name))
            done.add(name)

    for name in needs:
        walk(name, ())


def _rules(file: Table, kinds: Mapping[str, str]) -> tuple[Rule, ...]:
    return tuple(_rule(table, kinds) for table in file.tables("rules"))


def _rule(table: Table, kinds: Mapping[str, str]) -> Rule:
    code = table.code()
    table.where = f"{table.where} {code}" if code else table.where
    kind = table.one_of("kind", KINDS)
    hard = kind in (KNOCKOUT, LEGAL)
    rule = Rule(
        code=code,
        kind=kind,
        when=table.expression("when", FLAG, kinds) or NOTHING,
        outcome=table.one_of("outcome", ("refer",) if kind == LEGAL else ("decline", "refer")),
        unknown=table.one_of("unknown", ("refer", "decline") if hard else UNKNOWNS, "refer"),
        overridable=table.flag("overridable", not hard),
        source=table.text("source"),
        reason=table.languages("reason"),
        private=table.flag("private", False),
        public_reason=table.languages("public_reason", None),
    )
    if rule.private and rule.public_reason is None:
        table.note(
            "public_reason", Sentence("is missing: what the applicant is told in place of what nobody else may know")
        )
    table.done()
    return rule


def _cut_offs(file: Table) -> tuple[str | None, tuple[Band, ...]]:
    table = file.table("cut_offs")
    if table is None:
        return None, ()
    on = table.one_of("on", CUT_OFF_NAMES)
    bands = tuple(_band(each) for each in table.tables("bands"))
    if not bands:
        table.note("bands", Sentence("must name at least one band"))
    table.done()
    return on, bands


def _band(table: Table) -> Band:
    table.where = f"cut_offs.{table.where}"
    band = Band(
        code=table.code(),
        start=table.number("from", -MOST, MOST, None),
        below=table.number("below", -MOST, MOST, None),
        outcome=table.one_of("outcome", OUTCOMES),
        reason=table.languages("reason", None),
    )
    if band.outcome != "approve" and band.reason is None:
        table.note("reason", Sentence("is missing: only a band that approves needs none"))
    table.done()
    return band


def _caps(file: Table, kinds: Mapping[str, str]) -> tuple[Cap, ...]:
    return tuple(_cap(table, kinds) for table in file.tables("caps"))


def _cap(table: Table, kinds: Mapping[str, str]) -> Cap:
    cap = Cap(
        code=table.code(),
        grades=table.codes("grades", GRADE_LETTERS),
        most_amount=table.expression("most_amount", NUMBER, kinds, None),
        most_term_months=table.expression("most_term_months", NUMBER, kinds, None),
        over=table.one_of("over", OVERS),
        reason=table.languages("reason"),
    )
    table.done()
    return cap


def _people(file: Table) -> People:
    table = file.table("people")
    if table is None:
        file.note("people", Sentence("is missing: who decides what, and which reasons they may give"))
        return People(None, 1, (), ())
    people = People(
        second_person_above=table.whole("second_person_above", 0, MOST, None),
        override_days=table.whole("override_days", 1, 365),
        low_side_reasons=table.codes("low_side_reasons"),
        high_side_reasons=table.codes("high_side_reasons"),
    )
    table.done()
    return people


def _freshness(file: Table) -> dict[str, int]:
    table = file.table("freshness")
    if table is None:
        return {}
    days = {name: table.whole(name, 1, 3_650) for name in SOURCES if name in table.left}
    table.done()
    return days


def _examples(file: Table) -> tuple[Example, ...]:
    read: dict[str, Example] = {}
    for table in file.tables("examples"):
        example = _example(table, read)
        if example.title in read:
            table.note("title", Sentence("is that of an earlier example"))
        read[example.title] = example
    return tuple(read.values())


def _example(table: Table, earlier: Mapping[str, Example]) -> Example:
    """`like` takes the day, facts and assessment of an earlier one, `without` leaves some of them out."""
    like = table.text("like", None)
    if like is not None and like not in earlier:
        table.note("like", Sentence("is the title of no earlier example"))
    base = earlier.get(like or "", Example("", date.min, {}, None, {}))
    without = table.codes("without") if "without" in table.left else ()
    given = {name: dict(part.left) if (part := table.table(name)) else {} for name in ("facts", "assessment", "expect")}
    if not base.facts | given["facts"] or not given["expect"]:
        table.note("facts and expect", Sentence("must be given: what is known, and what is decided"))
    facts = {name: value for name, value in base.facts.items() if name not in without} | given["facts"]
    assessed = {} if "assessment" in without else dict(base.assessment or {}) | given["assessment"]
    on_date = base.on_date if base.facts and "on_date" not in table.left else table.day("on_date")
    example = Example(table.text("title"), on_date, facts, assessed or None, given["expect"])
    table.done()
    return example


def _check_codes(file: Table, policy: Policy) -> None:
    """Codes name what spoke, in a log that is kept for good: one code, one meaning."""
    codes = [each.code for each in (*policy.rules, *policy.bands, *policy.caps)]
    for code, times in Counter(codes).items():
        if times > 1:
            file.note(
                "codes",
                Sentence("{code} stands {times} times; each rule, band and cap has its own", code=code, times=times),
            )
        if code in ENGINE_CODES:
            file.note("codes", Sentence("{code} is a code of the engine's own; choose another", code=code))
