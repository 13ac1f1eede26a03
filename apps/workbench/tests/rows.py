"""A small lender to look at: two branches with a request each, and somebody of every role."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.test import Client
from django.urls import URLPattern, reverse
from django.utils import timezone

from apps.accounts.models import Role, User
from apps.accounts.services import create_user
from apps.accounts.tests.factories import make_branch, make_user
from apps.audit.models import AuditEvent
from apps.companies.tests.factories import make_company
from apps.credit_requests.deciding import decide_by_policy
from apps.credit_requests.models import CreditRequest, Decision, Simulation
from apps.credit_requests.tests.factories import make_product, make_request
from apps.individuals.tests.factories import make_individual
from apps.policies.models import PolicyVersion
from apps.policies.services import register_shipped_policies
from apps.portfolio.counting import update_monitoring
from apps.portfolio.models import Upload
from apps.portfolio.tests.uploaded import received
from apps.scoring_engine.models import ModelVersion
from apps.workbench import urls

Parameters = dict[str, Any]


# Addresses of one request, by name.
OF_REQUESTS = (
    *("request", "decide", "refer", "review", "approve", "decline", "confirm", "refuse", "withdraw", "change-terms"),
    *("try-terms", "alternatives", "register-answer", "request-records", "refresh-record", "refreshing"),
)
OF_UPLOADS = ("upload-file", "map-columns", "stop-upload", "delete-upload", "download-results")


@dataclass(frozen=True)
class World:
    own: CreditRequest
    of_company: CreditRequest
    other: CreditRequest
    users: dict[str, User]
    service: User


def make_world() -> World:
    own, other = make_branch("main"), make_branch("samarqand")
    product = make_product(name="Olma")  # no word of ours, which pages would have to translate
    world = World(
        own=make_request(make_individual(own), product),
        of_company=make_request(make_company(own), product),
        other=make_request(make_individual(other), product),
        users={role: make_user(role, own) for role in Role.values},
        service=create_user(username="core", role="officer", branch=own, password=None, kind="service", actor=None),
    )
    update_monitoring(actor=None, now=timezone.now())
    return world


def parameters(world: World) -> dict[str, tuple[Parameters, Parameters | None]]:
    """Of each address with an id, by its name: of the own branch, and of another (None: it belongs to none)."""
    requests = ({"pk": world.own.id}, {"pk": world.other.id})
    uploads = ({"pk": make_upload(world.users["officer"]).id}, {"pk": make_upload(_elsewhere(world)).id})
    model: tuple[Parameters, None] = ({"pk": ModelVersion.objects.get(segment="individual").id}, None)
    changes = ("model", "promote-model", "challenge-model", "retire-model", "validate-model")
    policy: tuple[Parameters, None] = ({"pk": shipped_policy().id}, None)
    of_policy = ("policy", "publish-policy", "discard-policy", "simulate")
    decided: tuple[Parameters, None] = ({"pk": make_decision(world).id}, None)
    return {
        **dict.fromkeys(("audit-decision", "replay-decision"), decided),
        "replay-prediction": ({"pk": world.own.prediction_id}, None),
        "audited-event": ({"pk": AuditEvent.objects.earliest("id").id}, None),
        **dict.fromkeys(changes, model),
        **dict.fromkeys(of_policy, policy),
        "simulation": ({"pk": make_simulation(world.users["analyst"]).id}, None),
        "request-progress": requests,
        **dict.fromkeys(OF_REQUESTS, requests),
        **dict.fromkeys(OF_UPLOADS, uploads),
    }


def _elsewhere(world: World) -> User:
    return make_user("officer", world.other.branch)


def make_upload(owner: User) -> Upload:
    """Its columns guessed, and not yet scored."""
    return received(b"raqam;summa;muddat;olma\n7;1200000;12;5\n", owner, "arizachilar.csv")


def make_decision(world: World) -> Decision:
    shipped_policy()
    request = make_request(make_individual(world.own.branch), world.own.product)
    return decide_by_policy(credit_request=request, version=1, actor=world.users["officer"], now=timezone.now())


def shipped_policy() -> PolicyVersion:
    register_shipped_policies(now=timezone.now())
    return PolicyVersion.objects.get(segment="individual", origin="shipped")


def make_simulation(analyst: User) -> Simulation:
    """Queued, and not yet worked off."""
    policy = shipped_policy()
    day, now = policy.valid_from, timezone.now()
    return Simulation.objects.create(policy=policy, against=policy, on_date=day, requested_by=analyst, created_at=now)


def signed_in(user: User, language: str = "en") -> Client:
    client = Client()
    client.force_login(user)
    client.cookies["django_language"] = language
    return client


@dataclass(frozen=True)
class Route:
    """`text`: as access.toml has it."""

    method: str
    text: str
    name: str
    view: type[Any]

    @property
    def key(self) -> str:
        return f"{self.method} {self.text}"

    def address(self, given: Parameters) -> str:
        return reverse(f"workbench:{self.name}", kwargs=given)


def routes() -> Iterator[Route]:
    for entry in urls.urlpatterns:
        assert isinstance(entry, URLPattern)
        text = "/" + "".join(_plain(part) for part in str(entry.pattern).split("<"))
        view: Callable[..., Any] = entry.callback
        for method in ("get", "post", "put", "patch", "delete"):
            if hasattr(view.view_class, method):
                yield Route(method.upper(), text, entry.name, view.view_class)


def _plain(part: str) -> str:
    """The rest of a route after "<": "uuid:pk>/" is "{pk}/"."""
    inside, closed, rest = part.partition(">")
    return f"{{{inside.rpartition(':')[2]}}}{rest}" if closed else part
