"""Drafts, publishing by a second person, what is in force when, and what a refusal leaves: nothing."""

from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import DatabaseError, IntegrityError, transaction

from apps.accounts.tests.factories import make_user
from apps.audit.models import AuditEvent
from apps.common.errors import Conflict, InvalidInput, NotPermitted
from apps.policies.models import PolicyVersion
from apps.policies.services import (
    DEFAULTS,
    discard_policy,
    draft_policy,
    policy_in_force,
    publish_policy,
    register_shipped_policies,
)
from apps.policies.tests.small_policy import SMALL, WRONG

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 12, 7, 6, 0, tzinfo=UTC)  # 11:00 in Tashkent


def text(version: str = "mine", valid_from: str = "2026-12-07", change: tuple[str, str] = ("", "")) -> str:
    assert change[0] in SMALL
    changed = SMALL.replace(*change, 1).replace('version = "1"', f'version = "{version}"', 1)
    return changed.replace("valid_from = 2026-01-01", f"valid_from = {valid_from}", 1)


@pytest.fixture
def maker():
    return make_user("analyst")


@pytest.fixture
def checker():
    return make_user("analyst")


def drafted(maker, now=NOW, **changes) -> PolicyVersion:
    return draft_policy(text=text(**changes), actor=maker, now=now)


def published(maker, checker, now=NOW, **changes) -> PolicyVersion:
    return publish_policy(policy=drafted(maker, now, **changes), comment="as decided", actor=checker, now=now)


def told() -> tuple[list[tuple[str, str]], int]:
    return list(
        PolicyVersion.objects.order_by("created_at").values_list("version", "state")
    ), AuditEvent.objects.count()


def refused(error, act, match=None):
    before = told()
    with pytest.raises(error, match=match) as caught:
        act()
    assert told() == before
    return caught.value


def test_a_draft_is_published_by_another_person(maker, checker):
    policy = published(maker, checker)
    policy.refresh_from_db()
    assert (policy.state, policy.made_by, policy.checked_by, policy.published_at) == ("published", maker, checker, NOW)
    assert (policy.code, policy.version, policy.segment) == ("small", "mine", "individual")
    assert policy.comment == "as decided"
    events = AuditEvent.objects.filter(action__startswith="policy.").order_by("id").values_list("action", "actor")
    assert list(events) == [("policy.draft", maker.id), ("policy.publish", checker.id)]


def test_its_maker_does_not_publish_it(maker):
    policy = drafted(maker)
    refused(NotPermitted, lambda: publish_policy(policy=policy, comment="mine", actor=maker, now=NOW), "drafted")


def test_a_service_account_is_no_second_pair_of_eyes(maker):
    policy, service = drafted(maker), make_user("analyst")
    service.kind = "service"
    refused(NotPermitted, lambda: publish_policy(policy=policy, comment="ok", actor=service, now=NOW), "a person")


def test_it_is_not_published_without_a_word(maker, checker):
    policy = drafted(maker)
    refused(InvalidInput, lambda: publish_policy(policy=policy, comment=" ", actor=checker, now=NOW), "Say why")


def test_nothing_is_published_into_the_past(maker, checker):
    policy = drafted(maker, valid_from="2026-12-06")
    late = refused(InvalidInput, lambda: publish_policy(policy=policy, comment="ok", actor=checker, now=NOW))
    assert late.errors[0].field == "valid_from"


def test_a_policy_is_published_once(maker, checker):
    policy = published(maker, checker)
    refused(Conflict, lambda: publish_policy(policy=policy, comment="again", actor=checker, now=NOW), "published")
    refused(Conflict, lambda: discard_policy(policy=policy, comment="no", actor=checker), "published")


def test_a_version_is_drafted_once_unless_it_was_discarded(maker, checker):
    policy = drafted(maker)
    refused(Conflict, lambda: drafted(maker), "there already")
    discard_policy(policy=policy, comment="a slip", actor=maker)
    assert published(maker, checker).state == "published"


@pytest.mark.parametrize(("change", "where", "why"), WRONG)
def test_what_is_wrong_is_refused_with_the_place_and_why(maker, change, where, why):
    error = refused(InvalidInput, lambda: draft_policy(text=text(change=change), actor=maker, now=NOW))
    assert any(where in problem.field and why in problem.message for problem in error.errors), error.errors


def test_a_text_that_is_no_policy_or_too_long_is_refused(maker):
    refused(InvalidInput, lambda: draft_policy(text="{", actor=maker, now=NOW), "TOML")
    refused(InvalidInput, lambda: draft_policy(text="#" * 200_001, actor=maker, now=NOW), "at most")


# --- What is in force -----------------------------------------------------------------------------------------


