"""One model: its table of points, its figures, who validated it, and what may be done with it now."""

import json
from collections.abc import Callable
from typing import Any, ClassVar
from uuid import UUID

from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.models import User
from apps.accounts.permissions import ANALYSTS, WITHDRAWERS
from apps.common.errors import InvalidInput
from apps.scoring_engine import promotion
from apps.scoring_engine.api_models import MOST_FIGURES, READS_MODELS
from apps.scoring_engine.models import ESTIMATOR, ModelAssignment, ModelValidation, ModelVersion
from apps.scoring_engine.transitions import MOVES
from apps.scoring_engine.validation import record_validation
from apps.workbench.card_tables import points_grids, points_tables
from apps.workbench.screen import Screen
from apps.workbench.views.models import key_figures, model_address, read_document

PASSED = {"yes": True, "no": False}


class Model(Screen):
    roles = READS_MODELS
    template = "workbench/model.html"

    def get(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        model = get_object_or_404(_whole(), id=pk)
        document = json.loads(model.card.text)
        is_card = model.kind != ESTIMATOR
        return self.show(
            title=model.version,
            model=model,
            document=document,
            figures=key_figures(model.manifest),
            tables=points_tables(document, model.manifest) if is_card else [],
            grids=points_grids(document) if is_card else [],
            validations=[_validation(one) for one in model.validations.all()],
            actions=_actions(model, request.user),
            may_validate=request.user.role in ANALYSTS,
            is_maker=model.made_by_id == request.user.id,
        )


class ChangeModel(Screen):
    """`change`: the service that does it; `done`: what is said then."""

    change: ClassVar[Callable[..., Any]]
    done: ClassVar[Any]

    def post(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        model = get_object_or_404(ModelVersion, id=pk)
        type(self).change(model=model, reason=request.POST.get("reason", ""), actor=request.user)
        return self.go(model_address(model), self.done % {"model": model.version})


class PromoteModel(ChangeModel):
    roles = ANALYSTS
    change = staticmethod(promotion.promote_model)
    done = gettext_lazy("%(model)s is the champion now.")


class ChallengeModel(ChangeModel):
    roles = ANALYSTS
    change = staticmethod(promotion.challenge)
    done = gettext_lazy("%(model)s scores beside the champion now.")


class RetireModel(ChangeModel):
    roles = WITHDRAWERS
    change = staticmethod(promotion.retire_model)
    done = gettext_lazy("%(model)s is out of service.")


class ValidateModel(Screen):
    roles = ANALYSTS

    def post(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        model, given = get_object_or_404(ModelVersion, id=pk), request.POST
        if given.get("passed") not in PASSED:
            raise InvalidInput.of(passed=_("Say whether it passed."))
        record_validation(
            model=model,
            figures=read_document(request, "figures", MOST_FIGURES),
            passed=PASSED[given["passed"]],
            on_own_data="on_own_data" in given,
            comment=given.get("comment", ""),
            types_seen=given.getlist("types_seen"),
            actor=request.user,
        )
        return self.go(model_address(model), _("The validation is recorded."))


CHANGES = {"promote": PromoteModel, "challenge": ChallengeModel, "retire": RetireModel}


def _whole() -> Any:
    validations = ModelValidation.objects.select_related("validator").order_by("-created_at")
    history = ModelAssignment.objects.select_related("actor").order_by("-id")
    beside = Prefetch("validations", validations), Prefetch("assignments", history)
    return ModelVersion.objects.select_related("card", "made_by", "checked_by").prefetch_related(*beside)


def _actions(model: ModelVersion, user: User) -> list[str]:
    """What this user may do with it in its state."""
    return [name for name, screen in CHANGES.items() if user.role in screen.roles and (name, model.state) in MOVES]


def _validation(one: ModelValidation) -> dict[str, Any]:
    gates = one.figures.get("gates") if isinstance(one.figures, dict) else None
    return {"validation": one, "gates": [gate for gate in gates or [] if isinstance(gate, dict)]}
