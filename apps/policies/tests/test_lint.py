"""Each check before publishing finds its one fault in a policy that has no other."""

import pytest

from apps.policies.documents import read_policy
from apps.policies.lint import lint
from apps.policies.policy import PolicyError
from apps.policies.tests.small_policy import SMALL, changed, feature, rule, value


def findings(*changes: tuple[str, str]) -> list[str]:
    """Without the warnings that a new rule has no example."""
    found = [f"{each.severity} {each.where}: {each.message}" for each in lint(read_policy(changed(*changes)))]
    return [text for text in found if "speaks in no example" not in text]


def refusal(*changes: tuple[str, str]) -> list[str]:
    with pytest.raises(PolicyError) as refused:
        read_policy(changed(*changes))
    return [f"{problem.where}: {problem.message}" for problem in refused.value.problems]


def test_a_sound_policy_has_no_finding():
    assert lint(read_policy(SMALL)) == []


# --- bands


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ([("from = 440", "from = 441")], "error cut_offs.grey: leaves a gap after low: from 440 to below 441"),
        ([("from = 440", "from = 440.5")], "error cut_offs.grey: leaves a gap after low: from 440 to below 440.5"),
        (
            [("from = 440", "from = 439")],
            "error cut_offs.grey: overlaps low: what is in both is judged by whichever stands first",
        ),
        (
            [('code = "low"\n', 'code = "low"\nfrom = 300\n')],
            "error cut_offs.low: leaves a gap: no band holds what is below 300",
        ),
        (
            [('from = 500\noutcome = "approve"', 'from = 500\nbelow = 900\noutcome = "approve"')],
            "error cut_offs.good: leaves a gap: no band holds 900 and above",
        ),
    ],
)
def test_gaps_and_overlaps_of_bands(changes, found):
    assert findings(*changes) == [found]


def test_between_whole_scores_there_is_no_gap():
    assert findings(("below = 440", "below = 439.5")) == []


def test_a_band_without_any_score():
    found = findings(("from = 440\nbelow = 500", "from = 500\nbelow = 440"))
    assert "error cut_offs.grey: holds no score at all" in found


ON_PROBABILITY = [
    ('on = "score"', 'on = "annual_probability_of_default"'),
    ("below = 440\n", "from = 0.12\n"),
    ("from = 440\nbelow = 500", "from = 0.05\nbelow = 0.12"),
    ('from = 500\noutcome = "approve"', 'below = 0.05\noutcome = "approve"'),
    ('{ uz = "Ball {score}", ru = "Балл {score}", en = "Score {score}" }', '{ uz = "A", ru = "Б", en = "C" }'),
    (
        '{ uz = "Ball {score} oʻrta", ru = "Балл {score} средний", en = "Score {score} grey" }',
        '{ uz = "A", ru = "Б", en = "C" }',
    ),
]


def without_failed_examples(found: list[str]) -> list[str]:
    return [text for text in found if text.startswith("error")]


def test_bands_of_probability_hold_from_0_to_1():
    assert without_failed_examples(findings(*ON_PROBABILITY)) == []


def test_a_probability_of_1_must_be_in_a_band_too():
    changes = [*ON_PROBABILITY[:1], ("below = 440\n", "from = 0.12\nbelow = 1.0\n"), *ON_PROBABILITY[2:]]
    assert without_failed_examples(findings(*changes)) == [
        "error cut_offs.low: leaves a gap: no band holds 1 and above",
    ]


def test_a_small_gap_of_probabilities_is_a_gap():
    changes = [*ON_PROBABILITY[:1], ("below = 440\n", "from = 0.1200001\n"), *ON_PROBABILITY[2:]]
    assert without_failed_examples(findings(*changes)) == [
        "error cut_offs.low: leaves a gap after grey: from 0.12 to below 0.1200001",
    ]


def test_a_policy_that_can_approve_nothing():
    reason = '\nreason = { uz = "a", ru = "б", en = "c" }'
    found = findings(('from = 500\noutcome = "approve"', f'from = 500\noutcome = "refer"{reason}'))
    assert "error cut_offs: have no band that approves: nothing can be approved" in found


