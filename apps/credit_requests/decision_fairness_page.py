"""The fairness of decisions as one printable page, in the dress of the validation report, and its two files."""

import json
from pathlib import Path

from apps.common.files import write_folder
from apps.credit_requests.decision_fairness import Document
from apps.scoring_engine.ml.learning.findings import count, figure, rate
from apps.scoring_engine.ml.learning.markup import Html, heading, html, joined, page, paragraph, section, table

TITLE = "Fairness of decisions"
INSUFFICIENT = "insufficient evidence"
RATES = {
    "approved": ("Approved in the end", "of all whose request was decided"),
    "approved_by_policy": ("Approved by the rules alone", "of all whose request was decided"),
    "low_side": ("Approved by people against the rules", "of those that the rules decline"),
    "high_side": ("Declined by people against the rules", "of those that the rules approve"),
}
METHOD = (
    "Ratio: the rate of a group over that of the largest group (adverse impact ratio), with its 95 % interval (Katz and"
    " others, Biometrics 34, 1978). Below 0.8 in a rate of approval is the customary sign of adverse impact. Groups are"
    " told apart here alone; no model and no policy may use them. A rate of fewer than 30 requests, or with fewer than"
    " 5 expected of either kind, is no evidence."
)


def fairness_page(figures: Document) -> str:
    """The same figures give the same bytes."""
    until = f"to before {figures['until']}" if figures["until"] else "on"
    under = f"Requests of people decided from {figures['since']} {until}; of each its last decision."
    head = joined([Html("<header>"), Html(f"<h1>{html(TITLE)}</h1>"), paragraph(under, "soft"), Html("</header>\n")])
    groups = [_grouping(name, found) for name, found in figures["groups"].items()]
    return page(TITLE, joined([head, _requests(figures["requests"]), *groups, paragraph(METHOD, "soft")]))


def write_fairness(figures: Document, out: Path) -> None:
    """fairness.json and fairness.html in a new folder, which appears with both in it or not at all."""
    figures_text = json.dumps(figures, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    write_folder(out, {"fairness.json": figures_text, "fairness.html": fairness_page(figures)})


def _requests(told: dict[str, int]) -> Html:
    rows = [
        ("decided in the span", count(told["found"])),
        ("compared", count(told["compared"])),
        ("left out: the person's data were erased", count(told["erased"])),
        ("left out: not readable; run verify and replay", count(told["unreadable"])),
        ("of those compared: invented for demonstration", count(told["demo"])),
    ]
    return section("requests", "Requests", table(("", "requests"), rows, numbers=(1,)))


def _grouping(name: str, found: Document) -> Html:
    parts = [part for key in RATES for part in _rate(key, found[key])]
    return section(name, f"By {name}", *parts)


def _rate(key: str, groups: list[Document]) -> list[Html]:
    title, of_whom = RATES[key]
    if not groups:
        return [heading(title), paragraph(f"Nobody of the largest group is among them ({of_whom}).")]
    rows = [(one["group"], count(one["rows"]), rate(one["rate"]), _ratio(one)) for one in groups]
    return [heading(title), table(("", "requests", "share", "ratio"), rows, numbers=(1, 2), caption=of_whom)]


def _ratio(one: Document) -> str:
    if one["ratio"] is None or not one["enough"]:
        return INSUFFICIENT
    return f"{figure(one['ratio'], 2)} ({figure(one['lower'], 2)} to {figure(one['upper'], 2)})"
