"""What the engine decides: the most severe wins, bars refer, what is not known never helps, caps and price hold."""

import math
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.policies.documents import read_policy
from apps.policies.engine import BARS, SEVERITY, Assessment, bind, decide
from apps.policies.policy import KNOCKOUT, LEGAL
from apps.policies.services import DEFAULTS
from apps.policies.tests.random_requests import draw_rows
from apps.policies.tests.small_policy import SMALL

DAY = date(2026, 12, 7)
FACTS = {
    "requested_amount": 10_000_000,
    "term_months": 12,
    "annual_rate": 0.24,
    "repayment_type": "annuity",
    "salary": 4_000_000,
    "monthly_debt_payments": 1_000_000,
    "self_banned": False,
    "delinquencies_24m": 0,
}
GOOD = Assessment(score=550, probability_of_default=0.1, horizon_months=36, grade="D")
POLICY = read_policy(SMALL)


def decided(assessment=GOOD, policy=POLICY, day=DAY, **facts):
    known = {name: value for name, value in (FACTS | facts).items() if value is not None}
    return decide(known, assessment, policy, day)


def told(outcome):
    return outcome.outcome, outcome.policy_outcome, outcome.reasons


def changed(*replaced: tuple[str, str], added: str = ""):
    text = SMALL
    for old, new in replaced:
        assert old in text
        text = text.replace(old, new, 1)
    return read_policy(text + added)


def test_where_nothing_speaks_against_it_it_is_approved_on_the_terms_asked_for():
    found = decided()
    assert told(found) == ("approve", "approve", ())
    terms = found.terms
    assert (terms.amount, terms.term_months, terms.annual_rate_basis_points, terms.capped_by) == (10**7, 12, 2_400, ())
    assert terms.instalment == 945_596  # 1e7 * 0.02 / (1 - 1.02 ** -12) = 945,595.97


def test_the_most_severe_outcome_wins_and_only_its_rules_are_the_reasons():
    found = decided(delinquencies_24m=3, monthly_debt_payments=3_000_000)
    assert told(found) == ("decline", "decline", ("service_over_limit",))
    assert [(step.code, step.fired, step.outcome) for step in found.trace] == [
        ("banned", False, "approve"),
        ("service_over_limit", True, "decline"),
        ("late", True, "refer"),
        ("good", True, "approve"),
    ]


def test_reasons_stand_in_the_policy_s_order():
    found = decided(replace(GOOD, score=400), self_banned=True, monthly_debt_payments=3_000_000)
    assert found.reasons == ("banned", "service_over_limit", "low")


@pytest.mark.parametrize(
    ("score", "outcome", "code"),
    [(439, "decline", "low"), (440, "refer", "grey"), (499, "refer", "grey"), (500, "approve", "good")],
)
def test_a_band_holds_its_lower_bound_and_not_its_upper(score, outcome, code):
    found = decided(replace(GOOD, score=score))
    assert (found.outcome, found.trace[-1].code) == (outcome, code)


@pytest.mark.parametrize("bar", [bar for bar in BARS if bar != "not_assessed"])
def test_a_barred_assessment_neither_approves_nor_declines(bar):
    barred = replace(GOOD, bars=(bar,))
    assert told(decided(barred)) == ("refer", "approve", (f"bar:{bar}",))
    assert told(decided(replace(barred, score=400))) == ("refer", "decline", (f"bar:{bar}",))
    assert told(decided(barred, delinquencies_24m=3)) == ("refer", "refer", ("late", f"bar:{bar}"))


def test_a_knock_out_declines_all_the_same():
    barred = replace(GOOD, score=400, bars=("fallback", "demonstration"))
    found = decided(barred, self_banned=True, monthly_debt_payments=3_000_000)
    assert told(found) == ("decline", "decline", ("banned",))


def test_what_was_not_assessed_is_referred():
    found = decided(None)
    assert told(found) == ("refer", "refer", ("grade_unknown", "bar:not_assessed"))
    assert (found.annual_probability_of_default, found.expected_loss) == (None, None)


