"""Home: what waits for each role, counted and linked."""

from django.test import TestCase

from apps.credit_requests.tests.factories import make_request
from apps.workbench.tests.html import read
from apps.workbench.tests.rows import make_world, signed_in


class HomeTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.world = make_world()

    def tiles(self, role):
        page = read(signed_in(self.world.users[role]).get("/").content)
        links = [
            each.attributes["href"] for each in page.all("a") if "tile" in each.attributes.get("class", "").split()
        ]
        return dict(zip(links, [int(each.text) for each in page.all("strong") if each.text.isdigit()], strict=True))

    def test_an_officer_counts_the_own_branch_and_an_analyst_all(self):
        assert self.tiles("officer")["/queue/?status=pending"] == 2
        assert self.tiles("analyst")["/queue/?status=pending"] == 3

    def test_what_is_most_pressing_to_a_role_stands_first(self):
        first = {role: next(iter(self.tiles(role))) for role in ("officer", "approver", "auditor")}
        assert first == {
            "officer": "/queue/?status=pending",
            "approver": "/queue/?status=referred",
            "auditor": "/queue/?status=approved",
        }

    def test_an_administrator_is_led_to_the_administration_and_sees_no_request(self):
        shown = signed_in(self.world.users["administrator"]).get("/").content.decode()
        assert 'href="/admin/"' in shown
        assert "/queue/" not in shown

    def test_deciders_find_what_waits_longest_of_their_branch(self):
        shown = signed_in(self.world.users["officer"]).get("/").content.decode()
        assert self.world.own.individual.profile["full_name"] in shown
        assert shown.index(str(self.world.own.id)) < shown.index(str(self.world.of_company.id))
        assert str(self.world.other.id) not in shown
        assert "Waiting longest" not in signed_in(self.world.users["approver"]).get("/").content.decode()

    def test_those_who_watch_find_what_is_in_service(self):
        for role in ("analyst", "auditor", "administrator"):
            shown = signed_in(self.world.users[role]).get("/").content.decode()
            assert "individual-1.1.0" in shown
            assert "none: nothing is decided" in shown
            assert "wait for a validation" not in shown

    def test_the_page_asks_as_much_for_many_requests_as_for_few(self):
        client = signed_in(self.world.users["officer"])
        with self.assertNumQueries(9):  # session, person, branch, five counts, the longest waiting
            client.get("/")
        for _ in range(3):
            make_request(self.world.own.individual, self.world.own.product)
        with self.assertNumQueries(9):
            client.get("/")
        analyst = signed_in(self.world.users["analyst"])
        with self.assertNumQueries(13):  # no longest; models, two policies, two counts of drafts
            analyst.get("/")
