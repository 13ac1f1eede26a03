"""The table role x route x own/other of access.toml is complete, and true of real requests."""

import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import transaction
from django.test import TestCase

from apps.accounts.models import Role
from apps.accounts.tests.factories import client_for, make_user
from apps.credit_requests.staff_links import declare_staff_link
from apps.credit_requests.tests.deciders import NOW
from tests.architecture.access_rows import Rows, Side
from tests.architecture.test_api_surface import CLOSED, actions

TABLE = tomllib.loads(Path(__file__).with_name("access.toml").read_text(encoding="utf-8"))["routes"]
ROLES = ("officer", "approver", "analyst", "auditor", "administrator")
REFUSED = {401, 403, 404, 405}


@dataclass(frozen=True)
class Route:
    name: str  # as in the table: method and address
    basename: str
    roles: frozenset[str]

    @property
    def method(self) -> str:
        return self.name.split()[0]

    @property
    def address(self) -> str:
        return self.name.split()[1]

    @property
    def cells(self) -> dict[str, str]:
        return dict(zip(ROLES, TABLE[self.name], strict=False))

    @property
    def linked(self) -> str:
        return TABLE[self.name][-1]


def _routes() -> Iterator[Route]:
    for pattern, entry in CLOSED:
        address = re.sub(r"\(\?P<(\w+)>(?:\[[^]]*\]|[^()])*\)", r"{\1}", pattern)
        address = "/" + re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", address).replace("^", "").replace("$", "")
        basename = getattr(entry.callback, "initkwargs", {}).get("basename") or entry.name
        for method, action in actions(entry).items():
            yield Route(f"{method.upper()} {address}", basename, frozenset(entry.callback.cls.roles[action]))


ROUTES = list(_routes())
NAMED = [route for route in ROUTES if route.name in TABLE]


def test_every_route_has_its_row_and_every_row_its_route():
    names = [route.name for route in ROUTES]
    assert sorted(names) == sorted(TABLE)
    assert len(names) == len(set(names)) > 90


def test_every_row_has_a_word_for_every_role_and_for_those_who_are_linked():
    assert set(ROLES) == set(Role.values)
    assert {len(row) for row in TABLE.values()} == {len(ROLES) + 1}
    assert {word for row in TABLE.values() for word in row[:-1]} == {"-", "own", "none", "all"}
    assert {row[-1] for row in TABLE.values()} == {"same", "403"}


def test_who_is_let_in_is_who_the_view_names():
    differ = {route.name for route in NAMED if {r for r, cell in route.cells.items() if cell != "-"} != route.roles}
    assert differ == set()


