"""Policies on screen: what is read is what the file says; drafts, publishing and simulations go by the services."""

from datetime import date

from django.test import TestCase
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from apps.audit.models import AuditEvent
from apps.common.days import lender_today
from apps.credit_requests.models import Simulation
from apps.credit_requests.simulation_jobs import work_simulation
from apps.policies.documents import read_policy
from apps.policies.models import DRAFT, PolicyVersion
from apps.policies.services import DEFAULTS, draft_policy
from apps.workbench.policy_tables import PolicyTeller
from apps.workbench.tests.rows import make_simulation, make_world, shipped_policy, signed_in

TEXT = (DEFAULTS / "uz_individual.toml").read_text(encoding="utf-8")
POLICY = read_policy(TEXT)


def changed(version="2030-01", **others):
    """The shipped text as another version that may be published from today on."""
    text = TEXT.replace('version = "2026-01"', f'version = "{version}"', 1)
    return text.replace("valid_from = 2026-01-01", f"valid_from = {lender_today()}", 1)


def test_limits_are_those_of_the_day():
    told = {limit.name: limit for limit in PolicyTeller(POLICY, date(2024, 12, 31)).limits()}
    assert told["most_debt_service"].values == [("", "60\u00a0%")]
    assert (told["most_debt_service"].since, told["most_debt_service"].next) == (date(2024, 7, 1), date(2025, 1, 1))
    told = {limit.name: limit for limit in PolicyTeller(POLICY, date(2026, 1, 1)).limits()}
    assert (told["most_debt_service"].values, told["most_debt_service"].next) == ([("", "50\u00a0%")], None)
    assert told["most_counted_term"].values == [
        ("Microloan", "36\u00a0months"), ("Mortgage", "180\u00a0months"), ("Other", "60\u00a0months"),
    ]  # fmt: skip
    assert told["most_counted_term"].to_confirm is True


def test_a_rule_says_its_limit_and_names_what_differs_between_applicants():
    said = {
        "en": "A credit agreement needs an age of at least 18 years",
        "ru": "Для кредитного договора минимальный возраст — 18 лет",
        "uz": "Kredit shartnomasini tuzish uchun yosh kamida 18 yil boʻlishi kerak",
    }
    for language, sentence in said.items():
        with override(language):
            rules = {rule.code: rule for rule in PolicyTeller(POLICY, date(2026, 1, 1)).rules()}
            assert rules["under_legal_age"].reason.replace("\u00a0", " ") == sentence
            assert (rules["under_legal_age"].outcome, rules["under_legal_age"].overridable) == ("decline", False)
            assert rules["old_at_maturity"].formula == "age_at_maturity > most_age_at_maturity"
            assert "{" not in "".join(rule.reason for rule in rules.values())


class PolicyScreenTests(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.world = make_world()
        cls.analyst = cls.world.users["analyst"]
        cls.in_force = shipped_policy()

    def setUp(self):
        self.client = signed_in(self.analyst)

    def post(self, name, policy=None, **given):
        return self.client.post(reverse(f"workbench:{name}", args=[policy.id] if policy else []), given)

    def draft(self, actor="administrator"):
        return draft_policy(text=changed(), actor=self.world.users[actor], now=timezone.now())

    def test_a_text_is_checked_and_nothing_is_stored(self):
        before = (PolicyVersion.objects.count(), AuditEvent.objects.count())
        page = self.post("draft-policy", text=changed(), do="check")
        assert page.status_code == 200
        assert "examples come out as they say" in page.content.decode()
        broken = self.post("draft-policy", text=changed().replace("age_years < legal_age", "age_years < "), do="check")
        assert broken.status_code == 400
        assert "under_legal_age" in broken.content.decode()
        assert "age_years &lt; " in broken.content.decode()  # the text is kept
        assert before == (PolicyVersion.objects.count(), AuditEvent.objects.count())

    def test_handed_in_it_waits_for_a_second_person_and_decides_once_published(self):
        done = self.post("draft-policy", text=changed().replace("\n", "\r\n"), do="draft")
        policy = PolicyVersion.objects.get(state=DRAFT)
        assert (done.status_code, done["Location"]) == (303, f"/policies/{policy.id}/")
        assert policy.text == changed()
        page = self.client.get(f"/policies/{policy.id}/").content.decode()
        assert "You drafted this policy" in page
        assert "publish-comment" not in page
        assert self.post("publish-policy", policy, comment="Mine").status_code == 403
        administrator = signed_in(self.world.users["administrator"])
        assert administrator.post(f"/policies/{policy.id}/publish/", {"comment": "Read"}).status_code == 303
        policy.refresh_from_db()
        assert (policy.state, policy.checked_by.role, policy.comment) == ("published", "administrator", "Read")
        page = self.client.get("/policies/").content.decode()
        assert page.index("uz_individual 2030-01") < page.index("uz_individual 2026-01")

    def test_a_refusal_changes_nothing(self):
        policy = self.draft()
        for name, given, status in (
            ("publish-policy", {"comment": " "}, 400),
            ("discard-policy", {"comment": ""}, 400),
            ("simulate", {"cost_of_funds": "much"}, 400),
            ("simulate", {"since": "yesterday"}, 400),
            ("simulate", {"channel": "pigeon"}, 400),
            ("simulate", {"since": "2031-01-01"}, 400),
        ):
            before = AuditEvent.objects.count()
            assert self.post(name, policy, **given).status_code == status, (name, given)
            assert AuditEvent.objects.count() == before
        policy.refresh_from_db()
        assert (policy.state, Simulation.objects.count()) == (DRAFT, 0)
        assert self.post("publish-policy", self.in_force, comment="Again").status_code == 409

    def test_a_draft_is_discarded(self):
        policy = self.draft()
        assert self.post("discard-policy", policy, comment="Another came").status_code == 303
        policy.refresh_from_db()
        assert (policy.state, policy.comment) == ("discarded", "Another came")

    def test_a_policy_is_simulated_and_its_figures_are_shown(self):
        policy = self.draft()
        done = self.post("simulate", policy, cost_of_funds="14,5", before_bars="on")
        simulation = Simulation.objects.get()
        assert (done.status_code, done["Location"]) == (303, f"/simulations/{simulation.id}/")
        assert (simulation.cost_of_funds, simulation.before_bars, simulation.policy) == (0.145, True, policy)
        waiting = self.client.get(done["Location"]).content.decode()
        assert 'hx-trigger="every 2s"' in waiting
        work_simulation(simulation_id=str(simulation.id), clock=timezone.now)
        page = self.client.get(done["Location"]).content.decode()
        assert "every 2s" not in page
        assert "Candidate: uz_individual 2030-01" in page
        assert "Who swaps" in page

    def test_a_waiting_simulation_says_how_far_it_is(self):
        simulation = make_simulation(self.analyst)
        page = self.client.get(f"/simulations/{simulation.id}/").content.decode()
        assert '<progress value="0" max="100">' in page

    def test_how_many_queries_a_page_takes(self):
        with self.assertNumQueries(8):
            self.client.get("/policies/")
        with self.assertNumQueries(4):
            self.client.get(f"/policies/{self.in_force.id}/")
