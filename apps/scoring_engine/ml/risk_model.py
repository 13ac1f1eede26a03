"""The shipped cards, scored by plain functions: no Django, no numpy, nothing but the standard library.

A model file is a pickle of a plain dict. It is unpickled only after its SHA-256 was found in approved.json,
and by a reader that resolves no names, so that nothing in it can run. Whatever is wrong with it, the
expert card scores instead and says why.
"""

import datetime as dt
import hashlib
import io
import json
import pickle
import stat
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

from apps.common.sentences import Sentence

from .cards import CardError
from .grades import GRADES_VERSION
from .scorecard import Scorecard
from .vocabulary import SEGMENTS, FactsError, check_facts, one_line

__all__ = [
    "FactsError",
    "ModelFileError",
    "Serving",
    "Shelf",
    "UnknownModelError",
    "card_in_service",
    "describe_model",
    "expert_card",
    "predict_company_risk",
    "predict_individual_risk",
    "read_model_bytes",
    "shipped_model",
]

EXPERT = "expert/"
MOST_BYTES = 8 * 2**20
BARE_SCALE = "fico_300_850"
LOOK_AGAIN_AFTER = 1.0  # seconds; two looks at the disk cost more than scoring does

# What the pickle reader raises on damaged bytes, besides its own error. ValueError covers bad text too.
UNREADABLE = (
    pickle.UnpicklingError, EOFError, ValueError, TypeError, LookupError, AttributeError, OverflowError,
    MemoryError, RecursionError, ImportError, NotImplementedError,
)  # fmt: skip

Explanation = list[dict[str, Any]]


class UnknownModelError(LookupError):
    """No shipped model has the version asked for."""


class ModelFileError(ValueError):
    """Why a model file is not used, as one clause."""


@dataclass(frozen=True, slots=True)
class Serving:
    """mode: model | fallback; reason: one sentence, of a fallback only; file_digest: SHA-256 of the file."""

    card: Scorecard
    mode: str
    reason: str | None
    file_digest: str | None = None


class _PlainUnpickler(pickle.Unpickler):
    def find_class(self, module_name: str, global_name: str) -> NoReturn:
        raise pickle.UnpicklingError(f"it names {module_name[:60]}.{global_name[:60]}, and only plain data is read")


def read_model_bytes(data: bytes) -> Scorecard:
    """The card in the bytes of a model file; raises ModelFileError. Check their digest first."""
    try:
        plain = _PlainUnpickler(io.BytesIO(data)).load()
    except UNREADABLE as error:
        raise ModelFileError(
            Sentence("it cannot be read ({reason})", reason=one_line(str(error), 150) or type(error).__name__)
        ) from None
    try:
        card = Scorecard.from_dict(plain)
    except CardError as error:
        raise ModelFileError(Sentence("its card is refused ({error})", error=one_line(str(error), 300))) from None
    if card.version.startswith(EXPERT):
        raise ModelFileError(
            Sentence("only the shipped expert cards have versions that begin with {expert}", expert=EXPERT)
        )
    return card


class Shelf:
    """The models of one folder: models/<segment>_model.joblib, approved.json and expert/<segment>.json."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: dict[str, tuple[object, Serving, float, dt.date]] = {}

    def recent_card(self, segment: str) -> tuple[Scorecard, dt.date]:
        """The card in service and today, either of them up to LOOK_AGAIN_AFTER seconds behind."""
        seen = self._seen.get(segment)
        if seen is None or time.monotonic() - seen[2] >= LOOK_AGAIN_AFTER:
            self.card_in_service(segment)
            seen = self._seen[segment]
        return seen[1].card, seen[3]

    def card_in_service(self, segment: str) -> Serving:
        """The approved model, or the expert card with the reason; never an error over a file.

        Files are looked at on every call, but read again only when they changed.
        """
        if segment not in SEGMENTS:
            raise ValueError(f"segment must be one of {', '.join(SEGMENTS)}")
        now = time.monotonic()
        seen = self._seen.get(segment)
        # Marks are taken before reading: a file replaced meanwhile differs from them at the next look.
        marks = (_mark(self._model_path(segment)), _mark(self._folder / "approved.json"))
        serving = seen[1] if seen is not None and seen[0] == marks else self._load(segment)
        self._seen[segment] = (marks, serving, now, dt.date.today())
        return serving

    def expert_card(self, segment: str) -> Scorecard:
        return _expert_card(self._folder / "expert" / f"{segment}.json")

    def describe(self, model_version: str) -> dict[str, Any]:
        """Raises UnknownModelError, naming the versions there are."""
        known: dict[str, Scorecard] = {}
        for segment in SEGMENTS:
            for card in (self.expert_card(segment), self.card_in_service(segment).card):
                known[card.version] = card
        if model_version not in known:
            raise UnknownModelError(f"no shipped model has this version; there are {', '.join(sorted(known))}")
        return _description(known[model_version])

    def _model_path(self, segment: str) -> Path:
        return self._folder / "models" / f"{segment}_model.joblib"

    def read_model(self, segment: str) -> tuple[bytes, Scorecard]:
        """The bytes of the segment's model file, once approved, and their card; raises ModelFileError."""
        data = _read_bytes(self._model_path(segment))
        if hashlib.sha256(data).hexdigest() not in _approved_digests(self._folder / "approved.json", segment):
            raise ModelFileError(Sentence("its SHA-256 is not among the approved ones"))
        card = read_model_bytes(data)
        if card.segment != segment:
            raise ModelFileError(Sentence("its card is for segment {segment}", segment=card.segment))
        return data, card

    def read_manifest(self, segment: str) -> dict[str, Any]:
        path = self._model_path(segment).with_suffix(".manifest.json")
        try:
            return json.loads(path.read_bytes())
        except (OSError, ValueError):
            raise ModelFileError(Sentence("its manifest {file} cannot be read", file=path.name)) from None

    def _load(self, segment: str) -> Serving:
        try:
            data, card = self.read_model(segment)
        except ModelFileError as error:
            reason = f"The expert card is used instead of {self._model_path(segment).name}: {error}."
            return Serving(self.expert_card(segment), "fallback", reason)
        return Serving(card, "model", None, hashlib.sha256(data).hexdigest())


