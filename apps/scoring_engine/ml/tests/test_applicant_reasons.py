"""What applicants are told: exact sentences in three languages, the most harmful reasons, and nothing invented."""

import datetime as dt
import random
import string
from decimal import Decimal
from typing import Any

import pytest

from apps.scoring_engine.ml import risk_model
from apps.scoring_engine.ml.applicant_reasons import MOST_REASONS, ReasonTeller
from apps.scoring_engine.ml.cards import read_card
from apps.scoring_engine.ml.measures import UNITS, measure_of
from apps.scoring_engine.ml.scorecard import Scorecard
from apps.scoring_engine.ml.tests.examples import AS_OF, OWN_FACTS, applicant, small_card, wide_card
from apps.scoring_engine.ml.tests.strategies import facts_known
from apps.scoring_engine.ml.vocabulary import FACTS, PURPOSES, SCALE_BOUNDS, check_facts
from apps.scoring_engine.ml.words import LANGUAGES, plural_form, words_of

SHIPPED = [
    *(risk_model.card_in_service(segment).card for segment in FACTS),
    *(risk_model.expert_card(segment) for segment in FACTS),
]
EXAMPLES = [Scorecard.from_dict(small_card()), Scorecard.from_dict(wide_card())]
INDIVIDUAL = SHIPPED[0]
PERSON = {
    "yearly_income": 50_000_000,
    "requested_amount": 30_000_000,
    "existing_debt": 40_000_000,
    "monthly_debt_payments": 2_000_000,
    "credit_history_score": 712,
    "credit_history_scale": "fico_300_850",
    "delinquencies_24m": 2,
}


def teller_of(card: Scorecard) -> ReasonTeller:
    return ReasonTeller.of_card(read_card(card.to_dict()))


def entries_of(card: Scorecard, facts: dict[str, Any], unavailable: frozenset[str] = frozenset()) -> list[dict]:
    assessment = card.score(facts, as_of=AS_OF, unavailable=unavailable)
    return [entry | {"bin": assessment.bins[entry["feature"]]} for entry in assessment.explanation]


def texts(card: Scorecard, facts: dict[str, Any], language: str = "en") -> list[str]:
    reasons = teller_of(card).reasons(entries_of(card, facts), facts, language, "UZS")
    return [reason["text"].replace("\u00a0", " ") for reason in reasons]


def said(card: Scorecard, facts: dict[str, Any], feature: str, language: str = "en") -> str:
    """The sentence on one feature, whatever its impact."""
    [entry] = [entry for entry in entries_of(card, facts) if entry["feature"] == feature]
    [reason] = teller_of(card).reasons([entry | {"impact": -1}], facts, language, "UZS")
    return reason["text"].replace("\u00a0", " ")


# The three languages


def leaves(texts: Any, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], list[str]]:
    """The texts by key; the plural forms of one text together."""
    if isinstance(texts, str):
        return {path: [texts]}
    if "other" in texts and set(texts) <= {"one", "few", "many", "other"}:
        return {path: list(texts.values())}
    return {key: value for name, part in texts.items() for key, value in leaves(part, (*path, name)).items()}


def placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


ENGLISH = leaves({key: part for key, part in words_of("en").texts.items() if key != "currencies"})


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_languages_have_the_same_texts_with_the_same_places(language):
    others = leaves({key: part for key, part in words_of(language).texts.items() if key != "currencies"})
    assert others.keys() == ENGLISH.keys()
    for key, forms in others.items():
        wanted = placeholders(ENGLISH[key][0])
        assert all(placeholders(form) == wanted and form.strip() for form in forms), key


def test_all_plural_forms_are_there():
    for key, forms in leaves(words_of("ru").texts).items():
        assert len(forms) in ((1,) if key == ("units", "percent") else (1, 4)), key
    assert all(len(forms) in (1, 2) for forms in ENGLISH.values())


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_measure_fact_and_purpose_has_a_text(language):
    words = words_of(language)
    assert set(words.texts["measures"]) == set(UNITS)
    assert set(words.texts["facts"]) == {name for facts in FACTS.values() for name in facts}
    assert set(words.texts["values"]["purpose"]) == set(PURPOSES)
    assert all(words.measure(measure) for measure in UNITS)