def test_at_each_moment_the_latest_that_is_valid_and_published_by_then_decides(maker, checker):
    old = published(maker, checker, version="1", valid_from="2026-12-07")
    new = published(maker, checker, version="2", valid_from="2027-01-01", now=NOW + timedelta(hours=1))
    tashkent_midnight = datetime(2026, 12, 31, 19, 0, tzinfo=UTC)
    moments = [NOW, NOW + timedelta(hours=2), tashkent_midnight - timedelta(seconds=1), tashkent_midnight]
    assert [policy_in_force("individual", moment) for moment in moments] == [old, old, old, new]


def test_before_anything_was_published_nothing_is_in_force(maker, checker):
    published(maker, checker)
    with pytest.raises(Conflict, match="No policy for the segment individual is in force on 2026-12-07"):
        policy_in_force("individual", NOW - timedelta(seconds=1))
    with pytest.raises(Conflict, match="No policy for the segment company"):
        policy_in_force("company", NOW)


def test_a_mistake_is_mended_on_the_same_day(maker, checker):
    published(maker, checker, version="wrong")
    right = published(maker, checker, version="right")
    assert right.published_at == NOW + timedelta(microseconds=1)
    assert policy_in_force("individual", NOW + timedelta(seconds=1)) == right
    assert policy_in_force("individual", NOW).version == "wrong"


# --- Shipped --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("chosen", "codes"),
    [("uz", ["uz_company", "uz_individual"]), ("neutral", ["neutral_company", "neutral_individual"]), ("none", [])],
)
def test_the_shipped_policies_are_published_at_first_start(settings, chosen, codes):
    settings.SHIPPED_POLICIES = chosen
    assert sorted(policy.code for policy in register_shipped_policies(now=NOW)) == codes
    assert register_shipped_policies(now=NOW) == []
    assert {policy.origin for policy in PolicyVersion.objects.all()} <= {"shipped"}


def test_a_shipped_version_that_somebody_drafted_waits_for_its_second_person(settings, maker, checker):
    settings.SHIPPED_POLICIES = "uz"
    own = draft_policy(text=(DEFAULTS / "uz_individual.toml").read_text(encoding="utf-8"), actor=maker, now=NOW)
    assert [policy.segment for policy in register_shipped_policies(now=NOW)] == ["company"]
    own.refresh_from_db()
    assert (own.state, own.origin) == ("draft", "registered")
    discard_policy(policy=own, comment="as it ships", actor=checker)
    assert [policy.segment for policy in register_shipped_policies(now=NOW)] == ["individual"]


def test_a_shipped_policy_decides_from_its_publishing_on_whatever_day_its_file_names(settings):
    settings.SHIPPED_POLICIES = "uz"
    shipped = {policy.segment: policy for policy in register_shipped_policies(now=NOW)}
    assert {policy.valid_from for policy in shipped.values()} == {date(2026, 1, 1)}
    assert policy_in_force("individual", NOW) == shipped["individual"]
    with pytest.raises(Conflict, match="No policy for the segment individual is in force on 2026-12-07"):
        policy_in_force("individual", NOW - timedelta(microseconds=1))


def test_a_shipped_policy_never_displaces_the_lender_s_own(settings, maker, checker):
    own = published(maker, checker)
    assert [policy.segment for policy in register_shipped_policies(now=NOW + timedelta(days=1))] == ["company"]
    assert policy_in_force("individual", NOW + timedelta(days=2)) == own


# --- Whoever writes -------------------------------------------------------------------------------------------


def refused_by_the_database(match, act):
    before = told()
    with pytest.raises((DatabaseError, IntegrityError), match=match), transaction.atomic():
        act()
    assert told() == before


def test_the_database_knows_maker_and_checker_apart(maker):
    policy = drafted(maker)
    rows = PolicyVersion.objects.filter(id=policy.id)
    refused_by_the_database(
        "policy_maker_is_not_checker", lambda: rows.update(state="published", published_at=NOW, checked_by=maker)
    )
    refused_by_the_database(
        "policy_is_checked_before_it_is_published", lambda: rows.update(state="published", published_at=NOW)
    )


@pytest.mark.parametrize("column", ["text", "version", "valid_from", "digest"])
def test_a_policy_never_changes(maker, column):
    policy = drafted(maker)
    value = date(2030, 1, 1) if column == "valid_from" else "other"
    refused_by_the_database(
        "a policy never changes", lambda: PolicyVersion.objects.filter(id=policy.id).update(**{column: value})
    )


def test_what_was_published_stays_and_nothing_is_born_published(maker, checker):
    policy = published(maker, checker)
    rows = PolicyVersion.objects.filter(id=policy.id)
    refused_by_the_database("only a draft policy moves", lambda: rows.update(state="discarded", published_at=None))
    refused_by_the_database("only a draft policy moves", lambda: rows.update(comment="something else"))
    refused_by_the_database("never deleted", rows.delete)
    twin = PolicyVersion.objects.get(id=policy.id)
    twin.id, twin.version, twin.published_at = None, "born", NOW + timedelta(days=1)
    refused_by_the_database("a new policy is a draft", lambda: twin.save(force_insert=True))
