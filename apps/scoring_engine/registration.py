"""Registering models: what they are is fixed here; whether they may score is for another person (validation.py)."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from apps.accounts.models import User
from apps.audit.services import record_event
from apps.common.errors import Conflict, InvalidInput
from apps.common.sentences import Sentence
from apps.scoring_engine.ml.cards import CardError, canonical
from apps.scoring_engine.ml.estimators.document import describe_estimator
from apps.scoring_engine.ml.risk_model import MOST_BYTES, ModelFileError, read_model_bytes, shipped_model
from apps.scoring_engine.ml.vocabulary import SEGMENTS, shown
from apps.scoring_engine.models import (
    CHAMPION,
    ESTIMATOR,
    REGISTERED,
    SCORECARD,
    SHIPPED,
    ModelAssignment,
    ModelCard,
    ModelFile,
    ModelVersion,
)
from apps.scoring_engine.promotion import take_over
from apps.scoring_engine.registry import hold_registry
from apps.scoring_engine.transitions import NEW, state_after

WITH_THE_ENGINE = "shipped with the engine"
Document = Mapping[str, Any]


@transaction.atomic
def register_model(*, content: bytes, manifest: Document, actor: User, now: datetime | None = None) -> ModelVersion:
    """A draft of the model in the bytes of a .joblib file. Of an estimator's nothing is loaded: its types are listed.

    `manifest` is what training wrote beside a scorecard, or what the lender wrote of an estimator. Raises InvalidInput
    for what is no model, Conflict for what is registered already.
    """
    document, types = _read(content, manifest)
    _refuse_known(content, document)
    return store_model(
        content=content,
        document=document,
        manifest=manifest,
        origin=REGISTERED,
        kind=ESTIMATOR if types else SCORECARD,
        types=types,
        made_by=actor,
        now=now or timezone.now(),
    )


@transaction.atomic
def register_shipped_models(*, now: datetime) -> list[ModelVersion]:
    """Register those of ml/models that are not yet known, and put them into service where people never decided.

    A shipped model takes the place of an older shipped one, unless somebody put it there. Raises ModelFileError.
    """
    hold_registry()
    return [model for segment in SEGMENTS if (model := _register_shipped(segment, now))]


def _register_shipped(segment: str, now: datetime) -> ModelVersion | None:
    content, card, manifest = shipped_model(segment)
    if ModelVersion.objects.filter(file_id=hashlib.sha256(content).hexdigest()).exists():
        return None
    model = store_model(content=content, document=card.to_dict(), manifest=manifest, origin=SHIPPED, now=now)
    model.state = state_after("validate", model.state)
    model.save(update_fields=["state"])
    latest = ModelAssignment.objects.filter(segment=segment, role=CHAMPION).order_by("-id").first()
    if latest is None or (latest.actor_id is None and not _is_checked(latest.model)):
        take_over(model=model, role=CHAMPION, action="promote", actor=None, reason=WITH_THE_ENGINE, now=now)
    return model


def _is_checked(model: ModelVersion | None) -> bool:
    """Somebody of the lender's validated it: a newer one would be another model than they looked at."""
    return model is not None and model.checked_by_id is not None


@transaction.atomic
def store_model(
    *,
    content: bytes,
    document: Document,
    manifest: Document,
    origin: str,
    now: datetime,
    kind: str = SCORECARD,
    types: Sequence[str] = (),
    made_by: User | None = None,
) -> ModelVersion:
    """The rows of a new draft: its bytes, its document and itself."""
    sha256, text = hashlib.sha256(content).hexdigest(), canonical(document)
    digest = hashlib.sha256(text.encode()).hexdigest()
    ModelFile.objects.create(digest=sha256, content=content, created_at=now)
    named = {"segment": document["segment"], "version": document["version"]}
    ModelCard.objects.get_or_create(digest=digest, defaults=named | {"text": text, "created_at": now})
    model = ModelVersion.objects.create(
        **named,
        kind=kind,
        origin=origin,
        file_id=sha256,
        card_id=digest,
        manifest=manifest,
        types=list(types),
        state=state_after("register", NEW),
        since=now,
        created_at=now,
        made_by=made_by,
    )
    details = {"version": model.version, "sha256": sha256, "origin": origin, "types": model.types}
    record_event(actor=made_by, action="model.register", subject=model, details=details)
    return model


def _read(content: bytes, manifest: Document) -> tuple[Document, Sequence[str]]:
    """The model's document, and the types that reading it loads: none for a scorecard, which is plain data."""
    if not {"model", "version"} & set(manifest):
        why = Sentence(
            "It must name the model: `model` in what training wrote of a scorecard, `version` in that of an estimator."
        )
        raise InvalidInput.of(manifest=why)
    # A lender's manifest of an estimator has no `model`.
    if "model" in manifest:
        try:
            return _scorecard(content, manifest), ()
        except ModelFileError as error:
            raise _refused("file", error) from None
    try:
        document = describe_estimator(content, manifest)
    except ModelFileError as error:
        raise _refused("file", error) from None
    except CardError as error:
        raise _refused("manifest", error) from None
    return document, document["types"]


def _refused(field: str, error: Exception) -> InvalidInput:
    return InvalidInput.of(**{field: Sentence("The model is not registered: {error}.", error=error.args[0])})


def _scorecard(content: bytes, manifest: Document) -> Document:
    if len(content) > MOST_BYTES:
        raise ModelFileError(Sentence("it is larger than {most} MiB", most=MOST_BYTES // 2**20))
    card = read_model_bytes(content)
    for name, expected in (("model", card.version), ("sha256", hashlib.sha256(content).hexdigest())):
        if manifest.get(name) != expected:
            given = shown(manifest.get(name))
            raise InvalidInput.of(
                manifest=Sentence(
                    "It is of another file: {name} is {given}, not {expected}.",
                    name=name,
                    given=given,
                    expected=expected,
                )
            )
    return card.to_dict()


def _refuse_known(content: bytes, document: Document) -> None:
    hold_registry()
    same = ModelVersion.objects.filter(file_id=hashlib.sha256(content).hexdigest()).first()
    if same is not None:
        raise Conflict(
            Sentence(
                "This file is registered already: it is {model}, {model_state}.",
                model=same.version,
                model_state=same.state,
            )
        )
    if ModelVersion.objects.filter(version=document["version"]).exists():
        raise Conflict(
            Sentence(
                "Another model is registered as {model}; give this one a version of its own.", model=document["version"]
            )
        )