@pytest.mark.parametrize("card", SHIPPED, ids=lambda card: card.version)
def test_every_code_of_every_shipped_card_has_a_text_of_its_own(card):
    read = read_card(card.to_dict())
    features = {feature.name: feature for feature in read.features}
    measures = {c.code: measure_of(features, c.feature) for c in read.characteristics}
    assert set(measures.values()) <= set(UNITS)
    assert len(set(measures.values())) == len(measures)
    assert read.pairs == ()


def test_uzbek_is_latin_with_its_own_apostrophes():
    for forms in leaves(words_of("uz").texts).values():
        for text in forms:
            assert not set(text) & set("'`‘’´"), text
            assert not any("а" <= letter <= "я" for letter in text.lower()), text


@pytest.mark.parametrize(
    ("number", "form"),
    [("1", "one"), ("21", "one"), ("2", "few"), ("34", "few"), ("0", "many"), ("5", "many"), ("11", "many"),
     ("12", "many"), ("112", "many"), ("111", "many"), ("101", "one"), ("1.5", "other"), ("-2", "few")],
)  # fmt: skip
def test_russian_plurals(number, form):
    assert plural_form("ru", Decimal(number)) == form


# Sentences


def test_the_most_harmful_reasons_in_three_languages():
    card = risk_model.expert_card("individual")
    facts = PERSON | {"credit_history_score": 690}
    assert texts(card, facts)[:2] == [
        "2 of your payments were 30 or more days late in the last 24 months; 0 is taken as usual.",
        "Payments on debts take 48 % of your income; 14 % is taken as usual.",
    ]
    assert texts(card, facts, "ru")[:2] == [
        "За последние 24 месяца 2 ваших платежа были просрочены на 30 и более дней; за обычное значение принимается 0.",
        "Платежи по долгам забирают 48 % вашего дохода; за обычное значение принимается 14 %.",
    ]
    assert texts(card, facts, "uz")[:2] == [
        "Soʻnggi 24 oyda 2 ta toʻlovingiz 30 kun yoki undan koʻproq kechikkan; odatdagi qiymat deb 0 olinadi.",
        "Qarzlar boʻyicha toʻlovlar daromadingizning 48 foizini tashkil etadi; odatdagi qiymat deb 14 foiz olinadi.",
    ]


SMALL = EXAMPLES[0]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "The requested amount is 45 % of your yearly income; among applicants 18 % is typical."),
        ("ru", "Запрошенная сумма составляет 45 % вашего годового дохода; обычное значение среди заявителей — 18 %."),
        ("uz", "Soʻralgan summa yillik daromadingizning 45 foizini tashkil etadi; arizachilar orasida odatdagi qiymat —"
               " 18 foiz."),
    ],
)  # fmt: skip
def test_a_learnt_card_tells_what_is_typical_of_applicants(language, text):
    assert texts(SMALL, applicant(requested_amount=450), language) == [text]


@pytest.mark.parametrize(
    ("reference", "text"),
    [
        ("near_cut_off", "among applicants close to the cut-off 18 % is typical."),
        ("accepted_good", "among accepted applicants who repaid 18 % is typical."),
    ],
)
def test_the_population_is_that_of_the_card(reference, text):
    card = Scorecard.from_dict(small_card() | {"reference": reference})
    assert texts(card, applicant(requested_amount=450))[0].endswith(text)


def test_a_typical_value_that_is_not_known_is_left_out():
    plain = small_card()
    plain["characteristics"][0]["typical"] = None
    card = Scorecard.from_dict(plain)
    assert texts(card, applicant(requested_amount=450)) == ["The requested amount is 45 % of your yearly income."]


def test_a_typical_value_is_told_only_where_it_shows_the_harm():
    assert said(SMALL, applicant(requested_amount=100), "amount_to_income") == (
        "The requested amount is 10 % of your yearly income."
    )
    # 18.4 % and 18 % look the same when they are rounded.
    assert said(SMALL, applicant(requested_amount=184), "amount_to_income") == (
        "The requested amount is 18 % of your yearly income."
    )


def test_a_ratio_at_its_bound_may_be_further_out_in_truth():
    assert said(SMALL, applicant(yearly_income=0), "amount_to_income").startswith(
        "The requested amount is at least 500 % of your yearly income"
    )


