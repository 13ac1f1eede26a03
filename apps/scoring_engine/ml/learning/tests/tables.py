"""Small made-up loan tables with a known truth, and recipes for them."""

from pathlib import Path

import numpy as np
import pandas as pd

RECIPE = """
format = 1
segment = "individual"
version = "small-1.0.0"
title = "A made-up table"
purpose = "own"
definition_of_bad = "bad in the table"
origin = "numbers drawn for a test"
population = "nobody"
seed = 7
most_bins = 6
smallest_bin_share = 0.02
{split}
[horizon]
kind = "fixed"
months = 12

[target]
column = "outcome"
equals = ["bad"]
{extra}
[[inputs]]
name = "yearly_income"
required = true
column = "income"

[[inputs]]
name = "requested_amount"
kind = "money"
unit = "currency"
required = true
column = "amount"

[[inputs]]
name = "inquiries_6m"
kind = "integer"
unit = "count"
column = "inquiries"
direction = "higher_is_riskier"
label = "Inquiries"

[[inputs]]
name = "revolving_utilisation"
kind = "number"
unit = "ratio"
column = "utilisation"
divide_by = 100
direction = "{utilisation}"
shown_as = "percent"

[[inputs]]
name = "purpose"
kind = "category"
column = "purpose"
values = {{ auto = "car" }}
direction = "free"

[[features]]
name = "amount_to_income"
kind = "ratio"
of = ["requested_amount", "yearly_income"]
least = 0
most = 10
direction = "higher_is_riskier"
label = "Amount to income"
shown_as = "percent"
code = "AMOUNT"
"""
DATED = '[time]\ncolumn = "issued"\ncut = 2015-01-01\n'
FICO_INPUT = """
[[inputs]]
name = "credit_history_score"
kind = "number"
unit = "score"
column = "fico"
scale = "fico_300_850"
empty_is = "unavailable"
direction = "higher_is_safer"
label = "Bureau score"
code = "BUREAU"
stage = "after"
validate_from = 2014-01-01
"""


def recipe_text(*, utilisation: str = "higher_is_riskier", holdout: float = 0.0, fico: bool = False) -> str:
    split = f"holdout = {holdout}\n" if holdout else DATED
    extra = FICO_INPUT if fico else ""
    return RECIPE.format(split=split, extra=extra, utilisation=utilisation)


def loans(rows: int = 4000, *, bad_rate: float = 0.15, seed: int = 3) -> pd.DataFrame:
    """Risk rises with amount to income, inquiries and utilisation, and differs by purpose."""
    rng = np.random.default_rng(seed)
    income = np.rint(np.exp(rng.normal(10, 0.5, rows)))
    amount = np.rint(income * rng.uniform(0.02, 0.6, rows)) + 1
    inquiries, utilisation = rng.poisson(1.0, rows), np.round(rng.uniform(0, 100, rows), 1)
    purpose = rng.choice(["auto", "medical", "other", "wedding"], rows)
    fico = np.rint(rng.normal(700, 40, rows).clip(500, 850))
    risk = 3 * amount / income + 0.4 * inquiries + utilisation / 60 + (purpose == "medical")
    risk = risk - (fico - 700) / 60 + rng.logistic(0, 1, rows)
    bad = risk > np.quantile(risk, 1 - bad_rate)
    days = pd.to_datetime("2011-01-01") + pd.to_timedelta(rng.integers(0, 6 * 365, rows), unit="D")
    return pd.DataFrame({
        "income": income, "amount": amount, "inquiries": inquiries, "utilisation": utilisation,
        "purpose": purpose, "fico": np.where(rng.random(rows) < 0.6, fico, np.nan), "issued": days.strftime("%Y-%m-%d"),
        "outcome": np.where(bad, "bad", "good"),
    })  # fmt: skip


def written(folder: Path, table: pd.DataFrame, text: str) -> tuple[Path, Path]:
    """(recipe, data) as files in the folder; the table as CSV."""
    recipe, data = folder / "recipe.toml", folder / "loans.csv"
    recipe.write_text(text)
    table.to_csv(data, index=False)
    return recipe, data
