"""The mock's inventions: the same for the same identifier, apart for any two, believable in the large."""

import json
from statistics import median

from django.test import SimpleTestCase

from apps.external_integrations.clients import MockClient
from apps.external_integrations.sources import KADASTR, SOLIQ
from apps.external_integrations.sources.kadastr import USES
from apps.external_integrations.tests.factories import INN, NOON, PARCEL, PINFL, at

MANY = 1000


def content(record) -> str:
    document = json.loads(record.raw)
    return json.dumps({name: document[name] for name in document if name not in ("identifier", "observed_at")})


class MockTests(SimpleTestCase):
    def test_what_is_invented_for_an_identifier_never_changes(self):
        soliq, kadastr = MockClient(SOLIQ, clock=at()), MockClient(KADASTR, clock=at())
        person, company, parcel = soliq.fetch(PINFL), soliq.fetch(INN), kadastr.fetch(PARCEL)
        self.assertEqual(
            [record.facts() for record in (person, company, parcel)],
            [
                {"tax_debt": 362_965, "declared_yearly_income": 23_579_546},
                {"tax_debt": 0, "declared_revenue": 3_054_456_371},
                {"property_area": 232.6},
            ],
        )
        self.assertEqual((person.observed_at, person.currency, soliq.origin), (NOON, "UZS", "mock"))

    def test_the_whole_identifier_counts(self):
        soliq, kadastr = MockClient(SOLIQ, clock=at()), MockClient(KADASTR, clock=at())
        taxpayers = {content(soliq.fetch(f"{300_000_000 + number}")) for number in range(MANY)}
        parcels = {content(kadastr.fetch(f"10:01:02:03:04:{number:04}")) for number in range(MANY)}
        self.assertEqual((len(taxpayers), len(parcels)), (MANY, MANY))

    def test_incomes_and_debts_look_like_people(self):
        records = [MockClient(SOLIQ, clock=at()).fetch(f"3{number:013}") for number in range(MANY)]
        incomes = sorted(record.declared_yearly_income for record in records)
        self.assertTrue(55_000_000 < median(incomes) < 65_000_000, median(incomes))
        self.assertTrue(incomes[0] > 3_000_000 and incomes[-1] < 1_000_000_000, (incomes[0], incomes[-1]))
        in_debt = sum(record.tax_debt > 0 for record in records) / MANY
        self.assertTrue(0.06 < in_debt < 0.10, in_debt)
        self.assertTrue(all(0 < record.taxes_paid < record.declared_yearly_income for record in records))

    def test_areas_look_like_parcels(self):
        records = [MockClient(KADASTR, clock=at()).fetch(f"P-{number}") for number in range(MANY)]
        self.assertEqual({record.use for record in records}, {use for use, *_ in USES})
        homes = [record.area_m2 for record in records if record.use == "residential"]
        self.assertTrue(0.68 < len(homes) / MANY < 0.76, len(homes))
        self.assertTrue(70 < median(homes) < 80, median(homes))
        self.assertTrue(all(record.area_m2 > 0 and record.cadastral_value > 0 for record in records))
