"""A creating POST with an Idempotency-Key runs once; the repeat gets the same reply."""

import hashlib
import json
import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.test import TestCase
from django.utils import timezone

from apps.accounts.models import Branch
from apps.accounts.tests.factories import client_for, make_branch, make_user
from apps.audit.models import AuditEvent
from apps.common.idempotency import forget_replies
from apps.common.models import DataKey, IdempotencyKey
from apps.common.tests.committed import CommittedTestCase

ADDRESS = "/api/branches/"
SAMARKAND = {"code": "samarkand", "name": "Самарканд"}


class IdempotencyTests(TestCase):
    def setUp(self):
        self.client = client_for(make_user("administrator"))

    def post(self, body=SAMARKAND, key="k-1", address=ADDRESS, client=None):
        headers = {} if key is None else {"Idempotency-Key": key}
        return (client or self.client).post(address, body, headers=headers)

    def test_a_repeat_gets_the_first_reply_and_creates_nothing(self):
        first, second = self.post(), self.post()
        assert (first.status_code, second.status_code) == (201, 201)
        assert first.json() == second.json()
        assert "Idempotency-Replayed" not in first
        assert second["Idempotency-Replayed"] == "true"
        assert Branch.objects.filter(code="samarkand").count() == 1
        assert AuditEvent.objects.filter(action="branch.create").count() == 1

    def test_a_reply_is_forgotten_after_two_days_with_the_key_that_sealed_it(self):
        self.post(key="old")
        self.post(SAMARKAND | {"code": "bukhara"}, key="new")
        old = IdempotencyKey.objects.get(key="old")
        now = timezone.now()
        IdempotencyKey.objects.filter(key="old").update(created_at=now - timedelta(days=2, seconds=1))
        assert forget_replies(now=now) == {"forgotten": 1}
        assert list(IdempotencyKey.objects.values_list("key", flat=True)) == ["new"]
        assert not DataKey.objects.filter(id=old.data_key_id).exists()
        assert DataKey.objects.count() == 1

    def test_another_body_under_the_same_key_is_422(self):
        self.post()
        response = self.post(SAMARKAND | {"code": "bukhara"})
        assert response.status_code == 422
        assert response.json()["type"] == "urn:credit-ml:problem:idempotency-key-reused"
        assert not Branch.objects.filter(code="bukhara").exists()

    def test_the_order_of_fields_does_not_matter(self):
        first = self.post()
        assert self.post({"name": "Самарканд", "code": "samarkand"}).json() == first.json()

    def test_a_refused_request_does_not_use_up_its_key(self):
        assert self.post({"code": "bad code", "name": "x"}).status_code == 400
        assert self.post().status_code == 201

    def test_a_key_belongs_to_its_client(self):
        self.post()
        other = client_for(make_user("administrator"))
        assert self.post({"code": "bukhara", "name": "Бухара"}, client=other).status_code == 201

    def test_a_key_belongs_to_its_route(self):
        self.post()
        user = {"username": "aziza", "role": "auditor", "password": "long and quite random 7"}
        assert self.post(user, address="/api/users/").status_code == 201

    def test_without_a_key_a_repeat_is_a_new_request(self):
        assert self.post(key=None).status_code == 201
        assert self.post(key=None).status_code == 409

    def test_a_key_too_long_or_not_printable_is_refused(self):
        for key in ("x" * 201, "\x7f", ""):
            assert self.post(key=key).status_code == 400
        assert not Branch.objects.filter(code="samarkand").exists()

    def test_the_stored_digest_cannot_be_made_without_the_key(self):
        """A plain hash would let a thief of the table try out PINFLs."""
        self.post()
        plain = hashlib.sha256(json.dumps([SAMARKAND, {}], sort_keys=True).encode()).hexdigest()
        assert IdempotencyKey.objects.get().body_digest not in (plain, "")

    def test_the_stored_reply_is_sealed(self):
        self.post()
        stored = bytes(IdempotencyKey.objects.get().reply)
        assert "Самарканд".encode() not in stored
        assert b"samarkand" not in stored


class ParallelTests(CommittedTestCase):
    def test_two_requests_at_once_create_one_row_and_get_one_reply(self):
        clients = [client_for(user) for user in [make_user("administrator")] for _ in range(2)]
        make_branch()
        replies = []
        gate = threading.Barrier(2)

        def post(client) -> None:
            gate.wait(10)
            response = client.post(ADDRESS, SAMARKAND, headers={"Idempotency-Key": "same"})
            replies.append((response.status_code, response.json()))
            connection.close()

        threads = [threading.Thread(target=post, args=[client]) for client in clients]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert [status for status, _ in replies] == [201, 201]
        assert replies[0] == replies[1]
        assert Branch.objects.filter(code="samarkand").count() == 1


@pytest.mark.django_db
def test_an_anonymous_request_never_reaches_the_keys():
    from rest_framework.test import APIClient

    response = APIClient().post(ADDRESS, SAMARKAND, headers={"Idempotency-Key": "k"})
    assert response.status_code == 401
    assert IdempotencyKey.objects.count() == 0