@pytest.mark.parametrize(
    ("changes", "language", "text"),
    [
        ({"yearly_income": None}, "en", "No data were given: yearly income."),
        ({"yearly_income": None, "requested_amount": None}, "ru",
         "Не предоставлены данные: запрошенная сумма и годовой доход."),
        ({"yearly_income": None, "requested_amount": None}, "uz",
         "Maʼlumot berilmagan: soʻralgan summa va yillik daromad."),
    ],
)  # fmt: skip
def test_what_is_missing_is_named(changes, language, text):
    assert said(SMALL, applicant(**changes), "amount_to_income", language) == text


def test_a_source_that_was_down_is_no_reason_about_the_applicant():
    facts = applicant(credit_history_score=None)
    down = frozenset({"credit_history_score"})
    assert teller_of(SMALL).reasons(entries_of(SMALL, facts, down), facts, "en", "UZS") == []
    [entry] = [e for e in entries_of(SMALL, facts, down) if e["feature"] == "credit_history_score"]
    [reason] = teller_of(SMALL).reasons([entry | {"impact": -1}], facts, "en", "UZS")
    assert reason["text"] == (
        "Credit bureau score could not be learnt because the source did not answer,"
        " which says nothing about the applicant."
    )


def test_special_codes_and_unseen_categories():
    assert said(SMALL, applicant(credit_history_score=850), "credit_history_score") == (
        "Credit bureau score: the bureau's code for a frozen file."
    )
    assert said(SMALL, applicant(purpose="medical"), "purpose", "ru") == (
        "Цель кредита: модель не рассчитана на значение «лечение»."
    )
    assert said(SMALL, applicant(purpose="small_business"), "purpose", "uz") == (
        "Kredit maqsadi — kichik biznes; arizachilar orasida odatdagi qiymat — avtomobil."
    )


WIDE = EXAMPLES[1]
OWN = OWN_FACTS | {"months_at_address": 3}


@pytest.mark.parametrize(
    ("changes", "feature", "text"),
    [
        ({}, "months_at_address", "Time at the address: 3 months; among applicants 30 months is typical."),
        ({"savings": -1_200_000}, "savings x years_known", "Savings: -1,200,000 UZS, while years known: 12 months."),
        ({"housing": "with parents"}, "housing", "Housing: with parents; among applicants own is typical."),
        ({"housing": "tent"}, "has_car x housing", "Housing: tent is a value that the model was not made for."),
        ({"housing": None}, "has_car x housing", "No data were given: Housing."),
        ({"requested_amount": 400}, "amount_to_income x months_at_address",
         "The requested amount is 40 % of your yearly income, while Time at the address: 3 months."),
    ],
)  # fmt: skip
def test_own_facts_and_pairs(changes, feature, text):
    assert said(WIDE, applicant(**(OWN | changes)), feature) == text


def test_own_code_in_a_pair_is_told_by_its_meaning():
    plain = wide_card()
    plain["pairs"][0]["axes"][1]["special"] = True
    plain["pairs"][0]["points"] = [[4, 5, 6, -3], [-7, 0, 0, -9]]
    card = Scorecard.from_dict(plain)
    facts = applicant(**(OWN_FACTS | {"months_at_address": 9999}), requested_amount=400)
    assert said(card, facts, "amount_to_income x months_at_address") == (
        "The requested amount is 40 % of your yearly income, while Time at the address: abroad until now."
    )


def test_one_sentence_is_told_once():
    """Three characteristics of the expert card rest on the yearly income: without it each would say the same."""
    card = risk_model.expert_card("company")
    facts = {"revenue": 900, "net_income": 45, "liabilities": 240, "retained_earnings": 1, "ebit": 1}
    told = texts(card, facts)
    assert len([entry for entry in entries_of(card, facts) if entry["impact"] < 0]) > len(told) == len(set(told))
    assert told.count("No data were given: total assets.") == 1


def test_nothing_against_the_applicant_is_an_empty_list():
    assert texts(SMALL, applicant()) == []


def test_the_same_code_under_another_meaning_is_not_misread():
    """A lender's card may call any derivation AMOUNT_TO_INCOME: the sentence follows the derivation."""
    plain = small_card()
    plain["features"][0]["of"] = ["yearly_income", "requested_amount"]
    card = Scorecard.from_dict(plain)
    assert said(card, applicant(requested_amount=2_000), "amount_to_income") == (
        "Requested amount to yearly income: 50 %; among applicants 18 % is typical."
    )