def test_a_register_that_did_not_answer_refers_and_never_passes():
    found = decided(self_banned=None)
    assert told(found) == ("refer", "refer", ("banned",))
    assert (found.trace[0].fired, found.trace[0].missing) == (None, ("self_banned",))


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf, 1e16, -(10**16), 10**400])
def test_what_is_no_number_of_the_vocabulary_is_not_known_and_never_passes(number):
    found = decided(delinquencies_24m=number)
    assert told(found) == ("refer", "refer", ("late",))
    assert (found.trace[2].fired, found.trace[2].missing) == (None, ("delinquencies_24m",))


def test_what_is_derived_from_what_is_missing_names_the_facts():
    found = decided(salary=None, monthly_debt_payments=None)
    assert found.trace[1].missing == ("monthly_debt_payments", "salary", "yearly_income")


def test_an_unknown_may_be_told_to_pass_or_to_decline():
    passes = changed(('code = "late"', 'code = "late"\nunknown = "pass"'))
    assert decided(policy=passes, delinquencies_24m=None).outcome == "approve"
    declines = changed(('code = "late"', 'code = "late"\nunknown = "decline"'))
    assert told(decided(policy=declines, delinquencies_24m=None)) == ("decline", "decline", ("late",))
    # Not a knock-out that fired: a barred assessment is referred.
    assert decided(replace(GOOD, bars=("fallback",)), policy=declines, delinquencies_24m=None).outcome == "refer"


# --- Dated limits ---------------------------------------------------------------------------------------------


def test_each_day_has_its_own_limit():
    dated = changed(
        ("{ from = 2026-01-01, is = 0.5 }]", "{ from = 2026-01-01, is = 0.8 }, { from = 2026-12-08, is = 0.5 }]")
    )
    days = [date(2026, 12, 7), date(2026, 12, 8)]
    assert [decided(policy=dated, day=day, monthly_debt_payments=3_000_000).outcome for day in days] == [
        "approve",
        "decline",
    ]


def test_before_its_first_day_a_limit_is_not_known():
    found = decided(day=date(2025, 12, 31))
    assert (found.outcome, found.reasons) == ("refer", ("service_over_limit", "cap"))


# --- Terms ----------------------------------------------------------------------------------------------------


def test_a_cap_offers_less():
    found = decided(requested_amount=40_000_000, monthly_debt_payments=0)
    assert (found.outcome, found.reasons, found.terms.amount, found.terms.capped_by) == (
        "approve",
        (),
        32_000_000,
        ("cap",),
    )


def test_a_cap_may_refer_instead():
    refers = changed(('over = "offer_less"', 'over = "refer"'))
    found = decided(policy=refers, requested_amount=40_000_000, monthly_debt_payments=0)
    assert (found.outcome, found.reasons, found.terms.amount) == ("refer", ("cap",), 40_000_000)


PRICE = '\n[price]\nannual_rate = "0.1 + annual_probability_of_default * loss_given_default"\nleast = {}\nmost = {}\n'
# GOOD: 1 - 0.9 ** (12 / 36) = 0.0345106 a year; * 0.45 = 0.0155298


def test_the_risk_is_priced_up_to_a_whole_basis_point():
    found = decided(policy=changed(added=PRICE.format(0.05, 0.5)))
    assert found.terms.annual_rate_basis_points == 1_156
    assert found.expected_loss == 155_298


def test_a_price_is_never_below_its_least_and_above_its_most_people_decide():
    assert decided(policy=changed(added=PRICE.format(0.2, 0.5))).terms.annual_rate_basis_points == 2_000
    found = decided(policy=changed(added=PRICE.format(0.01, 0.11)))
    assert (found.outcome, found.reasons) == ("refer", ("price_above_most",))


def test_an_incomplete_request_has_no_terms():
    assert decided(requested_amount=None).terms is None


# --- For whatever is asked ------------------------------------------------------------------------------------

