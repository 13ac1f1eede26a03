"""What stands in the rail, as data. Who sees an entry follows from its screen; no screen that is not built is here."""

from dataclasses import dataclass
from typing import Any

from django.urls import ResolverMatch, reverse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from apps.accounts.models import User
from apps.workbench.screen import Screen
from apps.workbench.views.audit import Audit
from apps.workbench.views.home import Home
from apps.workbench.views.models import Models
from apps.workbench.views.monitoring import Monitoring
from apps.workbench.views.new_request import NewRequest
from apps.workbench.views.policies import Policies
from apps.workbench.views.queue import Queue
from apps.workbench.views.uploads import Uploads


@dataclass(frozen=True, slots=True)
class Entry:
    """`also`: other url names under which this entry is the current one."""

    name: str
    screen: type[Screen]
    label: Any
    icon: str
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Link:
    """`key`: pressed after g, it leads there."""

    address: str
    label: Any
    icon: str
    key: str
    is_current: bool


@dataclass(frozen=True, slots=True)
class Group:
    label: Any
    links: list[Link]


KEYS = {
    "home": "h",
    "queue": "r",
    "new": "n",
    "upload": "u",
    "policies": "p",
    "models": "m",
    "monitoring": "o",
    "audit": "a",
}
OF_REQUEST = ("request", "request-records", "refreshing", "try-terms", "alternatives")
OF_AUDIT = (
    "audited-applicants",
    "audited-event",
    "audit-decision",
    "replay-decision",
    "replay-prediction",
)
ENTRIES: tuple[tuple[Any, tuple[Entry, ...]], ...] = (
    (
        pgettext_lazy("navigation", "Work"),
        (
            Entry("home", Home, _("Home"), "home"),
            Entry("queue", Queue, _("Requests"), "queue", also=OF_REQUEST),
            Entry("new", NewRequest, _("New request"), "new", also=("submit-new", "request-progress")),
            Entry("upload", Uploads, _("Uploads"), "upload", also=("upload-file", "receive-file")),
        ),
    ),
    (
        pgettext_lazy("navigation", "Rules"),
        (
            Entry("policies", Policies, _("Policies"), "policies", also=("policy", "draft-policy", "simulation")),
            Entry("models", Models, _("Models"), "models", also=("model",)),
            Entry("monitoring", Monitoring, _("Monitoring"), "monitoring"),
        ),
    ),
    (pgettext_lazy("navigation", "Control"), (Entry("audit", Audit, _("Audit"), "audit", also=OF_AUDIT),)),
)


def groups_for(user: User, match: ResolverMatch | None) -> list[Group]:
    current = match.url_name if match is not None and match.namespace == "workbench" else None
    groups = [
        Group(label, [_link(entry, current) for entry in entries if user.role in entry.screen.roles])
        for label, entries in ENTRIES
    ]
    return [group for group in groups if group.links]


def _link(entry: Entry, current: str | None) -> Link:
    is_current = current in (entry.name, *entry.also)
    return Link(reverse(f"workbench:{entry.name}"), entry.label, entry.icon, KEYS.get(entry.name, ""), is_current)
