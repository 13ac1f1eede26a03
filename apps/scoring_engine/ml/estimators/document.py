"""The document of an estimator: what its lender states of it (the manifest), checked, and what its file would load."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..card_inputs import OTHER_SCALE, Input, read_input
from ..cards import PURPOSES, VERSION, Feature, read_features, read_horizon
from ..risk_model import EXPERT
from ..typed_json import CardError, Number, check_keys, check_unique, is_finite, one_of, take, text_of
from ..vocabulary import FACTS, as_input, shown
from .allowed import ADDITIVE, LIGHTGBM
from .types import scan

OWN, COEFFICIENTS, SHAPLEY, IN_ORDER = METHODS = ("lightgbm", "coefficients", "shapley", "in_order")
MOST_SHAPLEY_FEATURES = 12  # of n features 2^n applicants are predicted

KIND = "estimator"
FORMAT = 1
_STATED = (
    "version", "segment", "purpose", "definition_of_bad", "horizon", "bad_class", "inputs", "features", "columns",
    "reference", "provenance",
)  # fmt: skip
_OPTIONAL = ("features", "provenance", "bad_class")
_OF_FILE = (
    "kind", "format", "sha256", "types", "model_class", "sklearn_versions", "points_to_double_odds",
    "contributions",
)  # fmt: skip
_COLUMN_KEYS = ("name", "feature", "codes", "missing", "unseen", "special")
Encoded = Number | str | None


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the model's table. codes: number by category, None where texts go in as they are.

    missing, unseen, special: what the model is given then; None is "not a number", for a column of texts None itself.
    """

    name: str
    feature: str
    codes: dict[str, Number] | None
    missing: Encoded
    unseen: Encoded
    special: dict[str, Encoded]
    is_text: bool


@dataclass(frozen=True, slots=True)
class Stated:
    """What of a document the estimator scores by. reference: values of the reference applicant, by feature."""

    inputs: tuple[Input, ...]
    features: tuple[Feature, ...]
    columns: tuple[Column, ...]
    reference: dict[str, Any]


def describe_estimator(content: bytes, manifest: Mapping[str, Any]) -> dict[str, Any]:
    """The document to register; nothing of the file is loaded. Raises ModelFileError or, for the manifest, CardError.

    An input may be written as its name alone, a column as the name of its feature alone.
    """
    found = scan(content)
    check_keys(dict(manifest), _STATED, _OPTIONAL, "the manifest")
    segment = one_of(dict(manifest), "segment", tuple(FACTS), "the manifest")
    document = {"features": [], "provenance": {}, "bad_class": 1} | dict(manifest)
    document["inputs"] = [_whole_input(part, segment) for part in take(document, "inputs", (list,), "the manifest")]
    columns = take(document, "columns", (list,), "the manifest")
    document["columns"] = [{"feature": part} if type(part) is str else part for part in columns]
    document |= {
        "kind": KIND,
        "format": FORMAT,
        "sha256": hashlib.sha256(content).hexdigest(),
        "types": list(found.types),
        "model_class": ".".join(found.outermost),
        "sklearn_versions": sorted(found.sklearn_versions),
        "points_to_double_odds": 50,
    }
    used = {column.get("feature") for column in document["columns"] if type(column) is dict}
    document["contributions"] = _method_of(document["model_class"], document["types"], len(used))
    read_document(document)
    return document


def _method_of(model_class: str, types: list[str], features: int) -> str:
    if model_class == ".".join(LIGHTGBM):
        return OWN
    if {name for name in types if name.startswith(("sklearn.", "lightgbm."))} <= ADDITIVE:
        return COEFFICIENTS
    return SHAPLEY if features <= MOST_SHAPLEY_FEATURES else IN_ORDER


def _whole_input(part: Any, segment: str) -> Any:
    if type(part) is not str:
        return part
    if part not in FACTS[segment]:
        raise CardError(f"inputs: {shown(part)} is not a fact of the vocabulary; describe a fact of your own whole")
    return as_input(segment, part)