def test_a_safer_band_with_a_harsher_outcome():
    reason = '\nreason = { uz = "a", ru = "б", en = "c" }'
    found = findings(
        ('code = "low"\nbelow = 440\noutcome = "decline"', 'code = "low"\nbelow = 440\noutcome = "approve"'),
        ('from = 500\noutcome = "approve"', f'from = 500\noutcome = "decline"{reason}'),
    )
    assert "warning cut_offs.good: is safer than grey and has a harsher outcome" in found


# --- rules that cannot speak


@pytest.mark.parametrize(
    "when",
    [
        "delinquencies_24m > 5 and delinquencies_24m < 3",
        "2 < open_accounts < 3",  # no whole number lies between
        "employment_years < 0",
        "requested_amount == 0",  # the least is 1
        "not (term_months > 0)",
        "product_kind == 'morgage'",
        "product_kind == 'mortgage' and product_kind != 'mortgage'",
        "product_kind in ('car', 'boat')",
        "has_guarantor and not has_guarantor",
        "service > most_service and service < most_service",
        "false",
        "score < 400 and (delinquencies_24m > 5000 or score > 500)",
    ],
)
def test_a_rule_that_can_never_fire(when):
    assert findings(rule("never", when)) == [
        "error rules.never: can never fire: no value of what it names makes it true"
    ]


@pytest.mark.parametrize(
    "when",
    [
        "service > most_service",
        "service > 0.9",
        "service > most_service and delinquencies_24m > 1",
        "service >= 0.6 or service > 0.7",
        "self_banned",
        "not (not self_banned)",
    ],
)
def test_a_rule_that_a_harsher_one_always_overrides(when):
    more = 'private = true\npublic_reason = { uz = "a", ru = "б", en = "c" }' if "self_banned" in when else ""
    harsher = "banned" if "self_banned" in when else "service_over_limit"
    assert findings(rule("milder", when, more=more)) == [
        f"error rules.milder: never decides: where it fires, {harsher} fires too and asks for decline"
    ]


@pytest.mark.parametrize(
    "when",
    [
        "service > 0.4",
        "service > 0.4 or service > 0.9",
        "delinquencies_24m > 1 and delinquencies_24m < 3",
        "product_kind != 'mortgage' and requested_amount > existing_debt",
        "service * 2 > most_service",
        "industry_free or has_guarantor",
    ],
)
def test_a_rule_that_can_speak(when):
    made = when.replace("industry_free or ", "not ")
    assert findings(rule("milder", made)) == []


# --- names, units, forbidden facts


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("sex == 'f'", "sex must not count: sex is for fairness tests only"),
        ("gender == 'f'", "gender must not count: sex is for fairness tests only"),
        ("ethnicity == 'x'", "ethnicity must not count: ethnicity is for fairness tests only"),
        ("nationality == 'x'", "nationality must not count: ethnicity is for fairness tests only"),
        ("region == 'x'", "region must not count: place is for fairness tests only"),
        ("place == 'x'", "place must not count: place is for fairness tests only"),
        ("home_address == 'x'", "home_address must not count: place is for fairness tests only"),
        (
            "age > 60",
            "age must not count: age counts only for legal capacity and age at maturity, "
            "as age_years and age_at_maturity",
        ),
        (
            "probability_of_default > 0.1",
            "probability_of_default has a horizon of its own: annualise it, write annual_probability_of_default",
        ),
        ("revenue > 0", "revenue is known of the segment company only"),
        ("salery > 0", "salery is not known: it is no fact of this segment, and no value or feature of this file"),
    ],
)
def test_unknown_and_forbidden_names_are_refused_with_the_reason(name, why):
    assert refusal(rule("wrong", name)) == [f"rules[4] wrong.when: {why}"]


def test_names_that_speak_of_what_is_forbidden():
    assert findings(feature("region_risk", "ratio", "service * 2"), rule("r", "region_risk > 1.5")) == [
        "error features.region_risk: speaks of region, which must not count: place is for fairness tests only"
    ]


AGE = "age counts only for legal capacity and age at maturity, in rules of the kinds legal and knockout"


