"""Sentences written from the figures of a validation, each with what it means: good, note or bad.

Limits: calibration slope and observed to expected 0.8..1.25; PSI 0.1 and 0.25; adverse impact ratio 0.8 (the
four-fifths rule); 5 % for tests. They are customs, not laws: the figures stand beside them.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

GOOD, NOTE, BAD = "good", "note", "bad"
LEAST, MOST = 0.8, 1.25
FEW_BADS = 100
WEAK_AUC, LARGE_DROP = 0.6, 0.05
FOUR_FIFTHS = 0.8
SIGNIFICANT = 0.05
SAMPLES = {
    "out_of_time": "out of time", "holdout": "held back from training",
    "new_data": "of a table that the card was not trained on",
}  # fmt: skip
SHORT_SAMPLES = {"out_of_time": "out of time", "holdout": "held back", "new_data": "new rows"}
Figures = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Finding:
    topic: str
    level: str
    text: str


def findings(figures: Figures) -> list[Finding]:
    """All that the figures say, in the order of the report."""
    parts: tuple[Callable[[Figures], Iterator[Finding]], ...] = (
        _ranking, _evidence, _in_time, _expected, _slope, _tests, _grades, _stability, _comparison, _segments,
        _monotonicity, _gaming, _fairness, _gates, _origin,
    )  # fmt: skip
    return [found for part in parts for found in part(figures)]


def opening(found: list[Finding]) -> str:
    """One sentence that counts what follows."""
    bad, notes = (sum(one.level == level for one in found) for level in (BAD, NOTE))
    if not bad and not notes:
        return f"All {len(found)} statements below are within the customary limits."
    topics = list(dict.fromkeys(one.topic for one in found if one.level == BAD))
    first = f"{counted(bad, 'finding')} outside the customary limits ({', '.join(topics)})" if bad else (
        "No finding is outside the customary limits")  # fmt: skip
    return f"{first}; {counted(notes, 'point')} to know."


def sample_name(figures: Figures) -> str:
    """What the test rows are, short enough to head a column."""
    return SHORT_SAMPLES[figures["data"]["kind"]]


def count(value: float) -> str:
    return f"{value:,.0f}"


def rate(value: float | None) -> str:
    return "not known" if value is None else f"{value * 100:.2f} %" if abs(value) < 0.1 else f"{value * 100:.1f} %"


def figure(value: float | None, digits: int = 3) -> str:
    return "not known" if value is None else f"{value:.{digits}f}"


def p_text(value: float | None) -> str:
    return "p not known" if value is None else "p < 0.001" if value < 0.001 else f"p = {value:.3f}"


def within(lower: float | None, upper: float | None, digits: int = 3) -> str:
    return f"95 %: {figure(lower, digits)} to {figure(upper, digits)}"


def counted(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"


def _ranking(figures: Figures) -> Iterator[Finding]:
    test, sample = figures["test"], SAMPLES[figures["data"]["kind"]]
    text = (
        f"On {count(test['rows'])} rows {sample} ({count(test['bads'])} bad, {rate(test['bad_rate'])}) the card"
        f" separates with AUC {figure(test['auc'])} ({within(test['auc_lower'], test['auc_upper'])}), Gini"
        f" {figure(test['gini'])}, KS {figure(test['ks'])}."
    )
    if test["auc_lower"] is None or test["auc_lower"] <= 0.5:
        yield Finding("ranking", BAD, f"{text} That cannot be told from chance.")
    elif test["auc"] < WEAK_AUC:
        yield Finding("ranking", BAD, f"{text} That is weak.")
    else:
        yield Finding("ranking", GOOD, text)


def _evidence(figures: Figures) -> Iterator[Finding]:
    bads, goods = figures["test"]["bads"], figures["test"]["rows"] - figures["test"]["bads"]
    fewest, what = min((bads, "bad"), (goods, "good"))
    if fewest < FEW_BADS:
        yield Finding("evidence", BAD, f"{count(fewest)} {what} rows are too few to settle anything: fewer than"
                      f" {FEW_BADS}, so every figure here is an orientation only.")  # fmt: skip


def _in_time(figures: Figures) -> Iterator[Finding]:
    training, test = figures["training"], figures["test"]
    if training is None:
        return
    drop = training["auc"] - test["auc"]
    text = (
        f"On its own {count(training['rows'])} training rows the AUC is {figure(training['auc'])}, which flatters, as"
        f" the card has seen them; the difference is {drop:+.3f}."
    )
    yield Finding("training", NOTE if drop > LARGE_DROP else GOOD, text)


def _expected(figures: Figures) -> Iterator[Finding]:
    test = figures["test"]
    found, expected = test["observed_to_expected"] or 0.0, test["expected_bads"]
    observed = test["bad_rate"] * test["rows"]
    weighted = " (weighted)" if test["weighted"] else ""
    text = (
        f"Expected {count(expected)} bad, observed {count(observed)}{weighted}: {figure(found)} times what was expected"
    )
    if LEAST <= found <= MOST:
        yield Finding("level of risk", GOOD, f"{text}.")
    else:
        more = "too few: the card is too optimistic" if found > 1 else "too many: the card is too cautious"
        yield Finding("level of risk", BAD, f"{text}, so it expects {more}.")


def _slope(figures: Figures) -> Iterator[Finding]:
    test = figures["test"]
    slope, error = test["calibration_slope"], test["expected_calibration_error"]
    if slope is None:
        yield Finding("calibration", BAD, "The calibration slope cannot be known: no finite slope fits these rows.")
        return
    span = within(test["calibration_slope_lower"], test["calibration_slope_upper"])
    text = (
        f"The calibration slope is {figure(slope)} ({span}; 1 is right), the expected calibration error {rate(error)}"
    )
    if LEAST <= slope <= MOST:
        yield Finding("calibration", GOOD, f"{text}.")
    elif slope < LEAST:
        yield Finding("calibration", BAD, f"{text}: the card is too sure of itself, high risks are overstated and low"
                      " risks understated.")  # fmt: skip
    else:
        yield Finding("calibration", BAD, f"{text}: the card is too timid, risks differ more than it says.")


def _tests(figures: Figures) -> Iterator[Finding]:
    test = figures["test"]
    pairs = (("Hosmer-Lemeshow", test["hosmer_lemeshow"]), ("Spiegelhalter", test["spiegelhalter"]))
    for name, one in pairs:
        if one["light"] == "red":
            yield Finding("calibration", NOTE, f"{name} rejects that the probabilities are exactly right"
                          f" ({p_text(one['p_value'])}); with many rows such a test rejects deviations that do not"
                          " matter, so read the curve.")  # fmt: skip


def _grades(figures: Figures) -> Iterator[Finding]:
    red = [one for one in figures["test"]["grades"] if one["jeffreys"] and one["jeffreys"]["light"] == "red"]
    for one in red:
        yield Finding("grades", BAD, f"Grade {one['grade']} has more bads than its probabilities allow: expected"
                      f" {rate(one['expected'])}, observed {rate(one['observed'])} of {count(one['rows'])} rows"
                      f" (Jeffreys, {p_text(one['jeffreys']['p_value'])}).")  # fmt: skip
    if not red:
        yield Finding("grades", GOOD, "No grade has significantly more bads than expected at 1 % (Jeffreys).")


def _stability(figures: Figures) -> Iterator[Finding]:
    score = figures["score_stability"]
    if score is not None:
        words = {"green": "is stable", "amber": "moved somewhat", "red": "moved"}
        level = {"green": GOOD, "amber": NOTE, "red": NOTE if _by_chance(score) else BAD}[score["light"]]
        yield Finding("stability", level, f"The score's distribution {words[score['light']]} between training and test"
                      f" rows (PSI {figure(score['psi'])}).")  # fmt: skip
    known = [one for one in figures["tables"] if one["psi"] is not None]
    for light, level, words in (("red", BAD, "0.25 or more"), ("amber", NOTE, "0.1 to 0.25")):
        moved = [one for one in known if one["light"] == light]
        if real := [one for one in moved if not _by_chance(one)]:
            yield Finding("stability", level, f"The rows moved between bins (PSI {words}): {_indices(real)}.")
        if few := [one for one in moved if _by_chance(one)]:
            yield Finding("stability", NOTE, f"PSI {words}, but so few rows show as much by chance: {_indices(few)}.")
    if not known:
        yield Finding("stability", NOTE, "The counts of the training rows are not known, so stability cannot be told.")


def _by_chance(one: dict[str, Any]) -> bool:
    """Not above twice what two samples of one population show."""
    return one["psi"] is not None and one["psi"] <= 2 * one["psi_by_chance"]


def _indices(tables: list[dict[str, Any]]) -> str:
    return ", ".join(f"{one['title']} ({figure(one['psi'])})" for one in tables)


def _comparison(figures: Figures) -> Iterator[Finding]:
    compared = figures["comparison"]
    if compared is None:
        yield Finding("comparison", NOTE, "No training rows are among these data, so logistic regression and LightGBM"
                      " could not be trained and nothing is compared.")  # fmt: skip
        return
    for one in compared["challengers"]:
        beside = f"{one['name']} (AUC {figure(one['auc'])})"
        span = f"{within(one['lower'], one['upper'])}, {p_text(one['p_value'])}, DeLong"
        if one["p_value"] is None or one["p_value"] >= SIGNIFICANT:
            yield Finding("comparison", NOTE if one["name"].startswith("logistic") else GOOD,
                          f"The card and {beside} cannot be told apart: difference {one['difference']:+.3f}"
                          f" ({span}).")  # fmt: skip
        elif one["difference"] > 0:
            text = f"The card ranks better than {beside} by {one['difference']:.3f} ({span})."
            yield Finding("comparison", GOOD, text)
        else:
            text = f"The card ranks worse than {beside} by {-one['difference']:.3f} ({span})."
            yield Finding("comparison", BAD, text)


def _segments(figures: Figures) -> Iterator[Finding]:
    for column, levels in figures["segments"].items():
        wrong = [f"{one['level']} ({figure(one['observed_to_expected'], 2)})" for one in levels
                 if one["auc"] is not None and one["bads"] >= FEW_BADS
                 and not LEAST <= one["observed_to_expected"] <= MOST]  # fmt: skip
        if wrong:
            yield Finding("segments", BAD, f"By {column}, observed to expected bads leave {LEAST} to {MOST} for"
                          f" {', '.join(wrong)}.")  # fmt: skip


def _monotonicity(figures: Figures) -> Iterator[Finding]:
    proven = figures["monotonicity"]
    against, steps = sum(one["against"] for one in proven), sum(one["steps"] for one in proven)
    if against:
        yield Finding("order", BAD, f"{count(against)} of {count(steps)} steps of points go against their direction.")
    elif proven:
        scales = counted(len(proven), "directed scale")
        yield Finding("order", GOOD, f"All {count(steps)} steps of points of the {scales} keep their direction.")
    else:
        yield Finding("order", NOTE, "No characteristic has a stated direction, so the card claims no order.")


def _gaming(figures: Figures) -> Iterator[Finding]:
    gaming = figures["gaming"]
    for name, what in (("worsening", "worsened values"), ("hiding", "hidden values")):
        one = gaming[name]
        if one["violations"]:
            worst = one["worst"]
            yield Finding("gaming", BAD, f"{count(one['violations'])} of {count(one['pairs'])} {what} earned more than"
                          f" allowed; the worst, {worst['input']} of row {count(worst['row'])}, raised the score by"
                          f" {worst['rise']}.")  # fmt: skip
        elif one["pairs"]:
            yield Finding("gaming", GOOD, f"None of {count(one['pairs'])} {what} earned more than allowed.")
        else:
            yield Finding("gaming", NOTE, f"No input of the card could be tried with {what}.")
    without = gaming["hiding_tables_without_ceiling"]
    if without:
        names = ", ".join(without)
        yield Finding("gaming", NOTE, f"The 25th percentile of the training points is not known for {names}, so hiding"
                      " was checked against the points for missing values only.")  # fmt: skip
    hiding, over = gaming["hiding"], gaming["hiding_moved_over_cut_off"]
    if hiding["score_rose"]:
        yield Finding("gaming", NOTE, f"Within the rule, leaving a value out raised {count(hiding['score_rose'])} of"
                      f" {count(hiding['pairs'])} scores, by up to {hiding['largest_rise']} points, and moved"
                      f" {count(sum(over.values()))} of them over {gaming['cut_off']}: a policy has to refer what is"
                      " missing, or the input has to be required.")  # fmt: skip
    yield Finding("gaming", NOTE, "Whether hiding a value can turn a decision better is an open point: there is no"
                  " policy with this card yet.")  # fmt: skip


def _fairness(figures: Figures) -> Iterator[Finding]:
    if not figures["fairness"]:
        yield Finding("fairness", NOTE, "No group column was named, so fairness is not examined.")
    for column, one in figures["fairness"].items():
        compared = [group["approval"] for group in one["groups"] if group["approval"]]
        compared = [impact for impact in compared if impact["group"] != one["reference"]]
        yield from _impacts(column, one["reference"], compared)


def _impacts(column: str, reference: str | None, compared: list[dict[str, Any]]) -> Iterator[Finding]:
    if not compared:
        yield Finding("fairness", NOTE, f"{column}: there are not two groups to compare.")
        return
    enough = [one for one in compared if one["enough"]]
    for one in enough:
        text = (
            f"{column}: {one['group']} is approved {figure(one['ratio'], 2)} times as often as {reference}"
            f" ({within(one['lower'], one['upper'], 2)})"
        )
        low = one["ratio"] is not None and one["ratio"] < FOUR_FIFTHS
        yield Finding("fairness", BAD if low else GOOD, f"{text}, below four fifths." if low else f"{text}.")
    if small := [str(one["group"]) for one in compared if not one["enough"]]:
        yield Finding("fairness", NOTE, f"{column}: insufficient evidence for {', '.join(small)}.")


def _gates(figures: Figures) -> Iterator[Finding]:
    for gate in figures["gates"]:
        level, verdict = (GOOD, "passed") if gate["passed"] else (BAD, "failed")
        name = gate["gate"].replace("_", " ")
        yield Finding("gates", level, f"Acceptance gate {verdict}: {name} {figure(gate['found'])}, asked was"
                      f" {gate['required']}.")  # fmt: skip


def _origin(figures: Figures) -> Iterator[Finding]:
    if figures["model"]["purpose"] == "demonstration":
        yield Finding("purpose", NOTE, "The card is a demonstration: it was learnt on other people's customers and may"
                      " not approve or decline by itself.")  # fmt: skip
    if figures["data"]["recipe"]["named_by_hand"]:
        yield Finding("data", NOTE, "The data were read by a recipe named by hand, which may differ from the one"
                      " that the card was made by.")  # fmt: skip
    if figures["reject_inference"]:
        yield Finding("reject inference", NOTE, "The card was learnt with outcomes assumed for rejected applicants; no"
                      " figure here counts such an assumed outcome.")  # fmt: skip
