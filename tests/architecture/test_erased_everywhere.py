"""Every address of the API and every page of the admin site, once the applicant of its row was erased: never a 500."""

import json
from typing import Any

from django.contrib import admin
from django.test import TestCase
from django.urls import reverse

from apps.accounts.tests.factories import client_for, make_user
from apps.common.admin import ReadOnlyAdmin
from apps.companies.services import update_company
from apps.credit_requests.erasure import erase_company, erase_person
from apps.credit_requests.models import CreditRequest
from apps.credit_requests.services import withdraw_credit_request
from apps.credit_requests.tests.deciders import read
from apps.individuals.services import update_individual
from tests.architecture.access_rows import Rows, Side
from tests.architecture.test_access import NAMED, ROLES, Route

NAME, COMPANY = "Unlike Anybody", "Like No Other Ltd"


class ErasedEverywhereTests(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.rows = Rows()
        side = cls.side = cls.rows.own
        update_individual(individual=side.person, version=1, changes={"full_name": NAME}, actor=None)
        update_company(company=side.company, version=1, changes={"company_name": COMPANY}, actor=None)
        users = {role: make_user(role, side.branch if role in ROLES[:2] else None) for role in ROLES}
        cls.users, cls.clients = users, {role: client_for(user) for role, user in users.items()}
        named = {route.basename for route in NAMED if "{" in route.address}
        cls.parameters = {name: cls.rows.parameters(name, side, users["officer"]) for name in named}
        for request in CreditRequest.objects.undecided().filter(branch=side.branch):
            withdraw_credit_request(credit_request=request, version=read(request).version, actor=None)
        erase_person(individual=side.person, reason="asked", actor=None)
        erase_company(company=side.company, reason="asked", actor=None)

    def asked(self) -> list[tuple[Route, str, str, Any]]:
        """Each route as each role that may call it, with the bodies that get through to the rules."""
        side: Side = self.side
        bodies = self.rows.bodies(side) | {name: body for name, (_, body) in self.rows.spoken_of().items()}
        calls = []
        for route in NAMED:
            if route.name == "POST /api/auth/logout/":
                continue
            for role in (role for role in ROLES if route.cells[role] != "-"):
                address = route.address.format(**self.parameters.get(route.basename, {}))
                calls.append((route, role, address, bodies.get(route.name)))
                if route.basename == "credit-request-decision":
                    approved = route.address.format(pk=side.approved.id)
                    calls.append((route, role, approved, bodies.get(route.name)))
        return calls

    def test_no_address_fails_and_none_tells_of_the_erased(self) -> None:
        wrong, tried = [], 0
        for route, role, address, body in self.asked():
            text = "" if body is None else json.dumps(body)
            reply = self.clients[role].generic(route.method, address, text, content_type="application/json")
            shown = b"".join(reply) if reply.streaming else reply.content
            tried += 1
            sought = [word for word in (NAME, COMPANY, self.side.pinfl, self.side.tax_id) if word not in text + address]
            found = [word for word in sought if word.encode() in shown]
            if reply.status_code >= 500 or found:
                wrong.append((route.name, role, reply.status_code, found))
        self.assertEqual(wrong, [])
        self.assertGreater(tried, 200)

    def test_no_page_of_the_admin_site_fails(self) -> None:
        browser, failed, seen = self.client, [], 0
        browser.force_login(self.users["administrator"])
        for model in [model for model, page in admin.site._registry.items() if isinstance(page, ReadOnlyAdmin)]:
            names = f"{model._meta.app_label}_{model._meta.model_name}"
            pages = [reverse(f"admin:{names}_changelist")]
            pages += [reverse(f"admin:{names}_change", args=[row.pk]) for row in model._default_manager.all()[:5]]
            failed += [page for page in pages if browser.get(page).status_code != 200]
            seen += len(pages)
        self.assertEqual(failed, [])
        self.assertGreater(seen, 40)
