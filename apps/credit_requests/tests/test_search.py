"""Applicants found by what an officer types: words of a name, in any spelling, a PINFL, or an INN."""

import re
from typing import Any

from django.db import connection
from django.test import TestCase

from apps.accounts.tests.factories import make_branch, make_user
from apps.common.errors import InvalidInput
from apps.common.models import NameWord
from apps.common.name_words import word_indexes
from apps.common.person_names import search_words
from apps.companies.models import Company
from apps.companies.services import update_company
from apps.companies.tests.factories import make_company
from apps.credit_requests.erasure import erase_company, erase_person
from apps.credit_requests.search import FoundApplicants, search_applicants
from apps.individuals.models import Individual
from apps.individuals.services import update_individual
from apps.individuals.tests.factories import make_individual

SPELLINGS = ["Qo‘chqorov", "Qo'chqorov", "QOʻCHQOROV", "qo`chqorov", "qoʼchqorov", "Qochqorov", "Қўчқоров"]
GHOFUR = ["G‘ofur", "G'ofur", "gʻofur", "g`ofur", "gʼofur", "Gofur", "Ғофур"]


class SearchTests(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.branch = make_branch()
        cls.officer = make_user("officer", cls.branch)
        cls.person = make_individual(cls.branch, full_name="Qoʻchqorov Gʻofur Anvarovich")
        cls.namesake = make_individual(cls.branch, full_name="Karimov Gʻofur")
        cls.company = make_company(cls.branch, company_name="“Yangi Karimov Baraka” MCHJ")

    def found(self, text: str, user: Any = None) -> FoundApplicants:
        return search_applicants(text, user or self.officer)

    def refused(self, text: str) -> str:
        with self.assertRaises(InvalidInput) as caught:
            self.found(text)
        self.assertEqual([error.field for error in caught.exception.errors], ["search"])
        return caught.exception.errors[0].message

    def test_every_spelling_of_a_letter_finds_the_same_name(self) -> None:
        for spelling in SPELLINGS:
            with self.subTest(spelling):
                self.assertEqual(self.found(spelling), FoundApplicants("name", (self.person.id,)))
        for spelling in GHOFUR:
            with self.subTest(spelling):
                self.assertEqual(set(self.found(spelling).individuals), {self.person.id, self.namesake.id})

    def test_cyrillic_finds_latin_and_the_other_way_round(self) -> None:
        self.assertEqual(self.found("Каримов"), FoundApplicants("name", (self.namesake.id,), (self.company.id,)))
        cyrillic = make_individual(self.branch, full_name="Юсупова Шаҳноза")
        self.assertEqual(self.found("shahnoza YUSUPOVA").individuals, (cyrillic.id,))

    def test_all_words_have_to_match_in_any_order_and_whole(self) -> None:
        self.assertEqual(self.found("g'ofur karimov"), FoundApplicants("name", (self.namesake.id,)))
        self.assertEqual(self.found("Karimov Anvar"), FoundApplicants("name"))
        self.assertEqual(self.found("Karim"), FoundApplicants("name"))

    def test_the_legal_form_of_a_company_is_no_word(self) -> None:
        for text in ("baraka", "ООО Барака", "Baraka MCHJ", "yangi baraka"):
            with self.subTest(text):
                self.assertEqual(self.found(text), FoundApplicants("name", (), (self.company.id,)))

    def test_a_pinfl_and_an_inn_are_found_exactly_and_said_to_be_that(self) -> None:
        pinfl, inn = self.person.profile["pinfl"], self.company.profile["tax_id"]
        self.assertEqual(self.found(f" {pinfl[:7]} {pinfl[7:]}"), FoundApplicants("pinfl", (self.person.id,)))
        self.assertEqual(self.found(inn), FoundApplicants("inn", (), (self.company.id,)))

    def test_a_wrong_identifier_is_refused_without_being_repeated(self) -> None:
        pinfl = self.person.profile["pinfl"]
        wrong = pinfl[:13] + str((int(pinfl[13]) + 1) % 10)
        self.assertNotIn(wrong, self.refused(wrong))
        self.assertIn("12", self.refused("123456789012"))
        for nothing in ("", "  ", "'-"):
            self.assertIn("PINFL", self.refused(nothing))
        self.assertIn("200", self.refused("a" * 201))

    def test_only_what_the_user_sees_is_found(self) -> None:
        elsewhere = make_user("officer", make_branch("elsewhere"))
        pinfl = self.person.profile["pinfl"]
        for text in ("Karimov", pinfl, self.company.profile["tax_id"]):
            found = self.found(text, elsewhere)
            self.assertEqual((found.individuals, found.companies), ((), ()))
            self.assertEqual(self.found(text, make_user("administrator")).individuals, ())
        self.assertEqual(self.found(pinfl, make_user("analyst")).individuals, (self.person.id,))

    def test_no_word_of_a_name_stands_in_the_table(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT * FROM common_nameword")
            stored = str(cursor.fetchall()).casefold()
        words = {*search_words("Qoʻchqorov Gʻofur Anvarovich Karimov Yangi Baraka"), "karimov", "baraka"}
        self.assertEqual([word for word in words if len(word) > 2 and word in stored], [])
        self.assertTrue(all(re.fullmatch("[0-9a-f]{64}", row.word_index) for row in NameWord.objects.all()))
        self.assertEqual(NameWord.objects.filter(data_key=self.person.data_key).count(), 3)

    def test_a_changed_name_is_found_and_the_old_one_no_more(self) -> None:
        update_individual(individual=self.person, version=1, changes={"full_name": "Rashidova Lola"}, actor=None)
        update_company(company=self.company, version=1, changes={"company_name": "Nur Savdo"}, actor=None)
        self.assertEqual(self.found("Лола Рашидова").individuals, (self.person.id,))
        self.assertEqual(self.found("nur savdo").companies, (self.company.id,))
        self.assertEqual((self.found("Qochqorov").individuals, self.found("baraka").companies), ((), ()))

    def test_another_change_leaves_the_words(self) -> None:
        before = list(NameWord.objects.order_by("id").values_list())
        update_individual(individual=self.person, version=1, changes={"salary": 1}, actor=None)
        self.assertEqual(list(NameWord.objects.order_by("id").values_list()), before)

    def test_an_erasure_takes_the_words_away(self) -> None:
        erase_person(individual=self.person, reason="asked", actor=None)
        erase_company(company=self.company, reason="asked", actor=None)
        kept = set(NameWord.objects.values_list("data_key", flat=True))
        self.assertEqual(kept, {self.namesake.data_key_id})
        self.assertEqual((self.found("Qochqorov").individuals, self.found("baraka").companies), ((), ()))

    def test_a_refused_creation_leaves_no_words(self) -> None:
        tables = (NameWord, Individual, Company)
        before = [table.objects.count() for table in tables]
        with self.assertRaises(InvalidInput):
            make_individual(self.branch, full_name="Never Kept", birth_date="2090-01-01")
        self.assertEqual([table.objects.count() for table in tables], before)

    def test_more_than_can_be_told_is_said(self) -> None:
        from apps.credit_requests import search

        most, search.MOST_FOUND = search.MOST_FOUND, 1
        self.addCleanup(setattr, search, "MOST_FOUND", most)
        found = self.found("Gofur")
        self.assertEqual((len(found.individuals), found.is_cut), (1, True))

    def test_one_word_has_one_index_however_it_is_spelled(self) -> None:
        self.assertEqual(len({frozenset(word_indexes(spelling)) for spelling in SPELLINGS}), 1)
        self.assertEqual(len({frozenset(word_indexes(spelling)) for spelling in GHOFUR}), 1)
