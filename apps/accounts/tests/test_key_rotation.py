"""Rotation of the key ring: every data key under the first key, what it seals untouched, whatever runs beside it."""

import base64
from concurrent.futures import ThreadPoolExecutor
from io import StringIO
from threading import Event

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, connections
from django.utils import timezone

from apps.accounts import key_rotation
from apps.accounts.key_rotation import count_data_keys, rotate_keys
from apps.accounts.tests.factories import client_for, make_branch, make_user
from apps.audit.models import AuditEvent
from apps.common import crypto
from apps.common.crypto import KeyMissing, create_data_key, destroy_keys, draw_key, insert_keys, seal, unseal
from apps.common.models import DataKey
from apps.common.tests.committed import CommittedTestCase
from apps.common.tests.stored import tamper_with
from apps.individuals.models import Individual
from apps.individuals.tests.factories import make_individual

RING = {name: f"{name}:{base64.b64encode(name[-1].encode() * 32).decode()}" for name in ("key-1", "key-2", "key-3")}


@pytest.fixture
def ring(settings):
    """Sets ENCRYPTION_KEYS by the ids of RING."""
    first = settings.ENCRYPTION_KEYS

    def put(*ids: str) -> None:
        settings.ENCRYPTION_KEYS = [RING[id_] for id_ in ids]
        crypto._key_ring.cache_clear()

    put("key-1")
    yield put
    settings.ENCRYPTION_KEYS = first
    crypto._key_ring.cache_clear()


def shown(*_: object) -> None:
    pass


def rotated(*arguments: str) -> tuple[int, str]:
    """Exit code, and what was said."""
    out = StringIO()
    try:
        call_command("rotate_keys", *arguments, stdout=out)
    except CommandError as refusal:
        return refusal.returncode, f"{out.getvalue()}{refusal}"
    return 0, out.getvalue()


@pytest.mark.django_db
def test_every_data_key_comes_under_the_first_key_and_nothing_else_changes(ring):
    person = make_individual(make_branch())
    profile, sealed = person.profile, bytes(person.sealed)
    erased = create_data_key()
    destroy_keys([erased.id], now=timezone.now())
    before = DataKey.objects.exclude(id=erased.id).count()
    ring("key-2", "key-1")
    newer = create_data_key("of the new ring")
    code, told = rotated()
    assert (code, count_data_keys()) == (0, {"key-2": before + 1})
    assert told.splitlines() == [
        f"{before} data keys were wrapped anew under 'key-2'.",
        f"{before + 1} data keys under 'key-2'",
        "0 data keys under 'key-1'",
        "'key-1' may be taken out of ENCRYPTION_KEYS, once every process runs with 'key-2' first; keep a copy for the "
        "back-ups made before.",
    ]
    ring("key-2")
    stored = Individual.objects.get(id=person.id)
    assert (bytes(stored.sealed), stored.profile) == (sealed, profile)
    assert bytes(DataKey.objects.get(id=newer.id).wrapped) == newer.wrapped
    erased.refresh_from_db()
    assert (bytes(erased.wrapped), erased.key_id) == (b"", "key-1")
    event = AuditEvent.objects.get(action="keys.rotate")
    assert (event.subject_type, event.subject_id) == ("common.DataKey", "key-2")
    assert event.details == {"rewrapped": before, "unopened": 0, "left": {"key-2": before + 1}}


@pytest.mark.django_db
def test_a_second_run_finds_nothing_to_do(ring):
    create_data_key()
    ring("key-2", "key-1")
    rotated()
    before = list(DataKey.objects.order_by("id").values())
    assert rotated()[1].startswith("0 data keys were wrapped anew")
    assert list(DataKey.objects.order_by("id").values()) == before


@pytest.mark.django_db
def test_check_only_counts(ring):
    key = create_data_key()
    total = DataKey.objects.count()
    assert rotated("--check")[0] == 0
    ring("key-2", "key-1")
    code, told = rotated("--check")
    assert (code, told.splitlines()[0]) == (1, "0 data keys under 'key-2'")
    assert f"{total} data keys under 'key-1'" in told
    assert "Not every data key is under the first key: run rotate_keys." in told
    assert bytes(DataKey.objects.get(id=key.id).wrapped) == key.wrapped
    assert not AuditEvent.objects.filter(action="keys.rotate").exists()


@pytest.mark.django_db
def test_the_event_names_who_ran_it_and_only_an_administrator_may(ring):
    make_user("administrator", username="root")
    make_user("officer", username="teller")
    assert rotated("--as", "root")[0] == 0
    assert AuditEvent.objects.get(action="keys.rotate").actor.username == "root"
    code, told = rotated("--as", "teller")
    assert (code, "teller is officer" in told) == (1, True)
    assert AuditEvent.objects.filter(action="keys.rotate").count() == 1