def test_age_counts_for_legal_capacity_only():
    assert findings(rule("old", "age_years > 60")) == [f"error rules.old: rests on age_years: {AGE}"]
    assert findings(rule("old", "age_years > 60", kind="legal")) == []
    assert findings(rule("young", "age_years < 18", kind="knockout", outcome="decline")) == []


def test_age_is_found_under_features():
    hidden = feature("years_left", "years", "80 - age_at_maturity")
    assert findings(hidden, rule("old", "years_left < 8")) == [f"error rules.old: rests on age_at_maturity: {AGE}"]


def test_age_counts_in_no_cap():
    found = findings(
        feature("ageing", "ratio", "age_years / age_at_maturity"),
        ('most_amount = "months_of_income * income"', 'most_amount = "months_of_income * income * ageing"'),
    )
    assert found[0] == f"error caps.cap.most_amount: rests on age_at_maturity and age_years: {AGE}"


def test_a_criminal_record_counts_in_a_legal_rule_only():
    why = "a criminal record counts only through a lender's own legal rule (kind legal, which refers)"
    assert findings(rule("crime", "criminal_history")) == [f"error rules.crime: rests on criminal_history: {why}"]
    knockout = rule("crime", "criminal_history", kind="knockout", outcome="decline")
    assert findings(knockout) == [f"error rules.crime: rests on criminal_history: {why}"]
    assert findings(rule("crime", "criminal_history", kind="legal")) == []


@pytest.mark.parametrize(
    ("when", "why"),
    [
        (
            "salary > yearly_income",
            "`salary` is compared with `yearly_income`: currency per month with currency per year",
        ),
        (
            "requested_amount > 50000000",
            "`requested_amount` is compared with `50000000`: currency needs a value with a name, a day and a source, "
            "not a bare number",
        ),
        (
            "annual_probability_of_default > 0.2",
            "`annual_probability_of_default` is compared with `0.2`: probability needs a value with a name, a day "
            "and a source, not a bare number",
        ),
        ("salary + requested_amount > 0", "`salary + requested_amount` joins currency per month with currency"),
        ("requested_amount > most_service", "`requested_amount` is compared with `most_service`: currency with ratio"),
    ],
)
def test_wrong_units_in_a_rule(when, why):
    assert findings(rule("wrong", when)) == [f"error rules.wrong: units do not fit: {why}"]


def test_a_feature_must_have_the_unit_that_it_says():
    assert findings(feature("twelfth", "currency", "yearly_income / 12"), rule("r", "twelfth > existing_debt")) == [
        "error features.twelfth: units do not fit: it gives currency per month, and currency is asked for"
    ]


# --- values, caps, people


def test_a_value_without_a_figure_in_force():
    late = value("late_value", "count", "[{ from = 2026-06-01, is = 3 }]")
    assert findings(late, rule("r", "open_accounts > late_value")) == [
        "error values.late_value: has no figure in force on 2026-01-01, the policy's first day; the earliest is of "
        "2026-06-01"
    ]


def test_a_value_to_confirm_is_a_warning():
    unsure = value("unsure", "count", "[{ from = 2026-01-01, is = 3 }]", "to_confirm = true")
    assert findings(unsure, rule("r", "open_accounts > unsure")) == [
        "warning values.unsure: is to be confirmed: invented for a test"
    ]


def test_what_is_never_used_is_a_warning():
    found = findings(
        value("spare", "count", "[{ from = 2026-01-01, is = 3 }]"), feature("idle", "currency", "existing_debt")
    )
    assert found == ["warning values.spare: is never used", "warning features.idle: is never used"]


def test_grades_without_a_cap_are_named():
    assert findings(('["A", "B", "C", "D", "E", "F", "G"]', '["D", "E"]')) == [
        "warning caps: say nothing of the grades A, B, C, F, G, which are then not capped at all"
    ]


def test_a_grade_has_one_cap():
    second = """
[[caps]]
code = "second"
grades = ["D"]
most_amount = "income * 2"
over = "refer"
reason = { uz = "Koʻp", ru = "Много", en = "Much" }

[people]
"""
    assert findings(("\n[people]\n", second)) == ["error caps: name the grade D 2 times; only one cap can hold for it"]


