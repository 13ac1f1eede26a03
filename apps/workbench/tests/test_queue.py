"""The queue as people use it: tabs and filters, search that leaves no trace, saved views, pages."""

from datetime import timedelta
from uuid import uuid4

from django.test import Client, TestCase
from django.utils import timezone

from apps.accounts.models import User
from apps.accounts.tests.factories import make_branch, make_user
from apps.audit.models import AuditEvent
from apps.credit_requests.models import CreditRequest
from apps.credit_requests.queue import ORDERS, QueueFilter
from apps.credit_requests.tests.factories import make_product, make_request
from apps.individuals.tests.factories import make_individual
from apps.workbench import queue_form
from apps.workbench.default_views import DEFAULT_VIEWS
from apps.workbench.models import SavedView
from apps.workbench.queue_form import QueueForm, query_of
from apps.workbench.services import MOST_VIEWS
from apps.workbench.tests.html import Reader, read
from apps.workbench.tests.rows import signed_in


class QueueScreenTests(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        branch = make_branch()
        cls.officer, cls.analyst = make_user("officer", branch), make_user("analyst")
        cls.product = make_product(name="Olma")
        names = ("Umarova Lola", "Qoʻchqorov Gʻofur", "Tursunov Botir")
        cls.requests = [
            make_request(
                make_individual(branch, full_name=name), cls.product, requested_amount=(place + 1) * 10_000_000
            )
            for place, name in enumerate(names)
        ]
        make_request(make_individual(make_branch("other"), full_name="Umarova Elsewhere"), cls.product)
        long_ago = timezone.now() - timedelta(days=9)
        CreditRequest.objects.filter(id=cls.requests[0].id).update(created_at=long_ago)

    def page(self, address: str = "/queue/", user: User | None = None, status: int = 200, **headers: str) -> Reader:
        response = signed_in(user or self.officer).get(address, headers=headers)
        self.assertEqual(response.status_code, status)
        return read(response.content)

    def names(self, page: Reader) -> list[str]:
        return [each.text.strip() for each in page.all("a") if "row-link" in each.attributes.get("class", "")]

    def test_tabs_count_and_keep_the_other_filters(self) -> None:
        page = self.page("/queue/?grade=B&status=pending")
        tabs = [(each.text.strip(), each.attributes["href"]) for each in page.all("a") if each.text.startswith("Pend")]
        self.assertEqual(tabs, [("Pending", "?status=pending&grade=B")])
        counts = [each.text.strip() for each in page.all("span") if each.attributes.get("class") == "count"]
        self.assertEqual(counts, ["3", "0", "0", "0", "0"])
        everything = next(each for each in page.all("a") if each.text.strip() == "All")
        self.assertEqual(everything.attributes["href"], "?grade=B")

    def test_filters_choose_and_stand_there_in_words(self) -> None:
        page = self.page("/queue/?older_than=5&least_amount=1000000&flags=mock")
        chips = [each.text.strip() for each in page.all("span") if each.text.startswith(("Older", "From"))]
        self.assertEqual((self.names(page), chips), ([], ["Older than 5 days", "From 1,000,000"]))
        self.assertEqual(self.names(self.page("/queue/?older_than=5")), ["Umarova Lola"])
        self.assertEqual(self.names(self.page("/queue/?order=largest"))[0], "Tursunov Botir")

    def test_a_filter_that_cannot_be_is_refused_in_words_and_shows_nothing(self) -> None:
        for address in (
            "/queue/?older_than=-1", "/queue/?older_than=x", "/queue/?status=gone", "/queue/?product=1",
            "/queue/?least_amount=9&most_amount=8", "/queue/?older_than=9&newer_than=9", "/queue/?branch=other&grade=Z",
            "/queue/?flags=red", "/queue/?order=random", "/queue/?least_amount=99999999999999999999",
        ):  # fmt: skip
            with self.subTest(address):
                page = self.page(address, status=400)
                self.assertEqual(self.names(page), [])
                self.assertIn("alert", [each.attributes.get("role") for each in page.all("div")])

    def test_a_page_that_was_not_given_out_is_refused(self) -> None:
        self.page("/queue/?page=x", status=400)

    def test_htmx_gets_the_part_and_the_plain_address(self) -> None:
        response = signed_in(self.officer).get("/queue/?status=&grade=&older_than=5", headers={"HX-Request": "true"})
        self.assertEqual(response["HX-Push-Url"], "/queue/?older_than=5")
        self.assertEqual(read(response.content).all("html"), [])

    def test_only_who_sees_all_branches_chooses_one(self) -> None:
        def has_branch(user: User) -> bool:
            return "id_branch" in [each.attributes.get("id") for each in self.page(user=user).all("select")]

        self.assertEqual((has_branch(self.officer), has_branch(self.analyst)), (False, True))
        self.assertEqual(self.names(self.page("/queue/?branch=other", self.analyst)), ["Umarova Elsewhere"])

    # --- Search -----------------------------------------------------------------------------------------------

    def search(self, text: str, user: User | None = None) -> tuple[int, Reader]:
        response = signed_in(user or self.officer).post("/queue/", {"search": text})
        self.assertNotIn("Location", response.headers)
        return response.status_code, read(response.content)

    def test_search_finds_by_name_and_pinfl_and_says_what_it_looked_for(self) -> None:
        status, page = self.search("ГОФУР")
        self.assertEqual((status, self.names(page)), (200, ["Qoʻchqorov Gʻofur"]))
        self.assertTrue(any(text.startswith("Requests of applicants with all") for text in page.texts))
        status, page = self.search(self.requests[0].individual.profile["pinfl"])
        self.assertEqual(self.names(page), ["Umarova Lola"])
        self.assertTrue(any(text.startswith("Requests of the person") for text in page.texts))

    def test_a_search_sees_the_own_branch_alone(self) -> None:
        self.assertEqual(self.names(self.search("umarova")[1]), ["Umarova Lola"])
        self.assertEqual(len(self.names(self.search("umarova", self.analyst)[1])), 2)

    def test_a_wrong_identifier_is_told_at_the_field(self) -> None:
        status, page = self.search("12345678901234")
        field = next(each for each in page.all("input") if each.attributes.get("id") == "search")
        self.assertEqual((status, field.attributes["aria-invalid"], self.names(page)), (400, "true", []))

    def test_nothing_typed_leads_back_and_nobody_found_is_said(self) -> None:
        response = signed_in(self.officer).post("/queue/", {"search": " "})
        self.assertEqual((response.status_code, response["Location"]), (303, "/queue/"))
        self.assertTrue(any(text.startswith("Nobody you may see") for text in self.search("Nobody")[1].texts))

    def test_what_was_searched_for_is_in_no_address_and_no_event(self) -> None:
        before = AuditEvent.objects.count()
        page = self.search("Qochqorov")[1]
        given = (pair for each in page.elements for pair in each.attributes.items())
        addresses = [value for name, value in given if name in ("href", "action")]
        self.assertEqual([address for address in addresses if "ochqorov" in address], [])
        self.assertEqual(AuditEvent.objects.count(), before)

    # --- Pages ------------------------------------------------------------------------------------------------

    def test_the_page_takes_the_same_queries_for_one_row_and_for_fifty(self) -> None:
        client = signed_in(self.officer)
        # Session, user and their branch, products, five counts, chosen ids, rows, records, overrides, own
        # views.
        with self.assertNumQueries(14):
            client.get("/queue/")
        fields, first = CreditRequest._meta.concrete_fields, self.requests[1]
        columns = {field.attname: getattr(first, field.attname) for field in fields}
        CreditRequest.objects.bulk_create(CreditRequest(**columns | {"id": uuid4()}) for _ in range(60))
        with self.assertNumQueries(14):
            response = client.get("/queue/")
        page = read(response.content)
        self.assertEqual(len(self.names(page)), 50)
        following = next(each for each in page.all("a") if each.attributes.get("rel") == "next").attributes["href"]
        self.assertEqual(len(self.names(self.page(f"/queue/{following}"))), 13)


class SavedViewTests(TestCase):
    @classmethod
    def setUpTestData(cls) -> None:
        cls.officer, cls.other = make_user("officer"), make_user("officer")

    def setUp(self) -> None:
        self.client = signed_in(self.officer)

    def save(
        self, name: str = "Big ones", filter_: str = "?least_amount=5&flags=stale", client: Client | None = None
    ) -> int:
        return (client or self.client).post("/queue/views/", {"name": name, "filter": filter_}).status_code

    def test_a_view_is_kept_with_its_event_and_shown_to_its_owner_alone(self) -> None:
        self.assertEqual(self.save(" Big   ones "), 303)
        view = SavedView.objects.get()
        self.assertEqual((view.owner, view.name), (self.officer, "Big ones"))
        self.assertEqual(view.filter, {"least_amount": 5, "flags": ["stale"]})
        event = AuditEvent.objects.latest("id")
        self.assertEqual((event.action, event.subject_id, event.actor), ("saved_view.save", str(view.id), self.officer))
        self.assertEqual(event.details, {"filter": view.filter, "replaced": False})
        page = read(self.client.get("/queue/?least_amount=5&flags=stale").content)
        shown = next(each for each in page.all("a") if each.text.strip() == "Big ones")
        self.assertEqual(shown.attributes["href"], "?least_amount=5&flags=stale")
        self.assertEqual(shown.attributes["aria-current"], "page")
        self.assertNotIn("Big ones", read(signed_in(self.other).get("/queue/").content).texts)

    def test_the_same_name_replaces_and_another_person_may_have_it_too(self) -> None:
        self.save()
        self.save(filter_="?mine=on")
        self.save(client=signed_in(self.other))
        self.assertEqual(SavedView.objects.get(owner=self.officer).filter, {"mine": True})
        self.assertEqual(SavedView.objects.count(), 2)

    def test_what_cannot_be_saved_leaves_nothing(self) -> None:
        events = AuditEvent.objects.count()
        for name, filter_ in [
            ("", "?mine=on"),
            ("x" * 61, "?mine=on"),
            ("31210632040244", "?mine=on"),
            ("a", "?status=gone"),
            ("a", "?least_amount=x"),
        ]:
            with self.subTest(name=name, filter=filter_):
                self.assertEqual(self.save(name, filter_), 400)
        self.assertEqual((SavedView.objects.count(), AuditEvent.objects.count()), (0, events))

    def test_nothing_but_the_filter_is_kept(self) -> None:
        self.save(filter_="?mine=on&search=Karimov&page=abc&unknown=1")
        self.assertEqual(SavedView.objects.get().filter, {"mine": True})

    def test_there_are_thirty_at_most(self) -> None:
        now = timezone.now()
        SavedView.objects.bulk_create(
            SavedView(owner=self.officer, name=f"v{number}", created_at=now) for number in range(MOST_VIEWS)
        )
        self.assertEqual(self.save("one more"), 409)
        self.assertEqual(self.save("v3", "?mine=on"), 303)
        self.assertEqual((SavedView.objects.count(), SavedView.objects.get(name="v3").filter), (30, {"mine": True}))

    def test_only_the_owner_deletes_a_view(self) -> None:
        self.save()
        view = SavedView.objects.get()
        self.assertEqual(signed_in(self.other).post("/queue/views/delete/", {"view": view.id}).status_code, 404)
        for given in ("", "x", "9" * 30):
            self.assertEqual(self.client.post("/queue/views/delete/", {"view": given}).status_code, 400)
        self.assertEqual(SavedView.objects.count(), 1)
        self.assertEqual(self.client.post("/queue/views/delete/", {"view": view.id}).status_code, 303)
        self.assertEqual(SavedView.objects.count(), 0)
        self.assertEqual(AuditEvent.objects.latest("id").action, "saved_view.delete")

    def test_the_views_that_every_role_finds_are_filters_as_their_address_gives_them(self) -> None:
        for role, views in DEFAULT_VIEWS.items():
            user = self.officer if role == "officer" else make_user(role)
            client = signed_in(user)
            for name, chosen in views:
                with self.subTest(role=role, view=str(name)):
                    response = client.get(f"/queue/{query_of(chosen)}")
                    page = read(response.content)
                    current = [each.text.strip() for each in page.all("a") if each.attributes.get("aria-current")]
                    self.assertEqual((response.status_code, str(name) in current), (200, True))

    def test_the_form_has_the_fields_of_the_filter_and_the_orders_of_the_queue(self) -> None:
        form = QueueForm(make_user("auditor"), {})
        self.assertEqual(list(form.fields), list(QueueFilter.__slots__))
        self.assertEqual(list(queue_form.ORDERS), list(ORDERS))
        self.assertTrue(form.is_valid())
        self.assertEqual(form.chosen(), QueueFilter())
