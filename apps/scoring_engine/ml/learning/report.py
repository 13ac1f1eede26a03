"""The validation report: one self-contained HTML page, a pure function of the figures of validation.py."""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from .findings import BAD, count, counted, figure, findings, opening, rate, sample_name, within
from .markup import (
    Html,
    beside,
    finding_list,
    heading,
    html,
    joined,
    mark,
    page,
    paragraph,
    section,
    table,
)
from .plots import BLUE, GREY, ORANGE, Axis, Bars, Intervals, Line, axis_to, bar_plot, line_plot, percent
from .report_card import card_section, characteristics_section, order_section, pairs_section
from .report_people import (
    comparison_section,
    fairness_section,
    gaming_section,
    gates_section,
    method_section,
    people_section,
    rejects_section,
    segments_section,
)
from .writing_files import write_together

Figures = dict[str, Any]
MARKS = (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


def report(figures: Figures) -> str:
    """The whole page. The same figures give the same bytes."""
    model = figures["model"]
    sections: Sequence[Callable[[Figures], Html]] = (
        _data, _ranking, _calibration, _grades, _distribution, card_section, characteristics_section, pairs_section,
        order_section, segments_section, comparison_section, fairness_section, gaming_section, gates_section,
        rejects_section, method_section, people_section,
    )  # fmt: skip
    parts = [one(figures) for one in sections]
    title = f"Validation of {model['version']}"
    return page(title, joined([Html(f"<header><h1>{html(title)}</h1>"), paragraph(model["title"], "soft"),
                               Html("</header>\n"), _verdict(figures), _model(figures), *parts]))  # fmt: skip


def write_report(figures: Figures, out: Path) -> None:
    """Writes validation.json and validation.html to a folder, both or none; raises TrainingError."""
    texts = {
        "validation.json": json.dumps(figures, indent=1, ensure_ascii=False, allow_nan=False) + "\n",
        "validation.html": report(figures),
    }
    write_together({name: text.encode() for name, text in texts.items()}, out)


def _verdict(figures: Figures) -> Html:
    found = findings(figures)
    first = " ".join(one.text for one in found if one.topic in ("ranking", "evidence", "level of risk", "calibration"))
    wrong = [one.text for one in found if one.level == BAD and one.text not in first]
    items = Html("".join(f"<li>{html(text)}</li>" for text in wrong))
    words = joined([paragraph(Html(f"<strong>{html(opening(found))}</strong>")), paragraph(first),
                    Html(f"<ul>{items}</ul>") if wrong else ""])  # fmt: skip
    return joined([Html(f'<div class="verdict">{words}</div>\n'), section(
        "findings", "What the figures say", finding_list(found),
        paragraph("Every sentence here was written from the figures of this report. What they mean for this lender is"
                  " for a person to say, at the end.", "soft"))])  # fmt: skip


def _model(figures: Figures) -> Html:
    model, horizon = figures["model"], figures["model"]["horizon"]
    span = f"{horizon['months']} months"
    span = f"the whole contract, {span} where no term is known" if horizon["kind"] == "contract" else span
    rows = [
        ("Version", model["version"]), ("Segment", model["segment"]), ("Purpose", model["purpose"]),
        ("Bad means", model["definition_of_bad"]), ("Horizon of the probability", span),
        ("Origin of the training data", model["origin"]), ("Population", model["population"]),
        ("Owner", model["owner"]), ("Use", model["use"]), ("Materiality", model["materiality"]),
        ("Why", model["materiality_why"]),
        ("Size", f"{counted(model['characteristics'], 'characteristic')} with {counted(model['bins'], 'bin')},"
                 f" {counted(model['pairs'], 'pair')} with {counted(model['cells'], 'cell')}"),
        ("Scores", f"{model['least_score']} to {model['most_score']} can be reached; 400 is even odds, every"
                   f" {model['points_to_double_odds']} points double the odds of being good"),
        ("Model file", f"{model['file']}, SHA-256 {model['sha256']}"),
    ]  # fmt: skip
    return section("model", "The model", table(("", ""), [(a, b or "(not stated)") for a, b in rows]))


def _data(figures: Figures) -> Html:
    data = figures["data"]
    files = [(one["name"], one["file"], count(one["rows"]), "yes" if one["as_in_training"] else "no", one["sha256"])
             for one in data["sources"]]  # fmt: skip
    left_out = [(one["reason"], count(one["rows"])) for one in data["excluded"]]
    sides = [(name, count(one["rows"]), count(one["bads"]), rate(one["bad_rate"]))
             for name, one in _both(figures)]  # fmt: skip
    return section(
        "data", "The data", paragraph(_split(data)),
        table(("table", "file", "rows", "as in training", "SHA-256"), files, numbers=(2,)),
        table(("", "rows", "bad", "bad rate"), sides, numbers=(1, 2, 3)),
        table(("rows left out by the recipe", "rows"), left_out, numbers=(1,)) if left_out else "",
        *(paragraph(f"Warning: {text}") for text in data["warnings"]),
        paragraph(f"Recipe: {data['recipe']['file']}, SHA-256 {data['recipe']['sha256']}"
                  + (", named by hand." if data["recipe"]["named_by_hand"] else ", the one the card was made by."),
                  "soft"),
    )  # fmt: skip


def _split(data: dict[str, Any]) -> str:
    if data["kind"] == "out_of_time":
        return (
            f"The card was learnt from rows before {data['cut']} of this table; it is tested on the rows from then on"
            f" ({data['test_from']} to {data['test_to']})."
        )
    if data["kind"] == "holdout":
        by = f", whole groups of {data['grouped_by']}" if data["grouped_by"] else ""
        return (
            f"A share of {rate(data['holdout'])} of this table was held back at random{by} when the card was learnt; it"
            " is tested on those rows."
        )
    return (
        "The card was not learnt from this table (its SHA-256 is not in the card's provenance): all rows are new to it"
        " and form one sample."
    )


def _ranking(figures: Figures) -> Html:
    rows = [(name, f"{figure(one['auc'])} ({within(one['auc_lower'], one['auc_upper'])})", figure(one["gini"]),
             figure(one["ks"]), figure(one["lift_at_10"], 2)) for name, one in _both(figures)]  # fmt: skip
    return section(
        "ranking", "How well it ranks",
        table(("", "AUC", "Gini", "KS", "lift of the riskiest 10 %"), rows, numbers=(2, 3, 4)),
        paragraph("Intervals: 95 %, bootstrap. Figures on training rows flatter, as the card has seen them.", "soft"),
        _roc(figures), _ks(figures), _gain(figures),
    )  # fmt: skip


def _roc(figures: Figures) -> Html:
    lines = _curves(figures, "roc")
    plot = line_plot("roc", "ROC", "Share of bads found for every share of goods turned away",
                     Axis("goods turned away", 0, 1, percent), Axis("bads found", 0, 1, percent),
                     [Line("chance", [(0, 0), (1, 1)], GREY, "2 4"), *lines])  # fmt: skip
    rows = [(percent(x), rate(_at(figures["test"]["roc"], x))) for x in MARKS]
    return beside(plot, table(("goods turned away", "bads found"), rows, numbers=(0, 1), caption="ROC"))


def _ks(figures: Figures) -> Html:
    bands, width = figures["test"]["distribution"]["bands"], figures["test"]["distribution"]["width"]
    curves, totals = {}, {}
    for side in ("bads", "goods"):
        totals[side] = sum(band[side] for band in bands)
        so_far, curves[side] = 0, [(bands[0]["from"], 0.0)]
        for band in bands:
            so_far += band[side]
            curves[side].append((band["from"] + width, so_far / totals[side]))
    rows = [(f"under {x}", rate(bad), rate(good), rate(bad - good))
            for (x, bad), (_, good) in zip(curves["bads"][1:], curves["goods"][1:], strict=True)]  # fmt: skip
    axis = Axis("score", bands[0]["from"], bands[-1]["from"] + width)
    plot = line_plot("ks", "KS", "Share of bads and of goods below each score, at the ends of score bands", axis,
                     Axis("share below the score", 0, 1, percent),
                     [Line("bads", curves["bads"], ORANGE), Line("goods", curves["goods"], BLUE, "6 3")])  # fmt: skip
    return beside(plot, table(("score", "bads", "goods", "distance"), rows, numbers=(1, 2, 3), caption="KS by band"),
                  f"KS over all scores: {figure(figures['test']['ks'])}.")  # fmt: skip


def _gain(figures: Figures) -> Html:
    lines = _curves(figures, "gain")
    plot = line_plot("gain", "Gain", "Share of bads among each share of the riskiest rows",
                     Axis("riskiest rows", 0, 1, percent), Axis("bads among them", 0, 1, percent),
                     [Line("chance", [(0, 0), (1, 1)], GREY, "2 4"), *lines])  # fmt: skip
    rows = [(percent(x), rate(found := _at(figures["test"]["gain"], x)), figure(found / x, 2)) for x in MARKS]
    return beside(plot, table(("riskiest rows", "bads", "lift"), rows, numbers=(0, 1, 2), caption="Gain"))


def _calibration(figures: Figures) -> Html:
    names = ("calibration_slope", "calibration_intercept", "observed_to_expected", "brier", "log_loss",
             "expected_calibration_error")  # fmt: skip
    titles = ("slope", "intercept", "observed / expected", "Brier", "log-loss", "expected calibration error")
    rows = [(name, *(figure(one[key], 4 if key == "expected_calibration_error" else 3) for key in names))
            for name, one in _both(figures)]  # fmt: skip
    tests = [(name, f"{figure(one['hosmer_lemeshow']['statistic'], 1)}"
              f" on {one['hosmer_lemeshow']['degrees_of_freedom']}", figure(one["hosmer_lemeshow"]["p_value"]),
              mark(one["hosmer_lemeshow"]["light"]), figure(one["spiegelhalter"]["z"], 2),
              figure(one["spiegelhalter"]["p_value"]), mark(one["spiegelhalter"]["light"]))
             for name, one in _both(figures)]  # fmt: skip
    return section(
        "calibration", "How right its probabilities are", table(("", *titles), rows, numbers=range(1, 7)),
        table(("", "Hosmer-Lemeshow (chi-squared)", "p", "", "Spiegelhalter z", "p", ""), tests, numbers=(1, 2, 4, 5)),
        paragraph("Slope 1, intercept 0 and observed / expected 1 are right. Lights: green from p = 0.05, amber from"
                  " 0.01,"
                  " red below.", "soft"), _curve(figures["test"]),
    )  # fmt: skip


def _curve(test: dict[str, Any]) -> Html:
    bins = test["calibration"]
    most = max(max(one["expected"], one["upper"]) for one in bins)
    x, y = axis_to("expected bad rate", most, percent), axis_to("observed bad rate", most, percent)
    plot = line_plot("calibration-curve", "Calibration", "Observed bad rate with 95 % interval against the expected"
                                                         " one,"
                     " in ten bins of about equally many rows", x, y,
                     [Line("right", [(0, 0), (x.most, y.most)], GREY, "2 4"), Intervals("observed, 95 %", [
                         (one["expected"], one["observed"], one["lower"], one["upper"]) for one in bins])])  # fmt: skip
    rows = [(count(one["rows"]), rate(one["expected"]), rate(one["observed"]),
             f"{rate(one['lower'])} to {rate(one['upper'])}") for one in bins]  # fmt: skip
    return beside(plot, table(("rows", "expected", "observed", "95 %"), rows, numbers=(0, 1, 2, 3), row_heads=False,
                              caption="Calibration"))  # fmt: skip


def _grades(figures: Figures) -> Html:
    rows = []
    for one in figures["test"]["grades"]:
        tests = [cell for name in ("binomial", "jeffreys") for cell in _test(one[name])]
        rows.append((one["grade"], count(one["rows"]), count(one["bads"]), rate(one["expected"]), rate(one["observed"]),
                     *tests) if one["rows"] else (one["grade"], "0", "0", "", "", "", "", "", ""))  # fmt: skip
    return section(
        "grades", "Grade by grade",
        table(("grade", "rows", "bad", "expected", "observed", "binomial p", "", "Jeffreys p", ""), rows,
              numbers=(1, 2, 3, 4, 5, 7)),
        paragraph(f"Grades ({figures['model']['grades']}) are bands of the probability within one year; expected and"
                  " observed are over the horizon of the card. Both tests ask whether there are more bads than the"
                  " probabilities allow.", "soft"),
    )  # fmt: skip


def _distribution(figures: Figures) -> Html:
    found = figures["test"]["distribution"]
    bands, rows = found["bands"], figures["test"]["rows"]
    sets = [Bars("goods", [one["goods"] / rows for one in bands], BLUE),
            Bars("bads", [one["bads"] / rows for one in bands], ORANGE)]  # fmt: skip
    plot = bar_plot("scores", "Scores", "Share of all rows that are good, and bad, in each band of scores",
                    [str(one["from"]) for one in bands], f"score (bands of {found['width']})",
                    axis_to("share of rows", max(max(one.heights) for one in sets), percent), sets)  # fmt: skip
    lines = [(f"{one['from']} to {one['from'] + found['width'] - 1}", count(one["goods"]), count(one["bads"]),
              rate(one["bads"] / max(one["goods"] + one["bads"], 1))) for one in bands]  # fmt: skip
    return section("scores", "Scores", beside(plot, table(("score", "goods", "bads", "bad rate"), lines,
                                                          numbers=(1, 2, 3))), _score_stability(figures))  # fmt: skip


def _score_stability(figures: Figures) -> Html:
    found = figures["score_stability"]
    if found is None:
        return paragraph("How the score's distribution moved since training cannot be told: its training rows are not"
                         " among these data.")  # fmt: skip
    totals = [sum(band[side] for band in found["bands"]) for side in ("training", "test")]
    rows = [(_span(one), rate(one["training"] / totals[0]), rate(one["test"] / totals[1])) for one in found["bands"]]
    return joined([heading("Stability of the score"),
                   paragraph(joined([f"PSI {figure(found['psi'])} ", mark(found["light"])])),
                   table(("score", "training", sample_name(figures)), rows, numbers=(1, 2))])  # fmt: skip


def _span(band: dict[str, Any]) -> str:
    if band["from"] is None:
        return "all" if band["below"] is None else f"under {band['below']}"
    return f"{band['from']} or more" if band["below"] is None else f"{band['from']} to {band['below'] - 1}"


def _test(one: dict[str, Any]) -> tuple[object, object]:
    return ("", "") if one is None else (figure(one["p_value"]), mark(one["light"]))


def _both(figures: Figures) -> list[tuple[str, dict[str, Any]]]:
    sides = ((sample_name(figures), figures["test"]), ("training", figures["training"]))
    return [(name, one) for name, one in sides if one is not None]


def _curves(figures: Figures, name: str) -> list[Line]:
    styles = ((BLUE, ""), (ORANGE, "6 3"))
    return [Line(title, one[name], *style) for (title, one), style in zip(_both(figures), styles, strict=False)]


def _at(curve: Sequence[Sequence[float]], x: float) -> float:
    """The height of a rising curve at x, straight between its points."""
    before = max((point for point in curve if point[0] <= x), default=curve[0])
    after = min((point for point in curve if point[0] > x), default=curve[-1])
    span = after[0] - before[0]
    return before[1] if span <= 0 else before[1] + (after[1] - before[1]) * (x - before[0]) / span
