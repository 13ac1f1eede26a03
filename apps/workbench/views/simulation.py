"""A policy tried on past requests: asked for on the policy's own screen, worked off in the background, read here."""

from datetime import date
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.accounts.permissions import ANALYSTS
from apps.common.days import lender_today
from apps.common.errors import InvalidInput
from apps.credit_requests.models import Simulation
from apps.credit_requests.models.simulations import QUEUED, RUNNING, SEES_SIMULATIONS
from apps.credit_requests.simulation_filters import RequestFilter
from apps.credit_requests.simulation_jobs import request_simulation
from apps.policies.engine import OUTCOMES
from apps.policies.models import PolicyVersion
from apps.workbench.screen import Screen

SIDES = ("current", "candidate")
MOST_POINTS = 60


class Simulate(Screen):
    roles = ANALYSTS

    def post(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        policy, given = get_object_or_404(PolicyVersion, id=pk), request.POST
        now = timezone.now()
        simulation = request_simulation(
            policy=str(policy.id),
            against=None,
            chosen=RequestFilter(
                since=_day(given, "since"), until=_day(given, "until"), channel=given.get("channel") or None
            ),
            on_date=max(policy.valid_from, lender_today(now)),
            cost_of_funds=_share(given, "cost_of_funds"),
            before_bars="before_bars" in given,
            actor=request.user,
            now=now,
        )
        return self.go(reverse("workbench:simulation", args=[simulation.id]), _("The simulation is queued."))


class SimulationScreen(Screen):
    roles = SEES_SIMULATIONS
    template = "workbench/simulation.html"
    title = gettext_lazy("Simulation")

    def get(self, request: HttpRequest, pk: UUID) -> HttpResponse:
        rows = Simulation.objects.visible_to(request.user).select_related("policy", "against", "requested_by")
        found = get_object_or_404(rows.defer("policy__text", "against__text"), id=pk)
        return self.show(
            found=found,
            is_waiting=found.state in (QUEUED, RUNNING),
            result=found.result,
            **(_told(found.result) if found.result else {}),
        )


def _told(result: dict[str, Any]) -> dict[str, Any]:
    """The figures in the order in which the page shows them."""
    swaps = {(one["current"], one["candidate"]): one for one in result["swaps"]}
    bars = "before_bars" if result["terms"]["before_bars"] else "after_bars"
    return {
        "sides": [(side, result["policies"][side], result["approved"][side]) for side in SIDES],
        "outcomes": [
            (outcome, [result["outcomes"][side][bars][outcome]["number"] for side in SIDES]) for outcome in OUTCOMES
        ],
        "swaps": [(one, [swaps[one, other] for other in OUTCOMES]) for one in OUTCOMES],
        "columns": OUTCOMES,
        "curve": _curve(result["curve"]) if result.get("curve") else None,
        "segments": [(name, rows) for name, rows in result["segments"].items() if rows],
    }


def _curve(curve: dict[str, Any]) -> dict[str, Any]:
    """Thinned to what a page can show; today's cut-offs become marks of the nearest point."""
    points = curve["points"]
    step = -(-len(points) // MOST_POINTS)
    shown = [dict(point) for point in points[::step]]
    for edge in curve["today"]:
        if edge["policy"] == "candidate" and shown:
            nearest = min(shown, key=lambda point: abs(point["cut_off"] - edge["cut_off"]))
            nearest["mark"] = edge["from"]
    return {"on": curve["on"], "points": shown}


def _chosen(given: Any) -> RequestFilter:
    channel = given.get("channel") or None
    return RequestFilter(since=_day(given, "since"), until=_day(given, "until"), channel=channel)


def _day(given: Any, field: str) -> date | None:
    text = given.get(field, "").strip()
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        raise InvalidInput.of(**{field: _("Give a day as YYYY-MM-DD.")}) from None


def _share(given: Any, field: str) -> float:
    """Per cent as typed, with a point or a comma, as a ratio."""
    text = given.get(field, "").strip().replace(",", ".") or "0"
    try:
        share = float(text) / 100
    except ValueError:
        share = -1.0
    if not 0 <= share <= 1:
        raise InvalidInput.of(**{field: _("Give per cent from 0 to 100.")})
    return share
