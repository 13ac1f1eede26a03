"""What a service refuses is told whole in the language of the page: no English stands on a page in uz or ru."""

import json
import re
from collections.abc import Callable
from html import unescape
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.http import HttpResponse
from django.utils import timezone
from openpyxl import load_workbook

from apps.accounts.models import User
from apps.accounts.tests.factories import make_user
from apps.common.days import lender_today
from apps.credit_requests.deciding import decide_by_policy, refer_request
from apps.credit_requests.models import CreditRequest, Override
from apps.credit_requests.staff_links import declare_staff_link
from apps.credit_requests.tests.deciders import GOOD, GREY, make_approver, make_scored, put_policy_in_force, read
from apps.credit_requests.tests.factories import change_debt, make_officer
from apps.policies.services import DEFAULTS, draft_policy
from apps.portfolio.tests.uploaded import received, scored
from apps.scoring_engine.tests.factories import draft, figures_for
from apps.scoring_engine.tests.fixed_card import fixed_card
from apps.workbench.tests.rows import signed_in

pytestmark = pytest.mark.django_db
LANGUAGES = ("en", "uz", "ru")
SAID = re.compile(r'<ul class="problems">(.*?)</ul>|<p class="(?:detail|problem)"[^>]*>(.*?)</p>', re.DOTALL)
TAGS = re.compile(r"<[^>]+>")
ENGLISH = re.compile(r"\b(the|is|was|are|must|only|given|allowed|of|and|not|may|it|this)\b", re.IGNORECASE)
Act = Callable[[str], HttpResponse]
POLICY = (DEFAULTS / "uz_individual.toml").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def policy():
    return put_policy_in_force()


def said(page: str) -> str:
    """All that the page says of a refusal, without its head line."""
    return unescape(" ".join(TAGS.sub("", "".join(found)) for found in SAID.findall(page))).replace("\u00a0", " ")


def refused(act: Act, status: int, **expected: str) -> None:
    """`expected`: a part of what is said, by language. What refuses changes nothing, so it can be asked thrice."""
    for language in LANGUAGES:
        response = act(language)
        page = response.content.decode()
        told = said(page)
        assert (response.status_code, expected[language] in told) == (status, True), (language, told)
        if language != "en":
            assert expected["en"] not in page
            assert ENGLISH.findall(told) == [], told


def make_referred(score: int = GREY, **options) -> CreditRequest:
    request = make_scored(score, **options)
    refer_request(credit_request=request, version=1, comment="look", actor=make_officer(), now=timezone.now())
    return read(request)


def sends(user: User, address: str, **given) -> Act:
    return lambda language: signed_in(user, language).post(address, given)


def judges(request: CreditRequest, user: User, action: str = "approve", **changes) -> Act:
    given = {"version": request.version, "prediction": request.prediction_id, "comment": "7"} | changes
    return sends(user, f"/requests/{request.id}/{action}/", **given)


# --- Requests -------------------------------------------------------------------------------------------------


def test_a_version_that_is_no_longer_current():
    refused(
        judges(make_referred(), make_officer(), version=1),
        409,
        en="The version 1 is no longer current",
        uz="1-versiya eskirgan",
        ru="Версия 1 устарела",
    )


def test_an_assessment_that_changed_since():
    request = make_referred()
    change_debt(request, 70_000_000)
    refused(
        judges(request, make_officer()),
        409,
        en="The assessment that was looked at is no longer current",
        uz="Siz koʻrgan baholash eskirgan",
        ru="Оценка, которую вы видели, устарела",
    )


def test_terms_that_cannot_be_offered_with_what_was_given_and_what_is_allowed():
    refused(
        judges(make_referred(), make_officer(), amount="99000000"),
        400,
        en="Amount: 99000000 was given; allowed is 1000000 to 30000000, which was asked for.",
        uz="Summa: 99 000 000 berilgan; 1 000 000 dan soʻralgan 30 000 000 gacha ruxsat etiladi.",
        ru="Сумма: Указано 99 000 000; допустимо от 1 000 000 до запрошенных 30 000 000.",
    )


def test_a_reason_outside_of_the_list_of_the_policy():
    refused(
        judges(make_referred(), make_officer(), reason_code="because"),
        400,
        en='"because" was given; to approve the policy allows collateral, verified_income.',
        uz="«because» berilgan; «Maʼqullash» uchun siyosat quyidagi sabablarga ruxsat beradi: Garov, ",
        ru="Указано «because»; для «Одобрить» политика допускает причины: Залог, ",
    )


def test_a_rule_that_nobody_may_overrule():
    refused(
        judges(make_referred(banned=True), make_officer()),
        409,
        en="declines, and nobody may overrule it.",
        uz="qoidasi rad etadi va uni hech kim bekor qila olmaydi.",
        ru="отказывает, и никто не может решить иначе.",
    )


def test_who_is_linked_to_the_applicant():
    request, officer = make_referred(), make_officer()
    link = {"user": officer, "applicant": request.individual, "relation": "relative", "actor": officer}
    declare_staff_link(**link, now=timezone.now())
    refused(
        judges(request, officer),
        403,
        en="may not decide of this request: they are linked to the applicant; somebody else has to decide.",
        uz="bu arizani hal qila olmaydi: u arizachi bilan bogʻliq; buni boshqa odam hal qilishi kerak.",
        ru="не может решать по этой заявке: он связан с заявителем; решать должен кто-то другой.",
    )