def test_a_cap_that_shortens_a_term_is_warned_of():
    found = findings(('over = "offer_less"', 'most_term_months = "36"\nover = "offer_less"'))
    assert found == ["warning caps.cap: may shorten a term, and so raise a payment that was found affordable"]


def test_no_amount_for_a_second_person():
    assert findings(("second_person_above = 50_000_000\n", "")) == [
        "warning people.second_person_above: is missing: no amount asks for a second person by itself"
    ]


@pytest.mark.parametrize("kind", ["knockout", "legal"])
def test_a_knock_out_never_passes_what_is_not_known(kind):
    problems = refusal(rule("r", "age_years < 18", kind=kind, outcome="refer", more='unknown = "pass"'))
    assert problems == ['rules[4] r.unknown: must be one of refer, decline, not "pass"']


# --- reasons

COUNT = "{delinquencies_24m}"
LATE = f'reason = {{ uz = "Kech {COUNT}", ru = "Поздно {COUNT}", en = "Late {COUNT}" }}'


def late(uz: str, ru: str, en: str) -> tuple[str, str]:
    return LATE, f'reason = {{ uz = "{uz}", ru = "{ru}", en = "{en}" }}'


@pytest.mark.parametrize(
    ("reason", "found"),
    [
        (late("Kech", "Late", "Late"), ["error rules.late: has the same text in ru and en"]),
        (
            late("Kech {income}", "Поздно {income}", "Late {income}"),
            [
                f"error rules.late.{language}: {{income}} names nothing that this condition rests on"
                for language in ("uz", "ru", "en")
            ],
        ),
        (
            late("Kech", "Поздно", "Late {delinquencies_24m}"),
            ["warning rules.late: shows other figures in one language than in another"],
        ),
        (
            late("Kech", "Поздно", "Late {delinquencies_24m"),
            ["error rules.late.en: has a brace without its other one; {{ and }} are braces of the text"],
        ),
        (
            late("Kech", "Поздно", "Late {delinquencies_24m.__class__}"),
            [
                "error rules.late.en: {delinquencies_24m.__class__} names nothing that this condition rests on",
                "warning rules.late: shows other figures in one language than in another",
            ],
        ),
        (
            late("Kech", "Поздно", "Late {delinquencies_24m:>100}"),
            [
                "error rules.late.en: {delinquencies_24m:>100} names nothing that this condition rests on",
                "warning rules.late: shows other figures in one language than in another",
            ],
        ),
    ],
)
def test_reasons_in_three_languages(reason, found):
    assert findings(reason) == found


def test_a_reason_missing_in_one_language_is_refused():
    assert refusal(late("Kech", " ", "Late")) == [
        "rules[3] late.reason: must hold a text in each of uz, ru, en, and nothing else"
    ]


def test_the_public_reason_of_a_private_rule_holds_no_figure():
    shows = '{ uz = "Shart {self_banned}", ru = "Условие", en = "A condition" }'
    assert findings(('{ uz = "Shart", ru = "Условие", en = "A condition" }', shows)) == [
        "error rules.banned.public_reason: {self_banned} could reveal what a register holds; leave it out"
    ]


def test_a_rule_on_a_register_must_be_private():
    assert findings(rule("open", "self_banned and delinquencies_24m > 9")) == [
        "error rules.open: never decides: where it fires, banned fires too and asks for decline",
        "error rules.open: rests on self_banned, the answer of a register: only a rule with private = true may",
    ]


# --- examples


def test_a_rule_that_no_example_makes_fire():
    found = lint(read_policy(changed(rule("lonely", "delinquencies_24m > 9 and service > 0.4"))))
    assert [(each.severity, each.where, each.message) for each in found] == [
        ("warning", "rules.lonely", "speaks in no example that is decided as expected")
    ]


def test_a_policy_without_examples():
    text = SMALL[: SMALL.index("[[examples]]")]
    assert [(each.severity, each.where) for each in lint(read_policy(text))] == [("warning", "examples")]
