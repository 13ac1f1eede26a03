"""The parts of the validation report that show the card itself: points, bins, pairs, order."""

from typing import Any

from .findings import count, figure, rate, sample_name
from .markup import Html, beside, heading, html, joined, mark, paragraph, section, table
from .plots import BLUE, GREY, ORANGE, Bars, Line, axis_to, bar_plot, percent

DIRECTIONS = {"higher_is_safer": "higher is safer", "higher_is_riskier": "higher is riskier", "free": "no direction"}
STATES = {"missing": "missing", "unavailable": "source had nothing", "unseen": "not seen in training",
          "special": "special code"}  # fmt: skip
LARGEST_STEP = 15
Figures = dict[str, Any]
OneTable = dict[str, Any]


def card_section(figures: Figures) -> Html:
    """The whole table of points."""
    model = figures["model"]
    lines = []
    for one in _of_kind(figures, "characteristic"):
        for place, (label, points) in enumerate(zip(one["labels"], one["points"], strict=True)):
            title = Html(f"<b>{html(one['title'])}</b>") if place == 0 else ""
            lines.append((title, words_of(label), signed(points)))
    pairs = [(one["title"], f"{signed(one['least_points'])} to {signed(one['most_points'])}", " x ".join(
        str(len(axis)) for axis in one["axes"])) for one in _of_kind(figures, "pair")]  # fmt: skip
    words = f"Score = {model['base_points']} base points + the points of one line of each characteristic"
    words += " + the points of one cell of each pair; the pairs stand as grids further down." if pairs else "."
    return section(
        "card", "The card", paragraph(words),
        table(("characteristic", "value", "points"), lines, numbers=(2,)),
        table(("pair", "points", "cells"), pairs, numbers=(1, 2)) if pairs else "",
    )  # fmt: skip


def characteristics_section(figures: Figures) -> Html:
    found = _of_kind(figures, "characteristic")
    rows = [
        (one["title"], _information(one["training"]), _information(one["test"]), figure(one["psi"]),
         figure(one["psi_by_chance"]), mark(one["light"]))
        for one in sorted(found, key=lambda one: -(one["test"]["information_value"] or 0.0))
    ]  # fmt: skip
    head = ("characteristic", "IV, training", f"IV, {sample_name(figures)}", "PSI", "PSI by chance", "")
    return section(
        "characteristics", "Characteristic by characteristic", table(head, rows, numbers=(1, 2, 3, 4)),
        paragraph("IV: information value. PSI compares training rows with the others: under 0.1 stable, from 0.25"
                  " moved; by chance: what two samples of one population would show.", "soft"),
        *(_characteristic(place, one, figures) for place, one in enumerate(found)),
    )  # fmt: skip


def pairs_section(figures: Figures) -> Html:
    found = _of_kind(figures, "pair")
    if not found:
        return section("pairs", "Pairs", paragraph("The card has no pairs."))
    return section(
        "pairs", "Pairs",
        paragraph("Each grid gives the points of a cell; beneath them its rows and their bad rate"
                  f" ({sample_name(figures)})."
                  " The deeper the colour, the fewer the points."),
        *(_pair(one) for one in found),
    )  # fmt: skip


def order_section(figures: Figures) -> Html:
    """The points of each directed scale in order: a reader sees that they never turn."""
    titles = {one["name"]: one["title"] for one in figures["tables"]}
    rows = [(titles[one["table"]], f"{one['feature'].replace('_', ' ')}: {DIRECTIONS[one['direction']]}",
             _in_order(one), mark("good" if one["against"] == 0 else "bad"))
            for one in figures["monotonicity"]]  # fmt: skip
    if not rows:
        return section("order", "Order of the points", paragraph("No characteristic has a stated direction."))
    return section(
        "order", "Order of the points",
        paragraph("The score is a sum of the points below, so it keeps a stated direction for every applicant if each"
                  " line does. Points run from the lowest values to the highest; of a pair, every line of the grid"
                  " along"
                  " that scale is listed."),
        table(("characteristic", "direction", "points in order", ""), rows),
    )  # fmt: skip


def signed(points: int) -> str:
    return f"{points:+d}" if points else "0"


def words_of(label: str) -> str:
    """A bin's label for people."""
    if label in STATES:
        return STATES[label]
    if label.startswith("special:"):
        return f"special code {label.removeprefix('special:').replace('_', ' ')}"
    if label.startswith("(-inf, "):
        return f"under {_number(label[7:-1])}"
    if label.endswith(", inf)"):
        return f"{_number(label[1:-6])} or more"
    if label.startswith("[") and label.endswith(")") and label.count(", ") == 1:
        low, high = label[1:-1].split(", ")
        return f"{_number(low)} to under {_number(high)}"
    return ", ".join(label.split("|")).replace("_", " ")


def _plain(name: str) -> Html:
    return html(name.replace("_", " "))


