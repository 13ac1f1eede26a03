"""A new request as an officer takes it: found or new, checked as typed, stored whole or not at all, sent once."""

from collections.abc import Collection
from datetime import date, timedelta
from typing import Any
from unittest import mock
from uuid import UUID

from django.test import Client, TestCase
from django.utils import timezone
from django.utils.translation import override

from apps.accounts.tests.factories import make_branch, make_user
from apps.audit.models import AuditEvent
from apps.common.background import work_due_jobs
from apps.common.days import lender_today
from apps.common.errors import Conflict
from apps.common.models import DataKey, IdempotencyKey, Job
from apps.companies.industries import INDUSTRIES
from apps.companies.models import Company
from apps.companies.tests.factories import make_company, make_tax_id
from apps.credit_requests.models import CreditRequest
from apps.credit_requests.tests.factories import make_product, make_request
from apps.external_integrations.consents import withdraw_consent
from apps.external_integrations.models import Consent
from apps.external_integrations.tests.factories import allow
from apps.individuals.models import Individual
from apps.individuals.tests.factories import make_individual, make_pinfl
from apps.workbench import labels
from apps.workbench.tests.html import Reader, read
from apps.workbench.tests.rows import signed_in

Given = dict[str, Any]
TABLES = (Individual, Company, CreditRequest, Consent, AuditEvent, Job, IdempotencyKey, DataKey)
FACTS = {"full_name": "Tursunov Botir", "phone": "90 123 45 67", "salary": "9 000 000", "existing_debt": "0"}
STATEMENT = {
    "year": "2025",
    "revenue": "4 000 000 000",
    "net_income": "\u221220 000 000",
    "assets": "2.500.000.000",
    "liabilities": "1,100,000,000",
}


def stored() -> dict[str, int]:
    return {model.__name__: model.objects.count() for model in TABLES}


