"""Reading a policy file: each thing that is wrong is named with its place, and all of them at once."""

import hashlib
from datetime import date

import pytest

from apps.policies.documents import read_policy
from apps.policies.policy import PolicyError
from apps.policies.tests.small_policy import SMALL


def refused(*replaced: tuple[str, str], added: str = "") -> dict[str, str]:
    text = SMALL
    for old, new in replaced:
        assert old in text, old
        text = text.replace(old, new, 1)
    with pytest.raises(PolicyError) as caught:
        read_policy(text + added)
    return {problem.where: problem.message for problem in caught.value.problems}


def test_what_stands_in_the_file_is_what_the_policy_has():
    policy = read_policy(SMALL)
    assert (policy.code, policy.version, policy.segment, policy.currency) == ("small", "1", "individual", "UZS")
    assert (policy.valid_from, policy.title["ru"]) == (date(2026, 1, 1), "Малая")
    assert policy.digest == hashlib.sha256(SMALL.encode()).hexdigest()
    assert [rule.code for rule in policy.rules] == ["banned", "service_over_limit", "late"]
    banned, service, _ = policy.rules
    assert (banned.overridable, banned.unknown, banned.private) == (False, "refer", True)
    assert (service.overridable, service.when.names) == (True, ("service", "most_service"))
    assert [(band.code, band.start, band.below) for band in policy.bands] == [
        ("low", None, 440.0),
        ("grey", 440.0, 500.0),
        ("good", 500.0, None),
    ]
    assert (policy.people.second_person_above, policy.people.override_days) == (50_000_000, 14)
    assert (policy.units["income"], policy.kinds["self_banned"], policy.kinds["grade"]) == (
        "currency per month",
        "flag",
        "text",
    )
    assert policy.loss_given_default.text == "0.45"


@pytest.mark.parametrize(
    ("change", "where", "why"),
    [
        (("format = 1", "format = 2"), "format", "must be 1"),
        (('code = "small"', 'code = "no good"'), "code", "letters, digits"),
        (('segment = "individual"', 'segment = "pets"'), "segment", "individual, company"),
        (('currency = "UZS"', 'currency = "XYZ"'), "currency", "UZS"),
        (("valid_from = 2026-01-01", 'valid_from = "soon"'), "valid_from", "a day"),
        (('title = { uz = "Kichik", ru = "Малая", en = "Small" }', 'title = { en = "Small" }'), "title", "uz, ru, en"),
        (('unit = "ratio"', 'unit = "furlongs"'), "values.most_service.unit", "furlongs"),
        (("is = 0.5 }", 'is = "half" }'), "values.most_service.dated[1].is", "a number"),
        (("is = 0.5 }", "is = inf }"), "values.most_service.dated[1].is", "inf"),
        (('formula = "first(salary', 'formula = "frist(salary'), "features[1].formula", "functions"),
        (('name = "income"', 'name = "salary"'), "features[1].name", "taken"),
        (('kind = "knockout"', 'kind = "whim"'), "rules[1] banned.kind", "knockout"),
        (('when = "self_banned"', 'when = "salary"'), "rules[1] banned.when", "a flag is needed"),
        (('outcome = "decline"', 'outcome = "approve"'), "rules[1] banned.outcome", "decline, refer"),
        (("private = true", "private = 1"), "rules[1] banned.private", "true or false"),
        (('code = "banned"', 'code = "late"'), "codes", "late stands 2 times"),
        (('code = "cap"', 'code = "grade_unknown"'), "codes", "the engine's own"),
        (('on = "score"', 'on = "luck"'), "cut_offs.on", "score"),
        (('grades = ["A",', 'grades = ["Z",'), "caps[1].grades", '"Z"'),
        (('over = "offer_less"', 'over = "shrug"'), "caps[1].over", "offer_less"),
        (("override_days = 14", "override_days = 0"), "people.override_days", "from 1 to 365"),
        (('low_side_reasons = ["collateral"]', 'low_side_reasons = ["collateral", "collateral"]'),
         "people.low_side_reasons", "twice"),
    ],
)  # fmt: skip
def test_each_thing_that_is_wrong_is_named_with_its_place(change, where, why):
    found = refused(change)
    assert why in found.get(where, ""), found


def test_all_that_is_wrong_is_named_at_once():
    found = refused(
        ("format = 1", "format = 2"), ('kind = "knockout"', 'kind = "whim"'), ('on = "score"', 'on = "luck"')
    )
    assert {"format", "rules[1] banned.kind", "cut_offs.on"} <= set(found)


def test_what_is_not_known_is_refused_by_name():
    assert "mistyped" in refused(("[people]", "[people]\nnobody = 1"))["people.nobody"]
    assert "mistyped" in refused(added="\n[extra]\n")["extra"]


def test_knock_outs_and_legal_rules_never_pass_on_what_is_not_known():
    found = refused(('kind = "knockout"', 'kind = "knockout"\nunknown = "pass"'))
    assert found["rules[1] banned.unknown"].startswith("must be one of refer, decline")


def test_a_legal_rule_refers():
    found = refused(('kind = "knockout"', 'kind = "legal"'))
    assert "refer" in found["rules[1] banned.outcome"]


def test_what_is_private_has_a_sentence_for_the_applicant():
    text = 'public_reason = { uz = "Shart", ru = "Условие", en = "A condition" }'
    assert "told in place" in refused((text, ""))["rules[1] banned.public_reason"]


def test_days_ascend():
    two = "{ from = 2026-01-01, is = 0.5 }, { from = 2025-01-01, is = 0.4 }]"
    assert "ascend" in refused(("{ from = 2026-01-01, is = 0.5 }]", two))["values.most_service.dated[2].from"]


def test_values_by_category_name_what_holds_otherwise():
    by = 'by = "product_kind"\ndated = [{ from = 2026-01-01, is = { mortgage = 0.4 } }]'
    assert "otherwise" in str(refused(("dated = [{ from = 2026-01-01, is = 0.5 }]", by)))


def test_features_do_not_go_in_a_circle():
    found = refused(('formula = "first(salary, yearly_income / 12)"', 'formula = "service * salary"'))
    assert found["features"] in (
        "a circle: income needs service needs income",
        "a circle: service needs income needs service",
    )


@pytest.mark.parametrize("text", ["", "{", "a = 1", "[[rules]]", "format = 1\nrules = 5", "values = []", "\x00"])
def test_what_is_no_policy_is_refused(text):
    with pytest.raises(PolicyError):
        read_policy(text)
