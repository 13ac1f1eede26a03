"""What the database itself keeps of data keys, tried past every service."""

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.common.crypto import create_data_key, destroy_keys, rewrap
from apps.common.models import DataKey

pytestmark = pytest.mark.django_db


def refused(key: DataKey, **changes: object) -> bool:
    before = DataKey.objects.filter(id=key.id).values().get()
    try:
        with transaction.atomic():
            DataKey.objects.filter(id=key.id).update(**changes)
    except IntegrityError:
        assert DataKey.objects.filter(id=key.id).values().get() == before
        return True
    return False


@pytest.mark.parametrize(
    "changes",
    [
        {"wrapped": b"another key"},
        {"key_id": "another"},
        {"wrapped": b""},
        {"owner_index": None},
        {"owner_index": "f" * 64},
        {"created_at": timezone.now()},
        {"destroyed_at": timezone.now()},
        {"destroyed_at": timezone.now(), "wrapped": b""},
        {"destroyed_at": timezone.now(), "owner_index": None},
    ],
    ids=lambda changes: " ".join(changes),
)
def test_a_key_in_use_is_not_changed_in_part(changes):
    assert refused(create_data_key("owner"), **changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"destroyed_at": None},
        {"destroyed_at": timezone.now()},
        {"wrapped": b"put back"},
        {"destroyed_at": None, "wrapped": b"put back", "owner_index": "owner"},
        {"destroyed_at": None, "wrapped": b"put back", "key_id": "another"},
        {"owner_index": "owner"},
    ],
    ids=lambda changes: " ".join(changes),
)
def test_what_was_destroyed_stays_so(changes):
    key = create_data_key("owner")
    assert destroy_keys([key.id], now=timezone.now()) == 1
    assert refused(key, **changes)


def test_a_key_is_wrapped_anew_and_destroyed_once():
    key = create_data_key("owner")
    again = rewrap(key.id, key.key_id, key.wrapped)
    assert not refused(key, key_id="next", wrapped=again[1])
    assert [destroy_keys([key.id], now=timezone.now()) for _ in range(2)] == [1, 0]
    key.refresh_from_db()
    assert (bytes(key.wrapped), key.owner_index) == (b"", None)


def test_who_was_erased_may_come_again_as_somebody_new():
    key = create_data_key("owner")
    destroy_keys([key.id], now=timezone.now())
    assert create_data_key("owner").id != key.id
