"""The rail: each entry leads to a screen that its reader may open, and says where one is."""

from django.test import TestCase

from apps.accounts.models import Role
from apps.workbench.navigation import ENTRIES, KEYS
from apps.workbench.tests.html import read
from apps.workbench.tests.rows import make_world, signed_in

ALL = [entry for _, entries in ENTRIES for entry in entries]


def test_keys_are_those_of_entries_and_lead_to_one_each():
    keys = [KEYS[entry.name] for entry in ALL if entry.name in KEYS]
    assert len(keys) == len(set(keys)) == len(ALL)


class NavigationTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.world = make_world()

    def links(self, page):
        return [each.attributes for each in page.all("a") if "data-key" in each.attributes]

    def test_every_entry_that_a_role_sees_opens_and_is_then_the_current_one(self):
        for role in Role.values:
            client = signed_in(self.world.users[role])
            shown = [link["href"] for link in self.links(read(client.get("/").content))]
            assert len(shown) == sum(role in entry.screen.roles for entry in ALL)
            for address in shown:
                response = client.get(address)
                assert response.status_code == 200, (role, address)
                current = [link["href"] for link in self.links(read(response.content)) if "aria-current" in link]
                assert current == [address]

    def test_a_request_belongs_to_the_requests(self):
        response = signed_in(self.world.users["officer"]).get(f"/requests/{self.world.own.id}/")
        assert [link["href"] for link in self.links(read(response.content)) if "aria-current" in link] == ["/queue/"]
