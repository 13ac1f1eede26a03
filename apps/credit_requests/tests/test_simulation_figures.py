"""Two small policies on eight rows; tests/simulated.py works the figures out."""

import csv
import json
from datetime import date
from html.parser import HTMLParser

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.core.management import CommandError, call_command

from apps.common.errors import InvalidInput
from apps.credit_requests.simulation import Terms, simulate_file
from apps.credit_requests.simulation_policies import Named
from apps.credit_requests.simulation_tables import Form, as_batch, as_rows
from apps.credit_requests.tests.simulated import CANDIDATE, CURRENT, ROWS
from apps.policies.columns import decide_columns
from apps.policies.documents import read_policy
from apps.policies.engine import OUTCOMES, decide
from apps.policies.services import DEFAULTS
from apps.policies.tests.random_requests import draw_rows

DAY = date(2026, 3, 1)
TERMS = Terms(DAY, cost_of_funds=0.1)


def written(folder, rows=ROWS, suffix="parquet", **columns):
    path = folder / f"snapshot.{suffix}"
    names = list(dict.fromkeys(name for row in rows for name in row))
    rows = [{name: row.get(name) for name in names} | {name: values[k] for name, values in columns.items()}
            for k, row in enumerate(rows)]  # fmt: skip
    if suffix == "parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    else:
        with path.open("w", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(rows[0])
            writer.writerows(["" if value is None else _csv(value) for value in row.values()] for row in rows)
    return path


def _csv(value):
    return str(value).lower() if isinstance(value, bool) else value


def simulated(path, terms=TERMS, current=CURRENT, candidate=CANDIDATE):
    named = {"current": Named(read_policy(current), None), "candidate": Named(read_policy(candidate), None)}
    return simulate_file(path=path, terms=terms, **named)


@pytest.fixture(params=["parquet", "csv"])
def figures(request, tmp_path):
    return simulated(written(tmp_path, suffix=request.param))


def numbers(outcomes):
    return {when: [found[name]["number"] for name in OUTCOMES] for when, found in outcomes.items()}


def test_outcomes_before_and_after_bars(figures):
    assert figures["requests"] == {
        "simulated": 8, "other_currency": {}, "barred": {"demonstration": 1, "not_assessed": 1},
    }  # fmt: skip
    assert numbers(figures["outcomes"]["current"]) == {"before_bars": [2, 4, 2], "after_bars": [1, 5, 2]}
    assert numbers(figures["outcomes"]["candidate"]) == {"before_bars": [3, 3, 2], "after_bars": [2, 4, 2]}
    assert figures["outcomes"]["current"]["after_bars"]["refer"]["share"] == 0.625


def test_money_of_what_is_approved(figures):
    """The ends of 1 in 8: (0.125 + 3.841459 / 16 -+ 1.959964 * sqrt(0.125 * 0.875 / 8 + 3.841459 / 256)) / 1.480182."""
    assert figures["approved"] == {
        "current": {
            "number": 1, "approval_rate": 0.125, "approval_rate_interval": [0.022417, 0.470888], "amount": 1000,
            "expected_loss": 25, "expected_profit": 70, "expected_bad_rate": 0.05, "risk_not_known": 0,
        },
        "candidate": {
            "number": 2, "approval_rate": 0.25, "approval_rate_interval": [0.071479, 0.590725], "amount": 1600,
            "expected_loss": 55, "expected_profit": 148, "expected_bad_rate": 0.075, "risk_not_known": 0,
        },
    }  # fmt: skip


def test_the_cost_of_funds_is_taken_off_the_rate(tmp_path):
    found = simulated(written(tmp_path), Terms(DAY))
    assert found["approved"]["candidate"]["expected_profit"] == 1000 * 0.2 * 0.95 - 25 + 600 * 0.3 * 0.9 - 30


def test_swap_sets(figures):
    found = {(one["current"], one["candidate"]): one for one in figures["swaps"]}
    assert len(found) == 9
    told = {
        key: (one["number"], one["amount"]["current"], one["amount"]["candidate"], one["expected_loss"]["candidate"])
        for key, one in found.items() if one["number"]
    }  # fmt: skip
    assert told == {
        ("approve", "approve"): (1, 1000, 1000, 25),
        ("refer", "approve"): (1, 600, 600, 30),
        ("refer", "refer"): (4, 4000, 4000, 75),
        ("decline", "decline"): (2, 1500, 1500, 150),
    }


def test_rules_by_how_many_they_stop(figures):
    rows = [(one["code"], one["kind"], one["first"], one["any"]) for one in figures["rules"]["current"]]
    assert rows == [
        ("banned", "knockout", 2, 2),
        ("bar:demonstration", "bar", 1, 1),
        ("grade_unknown", "cap", 1, 1),
        ("score_grey", "cut_off", 1, 1),
        ("score_low", "cut_off", 1, 1),
        ("too_long", "limit", 1, 1),
        ("bar:not_assessed", "bar", 0, 1),
    ]
    assert "score_grey" not in {one["code"] for one in figures["rules"]["candidate"]}


def test_segments(figures):
    channels = {one["value"]: one for one in figures["segments"]["channel"]}
    assert {name: one["number"] for name, one in channels.items()} == {"branch": 6, "online": 1, "(not known)": 1}
    assert channels["online"]["current"]["number"] == 0
    assert channels["online"]["candidate"]["expected_profit"] == 78
    grades = {one["value"]: one["number"] for one in figures["segments"]["grade"]}
    assert grades == {"E": 5, "F": 1, "G": 1, "(not known)": 1}


def test_curve_over_the_cut_off(figures):
    """C, E, F, G and H are stopped by something else, whatever the cut-off."""
    curve = figures["curve"]
    points = {one["cut_off"]: one for one in curve["points"]}
    assert (min(points), max(points)) == (400, 525)
    told = {at: [points[at][name] for name in ("number", "amount", "expected_loss", "expected_profit")]
            for at in (400, 405, 460, 480, 485, 500, 520, 525)}  # fmt: skip
    assert told == {
        400: [3, 2100, 180, 48], 405: [2, 1600, 55, 148], 460: [2, 1600, 55, 148], 480: [2, 1600, 55, 148],
        485: [1, 1000, 25, 70], 500: [1, 1000, 25, 70], 520: [1, 1000, 25, 70], 525: [0, 0, 0, 0],
    }  # fmt: skip
    assert points[400]["expected_bad_rate"] == pytest.approx(0.65 / 3, abs=1e-6)
    assert points[525]["expected_bad_rate"] is None
    assert [(one["policy"], one["cut_off"], one["below"], one["from"]) for one in curve["today"]] == [
        ("current", 440, "decline", "refer"), ("current", 500, "refer", "approve"),
        ("candidate", 440, "decline", "refer"), ("candidate", 460, "refer", "approve"),
    ]  # fmt: skip


def test_curve_over_a_probability(tmp_path):
    candidate = (
        CANDIDATE[: CANDIDATE.index("[cut_offs]")]
        + """
[values.most_risk]
unit = "probability"
source = "invented for a test"
dated = [ { from = 2020-01-01, is = 0.5 } ]
[cut_offs]
on = "annual_probability_of_default"
[[cut_offs.bands]]
code = "good"
below = 0.07
outcome = "approve"
[[cut_offs.bands]]
code = "bad"
from = 0.07
outcome = "decline"
reason = { uz = "Xavf", ru = "Риск", en = "Risk" }
[loss]
given_default = "0.5"
[people]
override_days = 14
low_side_reasons = ["other"]
high_side_reasons = ["other"]
"""
    )
    curve = simulated(written(tmp_path), candidate=candidate)["curve"]
    points = {one["cut_off"]: one["number"] for one in curve["points"]}
    # A at 0.05, B at 0.10, D at 0.5: approved below the cut-off.
    assert [points[at] for at in (0.05, 0.055, 0.07, 0.095, 0.105, 0.5, 0.505)] == [0, 1, 1, 1, 2, 2, 3]
    assert [(one["policy"], one["cut_off"]) for one in curve["today"]] == [("candidate", 0.07)]


def test_before_bars_nothing_but_the_missing_score_bars(tmp_path):
    found = simulated(written(tmp_path), Terms(DAY, 0.1, before_bars=True))
    assert numbers(found["outcomes"]["current"]) == {"before_bars": [2, 4, 2], "after_bars": [2, 4, 2]}
    assert found["requests"]["barred"] == {"demonstration": 1, "not_assessed": 1}


def test_one_day_binds_the_limits_of_both(tmp_path):
    later = simulated(written(tmp_path), Terms(date(2026, 6, 1), 0.1))
    assert later["approved"]["current"]["number"] == 2  # C: 36 months are allowed from June on
    assert later["terms"]["on_date"] == "2026-06-01"


def test_money_of_other_currencies_is_told_apart(tmp_path):
    path = written(tmp_path, currency=["UZS", "USD", None, "USD", "EUR", "UZS", "UZS", "UZS"])
    found = simulated(path)
    assert found["requests"]["simulated"] == 5
    assert found["requests"]["other_currency"] == {"EUR": 1, "USD": 2}
    assert found["approved"]["candidate"]["amount"] == 1000


def test_a_row_is_named_by_its_place_in_the_file(tmp_path):
    path = written(tmp_path, currency=["USD"] * 7 + ["UZS"], term_months=[12] * 7 + [0])
    with pytest.raises(InvalidInput, match="term_months: Row 8 holds 0"):
        simulated(path)


def test_an_empty_table_is_nothing_to_simulate(tmp_path):
    for currency, words in (("USD", "found 8, USD 8"), ("UZS", "no rows")):
        path = written(tmp_path, currency=[currency] * 8)
        if currency == "UZS":
            pq.write_table(pq.read_table(path)[:0], path)
        with pytest.raises(InvalidInput, match=f"There is nothing to simulate: {words}"):
            simulated(path)


def test_a_further_column_tells_segments_apart(tmp_path):
    path = written(tmp_path, region=[1, 1, 2, 2, 2, 2, None, 1])
    found = simulated(path, Terms(DAY, by=("region",)))["segments"]["region"]
    assert [(one["value"], one["number"], one["candidate"]["number"]) for one in found] == [
        ("2", 4, 0), ("1", 3, 2), ("(not known)", 1, 0),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("columns", "field", "words"),
    [
        ({"region": ["x"] * 8}, "region", "No column of a snapshot. Allowed are"),
        ({"salary": ["many"] * 8}, "salary", "A column of string was given; allowed are numbers."),
        ({"salary": [float("inf")] * 8}, "salary", "Row 1 holds inf; allowed are numbers from"),
        ({"self_banned": [1] * 8}, "self_banned", "A column of int64 was given; allowed are true and false."),
        ({"channel": ["branch"] * 7 + ["door"]}, "channel", "'door' was given; allowed are branch, online,"),
        ({"score": [520] * 7 + [1201]}, "score", "Row 8 holds 1201; allowed are whole numbers from 0 to 1200."),
        ({"score": [520] * 8}, "score", "Row 7 holds 520; allowed are all of score, probability_of_default"),
        ({"term_months": [12] * 7 + [12.5]}, "term_months", "Row 8 holds 12.5; allowed are whole numbers from 1"),
        ({"grade": ["E"] * 7 + ["Z"]}, "grade", "'Z' was given; allowed are A, B, C, D, E, F, G."),
        ({"bar": ["late"] * 8}, "bar", "'late' was given; allowed are fallback,"),
        ({"currency": ["XXX"] * 8}, "currency", "'XXX' was given; allowed are UZS,"),
    ],
)  # fmt: skip
def test_a_table_that_is_no_snapshot_is_refused(tmp_path, columns, field, words):
    path = written(tmp_path, **columns)
    with pytest.raises(InvalidInput) as refused:
        simulated(path)
    problem = refused.value.errors[0]
    assert problem.field == field
    assert problem.message.startswith(words)


def test_a_csv_with_a_word_for_a_number_names_the_column(tmp_path):
    path = written(tmp_path, suffix="csv", salary=["7"] * 7 + ["plenty"])
    with pytest.raises(InvalidInput, match=r"salary: .*plenty.*; allowed are numbers"):
        simulated(path)


@pytest.mark.parametrize(
    ("terms", "words"),
    [
        (Terms(DAY, 1.5), "cost_of_funds: 1.5"),
        (Terms(DAY, by=("region",)), "by: The table has no column region"),
        (Terms(DAY, by=("branch",)), "by: The table has no column branch"),
    ],
)
def test_terms_out_of_bounds_are_refused(tmp_path, terms, words):
    with pytest.raises(InvalidInput, match=words):
        simulated(written(tmp_path), terms)


@pytest.mark.parametrize(("name", "other"), [("currency", '"USD"'), ("segment", '"company"')])
def test_policies_of_two_kinds_do_not_compare(tmp_path, name, other):
    # A company has no ban of itself.
    current = CURRENT.replace(f'{name} = "{"UZS" if name == "currency" else "individual"}"', f"{name} = {other}")
    current = current.replace("self_banned", "has_guarantor")
    with pytest.raises(InvalidInput, match=f"only policies of one {name} compare"):
        simulated(written(tmp_path), current=current)


def test_every_row_is_decided_as_the_engine_does():
    """Through the table and back: what is not known, numbers and flags come out as they went in."""
    policy = read_policy((DEFAULTS / "uz_individual.toml").read_text(encoding="utf-8"))
    form = Form(policy.segment)
    rows = [row for row in draw_rows(policy.segment, 600) if row[0].get("requested_amount") != 0]
    table = as_rows([_row(facts, scored) for facts, scored in rows], form.schema())
    batch = as_batch(table, form)
    found = decide_columns(batch.columns, batch.assessments, policy, DAY)
    expected = [decide(facts, scored, policy, DAY) for facts, scored in rows]
    assert [OUTCOMES[one] for one in found.outcome] == [one.outcome for one in expected]
    assert found.first_reason.tolist() == [one.reasons[0] if one.reasons else "" for one in expected]
    losses = [None if loss != loss else int(loss) for loss in found.expected_loss.tolist()]
    assert losses == [one.expected_loss if one.terms else None for one in expected]
    assert len({one.outcome for one in expected}) == 3


def _row(facts, scored):
    names = ("score", "probability_of_default", "horizon_months", "grade")
    assessed = {name: getattr(scored, name) for name in names} if scored else {}
    return facts | assessed | {"bar": scored.bars[0] if scored and scored.bars else ""}


class _Counter(HTMLParser):
    def __init__(self):
        super().__init__()
        self.seen = []

    def handle_starttag(self, tag, attributes):
        self.seen.append(tag)


def test_the_command_writes_figures_and_a_page(tmp_path, capsys):
    for name, text in (("current", CURRENT), ("candidate", CANDIDATE)):
        (tmp_path / f"{name}.toml").write_text(text, encoding="utf-8")
    out = tmp_path / "report"
    given = [str(tmp_path / "candidate.toml"), "--against", str(tmp_path / "current.toml"), "--on-date", "2026-03-01",
             "--data", str(written(tmp_path)), "--cost-of-funds", "0.1", "--out", str(out)]  # fmt: skip
    call_command("simulate_policy", *given)
    said = capsys.readouterr().out
    assert "limits of 2026-03-01 for both, cost of funds 10.0 % a year" in said
    assert "candidate: approve 2 (25.0 %, 7.15 % to 59.1 %), refer 4, decline 2" in said
    figures = json.loads((out / "simulation.json").read_text())
    assert figures["approved"]["candidate"]["expected_profit"] == 148
    page = (out / "simulation.html").read_text()
    tags = _Counter()
    tags.feed(page)
    assert (tags.seen.count("svg"), tags.seen.count("table")) == (3, 9)
    assert "the candidate policy: below it refer, from it on approve" in page
    assert "NaN" not in page
    with pytest.raises(CommandError, match="exists already"):
        call_command("simulate_policy", *given)


def test_the_command_refuses_without_writing(tmp_path):
    (tmp_path / "broken.toml").write_text("format = 2", encoding="utf-8")
    with pytest.raises(CommandError, match="cannot be published"):
        call_command("simulate_policy", str(tmp_path / "broken.toml"), "--data", "x.csv", "--out", str(tmp_path / "o"))
    assert not (tmp_path / "o").exists()
