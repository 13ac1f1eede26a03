"""A recipe: everything that training needs to know of a table, as data (TOML), read strictly."""

import datetime as dt
import hashlib
import tomllib
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from ..vocabulary import FACTS
from .errors import RecipeError

DIRECTIONS = ("higher_is_safer", "higher_is_riskier", "free")
FEATURE_KINDS = ("ratio", "difference", "years_between")
_TYPES = {
    "str": str, "int": int, "float": (int, float), "bool": bool, "tuple": list, "dict": dict,
    "date": dt.date,
}  # fmt: skip
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class LastRow:
    """The event happens in the last row of each `of`, and only there; see sampling.py."""

    of: str
    by: str
    panel_end: int
    censored: str = "drop"


@dataclass(frozen=True, slots=True)
class Target:
    """A row is bad when `column` is one of `equals`, or holds the text `contains`."""

    column: str
    equals: tuple = ()
    contains: str = ""
    last_row: LastRow | None = None


@dataclass(frozen=True, slots=True)
class Time:
    """Rows from `cut` on are out of time; rows before `first` are left out."""

    column: str
    cut: dt.date
    first: dt.date = dt.date.min


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Rows with column below or above a number are left out, for a stated reason."""

    column: str
    reason: str
    below: float | None = None
    above: float | None = None


@dataclass(frozen=True, slots=True)
class NotUsed:
    """Columns that stay out of the model, for a stated reason."""

    columns: tuple
    reason: str


@dataclass(frozen=True, slots=True)
class Extra:
    """A second table, joined to the main one where all `keys` are equal."""

    name: str
    keys: tuple
    columns: tuple
    note: str


@dataclass(frozen=True, slots=True)
class InputRule:
    """Where a fact comes from: column (x multiply_by) x times / divide_by, or a map of texts."""

    name: str
    kind: str
    unit: str
    column: str
    note: str = ""
    required: bool = False
    multiply_by: str = ""
    times: float = 1
    divide_by: float = 1
    values: dict = field(default_factory=dict)
    missing: tuple = ()
    special_codes: dict = field(default_factory=dict)
    scale: str = ""

    def source(self) -> str:
        """The expression over columns, for people."""
        text = self.column + (f" x {self.multiply_by}" if self.multiply_by else "")
        text += f" x {self.times:,}" if self.times != 1 else ""
        return text + (f" / {self.divide_by:,}" if self.divide_by != 1 else "")


@dataclass(frozen=True, slots=True)
class FeatureRule:
    """A derived feature, as the card declares it."""

    name: str
    kind: str
    of: tuple
    multiplier: int = 1
    least: float = 0
    most: float = 0

    def as_declared(self) -> dict[str, Any]:
        """The entry of a card's `features`."""
        entry: dict[str, Any] = {"name": self.name, "kind": self.kind, "of": list(self.of)}
        if self.kind == "ratio":
            entry |= {"multiplier": self.multiplier, "least": self.least, "most": self.most}
        return entry


@dataclass(frozen=True, slots=True)
class CharacteristicRule:
    """stage: main, or after (fitted last, with the rest of the card as offset, where it is known)."""

    feature: str
    label: str
    unit: str
    direction: str
    code: str
    stage: str = "main"
    validate_from: dt.date | None = None


@dataclass(frozen=True, slots=True)
class Sensitivity:
    """The same training with some settings of the recipe changed, for the report only."""

    name: str
    changes: dict


