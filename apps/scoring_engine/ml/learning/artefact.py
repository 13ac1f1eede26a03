"""Writing what training made: model file, manifest and model card, all three or none."""

import hashlib
import json
import pickletools
import sys
from importlib.metadata import version
from io import BytesIO
from pathlib import Path
from typing import Any

import joblib

from ..scorecard import CardError, Scorecard
from .boosting import MOST_THREADS
from .document import feature_table, model_card
from .errors import TrainingError
from .training import Trained
from .writing import plain
from .writing_files import write_together

COUNTS = ("training_bins", "training_scores")  # of the rows learnt from, for the stability of later ones
PICKLE_PROTOCOL = 4  # stated, since the default changes with Python and the bytes with it
LIBRARIES = ("joblib", "lightgbm", "numpy", "pandas", "pyarrow", "scikit-learn", "scipy")
# What a pickle of dicts, lists, texts, numbers, booleans and None is made of, and nothing else.
PLAIN_OPCODES = frozenset({
    "PROTO", "FRAME", "STOP", "EMPTY_DICT", "EMPTY_LIST", "MARK", "SETITEM", "SETITEMS", "APPEND", "APPENDS",
    "MEMOIZE", "BINPUT", "LONG_BINPUT", "BINGET", "LONG_BINGET", "SHORT_BINUNICODE", "BINUNICODE", "BININT",
    "BININT1", "BININT2", "LONG1", "BINFLOAT", "NEWTRUE", "NEWFALSE", "NONE",
})  # fmt: skip


class ArtefactError(TrainingError):
    """What was trained cannot be written as a model."""


def write_model(trained: Trained, out: Path) -> dict[str, Path]:
    """Writes <segment>_model.joblib, .manifest.json, .md and .recipe.toml to a folder; raises ArtefactError.

    The same data, recipe and library versions give the same bytes.
    """
    card = plain({**trained.card, "provenance": _provenance(trained)})
    try:
        Scorecard.from_dict(card)
    except CardError as error:
        raise ArtefactError(f"The recipe {trained.recipe.name} makes a card that is refused: {error}.") from None
    return write_together(_files(trained, card, f"{trained.recipe.segment}_model"), out)


def check_plain(data: bytes) -> None:
    """Raises ArtefactError when a pickle holds anything but plain data: no globals, no objects."""
    odd = {opcode.name for opcode, _, _ in pickletools.genops(data)} - PLAIN_OPCODES
    if odd:
        raise ArtefactError(f"The model file would hold more than plain data: {', '.join(sorted(odd))}.")


def _files(trained: Trained, card: dict[str, Any], stem: str) -> dict[str, bytes]:
    model = BytesIO()
    joblib.dump(card, model, compress=0, protocol=PICKLE_PROTOCOL)
    data = model.getvalue()
    check_plain(data)
    manifest = _manifest(trained, card, f"{stem}.joblib", hashlib.sha256(data).hexdigest())
    text = json.dumps(manifest, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    return {
        f"{stem}.joblib": data,
        f"{stem}.manifest.json": text.encode(),
        f"{stem}.md": model_card(trained, card, manifest).encode(),
        f"{stem}.recipe.toml": trained.recipe.source,
    }


def _provenance(trained: Trained) -> dict[str, Any]:
    recipe, report = trained.recipe, trained.report
    return {
        "title": recipe.title,
        "origin": recipe.origin,
        "population": recipe.population,
        "owner": recipe.owner,
        "use": recipe.use,
        "materiality": recipe.materiality,
        "materiality_why": recipe.materiality_why,
        "data": [source.as_dict() for source in trained.table.sources],
        "recipe": {"file": recipe.name, "sha256": recipe.digest},
        "seed": recipe.seed,
        "threads": MOST_THREADS,
        "libraries": {name: version(name) for name in LIBRARIES},
        "python": f"{sys.version_info.major}.{sys.version_info.minor}",
        "figures": {name: report[name] for name in ("out_of_time", "holdout", "training") if name in report},
        "columns": feature_table(trained),
    }


def _manifest(trained: Trained, card: dict[str, Any], file: str, sha256: str) -> dict[str, Any]:
    return {
        "model": card["version"],
        "segment": card["segment"],
        "purpose": card["purpose"],
        "file": file,
        "sha256": sha256,
        "horizon": card["horizon"],
        "definition_of_bad": card["definition_of_bad"],
        **card["provenance"],
        "figures": {name: found for name, found in trained.report.items() if name not in COUNTS},
        **{name: trained.report[name] for name in COUNTS},
    }
