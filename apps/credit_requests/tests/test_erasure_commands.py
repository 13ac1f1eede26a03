"""Erasure by command, and of what a restored database brought back."""

import uuid

import pytest
from django.core.management import CommandError
from django.db import transaction

from apps.accounts.tests.factories import make_branch, make_user
from apps.audit.models import AuditEvent
from apps.common.models import DataKey
from apps.credit_requests.erasure import erase_again
from apps.credit_requests.services import withdraw_credit_request
from apps.credit_requests.tests.erased import erased, make_decided, told
from apps.credit_requests.tests.factories import make_request
from apps.external_integrations.models import ExternalRecord
from apps.individuals.tests.factories import make_individual


@pytest.mark.django_db
def test_the_command_erases_once_and_says_so():
    person = make_decided()
    make_user("administrator", username="root")
    arguments = ("erase_person", str(person.id), "--reason", "asked", "--as", "root")
    assert told(*arguments).startswith(f"{person.id} is erased: 2 data keys were destroyed.")
    assert "was erased before" in told(*arguments)
    assert AuditEvent.objects.get(action="individual.erase").actor.username == "root"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"id": "x"}, "The id is like"),
        ({"id": "00000000-0000-4000-8000-000000000000"}, "There is no person with the id"),
        ({"--as": "nobody"}, "no account with the username"),
        ({"--as": "teller"}, "teller is officer"),
        ({"--reason": "because"}, "invalid choice"),
    ],
    ids=str,
)
def test_the_command_refuses_in_a_sentence(change, sentence):
    person = make_decided()
    make_user("administrator", username="root")
    make_user("officer", username="teller")
    given = {"id": str(person.id), "--reason": "asked", "--as": "root"} | change
    with pytest.raises(CommandError, match=sentence):
        told("erase_person", given["id"], "--reason", given["--reason"], "--as", given["--as"])
    assert not DataKey.objects.filter(destroyed_at__isnull=False).exists()


@pytest.mark.django_db
def test_what_was_erased_is_erased_again_in_a_restored_database(tmp_path):
    """The restored state is played by a transaction that is rolled back."""
    request = make_request()
    person, other = request.individual, make_individual(make_branch(), parcel_ids=[])
    alone = ExternalRecord.objects.get(source="kadastr").data_key_id
    held = transaction.savepoint()
    withdraw_credit_request(credit_request=request, version=1, actor=None)
    erasure = erased(person)
    listed = told("list_erased_keys")
    assert {line.split()[0] for line in listed.splitlines()} == {str(key) for key in erasure.data_keys}
    assert str(alone) in listed
    transaction.savepoint_rollback(held)
    assert not DataKey.objects.filter(destroyed_at__isnull=False).exists()

    lines = sorted(listed.splitlines(), key=lambda line: str(person.data_key_id) in line)  # the parcel's first
    file = tmp_path / "erased-keys.txt"
    file.write_text("\n".join([*lines, "", f"{uuid.uuid4()} 2026-01-01T00:00:00Z"]))
    said = "3 data keys listed: 1 erased again, 1 erased already, 1 not in this database.\n"
    assert told("erase_again", str(file)) == said
    assert DataKey.objects.get(id=person.data_key_id).destroyed_at is not None
    assert DataKey.objects.get(id=other.data_key_id).destroyed_at is None
    request.refresh_from_db()
    assert request.status == "withdrawn"
    assert AuditEvent.objects.get(action="individual.erase").details["reason"] == "again"
    assert told("erase_again", str(file)).startswith("3 data keys listed: 0 erased again, 2 erased already")


@pytest.mark.django_db
@pytest.mark.parametrize("content", ["not an id\n", "{id}\n12345\n", b"\xff\xfe"], ids=repr)
def test_a_list_that_is_not_one_erases_nothing(tmp_path, content):
    person, file = make_decided(), tmp_path / "list.txt"
    if isinstance(content, bytes):
        file.write_bytes(content)
    else:
        file.write_text(content.format(id=person.data_key_id))
    with pytest.raises(CommandError, match=r"does not begin with the id|cannot be read"):
        told("erase_again", str(file))
    assert DataKey.objects.get(id=person.data_key_id).destroyed_at is None
    assert erase_again(key_ids=[], actor=None) == {"erased": 0, "erased_already": 0, "not_there": 0}
