"""What a validation looks at: a model file, the recipe that reads the data, and the rows, split as in training."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from ..risk_model import ModelFileError, read_model_bytes
from ..scorecard import Scorecard
from .calibration import probability_of
from .card import Table, scores, tables_of
from .derive import derive
from .errors import TableError, TrainingError
from .recipe import Recipe, load_recipe
from .rows import Rows
from .sampling import Sample, draw_sample
from .table import Source, read_tables

SUFFIX = ".joblib"
NEW_DATA = "new_data"


class ModelError(TrainingError):
    """The model to be validated cannot be read, or does not belong to what stands beside it."""


@dataclass(frozen=True, slots=True)
class Model:
    """recipe_given: the recipe was named by hand, so its digest is not the one of the card's provenance."""

    card: dict[str, Any]
    scorecard: Scorecard
    file: str
    sha256: str
    manifest: dict[str, Any]
    recipe: Recipe
    recipe_given: bool

    @property
    def reject_inference(self) -> dict[str, Any] | None:
        """What the manifest says of it; None: the card was learnt without."""
        return self.manifest.get("figures", {}).get("reject_inference")


@dataclass(frozen=True, slots=True)
class Subject:
    """Rows with facts and features, their scores, and which of them the card was not learnt from.

    kind: out_of_time, holdout or new_data (no training rows: all rows are test rows).
    """

    model: Model
    sources: tuple[Source, ...]
    sample: Sample
    rows: Rows
    test: np.ndarray
    kind: str
    score: np.ndarray

    @property
    def card(self) -> dict[str, Any]:
        return self.model.card

    @property
    def recipe(self) -> Recipe:
        return self.model.recipe

    @property
    def has_training(self) -> bool:
        return self.kind != NEW_DATA

    @property
    def probability(self) -> np.ndarray:
        return probability_of(self.score)

    @property
    def tables(self) -> tuple[Table, ...]:
        return tables_of(self.card)

    def rejected(self) -> Rows | None:
        """Rejected applicants that the card was learnt from, with an outcome assumed."""
        if not self.has_training or self.model.reject_inference is None or self.sample.rejected is None:
            return None
        return derive(self.sample.rejected, self.card["features"], self.sample.rejected_when)

    def months(self) -> np.ndarray:
        """The horizon of each row's probability: its own term where the card's horizon is the contract."""
        horizon = self.card["horizon"]
        months = np.full(len(self.rows), float(horizon["months"]))
        if horizon["kind"] == "contract" and "term_months" in self.rows.values:
            known = self.rows.known("term_months")
            months[known] = np.maximum(self.rows.values["term_months"][known], 1)
        return months


def load_model(path: Path, recipe: Path | None = None) -> Model:
    """Raises ModelError with one sentence; `recipe` stands in for the copy beside the model."""
    data = _bytes(path)
    try:
        scorecard = read_model_bytes(data)
    except ModelFileError as error:
        raise ModelError(f"The model {path.name} is not used: {error}.") from None
    sha256 = hashlib.sha256(data).hexdigest()
    manifest = _manifest(path, sha256)
    read = load_recipe(recipe or path.with_name(path.name.removesuffix(SUFFIX) + ".recipe.toml"))
    made_by = scorecard.provenance.get("recipe")
    if recipe is None and (not isinstance(made_by, dict) or made_by.get("sha256") != read.digest):
        raise ModelError(
            f"The recipe {read.name} is not the one that {path.name} was made by: its SHA-256 is not in the"
            " card's provenance. Name a recipe with --recipe to read the data by it all the same."
        )
    if read.segment != scorecard.segment:
        raise ModelError(f"The recipe {read.name} is for segment {read.segment}, the card for {scorecard.segment}.")
    return Model(scorecard.to_dict(), scorecard, path.name, sha256, manifest, read, recipe is not None)


def load_subject(model: Model, data: Path, extras: Mapping[str, Path], groups: Sequence[str] = ()) -> Subject:
    """The rows of the data as the card sees them; raises TrainingError."""
    recipe = _with_groups(model.recipe, groups)
    table = read_tables(recipe, data, extras)
    known = table.sources[0].sha256 in _digests(model.scorecard)
    sample = draw_sample(recipe, table, split=known)
    rows = _rows(model, sample)
    kind = ("out_of_time" if recipe.time else "holdout") if known else NEW_DATA
    test = sample.test if known else np.ones(len(rows), dtype=bool)
    return Subject(replace(model, recipe=recipe), table.sources, sample, rows, test, kind, scores(model.card, rows))


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"The model {path.name} cannot be read: {error.strerror}.") from None


def _manifest(path: Path, sha256: str) -> dict[str, Any]:
    """The manifest beside the model, empty if there is none."""
    beside = path.with_name(path.name.removesuffix(SUFFIX) + ".manifest.json")
    try:
        manifest = json.loads(beside.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError):
        raise ModelError(f"The manifest {beside.name} cannot be read.") from None
    if not isinstance(manifest, dict) or manifest.get("sha256") != sha256:
        raise ModelError(f"The manifest {beside.name} is of another file than {path.name}: the SHA-256 differs.")
    return manifest


def _digests(card: Scorecard) -> set[str]:
    sources = card.provenance.get("data")
    sources = sources if isinstance(sources, list) else []
    return {one.get("sha256") for one in sources if isinstance(one, dict) and one.get("name") == "data"}


def _with_groups(recipe: Recipe, groups: Sequence[str]) -> Recipe:
    """The recipe with more fairness columns; raises ModelError for one that the card's inputs are made of."""
    columns = tuple(dict.fromkeys((*recipe.fairness, *groups)))
    inputs = {column for rule in recipe.inputs for column in (rule.column, rule.multiply_by)}
    if used := [column for column in columns if column in inputs]:
        raise ModelError(
            f"The column {used[0]!r} is an input of the recipe {recipe.name}: groups are compared by columns that are"
            " not inputs."
        )
    return replace(recipe, fairness=columns)


def _rows(model: Model, sample: Sample) -> Rows:
    card = model.card
    if absent := [entry["name"] for entry in card["inputs"] if entry["name"] not in sample.rows.values]:
        raise ModelError(f"The recipe {model.recipe.name} has no input {absent[0]!r}, which the card needs.")
    if sample.when is None and any(feature["kind"] == "years_between" for feature in card["features"]):
        raise TableError("The card has a feature of years until the day of each row: give [time] in the recipe.")
    return derive(sample.rows, card["features"], sample.when)