SHIPPED = {path.stem: read_policy(path.read_text(encoding="utf-8")) for path in sorted(DEFAULTS.glob("*.toml"))}
ROWS = {segment: draw_rows(segment, 2_000, seed=11) for segment in ("individual", "company")}


@st.composite
def asked(draw):
    policy = SHIPPED[draw(st.sampled_from(sorted(SHIPPED)))]
    facts, assessment = draw(st.sampled_from(ROWS[policy.segment]))
    return policy, facts, assessment


@settings(max_examples=300, deadline=None)
@given(asked())
def test_the_outcome_is_the_most_severe_of_what_is_asked_for(one):
    policy, facts, assessment = one
    found = decide(facts, assessment, policy, DAY)
    assert SEVERITY[found.policy_outcome] == max(SEVERITY[step.outcome] for step in found.trace)
    if found.bars and found.outcome != "refer":
        assert found.outcome == "decline"
        assert any(step.kind == KNOCKOUT and step.fired for step in found.trace)


@settings(max_examples=300, deadline=None)
@given(asked(), st.data())
def test_hiding_a_fact_of_a_hard_rule_never_helps(one, data):
    policy, facts, assessment = one
    hard = sorted(
        {name for rule in policy.rules if rule.kind in (KNOCKOUT, LEGAL) for name in rule.when.names} & set(facts)
    )
    if not hard:
        return
    hidden = data.draw(st.sampled_from(hard))
    before = {step.code: step for step in decide(facts, assessment, policy, DAY).trace}
    without = {name: value for name, value in facts.items() if name != hidden}
    for step in decide(without, assessment, policy, DAY).trace:
        if step.kind in (KNOCKOUT, LEGAL) and before[step.code].fired:
            assert step.fired or step.outcome != "approve", step.code


@settings(max_examples=200, deadline=None)
@given(asked(), st.randoms(use_true_random=False))
def test_the_order_of_the_facts_does_not_matter(one, chance):
    policy, facts, assessment = one
    names = list(facts)
    chance.shuffle(names)
    shuffled = {name: facts[name] for name in names}
    assert decide(shuffled, assessment, policy, DAY) == decide(facts, assessment, policy, DAY)


EDGES = (0, -1, 1, 12, 10**15, -(10**15), 10**400, 5e-324, 1e-17, 0.5, 1e300, -1.7e308, math.nan, math.inf, -math.inf)


@st.composite
def extreme(draw):
    policy = draw(st.sampled_from(list(SHIPPED.values())))
    of_kind = {"flag": st.booleans(), "text": st.sampled_from(("annuity", "bullet", "mortgage", "", "{}"))}
    numbers = st.sampled_from(EDGES) | st.floats()
    facts = {name: of_kind.get(policy.kinds[name], numbers) for name in bind(policy, DAY).asked}
    scores = st.sampled_from((-30_000, 0, 400, 1_200, 30_000))
    assessed = st.builds(
        Assessment, scores, st.sampled_from((0.0, 5e-324, 0.5, 1.0)), st.sampled_from((1, 600)), st.just("D")
    )
    return policy, draw(st.fixed_dictionaries({}, optional=facts)), draw(st.none() | assessed)


@settings(max_examples=500, deadline=None)
@given(extreme(), st.sampled_from((date.min, DAY, date.max)))
def test_it_answers_whatever_the_facts_are(one, day):
    policy, facts, assessment = one
    assert decide(facts, assessment, policy, day).outcome in SEVERITY


@pytest.mark.parametrize("rate", [5e-324, 1e-20, 1e-16])
def test_a_rate_too_small_to_count_is_an_instalment_without_interest(rate):
    assert decided(annual_rate=rate).terms.instalment == 833_334  # 10,000,000 / 12


def test_facts_that_the_policy_does_not_know_are_none_of_its_business():
    assert decide(FACTS | {"service": 9.0, "income": 0, "own_fact": "x"}, GOOD, POLICY, DAY) == decided()
