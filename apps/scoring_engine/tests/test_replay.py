"""What was logged is worked out again from the log and the registry alone, and any other bit is named."""

from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from apps.accounts.tests.factories import make_user
from apps.audit.models import AuditEvent
from apps.common.crypto import destroy_keys
from apps.common.database import INSERT_ONLY, lift_guard, set_guard
from apps.scoring_engine import replay as replaying
from apps.scoring_engine.management.commands import replay as command
from apps.scoring_engine.ml.grades import GRADES_VERSION
from apps.scoring_engine.ml.risk_model import card_in_service
from apps.scoring_engine.ml.tests.edge_applicants import EdgeApplicants
from apps.scoring_engine.ml.tests.examples import wide_card
from apps.scoring_engine.ml.vocabulary import FactError, FactsError
from apps.scoring_engine.models import ModelCard, PredictionLog
from apps.scoring_engine.replay import logged, replay
from apps.scoring_engine.tests.factories import (
    COMPANY,
    NOW,
    PERSON,
    empty_registry,
    found,
    make_prediction,
    put_in_service,
)
from apps.scoring_engine.tests.fixed_card import fixed_card

pytestmark = pytest.mark.django_db
LOG = PredictionLog._meta.db_table


@pytest.fixture(autouse=True)
def nothing_read():
    replaying._scorer.cache_clear()


def replayed(**span):
    return {each.row.id: each for each in replay(logged(**({"since": NOW} | span)))}


def tamper(row, **changes):
    lift_guard(connection, LOG)
    PredictionLog.objects.filter(id=row.id).update(**changes)
    set_guard(connection, LOG, INSERT_ONLY[LOG])


def random_scorings(segment, count):
    card = card_in_service(segment).card
    for facts, unavailable in EdgeApplicants(card, seed=7).take(count):
        if "credit_history_score" in facts:
            facts.setdefault("credit_history_scale", "other")
        make_prediction(segment=segment, facts=found(facts), unavailable=unavailable - facts.keys())


def test_scorings_of_models_and_of_the_expert_cards_are_the_same_bits():
    random_scorings("individual", 60)
    random_scorings("company", 60)
    empty_registry()
    expert = [make_prediction(), make_prediction(segment="company", facts=found(COMPANY))]
    results = replayed()
    assert len(results) == 122
    assert {each.result for each in results.values()} == {"same"}
    assert [results[row.id].row.mode for row in expert] == ["fallback", "fallback"]


def test_a_challenger_with_facts_of_its_own_is_replayed_beside_its_champion():
    put_in_service(wide_card(), role="challenger")
    row = make_prediction(facts=found(PERSON | {"housing": "rent", "months_at_address": 9999}))
    results = replayed()
    assert {each.row.role: each.result for each in results.values()} == {"champion": "same", "challenger": "same"}
    assert results[row.id].row.beside is None


def test_a_retired_model_still_replays():
    put_in_service(fixed_card(version="individual-7.0.0"))
    row = make_prediction()
    put_in_service(fixed_card(version="individual-7.0.1", base_points=501))
    assert replayed()[row.id].result == "same"


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"score": 1}, "score"),
        ({"probability_of_default": 0.5}, "probability_of_default"),
        ({"grade": "G"}, "grade"),
        ({"horizon_months": 7}, "horizon_months"),
        ({"base_points": 1}, "base_points"),
        ({"inputs_digest": "0" * 64}, "inputs_digest"),
    ],
)
def test_what_is_not_what_the_model_says_is_named(changes, named):
    row = make_prediction()
    tamper(row, **changes)
    (found_again,) = replayed().values()
    assert found_again.result == "different"
    assert [name for name, _, _ in found_again.differing] == [named]


def test_what_is_sealed_is_compared_without_being_told(monkeypatch):
    make_prediction()
    opened = PredictionLog.opened

    def with_another_point(row):
        sealed = opened(row)
        sealed["characteristics"][0]["points"] += 1
        return sealed

    monkeypatch.setattr(PredictionLog, "opened", with_another_point)
    (found_again,) = replayed().values()
    ((name, then, now),) = found_again.differing
    assert name.startswith("characteristic ")
    assert (then, now) == ("sealed", "sealed")


def test_a_seal_of_another_row_is_unreadable():
    row, other = make_prediction(), make_prediction(cause="another")
    tamper(row, sealed=other.sealed)
    assert replayed()[row.id].result == "unreadable"


def test_grades_of_an_older_table_are_history_and_it_is_told(capsys):
    row = make_prediction()
    tamper(row, grade="G", grades_version="0")
    assert replayed()[row.id].result == "same"
    call_command("replay", "--since", "2026-03-01")
    told = f"1 grades were not compared: they are of another table than {GRADES_VERSION}."
    assert told in capsys.readouterr().err