class AccessTests(TestCase):
    """Each request is undone after it."""

    @classmethod
    def setUpTestData(cls) -> None:
        cls.rows = Rows()
        cls.users = {role: make_user(role, cls.rows.own.branch) for role in ROLES[:2]}
        cls.users |= {role: make_user(role) for role in ROLES[2:]}
        cls.clients = {role: client_for(user) for role, user in cls.users.items()}

    def call(self, client: Any, route: Route, address: str, body: Any = None) -> tuple[int, Any]:
        """Status and document; for a POST to an address without a body, an empty one."""
        held = transaction.savepoint()
        reply = client.generic(route.method, address, _json(body), content_type="application/json")
        transaction.savepoint_rollback(held)
        is_json = "json" in reply.get("Content-Type", "")
        return reply.status_code, reply.json() if is_json else None

    def to_row(self, route: Route, role: str, side: Side) -> int:
        held = transaction.savepoint()
        found = self.rows.parameters(route.basename, side, self.users[role])
        status, _ = self.call(self.clients[role], route, route.address.format(**found))
        transaction.savepoint_rollback(held)
        return status

    def test_every_address_with_an_id_lets_in_as_the_table_says(self):
        wrong, tried = {}, 0
        for route in [route for route in NAMED if "{" in route.address]:
            for role, cell in route.cells.items():
                own, other = (self.to_row(route, role, side) for side in (self.rows.own, self.rows.other))
                tried += 2
                if not _as_said(cell, own, other):
                    wrong[route.name, role, cell] = (own, other)
        self.assertEqual(wrong, {})
        self.assertGreater(tried, 500)

    def test_every_address_that_names_a_row_in_its_body_does_so_too(self):
        wrong = {}
        bodies = [self.rows.bodies(side) for side in (self.rows.own, self.rows.other)]
        for route in [route for route in NAMED if route.name in bodies[0]]:
            for role, cell in route.cells.items():
                said = [self.call(self.clients[role], route, route.address, body[route.name])[0] for body in bodies]
                if not _as_said(cell, *said):
                    wrong[route.name, role, cell] = said
        self.assertEqual(wrong, {})

    def test_what_is_made_is_made_in_the_own_branch(self):
        colleague, stranger = client_for(self.rows.own.officer), client_for(self.rows.other.officer)
        for route in [route for route in NAMED if route.name in self.rows.new()]:
            made = self.clients["officer"].post(route.address, self.rows.new()[route.name])
            self.assertEqual(made.status_code, 201, route.name)
            address = f"{route.address}{made.json()['id']}/"
            self.assertEqual((colleague.get(address).status_code, stranger.get(address).status_code), (200, 404))

    def test_lists_show_the_rows_of_the_table(self):
        wrong = {}
        lists = [r for r in NAMED if r.method == "GET" and "{" not in r.address and "own" in r.cells.values()]
        # Reports show sums, and no row that could be looked for.
        lists = [route for route in lists if route.basename not in ("report-overrides", "monitoring")]
        self.assertEqual(len(lists), 6)
        for route in lists:
            for role, cell in [(role, cell) for role, cell in route.cells.items() if cell != "-"]:
                shown = self.shown(route, role)
                if shown != {"own": (True, False), "none": (False, False), "all": (True, True)}[cell]:
                    wrong[route.name, role, cell] = shown
        self.assertEqual(wrong, {})

    def shown(self, route: Route, role: str) -> tuple[bool, bool]:
        """Whether the row of the own and of the other side is in the list."""
        held = transaction.savepoint()
        user = self.users[role]
        ids = [self.rows.parameters(route.basename, side, user)["pk"] for side in (self.rows.own, self.rows.other)]
        _, page = self.call(self.clients[role], route, route.address + "?page_size=100")
        transaction.savepoint_rollback(held)
        listed = {row.get("id", row.get("prediction_id")) for row in page["results"]}
        return str(ids[0]) in listed, str(ids[1]) in listed

    def test_the_report_on_overrides_counts_the_rows_of_the_table(self):
        route = next(route for route in NAMED if route.basename == "report-overrides")
        address = f"{route.address}?since=2020-01-01"
        branches = {
            role: {row["branch"] for row in self.call(self.clients[role], route, address)[1]["by_officer"]}
            for role, cell in route.cells.items()
            if cell != "-"
        }
        expected = {"own": {"main"}, "all": {"main", "other"}}
        self.assertEqual(branches, {role: expected[cell] for role, cell in route.cells.items() if cell != "-"})

    def test_routes_that_name_no_row_refuse_the_roles_that_the_table_refuses(self):
        said = [
            route for route in NAMED if "{" not in route.address and route.name not in self.rows.bodies(self.rows.own)
        ]
        wrong = {}
        for route in said:
            for role, cell in route.cells.items():
                status, _ = self.call(self.clients[role], route, route.address)
                if (status == 403) != (cell == "-") or status in {401, 404, 405} or status >= 500:
                    wrong[route.name, role, cell] = status
        self.assertEqual(wrong, {})

    def test_who_is_linked_to_the_applicant_meets_what_the_table_says(self):
        refusing = {route.name for route in NAMED if route.linked == "403"}
        self.assertEqual(refusing, set(self.rows.spoken_of()))
        wrong, tried = {}, 0
        for role in ("officer", "approver"):
            linked = self.linked(role)
            for route in [r for r in NAMED if r.cells[role] != "-" and r.basename in OF_APPLICANTS]:
                address, body = self.asked(route, role)
                colleague, _ = self.call(self.clients[role], route, address, body)
                met, _ = self.call(linked, route, address, body)
                tried += 1
                passed = route.linked == "same" or colleague < 300
                if not passed or met != (403 if route.linked == "403" else colleague):
                    wrong[route.name, role, route.linked] = (colleague, met)
        self.assertEqual(wrong, {})
        self.assertGreater(tried, 40)

    def linked(self, role: str) -> Any:
        user = make_user(role, self.rows.own.branch)
        for applicant in (self.rows.own.person, self.rows.own.company):
            declare_staff_link(user=user, applicant=applicant, relation="relative", actor=user, now=NOW)
        return client_for(user)

    def asked(self, route: Route, role: str) -> tuple[str, Any]:
        row, body = self.rows.spoken_of().get(route.name, (None, None))
        if row is not None:
            return route.address.format(pk=row.id), body
        if "{" not in route.address:
            return route.address, self.rows.bodies(self.rows.own).get(route.name)
        found = self.rows.parameters(route.basename, self.rows.own, self.users[role])
        return route.address.format(**found), None


OF_APPLICANTS = {
    "individual", "company", "credit-request", "credit-request-decision", "credit-request-letter", "override",
}  # fmt: skip


def _json(body: Any) -> bytes:
    return json.dumps(body or {}).encode()


def _as_said(cell: str, own: int, other: int) -> bool:
    if cell == "-":
        return (own, other) == (403, 403)
    if cell == "none":
        return (own, other) == (404, 404)
    if own in REFUSED or own >= 500:
        return False
    return other == 404 if cell == "own" else other not in REFUSED and other < 500
