"""/api/webhooks/: who may do what, what a refusal leaves behind (nothing), and a secret that is told once."""

import base64

import pytest

from apps.accounts.tests.factories import client_for, make_user
from apps.audit.models import AuditEvent
from apps.common.models import Job
from apps.common.tests.replies import problem
from apps.common.tests.stored import everything_stored
from apps.webhooks.models import DECIDED, PING, REFERRED, WebhookDelivery, WebhookEndpoint, WebhookEvent
from apps.webhooks.services import secrets_of
from apps.webhooks.signing import read_secret
from apps.webhooks.tests.factories import NOW, deliver, make_endpoint, publish
from apps.webhooks.tests.receiver import receiver, saying

pytestmark = pytest.mark.django_db
LIST = "/api/webhooks/"
NOBODY = "00000000-0000-4000-8000-000000000000"
BODY = {"url": "https://hooks.example/credit", "description": "Core banking", "events": [DECIDED, REFERRED]}


@pytest.fixture(autouse=True)
def _hosts(settings):
    settings.WEBHOOK_HOSTS = ["hooks.example"]


@pytest.fixture
def administrator():
    return client_for(make_user("administrator"))


def of(endpoint, *path):
    return "/".join([f"{LIST}{endpoint.id}", *(str(part) for part in path), ""])


def state():
    """All that a write could change."""
    endpoints = list(WebhookEndpoint.objects.order_by("id").values())
    deliveries = list(WebhookDelivery.objects.order_by("id").values())
    return endpoints, deliveries, WebhookEvent.objects.count(), AuditEvent.objects.count(), Job.objects.count()


class TestCreating:
    def test_the_reply_holds_the_secret_and_nothing_else_ever_does(self, administrator):
        response = administrator.post(LIST, BODY, HTTP_IDEMPOTENCY_KEY="one")
        assert response.status_code == 201
        body = response.json()
        secret = body.pop("secret")
        endpoint = WebhookEndpoint.objects.get()
        assert {name: body[name] for name in BODY} == BODY
        counts = {name: body[name] for name in ("version", "is_active", "delivered", "failed", "given_up")}
        assert counts == {"version": 1, "is_active": True, "delivered": 0, "failed": 0, "given_up": 0}
        assert (len(read_secret(secret)), secrets_of(endpoint, NOW)) == (32, [secret])
        assert administrator.get(of(endpoint)).json() == body
        assert administrator.get(LIST).json()["results"] == [body]
        stored = everything_stored()
        assert secret.encode() not in stored
        assert read_secret(secret) not in stored
        event = AuditEvent.objects.get(action="webhook_endpoint.create")
        assert event.details == {"events": [DECIDED, REFERRED]}

    def test_the_same_key_makes_one_endpoint_and_gives_one_secret(self, administrator):
        first, second = (administrator.post(LIST, BODY, HTTP_IDEMPOTENCY_KEY="one").json() for _ in range(2))
        assert (first, WebhookEndpoint.objects.count()) == (second, 1)
        other = administrator.post(LIST, BODY | {"description": ""}, HTTP_IDEMPOTENCY_KEY="one")
        assert (other.status_code, WebhookEndpoint.objects.count()) == (422, 1)

    @pytest.mark.parametrize(
        ("change", "field"),
        [
            ({"url": "http://hooks.example/"}, "url"),
            ({"url": "https://elsewhere.example/"}, "url"),
            ({"url": "https://127.0.0.1/"}, "url"),
            ({"url": "https://a:b@hooks.example/"}, "url"),
            ({"url": "https://hooks.example/" + "a" * 500}, "url"),
            ({"url": "https://hooks.example:0/"}, "url"),
            ({"url": "not a url"}, "url"),
            ({"url": 5}, "url"),
            ({"url": "https://hooks.example/\u0000"}, "url"),
            ({"events": []}, "events"),
            ({"events": [PING]}, "events[0]"),
            ({"events": ["credit_request.forgotten"]}, "events[0]"),
            ({"events": DECIDED}, "events"),
            ({"events": [DECIDED] * 10_000}, "events"),
            ({"description": "a" * 201}, "description"),
            ({"secret": "whsec_mine"}, "secret"),
            ({"is_active": False}, "is_active"),
        ],
    )
    def test_what_is_invalid_leaves_nothing(self, administrator, change, field):
        before = state()
        assert field in problem(administrator.post(LIST, BODY | change), 400)
        assert state() == before

    @pytest.mark.parametrize("name", ["url", "events"])
    def test_what_is_missing_is_named(self, administrator, name):
        body = {key: value for key, value in BODY.items() if key != name}
        assert list(problem(administrator.post(LIST, body), 400)) == [name]


