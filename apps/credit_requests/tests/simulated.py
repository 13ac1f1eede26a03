"""A small policy and eight requests whose every figure is worked out by hand. Currency UZS, loss given default 0.5,
horizon 12 months, so that the probability is the annual one; cost of funds 0.10.

   amount term rate score    p  grade  current           candidate           loss      profit
A    1000   12 0.20   520 0.05  E      approve           approve             25        1000 * 0.1 * 0.95 - 25 = 70
B    2000   12 0.30   480 0.10  F      refer (grey)      approve, 600 (cap)  30         600 * 0.2 * 0.90 - 30 = 78
C    1000   36 0.20   520 0.05  E      refer (too long)  the same            25
D     500   12 0.20   400 0.50  G      decline (low)     the same           125         500 * 0.1 * 0.50 - 125 = -100
E    1000   12 0.20   520 0.05  E      decline (banned)  the same            25
F    1000   12 0.20   520 0.05  E      refer (demonstration), approve before bars   25
G    1000   12 0.20     -    -  -      refer (not assessed)
H    1000   12 0.20   520 0.05  E      refer (ban not known)                 25
"""

from typing import Any

CURRENT = """
format = 1
code = "small"
version = "1"
segment = "individual"
currency = "UZS"
valid_from = 2020-01-01
title = { uz = "Kichik", ru = "Малая", en = "Small" }
[values.longest]
unit = "months"
source = "invented for a test"
dated = [ { from = 2020-01-01, is = 24 }, { from = 2026-06-01, is = 48 } ]
[values.most_of_f]
unit = "currency"
source = "invented for a test"
dated = [ { from = 2020-01-01, is = 600 } ]
[[rules]]
code = "banned"
kind = "knockout"
when = "self_banned"
outcome = "decline"
source = "invented for a test"
reason = { uz = "Taqiq", ru = "Запрет", en = "Banned" }
[[rules]]
code = "too_long"
kind = "limit"
when = "term_months > longest"
outcome = "refer"
source = "invented for a test"
reason = { uz = "Uzoq", ru = "Долго", en = "Too long" }
[cut_offs]
on = "score"
[[cut_offs.bands]]
code = "score_low"
below = 440
outcome = "decline"
reason = { uz = "Past", ru = "Низко", en = "Low" }
[[cut_offs.bands]]
code = "score_grey"
from = 440
below = 500
outcome = "refer"
reason = { uz = "Oʻrta", ru = "Средне", en = "Grey" }
[[cut_offs.bands]]
code = "score_good"
from = 500
outcome = "approve"
[[caps]]
code = "cap_of_f"
grades = ["F"]
most_amount = "most_of_f"
over = "offer_less"
reason = { uz = "Koʻpi bilan", ru = "Не более", en = "At most" }
[loss]
given_default = "0.5"
[people]
override_days = 14
low_side_reasons = ["other"]
high_side_reasons = ["other"]
"""
CANDIDATE = CURRENT.replace('version = "1"', 'version = "2"').replace("= 500", "= 460")
# As rows of a table.
_A = {"requested_amount": 1000, "term_months": 12, "annual_rate": 0.2, "repayment_type": "annuity", "score": 520,
      "probability_of_default": 0.05, "horizon_months": 12, "self_banned": False, "channel": "branch"}  # fmt: skip
_NOT_ASSESSED = dict.fromkeys(("score", "probability_of_default", "horizon_months"))
ROWS: list[dict[str, Any]] = [
    _A,
    _A | {"requested_amount": 2000, "annual_rate": 0.3, "score": 480, "probability_of_default": 0.1,
          "channel": "online"},
    _A | {"term_months": 36},
    _A | {"requested_amount": 500, "score": 400, "probability_of_default": 0.5, "channel": None},
    _A | {"self_banned": True},
    _A | {"bar": "demonstration"},
    _A | _NOT_ASSESSED,
    _A | {"self_banned": None},
]  # fmt: skip