def read_document(document: Any) -> Stated:
    """Raises CardError, naming the field."""
    where = "the manifest"
    check_keys(document, (*_STATED, *_OF_FILE), (), where)
    for key, known in (("kind", KIND), ("format", FORMAT), ("points_to_double_odds", 50)):
        if document[key] != known:
            raise CardError(f"{where}: {key} must be {shown(known)}, not {shown(document[key])}")
    segment = one_of(document, "segment", tuple(FACTS), where)
    _check_texts(document, where)
    inputs = tuple(
        read_input(part, segment, f"inputs[{place}]")
        for place, part in enumerate(take(document, "inputs", (list,), where))
    )
    check_unique([entry.name for entry in inputs], "inputs")
    kinds = {entry.name: entry.kind for entry in inputs}
    features = read_features(document, kinds)
    kinds |= {feature.name: "number" for feature in features}
    columns = _read_columns(document, kinds, inputs)
    reference = _read_reference(document, kinds, columns)
    if document["contributions"] != _method_of(document["model_class"], document["types"], len(reference)):
        raise CardError(f"{where}: contributions must be left to the engine")
    return Stated(inputs, features, columns, reference)


def _check_texts(document: dict[str, Any], where: str) -> None:
    version = text_of(document, "version", where, VERSION)
    if version.startswith(EXPERT):
        raise CardError(f"{where}: only the shipped expert cards have versions that begin with {EXPERT}")
    one_of(document, "purpose", PURPOSES, where)
    text_of(document, "definition_of_bad", where)
    read_horizon(document)
    take(document, "bad_class", (int, str, bool), where)
    take(document, "provenance", (dict,), where)


def _read_columns(document: dict[str, Any], kinds: dict[str, str], inputs: tuple[Input, ...]) -> tuple[Column, ...]:
    parts = take(document, "columns", (list,), "the manifest")
    columns = tuple(_read_column(part, kinds, inputs, f"columns[{place}]") for place, part in enumerate(parts))
    if not columns:
        raise CardError("columns: a model needs at least one")
    check_unique([column.name for column in columns], "columns")
    return columns


def _read_column(part: Any, kinds: dict[str, str], inputs: tuple[Input, ...], where: str) -> Column:
    check_keys(part, _COLUMN_KEYS, ("name", "codes", "missing", "unseen", "special"), where)
    feature = take(part, "feature", (str,), where)
    if feature not in kinds or kinds[feature] == "date":
        raise CardError(f"{where}: feature {shown(feature)} is no number, flag or category of inputs and features")
    codes = part.get("codes")
    is_category = kinds[feature] == "category"
    if codes is not None and (
        not is_category or type(codes) is not dict or not codes or not all(map(is_finite, codes.values()))
    ):
        raise CardError(f"{where}: codes must give a number for each category, and only a category has them")
    is_text = is_category and codes is None
    special = part.get("special", {})
    own = {code for entry in inputs if entry.name == feature for code in entry.special_codes if code != OTHER_SCALE}
    if type(special) is not dict or not set(special) <= own:
        raise CardError(f"{where}: special must give a value for special codes of {feature}: {sorted(own)}")
    for name, value in [("missing", part.get("missing")), ("unseen", part.get("unseen")), *special.items()]:
        if value is not None and not (type(value) is str if is_text else is_finite(value)):
            raise CardError(
                f"{where}: {name} must be {'a text' if is_text else 'a number'} or null, not {shown(value)}"
            )
    name = text_of({"name": feature} | part, "name", where)
    return Column(name, feature, codes, part.get("missing"), part.get("unseen"), special, is_text)


def _read_reference(document: dict[str, Any], kinds: dict[str, str], columns: tuple[Column, ...]) -> dict[str, Any]:
    """Of features, not of inputs: the age of something on the day of scoring is as typical on every day."""
    used = list(dict.fromkeys(column.feature for column in columns))
    reference = take(document, "reference", (dict,), "the manifest")
    check_keys(reference, used, (), "reference")
    for name, value in reference.items():
        kind = {"flag": "flag", "category": "category"}.get(kinds[name], "number")
        sound = {"flag": type(value) is bool, "category": type(value) is str, "number": is_finite(value)}[kind]
        if not sound:
            raise CardError(f"reference: {name} must be a {kind}, not {shown(value)}")
    for column in columns:
        if column.codes is not None and reference[column.feature] not in column.codes:
            raise CardError(f"reference: {column.feature} must be one of the codes of its column")
    return reference