class TestRoles:
    @pytest.mark.parametrize("role", ["officer", "approver", "analyst", "auditor"])
    def test_nobody_but_an_administrator_writes(self, role):
        endpoint, _ = make_endpoint()
        delivery, client = publish().deliveries.get(), client_for(make_user(role))
        before = state()
        asked = [
            client.post(LIST, BODY),
            client.patch(of(endpoint), {"version": 1, "is_active": False}),
            client.post(of(endpoint, "rotate-secret"), {"version": 1}),
            client.post(of(endpoint, "ping")),
            client.post(of(endpoint, "deliveries", delivery.id, "redeliver")),
        ]
        assert [response.status_code for response in asked] == [403] * 5
        assert state() == before

    @pytest.mark.parametrize(
        ("role", "status"), [("administrator", 200), ("auditor", 200), ("officer", 403), ("analyst", 403)]
    )
    def test_who_looks(self, role, status):
        endpoint, secret = make_endpoint()
        publish()
        client = client_for(make_user(role))
        replies = [client.get(address) for address in (LIST, of(endpoint), of(endpoint, "deliveries"))]
        assert [reply.status_code for reply in replies] == [status] * 3
        assert not any(secret in reply.content.decode() for reply in replies)


class TestChanging:
    def test_what_is_given_changes_and_the_version_rises(self, administrator):
        endpoint, _ = make_endpoint()
        changes = {"url": "https://hooks.example/new", "events": [REFERRED], "description": ""}
        response = administrator.patch(of(endpoint), {"version": 1} | changes)
        assert response.status_code == 200
        body = response.json()
        assert {name: body[name] for name in changes} == changes
        assert (body["version"], body["is_active"], body["disabled_at"]) == (2, True, None)
        details = AuditEvent.objects.get(action="webhook_endpoint.update").details
        assert details == {"version": 2, "changed": ["description", "events", "url"], "is_active": True}

    def test_off_and_on_again(self, administrator):
        endpoint, _ = make_endpoint()
        off = administrator.patch(of(endpoint), {"version": 1, "is_active": False}).json()
        assert (off["is_active"], off["disabled_why"]) == (False, "by_a_person")
        assert off["disabled_at"] is not None
        assert administrator.get(f"{LIST}?is_active=true").json()["results"] == []
        on = administrator.patch(of(endpoint), {"version": 2, "is_active": True}).json()
        assert (on["is_active"], on["disabled_why"], on["disabled_at"], on["version"]) == (True, "", None, 3)

    def test_a_stale_version_changes_nothing(self, administrator):
        endpoint, _ = make_endpoint()
        administrator.patch(of(endpoint), {"version": 1, "description": "first"})
        before = state()
        for response in (
            administrator.patch(of(endpoint), {"version": 1, "description": "second"}),
            administrator.post(of(endpoint, "rotate-secret"), {"version": 1}),
        ):
            assert response.status_code == 409
        assert state() == before

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"version": 1}, "version"),
            ({"is_active": False}, "version"),
            ({"version": "1", "is_active": False}, "version"),
            ({"version": 1, "is_active": "false"}, "is_active"),
            ({"version": 1, "events": []}, "events"),
            ({"version": 1, "url": "https://elsewhere.example/"}, "url"),
            ({"version": 1, "disabled_at": None}, "disabled_at"),
            ({"version": 1, "delivered": 5}, "delivered"),
        ],
    )
    def test_what_is_invalid_changes_nothing(self, administrator, body, field):
        endpoint, _ = make_endpoint()
        before = state()
        assert field in problem(administrator.patch(of(endpoint), body), 400)
        assert state() == before

    @pytest.mark.parametrize("pk", [NOBODY, "5", "x"])
    def test_one_that_is_not_there(self, administrator, pk):
        for response in (
            administrator.get(f"{LIST}{pk}/"),
            administrator.patch(f"{LIST}{pk}/", {"version": 1}),
            administrator.post(f"{LIST}{pk}/rotate-secret/", {"version": 1}),
            administrator.post(f"{LIST}{pk}/ping/"),
            administrator.get(f"{LIST}{pk}/deliveries/"),
            administrator.post(f"{LIST}{pk}/deliveries/{NOBODY}/redeliver/"),
        ):
            assert response.status_code == 404


class TestSecrets:
    def test_a_new_one_is_told_once_and_the_old_one_signs_on(self, administrator):
        endpoint, old = make_endpoint()
        body = administrator.post(of(endpoint, "rotate-secret"), {"version": 1}).json()
        endpoint.refresh_from_db()
        now = AuditEvent.objects.get(action="webhook_endpoint.rotate_secret").created_at
        assert (body["version"], secrets_of(endpoint, now)) == (2, [body["secret"], old])
        assert body["old_secret_signs_until"] > body["created_at"]
        assert "secret" not in administrator.get(of(endpoint)).json()
        stored = everything_stored()
        for secret in (old, body["secret"]):
            assert base64.b64decode(secret.removeprefix("whsec_")) not in stored
            assert secret.encode() not in stored

    def test_five_at_once_are_the_most(self, administrator):
        endpoint, _ = make_endpoint()
        for version in range(1, 5):
            assert administrator.post(of(endpoint, "rotate-secret"), {"version": version}).status_code == 200
        before = state()
        assert administrator.post(of(endpoint, "rotate-secret"), {"version": 5}).status_code == 409
        assert state() == before

    def test_a_repeat_with_the_same_key_gives_the_same_secret(self, administrator):
        endpoint, _ = make_endpoint()
        asked = [
            administrator.post(of(endpoint, "rotate-secret"), {"version": 1}, HTTP_IDEMPOTENCY_KEY="r")
            for _ in range(2)
        ]
        assert asked[0].json() == asked[1].json()