@pytest.mark.django_db
def test_a_key_that_the_ring_lacks_is_named_by_command_reader_and_readyz(ring):
    person = make_individual(make_branch())
    ring("key-3", "key-2")
    officer = client_for(make_user("officer", branch=person.branch))
    reply = officer.get(f"/api/individuals/{person.id}/")
    assert (reply.status_code, reply.json()["type"]) == (503, "urn:credit-ml:problem:key-missing")
    assert "'key-1', which ENCRYPTION_KEYS does not have" in reply.json()["detail"]
    assert officer.get("/api/individuals/").status_code == 503
    with pytest.raises(KeyMissing):
        seal(person.data_key, {}, "x:1")
    for arguments in ((), ("--check",)):
        code, told = rotated(*arguments)
        assert code == 2
        assert "data keys under 'key-1', which is not in ENCRYPTION_KEYS" in told
        assert "Put it back behind the first key" in told
    ready = officer.get("/readyz")
    assert (ready.status_code, ready.json()["status"]) == (200, "degraded")
    assert ready.json()["keys"] == "ENCRYPTION_KEYS lacks key-1: what is sealed under it cannot be read"
    ring("key-3", "key-1")
    assert officer.get(f"/api/individuals/{person.id}/").status_code == 200
    assert officer.get("/readyz").json()["keys"] == "ok"


@pytest.mark.django_db
def test_a_data_key_that_was_tampered_with_is_left_and_told(ring):
    sound, tampered = create_data_key(), create_data_key()
    tamper_with(tampered)
    ring("key-2", "key-1")
    code, told = rotated()
    assert (code, "1 data keys do not open under the key that they name" in told) == (1, True)
    assert DataKey.objects.get(id=tampered.id).key_id == "key-1"
    assert DataKey.objects.get(id=sound.id).key_id == "key-2"
    assert "may be taken out" not in told


@pytest.mark.django_db
def test_a_run_that_is_broken_off_tells_the_trail_what_it_did(ring):
    insert_keys([draw_key() for _ in range(5)])
    total = DataKey.objects.count()
    ring("key-2", "key-1")

    def broken_off(doing: str, done: float, total: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        rotate_keys(actor=None, show=broken_off, rows_at_once=2)
    event = AuditEvent.objects.get(action="keys.rotate")
    assert event.details == {"rewrapped": 2, "unopened": 0, "left": {"key-1": total - 2, "key-2": 2}}


class BesideOthers(CommittedTestCase):
    """With real commits: readers, writers, an erasure and a second rotation at the same time."""

    @pytest.fixture(autouse=True)
    def _ring(self, ring):
        self.ring = ring

    def run_beside(self, *calls) -> None:
        def closing(call) -> None:
            try:
                call()
            finally:
                connections.close_all()

        with ThreadPoolExecutor(len(calls)) as pool:
            for running in [pool.submit(closing, call) for call in calls]:
                running.result(timeout=60)

    def test_all_at_once(self):
        people = [create_data_key() for _ in range(200)]
        sealed = {key.id: seal(key, {"number": place}, f"x:{place}") for place, key in enumerate(people)}
        self.ring("key-2", "key-1")
        done, read, written, erased = Event(), [], [], people[::20]

        def reads() -> None:
            while not done.is_set():
                for place, key in enumerate(people):
                    kept = DataKey.objects.get(id=key.id)
                    if kept.destroyed_at is None:
                        read.append(unseal(kept, sealed[key.id], f"x:{place}") == {"number": place})

        def writes() -> None:
            while not done.is_set():
                written.append(create_data_key())

        def erases() -> None:
            for key in erased:
                destroy_keys([key.id], now=timezone.now())

        def rotates() -> None:
            try:
                rotate_keys(actor=None, show=shown, rows_at_once=7)
            finally:
                done.set()

        self.run_beside(reads, writes, erases, rotates, rotates)
        self.assertEqual(set(count_data_keys()), {"key-2"})
        self.assertEqual(set(read), {True})
        self.assertEqual(DataKey.objects.filter(destroyed_at__isnull=False).count(), len(erased))
        self.assertEqual({bytes(key.wrapped) for key in DataKey.objects.filter(destroyed_at__isnull=False)}, {b""})
        self.ring("key-2")
        for place, key in enumerate(people):
            kept = DataKey.objects.get(id=key.id)
            if kept.destroyed_at is None:
                self.assertEqual(unseal(kept, sealed[key.id], f"x:{place}"), {"number": place})
        events = AuditEvent.objects.filter(action="keys.rotate")
        self.assertEqual(events.count(), 2)

    def test_a_key_destroyed_between_reading_and_storing_stays_destroyed(self):
        key = create_data_key("owner")
        held = [(key.id, bytes(key.wrapped))]
        self.ring("key-2", "key-1")
        destroy_keys([key.id], now=timezone.now())
        rotation = key_rotation.Rotation("key-2")
        self.assertEqual(key_rotation._store("key-1", held, rotation), 0)
        kept = DataKey.objects.get(id=key.id)
        self.assertEqual((bytes(kept.wrapped), kept.key_id, kept.owner_index), (b"", "key-1", None))

    def test_a_key_that_another_transaction_holds_is_passed_by_and_taken_later(self):
        if not connection.features.has_select_for_update_skip_locked:
            self.skipTest("only one transaction writes at a time")
        key = create_data_key()
        self.ring("key-2", "key-1")
        holds, release = Event(), Event()

        def hold() -> None:
            from django.db import transaction

            with transaction.atomic():
                DataKey.objects.select_for_update().get(id=key.id)
                holds.set()
                release.wait(30)

        def rotates() -> None:
            holds.wait(30)
            rotation = key_rotation.Rotation("key-2")
            self.assertEqual(sum(key_rotation._one_pass(rotation, "key-1", 10)), 0)
            release.set()
            rotate_keys(actor=None, show=shown)

        self.run_beside(hold, rotates)
        self.assertEqual(DataKey.objects.get(id=key.id).key_id, "key-2")