def test_a_second_person_who_is_the_first():
    request, approver = make_referred(requested_amount=38_000_000), make_approver()
    judges(request, approver)("en")
    refused(
        sends(approver, f"/requests/{request.id}/confirm/", override=Override.objects.get().id, comment="7"),
        403,
        en="The second person is somebody other than who asked for the override.",
        uz="Ikkinchi odam taklifni soʻragan odamning oʻzi boʻla olmaydi.",
        ru="Вторым человеком не может быть тот, кто просил об этом.",
    )


def test_a_decision_while_another_waits_for_its_second_person():
    request, approver = make_referred(requested_amount=38_000_000), make_approver()
    judges(request, approver)("en")
    refused(
        judges(read(request), make_officer()),
        409,
        en="An override of this request waits for its second person",
        uz="qaror taklifi ikkinchi odamni kutmoqda",
        ru="Предложение решения по этой заявке ждёт второго человека",
    )


def test_terms_of_a_request_that_is_decided():
    request, officer = make_scored(GOOD), make_officer()
    decide_by_policy(credit_request=request, version=1, actor=officer, now=timezone.now())
    refused(
        sends(officer, f"/requests/{request.id}/terms/", version=2, amount="20000000", term_months="12"),
        409,
        en="The request is approved; amount, term and product change only while it is pending.",
        uz="Ariza holati: Maʼqullangan; summa, muddat va mahsulot faqat ariza kutilayotganda oʻzgaradi.",
        ru="Состояние заявки: Одобрена; сумму, срок и продукт меняют, только пока она ожидает.",
    )


def test_terms_that_the_product_does_not_allow():
    request = make_scored()
    refused(
        sends(make_officer(), f"/requests/{request.id}/terms/", version=1, amount="1", term_months="12"),
        400,
        en=f"Amount: 1 was given; the product {request.product.code} allows 1000000 to ",
        uz=f"Summa: 1 berilgan; {request.product.code} mahsuloti 1 000 000 dan ",
        ru=f"Сумма: Указано 1; продукт {request.product.code} допускает от 1 000 000 до ",
    )


def test_a_move_that_is_not_in_the_table():
    request, officer = make_scored(), make_officer()
    sends(officer, f"/requests/{request.id}/withdraw/", version=1)("en")
    refused(
        sends(officer, f"/requests/{request.id}/refer/", version=2, comment="7"),
        409,
        en="The request is withdrawn; to refer it is not possible.",
        uz="Ariza holati: Qaytarib olingan; «odamlarga oʻtkazish» amali mumkin emas.",
        ru="Состояние заявки: Отозвана; действие «передать людям» невозможно.",
    )


# --- Models and policies --------------------------------------------------------------------------------------


def test_a_model_that_was_never_validated():
    refused(
        sends(make_user("analyst"), f"/models/{draft(fixed_card()).id}/promote/", reason="7"),
        409,
        en="individual-9.0.0 was never validated",
        uz="individual-9.0.0 hech qachon tekshirilmagan",
        ru="individual-9.0.0 ни разу не проверяли",
    )


def test_a_validation_with_figures_of_another_model():
    model, analyst = draft(fixed_card()), make_user("analyst")
    figures = json.dumps(figures_for(model) | {"model": {"sha256": "0"}}).encode()

    def act(language: str) -> HttpResponse:
        given = {"figures": SimpleUploadedFile("v.json", figures), "passed": "yes", "comment": "7"}
        return signed_in(analyst, language).post(f"/models/{model.id}/validate/", given)

    refused(
        act,
        400,
        en='Figures: They are of another model: model.sha256 is "0", not ',
        uz='Raqamlar: Ular boshqa modelga tegishli: model.sha256 — "0", aslida ',
        ru='Показатели: Они от другой модели: model.sha256 — "0", а должно быть ',
    )


def test_nothing_to_go_back_to():
    refused(
        sends(make_user("administrator"), "/models/roll-back/", segment="company", reason="7"),
        409,
        en="No other model was champion of company before",
        uz="«Kompaniyalar» uchun ilgari boshqa chempion boʻlmagan",
        ru="Для сегмента «Компании» раньше не было другого чемпиона",
    )


def new_text(**changes: str) -> str:
    text = POLICY.replace('version = "2026-01"', 'version = "2030-01"', 1)
    text = text.replace("valid_from = 2026-01-01", f"valid_from = {lender_today()}", 1)
    for old, new in changes.values():
        assert old in text
        text = text.replace(old, new, 1)
    return text


def test_a_policy_that_its_maker_would_publish():
    administrator = make_user("administrator", username="zulfiya")
    policy = draft_policy(text=new_text(), actor=administrator, now=timezone.now())
    refused(
        sends(administrator, f"/policies/{policy.id}/publish/", comment="7"),
        403,
        en="zulfiya drafted",
        uz="qoralamasini zulfiya tuzgan; uni boshqa odam eʼlon qilishi kerak.",
        ru="составил zulfiya; опубликовать его должен кто-то другой.",
    )


