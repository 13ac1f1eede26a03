"""Reasons in uz, ru and en, to the letter: for the lender, and for the applicant, who learns nothing of a register."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from apps.policies.documents import read_policy
from apps.policies.engine import BARS, Assessment, Outcome, Step, decide
from apps.policies.policy import Policy
from apps.policies.texts import reason_texts
from apps.scoring_engine.ml.words import LANGUAGES

DAY = date(2026, 3, 2)
GOOD = Assessment(score=550, probability_of_default=1 / 9, horizon_months=36, grade="D")
NBSP = "\u00a0"


@pytest.fixture(scope="module")
def policy() -> Policy:
    return read_policy((Path(__file__).parent.parent / "defaults" / "uz_individual.toml").read_text(encoding="utf-8"))


def decided(policy: Policy, facts: dict, assessment: Assessment | None = GOOD, *, without: tuple = ()) -> Outcome:
    base = {name: fact for name, fact in policy.examples[0].facts.items() if name not in without}
    return decide(base | facts, assessment, policy, DAY)


def texts(policy: Policy, outcome: Outcome, language: str, audience: str = "lender", **options: str) -> list[str]:
    told = reason_texts(policy, outcome, language, audience, **options)
    return [each["text"].replace(NBSP, " ") for each in told]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        (
            "uz",
            "Barcha qarzlar boʻyicha toʻlovlar daromadning 57 foizini oladi; koʻpi bilan 50 foizga ruxsat beriladi.",
        ),
        ("ru", "Платежи по всем долгам займут 57 % дохода; допускается не более 50 %."),
        ("en", "Payments on all debts would take 57 % of income; at most 50 % is allowed."),
    ],
)
@pytest.mark.parametrize("audience", ["lender", "applicant"])
def test_shares_are_percents(policy, language, text, audience):
    outcome = decided(policy, {"monthly_debt_payments": 2_000_000})
    assert texts(policy, outcome, language, audience) == [text]


@pytest.mark.parametrize(("payments", "shown"), [(1_640_000, "51 %"), (1_615_000, "50.2 %"), (1_605_004, "50.00002 %")])
def test_a_share_just_above_its_limit_never_reads_like_the_limit(policy, payments, shown):
    """(1,615,000 + 1,034,997) / 5,280,000 is 50.19 %."""
    outcome = decided(policy, {"monthly_debt_payments": payments})
    text = f"Payments on all debts would take {shown} of income; at most 50 % is allowed."
    assert texts(policy, outcome, "en") == [text]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("uz", "Soʻralgan summa 50 000 000 soʻm; daromad boʻyicha koʻpi bilan 48 000 000 soʻm berilishi mumkin."),
        ("ru", "Запрошено 50 000 000 сум; по доходу допускается не более 48 000 000 сум."),
        ("en", "50,000,000 UZS was requested; by income at most 48,000,000 UZS is allowed."),
    ],
)
def test_money_has_its_currency(policy, language, text):
    outcome = decided(policy, {"requested_amount": 50_000_000, "term_months": 36, "monthly_debt_payments": 0})
    assert texts(policy, outcome, language) == [text]


def test_the_currency_is_that_of_the_request(policy):
    outcome = decided(policy, {"requested_amount": 50_000_000, "term_months": 36, "monthly_debt_payments": 0})
    assert texts(policy, outcome, "en", currency="EUR") == [
        "50,000,000 EUR was requested; by income at most 48,000,000 EUR is allowed."
    ]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        (
            "uz",
            "Kredit muddati oxirida yosh 71 yil boʻladi; chegara — 70 yil, shuning uchun arizani xodim koʻrib chiqadi.",
        ),
        (
            "ru",
            "К концу срока возраст составит 71 год; граница — 70 лет, поэтому заявку рассматривает сотрудник.",
        ),
        (
            "en",
            "The age at the end of the term would be 71 years; the limit is 70 years, "
            "so a person looks at the request.",
        ),
    ],
)
def test_years_follow_the_number(policy, language, text):
    assert texts(policy, decided(policy, {"age_at_maturity": 71}), language) == [text]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("uz", "Ushbu xatar darajasida oylik daromadning koʻpi bilan 6 oyligi beriladi."),
        ("ru", "При этом уровне риска выдаётся не более дохода за 6 месяцев."),
        ("en", "At this level of risk at most the income of 6 months is lent."),
    ],
)
def test_where_less_is_offered_the_cap_says_why(policy, language, text):
    grade_e = Assessment(score=500, probability_of_default=0.2, horizon_months=36, grade="E")
    outcome = decided(policy, {"requested_amount": 40_000_000, "term_months": 36}, grade_e)
    assert outcome.outcome == "approve"
    told = reason_texts(policy, outcome, language, "applicant")
    assert [(each["code"], each["text"].replace(NBSP, " ")) for each in told] == [("cap_of_grade_e", text)]


# --- registers

LENDER_OF_BAN = {
    "uz": "Shaxs oʻziga kredit berilishini taqiqlagan.",
    "ru": "Лицо само запретило выдавать себе кредиты.",
    "en": "The person has banned themselves from credit.",
}
APPLICANT_OF_BAN = {
    "uz": "Qonunda kredit berish uchun belgilangan shart bajarilmagan.",
    "ru": "Не выполнено условие, которое закон ставит выдаче кредита.",
    "en": "A condition that the law sets for giving credit is not met.",
}
LENDER_OF_SILENCE = {
    "uz": "Qaror uchun kerakli maʼlumotlar nomaʼlum: oʻziga taqiq reyestrining javobi.",
    "ru": "Для решения нужны неизвестные данные: ответ реестра самозапретов.",
    "en": "Needed for the decision and not known: answer of the register of self-bans.",
}
APPLICANT_OF_SILENCE = {
    "uz": "Qaror uchun kerakli tekshiruvni oʻtkazib boʻlmadi.",
    "ru": "Не удалось провести проверку, которая нужна для решения.",
    "en": "A check that the decision needs could not be made.",
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_applicant_is_told_the_public_reason_of_a_private_rule(policy, language):
    outcome = decided(policy, {"self_banned": True})
    assert texts(policy, outcome, language) == [LENDER_OF_BAN[language]]
    assert texts(policy, outcome, language, "applicant") == [APPLICANT_OF_BAN[language]]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_register_that_did_not_answer_could_not_be_checked(policy, language):
    outcome = decided(policy, {}, without=("self_banned",))
    assert texts(policy, outcome, language) == [LENDER_OF_SILENCE[language]]
    assert texts(policy, outcome, language, "applicant") == [APPLICANT_OF_SILENCE[language]]


# --- cut-offs, bars, what is not known


def test_the_model_speaks_to_the_applicant_where_the_cut_off_speaks_to_the_lender(policy):
    low = Assessment(score=439, probability_of_default=0.368, horizon_months=36, grade="F")
    outcome = decided(policy, {"requested_amount": 10_000_000}, low)
    assert texts(policy, outcome, "ru") == ["Балл 439 намного ниже порога одобрения."]
    assert texts(policy, outcome, "ru", "applicant") == []


@pytest.mark.parametrize(
    ("language", "told"),
    [
        (
            "uz",
            [
                "Soliq qarzi bor: 150 000 soʻm.",
                "Xatar namoyish modeli bilan baholandi, shuning uchun qarorni xodim qabul qiladi.",
            ],
        ),
        (
            "ru",
            [
                "Есть налоговая задолженность: 150 000 сум.",
                "Риск оценён демонстрационной моделью, поэтому решает сотрудник.",
            ],
        ),
        (
            "en",
            [
                "Tax is overdue: 150,000 UZS.",
                "The risk was assessed with a demonstration model, so a person decides.",
            ],
        ),
    ],
)
def test_bars_stand_behind_the_rules(policy, language, told):
    barred = Assessment(score=550, probability_of_default=1 / 9, horizon_months=36, grade="D", bars=("demonstration",))
    assert texts(policy, decided(policy, {"tax_debt": 150_000}, barred), language, "applicant") == told


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_bar_has_a_sentence_of_its_own(policy, language):
    outcome = decided(policy, {}, Assessment(550, 1 / 9, 36, "D", bars=BARS))
    told = texts(policy, outcome, language, "applicant")
    assert len(told) == len(set(told)) == len(BARS)
    assert all(text.endswith(".") and "_" not in text for text in told)


def test_what_is_not_known_is_named(policy):
    outcome = decided(policy, {}, without=("declared_yearly_income", "tax_debt"))
    assert texts(policy, outcome, "en") == [
        "Needed for the decision and not known: income declared to the tax authority.",
        "Needed for the decision and not known: overdue tax.",
    ]
    assert texts(policy, outcome, "ru") == [
        "Для решения нужны неизвестные данные: доход, заявленный налоговому органу.",
        "Для решения нужны неизвестные данные: налоговая задолженность.",
    ]


def test_a_figure_that_cannot_be_worked_out(policy):
    """An income of 0: nothing is missing, and there is no share of it."""
    outcome = decided(policy, {"salary": 0, "yearly_income": 0, "declared_yearly_income": 0})
    assert "debt_service_over_limit" in [step.code for step in outcome.trace if step.fired is None and not step.missing]
    outcome = replace(outcome, reasons=("debt_service_over_limit",))
    assert texts(policy, outcome, "uz") == [
        "Maʼlum maʼlumotlardan qaror uchun kerakli koʻrsatkichni hisoblab boʻlmadi."
    ]
    assert texts(policy, outcome, "en") == [
        "A figure that the decision needs could not be worked out from what is known."
    ]


def test_the_applicant_reads_one_sentence_once(policy):
    outcome = decided(policy, {}, None)
    codes = [each["code"] for each in reason_texts(policy, outcome, "en", "lender")]
    assert codes == ["debt_service_over_limit", "grade_unknown", "price_unknown", "bar:not_assessed"]
    step = next(step for step in outcome.trace if step.code == "debt_service_over_limit")
    twice = Step("late_payments", "limit", None, "refer", {}, step.missing)
    codes = ("debt_service_over_limit", "late_payments")
    outcome = Outcome("refer", "refer", codes, (step, twice), None, None, None, None, ())
    assert len(reason_texts(policy, outcome, "en", "lender")) == 2
    assert [each["code"] for each in reason_texts(policy, outcome, "en", "applicant")] == ["debt_service_over_limit"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_codes_of_the_engine_have_texts(policy, language):
    codes = ("grade_unknown", "price_unknown", "price_above_most", "cut_off_gap")
    steps = tuple(Step(code, "cap", None, "refer", {}) for code in codes)
    outcome = Outcome("refer", "refer", codes, steps, None, None, None, None, ())
    assert len(set(texts(policy, outcome, language))) == 4


def test_an_audience_is_one_of_two(policy):
    with pytest.raises(ValueError, match="an audience is one of lender, applicant, not officer"):
        reason_texts(policy, decided(policy, {}), "en", "officer")
