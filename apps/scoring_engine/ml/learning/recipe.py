"""A recipe: everything that training needs to know of a table, as data (TOML), read strictly."""

import datetime as dt
import hashlib
import tomllib
from collections.abc import Mapping
from copy import deepcopy
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from types import NoneType
from typing import Any, TypeVar, get_args, get_origin

from .errors import RecipeError
from .naming import completed_feature, completed_input
from .recipe_parts import (
    CharacteristicRule,
    Exclusion,
    Extra,
    FeatureRule,
    Gates,
    InputRule,
    LastRow,
    NotUsed,
    RejectInference,
    Sensitivity,
    Target,
    Time,
    Weight,
)
from .recipe_rules import check_recipe

__all__ = [
    "CharacteristicRule", "Exclusion", "Extra", "FeatureRule", "Gates", "InputRule", "LastRow", "NotUsed", "Recipe",
    "RejectInference", "Sensitivity", "Target", "Time", "Weight", "load_recipe",
]  # fmt: skip
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Recipe:
    """A whole recipe; `source` is the file, `digest` its SHA-256, `raw` its settings as they were read."""

    format: int
    segment: str
    version: str
    title: str
    purpose: str
    definition_of_bad: str
    origin: str
    population: str
    seed: int
    horizon: dict[str, Any]
    target: Target
    inputs: tuple[InputRule, ...]
    owner: str = ""
    use: str = ""
    materiality: str = ""
    materiality_why: str = ""
    most_bins: int = 20
    smallest_bin_share: float = 0.005
    pairs: int | tuple[Any, ...] = 12
    reference: str = "all_applicants"
    cut_off: int | None = None
    features: tuple[FeatureRule, ...] = ()
    extras: tuple[Extra, ...] = ()
    exclusions: tuple[Exclusion, ...] = ()
    not_used: tuple[NotUsed, ...] = ()
    sensitivities: tuple[Sensitivity, ...] = ()
    not_good_for: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    fairness: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    time: Time | None = None
    holdout: float = 0.0
    weight: Weight | None = None
    gates: Gates = field(default_factory=Gates)
    reject_inference: RejectInference | None = None
    group: str = ""
    id: str = ""
    duplicates: str = "refuse"
    encoding: str = ""
    decimal: str = "."
    date_format: str = ""
    name: str = ""
    digest: str = ""
    raw: dict[str, Any] = field(default_factory=dict)
    source: bytes = b""

    @property
    def characteristics(self) -> tuple[CharacteristicRule, ...]:
        """Every input, then every feature, that has a direction."""
        return tuple(
            CharacteristicRule(r.name, r.label, r.shown_as, r.direction, r.code, r.stage, r.validate_from)
            for r in (*self.inputs, *self.features) if r.direction
        )  # fmt: skip

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
        return _recipe(raw, self.name, self.source)


_LISTS = {
    "inputs": InputRule, "features": FeatureRule, "extras": Extra, "exclusions": Exclusion, "not_used": NotUsed,
    "sensitivities": Sensitivity,
}  # fmt: skip
_TABLES = {"time": Time, "weight": Weight, "gates": Gates, "reject_inference": RejectInference}
_OURS = ("name", "source", "digest", "raw")


def load_recipe(path: Path) -> Recipe:
    """Raises RecipeError with one sentence for anything that is not a recipe of format 1."""
    try:
        data = path.read_bytes()
        raw = tomllib.loads(data.decode("utf-8-sig"))
    except OSError as error:
        raise RecipeError(f"The recipe {path.name} cannot be read: {error.strerror}.") from None
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise RecipeError(f"The recipe {path.name} is not valid TOML: {error}.") from None
    return _recipe(raw, path.name, data)


def _recipe(raw: dict[str, Any], name: str, source: bytes) -> Recipe:
    _refuse_old_form(raw, name)
    parsed = dict(raw)
    for key, kind in _LISTS.items():
        parts = parsed.get(key, [])
        if not isinstance(parts, list):
            raise RecipeError(f"The recipe {name}: {key} must be a list of tables.")
        parsed[key] = tuple(_built(kind, part, f"{name}, {_place(key, i, part)}") for i, part in enumerate(parts))
    parsed["target"] = _target(raw.get("target"), f"{name}, target")
    for key, kind in _TABLES.items():
        if key in raw:
            parsed[key] = _built(kind, raw[key], f"{name}, {key}")
    parsed["inputs"] = tuple(completed_input(rule, raw.get("segment"), name) for rule in parsed["inputs"])
    parsed["features"] = tuple(map(completed_feature, parsed["features"]))
    recipe = _built(Recipe, parsed, name, ready=(*_LISTS, *_TABLES, "target"))
    ours = (name, source, hashlib.sha256(source).hexdigest(), raw)
    for key, value in zip(_OURS, ours, strict=True):
        object.__setattr__(recipe, key, value)
    check_recipe(recipe)
    return recipe


def _refuse_old_form(raw: dict[str, Any], name: str) -> None:
    if "characteristics" in raw:
        raise RecipeError(f"The recipe {name}: [[characteristics]] is gone; give its direction, label and code to the"
                          " input or feature itself.")  # fmt: skip
    if own := [key for key in _OURS if key in raw]:
        raise RecipeError(f"The recipe {name}: unknown setting {own[0]!r}.")


def _place(key: str, number: int, part: object) -> str:
    """Where in the recipe: by name where the part has one, for people do not count tables."""
    found = next((part[k] for k in ("name", "column") if part.get(k)), None) if isinstance(part, dict) else None
    return f"{key}[{number}]" + (f" ({found})" if isinstance(found, str) else "")


def _target(raw: object, where: str) -> Target:
    if raw is None:
        raise RecipeError(f"The recipe {where} is absent: say which column tells bad from good.")
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
    return kind(**{key: _hashable(value) for key, value in raw.items()})


def _hashable(value: object) -> object:
    return tuple(map(_hashable, value)) if isinstance(value, list) else value


def _check_type(annotation: Any, value: object, where: str) -> None:
    choices = [kind for kind in (get_args(annotation) or (annotation,)) if kind is not NoneType]
    if get_origin(annotation) in (tuple, dict):
        choices = [annotation]
    if not any(_is(choice, value) for choice in choices):
        names = " or ".join(_NAMES.get(get_origin(choice) or choice, str(choice)) for choice in choices)
        raise RecipeError(f"The recipe {where} must be {names}.")


_NAMES = {
    str: "a text", int: "a whole number", float: "a number", bool: "true or false", tuple: "a list",
    dict: "a table", dt.date: "a day such as 2011-12-31",
}  # fmt: skip


def _is(kind: Any, value: object) -> bool:
    origin, parts = get_origin(kind), [part for part in get_args(kind) if part not in (Ellipsis, Any)]
    if origin is tuple:
        return isinstance(value, list) and all(_is(part, each) for each in value for part in parts)
    if origin is dict:
        return isinstance(value, dict) and all(_is(part, each) for each in value.values() for part in parts[1:])
    if kind is float:
        return type(value) in (int, float) and value == value and abs(value) != float("inf")
    return type(value) is kind
