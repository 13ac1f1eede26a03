"""Views of the queue that each role finds there: a name, and a filter as its form takes it."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

View = tuple[Any, dict[str, Any]]
OLDEST = {"order": "oldest"}

OFFICER: tuple[View, ...] = (
    (_("Waiting for me"), {"status": "pending"} | OLDEST),
    (_("Referred"), {"status": "referred"} | OLDEST),
    (_("With contradictions"), {"flags": ["contradiction"]}),
    (_("Decided by me"), {"mine": True}),
)
APPROVER: tuple[View, ...] = (
    (_("Second approval"), {"waits_for_second": True} | OLDEST),
    (_("Referred, largest first"), {"status": "referred", "order": "largest"}),
    (_("With contradictions"), {"flags": ["contradiction"]}),
    (_("Decided by me"), {"mine": True}),
)
ANALYST: tuple[View, ...] = (
    (_("Fallback"), {"flags": ["fallback"]}),
    (_("Thin files"), {"flags": ["thin_file"]}),
    (_("Resting on stale records"), {"flags": ["stale"]}),
    (_("Approved, lowest score first"), {"status": "approved", "order": "riskiest"}),
)
AUDITOR: tuple[View, ...] = (
    (_("Approved, largest first"), {"status": "approved", "order": "largest"}),
    (_("Resting on invented records"), {"flags": ["mock"]}),
    (_("Second approval"), {"waits_for_second": True} | OLDEST),
)
DEFAULT_VIEWS: Mapping[str, tuple[View, ...]] = {
    "officer": OFFICER,
    "approver": APPROVER,
    "analyst": ANALYST,
    "auditor": AUDITOR,
}
