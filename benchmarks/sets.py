"""The sets of the training benchmark: where the rows are, and which are learnt from and which tested."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

from apps.scoring_engine.ml.learning.recipe import Recipe, load_recipe
from apps.scoring_engine.ml.learning.rows import Rows
from apps.scoring_engine.ml.learning.sampling import draw_sample
from apps.scoring_engine.ml.learning.table import read_tables
from apps.scoring_engine.ml.learning.training import rows_of

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("CREDIT_ML_DATA", ROOT.parent / "shared" / "data"))
OUT_OF_TIME = 0


@dataclass(frozen=True, slots=True)
class Source:
    """A file of rows, its number of folds (OUT_OF_TIME: the cut of the recipe), extra tables, where its recipe is."""

    file: str
    folds: int
    extras: dict[str, str] = field(default_factory=dict)
    recipes: Path = ROOT / "benchmarks" / "recipes"


POLISH = "polish_bankruptcy/polish_1_3_5year.parquet"
LENDING_CLUB = "lending_club_2007_2011/lending_club_2007_2011.parquet"
AMERICAN = "american_bankruptcy/american_bankruptcy_98pct.parquet"
FICO = "lending_club_fico_dated_joined/lending_club_2007_2010_with_fico.parquet"
SETS = {
    "german": Source("german_credit/germancredit.parquet", 5),
    "spanish": Source("spanish_credit_scoring/CreditScoring.parquet", 5),
    "polish_5year": Source(POLISH, 3),
    "polish_1year": Source(POLISH, 3),
    "polish_3year": Source(POLISH, 3),
    "lending_club": Source(LENDING_CLUB, OUT_OF_TIME),
    "taiwan": Source("taiwan_credit_card_default/UCI_Credit_Card.parquet", 3),
    "american": Source(AMERICAN, OUT_OF_TIME),
    "sba": Source("sba_national_part/SBAnational_part.parquet", 5),
}
# The shipped cards, by their own recipes; what they learn after the rest (FICO) is not known out of time.
SHIPPED_RECIPES = ROOT / "apps" / "scoring_engine" / "ml" / "recipes"
SHIPPED = {
    "individual": Source(LENDING_CLUB, OUT_OF_TIME, {"fico": FICO}, SHIPPED_RECIPES),
    "company": Source(AMERICAN, OUT_OF_TIME, {}, SHIPPED_RECIPES),
}
ALL = SETS | SHIPPED
Fold = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True, slots=True)
class Case:
    """All rows of a set, and (rows to learn from, rows to test on) of each fold; out of time there is one."""

    name: str
    recipe: Recipe
    rows: Rows
    folds: list[Fold]

    @property
    def grouped(self) -> bool:
        return bool(self.recipe.group)


def path_of(name: str) -> Path:
    return DATA / ALL[name].file


def load(name: str) -> Case:
    """The hold-out share of a recipe plays no part here: every row of a set without dates is tested once."""
    source = ALL[name]
    recipe = load_recipe(source.recipes / f"{name}.toml")
    extras = {extra: DATA / file for extra, file in source.extras.items()}
    sample = draw_sample(recipe, read_tables(recipe, path_of(name), extras))
    rows = rows_of(recipe, sample)
    if source.folds == OUT_OF_TIME:
        folds = [(np.flatnonzero(~sample.test), np.flatnonzero(sample.test))]
    else:
        folds = folds_of(rows, np.arange(len(rows)), source.folds, recipe.seed)
    return Case(name, recipe, rows, folds)


def folds_of(rows: Rows, places: Sequence[int], count: int, seed: int) -> list[Fold]:
    """Stratified folds of some rows, groups kept together; as places among those rows."""
    is_bad, group = rows.is_bad[places], rows.group[places]
    grouped = len(np.unique(group)) < len(group)
    kind = StratifiedGroupKFold if grouped else StratifiedKFold
    split = kind(count, shuffle=True, random_state=seed)
    return list(split.split(np.zeros(len(is_bad)), is_bad, group if grouped else None))
