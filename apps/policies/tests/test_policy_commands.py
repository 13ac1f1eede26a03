"""The road of a policy by command: handed in by one, published by another, listed."""

from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from apps.accounts.tests.factories import make_user
from apps.policies.services import DEFAULTS, draft_policy
from apps.policies.tests.small_policy import WRONG
from apps.policies.tests.test_api import text, told

pytestmark = pytest.mark.django_db


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "mine.toml"
    path.write_text(text(), encoding="utf-8")
    return path


def run(*words: str, err: StringIO | None = None) -> str:
    out = StringIO()
    call_command(*words, stdout=out, stderr=err or StringIO())
    return out.getvalue()


def test_one_hands_in_another_publishes(file):
    make_user("analyst", username="anvar")
    make_user("administrator", username="bahor")
    assert run("draft_policy", str(file), "--as", "anvar").startswith("small mine of individual is a draft")
    with pytest.raises(CommandError, match="anvar drafted small mine; somebody else has to publish it"):
        run("publish_policy", "small/mine", "--as", "anvar", "--comment", "mine")
    said = run("publish_policy", "small/mine", "--as", "bahor", "--comment", "as decided")
    assert said.startswith("small mine of individual is published")
    listed = run("list_policies")
    assert "small mine" in listed
    assert "in force" in listed
    assert "company     no policy is in force; nothing of it can be decided" in listed


def test_a_draft_is_discarded(file):
    make_user("analyst", username="anvar")
    run("draft_policy", str(file), "--as", "anvar")
    assert run("discard_policy", "small/mine", "--as", "anvar", "--comment", "a slip") == (
        "small mine of individual is discarded.\n"
    )


@pytest.mark.parametrize(("change", "where", "why"), WRONG)
def test_a_file_with_errors_is_refused_by_name_and_nothing_is_written(file, change, where, why):
    make_user("analyst", username="anvar")
    file.write_text(text(change=change), encoding="utf-8")
    before = told()
    with pytest.raises(CommandError) as refused:
        run("draft_policy", str(file), "--as", "anvar")
    first, *lines = str(refused.value).splitlines()
    assert first == f"{file} is refused, and nothing was stored:"
    assert [line for line in lines if where in line and why in line], lines
    assert told() == before


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["publish_policy", "none/1", "--as", "anvar", "--comment", "x"], "There is no policy 'none/1'"),
        (["draft_policy", "/nowhere.toml", "--as", "anvar"], "cannot be read"),
        (["draft_policy", "/nowhere.toml", "--as", "nobody"], "cannot be read"),
    ],
)
def test_what_is_not_there_is_told(words, why):
    make_user("analyst", username="anvar")
    with pytest.raises(CommandError, match=why):
        run(*words)


def test_the_shipped_policies_tell_what_is_to_be_confirmed(settings):
    settings.SHIPPED_POLICIES = "uz"
    said = run("register_shipped_policies")
    assert "uz_individual 2026-01 of individual is published." in said
    assert "To confirm against the acts before use: most_debt_service" in said
    assert run("register_shipped_policies") == "Nothing to publish: SHIPPED_POLICIES is uz.\n"


def test_where_nothing_is_published_it_says_what_cannot_be_decided(settings):
    """A start goes on: the draft of a shipped version is somebody's, and waits for a second person."""
    settings.SHIPPED_POLICIES = "uz"
    shipped = (DEFAULTS / "uz_individual.toml").read_text(encoding="utf-8")
    draft_policy(text=shipped, actor=make_user("analyst"), now=timezone.now())
    err = StringIO()
    assert run("register_shipped_policies", err=err).startswith("uz_company 2026-01 of company is published.")
    assert err.getvalue() == "Warning: no policy of the segment individual is published; it is not decided on.\n"
