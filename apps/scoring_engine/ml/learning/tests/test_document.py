"""The model card in markdown: every part of it from recipe, figures and card, and what is not written is marked."""

from types import SimpleNamespace

import pytest

from apps.scoring_engine.ml.learning.card_tables import card_tables
from apps.scoring_engine.ml.learning.document import TO_WRITE, feature_table, model_card
from apps.scoring_engine.ml.learning.recipe import load_recipe
from apps.scoring_engine.ml.tests.examples import small_card, wide_card

RECIPE = """
format = 1
segment = "individual"
version = "test-1.0.0"
title = "A made-up table"
purpose = "own"
definition_of_bad = "Written off within the term."
origin = "numbers drawn for a test"
population = ""
seed = 7
holdout = 0.25
{more}
[horizon]
kind = "fixed"
months = 12

[target]
column = "outcome"
equals = ["bad"]

[[not_used]]
columns = ["a|b", "colour"]
reason = "known after the outcome only"

[[inputs]]
name = "requested_amount"
column = "amount"

[[inputs]]
name = "yearly_income"
column = "income"
times = 12

[[inputs]]
column = "housing"
kind = "category"
direction = "free"
note = "as the applicant says"

[[inputs]]
column = "savings"
kind = "money"
direction = "higher_is_safer"

[[inputs]]
column = "load"
kind = "number"
direction = "free"

[[features]]
name = "amount_to_income"
kind = "ratio"
of = ["requested_amount", "yearly_income"]
least = 0
most = 5
direction = "higher_is_riskier"
shown_as = "percent"
"""
MANIFEST = {
    "data": [{"file": "loans.csv", "rows": 1234, "sha256": "aa"}],
    "recipe": {"file": "recipe.toml", "sha256": "bb"},
    "seed": 7,
    "threads": 2,
    "python": "3.11",
    "libraries": {"numpy": "2.0"},
    "file": "individual_model.joblib",
    "sha256": "cc",
}
REPORT = {
    "holdout": {"auc": 0.78, "auc_interval": [0.75, 0.81], "brier": 0.1, "bad_rate": 0.2, "rows": 12345, "bads": 2469},
    "training": {"auc": 0.8, "brier": 0.09, "bad_rate": 0.2, "rows": 40000, "bads": 8000},
    "excluded": [{"reason": "no outcome yet", "rows": 1200}, {"reason": "under age", "rows": 0}],
    "flat": ["load"],
    "after": [],
    "sensitivities": [],
}
WORDS = """
owner = "Retail risk"
use = "New loans without security"
materiality = "medium"
materiality_why = "a tenth of all lending."
not_good_for = ["mortgages"]
notes = ["one year of data only"]
"""


@pytest.fixture
def page(tmp_path):
    def made(more="", report=None, card=None) -> str:
        trained = trained_of(tmp_path, more, report)
        return model_card(trained, card or wide_card(), MANIFEST)

    return made


def trained_of(folder, more="", report=None):
    path = folder / "recipe.toml"
    path.write_text(RECIPE.format(more=more))
    return SimpleNamespace(recipe=load_recipe(path), report=REPORT | (report or {}), card=wide_card())


def section(page: str, title: str) -> str:
    return page.split(f"## {title}\n\n", 1)[1].split("\n\n## ", 1)[0].strip()


def test_what_the_owner_has_written_stands_in_its_section(page):
    text = page(WORDS)
    assert section(text, "Owner") == "Retail risk."
    assert section(text, "What it is for") == "New loans without security."
    assert section(text, "Materiality") == "Medium: a tenth of all lending."
    assert section(text, "What it is not good for") == "- mortgages"
    assert section(text, "What to know") == "- one year of data only"


def test_what_nobody_has_written_is_marked(page):
    text = page()
    for title in ("Owner", "What it is for", "Materiality", "Who is in the data", "What it is not good for"):
        assert section(text, title) == TO_WRITE
    assert section(page('materiality = "high"'), "Materiality") == f"High. {TO_WRITE}"
    assert "## What to know" not in text
    assert "- **Bad means:** Written off within the term.\n" in text


def test_figures_with_their_intervals(page):
    assert section(page(), "Figures").splitlines() == [
        "|  | hold-out | training rows |",
        "|---|---|---|",
        "| AUC | 0.78 (95 %: 0.75 to 0.81) | 0.8 |",
        "| Brier score | 0.1 | 0.09 |",
        "| bad rate | 0.2 | 0.2 |",
        "| rows | 12,345 | 40,000 |",
        "| bads | 2,469 | 8,000 |",
    ]


def test_other_settings_stand_beside_and_are_said_not_to_ship(page):
    other = {"name": "fewer bins", "holdout": {"auc": 0.77, "rows": 12345}}
    text = section(page(report={"sensitivities": [other]}), "Figures")
    assert text.startswith("|  | hold-out | training rows | fewer bins |")
    assert "| Brier score | 0.1 | 0.09 | not known |" in text
    assert text.endswith("they do not ship.")


