"""The screen of a request: the score adds up, what is special is said, and nobody reads what is not theirs."""

import re

import pytest
from django.utils import timezone

from apps.accounts.tests.factories import make_branch, make_user
from apps.common.crypto import destroy_keys
from apps.companies.tests.factories import make_company
from apps.credit_requests.deciding import decide_by_policy, refer_request
from apps.credit_requests.tests.deciders import BAD, GOOD, GREY, make_scored, put_policy_in_force, read
from apps.credit_requests.tests.factories import make_officer, make_request
from apps.scoring_engine.ml.grades import annual_probability, grade, probability_of_default
from apps.scoring_engine.models import CHALLENGER, PredictionLog
from apps.workbench.request_parts.scale import least_score, scale_of
from apps.workbench.tests.html import read as read_page
from apps.workbench.tests.rows import signed_in

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def policy():
    return put_policy_in_force()


@pytest.fixture
def officer():
    return make_officer()


def page_of(request, user, language="en"):
    response = signed_in(user, language).get(f"/requests/{request.id}/")
    assert response.status_code == 200
    return response


def figures(page: str, chart: str) -> list[tuple[str, list[str]]]:
    """The rows of a chart's table: their role, and the values."""
    table = re.search(rf'data-chart="{chart}".*?<tbody>(.*?)</tbody>', page, re.S).group(1)
    rows = re.findall(r"<tr(.*?)>(.*?)</tr>", table, re.S)
    return [
        ("".join(re.findall(r'data-role="(\w+)"', head)), re.findall(r'data-value="(.*?)"', row)) for head, row in rows
    ]


@pytest.mark.parametrize(("history", "score"), [(GOOD, 515), (GREY, 485), (BAD, 435)])
@pytest.mark.parametrize("language", ["en", "uz", "ru"])
def test_the_waterfall_adds_up_to_the_score(officer, history, score, language):
    request = make_scored(history)
    rows = figures(page_of(request, officer, language).content.decode(), "waterfall")
    values = [int(value) for _, (value,) in rows]
    assert (rows[0][0], rows[-1][0]) == ("start", "end")
    assert values[-1] == sum(values[:-1]) == request.prediction.score == score
    assert values[0] == request.prediction.reference_score
    assert 0 not in values[1:-1]


def test_the_scale_has_the_grades_and_the_cut_offs_of_the_policy(officer):
    request = make_scored(GREY)
    rows = figures(page_of(request, officer).content.decode(), "scale")
    assert [role for role, _ in rows] == ["band"] * 7 + ["line", "line", "marker"]
    assert rows[-1][1] == [str(request.prediction.score)]
    assert [values[1] for _, values in rows[1:7]] == [values[0] for _, values in rows[:6]]
    assert (rows[0][1][1], rows[6][1][0]) == ("", "")


@pytest.mark.parametrize("months", [1, 6, 12, 24, 36, 60, 240])
def test_each_band_of_the_scale_is_the_grade_that_a_scoring_gets(months):
    bands = scale_of({"score": 500, "horizon": {"months": months}}, None).bands
    for band in bands:
        if band.least is not None:
            assert grade(probability_of_default(band.least), months) == band.grade
            assert grade(probability_of_default(band.least - 1), months) > band.grade


def test_the_least_score_of_a_bound_is_the_lowest_below_it():
    assert annual_probability(probability_of_default(400), 12) == 0.5
    assert least_score(0.5, 12) == 401  # even odds at 400, and the bound itself is not below it


def test_every_reason_and_rule_is_told_in_the_language_of_the_page(officer):
    request = make_scored(BAD)
    told = {language: page_of(request, officer, language).content.decode() for language in ("en", "uz", "ru")}
    assert "What the policy says, rule by rule" in told["en"]
    assert "Siyosat nima deydi, qoidama-qoida" in told["uz"]
    assert "Что говорит политика, правило за правилом" in told["ru"]
    assert len({len(figures(page, "waterfall")) for page in told.values()}) == 1


@pytest.mark.parametrize("role", ["analyst", "auditor"])
def test_identifiers_are_masked_for_who_does_not_work_with_the_applicant(role):
    request = make_scored()
    pinfl = request.individual.profile["pinfl"]
    assert pinfl.encode() in page_of(request, make_officer()).content
    assert pinfl.encode() not in page_of(request, make_user(role)).content


