"""What a second person found of a model: the only way out of a draft, and into the lender's own service."""

import json
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from apps.accounts.models import User
from apps.audit.services import record_event
from apps.common.errors import Conflict, FieldProblem, InvalidInput, NotPermitted
from apps.common.sentences import Sentence
from apps.scoring_engine.ml.vocabulary import shown
from apps.scoring_engine.models import DRAFT, ESTIMATOR, SHIPPED, ModelCard, ModelValidation, ModelVersion
from apps.scoring_engine.registry import hold_registry
from apps.scoring_engine.transitions import state_after

NEW_DATA = "new_data"
Document = Mapping[str, Any]


@transaction.atomic
def record_validation(
    *,
    model: ModelVersion,
    figures: Document,
    passed: bool,
    on_own_data: bool,
    comment: str,
    actor: User,
    types_seen: Collection[str] = (),
    now: datetime | None = None,
) -> ModelValidation:
    """`figures`: the validation.json of validate_model. A draft that passes becomes validated.

    One that fails on the lender's own data no longer counts as the lender's own, even while it serves.
    """
    hold_registry()
    model = ModelVersion.objects.get(id=model.id)
    _check_validator(model, actor)
    gates_passed = _checked_gates(model, figures, passed)
    _check_claims(model, figures, passed, on_own_data, comment, types_seen)
    validation = ModelValidation.objects.create(
        model=model,
        validator=actor,
        created_at=_after_the_last(model, now or timezone.now()),
        passed=passed,
        on_own_data=on_own_data,
        gates_passed=gates_passed,
        figures=figures,
        comment=comment,
    )
    _take_over(model, validation)
    details = {"version": model.version, "passed": passed, "on_own_data": on_own_data, "validation": str(validation.id)}
    record_event(actor=actor, action="model.validate", subject=model, details=details)
    return validation


def validate_for_use(
    *,
    model: ModelVersion,
    figures: Document,
    comment: str,
    actor: User,
    types_seen: Collection[str] = (),
    now: datetime | None = None,
) -> ModelValidation:
    """It passed on the lender's own data: from now on its assessments may decide, and no longer only refer."""
    return record_validation(
        model=model,
        figures=figures,
        passed=True,
        on_own_data=True,
        comment=comment,
        actor=actor,
        types_seen=types_seen,
        now=now,
    )


def check_may_serve(model: ModelVersion) -> None:
    """Raises Conflict unless the last validation passed; a shipped model stands on its published figures until then."""
    last = model.validations.order_by("-created_at").first()
    if last is None and model.origin != SHIPPED:
        raise Conflict(
            Sentence(
                "{model} was never validated; somebody other than its maker has to approve it first.",
                model=model.version,
            )
        )
    if last is not None and not last.passed:
        raise Conflict(
            Sentence(
                "The last validation of {model} did not pass: {comment}", model=model.version, comment=last.comment
            )
        )


def _take_over(model: ModelVersion, validation: ModelValidation) -> None:
    if validation.passed:
        model.checked_by = validation.validator
    if validation.on_own_data:
        model.on_own_data = validation.passed
    if validation.passed and model.state == DRAFT:
        model.state, model.since = state_after("validate", DRAFT), validation.created_at
    model.save(update_fields=["checked_by", "on_own_data", "state", "since"])


def _after_the_last(model: ModelVersion, now: datetime) -> datetime:
    last = model.validations.order_by("-created_at").first()
    return max(now, last.created_at + timedelta(microseconds=1)) if last else now


def _check_validator(model: ModelVersion, actor: User) -> None:
    if actor.id == model.made_by_id:
        raise NotPermitted(
            Sentence(
                "{username} registered {model}; somebody else has to validate it.",
                username=actor.username,
                model=model.version,
            )
        )
    if actor.kind != User.Kind.PERSON:
        raise NotPermitted(Sentence("A service account is no second pair of eyes; a person has to validate a model."))


def _checked_gates(model: ModelVersion, figures: Document, passed: bool) -> bool | None:
    """Whether all acceptance gates passed, None without any. Raises InvalidInput for figures of something else."""
    about = figures.get("model")
    if type(about) is not dict or type(figures.get("data")) is not dict or type(figures.get("gates")) is not list:
        raise InvalidInput.of(figures=Sentence("They must be a validation.json: an object with model, data and gates."))
    for name, expected in (("sha256", model.file_id), ("card_digest", model.card_id)):
        if about.get(name) != expected:
            given = shown(about.get(name))
            raise InvalidInput.of(
                figures=Sentence(
                    "They are of another model: model.{name} is {given}, not {expected}.",
                    name=name,
                    given=given,
                    expected=expected,
                )
            )
    failed = [gate for gate in figures["gates"] if type(gate) is not dict or gate.get("passed") is not True]
    if passed and failed:
        named = ", ".join(_gate(gate) for gate in failed)
        raise InvalidInput.of(
            passed=Sentence("A model passes only when all its acceptance gates did; failed: {named}.", named=named)
        )
    if passed and not figures["gates"]:
        why = Sentence(
            "The figures state no acceptance gate; say in [gates] of the recipe what the model has to reach."
        )
        raise InvalidInput.of(passed=why)
    return not failed if figures["gates"] else None


def _gate(gate: Any) -> str:
    if type(gate) is not dict:
        return "one that is no object"
    return f"{gate.get('gate')} is {gate.get('found')}, required {gate.get('required')}"


def _check_claims(
    model: ModelVersion, figures: Document, passed: bool, on_own_data: bool, comment: str, types_seen: Collection[str]
) -> None:
    problems = []
    if not comment.strip():
        problems.append(FieldProblem("comment", Sentence("Say what you found.")))
    if on_own_data and _is_a_demonstration(model) and figures["data"].get("kind") != NEW_DATA:
        why = Sentence("The figures are of the data that the model was learnt from; validate it on data of your own.")
        problems.append(FieldProblem("on_own_data", why))
    if passed and model.kind == ESTIMATOR and sorted(types_seen) != sorted(model.types):
        why = Sentence(
            "Reading this model loads other types: {types}. Look at them, and give these.", types=model.types
        )
        problems.append(FieldProblem("types_seen", why))
    if problems:
        raise InvalidInput("; ".join(f"{problem.field}: {problem.message}" for problem in problems), problems)


def _is_a_demonstration(model: ModelVersion) -> bool:
    return json.loads(ModelCard.objects.get(digest=model.card_id).text).get("purpose") == "demonstration"