def _mark(path: Path) -> object:
    """Changes whenever the file does; equal for a file that stays as it is, or stays away."""
    try:
        found = path.stat()
    except (OSError, ValueError) as error:
        return type(error)
    return found.st_mtime_ns, found.st_ctime_ns, found.st_size, found.st_ino, found.st_mode


def _read_bytes(path: Path) -> bytes:
    try:
        found = path.stat()
        # A pipe or device would be waited on for ever.
        if not stat.S_ISREG(found.st_mode):
            raise ModelFileError(Sentence("it is not a regular file"))
        with path.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise ModelFileError(Sentence("there is no such file")) from None
    except OSError as error:
        raise ModelFileError(Sentence("it cannot be opened ({reason})", reason=error.strerror)) from None
    if len(data) > MOST_BYTES:
        raise ModelFileError(Sentence("it is larger than {most} MiB", most=MOST_BYTES // 2**20))
    return data


def _approved_digests(path: Path, segment: str) -> list[str]:
    try:
        approved = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        raise ModelFileError(Sentence("the list of approved digests, {file}, cannot be read", file=path.name)) from None
    digests = approved.get(segment) if type(approved) is dict else None
    if type(digests) is not list:
        raise ModelFileError(
            Sentence("{file} has no list of approved digests for segment {segment}", file=path.name, segment=segment)
        )
    return digests


@cache
def _expert_card(path: Path) -> Scorecard:
    return Scorecard.from_dict(json.loads(path.read_bytes()))


def _description(card: Scorecard) -> dict[str, Any]:
    plain = card.to_dict()
    kept = (
        "segment", "version", "purpose", "definition_of_bad", "horizon", "points_to_double_odds",
        "base_points", "reference", "inputs", "features", "characteristics", "pairs", "provenance",
    )  # fmt: skip
    return {name: plain[name] for name in kept} | {
        "mode": "fallback" if card.version.startswith(EXPERT) else "model",
        "reference_score": card.reference_score,
        "least_score": card.reachable[0],
        "most_score": card.reachable[1],
        "digest": card.digest,
        "grades_version": GRADES_VERSION,
    }


_SHELF = Shelf(Path(__file__).parent)


def card_in_service(segment: str) -> Serving:
    """The shipped card that scores this segment now, with its mode."""
    return _SHELF.card_in_service(segment)


def shipped_model(segment: str) -> tuple[bytes, Scorecard, dict[str, Any]]:
    """Bytes, card and manifest of the shipped model of a segment; raises ModelFileError."""
    data, card = _SHELF.read_model(segment)
    return data, card, _SHELF.read_manifest(segment)


def expert_card(segment: str) -> Scorecard:
    """The shipped expert card of a segment, whether or not it is in service."""
    return _SHELF.expert_card(segment)


def describe_model(model_version: str) -> dict[str, Any]:
    """What a shipped card is: segment, purpose, horizon, reference_score, digest, inputs, provenance ...

    Raises UnknownModelError (a LookupError) for a version that is not shipped.
    """
    return _SHELF.describe(model_version)


def predict_individual_risk(features: dict[str, Any], *, as_of: dt.date | None = None) -> tuple[int, Explanation, str]:
    """(score, explanation, model_version) of a person; a credit_history_score without scale is taken as FICO.

    Higher is safer. sum(impact) == score - describe_model(model_version)["reference_score"]. Raises
    FactsError, which names every fact that is refused.
    """
    return _predict("individual", features, as_of, BARE_SCALE)


def predict_company_risk(features: dict[str, Any], *, as_of: dt.date | None = None) -> tuple[int, Explanation, str]:
    """(score, explanation, model_version) of a company; otherwise as predict_individual_risk."""
    return _predict("company", features, as_of, None)


def _predict(
    segment: str, features: dict[str, Any], as_of: dt.date | None, assumed_scale: str | None
) -> tuple[int, Explanation, str]:
    card, today = _SHELF.recent_card(segment)
    as_of = as_of or today
    facts = check_facts(segment, features, as_of=as_of, assumed_scale=assumed_scale, own=card.own)
    assessment = card.score(facts, as_of=as_of)
    return assessment.score, assessment.explanation, card.version
