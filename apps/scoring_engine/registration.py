"""Registering models: what they are is fixed here; whether they may score is for another person (promotion.py)."""

import hashlib
from datetime import datetime
from typing import Any

from django.db import transaction

from apps.audit.services import record_event
from apps.scoring_engine.ml.cards import canonical
from apps.scoring_engine.ml.risk_model import shipped_model
from apps.scoring_engine.ml.scorecard import Scorecard
from apps.scoring_engine.ml.vocabulary import SEGMENTS
from apps.scoring_engine.models import CHAMPION, ModelCard, ModelFile, ModelVersion
from apps.scoring_engine.promotion import take_over
from apps.scoring_engine.registry import hold_registry
from apps.scoring_engine.transitions import NEW, state_after

SHIPPED = "shipped with the engine"


@transaction.atomic
def register_shipped_models(*, now: datetime) -> list[ModelVersion]:
    """Register those of ml/models that are not yet known, and put them into service where no other model stands.

    A shipped model takes the place of an older shipped one, never that of a lender's own. Raises ModelFileError.
    """
    hold_registry(to_change=True)
    return [model for segment in SEGMENTS if (model := _register_shipped(segment, now))]


def _register_shipped(segment: str, now: datetime) -> ModelVersion | None:
    content, card, manifest = shipped_model(segment)
    if ModelVersion.objects.filter(file_id=hashlib.sha256(content).hexdigest()).exists():
        return None
    model = store_model(content=content, card=card, manifest=manifest, origin="shipped", now=now)
    model.state = state_after("validate", model.state)
    model.save(update_fields=["state"])
    standing = ModelVersion.objects.filter(segment=segment, state=CHAMPION).first()
    if standing is None or standing.origin == "shipped":
        take_over(model=model, role=CHAMPION, action="promote", actor=None, reason=SHIPPED, now=now)
    return model


@transaction.atomic
def store_model(
    *, content: bytes, card: Scorecard, manifest: dict[str, Any], origin: str, now: datetime, **fields: Any
) -> ModelVersion:
    """The rows of a new draft: its bytes, its document and itself."""
    digest = hashlib.sha256(content).hexdigest()
    ModelFile.objects.create(digest=digest, content=content, created_at=now)
    text = canonical(card.to_dict())
    kept = {"segment": card.segment, "version": card.version, "text": text, "created_at": now}
    ModelCard.objects.get_or_create(digest=card.digest, defaults=kept)
    model = ModelVersion.objects.create(
        segment=card.segment,
        version=card.version,
        kind="scorecard",
        origin=origin,
        file_id=digest,
        card_id=card.digest,
        manifest=manifest,
        state=state_after("register", NEW),
        since=now,
        created_at=now,
        **fields,
    )
    details = {"version": model.version, "sha256": digest, "origin": origin}
    record_event(actor=model.made_by, action="model.register", subject=model, details=details)
    return model
