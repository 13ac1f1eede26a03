"""The comparison of two models as one printable page, in the dress of the validation report, and its two files."""

import json
from collections.abc import Sequence
from pathlib import Path

from apps.common.files import write_folder
from apps.credit_requests.comparison_figures import BAND, SEGMENTS, SIDES, SWAPS, Document
from apps.scoring_engine.ml.learning.findings import count, figure, rate
from apps.scoring_engine.ml.learning.markup import (
    Html,
    beside,
    heading,
    html,
    joined,
    page,
    paragraph,
    section,
    table,
)
from apps.scoring_engine.ml.learning.plots import BLUE, ORANGE, Bars, axis_to, bar_plot, percent

MOST_LISTED = 20
SWAP_WORDS = {
    "in_in": "accepted by both",
    "in_out": "accepted by the first only",
    "out_in": "accepted by the second only",
    "out_out": "turned away by both",
}
SEGMENT_WORDS = {"product": "product", "branch": "branch", "purpose": "purpose of the credit"}
SCORED = {
    "again": (
        "Every application was scored again by both models, with the facts, the sources that were down and the day of"
        " the champion's latest scoring of it within the span, as they were sealed then. What changed later in a"
        " profile, a request or a record does not count."
    ),
    "as logged": (
        "Champion and challenger scored each application at the same moment on the same facts; their logged scores are"
        " compared, and nothing was scored again. Of each application the latest pair within the span counts."
    ),
}


def comparison_page(figures: Document) -> str:
    """The same figures give the same bytes."""
    title = "Two models on past applications"
    parts = (_opening, _models, _applications, _scores, _same_cut_off, _same_rate, _segments, _grades, _outcomes)
    head = joined([Html("<header>"), Html(f"<h1>{html(title)}</h1>"), paragraph(_under(figures), "soft")])
    return page(title, joined([head, Html("</header>\n"), *(part(figures) for part in parts)]))


