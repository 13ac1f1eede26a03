"""Whether what applies, and what is decided of it, is still what the model and the policy were made for."""

from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from apps.accounts.models import Branch, Role, User
from apps.portfolio.figures import FLOOR
from apps.portfolio.reports import WEEKS, monitoring
from apps.portfolio.weeks import WEEK, week_of
from apps.workbench import labels
from apps.workbench.monitored_bins import card_words
from apps.workbench.monitoring_charts import charts_of, reference_text, why_no_index
from apps.workbench.screen import Screen

SPANS = (4, 12, 26, 52)
Document = Mapping[str, Any]


class MonitoringForm(forms.Form):
    weeks = forms.TypedChoiceField(
        choices=[(span, str(span)) for span in SPANS],
        coerce=int,
        empty_value=WEEKS,
        required=False,
        label=_("Weeks"),
    )
    segment = forms.ChoiceField(choices=list(labels.SEGMENTS.items()), required=False, label=_("Segment"))
    branch = forms.ChoiceField(required=False, label=_("Branch"))
    model = forms.CharField(max_length=64, required=False, label=_("Model"))

    def __init__(self, user: User, given: Mapping[str, Any]) -> None:
        super().__init__({"weeks": str(WEEKS), "segment": "individual"} | {name: given[name] for name in given})
        self.fields["weeks"].choices = [(span, _last_weeks(span)) for span in SPANS]
        if user.sees_all_branches:
            named = Branch.objects.order_by("name").values_list("code", "name")
            self.fields["branch"].choices = [("", _("All branches")), *named]
        else:
            del self.fields["branch"]

    def asked(self, now: datetime) -> dict[str, Any]:
        given = self.cleaned_data
        return {
            "segment": given["segment"] or "individual",
            "since": week_of(now) - WEEK * (given["weeks"] - 1),
            "branch": given.get("branch") or None,
            "model": given["model"] or None,
        }


class Monitoring(Screen):
    roles = frozenset({Role.APPROVER, Role.ANALYST, Role.AUDITOR})
    template = "workbench/monitoring.html"
    title = _("Monitoring")

    def get(self, request: HttpRequest) -> HttpResponse:
        form, now = MonitoringForm(request.user, request.GET.dict()), timezone.now()
        if not form.is_valid():
            return self.show(HTTPStatus.BAD_REQUEST, form=form)
        told = monitoring(user=request.user, now=now, **form.asked(now))
        form.fields["model"].widget = forms.Select(choices=_models(told["models"]))
        counted = [week["counted_at"] for week in told["weeks"] if week["is_counted"]]
        return self.show(
            form=form,
            told=told,
            floor=FLOOR,
            judged=next((each for each in told["models"] if each["digest"] == told["judged_model"]), None),
            counted_at=max(counted, default=None),
            uncounted=len(told["weeks"]) - len(counted),
            why=told["score"]["why"] and why_no_index(told["score"]["why"]),
            charts=charts_of(told),
            reference=reference_text(told["characteristics_reference"]),
            characteristics=_characteristics(told),
        )


def _last_weeks(number: int) -> str:
    return ngettext("Last %(n)s week", "Last %(n)s weeks", number) % {"n": number}


def _models(models: list[Document]) -> list[tuple[str, Any]]:
    return [("", _("All models")), *((each["digest"], each["version"]) for each in models)]


def _characteristics(told: Document) -> list[Document]:
    words = card_words(told["judged_model"])
    return [
        {
            **one,
            "title": words.feature(one["name"]),
            "why": one["why"] and why_no_index(one["why"]),
            "value": "" if one["psi"] is None else repr(one["psi"]),
            "bins": [each | {"text": words.bin(one["name"], each["label"])} for each in one["bins"]],
        }
        for one in told["characteristics"]
    ]
