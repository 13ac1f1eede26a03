"""Money a month is not money a year: which units an expression may have, and what is refused."""

import pytest

from apps.policies.expressions import parse
from apps.policies.units import UnitError, fits, text_of, units_of

NAMES = {
    "salary": "currency per month", "yearly": "currency per year", "amount": "currency", "rate": "ratio per year",
    "term": "months", "kind": "category", "annual": "probability", "share": "ratio", "flag": "flag", "count": "count",
    "age": "years", "score": "score",
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "units"),
    [
        ("yearly / 12", {"currency per month"}),
        ("salary * 12", {"currency per year"}),
        ("12 * salary", {"currency per year"}),
        ("yearly / 6", {"currency per year"}),
        ("8 * salary", {"currency", "currency per month"}),
        ("term * salary", {"currency"}),
        ("age * yearly", {"currency"}),
        ("age * 12", {"months"}),
        ("amount / salary", {"months"}),
        ("amount / yearly", {"years"}),
        ("amount / term", {"currency per month"}),
        ("amount / amount", {"ratio"}),
        ("share * amount", {"currency"}),
        ("amount * share", {"currency"}),
        ("count * amount", {"currency"}),
        ("share * share", {"ratio"}),
        ("annual * share", {"probability", "ratio per year"}),
        ("annual * share + rate", {"ratio per year"}),
        ("rate + 0", {"ratio per year"}),
        ("1 - annual", {"probability"}),
        ("1 - share", {"ratio"}),
        ("-amount", {"currency"}),
        ("min(term, 36)", {"months"}),
        ("first(salary, yearly / 12)", {"currency per month"}),
        ("max(0, amount)", {"currency"}),
        ("instalment(amount, rate, term, kind)", {"currency per month"}),
        ("instalment(amount, rate, 36, 'annuity')", {"currency per month"}),
        ("known(salary)", {"flag"}),
        ("score > 400 and 0 < amount", {"flag"}),
        ("kind in ('a', 'b') or not flag", {"flag"}),
        ("kind == 'a'", {"flag"}),
        ("36", {"a number"}),
    ],
)
def test_units_of(text, units):
    assert units_of(parse(text).tree, NAMES) == units


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("salary + yearly", "`salary + yearly` joins currency per month with currency per year"),
        ("salary / yearly", "`salary / yearly` joins currency per month with currency per year"),
        ("amount * amount", "`amount * amount` joins currency with currency"),
        ("amount + 5", "`amount + 5` joins currency with a number"),
        ("max(amount, 5)", "max is given currency, a number"),
        ("first(salary, yearly)", "first is given currency per month, currency per year"),
        (
            "instalment(amount, share, term, kind)",
            "the rate of instalment, `share`, is ratio and not ratio per year",
        ),
        (
            "instalment(salary, rate, term, kind)",
            "the amount of instalment, `salary`, is currency per month and not currency",
        ),
        ("(salary + amount) * 2 > 0", "`salary + amount` joins currency per month with currency"),
        ("age > term", "`age` is compared with `term`: years with months"),
        (
            "rate > 0.3",
            "`rate` is compared with `0.3`: ratio per year needs a value with a name, a day and a source, "
            "not a bare number",
        ),
    ],
)
def test_what_does_not_fit_is_quoted(text, message):
    with pytest.raises(UnitError) as refused:
        units_of(parse(text).tree, NAMES)
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("units", "unit", "answer"),
    [
        ({"currency", "currency per month"}, "currency", True),
        ({"currency per month"}, "currency", False),
        ({"a number"}, "months", True),
        ({"a number"}, "ratio", True),
        ({"a number"}, "currency", False),
        ({"a number"}, "ratio per year", False),
        ({"0"}, "currency", True),
    ],
)
def test_where_an_expression_may_stand(units, unit, answer):
    assert fits(frozenset(units), unit) is answer


@pytest.mark.parametrize(
    "text",
    [
        "salary + (yearly / 12)",
        "not (age < 18) and (kind in ('a', 'b'))",
        "first(salary, 0) > -5",
        "true or (share <= 0.25)",
    ],
)
def test_a_tree_is_written_as_it_reads(text):
    assert parse(text_of(parse(text).tree)).tree == parse(text).tree
