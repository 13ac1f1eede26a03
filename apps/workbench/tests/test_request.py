"""A request on its screen: what is said at the top, who sees an identifier, what is left of an erased applicant."""

from django.test import TestCase
from django.utils import timezone

from apps.audit.models import AuditEvent
from apps.common.crypto import destroy_keys
from apps.workbench.tests.html import read
from apps.workbench.tests.rows import make_world, signed_in


class RequestTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.world = make_world()
        cls.address = f"/requests/{cls.world.own.id}/"
        cls.name = cls.world.own.individual.profile["full_name"]
        cls.pinfl = cls.world.own.individual.profile["pinfl"]

    def page(self, role, language="en", address=None):
        return signed_in(self.world.users[role], language).get(address or self.address)

    def test_the_applicant_is_its_heading_and_title(self):
        page = read(self.page("officer").content)
        assert page.all("h1")[0].text == self.name
        assert page.all("title")[0].text == f"{self.name} · credit_ML"

    def test_only_who_works_with_the_applicant_sees_the_identifier(self):
        seen = {
            role: self.pinfl in self.page(role).content.decode()
            for role in ("officer", "approver", "analyst", "auditor")
        }
        assert seen == {"officer": True, "approver": True, "analyst": False, "auditor": False}

    def test_a_demonstration_card_is_said_at_the_top_in_words(self):
        for language, words in {
            "en": "It was learnt on other people's customers",
            "ru": "Она обучена на чужих клиентах",
            "uz": "U boshqa tashkilotlar mijozlari",
        }.items():
            shown = self.page("officer", language).content.decode().replace("&#x27;", "'")
            assert words in shown
            assert shown.index(words) < shown.index("<section")

    def test_reasons_are_told_in_the_readers_language_and_add_up_to_the_score(self):
        prediction = self.world.own.prediction
        page = read(self.page("officer", "ru").content)
        assert str(prediction.score) in page.texts
        assert "Почему такой балл" in page.texts

    def test_a_company_has_its_own_facts(self):
        shown = self.page("officer", address=f"/requests/{self.world.of_company.id}/").content.decode()
        assert self.world.of_company.company.profile["tax_id"] in shown
        assert "Years in business" in shown

    def test_an_erased_applicant_leaves_the_request_and_its_score(self):
        destroy_keys([self.world.own.individual.data_key_id], now=timezone.now())
        response = self.page("officer")
        assert response.status_code == 200
        page = read(response.content)
        assert page.all("h1")[0].text == "Erased applicant"
        assert self.pinfl not in response.content.decode()
        assert self.name not in response.content.decode()
        assert str(self.world.own.prediction.score) in page.texts

    def test_reading_the_records_is_recorded_as_over_the_api(self):
        self.page("officer")
        looked_up = AuditEvent.objects.filter(action="external_record.look_up", actor=self.world.users["officer"])
        assert looked_up.count() == self.world.own.external_records.count() == 2

    def test_a_request_that_there_is_not_is_not_found(self):
        assert self.page("officer", address="/requests/11111111-1111-4111-8111-111111111111/").status_code == 404
        assert self.page("officer", address="/requests/1/").status_code == 404
