"""The simulation of a policy as one printable page, in the dress of the comparison of models, and as a few lines."""

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from math import ceil
from pathlib import Path

from apps.common.files import write_folder
from apps.credit_requests.simulation_figures import SIDES, Document
from apps.policies.engine import OUTCOMES
from apps.scoring_engine.ml.learning.findings import count, rate
from apps.scoring_engine.ml.learning.markup import Html, beside, heading, html, joined, page, paragraph, section, table
from apps.scoring_engine.ml.learning.plots import (
    BLUE,
    GREY,
    ORANGE,
    Axis,
    Bars,
    Line,
    axis_to,
    bar_plot,
    line_plot,
    percent,
)

TITLE = "A policy tried on past requests"
MOST_LISTED, MOST_POINTS = 20, 25
MONEY = ("amount", "expected_loss", "expected_profit")
SEGMENT_WORDS = {"product_kind": "kind of product", "channel": "channel", "grade": "grade", "branch": "branch"}
FORMULAS = (
    "Of an approved request: expected loss = amount x annual probability of default x loss given default; expected"
    " profit = amount x (annual rate - cost of funds) x (1 - annual probability of default) - expected loss. Both are"
    " of one year and before the costs of staff; amount and rate are those that the policy offers. Intervals: Wilson,"
    " 95 %."
)
RATES = (("approval rate", "approval_rate"), ("expected bad rate", "expected_bad_rate"))
PROFIT = (("expected profit", "expected_profit"), ("expected loss", "expected_loss"))
CURVE_WORDS = {
    "score": "approved from this score on",
    "annual_probability_of_default": "approved below this annual probability of default",
}


def simulation_page(figures: Document) -> str:
    """The same figures give the same bytes."""
    parts = (_opening, _requests, _outcomes, _money, _swaps, _rules, _segments, _curve)
    head = joined([Html("<header>"), Html(f"<h1>{html(TITLE)}</h1>"), paragraph(_under(figures), "soft")])
    return page(TITLE, joined([head, Html("</header>\n"), *(part(figures) for part in parts)]))