@pytest.mark.parametrize(
    ("change", "en", "uz", "ru"),
    [
        (
            ("valid_from = ", "valid_from == "),
            "it is not TOML: Invalid value (at line ",
            "bu TOML emas: ",
            "это не TOML: проверьте запись в строке ",
        ),
        (
            ('segment = "individual"', 'segment = "planet"'),
            'must be one of individual, company, not "planet"',
            'quyidagilardan biri boʻlishi kerak: individual, company; "planet" emas',
            'должно быть одно из: individual, company; а не "planet"',
        ),
        (
            ('when = "age_years', 'when = "region'),
            "region must not count: place is for fairness tests only",
            "region hisobga olinmasligi kerak: joy faqat adolatlilik tekshiruvlari uchun",
            "region учитывать нельзя: место — только для проверок справедливости",
        ),
        (
            ('when = "age_years', 'when = "3 ** age_years'),
            "BinOp is not allowed; of arithmetic there is + - * /",
            "BinOp ruxsat etilmagan; arifmetik amallardan + - * / bor",
            "BinOp недопустимо; из арифметики есть + - * /",
        ),
    ],
)
def test_a_text_that_is_no_policy(change, en, uz, ru):
    act = sends(make_user("analyst"), "/policies/new/", text=new_text(change=change), do="check")
    refused(act, 400, en=en, uz=uz, ru=ru)


# --- Files of applicants --------------------------------------------------------------------------------------


def test_a_file_that_is_not_what_its_name_says():
    analyst = make_user("analyst")

    def act(language: str) -> HttpResponse:
        given = {"file": SimpleUploadedFile("a.csv", b"a,a\n1,2\n"), "segment": "individual"}
        return signed_in(analyst, language).post("/upload/receive/", given)

    refused(
        act,
        400,
        en="Two columns of the file have the same name; give each its own.",
        uz="Fayldagi ikki ustunning nomi bir xil; har biriga oʻz nomini bering.",
        ru="Два столбца файла названы одинаково; дайте каждому своё имя.",
    )


def test_columns_of_which_the_model_uses_none():
    analyst = make_user("analyst")
    upload = received(b"raqam;summa;muddat\n7;1200000;12\n", analyst, "arizachilar.csv")
    refused(
        sends(analyst, f"/upload/{upload.id}/columns/", **{"column-0": "row_id", "scale": "1"}),
        400,
        en="Columns: None of the chosen columns is a fact that the model uses.",
        uz="Ustunlar: Tanlangan ustunlarning hech biri model ishlatadigan koʻrsatkich emas.",
        ru="Столбцы: Ни один из выбранных столбцов модель не использует.",
    )


ALLOWED = {
    "en": ("must be a whole number from 1 to 1000000000000000", "requested_amount: must be a whole number"),
    "uz": ("kerak: 1 dan 1 000 000 000 000 000 gacha butun son", '; berilgan: "olma"'),
    "ru": ("нужно: целое число от 1 до 1 000 000 000 000 000", '; указано: "olma"'),
}


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_refused_row_on_the_page_and_in_the_workbook(language):
    analyst = make_user("analyst")
    upload = scored(b"id;summa;muddat;yearly_income\n7;olma;12;5\n", analyst)
    client = signed_in(analyst, language)
    page = unescape(client.get(f"/upload/{upload.id}/").content.decode()).replace("\u00a0", " ")
    assert ALLOWED[language][0] in page
    content = b"".join(client.post(f"/upload/{upload.id}/download/", {"format": "xlsx"}))
    head, row = load_workbook(BytesIO(content)).active.iter_rows(values_only=True)
    assert ALLOWED[language][1] in row[-1].replace("\u00a0", " ")
    if language != "en":
        assert "must be" not in page
        assert [name for name in head if ENGLISH.search(name) or name in ("row", "Row", "Score", "errors")] == []
        assert "must be" not in row[-1]


def test_a_csv_is_for_programs_and_the_same_in_every_language():
    analyst = make_user("analyst")
    upload = scored(b"id;summa;muddat;yearly_income\n7;olma;12;5\n", analyst)
    given = {"format": "csv"}
    files = {b"".join(signed_in(analyst, each).post(f"/upload/{upload.id}/download/", given)) for each in LANGUAGES}
    head, row = files.pop().decode("utf-8-sig").splitlines()
    assert files == set()
    assert head == (
        "row,row_id,score,probability_of_default,grade,mode,reason_1,reason_2,reason_3,reason_4,warnings,errors"
    )
    assert "requested_amount: must be a whole number from 1 to 1000000000000000, not " in row


# --- Lists ----------------------------------------------------------------------------------------------------


def test_a_search_that_is_too_long():
    refused(
        sends(make_officer(), "/queue/", search="x" * 500),
        400,
        en="Give a PINFL, an INN or words of a name, at most ",
        uz="JSHSHIR, STIR yoki nomdagi soʻzlarni kiriting",
        ru="Введите ПИНФЛ, ИНН или слова из имени",
    )
