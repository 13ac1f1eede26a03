"""The parts of the validation report on groups, challengers and gaming, and those that only a person can write."""

from typing import Any

from .findings import count, figure, p_text, rate, within
from .markup import Html, heading, html, joined, mark, paragraph, person_box, section, table
from .report_card import signed

Figures = dict[str, Any]
INSUFFICIENT = "insufficient evidence"
METHOD = (
    "Curves are drawn through at most 200 of their points, evenly taken; the figures use all rows. Scores are drawn in"
    " bands.",
    "Logistic regression: medians for what is missing, with an indicator; category levels of at least 1 %;"
    " standardised; L2 with C = 1. LightGBM: no directions, at most 1,000 trees of 31 leaves, learning rate 0.05,"
    " stopped early on a fifth of the training groups. One thread, fixed seed.",
    "Intervals of bad rates: Wilson. PSI: over the bins of the card; of the score, over ten bands of training rows.",
    "A group column of many numbers is cut into five bands, one of many texts keeps its eleven largest levels.",
)


def segments_section(figures: Figures) -> Html:
    if not figures["segments"]:
        return section("segments", "Segments", paragraph("The recipe names no columns to look at by segment."))
    parts = []
    for column, levels in figures["segments"].items():
        rows = [(one["level"], count(one["rows"]), count(one["bads"]), rate(one["bad_rate"]),
                 count(one["expected_bads"]), figure(one["observed_to_expected"], 2), _auc(one))
                for one in levels]  # fmt: skip
        parts += [heading(f"By {column}"), table(("", "rows", "bad", "bad rate", "bads expected", "observed / expected",
                                                  "AUC"), rows, numbers=range(1, 6))]  # fmt: skip
    return section("segments", "Segments", *parts)


def comparison_section(figures: Figures) -> Html:
    found, title = figures["comparison"], "Beside other models"
    if found is None:
        return section("comparison", title, paragraph("Not compared: the card was not learnt from this table, so no"
                                                      " other"
                                                      " model can be learnt from the same rows."))  # fmt: skip
    rows = [(one["name"], figure(one["auc"]), figure(one["card_auc"]),
             f"{one['difference']:+.4f} ({within(one['lower'], one['upper'], 4)})", p_text(one["p_value"]))
            for one in found["challengers"]]  # fmt: skip
    swaps = [(one["name"], *(count(one["swap"][name]) for name in ("in_rows", "in_bads", "out_rows", "out_bads")))
             for one in found["challengers"]]  # fmt: skip
    drawn = "" if found["training_rows"] == found["all_training_rows"] else (
        f" They learnt from {count(found['training_rows'])} of {count(found['all_training_rows'])} training rows, drawn"
        " at random, which may put them at a small disadvantage.")  # fmt: skip
    return section(
        "comparison", title,
        paragraph("Logistic regression and a LightGBM without directions, learnt from the same training rows and"
                  " the same"
                  f" {found['features']} features with settings fixed beforehand.{drawn}"),
        table(("", "its AUC", "card's AUC", "card less it", "DeLong"), rows, numbers=(1, 2)),
        heading("Swap sets"),
        paragraph(f"If each model accepted {rate(found['accept_share'])} of the rows: the rows that only the other one"
                  " would accept (swapped in) and those that only the card accepts (swapped out), with the bads among"
                  " them."),
        table(("", "swapped in", "bad", "swapped out", "bad"), swaps, numbers=range(1, 5)),
    )  # fmt: skip


def fairness_section(figures: Figures) -> Html:
    if not figures["fairness"]:
        return section("fairness", "Fairness", paragraph("No group column was named: see --group, or `fairness` in the"
                                                         " recipe."))  # fmt: skip
    accepted = figures["accepted"]
    how = "the recipe's cut-off" if accepted["source"] == "recipe" else "the cut-off that accepts 70 % of these rows"
    parts = [paragraph(f"Approved, for the purpose of this part only, means a score of {accepted['cut_off']} or more"
                       f" ({how}; {rate(accepted['share'])} are approved). It is no decision of any policy."
                       )]  # fmt: skip
    for column, one in figures["fairness"].items():
        parts += [heading(f"By {column}"), _fairness(one)]
    return section("fairness", "Fairness", *parts, paragraph(
        "Ratio: the approval rate over that of the largest group (adverse impact ratio). Below 0.8 is the customary"
        " sign of"
        " adverse impact. Of goods: the same among rows that turned out good (equal opportunity). Rows whose group"
        " is not"
        " given are left out.", "soft"))  # fmt: skip


def gaming_section(figures: Figures) -> Html:
    gaming = figures["gaming"]
    names = (("worsening", "a value made worse"), ("hiding", "a value left out"))
    rows = [(title, count(one["pairs"]), count(one["score_rose"]), signed(one["largest_rise"]),
             count(one["violations"]), mark("bad" if one["violations"] else "good"), _worst(one["worst"]))
            for one, title in ((gaming[name], title) for name, title in names)]  # fmt: skip
    over = gaming["hiding_moved_over_cut_off"]
    free = ", ".join(name.replace("_", " ") for name in gaming["undirected_inputs"]) or "none"
    return section(
        "gaming", "Can it be gamed?",
        paragraph("Random pairs of a row and an input. A worse value of an input with a direction must never raise the"
                  " score. A value left out may never earn more than it did and more than the points for missing"
                  " values,"
                  " which must not exceed the 25th percentile of the training points."),
        table(("", "tried", "score rose", "largest rise", "against the rule", "", "worst"), rows, numbers=(1, 2, 3, 4)),
        paragraph(f"Inputs on which the card makes no single claim, left out of the first line: {free}."),
        paragraph(f"Of the values left out, {count(over['optional_inputs'])} of optional and"
                  f" {count(over['required_inputs'])} of required inputs moved a row from below {gaming['cut_off']}"
                  " to it or"
                  " above. A required input that is missing refers the request whatever the score."),
        person_box("hiding and the policy", "Open point: no policy goes with this card yet. Once one does, show that"
                   " hiding a value never turns refer or decline into approve."),
    )  # fmt: skip