class NewRequestCase(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.branch, cls.other = make_branch(), make_branch("samarqand")
        cls.officer = make_user("officer", cls.branch)
        cls.product = make_product(name="Olma")
        make_product(name="Anor", is_active=False)

    def setUp(self) -> None:
        self.client = signed_in(self.officer)

    def given(self, identifier: str, kind: str = "individual", **changes: Any) -> Given:
        """What the whole form sends for a new person, but for `changes`; None leaves a field out."""
        terms = {"product": str(self.product.id), "requested_amount": "12 000 000", "term_months": "24"}
        rest = {"purpose": "car", "channel": "branch", "key": "k1", "applicant": ""}
        facts = FACTS if kind == "individual" else {"company_name": "Zarafshon Savdo"}
        every = {"kind": kind, "identifier": identifier} | facts | terms | rest | changes
        return {name: value for name, value in every.items() if value is not None}

    def consented(self, sources: Collection[str] = ("soliq", "bureau"), **changes: Any) -> Given:
        today = lender_today()
        days = {"given_on": today.isoformat(), "expires_on": (today + timedelta(days=90)).isoformat()}
        told = {"consent_purpose": "credit_assessment", "reference": "form 7", **days}
        return {"sources": list(sources), **told} | changes

    def submit(self, given: Given, status: int = 303, client: Client | None = None) -> CreditRequest | Reader:
        response = (client or self.client).post("/new/submit/", given)
        self.assertEqual(response.status_code, status, response.content.decode()[:3000])
        if status != 303:
            return read(response.content)
        pk = UUID(response["Location"].removeprefix("/new/").removesuffix("/"))
        self.assertEqual(response["Location"], f"/new/{pk}/")
        return CreditRequest.objects.with_everything().get(id=pk)

    def refused(self, given: Given, status: int = 422) -> dict[str, str]:
        """What is said of each field; nothing is stored by it, and what was typed is still there."""
        before = stored()
        page = self.submit(given, status)
        self.assertEqual(stored(), before)
        values = {each.attributes.get("name"): each.attributes.get("value") for each in page.all("input")}
        for name in ("full_name", "requested_amount", "reference"):
            if name in given and name in values:
                self.assertEqual(values[name] or "", given[name])
        return problems(page)


def problems(page: Reader) -> dict[str, str]:
    """By field, as they stand beside it."""
    found, at = {}, ""
    for each in page.elements:
        if each.attributes.get("class") == "feedback":
            at = each.attributes["id"].removeprefix("id_").removesuffix("_error")
        elif each.attributes.get("class") == "problem":
            found[at] = each.text
    return found


class FindingTests(NewRequestCase):
    def found(self, identifier: str, kind: str = "individual", status: int = 200) -> Reader:
        before = stored()
        response = self.client.post("/new/", {"kind": kind, "identifier": identifier})
        self.assertEqual(response.status_code, status)
        self.assertEqual(stored(), before)
        return read(response.content)

    def text(self, page: Reader) -> str:
        return " ".join(page.texts)

    def test_the_first_page_asks_who_applies_and_nothing_else(self) -> None:
        page = read(self.client.get("/new/?kind=company").content)
        fields = [each.attributes["name"] for each in page.all("input") if each.attributes.get("type") == "text"]
        self.assertEqual(fields, ["identifier"])
        self.assertIn("9 digits", self.text(page))

    def test_somebody_known_is_shown_and_not_asked_again(self) -> None:
        known = make_individual(self.branch, full_name="Umarova Lola")
        page = self.found(known.profile["pinfl"])
        self.assertIn("Umarova Lola", page.texts)
        names = {each.attributes.get("name"): each.attributes.get("value") for each in page.all("input")}
        self.assertEqual(names["applicant"], str(known.id))
        self.assertNotIn("full_name", names)
        self.assertIn("requested_amount", names)

    def test_of_somebody_new_the_birth_date_is_told_and_the_facts_are_asked(self) -> None:
        page = self.found(make_pinfl(date(1990, 3, 3)))
        self.assertIn("born on", self.text(page))
        self.assertIn("3 Mar 1990", page.texts)
        names = {each.attributes.get("name") for each in page.all("input")}
        self.assertLessEqual({"full_name", "salary", "existing_debt", "reference"}, names)

    def test_digits_may_be_typed_in_groups(self) -> None:
        known = make_individual(self.branch, full_name="Umarova Lola")
        pinfl = known.profile["pinfl"]
        self.assertIn("Umarova Lola", self.found(f" {pinfl[:4]} {pinfl[4:8]}-{pinfl[8:]} ").texts)

    def test_of_another_branchs_applicant_no_more_is_told_than_that_there_is_one(self) -> None:
        cases = {
            "individual": make_individual(self.other, full_name="Umarova Lola").profile["pinfl"],
            "company": make_company(self.other, company_name="Umarova Savdo").profile["tax_id"],
        }
        for kind, identifier in cases.items():
            page = self.found(identifier, kind, status=422)
            self.assertIn("Another branch has this applicant already", self.text(page))
            for secret in ("Umarova", "samarqand", "Samarqand"):
                self.assertNotIn(secret, self.text(page))
            names = {each.attributes.get("name") for each in page.all("input")}
            self.assertNotIn("requested_amount", names)

    def test_a_request_that_waits_already_is_told(self) -> None:
        waiting = make_request(make_individual(self.branch), self.product)
        page = self.found(waiting.individual.profile["pinfl"])
        self.assertIn("This applicant waits for a decision already:", page.texts)
        self.assertIn(f"/requests/{waiting.id}/", [each.attributes.get("href") for each in page.all("a")])

    def test_consents_are_shown_as_they_stand_today(self) -> None:
        known = make_individual(self.branch)
        allow(known.profile["pinfl"], "soliq")
        withdraw_consent(consent=allow(known.profile["pinfl"], "bureau"), actor=None, now=timezone.now())
        text = self.text(self.found(known.profile["pinfl"]))
        self.assertIn("Soliq (tax) · given to decide on this request", text)
        self.assertIn("Credit bureau · withdrawn to decide on this request", text)
        self.assertIn("the score rests on what the person said: Credit bureau", text)

    def test_what_is_wrong_with_an_identifier_is_said_in_the_language_of_the_page(self) -> None:
        said = {
            "en": "A PINFL has exactly 14 digits; 3 characters were given.",
            "ru": "В ПИНФЛ ровно 14 цифр; введено символов: 3.",
            "uz": "JSHSHIR roppa-rosa 14 ta raqamdan iborat; kiritilgan belgilar soni: 3.",
        }
        for language, sentence in said.items():
            self.client = signed_in(self.officer, language)
            self.assertEqual(problems(self.found("123", status=422)), {"identifier": sentence})

    def test_products_are_those_that_are_offered_in_the_currency_of_the_profile(self) -> None:
        make_product(name="Nok", currency="USD")
        page = self.found(make_individual(self.branch).profile["pinfl"])
        options = [each.text for each in page.all("option")]
        self.assertIn("Olma · 1,000,000 to 100,000,000\u00a0UZS · 3 to 60\u00a0months", options)
        self.assertEqual([each for each in options if each.startswith(("Anor", "Nok"))], [])

    def test_the_number_of_queries_is_fixed(self) -> None:
        known = make_request(make_individual(self.branch), self.product).individual
        make_request(known, self.product)
        with self.assertNumQueries(8):
            self.client.post("/new/", {"kind": "individual", "identifier": known.profile["pinfl"]})


class SubmittingTests(NewRequestCase):
    def test_a_new_person_with_consent_is_stored_asked_about_and_scored(self) -> None:
        pinfl = make_pinfl()
        made = self.submit(self.given(pinfl, **self.consented()))
        profile = made.individual.profile
        self.assertEqual((profile["full_name"], profile["pinfl"]), ("Tursunov Botir", pinfl))
        self.assertEqual((profile["phone"], profile["salary"]), ("+998901234567", 9_000_000))
        self.assertEqual((profile["existing_debt"], profile["collateral_value"]), (0, None))
        self.assertEqual(profile["birth_date"], "1985-03-14")
        self.assertEqual((made.requested_amount, made.term_months, made.purpose), (12_000_000, 24, "car"))
        self.assertEqual((made.branch, made.created_by, made.currency), (self.branch, self.officer, "UZS"))
        self.assertEqual(made.prediction.cause, "create")
        consents = Consent.objects.order_by("source").values_list("source", "purpose", "recorded_by")
        self.assertEqual(
            list(consents),
            [("bureau", "credit_assessment", self.officer.id), ("soliq", "credit_assessment", self.officer.id)],
        )
        jobs = sorted(Job.objects.filter(state="queued").values_list("name", flat=True))
        self.assertEqual(jobs, ["gather_allowed_records", "refresh_bureau_record", "refresh_soliq_record"])
        actions = list(AuditEvent.objects.order_by("id").values_list("action", flat=True))
        self.assertEqual(
            [each for each in actions if each.split(".")[0] in ("individual", "consent", "credit_request")],
            ["individual.create", "consent.record", "consent.record", "credit_request.create", "credit_request.score"],
        )

    def test_somebody_known_is_taken_as_they_are(self) -> None:
        known = make_individual(self.branch)
        before = Individual.objects.count()
        made = self.submit(self.given(known.profile["pinfl"], applicant=str(known.id), full_name=None))
        self.assertEqual((made.individual, Individual.objects.count()), (known, before))
        self.assertEqual(known.version, Individual.objects.get(id=known.id).version)

    def test_a_new_company_with_its_statement(self) -> None:
        tax_id = make_tax_id()
        more = {"industry": "G", "incorporated_date": "2014-05-20", "contact_name": "Nodira Yusupova"} | STATEMENT
        made = self.submit(self.given(tax_id, "company", purpose="working_capital", **more))
        company = made.company
        self.assertEqual((company.profile["company_name"], company.profile["tax_id"]), ("Zarafshon Savdo", tax_id))
        self.assertEqual((company.industry, company.incorporated_date), ("G", date(2014, 5, 20)))
        self.assertEqual(company.profile["contact"], {"name": "Nodira Yusupova", "phone": None, "email": None})
        statement = company.statements.get()
        self.assertEqual((statement.year, statement.revenue, statement.net_income), (2025, 4_000_000_000, -20_000_000))
        self.assertEqual(
            (statement.assets, statement.liabilities, statement.ebit), (2_500_000_000, 1_100_000_000, None)
        )
        self.assertEqual(Consent.objects.count(), 0)

    def test_without_consent_nobody_is_asked_and_the_page_says_so(self) -> None:
        made = self.submit(self.given(make_pinfl()))
        self.assertEqual(list(made.external_records.all()), [])
        self.assertEqual(Job.objects.count(), 0)
        texts = read(self.client.get(f"/new/{made.id}/").content).texts
        self.assertEqual(texts.count("is not asked: there is no consent of the person"), 2)

    def test_a_consent_that_was_withdrawn_asks_nobody(self) -> None:
        known = make_individual(self.branch)
        withdraw_consent(consent=allow(known.profile["pinfl"], "soliq"), actor=None, now=timezone.now())
        made = self.submit(self.given(known.profile["pinfl"], applicant=str(known.id)))
        self.assertEqual([each.source for each in made.external_records.all()], ["kadastr"])

    def test_sent_twice_it_is_one_request(self) -> None:
        given = self.given(make_pinfl(), **self.consented())
        first = self.submit(given)
        after = stored()
        self.assertEqual(self.submit(given), first)
        self.assertEqual(stored(), after)

    def test_a_form_that_was_sent_before_is_not_taken_for_another_request(self) -> None:
        given = self.given(make_pinfl())
        self.submit(given)
        before = stored()
        page = self.submit(given | {"requested_amount": "13 000 000"}, 422)
        self.assertIn("This form was sent before", page.texts)
        self.assertEqual(stored(), before)

    def test_a_form_without_its_key_is_refused(self) -> None:
        self.refused(self.given(make_pinfl(), key=None))

    def test_another_branchs_applicant_cannot_be_sent_either(self) -> None:
        elsewhere = make_individual(self.other)
        self.refused(self.given(elsewhere.profile["pinfl"]))
        self.refused(self.given(elsewhere.profile["pinfl"], applicant=str(elsewhere.id)))

    def test_a_profile_that_came_about_meanwhile_is_shown_and_asked_about_again(self) -> None:
        pinfl = make_pinfl()
        known = make_individual(self.branch, pinfl=pinfl, full_name="Umarova Lola")
        before = stored()
        page = self.submit(self.given(pinfl), 409)
        self.assertEqual(stored(), before)
        self.assertIn("The profile of the applicant has changed in the meantime.", page.texts)
        self.assertIn("Umarova Lola", page.texts)
        made = self.submit(self.given(pinfl, applicant=str(known.id)))
        self.assertEqual(made.individual, known)

    def test_what_is_refused_after_the_profile_takes_the_profile_back(self) -> None:
        with mock.patch("apps.workbench.applying.submit_credit_request", side_effect=Conflict("no")):
            self.refused(self.given(make_pinfl(), **self.consented()), 409)
        self.submit(self.given(make_pinfl(), **self.consented()))

    def test_when_the_session_has_ended_meanwhile_nothing_is_stored(self) -> None:
        before = stored()
        response = Client().post("/new/submit/", self.given(make_pinfl()))
        self.assertEqual((response.status_code, response["Location"]), (302, "/sign-in/?next=%2F&unsent=1"))
        self.assertEqual(stored(), before)

    def test_each_refusal_names_its_field(self) -> None:
        within = "This product allows 1,000,000 to 100,000,000."
        whole = "Give a whole number from 0 to 1,000,000,000,000,000."
        needed, one = "This is needed.", "Choose one of the list."
        tomorrow = (lender_today() + timedelta(days=1)).isoformat()
        cases = [
            ({"full_name": ""}, {"full_name": needed}),
            ({"full_name": "123"}, {"full_name": "Give a name in letters, on one line, of at most 200 characters."}),
            ({"phone": "12"}, {"phone": "Give a phone number in use, such as +998 90 123 45 67."}),
            ({"email": "a@b"}, {"email": "Give an e-mail address, such as name@example.uz."}),
            ({"salary": "12.5"}, {"salary": whole}),
            ({"salary": "1e9"}, {"salary": whole}),
            ({"salary": "-1"}, {"salary": whole}),
            ({"existing_debt": "9" * 5000}, {"existing_debt": whole}),
            ({"employment_years": "81"}, {"employment_years": "Give a number from 0 to 80."}),
            ({"employment_years": "NaN"}, {"employment_years": "Give a number from 0 to 80."}),
            ({"parcel_ids": "10:01, 10:01"}, {"parcel_ids": "A parcel id is given twice; give each one once."}),
            ({"parcel_ids": " ".join(map(str, range(21)))}, {"parcel_ids": "Give at most 20 cadastral numbers."}),
            ({"product": ""}, {"product": needed}),
            ({"product": "x"}, {"product": one}),
            ({"requested_amount": "999 999"}, {"requested_amount": within}),
            ({"requested_amount": "100 000 001"}, {"requested_amount": within}),
            ({"term_months": "2"}, {"term_months": "This product allows 3 to 60."}),
            ({"purpose": "yacht"}, {"purpose": one}),
            ({"channel": ""}, {"channel": needed}),
            ({"sources": ["kadastr"]}, {"sources": one}),
            (self.consented(reference=""), {"reference": needed}),
            (self.consented(reference="x" * 201), {"reference": "Give at most 200 characters."}),
            (self.consented(given_on="soon"), {"given_on": "Give a day, such as 20.05.2014."}),
            (
                self.consented(given_on=tomorrow),
                {"given_on": "This day lies ahead; a consent is recorded once it was given."},
            ),
            ({"full_name": "", "salary": "x"}, {"full_name": needed, "salary": whole}),
        ]
        for changes, said in cases:
            with self.subTest(changes=str(changes)[:80]):
                self.assertEqual(self.refused(self.given(make_pinfl(), **changes)), said)

    def test_the_days_of_a_consent_have_their_bounds(self) -> None:
        today = lender_today()
        longest = {"credit_assessment": 180, "monitoring": 1825}
        for purpose, days in longest.items():
            late = (today + timedelta(days=days + 1)).isoformat()
            given = self.consented(consent_purpose=purpose, expires_on=late)
            said = self.refused(self.given(make_pinfl(), **given))
            self.assertEqual([*said], ["expires_on"])
            last = (today + timedelta(days=days)).isoformat()
            self.submit(self.given(make_pinfl(), key=purpose, **given | {"expires_on": last}))
        self.refused(self.given(make_pinfl(), **self.consented(expires_on="9999-12-31")))
        self.refused(self.given(make_pinfl(), **self.consented(given_on="9999-12-31")))

    def test_each_refusal_of_a_company_names_its_field(self) -> None:
        figure, year = "A statement needs this figure.", "Give a year that has begun, such as 2025."
        cases = [
            ({"company_name": ""}, {"company_name": "This is needed."}),
            ({"industry": "Z"}, {"industry": "Choose one of the list."}),
            (
                {"incorporated_date": "01.01.2090"},
                {"incorporated_date": "Give a day that is not ahead, such as 20.05.2014."},
            ),
            ({"contact_phone": "71 234 56 78"}, {"contact_name": "Whose phone is it?"}),
            (
                {"revenue": "1"},
                {"year": figure, "net_income": figure, "assets": figure, "liabilities": figure},
            ),
            (STATEMENT | {"year": str(lender_today().year + 1)}, {"year": year}),
            (STATEMENT | {"year": "1989"}, {"year": year}),
            (
                STATEMENT | {"assets": "0"},
                {"assets": "Give a whole number from 1 to 1,000,000,000,000,000."},
            ),
        ]
        for changes, said in cases:
            with self.subTest(changes=changes):
                self.assertEqual(self.refused(self.given(make_tax_id(), "company", **changes)), said)

    def test_refusals_speak_the_language_of_the_page(self) -> None:
        said = {}
        for language in ("uz", "ru", "en"):
            self.client = signed_in(self.officer, language)
            changes = {"full_name": "1", "requested_amount": "5", "salary": "x", "product": str(self.product.id)}
            said[language] = self.refused(self.given(make_pinfl(), **changes))
        self.assertEqual({len(each) for each in said.values()}, {3})
        for name in ("full_name", "requested_amount", "salary"):
            self.assertEqual(len({each[name] for each in said.values()}), 3, name)


class AsTypedTests(NewRequestCase):
    def said(self, name: str, **given: Any) -> str:
        headers = {"HX-Request": "true", "HX-Trigger-Name": name}
        response = self.client.post("/new/check/", {"kind": "individual"} | given, headers=headers)
        self.assertEqual(response.status_code, 200)
        self.assertNotIn(b"<html", response.content)
        return " ".join(" ".join(read(response.content).texts).split())

    def test_an_identifier_is_checked_and_its_birth_date_told(self) -> None:
        pinfl = make_pinfl(date(1990, 3, 3))
        self.assertEqual(self.said("identifier", identifier=pinfl), "Born on 3 Mar 1990")
        wrong = pinfl[:-1] + str((int(pinfl[-1]) + 1) % 10)
        self.assertEqual(
            self.said("identifier", identifier=wrong),
            "The last digit of the PINFL does not fit the others; check for a mistyped digit.",
        )
        self.assertEqual(
            self.said("identifier", kind="company", identifier="12"),
            "An INN (STIR) has exactly 9 digits; 2 characters were given.",
        )

    def test_a_sum_is_read_back_and_held_to_the_bounds_of_the_product(self) -> None:
        product = str(self.product.id)
        self.assertEqual(self.said("requested_amount", requested_amount="12000000", product=product), "12,000,000")
        self.assertEqual(
            self.said("requested_amount", requested_amount="12", product=product),
            "This product allows 1,000,000 to 100,000,000.",
        )

    def test_of_a_product_its_bounds_are_told(self) -> None:
        said = self.said("product", product=str(self.product.id))
        self.assertEqual(said, "1,000,000 to 100,000,000 UZS · 3 to 60 months")

    def test_a_field_that_is_left_empty_is_not_scolded_yet(self) -> None:
        self.assertEqual(self.said("full_name", full_name=""), "")

    def test_nobody_is_looked_up_by_typing(self) -> None:
        known = make_individual(self.branch).profile["pinfl"]
        with self.assertNumQueries(3):  # session, user, products
            self.said("identifier", identifier=known)

    def test_other_names_are_refused(self) -> None:
        for name in ("", "key", "__class__"):
            response = self.client.post("/new/check/", {}, headers={"HX-Trigger-Name": name})
            self.assertEqual(response.status_code, 400)


class ProgressTests(NewRequestCase):
    def page(self, made: CreditRequest) -> Reader:
        return read(self.client.get(f"/new/{made.id}/").content)

    def polls(self, page: Reader) -> bool:
        return any(each.attributes.get("hx-trigger") == "every 2s" for each in page.elements)

    def test_it_goes_from_waiting_to_answered_and_to_the_score(self) -> None:
        made = self.submit(self.given(make_pinfl(), **self.consented()))
        page = self.page(made)
        self.assertTrue(self.polls(page))
        self.assertEqual(page.texts.count("waits to be asked"), 2)
        self.assertIn("Score so far", page.texts)
        work_due_jobs()
        page = self.page(made)
        self.assertFalse(self.polls(page))
        self.assertEqual(len([each for each in page.texts if each.startswith("answered ")]), 2)
        made.refresh_from_db()
        self.assertIn(str(made.prediction.score), page.texts)
        self.assertNotEqual(made.prediction.cause, "create")

    def test_a_source_that_is_down_is_told_with_the_time_of_the_next_try(self) -> None:
        made = self.submit(self.given(make_pinfl(), **self.consented(["soliq"])))
        later = timezone.now() + timedelta(minutes=4)
        Job.objects.filter(name="refresh_soliq_record").update(error="SourcePaused", due_at=later)
        Job.objects.exclude(name="refresh_soliq_record").delete()
        page = self.page(made)
        self.assertFalse(self.polls(page))
        self.assertTrue(any(each.startswith("does not answer; it is asked again at ") for each in page.texts))

    def test_another_branchs_request_is_not_there(self) -> None:
        other = make_request(make_individual(self.other), self.product)
        self.assertEqual(self.client.get(f"/new/{other.id}/").status_code, 404)

    def test_looking_writes_nothing_and_asks_a_fixed_number_of_queries(self) -> None:
        made = self.submit(self.given(make_pinfl(), **self.consented()))
        work_due_jobs()
        before = stored()
        with self.assertNumQueries(8):
            self.page(made)
        self.assertEqual(stored(), before)


def test_industries_are_those_of_the_engine() -> None:
    with override("en"):
        assert {code: str(name) for code, name in labels.INDUSTRIES.items()} == INDUSTRIES