def test_gates(page):
    assert "## Acceptance gates" not in page()
    gates = [
        {"gate": "auc_at_least", "required": 0.75, "found": 0.78, "passed": True},
        {"gate": "calibration_slope", "required": [0.9, 1.1], "found": 1.2, "passed": False},
    ]
    assert section(page(report={"gates": gates}), "Acceptance gates").splitlines() == [
        "Set in the recipe, checked on the test rows. Not passed: calibration_slope.",
        "",
        "| gate | required | found |  |",
        "|---|---|---|---|",
        "| auc_at_least | 0.75 | 0.78 | passed |",
        "| calibration_slope | 0.9 to 1.1 | 1.2 | **not passed** |",
    ]
    assert "All are passed." in page(report={"gates": gates[:1]})


def test_reject_inference_is_called_an_assumption(page):
    assert "Reject inference" not in page()
    found = {
        "prudence": 1.5, "rejected": 4321, "auc_without": 0.78, "auc_with": 0.779, "mean_score_shift": -3.25,
        "note": "Rejected rows carry the weight of their band.",
    }  # fmt: skip
    assert section(page(report={"reject_inference": found}), "Reject inference: an assumption") == (
        "Nobody knows what the 4,321 rejected applicants would have done. The card was learnt with an assumption about"
        " them: that they are 1.5 times worse than accepted applicants of the same score band. It is not evidence, and"
        " no figure on this page counts them. Its effect: AUC on the test rows 0.78 without it, 0.779 with it; the mean"
        " score moves by -3.25 points. Rejected rows carry the weight of their band."
    )


def test_facts_behind_characteristics_and_pairs_own_ones_marked(page, tmp_path):
    assert [(r["feature"], r["fact"], r["column"]) for r in feature_table(trained_of(tmp_path))] == [
        ("housing", "housing", "housing"),
        ("savings", "savings", "savings"),  # in a pair only
        ("amount_to_income", "requested_amount", "amount"),
        ("amount_to_income", "yearly_income", "income x 12"),
    ]
    rows = section(page(), "Feature <- fact <- data column").splitlines()
    assert rows[2] == "| housing | category | housing (own) | category | housing | as the applicant says |"
    assert rows[4] == "| amount_to_income | percent | requested_amount | currency | amount |  |"
    assert rows[-1].startswith("Own: a fact that the card declares itself")


def test_what_stays_out(page):
    assert section(page(), "What stays out").splitlines() == [
        "| columns | why |",
        "|---|---|",
        "| a\\|b, colour | known after the outcome only |",
        "",
        "- 1,200 rows left out: no outcome yet",
        "",
        "In the recipe but not on the card, since they added nothing: load.",
    ]


def test_the_tables_of_a_card():
    text = card_tables(wide_card())
    assert text.startswith(
        "The card has 17 bins in 6 characteristics and 16 cells in 3 pairs. Base points: 400. Each table adds:\n"
    )
    assert (
        "**Time at the address** (`months_at_address`, higher is safer, typical 30 months, reference points 5)\n\n"
        "| value | points |\n|---|---|\n| under 1 month | -9 |\n| from 1 to under 12 months | +5 |\n"
        "| 12 months or more | +8 |\n| missing | -9 |\n| source down | +5 |\n| special code: 9999 | -2 |\n"
    ) in text
    assert (
        "**Has car and Housing together** (`has_car x housing`, Has car: free, Housing: free, reference points 3)\n\n"
        "| Has car \\ Housing | own | rent |\n|---|---|---|\n| yes | +3 | -1 |\n| no | +0 | +1 |\n\n"
        "A value that is missing or was not seen in training: -2. A source that was down: +3.\n"
    ) in text
    assert text.split("### Special codes\n\n")[1].splitlines() == [
        "| fact | code | meaning |",
        "|---|---|---|",
        "| `credit_history_score` | 850 | the bureau's code for a frozen file |",
        "| `credit_history_score` | another scale | the score is on another scale |",
        "| `months_at_address` | 9999 | abroad until now |",
        "| `savings` | -9000000 | not asked |",
    ]


def test_a_card_without_pairs_says_so():
    assert card_tables(small_card()).startswith("The card has 12 bins in 4 characteristics and no pairs.")


def test_how_it_was_made(page):
    assert section(page(), "How it was made").splitlines() == [
        "- data `loans.csv`: 1,234 rows, SHA-256 `aa`",
        "- recipe `recipe.toml`: SHA-256 `bb`",
        "- seed 7, threads 2, Python 3.11, numpy 2.0",
        "- model file `individual_model.joblib`: SHA-256 `cc`",
    ]