@dataclass(frozen=True, slots=True)
class Recipe:
    """A whole recipe; `digest` is the SHA-256 of the file."""

    format: int
    segment: str
    version: str
    title: str
    purpose: str
    definition_of_bad: str
    origin: str
    population: str
    seed: int
    most_bins: int
    smallest_bin_share: float
    horizon: dict
    target: Target
    inputs: tuple[InputRule, ...]
    characteristics: tuple[CharacteristicRule, ...]
    features: tuple[FeatureRule, ...] = ()
    extras: tuple[Extra, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()
    not_used: tuple[NotUsed, ...] = ()
    sensitivities: tuple[Sensitivity, ...] = ()
    not_good_for: tuple = ()
    notes: tuple = ()
    time: Time | None = None
    holdout: float = 0.0
    group: str = ""
    name: str = ""
    digest: str = ""
    raw: dict = field(default_factory=dict)

    def stage(self, stage: str) -> tuple[CharacteristicRule, ...]:
        return tuple(rule for rule in self.characteristics if rule.stage == stage)

    def changed(self, changes: Mapping[str, Any]) -> "Recipe":
        """The recipe with settings replaced by dotted name, such as {"time.first": date}."""
        raw = deepcopy(self.raw)
        for dotted, value in changes.items():
            *path, last = dotted.split(".")
            part = raw
            for name in path:
                part = part.get(name)
                if not isinstance(part, dict):
                    raise RecipeError(f"The recipe {self.name}: there is no setting {dotted!r} to change.")
            part[last] = value
        return _recipe(raw, self.name, self.digest)


_PARTS = {
    "inputs": InputRule, "characteristics": CharacteristicRule, "features": FeatureRule, "extras": Extra,
    "exclusions": Exclusion, "not_used": NotUsed, "sensitivities": Sensitivity,
}  # fmt: skip


def load_recipe(path: Path) -> Recipe:
    """Raises RecipeError with one sentence for anything that is not a recipe of format 1."""
    try:
        data = path.read_bytes()
        raw = tomllib.loads(data.decode())
    except OSError as error:
        raise RecipeError(f"The recipe {path.name} cannot be read: {error.strerror}.") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RecipeError(f"The recipe {path.name} is not valid TOML: {error}.") from None
    return _recipe(raw, path.name, hashlib.sha256(data).hexdigest())


def _recipe(raw: dict[str, Any], name: str, digest: str) -> Recipe:
    parsed = {key: value for key, value in raw.items() if key not in ("name", "digest", "raw")}
    for key, kind in _PARTS.items():
        parts = parsed.get(key, [])
        if not isinstance(parts, list):
            raise RecipeError(f"The recipe {name}: {key} must be a list of tables.")
        parsed[key] = tuple(_built(kind, part, f"{name}, {key}[{i}]") for i, part in enumerate(parts))
    parsed["target"] = _target(raw.get("target"), f"{name}, target")
    if "time" in raw:
        parsed["time"] = _built(Time, raw["time"], f"{name}, time")
    recipe = _built(Recipe, parsed, name, ready=(*_PARTS, "target", "time"))
    object.__setattr__(recipe, "name", name)
    object.__setattr__(recipe, "digest", digest)
    object.__setattr__(recipe, "raw", raw)
    _check(recipe)
    return recipe


def _target(raw: object, where: str) -> Target:
    if isinstance(raw, dict) and "last_row" in raw:
        raw = {**raw, "last_row": _built(LastRow, raw["last_row"], f"{where}.last_row")}
    return _built(Target, raw, where, ready=("last_row",))


def _built(kind: type[T], raw: object, where: str, *, ready: tuple[str, ...] = ()) -> T:
    """A dataclass from a TOML table; unknown, absent and wrongly typed settings are refused."""
    if not isinstance(raw, dict):
        raise RecipeError(f"The recipe {where} must be a table of settings.")
    known = {f.name: f for f in fields(kind)}
    for key, value in raw.items():
        if key not in known:
            raise RecipeError(f"The recipe {where}: unknown setting {key!r}.")
        if key not in ready:
            _check_type(known[key].type, value, f"{where}: {key}")
    for f in known.values():
        if f.name not in raw and f.default is MISSING and f.default_factory is MISSING:
            raise RecipeError(f"The recipe {where}: the setting {f.name!r} is absent.")
    return kind(**{key: tuple(v) if isinstance(v, list) else v for key, v in raw.items()})


def _check_type(annotation: Any, value: object, where: str) -> None:
    name = getattr(annotation, "__name__", str(annotation)) if isinstance(annotation, type) else ""
    if not name:  # "float | None" and "date | None"
        name = str(annotation).split(" |")[0].rsplit(".", 1)[-1]
    allowed = _TYPES.get(name)
    if allowed and (not isinstance(value, allowed) or (isinstance(value, bool) and name != "bool")):
        raise RecipeError(f"The recipe {where} must be of type {name}.")


def _check(recipe: Recipe) -> None:
    if recipe.format != 1 or recipe.segment not in FACTS:
        raise RecipeError(f"The recipe {recipe.name}: format must be 1, segment one of {', '.join(FACTS)}.")
    if (recipe.time is None) == (recipe.holdout == 0.0) or not 0 <= recipe.holdout < 1:
        raise RecipeError(f"The recipe {recipe.name}: give either [time] or holdout between 0 and 1.")
    if recipe.most_bins < 2 or not 0 < recipe.smallest_bin_share < 0.5:
        raise RecipeError(f"The recipe {recipe.name}: most_bins must be 2 or more, smallest_bin_share 0..0.5.")
    last_row = recipe.target.last_row
    if last_row is not None and last_row.censored not in ("drop", "keep"):
        raise RecipeError(f"The recipe {recipe.name}: target.last_row.censored must be drop or keep.")
    _check_inputs(recipe)
    _check_features(recipe)


def _check_inputs(recipe: Recipe) -> None:
    for rule in recipe.inputs:
        fact = FACTS[recipe.segment].get(rule.name)
        where = f"The recipe {recipe.name}, input {rule.name!r}"
        if fact is None:
            raise RecipeError(f"{where} is not a fact of segment {recipe.segment}.")
        if (rule.kind, rule.unit) != (fact.kind, fact.unit):
            raise RecipeError(f"{where} must have kind {fact.kind!r} and unit {fact.unit!r}.")
        for value in rule.values.values():
            if fact.values and value not in fact.values:
                raise RecipeError(f"{where}: {value!r} is not one of its values.")


def _check_features(recipe: Recipe) -> None:
    known = {rule.name for rule in recipe.inputs} | {"as_of"}
    for rule in recipe.features:
        where = f"The recipe {recipe.name}, feature {rule.name!r}"
        if rule.kind not in FEATURE_KINDS or len(rule.of) != 2:
            raise RecipeError(f"{where} must be one of {', '.join(FEATURE_KINDS)}, of two names.")
        if absent := [name for name in rule.of if name not in known]:
            raise RecipeError(f"{where} is made of {absent[0]!r}, which the recipe does not have above it.")
        known.add(rule.name)
    for rule in recipe.characteristics:
        where = f"The recipe {recipe.name}, characteristic {rule.feature!r}"
        if rule.feature not in known or rule.direction not in DIRECTIONS:
            raise RecipeError(f"{where} must be an input or feature, with one of {', '.join(DIRECTIONS)}.")
    if not recipe.stage("main"):
        raise RecipeError(f"The recipe {recipe.name} has no characteristics of the main stage.")
