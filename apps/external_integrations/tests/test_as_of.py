"""Which version held at a moment: the newest observation among those that had come by then."""

import random
from unittest import mock

from django.test import TestCase

from apps.external_integrations import as_of
from apps.external_integrations.as_of import held_at, held_now
from apps.external_integrations.models import ExternalRecord
from apps.external_integrations.tests.factories import answered, at, make_record
from apps.external_integrations.tests.registry import asking


def came(observed: float, now: float, **changes) -> ExternalRecord:
    """The tax record of INN after one more true answer: observed and arrived so many days after NOON."""
    record = ExternalRecord.objects.select_related("data_key").first() or make_record()
    return answered(record, observed_at=at(observed)(), now=at(now)(), **changes)


def told(record: ExternalRecord, days: float) -> tuple | None:
    """Version, its source's time and the last answer, as of `days` after NOON."""
    held = held_at(record, at(days)())
    return held and (held.version.id, held.observed_at, held.checked_at)


class HeldTests(TestCase):
    def test_nothing_held_before_the_first_answer(self):
        record = make_record(days=1)
        self.assertIsNone(told(record, 0.99))
        self.assertEqual(told(record, 1), (record.current_id, at(1)(), at(1)()))

    def test_an_observation_holds_from_its_arrival_on_and_not_from_its_own_day(self):
        first = came(1, now=50, tax_debt=1).current_id
        record = came(2, now=60, tax_debt=2)
        self.assertEqual([told(record, day)[0] for day in (50, 59.9, 60)], [first, first, record.current_id])

    def test_one_that_came_late_never_held(self):
        first = came(3, now=50, tax_debt=33).current_id
        record = came(2, now=51, tax_debt=22)
        self.assertEqual(record.versions.filter(origin="http").count(), 2)
        self.assertEqual(told(record, 52), (first, at(3)(), at(51)()))

    def test_nor_one_older_than_a_confirmation_that_made_no_version(self):
        first = came(1, now=50, tax_debt=11).current_id
        came(3, now=51, tax_debt=11)
        record = came(2, now=52, tax_debt=22)
        self.assertEqual(told(record, 50.5), (first, at(1)(), at(50)()))
        self.assertEqual(told(record, 53), (first, at(3)(), at(52)()))

    def test_a_confirmation_makes_the_record_young_from_then_on_only(self):
        record = came(1, now=1, tax_debt=1)
        came(35, now=35, tax_debt=1)
        stale = [held_at(record, at(day)()).is_stale(at(day)()) for day in (30, 34, 36)]
        self.assertEqual(stale, [False, True, False])
        self.assertEqual(held_at(record, at(34)()).age_days(at(34)()), 33)

    def test_what_a_mock_said_held_then_though_the_source_is_live_now(self):
        record = make_record()
        with asking("https://soliq.example"):
            self.assertIsNone(held_now(record))
            self.assertTrue(held_at(record, at(1)()).is_mock)

    def test_answers_of_before_the_trail_named_versions_are_told_by_the_versions(self):
        first = came(3, now=50, tax_debt=3).current_id
        record = came(2, now=51, tax_debt=2)
        with mock.patch.object(as_of, "FETCHED", "another action"):
            self.assertEqual(told(record, 60), (first, at(3)(), at(50)()))
            self.assertEqual(told(record, 1)[1:], (record.versions.get(origin="mock").observed_at,) * 2)

    def test_five_hundred_answers_in_any_order_are_told_as_they_held(self):
        chance, held = random.Random(6), []
        for step in range(1, 500):
            now, observed = step / 10, chance.uniform(0, 50)
            row = came(min(observed, now), now, tax_debt=chance.randrange(5))
            held.append((now, (row.current_id, row.observed_at, row.checked_at)))
        record = ExternalRecord.objects.get()
        for moment, expected in chance.sample(held, 40):
            self.assertEqual(told(record, moment), expected)
