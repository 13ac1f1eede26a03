"""The registry: which model serves each segment, which others there are, and what was in service from when on."""

from collections.abc import Mapping
from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.models import Role, User
from apps.accounts.permissions import ANALYSTS, WITHDRAWERS
from apps.common.errors import InvalidInput
from apps.common.strict_json import parse_json
from apps.scoring_engine.api_models import MOST_FIGURES, READS_MODELS
from apps.scoring_engine.beside import challenger_beside
from apps.scoring_engine.ml.risk_model import MOST_BYTES
from apps.scoring_engine.ml.vocabulary import SEGMENTS
from apps.scoring_engine.models import CHALLENGER, CHAMPION, GRADE_LETTERS, ROLES, ModelAssignment, ModelVersion
from apps.scoring_engine.promotion import rollback_champion
from apps.scoring_engine.registration import register_model
from apps.workbench.screen import Screen

MODELS, CHANGES = 100, 20
SEES_CHALLENGERS = ANALYSTS | {Role.AUDITOR}
MEASURES = ("auc", "gini", "ks", "brier", "calibration_slope", "bad_rate", "rows")
SAMPLES = ("out_of_time", "test", "training")


class Models(Screen):
    roles = READS_MODELS
    template = "workbench/models.html"
    title = gettext_lazy("Models")

    def get(self, request: HttpRequest) -> HttpResponse:
        changes = ModelAssignment.objects.select_related("model", "actor").defer("model__manifest", "model__types")
        rows = ModelVersion.objects.defer("manifest", "types").order_by("segment", "-created_at", "-id")
        return self.show(
            segments=[_segment(segment, request.user) for segment in SEGMENTS],
            rows=rows[:MODELS],
            changes=changes.order_by("-id")[:CHANGES],
            grades=GRADE_LETTERS,
            may_register=request.user.role in ANALYSTS,
            may_roll_back=request.user.role in WITHDRAWERS,
        )


class RegisterModel(Screen):
    roles = ANALYSTS

    def post(self, request: HttpRequest) -> HttpResponse:
        content, manifest = read_file(request, "file", MOST_BYTES), read_document(request, "manifest", MOST_FIGURES)
        model = register_model(content=content, manifest=manifest, actor=request.user)
        return self.go(model_address(model), _("Registered as a draft. Somebody else has to validate it."))


class RollBack(Screen):
    roles = WITHDRAWERS

    def post(self, request: HttpRequest) -> HttpResponse:
        segment = request.POST.get("segment", "")
        if segment not in SEGMENTS:
            raise InvalidInput.of(segment=_("Choose people or companies."))
        change = rollback_champion(segment=segment, reason=request.POST.get("reason", ""), actor=request.user)
        words = _("%(model)s serves again, in every process from the next scoring on.")
        return self.go(reverse("workbench:models"), words % {"model": change.model.version})


def model_address(model: ModelVersion) -> str:
    return reverse("workbench:model", args=[model.id])


def read_file(request: HttpRequest, field: str, most: int) -> bytes:
    """`most`: bytes."""
    file: UploadedFile | None = request.FILES.get(field)
    if file is None:
        raise InvalidInput.of(**{field: _("Choose a file.")})
    if file.size > most:
        raise InvalidInput.of(**{field: _("At most %(most)s MiB are allowed.") % {"most": most >> 20}})
    return file.read()


def read_document(request: HttpRequest, field: str, most: int) -> dict[str, Any]:
    document = parse_json(read_file(request, field, most))
    if not isinstance(document, dict):
        raise InvalidInput.of(**{field: _("It is not a file with a JSON object.")})
    return document


def key_figures(manifest: Mapping[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """(sample, its measures) as training wrote them; the lender's own manifest of an estimator may hold none."""
    figures = manifest.get("figures")
    samples = figures if isinstance(figures, Mapping) else {}
    found = [(name, samples[name]) for name in SAMPLES if isinstance(samples.get(name), Mapping)]
    return [(name, {measure: of.get(measure) for measure in MEASURES}) for name, of in found]


def _segment(segment: str, user: User) -> dict[str, Any]:
    serving = {model.state: model for model in ModelVersion.objects.filter(segment=segment, state__in=ROLES)}
    champion, challenger = serving.get(CHAMPION), serving.get(CHALLENGER)
    shown = champion and challenger and user.role in SEES_CHALLENGERS
    return {
        "segment": segment,
        "champion": champion,
        "figures": key_figures(champion.manifest)[:1] if champion else [],
        "challenger": challenger if user.role in SEES_CHALLENGERS else None,
        "beside": challenger_beside(champion, challenger) if shown else None,
    }
