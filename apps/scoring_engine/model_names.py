"""What a person may call a model on the command line: a file, a version, the start of a digest, or a segment."""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db.models import Q

from apps.scoring_engine.ml.risk_model import MOST_BYTES, ModelFileError, expert_card, read_model_bytes
from apps.scoring_engine.ml.scorer import Scorer
from apps.scoring_engine.ml.vocabulary import SEGMENTS, shown
from apps.scoring_engine.models import ModelVersion
from apps.scoring_engine.registry import champion, scorer_of

SUFFIX = ".joblib"
MOST_NAMED = 5
_DIGEST = re.compile(r"[0-9a-f]{8,64}", re.ASCII)
VERSION, DIGEST = "the version of a registered model", "at least 8 characters of its digest"
REGISTERED = f"{VERSION}, or {DIGEST}"
ALLOWED = f"the path of a {SUFFIX} file, {VERSION}, {DIGEST}, or a segment ({', '.join(SEGMENTS)})"


class ModelNameError(ValueError):
    """Why no model is found by a name, as one sentence."""


@dataclass(frozen=True, slots=True)
class FoundModel:
    """manifest: {} where there is none; name: as messages call it; warning: one sentence, or ""."""

    scorer: Scorer
    manifest: dict[str, Any]
    name: str
    warning: str = ""


def find_model(name: str) -> FoundModel:
    """The model that `name` means: ALLOWED has the ways to name one. Raises ModelNameError."""
    if name.endswith(SUFFIX):
        return _from_file(Path(name))
    if name in SEGMENTS:
        return _champion_of(name)
    expert = next((card for card in map(expert_card, SEGMENTS) if card.version == name), None)
    return FoundModel(expert, {}, name) if expert else _registered(name)


def _from_file(path: Path) -> FoundModel:
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise ModelFileError(f"it is larger than {MOST_BYTES // 2**20} MiB")
        return FoundModel(read_model_bytes(content), _manifest_beside(path), str(path))
    except OSError as error:
        raise ModelNameError(f"{path} cannot be opened ({error.strerror}).") from None
    except ModelFileError as error:
        raise ModelNameError(f"{path} cannot be used: {error}.") from None


def _manifest_beside(path: Path) -> dict[str, Any]:
    beside = path.with_suffix(".manifest.json")
    if not beside.exists():
        return {}
    try:
        manifest = json.loads(beside.read_bytes())
    except (ValueError, RecursionError):
        raise ModelFileError(f"{beside.name} beside it is no JSON") from None
    if type(manifest) is not dict:
        raise ModelFileError(f"{beside.name} beside it is no manifest")
    return manifest


def _champion_of(segment: str) -> FoundModel:
    serving = champion(segment)
    model = ModelVersion.objects.filter(card_id=serving.scorer.digest).first()
    return FoundModel(serving.scorer, model.manifest if model else {}, serving.scorer.version, serving.reason)


def find_registered(name: str, allowed: str = REGISTERED) -> ModelVersion:
    """The registered model of this version, or with a digest that begins so; its file is not read."""
    models = _called(name)
    if not models:
        raise ModelNameError(f"{shown(name)} is no model here: give {allowed}.")
    if len(models) > 1:
        versions = ", ".join(model.version for model in models[:MOST_NAMED])
        raise ModelNameError(f"{shown(name)} is the start of more than one digest: {versions}; give more of it.")
    return models[0]


def _registered(name: str) -> FoundModel:
    model = find_registered(name, ALLOWED)
    try:
        return FoundModel(scorer_of(model), model.manifest, model.version)
    except ModelFileError as error:
        raise ModelNameError(f"{model.version} cannot be used: {error}.") from None


def _called(name: str) -> list[ModelVersion]:
    """The model of this version; without one, those whose file or document has a digest that begins so."""
    if not name.isprintable():  # PostgreSQL takes no text with a NUL
        return []
    models = list(ModelVersion.objects.filter(version=name))
    if models or not _DIGEST.fullmatch(name.lower()):
        return models
    starts = Q(file__digest__startswith=name.lower()) | Q(card__digest__startswith=name.lower())
    return list(ModelVersion.objects.filter(starts).order_by("version"))