def gates_section(figures: Figures) -> Html:
    if not figures["gates"]:
        return section("gates", "Acceptance gates", paragraph("The recipe has no acceptance gates."))
    rows = [(one["gate"].replace("_", " "), one["required"], figure(one["found"]),
             mark("good" if one["passed"] else "bad", "passed" if one["passed"] else "failed"))
            for one in figures["gates"]]  # fmt: skip
    return section("gates", "Acceptance gates", table(("", "asked", "found", ""), rows, numbers=(2,)))


def rejects_section(figures: Figures) -> Html:
    """Only where the card was learnt with reject inference."""
    found = figures["reject_inference"]
    if not found:
        return Html("")
    rows = [(name.replace("_", " "), _plain(value)) for name, value in found.items()]
    return section(
        "rejects", "Rejected applicants",
        paragraph("The card was learnt with outcomes assumed for rejected applicants. That is an assumption, which"
                  " these"
                  " data can neither confirm nor refute. No figure elsewhere in this report counts an assumed"
                  " outcome."),
        table(("", ""), rows),
    )  # fmt: skip


def method_section(figures: Figures) -> Html:
    items = "".join(f"<li>{html(line)}</li>" for line in (*_method_of(figures["data"]), *METHOD))
    return section("method", "How this was made", Html(f"<ul>{items}</ul>"))


def people_section(figures: Figures) -> Html:
    """What no program can write."""
    lines = "".join(f"<span>{html(text)}</span>" for text in (
        "Validator (not the model's maker)", "Date", "Model owner", "Date", "Approved by", "Date"))  # fmt: skip
    return section(
        "people", "What a person writes",
        person_box("intended use, and who approved it", "Which decisions, which applicants, which products; by whom"
                                                        " and when"
                   " approved."),
        person_box("are these data like the lender's own applicants?", "Period, products, acceptance rules, changes"
                                                                       " since."),
        person_box("limits that are accepted", "Each point of attention above: accepted, and why, or to be mended by"
                                               " when."),
        person_box("the validator's opinion", "Fit for use, fit with conditions, or not fit; conditions; next"
                                              " validation due."),
        heading("Sign-off"), Html(f'<div class="lines">{lines}</div>'),
    )  # fmt: skip


def _method_of(data: dict[str, Any]) -> list[str]:
    independent = "DeLong, which takes rows as independent"
    if data["grouped_by"]:
        independent += f"; here rows of one {data['grouped_by']} belong together, so its intervals are too narrow"
    lines = [
        f"Every random draw uses the recipe's seed, {data['seed']}; there is no clock: made twice, this report is"
        " the same.",
        "Intervals of AUC: bootstrap of whole groups, fewer draws the larger the table, at least 200. Differences of"
        f" AUC: {independent}.",
        f"Challengers learn from at most {count(data['most_challenger_rows'])} rows.",
    ]
    if data["weighted_by"]:
        lines.append(f"Rows are weighted by {data['weighted_by']} in figures of ranking and calibration, not in tests,"
                     " counts and comparisons.")  # fmt: skip
    return lines


def _calibration(found: dict[str, Any] | None) -> tuple[str, str, str]:
    if found is None or not found["enough"]:
        return ("", "", INSUFFICIENT)
    ratio = f"{figure(found['ratio'], 2)} ({figure(found['lower'], 2)} to {figure(found['upper'], 2)})"
    return rate(found["expected"]), rate(found["observed"]), ratio


def _auc(one: dict[str, Any]) -> str:
    if one["auc"] is None:
        return INSUFFICIENT
    return f"{figure(one['auc'])} ({within(one['auc_lower'], one['auc_upper'])})"


def _fairness(one: dict[str, Any]) -> Html:
    if one["reference"] is None:
        return paragraph("There are not two groups to compare.")
    lines = []
    for group in one["groups"]:
        approval, goods = group["approval"], group["approval_of_goods"]
        lines.append((group["group"] + (" (reference)" if group["group"] == one["reference"] else ""),
                      count(approval["rows"]), rate(approval["rate"]), _ratio(approval), rate(goods and goods["rate"]),
                      _ratio(goods), *_calibration(group["calibration"])))  # fmt: skip
    head = ("", "rows", "approved", "ratio (95 %)", "approved of goods", "ratio (95 %)", "expected bad", "observed bad",
            "observed / expected (95 %)")  # fmt: skip
    note = f"{count(one['not_given'])} rows give no group." if one["not_given"] else ""
    return joined([table(head, lines, numbers=(1, 2, 4, 6, 7)), paragraph(note, "soft") if note else ""])


def _ratio(impact: dict[str, Any] | None) -> str:
    if impact is None or not impact["enough"]:
        return INSUFFICIENT
    return f"{figure(impact['ratio'], 2)} ({figure(impact['lower'], 2)} to {figure(impact['upper'], 2)})"


def _worst(worst: dict[str, Any] | None) -> str:
    if worst is None:
        return ""
    return f"{worst['input']}, row {count(worst['row'])}: {worst['score_before']} to {worst['score_after']}"


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return ", ".join(f"{name.replace('_', ' ')}: {_plain(part)}" for name, part in value.items())
    if isinstance(value, list):
        return "; ".join(str(_plain(part)) for part in value)
    return value