class TestDeliveries:
    def test_a_ping_goes_to_this_endpoint_alone(self, administrator, django_capture_on_commit_callbacks):
        with receiver() as server, receiver() as other:
            endpoint, _ = make_endpoint(server.url, events=[REFERRED])
            make_endpoint(other.url)
            with django_capture_on_commit_callbacks(execute=True):
                body = administrator.post(of(endpoint, "ping")).json()
        (came,) = server.received
        assert (body["type"], body["state"], body["event"]) == (PING, "waiting", came.id)
        assert (came.document["type"], came.document["data"]) == (PING, {"endpoint": str(endpoint.id)})
        assert other.received == []
        (told,) = administrator.get(of(endpoint, "deliveries")).json()["results"]
        assert (told["state"], told["attempts"], told["last_status"]) == ("delivered", 1, 204)

    def test_a_ping_to_an_endpoint_that_is_off_is_refused(self, administrator):
        endpoint, _ = make_endpoint()
        administrator.patch(of(endpoint), {"version": 1, "is_active": False})
        before = state()
        assert administrator.post(of(endpoint, "ping")).status_code == 409
        assert state() == before

    def test_they_are_listed_by_state_in_pages(self, administrator):
        endpoint, _ = make_endpoint()
        make_endpoint()
        ids = [str(publish().id) for _ in range(3)]
        WebhookDelivery.objects.filter(event_id=ids[1]).update(state="given_up", attempts=1)
        found = administrator.get(of(endpoint, "deliveries") + "?state=waiting").json()["results"]
        assert [row["event"] for row in found] == [ids[2], ids[0]]
        first = administrator.get(of(endpoint, "deliveries") + "?page_size=2").json()
        second = administrator.get(first["next"]).json()
        assert [row["event"] for page in (first, second) for row in page["results"]] == ids[::-1]
        assert problem(administrator.get(of(endpoint, "deliveries") + "?state=lost"), 400).keys() == {"state"}
        assert problem(administrator.get(of(endpoint, "deliveries") + "?endpoint=1"), 400).keys() == {"endpoint"}

    def test_a_page_of_them_is_one_query(self, administrator, django_assert_num_queries):
        endpoint, _ = make_endpoint()
        for _ in range(20):
            publish()
        with django_assert_num_queries(3):  # the caller's token, the endpoint, the page
            administrator.get(of(endpoint, "deliveries"))

    @pytest.mark.parametrize("status", [204, 500])
    def test_one_is_sent_again(self, administrator, status):
        with receiver(saying(status)) as server:
            endpoint, _ = make_endpoint(server.url)
            delivery = publish().deliveries.get()
            deliver(endpoint)
            body = administrator.post(of(endpoint, "deliveries", delivery.id, "redeliver")).json()
            assert (body["state"], body["attempts"], body["delivered_at"]) == ("waiting", 0, None)
            WebhookDelivery.objects.update(due_at=NOW)
            deliver(endpoint)
        assert [came.id for came in server.received] == [str(delivery.event_id)] * 2
        event = AuditEvent.objects.get(action="webhook_delivery.redeliver")
        was = "delivered" if status == 204 else "waiting"
        assert event.details == {"endpoint_id": str(endpoint.id), "was": was}

    def test_one_of_another_endpoint_is_not_there(self, administrator):
        endpoint, _ = make_endpoint()
        other, _ = make_endpoint()
        delivery = publish().deliveries.get(endpoint=other)
        before = state()
        for wrong in (delivery.id, NOBODY, "-" * 36):
            assert administrator.post(of(endpoint, "deliveries", wrong, "redeliver")).status_code == 404
        assert state() == before

    def test_none_is_sent_again_to_an_endpoint_that_is_off(self, administrator):
        endpoint, _ = make_endpoint()
        delivery = publish().deliveries.get()
        administrator.patch(of(endpoint), {"version": 1, "is_active": False})
        before = state()
        assert administrator.post(of(endpoint, "deliveries", delivery.id, "redeliver")).status_code == 409
        assert state() == before

    def test_a_body_where_none_belongs_is_refused(self, administrator):
        endpoint, _ = make_endpoint()
        before = state()
        assert "now" in problem(administrator.post(of(endpoint, "ping"), {"now": True}), 400)
        assert state() == before
