"""The table role x address of access.toml is complete, and true of real requests."""

import tomllib
from pathlib import Path

import pytest
from django.db import transaction
from django.test import Client, TestCase

from apps.accounts.models import Role
from apps.workbench.screen import Screen
from apps.workbench.tests.rows import Route, make_world, parameters, routes, signed_in

FILE = tomllib.loads(Path(__file__).with_name("access.toml").read_text())
OPEN, TABLE = FILE["open"], FILE["routes"]
ROLES = ("officer", "approver", "analyst", "auditor", "administrator")
ROUTES = list(routes())
SCREENS = [route for route in ROUTES if route.key in TABLE]


def test_every_address_has_its_row_and_every_row_its_address():
    assert sorted(route.key for route in ROUTES) == sorted([*OPEN, *TABLE])
    assert set(ROLES) == set(Role.values)
    assert {word for row in TABLE.values() for word in row} <= {"-", "own", "all"}
    assert {len(row) for row in TABLE.values()} == {len(ROLES)}


@pytest.mark.parametrize("route", SCREENS, ids=lambda route: route.key)
def test_who_is_let_in_is_who_the_screen_names(route):
    assert issubclass(route.view, Screen)
    assert {role for role, cell in zip(ROLES, TABLE[route.key], strict=True) if cell != "-"} == set(route.view.roles)


class AccessTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.world = make_world()
        cls.parameters = parameters(cls.world)

    def status(self, client: Client, route: Route, *, other: bool = False) -> int:
        own, of_another = self.parameters.get(route.name, ({}, None))
        address = route.address(of_another if other else own)
        held = transaction.savepoint()
        found = client.generic(route.method, address).status_code
        transaction.savepoint_rollback(held)
        return found

    def test_each_role_meets_what_the_table_says(self):
        wrong, tried = {}, 0
        for role in ROLES:
            client = signed_in(self.world.users[role])
            for route in SCREENS:
                cell, met, tried = TABLE[route.key][ROLES.index(role)], self.status(client, route), tried + 1
                if (met == 403) != (cell == "-") or met in (401, 404, 405) or met >= 500:
                    wrong[route.key, role] = met
        assert wrong == {}
        assert tried == len(TABLE) * len(ROLES)

    def test_the_rows_of_another_branch_are_absent(self):
        wrong = {}
        for role in ROLES:
            client = signed_in(self.world.users[role])
            for route in SCREENS:
                cell, named = TABLE[route.key][ROLES.index(role)], self.parameters.get(route.name, ({}, None))[1]
                if named is None:
                    continue
                met = self.status(client, route, other=True)
                if met != {"-": 403, "own": 404}.get(cell, met) or (cell == "all" and met in (403, 404)):
                    wrong[route.key, role] = met
        assert wrong == {}
        assert {route.key for route in SCREENS if "own" in TABLE[route.key]} == {
            route.key for route in SCREENS if self.parameters.get(route.name, ({}, None))[1] is not None
        }

    def test_who_has_not_signed_in_is_sent_to_sign_in(self):
        for route in SCREENS:
            own, _ = self.parameters.get(route.name, ({}, None))
            response = Client().generic(route.method, route.address(own))
            assert response.status_code == 302, route.key
            assert response["Location"].startswith("/sign-in/?next=%2F"), route.key

    def test_a_service_account_opens_nothing(self):
        client = signed_in(self.world.service)
        assert {route.key: self.status(client, route) for route in SCREENS} == {route.key: 403 for route in SCREENS}

    def test_somebody_who_was_made_inactive_opens_nothing_from_then_on(self):
        user = self.world.users["officer"]
        client = signed_in(user)
        assert client.get("/queue/").status_code == 200
        user.is_active = False
        user.save()
        assert client.get("/queue/").status_code == 302