def challenged(request):
    """A row of a challenger beside the newest of the champion, as scoring writes one."""
    champion = request.prediction
    values = {field.attname: getattr(champion, field.attname) for field in PredictionLog._meta.fields}
    values |= {
        "id": None,
        "role": CHALLENGER,
        "beside": champion.id,
        "cause": f"challenger:{champion.id}",
        "score": 777,
    }
    del values["id"]
    return PredictionLog.objects.create(**values)


def test_the_challenger_is_told_to_analysts_alone():
    request = make_scored()
    challenged(request)
    assert b"<dd>777" in page_of(request, make_user("analyst")).content
    for user in (make_officer(), make_user("approver", make_branch()), make_user("auditor")):
        content = page_of(request, user).content
        assert b"<dd>777" not in content
        assert b"hallenger" not in content


def test_what_is_special_is_said_first(officer):
    content = page_of(make_scored(banned=True), officer).content.decode()
    banners = re.search(r'<div class="banners".*?</div>\s*</div>', content, re.S).group(0)
    assert banners.index("Self-ban.") < banners.index("Invented records.")
    assert "Nobody may approve this request now." not in content  # it is pending: nobody approves it yet


def test_a_fallback_says_why():
    from apps.scoring_engine.models import ModelAssignment

    put_out_of_service()
    content = page_of(make_scored(), make_officer()).content.decode()
    assert "Fallback." in content
    assert "The expert card is used: no model of this segment is in service" in content
    assert ModelAssignment.objects.filter(model=None).exists()


def put_out_of_service():
    from apps.scoring_engine.models import ModelVersion
    from apps.scoring_engine.promotion import retire_model

    champion = ModelVersion.objects.get(segment="individual", state="champion")
    retire_model(model=champion, reason="out", actor=make_user("administrator"))


@pytest.mark.parametrize("can_print", [True, False])
def test_a_letter_is_offered_as_pdf_only_where_it_can_be_made(officer, monkeypatch, can_print):
    monkeypatch.setattr("apps.workbench.views.credit_request.can_print_letters", lambda: can_print)
    request = make_scored(GOOD)
    decide_by_policy(credit_request=request, version=1, actor=officer, now=timezone.now())
    page = page_of(request, officer).content.decode()
    assert page.count('?language=ru&amp;decision=1"') == 1
    assert page.count("&amp;form=pdf") == (3 if can_print else 0)


def test_an_erased_person_leaves_the_score_and_nothing_else(officer):
    request = make_scored()
    name = request.individual.profile["full_name"]
    destroy_keys([request.individual.data_key_id], now=timezone.now())
    response = page_of(request, officer)
    content = response.content.decode()
    assert name not in content
    assert "Erased person." in content
    assert "The personal data were erased, so nothing can be decided any more." in content
    forms = [form.attributes.get("action", "") for form, _ in read_page(response.content).forms]
    assert [each for each in forms if "/requests/" in each and "withdraw" not in each] == []


def test_a_company_has_its_page_too(officer):
    assert b"INN" in page_of(make_request(make_company(make_branch())), officer).content


def test_without_a_policy_the_page_says_so(officer):
    request = make_request(make_company(make_branch()))
    content = page_of(request, officer).content.decode()
    assert "No policy is in force for this kind of request" in content
    assert 'action="/requests/' + str(request.id) + '/decide/"' not in content


QUERIES = {"pending": 36, "referred": 36, "rejected": 36}


@pytest.mark.parametrize("status", QUERIES)
def test_the_number_of_queries_is_fixed(officer, status, django_assert_num_queries):
    request = make_scored(BAD if status == "rejected" else GREY)
    if status == "rejected":
        decide_by_policy(credit_request=request, version=1, actor=officer, now=timezone.now())
    if status == "referred":
        refer_request(credit_request=request, version=1, comment="look", actor=officer, now=timezone.now())
    assert read(request).status == status
    client = signed_in(officer)
    client.get(f"/requests/{request.id}/")
    with django_assert_num_queries(QUERIES[status]):
        assert client.get(f"/requests/{request.id}/").status_code == 200