def test_erased_facts_are_told_and_end_well(capsys):
    row = make_prediction()
    destroy_keys([row.data_key_id], now=NOW)
    call_command("replay", "--since", "2026-03-01")
    assert capsys.readouterr().out == "1 predictions replayed: 0 same, 0 different, 1 erased, 0 unreadable.\n"


def test_the_command_ends_with_1_and_names_row_and_field(capsys):
    row = make_prediction()
    tamper(row, score=1)
    with pytest.raises(CommandError) as refused:
        call_command("replay", "--since", "2026-03-01")
    assert refused.value.returncode == 1
    printed = capsys.readouterr()
    assert printed.out == "1 predictions replayed: 0 same, 1 different, 0 erased, 0 unreadable.\n"
    assert f"{row.id}: score: logged 1, now {make_prediction(cause='again').score}\n" in printed.err


def test_span_and_segment_choose(capsys):
    make_prediction()
    make_prediction(segment="company", facts=found(COMPANY), now=NOW + timedelta(days=1))
    assert len(replayed()) == 2
    assert len(replayed(until=NOW + timedelta(hours=1))) == 1
    assert len(replayed(segment="company")) == 1
    call_command("replay", "--since", "2026-03-03")
    assert capsys.readouterr().out.startswith("1 predictions replayed: 1 same")


def test_opening_sealed_facts_leaves_an_audit_event():
    row, analyst = make_prediction(), make_user("analyst")
    before = AuditEvent.objects.count()
    call_command("replay", "--since", "2026-03-01", "--as", analyst.username)
    event = AuditEvent.objects.latest("id")
    assert AuditEvent.objects.count() == before + 1
    assert (event.action, event.subject_id, event.actor) == ("prediction.replay", str(row.id), analyst)
    assert event.details == {"rows": 1, "from": NOW.isoformat()}
    call_command("replay", "--since", "2027-01-01")
    assert AuditEvent.objects.count() == before + 1


def test_who_may_not_read_the_log_is_not_named_as_who_replays():
    make_prediction()
    administrator = make_user("administrator")
    with pytest.raises(CommandError, match="this is for the roles"):
        call_command("replay", "--since", "2026-03-01", "--as", administrator.username)


def test_facts_that_are_refused_today_are_named_without_their_values(monkeypatch):
    row = make_prediction()

    def refuse(*given, **more):
        raise FactsError([FactError("yearly_income", "50000", "must be at most 1")])

    monkeypatch.setattr(replaying, "check_facts", refuse)
    (found_again,) = replayed().values()
    assert found_again.result == "unreadable"
    assert found_again.why == f"{row.model_version}: it refuses today what was logged as yearly_income"


def test_all_that_differs_is_listed_in_a_file(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(command, "MOST_TOLD", 1)
    rows = [make_prediction(now=NOW + timedelta(minutes=minute)) for minute in range(3)]
    for row in rows[:2]:
        tamper(row, base_points=1)
    listing = tmp_path / "differing.csv"
    with pytest.raises(CommandError):
        call_command("replay", "--since", "2026-03-01", "--out", str(listing))
    base = rows[0].base_points
    assert listing.read_text().splitlines() == [
        "id,field,logged,recomputed", f"{rows[0].id},base_points,1,{base}", f"{rows[1].id},base_points,1,{base}",
    ]  # fmt: skip
    assert f"1 more are not told here; all of them are in {listing}." in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == [listing]


def test_a_run_that_breaks_leaves_the_listing_of_the_run_before(tmp_path, monkeypatch):
    make_prediction()
    listing = tmp_path / "differing.csv"
    listing.write_text("before")

    def stop(rows):
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "replay", stop)
    with pytest.raises(KeyboardInterrupt):
        call_command("replay", "--since", "2026-03-01", "--out", str(listing))
    assert [path.read_text() for path in tmp_path.iterdir()] == ["before"]


@pytest.mark.parametrize("wrong", ["0", "-1", "x", "1.5", ""])
def test_a_limit_is_a_whole_number_from_1_on(wrong):
    with pytest.raises(CommandError, match="whole number from 1 on"):
        call_command("replay", "--since", "2026-03-01", f"--limit={wrong}")


def test_the_limit_takes_the_oldest(capsys):
    rows = [make_prediction(now=NOW + timedelta(minutes=minute)) for minute in range(3)]
    tamper(rows[2], score=1)
    call_command("replay", "--since", "2026-03-01", "--limit", "2")
    assert capsys.readouterr().out == "2 predictions replayed: 2 same, 0 different, 0 erased, 0 unreadable.\n"


def test_a_kept_document_that_was_changed_is_unreadable():
    empty_registry()
    row = make_prediction()
    table = ModelCard._meta.db_table
    lift_guard(connection, table)
    kept = ModelCard.objects.get(digest=row.card_id)
    ModelCard.objects.filter(digest=row.card_id).update(text=kept.text.replace('"base_points":', '"base_points":1'))
    set_guard(connection, table, INSERT_ONLY[table])
    assert replayed()[row.id].result == "unreadable"
