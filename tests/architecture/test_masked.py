"""Identifiers are masked: in every list for everybody, and elsewhere for all but those who work with the applicant."""

import json
import logging
import re
from typing import Any

from django.contrib import admin
from django.db import transaction
from django.test import TestCase
from django.urls import reverse

from apps.accounts.permissions import SEES_IDENTIFIERS
from apps.accounts.tests.factories import client_for, make_user
from apps.common.admin import ReadOnlyAdmin
from apps.external_integrations.tests.factories import PARCEL
from tests.architecture.access_rows import Rows
from tests.architecture.test_access import NAMED, ROLES, Route

# A whole person or company, to those of SEES_IDENTIFIERS whom access.toml lets in.
WHOLE = {
    f"{call.format(kind)}"
    for kind in ("individuals", "companies")
    for call in ("GET /api/{}/{{pk}}/", "PATCH /api/{}/{{pk}}/", "POST /api/{}/lookup/", "POST /api/{}/")
}
DOORS = [f"/api/{name}/" for name in ("individuals", "companies", "consents", "credit-requests")]
DOORS += ["/api/score/individual/", "/api/score/company/", "/api/external/soliq/lookup/"]
NAMES = ("pinfl", "tax_id", "inn", "phone", "email")
LISTS = ("individuals", "companies", "credit-requests", "audit", "prediction-logs", "overrides", "staff-links", "users")


class MaskedTests(TestCase):
    """Each request is undone after it."""

    @classmethod
    def setUpTestData(cls) -> None:
        cls.rows = Rows()
        side = cls.side = cls.rows.own
        cls.users = {role: make_user(role, side.branch if role in ROLES[:2] else None) for role in ROLES}
        cls.clients = {role: client_for(user) for role, user in cls.users.items()}
        named = {route.basename for route in NAMED if "{" in route.address}
        cls.parameters = {name: cls.rows.parameters(name, side, cls.users["officer"]) for name in named}
        cls.planted = cls.identifiers()

    @classmethod
    def identifiers(cls) -> list[str]:
        """Everything of the applicants that may find them, as it stands in their profiles."""
        found = []
        for profile in (cls.side.person.profile, cls.side.company.profile):
            people = (profile, profile["guarantor"] or {}, profile.get("contact") or {})
            found += [part[name] for part in people for name in NAMES if name in part]
            found += profile["parcel_ids"]
        return sorted({*found, PARCEL})

    def bodies(self) -> dict[str, Any]:
        bodies = self.rows.bodies(self.side) | {name: body for name, (_, body) in self.rows.spoken_of().items()}
        for kind in ("individuals", "companies"):
            bodies[f"PATCH /api/{kind}/{{pk}}/"] = {"version": 1, "existing_debt": 5}
        return bodies | self.rows.new()

    def shown(self, role: str, route: Route, address: str, body: Any) -> tuple[int, str]:
        text = "" if body is None else json.dumps(body)
        headers = {"Idempotency-Key": f"{role} {route.name}"}
        held = transaction.savepoint()
        reply = self.clients[role].generic(route.method, address, text, "application/json", headers=headers)
        shown = b"".join(reply) if reply.streaming else reply.content
        transaction.savepoint_rollback(held)
        return reply.status_code, shown.decode(errors="replace")

    def test_only_who_works_with_the_applicant_sees_identifiers_and_never_in_a_list(self) -> None:
        bodies, seen, answered = self.bodies(), {}, set()
        for route in NAMED:
            if route.name == "POST /api/auth/logout/":
                continue
            for role in ROLES:
                address = route.address.format(**self.parameters.get(route.basename, {}))
                status, shown = self.shown(role, route, address, bodies.get(route.name))
                if status < 300:
                    answered.add((route.name, role))
                if found := [word for word in self.planted if word in shown]:
                    seen[route.name, role] = found
        lets_in = {(route.name, role) for route in NAMED for role in SEES_IDENTIFIERS if route.cells[role] != "-"}
        expected = {(name, role) for name, role in lets_in if name in WHOLE}
        self.assertEqual({place: found for place, found in seen.items() if place not in expected}, {})
        self.assertEqual(expected - seen.keys(), set())
        lists = {
            f"GET /api/{kind}/" for kind in ("individuals", "companies", "credit-requests", "audit", "prediction-logs")
        }
        self.assertEqual(lists - {name for name, _ in answered}, set())
        self.assertGreater(len(answered), 150)

    def test_no_page_of_the_admin_site_shows_one(self) -> None:
        self.client.force_login(self.users["administrator"])
        found, seen = {}, 0
        for model in [model for model, page in admin.site._registry.items() if isinstance(page, ReadOnlyAdmin)]:
            names = f"{model._meta.app_label}_{model._meta.model_name}"
            pages = [reverse(f"admin:{names}_changelist")]
            pages += [reverse(f"admin:{names}_change", args=[row.pk]) for row in model._default_manager.all()[:5]]
            for page in pages:
                shown = self.client.get(page).content.decode()
                seen += 1
                if words := [word for word in self.planted if word in shown]:
                    found[page] = words
        self.assertEqual(found, {})
        self.assertGreater(seen, 40)

    def test_no_refusal_repeats_an_identifier(self) -> None:
        """Typed without quotes, into another field, as a field, as a filter: neither reply nor log says it."""
        pinfl, client = self.side.pinfl, self.clients["officer"]
        values = [pinfl, int(pinfl), "+998901234567", "dilshod@example.uz", PARCEL]
        wrong, tried = [], 0
        with self.assertLogs(level=logging.DEBUG) as logged:
            for address in DOORS:
                fields = [*self.fields(address), *map(str, values)]
                for field, value in [(field, value) for field in fields for value in values]:
                    reply = client.post(address, {field: value}, headers={"Idempotency-Key": f"{field} {value}"})
                    tried += 1
                    self.assertIn(reply.status_code, (200, 400, 404))
                    if any(str(word) in reply.content.decode() for word in values):
                        wrong.append((address, field, value))
            for word, kind in [(word, kind) for word in values for kind in ("individuals", "companies")]:
                reply = client.get(f"/api/{kind}/", {str(word): "1"})
                wrong += [(kind, word)] if str(word) in reply.content.decode() else []
        self.assertEqual(wrong, [])
        self.assertGreater(tried, 400)
        self.assertEqual([word for word in values if str(word) in "".join(logged.output)], [])

    def fields(self, address: str) -> list[str]:
        """All that the address takes, as its own refusal names it."""
        reply = self.clients["officer"].post(address, {"nothing": 1}, headers={"Idempotency-Key": "nothing"})
        message = next(error["message"] for error in reply.json()["errors"] if error["field"] == "nothing")
        return re.findall(r"[a-z_0-9]+", message.partition("Allowed: ")[2]) or ["annual_income"]