def _number(text: str) -> str:
    try:
        value = float(text)
    except ValueError:
        return text
    return f"{value:,.0f}" if value == round(value) and abs(value) >= 10_000 else f"{value:.6g}"


def _of_kind(figures: Figures, kind: str) -> list[OneTable]:
    return [one for one in figures["tables"] if one["kind"] == kind]


def _information(side: dict[str, Any] | None) -> str:
    return "not known" if side is None else figure(side["information_value"])


def _characteristic(place: int, one: OneTable, figures: Figures) -> Html:
    sides = [(name, one[key]) for key, name in (("training", "training"), ("test", sample_name(figures))) if one[key]]
    head = ["value", "points", *(text for name, _ in sides for text in (f"{name}: share", "bad rate"))]
    rows = [
        (words_of(label), signed(points), *(cell for _, side in sides for cell in _share(side, k)))
        for k, (label, points) in enumerate(zip(one["labels"], one["points"], strict=True)) if _is_shown(one, k)
    ]  # fmt: skip
    title = f"{one['title']}: {DIRECTIONS[one['directions'][0]]}"
    words = table(head, rows, numbers=range(1, len(head)))
    return Html(f'<div class="keep">{heading(title)}{beside(_bin_plot(place, one, sides), words)}</div>')


def _is_shown(one: OneTable, place: int) -> bool:
    """Bins always; missing and the like where some row has them."""
    return place < len(one["axes"][0]) or any(one[side] and one[side]["rows"][place] for side in ("training", "test"))


def _share(side: dict[str, Any], place: int) -> tuple[str, str]:
    rows, bads = side["rows"][place], side["bads"][place]
    return rate(rows / max(sum(side["rows"]), 1)), rate(bads / rows) if rows else ""


def _bin_plot(place: int, one: OneTable, sides: list[tuple[str, dict[str, Any]]]) -> str:
    shown = [k for k in range(len(one["labels"])) if _is_shown(one, k)]
    colours = (GREY, BLUE) if len(sides) == 2 else (BLUE,)
    sets = [Bars(f"rows, {name}", [side["rows"][k] / max(sum(side["rows"]), 1) for k in shown], colour)
            for (name, side), colour in zip(sides, colours, strict=True)]  # fmt: skip
    side = sides[-1][1]
    rates = [(i, side["bads"][k] / side["rows"][k]) for i, k in enumerate(shown) if side["rows"][k]]
    return bar_plot(
        f"bins-{place}", one["title"], f"Share of rows and bad rate in each bin of {one['title']}",
        [str(k + 1) if k < len(one["axes"][0]) else words_of(one["labels"][k]).split()[0] for k in shown],
        "line of the table", axis_to("share of rows", max(max(one.heights) for one in sets), percent), sets,
        over=Line(f"bad rate, {sides[-1][0]}", rates, ORANGE, marks=True),
        over_axis=axis_to("bad rate", max(found for _, found in rates), percent),
    )  # fmt: skip


def _pair(one: OneTable) -> Html:
    first, second = one["axes"]
    head = [Html(f"{_plain(one['features'][0])} &#8595; {_plain(one['features'][1])} &#8594;"), *map(words_of, second)]
    lines = [
        (words_of(label), *(_grid_cell(one, i * len(second) + j) for j in range(len(second))))
        for i, label in enumerate(first)
    ]
    rest = [f"{words_of(label)} {signed(points)}" for label, points in zip(one["labels"], one["points"], strict=True)]
    notes = f"Without two values: {', '.join(rest[len(first) * len(second) :])}. PSI {figure(one['psi'])}."
    directions = ", ".join(f"{feature.replace('_', ' ')}: {DIRECTIONS[direction]}" for feature, direction in zip(
        one["features"], one["directions"], strict=True))  # fmt: skip
    return Html(f'<div class="keep">{heading(one["title"])}{paragraph(directions, "soft")}'
                f"{table(head, lines, numbers=range(1, len(head)))}{paragraph(notes, 'soft')}</div>")  # fmt: skip


def _grid_cell(one: OneTable, place: int) -> Html:
    points, rows, bads = one["points"][place], one["test"]["rows"][place], one["test"]["bads"][place]
    span = max(abs(one["least_points"]), abs(one["most_points"]), 1)
    depth = round(max(-points, 0) / span * LARGEST_STEP) / 100 * 3
    under = f"{count(rows)}, {rate(bads / rows)}" if rows else "no rows"
    return Html(f'<span style="background:rgba(194,90,18,{depth:.2f})"><b>{signed(points)}</b></span>'
                f'<br><span class="soft">{under}</span>')  # fmt: skip


def _in_order(one: dict[str, Any]) -> Html:
    if one["kind"] == "characteristic":
        return html(" ".join(map(signed, one["points"])))
    return joined([Html(f"<div>{html(' '.join(map(signed, line)))}</div>") for line in one["points"]])