def test_a_fact_of_the_lenders_own_is_not_taken_for_one_of_another_segment():
    plain = small_card() | {"segment": "company", "features": []}
    own = {"name": "delinquencies_24m", "kind": "category", "unit": "category", "required": False}
    plain["inputs"] = [own | {"least": None, "most": None, "values": ["few", "many"]}]
    groups = plain["characteristics"][2] | {"feature": "delinquencies_24m", "label": "Arrears", "typical": "few"}
    plain["characteristics"] = [groups | {"groups": [["few"], ["many"]]}]
    card = Scorecard.from_dict(plain)
    assert said(card, {"delinquencies_24m": "many"}, "delinquencies_24m") == (
        "Arrears: many; among applicants few is typical."
    )
    assert said(card, {}, "delinquencies_24m") == "No data were given: Arrears."


def test_an_estimator_is_told_by_feature_and_value():
    entries = [
        {"feature": "delinquencies_24m", "value": 1, "bin": "value", "impact": -30, "code": "A"},
        {"feature": "shop_visits", "value": 2.5, "bin": "value", "impact": -20, "code": "B"},
        {"feature": "purpose", "value": None, "bin": "missing", "impact": -10, "code": "C"},
        {"feature": "salary", "value": 5, "bin": "value", "impact": 4, "code": "D"},
    ]
    told = [reason["text"] for reason in ReasonTeller("individual", (), ()).reasons(entries, {}, "en", "UZS")]
    assert told == [
        "1 of your payments was 30 or more days late in the last 24 months.",
        "Shop visits: 2.5.",
        "No data were given: purpose of the credit.",
    ]


# Random applicants


def random_value(rng: random.Random, fact: Any) -> Any:
    if fact.kind == "category":
        own = all(fact.name not in facts for facts in FACTS.values())
        return rng.choice([*fact.values, "never seen"] if own else fact.values)
    if fact.kind == "flag":
        return rng.random() < 0.5
    if fact.kind == "date":
        return dt.date(1990, 1, 1) + dt.timedelta(days=rng.randrange(12_000))
    if fact.kind == "number":
        return rng.choice([rng.uniform(fact.least, fact.most), rng.uniform(fact.least, fact.least + 2)])
    top = min(fact.most, 10 ** rng.randrange(1, 10))
    return rng.randint(max(fact.least, -top), max(top, fact.least + 1))


def random_applicant(rng: random.Random, card: Scorecard) -> dict[str, Any]:
    known = facts_known(card)
    facts = {name: random_value(rng, fact) for name, fact in known.items() if rng.random() < 0.85}
    if "credit_history_score" in facts:
        scale = rng.choice(list(SCALE_BOUNDS))
        facts |= {"credit_history_scale": scale, "credit_history_score": rng.randint(*SCALE_BOUNDS[scale])}
    if card is WIDE and rng.random() < 0.2:
        facts |= {"months_at_address": 9999, "savings": -9_000_000}
    return check_facts(card.segment, facts, as_of=AS_OF, own=card.own)


CARDS = [*SHIPPED, *EXAMPLES]


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.version)
def test_of_10_000_applicants_the_reasons_told_are_the_largest_negative_impacts(card):
    rng, teller = random.Random(20260302), teller_of(card)
    told_counts = set()
    for number in range(10_000 // len(CARDS) + 1):
        facts, language = random_applicant(rng, card), LANGUAGES[number % 3]
        entries = entries_of(card, facts)
        reasons = teller.reasons(entries, facts, language, "UZS")
        assert_largest(teller, entries, reasons, facts, language)
        told_counts.add(len(reasons))
    assert MOST_REASONS in told_counts


def assert_largest(teller: ReasonTeller, entries: list, reasons: list, facts: dict, language: str) -> None:
    impacts = {entry["feature"]: entry["impact"] for entry in entries}
    assert [reason["impact"] for reason in reasons] == [impacts[reason["feature"]] for reason in reasons]
    assert all(reason["impact"] < 0 for reason in reasons)
    keys = [(reason["impact"], reason["feature"]) for reason in reasons]
    assert keys == sorted(keys)
    told = {reason["text"] for reason in reasons}
    assert len(told) == len(reasons) <= MOST_REASONS
    named = {reason["feature"] for reason in reasons}
    for entry in entries:
        if entry["impact"] < 0 and entry["feature"] not in named:
            harm = (entry["impact"], entry["feature"])
            if len(reasons) < MOST_REASONS or harm < keys[-1]:
                [alone] = teller.reasons([entry], facts, language, "UZS")
                assert alone["text"] in told