def write_simulation(figures: Document, out: Path) -> None:
    """simulation.json and simulation.html in a new folder, which appears with both in it or not at all."""
    text = json.dumps(figures, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    write_folder(out, {"simulation.json": text, "simulation.html": simulation_page(figures)})


def summary(figures: Document) -> str:
    """A few lines for a terminal."""
    lines = [_under(figures), *_told(figures)]
    for side in SIDES:
        one, outcomes = figures["approved"][side], figures["outcomes"][side]["after_bars"]
        others = ", ".join(f"{name} {count(outcomes[name]['number'])}" for name in OUTCOMES[1:])
        money = ", ".join(f"{name.replace('_', ' ')} {count(one[name])}" for name in MONEY)
        lines.append(f"{side}: approve {count(one['number'])} ({_with_interval(one)}), {others}; {money}")
    return "\n".join(lines)


def _under(figures: Document) -> str:
    named = " against ".join(_name(figures, side) for side in reversed(SIDES))
    terms = figures["terms"]
    bars = "; as if no bar stood" if terms["before_bars"] else ""
    return (
        f"{named}, segment {figures['segment']}, {figures['currency']}, limits of {terms['on_date']} for both, cost of"
        f" funds {rate(terms['cost_of_funds'])} a year{bars}."
    )


def _name(figures: Document, side: str) -> str:
    one = figures["policies"][side]
    return f"{one['code']} {one['version']} ({one['state']})"


def _told(figures: Document) -> list[str]:
    """What is left out or needs to be known, in sentences."""
    source, requests, currency = figures["source"], figures["requests"], figures["currency"]
    known = {
        "cut": "older requests were left out: only the newest are looked at",
        "erased": "were left out: the person's data were erased",
        "unreadable": "were left out: what is sealed was changed; run verify and replay",
        "demonstration": "of the requests were invented for demonstration",
    }
    said = [f"{count(source[name])} {why}." for name, why in known.items() if source.get(name)]
    said += [f"{count(number)} in {other} were left out: money of {currency} is not added to it."
             for other, number in requests["other_currency"].items()]  # fmt: skip
    if barred := requests["barred"]:
        why = ", ".join(f"{name.replace('_', ' ')} {count(number)}" for name, number in barred.items())
        share = rate(sum(barred.values()) / requests["simulated"])
        said.append(
            f"Bars keep assessments from deciding by themselves: {why} ({share}); --before-bars looks past them."
        )
    for side in SIDES:
        if unknown := figures["approved"][side]["risk_not_known"]:
            said.append(f"{count(unknown)} approved by the {side} policy count in no loss or profit: risk not known.")
    if not figures["terms"]["cost_of_funds"]:
        said.append("The cost of funds is 0: expected profit is before it.")
    return [f"{count(requests['simulated'])} of {count(source['found'])} requests simulated.", *said]


def _with_interval(one: Document) -> str:
    lower, upper = one["approval_rate_interval"]
    return f"{rate(one['approval_rate'])}, {rate(lower)} to {rate(upper)}"


def _opening(figures: Document) -> Html:
    rates = [f"the {side} policy approves {_with_interval(figures['approved'][side])}" for side in SIDES]
    moved = sum(one["number"] for one in figures["swaps"] if one["current"] != one["candidate"])
    share = rate(moved / figures["requests"]["simulated"])
    first = f"The two differ on {count(moved)} requests ({share}): {'; '.join(rates)}."
    loss, profit = (_change(figures, name) for name in MONEY[1:])
    then = f"With the candidate the expected loss of a year moves by {loss}, the expected profit by {profit}."
    words = [paragraph(Html(f"<strong>{html(first)}</strong>")), paragraph(then)]
    return Html(f'<div class="verdict">{joined(words)}</div>\n')


def _change(figures: Document, name: str) -> str:
    now, then = (figures["approved"][side][name] for side in SIDES)
    return f"{then - now:+,} {figures['currency']}"


def _requests(figures: Document) -> Html:
    source = figures["source"]
    if source["kind"] == "file":
        about = f"Rows of {source['file']}, with the values that stand in it."
    else:
        asked = " ".join(f"{name}={value}" for name, value in source["requests"].items()) or "all"
        about = (
            f"Stored requests: {asked}. {count(source['from_decision'])} as the policy of then was asked about them,"
            f" {count(source['from_prediction'])}, of which no policy has spoken yet, as they were scored last."
        )
    return section("requests", "Requests", paragraph(about), *map(paragraph, _told(figures)))


def _outcomes(figures: Document) -> Html:
    rows = []
    for when, words in (("before_bars", "by the rules alone"), ("after_bars", "after the bars")):
        for side in SIDES:
            found = figures["outcomes"][side][when]
            cells = (f"{count(found[name]['number'])} ({rate(found[name]['share'])})" for name in OUTCOMES)
            rows.append((f"{side}, {words}", *cells))
    heights = [[figures["outcomes"][side]["after_bars"][name]["share"] for name in OUTCOMES] for side in SIDES]
    sets = [Bars(side, one, colour) for side, one, colour in zip(SIDES, heights, (BLUE, ORANGE), strict=True)]
    plot = bar_plot("outcomes", "Outcomes", "Share of the requests that each policy approves, refers and declines",
                    OUTCOMES, "outcome, after the bars", axis_to("share of requests", 1.0, percent), sets)  # fmt: skip
    found = table(("policy", *OUTCOMES), rows, numbers=(1, 2, 3))
    return section("outcomes", "Outcomes", beside(plot, found))


def _money(figures: Document) -> Html:
    head = (
        "policy",
        "approved",
        "approval rate (95 %)",
        *(name.replace("_", " ") for name in MONEY),
        "expected bad rate",
    )
    rows = [_money_row(side, figures["approved"][side]) for side in SIDES]
    about = f"Money in whole {figures['currency']}."
    found = table(head, rows, numbers=range(1, len(head)))
    return section("money", "What is approved", found, paragraph(about, "soft"), paragraph(FORMULAS, "soft"))


def _money_row(side: str, one: Document) -> tuple[str, ...]:
    money = (count(one[name]) for name in MONEY)
    return (side, count(one["number"]), _with_interval(one), *money, _or_dash(one["expected_bad_rate"]))


def _or_dash(value: float | None) -> str:
    return "-" if value is None else rate(value)


def _swaps(figures: Document) -> Html:
    rows = [
        (one["current"], one["candidate"], count(one["number"]), *(count(one["amount"][side]) for side in SIDES),
         *(count(one["expected_loss"][side]) for side in SIDES))
        for one in figures["swaps"] if one["number"]
    ]  # fmt: skip
    head = ("current", "candidate", "requests", "amount, current", "candidate", "expected loss, current", "candidate")
    about = (
        "Amounts and losses are those at the terms that each policy offers or would offer, whether or not it approves;"
        " what is not known adds nothing."
    )
    found = table(head, rows, numbers=range(2, 7))
    return section("swaps", "Swap sets", found, paragraph(about, "soft"))


def _rules(figures: Document) -> Html:
    parts: list[Html] = []
    for side in SIDES:
        rows = [(one["code"], one["kind"].replace("_", " "), count(one["first"]), count(one["any"]))
                for one in figures["rules"][side][:MOST_LISTED]]  # fmt: skip
        parts += [heading(f"The {side} policy"), table(("rule", "kind", "first reason", "any"), rows, numbers=(2, 3))]
    about = "How many requests a rule keeps from approval: as the first reason of the outcome, and at all."
    return section("rules", "Rules that stop most", paragraph(about), *parts)


def _segments(figures: Document) -> Html:
    parts = [part for column, found in figures["segments"].items() for part in _segment(column, found)]
    return section("segments", "By segment", *parts)


def _segment(column: str, found: list[Document]) -> Sequence[Html]:
    head = (column.replace("_", " "), "requests", "approved, current", "candidate", "expected loss, current",
            "candidate", "expected profit, current", "candidate")  # fmt: skip
    rows = [
        (one["value"].replace("_", " "), count(one["number"]), *(rate(one[side]["approval_rate"]) for side in SIDES),
         *(count(one[side][name]) for name in MONEY[1:] for side in SIDES))
        for one in found[:MOST_LISTED]
    ]  # fmt: skip
    more = len(found) - MOST_LISTED
    rest = paragraph(f"{count(more)} smaller ones stand in simulation.json.", "soft") if more > 0 else Html("")
    return heading(f"By {SEGMENT_WORDS.get(column, column)}"), table(head, rows, numbers=range(1, 8)), rest


def _curve(figures: Document) -> Html:
    curve = figures["curve"]
    if curve is None:
        text = "The candidate has no cut-off, so there is no curve over it."
        return section("curve", "Over the cut-off", paragraph(text))
    about = (
        f"One cut-off in place of the candidate's bands ({CURVE_WORDS[curve['on']]}), all its other rules as they are."
        " Cut-offs of today are dashed, and in bold."
    )
    marks = [f"{one['cut_off']:g}, of the {one['policy']} policy: below it {one['below']}, from it on {one['from']}"
             for one in curve["today"]]  # fmt: skip
    rates = _plotted(curve, "Approval and bad rate", "share of requests", RATES, percent, _or_dash)
    money = _plotted(curve, "Expected profit and loss", f"{figures['currency']} of a year", PROFIT, _short, count)
    words = (paragraph(about), paragraph("; ".join(marks), "soft"))
    return section("curve", "Over the cut-off", *words, rates, money)


def _plotted(
    curve: Document, title: str, label: str, wanted: Sequence[tuple[str, str]], shown: Callable[[float], str],
    cell: Callable[[float], str],
) -> Html:  # fmt: skip
    """The plot, and at its side a table of some of its points, today's cut-offs among them."""
    points, todays = curve["points"], {one["cut_off"] for one in curve["today"]}
    every = max(1, ceil(len(points) / MOST_POINTS))
    listed = [one for place, one in enumerate(points) if place % every == 0 or one["cut_off"] in todays]
    rows = [(_bold(one["cut_off"], todays), count(one["number"]), *(cell(one[key]) for _, key in wanted))
            for one in listed]  # fmt: skip
    head = ("cut-off", "approved", *(name for name, _ in wanted))
    return beside(_plot(curve, title, label, wanted, shown), table(head, rows, numbers=(1, 2, 3)))


def _bold(cut_off: float, todays: set[float]) -> object:
    return Html(f"<b>{cut_off:g}</b>") if cut_off in todays else f"{cut_off:g}"


def _plot(
    curve: Document, title: str, label: str, wanted: Sequence[tuple[str, str]], shown: Callable[[float], str]
) -> str:  # fmt: skip
    lines = [Line(name, [(one["cut_off"], one[key]) for one in curve["points"] if one[key] is not None], colour)
             for (name, key), colour in zip(wanted, (BLUE, ORANGE), strict=True)]  # fmt: skip
    values = [0.0, *(value for line in lines for _, value in line.points)]
    ends = [one["cut_off"] for one in curve["points"]]
    x, y = Axis(curve["on"].replace("_", " "), ends[0], ends[-1]), axis_to(label, max(values), shown)
    y = replace(y, least=min(values))
    dashed = [Line("", [(one["cut_off"], y.least), (one["cut_off"], y.most)], GREY, dash="4 4")
              for one in curve["today"]]  # fmt: skip
    about = f"{title} over the cut-off, all other rules of the candidate as they are"
    return line_plot(title.replace(" ", "-").lower(), title, about, x, y, [*dashed, *lines])


def _short(value: float) -> str:
    for size, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:.3g} {letter}"
    return f"{value:.3g}"
