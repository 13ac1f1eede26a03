"""A small policy without a finding, for tests that break one thing in it."""

import pytest

SMALL = """
format = 1
code = "small"
version = "1"
segment = "individual"
currency = "UZS"
valid_from = 2026-01-01
title = { uz = "Kichik", ru = "Малая", en = "Small" }

[values.most_service]
unit = "ratio"
source = "invented for a test"
dated = [{ from = 2026-01-01, is = 0.5 }]

[values.months_of_income]
unit = "months"
source = "invented for a test"
dated = [{ from = 2026-01-01, is = 8 }]

[[features]]
name = "income"
unit = "currency per month"
formula = "first(salary, yearly_income / 12)"
label = { uz = "daromad", ru = "доход", en = "income" }

[[features]]
name = "service"
unit = "ratio"
formula = "monthly_debt_payments / income"
label = { uz = "ulush", ru = "доля", en = "share" }

[[rules]]
code = "banned"
kind = "knockout"
when = "self_banned"
outcome = "decline"
private = true
source = "invented for a test"
reason = { uz = "Taqiqlangan", ru = "Запрещено", en = "Banned" }
public_reason = { uz = "Shart", ru = "Условие", en = "A condition" }

[[rules]]
code = "service_over_limit"
kind = "affordability"
when = "service > most_service"
outcome = "decline"
source = "invented for a test"
reason.uz = "Ulush {service}, {most_service}"
reason.ru = "Доля {service}, {most_service}"
reason.en = "Share {service}, {most_service}"

[[rules]]
code = "late"
kind = "limit"
when = "delinquencies_24m > 2"
outcome = "refer"
source = "invented for a test"
reason = { uz = "Kech {delinquencies_24m}", ru = "Поздно {delinquencies_24m}", en = "Late {delinquencies_24m}" }

[cut_offs]
on = "score"
[[cut_offs.bands]]
code = "low"
below = 440
outcome = "decline"
reason = { uz = "Ball {score}", ru = "Балл {score}", en = "Score {score}" }
[[cut_offs.bands]]
code = "grey"
from = 440
below = 500
outcome = "refer"
reason = { uz = "Ball {score} oʻrta", ru = "Балл {score} средний", en = "Score {score} grey" }
[[cut_offs.bands]]
code = "good"
from = 500
outcome = "approve"

[[caps]]
code = "cap"
grades = ["A", "B", "C", "D", "E", "F", "G"]
most_amount = "months_of_income * income"
over = "offer_less"
reason.uz = "Koʻpi bilan {months_of_income}"
reason.ru = "Не более {months_of_income}"
reason.en = "At most {months_of_income}"

[people]
second_person_above = 50_000_000
override_days = 14
low_side_reasons = ["collateral"]
high_side_reasons = ["conduct"]

[[examples]]
title = "good"
on_date = 2026-03-02
assessment = { score = 550, probability_of_default = 0.1, horizon_months = 36, grade = "D" }
expect = { outcome = "approve" }
[examples.facts]
requested_amount = 10_000_000
term_months = 12
annual_rate = 0.2
repayment_type = "annuity"
salary = 4_000_000
monthly_debt_payments = 1_000_000
self_banned = false
delinquencies_24m = 0

[[examples]]
title = "banned"
like = "good"
facts = { self_banned = true }
expect = { outcome = "decline", reasons = ["banned"] }

[[examples]]
title = "indebted"
like = "good"
facts = { monthly_debt_payments = 3_000_000 }
expect = { outcome = "decline", reasons = ["service_over_limit"] }

[[examples]]
title = "late"
like = "good"
facts = { delinquencies_24m = 3 }
expect = { outcome = "refer", reasons = ["late"] }

[[examples]]
title = "low"
like = "good"
assessment = { score = 400 }
expect = { outcome = "decline", reasons = ["low"] }

[[examples]]
title = "grey"
like = "good"
assessment = { score = 450 }
expect = { outcome = "refer", reasons = ["grey"] }

[[examples]]
title = "capped"
like = "good"
facts = { requested_amount = 40_000_000 }
expect = { outcome = "approve", terms = { amount = 32_000_000, capped_by = ["cap"] } }
"""

SERVICE = 'when = "service > most_service"'
# Changes that break it, with the place that a refusal names and a word of why.
WRONG = [
    pytest.param((SERVICE, 'when = "service > nothing_known"'), "service_over_limit", "nothing_known", id="name"),
    pytest.param((SERVICE, 'when = "service > income"'), "service_over_limit", "income", id="unit"),
    pytest.param(('unit = "ratio"', 'unit = "furlongs"'), "unit", "furlongs", id="unknown unit"),
    pytest.param(("below = 440", "below = 430"), "cut_offs", "430", id="gap"),
    pytest.param(('outcome = "approve" }', 'outcome = "decline" }'), "examples", "should be decline", id="example"),
]


def changed(*changes: tuple[str, str]) -> str:
    """The small policy with each first text replaced, which must stand in it exactly once."""
    text = SMALL
    for old, new in changes:
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times"
        text = text.replace(old, new)
    return text


def rule(code: str, when: str, *, kind: str = "limit", outcome: str = "refer", more: str = "") -> tuple[str, str]:
    """A change that adds a rule."""
    text = f"""
[[rules]]
code = "{code}"
kind = "{kind}"
when = "{when}"
outcome = "{outcome}"
source = "invented for a test"
reason = {{ uz = "Sabab", ru = "Причина", en = "Reason" }}
{more}

[cut_offs]
"""
    return "\n[cut_offs]\n", text


def feature(name: str, unit: str, formula: str) -> tuple[str, str]:
    text = f"""
[[features]]
name = "{name}"
unit = "{unit}"
formula = "{formula}"
label = {{ uz = "nom", ru = "имя", en = "name" }}

[[features]]
name = "service"
"""
    return '\n[[features]]\nname = "service"\n', text


def value(name: str, unit: str, dated: str, more: str = "") -> tuple[str, str]:
    text = f"""
[values.{name}]
unit = "{unit}"
source = "invented for a test"
dated = {dated}
{more}

[values.most_service]
"""
    return "\n[values.most_service]\n", text