def write_comparison(figures: Document, out: Path) -> None:
    """comparison.json and comparison.html in a new folder, which appears with both in it or not at all."""
    text = json.dumps(figures, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    write_folder(out, {"comparison.json": text, "comparison.html": comparison_page(figures)})


def _under(figures: Document) -> str:
    terms = figures["terms"]
    until = f"to before {terms['until']}" if terms["until"] else "on"
    versions = " (first) and ".join(figures["models"][side]["version"] for side in SIDES)
    return f"{versions} (second), segment {figures['segment']}, applications scored from {terms['since']} {until}"


def _opening(figures: Document) -> Html:
    same, equal = figures["same_cut_off"], figures["same_approval_rate"]
    moved = sum(same["swaps"][name]["number"] for name in ("in_out", "out_in"))
    compared = figures["applications"]["compared"]
    first = (
        f"At the cut-off {same['cut_off']['first']} the two models disagree on {count(moved)} of {count(compared)}"
        f" applications ({rate(moved / compared)})."
    )
    then = (
        f"The first accepts {rate(same['approval_rate']['first'])}, the second {rate(same['approval_rate']['second'])}."
        f" A cut-off of {equal['cut_off']['second']} for the second comes nearest to the first's approvals"
        f" ({rate(equal['approval_rate']['second'])})."
    )
    words = [paragraph(Html(f"<strong>{html(first)}</strong>")), paragraph(then), paragraph(_losses(same))]
    return Html(f'<div class="verdict">{joined(words)}</div>\n')


def _losses(same: Document) -> str:
    told = [f"of what the {side} accepts, {_own_losses(same['expected_loss'][side], side)}" for side in SIDES]
    return f"Expected loss, each by its own probabilities: {'; '.join(told)}."


def _own_losses(losses: list[Document], side: str) -> str:
    return " and ".join(f"{one['currency']} {count(one[f'by_{side}'])}" for one in losses) or "nothing"


def _models(figures: Document) -> Html:
    first, second = (figures["models"][side] for side in SIDES)
    rows = [
        ("Version", first["version"], second["version"]),
        ("Purpose", first["purpose"], second["purpose"]),
        ("Bad means", first["definition_of_bad"], second["definition_of_bad"]),
        ("Horizon of the probability", _horizon(first), _horizon(second)),
        ("Digest", first["digest"][:16], second["digest"][:16]),
    ]
    differs = [name for name in ("definition_of_bad", "horizon") if first[name] != second[name]]
    warning = (
        "The two do not foretell the same thing: what bad means, or the time it is foretold for, differs. Compare their"
        " ranking; their probabilities and expected losses stand on different ground."
    )
    return section(
        "models", "The models", table(("", "first", "second"), rows),
        paragraph(Html(f"<strong>{html(warning)}</strong>")) if differs else "",
    )  # fmt: skip


def _horizon(model: Document) -> str:
    months = f"{model['horizon']['months']} months"
    return months if model["horizon"]["kind"] == "fixed" else f"the whole contract; {months} where no term is known"


def _applications(figures: Document) -> Html:
    told = figures["applications"]
    rows = [
        ("scored in the span", told["found"], ""),
        ("compared", told["compared"], ""),
        ("left out: facts erased", told["erased"], "the person's data were erased on request"),
        ("left out: not readable", told["unreadable"], "what is sealed was changed; run verify and replay"),
        ("left out: refused by a model", told["refused"],
         f"by the first {told['refused_by_first']}, by the second {told['refused_by_second']}"),
        ("left out: other models", told["other_models"], "another champion or challenger scored them"),
        ("beside these: no application", told["without_a_request"], "facts that a caller sent, with no request"),
        ("a required fact missing, first", told["missing_required_first"], "compared, but in life it is referred"),
        ("a required fact missing, second", told["missing_required_second"], "compared, but in life it is referred"),
        ("demonstration requests", told["demonstration"], "compared; they were invented"),
    ]  # fmt: skip
    shown = [(name, count(number), why) for name, number, why in rows if number or not why]
    span = f"Scorings from {_minute(figures['first_scoring'])} to {_minute(figures['last_scoring'])} UTC."
    return section(
        "applications", "The applications", paragraph(SCORED[figures["scored"]]),
        table(("applications", "number", ""), shown, numbers=(1,)), paragraph(span, "soft"),
    )  # fmt: skip


def _minute(moment: str) -> str:
    return moment[:16].replace("T", " ")


def _scores(figures: Document) -> Html:
    scores, number = figures["scores"], figures["applications"]["compared"]
    sets = [Bars(side, [band[side] / number for band in scores["bands"]], colour)
            for side, colour in zip(SIDES, (BLUE, ORANGE), strict=True)]  # fmt: skip
    plot = bar_plot("bands", "Scores", "Share of the applications in each band of scores, by both models",
                    [str(band["from"]) for band in scores["bands"]], f"score (bands of {BAND})",
                    axis_to("share of applications", max(max(one.heights) for one in sets), percent), sets)  # fmt: skip
    names = ["lowest", *(f"{tenth}0 %" for tenth in range(1, 10)), "highest"]
    rows = list(zip(names, *(scores[side]["deciles"] for side in SIDES), strict=True))
    rows.append(("mean", *(figure(scores[side]["mean"], 1) for side in SIDES)))
    about = (
        f"Correlation of the scores: Pearson {figure(scores['pearson'])}, Spearman (of the ranks)"
        f" {figure(scores['spearman'])}. Equal scores: {count(scores['equal'])}. Mean distance:"
        f" {figure(scores['mean_distance'], 1)} points; 50 points double the odds."
    )
    return section(
        "scores", "Scores",
        beside(plot, table(("deciles", "first", "second"), rows, numbers=(1, 2)),
               "A decile is the smallest score with at least that share of the applications at or below it."),
        paragraph(about),
    )  # fmt: skip


def _same_cut_off(figures: Document) -> Html:
    found = figures["same_cut_off"]
    intro = f"An application with {found['cut_off']['first']} points or more is accepted, by either model."
    return section("same-cut-off", "At the same cut-off", paragraph(intro), *_accepted(figures, found))


def _same_rate(figures: Document) -> Html:
    found = figures["same_approval_rate"]
    intro = (
        f"The first stays at {found['cut_off']['first']}; the second accepts from {found['cut_off']['second']} on,"
        " which brings its number of approvals nearest to the first's."
    )
    return section("same-rate", "At the same approval rate", paragraph(intro), *_accepted(figures, found))


def _accepted(figures: Document, found: Document) -> Sequence[Html]:
    rates = [(side, found["cut_off"][side], count(found["approved"][side]), rate(found["approval_rate"][side]))
             for side in SIDES]  # fmt: skip
    swaps = [_swap_row(name, found["swaps"][name]) for name in SWAPS]
    formula = (
        "Expected loss = sum of amount x probability of default x loss given default over the accepted applications."
        f" Loss given default: {rate(figures['terms']['loss_given_default'])} of the amount. Amounts are those asked"
        " for, never added across currencies."
    )
    return (
        table(("model", "cut-off", "accepted", "approval rate"), rates, numbers=(1, 2, 3)),
        heading("Swap sets"),
        table(("", "applications", "amount", "mean probability, first", "mean probability, second"), swaps,
              numbers=(1, 2, 3, 4)),
        heading("Expected loss"), _loss_table(found["expected_loss"]), paragraph(formula, "soft"),
    )  # fmt: skip


def _swap_row(name: str, one: Document) -> tuple[object, ...]:
    amounts = Html("<br>".join(f"{html(currency)} {count(amount)}" for currency, amount in one["amounts"].items()))
    means = (_mean(one["mean_probability_of_default"][side]) for side in SIDES)
    return (SWAP_WORDS[name], count(one["number"]), amounts, *means)


def _mean(value: float | None) -> str:
    return "-" if value is None else rate(value)


def _loss_table(losses: Document) -> Html:
    rows = [
        (f"the {side}", one["currency"], count(one["number"]), count(one["amount"]), count(one["by_first"]),
         count(one["by_second"]))
        for side in SIDES for one in losses[side]
    ]  # fmt: skip
    if not rows:
        return paragraph("Nothing is accepted, so nothing is expected to be lost.")
    head = ("accepted by", "currency", "applications", "amount", "expected loss by the first's probabilities",
            "by the second's")  # fmt: skip
    return table(head, rows, numbers=(2, 3, 4, 5))


def _segments(figures: Document) -> Html:
    cut_off = figures["terms"]["cut_off"]
    intro = f"Approval and disagreement at the cut-off {cut_off} of both; first only, second only: who accepts."
    intro += " The product is the one that the request names today; all else is as it was."
    parts = [part for name in SEGMENTS for part in _segment(name, figures["segments"][name])]
    return section("segments", "Disagreement by segment", paragraph(intro), *parts)


def _segment(name: str, found: list[Document]) -> Sequence[Html]:
    shown = {one["value"]: one["value"].replace("_", " ") if name == "purpose" else one["value"] for one in found}
    rows = [_segment_row(shown[one["value"]], one) for one in found[:MOST_LISTED]]
    head = (name, "applications", "approved by first", "by second",
            "first only", "second only", "disagreement", "mean score, first", "second")  # fmt: skip
    more = len(found) - MOST_LISTED
    rest = paragraph(f"{count(more)} smaller ones stand in comparison.json.", "soft") if more > 0 else Html("")
    return (heading(f"By {SEGMENT_WORDS[name]}"), table(head, rows, numbers=range(1, 9)), rest)


def _segment_row(value: str, one: Document) -> tuple[str, ...]:
    rates = (rate(one["approval_rate"][side]) for side in SIDES)
    means = (figure(one["mean_score"][side], 1) for side in SIDES)
    disagree = (count(one["in_out"]), count(one["out_in"]), rate(one["disagreement"]))
    return (value, count(one["number"]), *rates, *disagree, *means)


def _grades(figures: Document) -> Html:
    moves: dict[str, dict[str, int]] = figures["grades"]["moves"]
    rows = [(grade, *(_cell(number, other == grade) for other, number in line.items()), count(sum(line.values())))
            for grade, line in moves.items()]  # fmt: skip
    about = (
        f"Grades ({figures['grades']['version']}) are bands of the probability within one year, A the safest. A line"
        " is the grade by the first, a column the grade by the second. In bold: both give the same. Right of it the"
        " second sees more risk, left of it less."
    )
    found = table(("first, second", *moves, "all"), rows, numbers=range(1, len(moves) + 2))
    return section("grades", "Grades", found, paragraph(about, "soft"))


def _cell(number: int, same: bool) -> object:
    shown = count(number) if number else "-"
    return Html(f"<b>{shown}</b>") if same else shown


def _outcomes(figures: Document) -> Html:
    text = (
        "No outcome of these applications is known here. So nothing on this page says which of the two models was"
        " right: it says where they differ, and what each expects. Expected loss by a model's own probabilities"
        " flatters the model that is too hopeful; that is why it stands beside the other's."
    )
    return section("outcomes", "Outcomes", paragraph(text))
