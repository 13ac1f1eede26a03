"""What a version says to a person: typed facts with unit, source, origin and age; old versions stay readable."""

import json
from dataclasses import fields
from datetime import timedelta
from unittest import mock

import pytest

from apps.common.crypto import DataErased, destroy_keys, seal
from apps.external_integrations import derived
from apps.external_integrations.as_of import Held, held_now
from apps.external_integrations.derived import DerivedFact, Subject, derived_facts, owner_matches, read_again
from apps.external_integrations.models import ExternalRecord, ExternalRecordVersion
from apps.external_integrations.sources import SOURCES
from apps.external_integrations.tests.factories import INN, NOON, PARCEL, PINFL, allow, answered, at, make_record

pytestmark = pytest.mark.django_db
DILSHOD = Subject("Karimov Dilshod", PINFL)


def shown(record: ExternalRecord, days: float = 3, **options) -> dict[str, tuple]:
    """Value and unit by name."""
    held = held_now(record)
    facts = derived_facts(held, read_again(record, held.version), now=at(days)(), **options)
    return {fact.name: (fact.value, fact.unit) for fact in facts}


def test_every_source_has_its_facts_and_every_fact_its_field():
    assert derived.UNITS.keys() == SOURCES.keys()
    for source, units in derived.UNITS.items():
        named = {field.name for field in fields(SOURCES[source].record)}
        assert named - units.keys() == {"identifier", "observed_at", "currency", "raw"}, source
        assert units.keys() <= named


def test_a_fact_has_source_origin_times_and_age():
    record = answered(make_record(), observed_at=at(-1)(), now=at(2)(), tax_debt=7, currency="USD")
    held = held_now(record)
    facts = derived_facts(held, read_again(record, held.version), now=at(33)())
    assert next(fact for fact in facts if fact.name == "tax_debt") == DerivedFact(
        "tax_debt", 7, "USD", "soliq", "http", at(-1)(), at(2)(), 34, True
    )


def test_the_tax_register_tells_income_taxes_debts_and_the_name():
    told = {"declared_revenue": 900, "taxes_paid": 40, "tax_debt": 3, "name": "Zarafshon Savdo"}
    assert shown(answered(make_record(), now=at(1)(), **told)) == {
        "declared_revenue": (900, "UZS per year"),
        "taxes_paid": (40, "UZS per year"),
        "tax_debt": (3, "UZS"),
        "name": ("Zarafshon Savdo", "name"),
    }


def test_the_land_register_tells_the_property_and_whose_it_is():
    told = {"area_m2": 61.5, "use": "residential", "cadastral_value": 300, "is_encumbered": True}
    record = answered(
        make_record("kadastr", PARCEL), now=at(1)(), **told, owner_name="Dilshod Karimov", owner_identifier=PINFL
    )
    expected = {
        "property_area": (61.5, "m2"),
        "property_use": ("residential", "category"),
        "cadastral_value": (300, "UZS"),
        "is_encumbered": (True, "flag"),
        "owner_name": ("Dilshod Karimov", "name"),
        "owner_identifier": ("••••••••••••44", "identifier"),
    }
    assert shown(record) == expected
    assert shown(record, subject=DILSHOD) == expected | {"owner_matches": (True, "flag")}
    assert shown(record, masked=True)["owner_name"] == ("•••••••••••••ov", "name")


def test_the_bureau_tells_the_history():
    allow(PINFL, "bureau", now=NOON)
    told = {"credit_history_score": 321, "oldest_account_date": "2019-05-01", "self_banned": False, "existing_debt": 5}
    facts = shown(answered(make_record("bureau", PINFL), now=at(1)(), **told))
    assert facts["credit_history_score"] == (321, "katm_0_500")
    assert facts["oldest_account_date"] == ("2019-05-01", "day")
    assert (facts["self_banned"], facts["existing_debt"]) == ((False, "flag"), (5, "UZS"))
    assert "name" not in facts


def old_version(record: ExternalRecord, raw: str) -> ExternalRecordVersion:
    """As it was stored when the contract had fewer fields."""
    version = ExternalRecordVersion(
        record=record, data_key=record.data_key, origin="http", observed_at=NOON, fetched_at=NOON, digest="of old"
    )
    version.sealed = seal(record.data_key, {"raw": raw, "facts": {}, "currency": "UZS"}, version.context)
    version.save(force_insert=True)
    return version


@pytest.mark.parametrize(
    ("source", "identifier", "new"),
    [("soliq", INN, {"name"}), ("kadastr", PARCEL, {"owner_name", "owner_identifier"})],
)
def test_a_version_of_before_a_field_was_added_stays_readable_and_says_nothing_of_it(source, identifier, new):
    record = make_record(source, identifier)
    reply = json.loads(SOURCES[source].invent(identifier, NOON))
    version = old_version(record, json.dumps({name: reply[name] for name in reply.keys() - new}))
    told = read_again(record, version)
    assert all(getattr(told, name) is None for name in new)
    facts = derived_facts(Held(record, version, NOON, NOON), told, now=NOON, subject=DILSHOD)
    assert {fact.name for fact in facts}.isdisjoint({*new, "owner_matches"})
    assert len(facts) >= 3


def test_a_version_that_todays_contract_refuses_says_nothing_and_breaks_nothing():
    record = make_record()
    with mock.patch.object(derived, "log") as log:
        assert read_again(record, old_version(record, "{}")) is None
    assert log.warning.call_args.kwargs["error"] == "ReplyNotAsAgreed"


@pytest.mark.parametrize(
    ("name", "identifier", "subject", "expected"),
    [
        (None, None, DILSHOD, None),
        ("Dilshod Karimov", None, DILSHOD, True),
        ("КАРИМОВ ДИЛШОД АНВАРОВИЧ", None, DILSHOD, True),
        ("Yusupova Nodira", None, DILSHOD, False),
        # The identifier tells, where there is one of the same kind.
        ("Yusupova Nodira", PINFL, DILSHOD, True),
        ("Dilshod Karimov", "31210632040255", DILSHOD, False),
        # An INN may be the old one of a person, so that the name has to tell.
        (None, "412345678", DILSHOD, None),
        ("Dilshod Karimov", "412345678", DILSHOD, True),
        # A company's parcel is the company's, whoever else is named.
        (None, INN, Subject("Zarafshon Savdo", INN), True),
        (None, PINFL, Subject("Zarafshon Savdo", INN), False),
        ("ООО «Зарафшон Савдо»", None, Subject("Zarafshon Savdo MCHJ", INN), True),
        ("XK Zarafshon Savdo", None, Subject("Zarafshon Savdo MCHJ", INN), False),
    ],
)
def test_whether_the_owner_is_the_applicant(name, identifier, subject, expected):
    reply = json.loads(SOURCES["kadastr"].invent(PARCEL, NOON)) | {"owner_name": name, "owner_identifier": identifier}
    assert owner_matches(SOURCES["kadastr"].read(json.dumps(reply), PARCEL, NOON), subject) is expected


def test_what_was_erased_is_not_read():
    record = make_record()
    destroy_keys([record.data_key_id], now=NOON + timedelta(days=1))
    record = ExternalRecord.objects.select_related("data_key", "current__data_key").get(id=record.id)
    assert held_now(record) is None
    with pytest.raises(DataErased):
        read_again(record, record.current)
