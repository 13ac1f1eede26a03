"""What is special about a request, to be said in words before anything else: the gravest first."""

from dataclasses import dataclass
from typing import Any

from apps.credit_requests.deciding import Evaluation
from apps.credit_requests.models import CreditRequest, Override

SELF_BANNED = "self_banned"
ASIDES = ("mock", "thin_file", "demonstration", "demo")


@dataclass(frozen=True, slots=True)
class Notices:
    """codes, asides: whose words stand in templates/workbench/request/notices.html, the asides in one banner, as they
    only say what the score rests on. sources: which are meant.
    """

    codes: list[str]
    asides: list[str]
    mode_reason: str | None
    mock_sources: list[str]
    stale_sources: list[str]
    waiting: Override | None


def notices_of(
    found: CreditRequest,
    scoring: dict[str, Any],
    records: dict[str, Any],
    evaluation: Evaluation | None,
    waiting: Override | None,
) -> Notices:
    held = [record for record in records["records"] if record["version"] is not None]
    mock = sorted({record["source"] for record in held if record["version"]["is_mock"]})
    stale = sorted({record["source"] for record in held if record["version"]["is_stale"]})
    told = {
        "erased": found.applicant.data_key.destroyed_at is not None,
        "self_ban": evaluation is not None and evaluation.gathered.facts.get(SELF_BANNED) is True,
        "waiting": waiting is not None,
        "fallback": scoring["mode"] == "fallback",
        "contradiction": bool(records["contradictions"]),
        "stale": bool(stale),
        "mock": bool(mock),
        "thin_file": bool(found.is_thin_file),
        "demonstration": scoring["purpose"] == "demonstration",
        "demo": found.is_demo,
    }
    codes = [code for code, is_so in told.items() if is_so and code not in ASIDES]
    return Notices(codes, [code for code in ASIDES if told[code]], scoring["mode_reason"], mock, stale, waiting)
