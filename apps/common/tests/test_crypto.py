"""Personal data at rest: sealed per person, bound to their row, found by blind index, gone once erased."""

import base64

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

from apps.common import crypto
from apps.common.crypto import DataErased, InvalidTag, blind_index, create_data_key, destroy_keys, mask, seal, unseal

pytestmark = pytest.mark.django_db
DOCUMENT = {"full_name": "Дилшод Каримов", "incomes": [{"amount": 5_000_000}], "salary": None}


@pytest.fixture
def other_ring(settings):
    """A key ring in which a newer key stands before the one in use."""
    settings.ENCRYPTION_KEYS = ["new:" + base64.b64encode(b"n" * 32).decode(), *settings.ENCRYPTION_KEYS]
    crypto._key_ring.cache_clear()
    yield
    crypto._key_ring.cache_clear()


def test_what_was_sealed_opens_again():
    key = create_data_key()
    assert unseal(key, seal(key, DOCUMENT, "individual:1"), "individual:1") == DOCUMENT


def test_a_seal_shows_nothing_and_is_never_the_same_twice():
    key = create_data_key()
    first, second = (seal(key, DOCUMENT, "individual:1") for _ in range(2))
    assert first != second
    assert "Каримов".encode() not in first
    assert b"full_name" not in first


def test_a_changed_byte_does_not_open():
    key = create_data_key()
    sealed = bytearray(seal(key, DOCUMENT, "individual:1"))
    for place in (0, 12, len(sealed) - 1):
        changed = bytes(sealed[:place] + bytes([sealed[place] ^ 1]) + sealed[place + 1 :])
        with pytest.raises(InvalidTag):
            unseal(key, changed, "individual:1")


def test_a_seal_moved_to_another_row_or_person_does_not_open():
    key, other = create_data_key(), create_data_key()
    sealed = seal(key, DOCUMENT, "individual:1")
    with pytest.raises(InvalidTag):
        unseal(key, sealed, "individual:2")
    with pytest.raises(InvalidTag):
        unseal(other, sealed, "individual:1")


def test_an_erased_person_is_gone():
    key = create_data_key()
    sealed = seal(key, DOCUMENT, "individual:1")
    destroy_keys([key.id], now=timezone.now())
    key.refresh_from_db()
    with pytest.raises(DataErased):
        unseal(key, sealed, "individual:1")
    with pytest.raises(DataErased):
        seal(key, DOCUMENT, "individual:1")


def test_one_person_has_one_key():
    index = blind_index("person", "31210632040244")
    assert create_data_key(index) == create_data_key(index)
    assert create_data_key(index) != create_data_key(blind_index("person", "31210932040247"))
    assert create_data_key() != create_data_key()


def test_a_blind_index_depends_on_kind_and_value_and_holds_neither():
    index = blind_index("person", "31210632040244")
    assert index == blind_index("person", "31210632040244")
    assert len({index, blind_index("inn", "31210632040244"), blind_index("person", "31210932040247")}) == 3
    assert len(index) == 64
    assert "31210632040244" not in index


def test_after_a_new_key_is_put_first_old_rows_still_open(other_ring, settings):
    newer = create_data_key()
    assert newer.key_id == "new"
    assert unseal(newer, seal(newer, DOCUMENT, "x:1"), "x:1") == DOCUMENT


def test_an_old_data_key_opens_under_the_longer_ring(settings, request):
    old = create_data_key()
    sealed = seal(old, DOCUMENT, "x:1")
    request.getfixturevalue("other_ring")
    assert old.key_id != "new"
    assert unseal(old, sealed, "x:1") == DOCUMENT


def test_a_key_of_the_wrong_length_is_refused_by_name(settings):
    settings.ENCRYPTION_KEYS = ["short:" + base64.b64encode(b"n" * 16).decode()]
    crypto._key_ring.cache_clear()
    try:
        with pytest.raises(ImproperlyConfigured, match="'short' has 16 bytes"):
            create_data_key()
    finally:
        crypto._key_ring.cache_clear()


def test_a_mask_leaves_two_characters():
    assert mask("31210632040244") == "••••••••••••44"
    assert mask("7") == "••••7"
