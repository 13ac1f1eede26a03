"""The model card: one plain page that says what a model is, where it comes from, and where it stops."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from ..vocabulary import FACTS
from .card_tables import card_tables, table
from .recipe import InputRule, Recipe

if TYPE_CHECKING:
    from .training import Trained

TO_WRITE = "*To be written by the model owner.*"
FIGURES = (
    ("auc", "AUC"), ("gini", "Gini"), ("ks", "KS"), ("brier", "Brier score"), ("log_loss", "log loss"),
    ("calibration_slope", "calibration slope (1 is right)"),
    ("calibration_intercept", "calibration intercept at slope 1 (0 is right)"),
    ("observed_to_expected", "bads observed / expected (1 is right)"),
    ("expected_calibration_error", "expected calibration error (0 is right)"),
    ("bad_rate", "bad rate"), ("rows", "rows"), ("bads", "bads"),
)  # fmt: skip


def feature_table(trained: "Trained") -> list[dict[str, str]]:
    """Rows of feature, unit, fact, unit of the fact, data column: where every characteristic comes from."""
    recipe, used = trained.recipe, _used(trained.card)
    return [
        {
            "feature": rule.feature, "unit": rule.unit, "fact": fact.name, "fact_unit": fact.unit,
            "column": fact.source(), "note": fact.note,
        }
        for rule in recipe.characteristics if rule.feature in used
        for fact in _facts_behind(recipe, rule.feature)
    ]  # fmt: skip


def model_card(trained: "Trained", card: dict[str, Any], manifest: dict[str, Any]) -> str:
    """Markdown; every figure in it is taken from the manifest or the card."""
    recipe, report = trained.recipe, trained.report
    parts = [
        f"# {card['version']}: {recipe.title}", _summary(recipe, card), *_for_people(recipe), _limits(recipe),
        _figures(trained), _gates(report.get("gates", [])), _rejected(report.get("reject_inference")),
        _after(report.get("after", [])), _columns(trained), "## The card\n\n" + card_tables(card), _left_out(trained),
        _making(manifest),
    ]  # fmt: skip
    return "\n\n".join(part for part in parts if part) + "\n"


def _used(card: dict[str, Any]) -> set[str]:
    """Features that a table of the card is about."""
    pairs = {feature for pair in card["pairs"] for feature in pair["features"]}
    return pairs | {entry["feature"] for entry in card["characteristics"]}


def _facts_behind(recipe: Recipe, name: str) -> list[InputRule]:
    found = [rule for rule in recipe.inputs if rule.name == name]
    for feature in recipe.features:
        if feature.name == name:
            for part in feature.of:
                found += [fact for fact in _facts_behind(recipe, part) if fact not in found]
    return found


def _sentence(text: str) -> str:
    """A text of the recipe ending in one full stop, or the mark of what is still to be written."""
    return f"{text.strip().rstrip('.')}." if text.strip() else TO_WRITE


def _summary(recipe: Recipe, card: dict[str, Any]) -> str:
    horizon = card["horizon"]
    span = (
        f"the whole contract ({horizon['months']} months where no term is given)"
        if horizon["kind"] == "contract" else f"{horizon['months']} months"
    )  # fmt: skip
    return "\n".join([
        f"- **Where it comes from:** {_sentence(recipe.origin)}",
        f"- **Bad means:** {_sentence(recipe.definition_of_bad)}",
        f"- **Horizon of the probability:** {span}.",
        f"- **Purpose:** {_purpose(recipe.purpose)}",
        "- **Form:** tables of whole points; score = base points + points; 400 is even odds, and every 50"
        " points double the odds of being good.",
    ])  # fmt: skip


def _purpose(purpose: str) -> str:
    if purpose == "own":
        return "own. It decides nothing until somebody other than its maker has validated it."
    return (
        "demonstration. A lender should train and validate a model on its own loans before any decision rests on it;"
        " until then this card only advises."
    )


def _for_people(recipe: Recipe) -> list[str]:
    """What only people can say; what they have not said yet is marked."""
    joint = ": " if recipe.materiality_why.strip() else ". "
    materiality = recipe.materiality.capitalize() + joint if recipe.materiality else ""
    why = _sentence(recipe.materiality_why)
    return [
        f"## Owner\n\n{_sentence(recipe.owner)}",
        f"## What it is for\n\n{_sentence(recipe.use)}",
        f"## Materiality\n\n{materiality}{why}",
        f"## Who is in the data\n\n{_sentence(recipe.population)}",
    ]


def _limits(recipe: Recipe) -> str:
    lines = ["## What it is not good for", "", *(_points(recipe.not_good_for) or [TO_WRITE])]
    if recipe.notes:
        lines += ["", "## What to know", "", *_points(recipe.notes)]
    return "\n".join(lines)


def _points(texts: Iterable[str]) -> list[str]:
    return [f"- {text}" for text in texts]


def _columns(trained: "Trained") -> str:
    head = ("feature", "its unit", "fact", "its unit", "data column", "note")
    known = FACTS[trained.recipe.segment]
    rows = [
        (*(f"{text} (own)" if key == "fact" and text not in known else text for key, text in entry.items()),)
        for entry in feature_table(trained)
    ]
    own = "\n\nOwn: a fact that the card declares itself, and the engine's vocabulary does not have."
    return "## Feature <- fact <- data column\n\n" + table(head, rows) + own * any("(own)" in r[2] for r in rows)


def _figures(trained: "Trained") -> str:
    report, recipe = trained.report, trained.recipe
    test = "out_of_time" if "out_of_time" in report else "holdout"
    title = f"out of time ({recipe.time.cut} on)" if recipe.time else "hold-out"
    columns = [(title, report[test]), ("training rows", report["training"])]
    columns += [(one["name"], one[test]) for one in report.get("sensitivities", [])]
    rows = [
        (label, *(_figure(found, key) for _, found in columns))
        for key, label in FIGURES if any(key in found for _, found in columns)
    ]  # fmt: skip
    text = "## Figures\n\n" + table(("", *(name for name, _ in columns)), rows)
    if len(columns) > 2:
        text += ("\n\nThe columns after the second are other cards, trained and tested with that setting changed;"
                 " they do not ship.")  # fmt: skip
    return text


def _figure(found: dict[str, Any], key: str) -> str:
    if found.get(key) is None:
        return "not known"
    interval = found.get(f"{key}_interval")
    text = f"{found[key]:,}"
    return text if interval is None else f"{text} (95 %: {interval[0]:,} to {interval[1]:,})"


def _gates(gates: list[dict[str, Any]]) -> str:
    if not gates:
        return ""
    failed = [str(one["gate"]) for one in gates if not one["passed"]]
    verdict = f"Not passed: {', '.join(failed)}." if failed else "All are passed."
    rows = [
        (one["gate"], _required(one["required"]), one["found"], "passed" if one["passed"] else "**not passed**")
        for one in gates
    ]
    head = ("gate", "required", "found", "")
    return f"## Acceptance gates\n\nSet in the recipe, checked on the test rows. {verdict}\n\n" + table(head, rows)


def _required(required: object) -> object:
    return f"{required[0]} to {required[1]}" if isinstance(required, list | tuple) else required


def _rejected(found: dict[str, Any] | None) -> str:
    if found is None:
        return ""
    return (
        "## Reject inference: an assumption\n\n"
        f"Nobody knows what the {found['rejected']:,} rejected applicants would have done. The card was learnt with an"
        f" assumption about them: that they are {found['prudence']:g} times worse than accepted applicants of the same"
        " score band. It is not evidence, and no figure on this page counts them. Its effect: AUC on the test rows"
        f" {found['auc_without']} without it, {found['auc_with']} with it; the mean score moves by"
        f" {found['mean_score_shift']:+g} points. {found.get('note') or ''}"
    ).rstrip()


def _after(checks: list[dict[str, Any]]) -> str:
    parts = []
    for one in checks:
        gain, low, high = one["auc_difference"]
        rows, bads = one["with_it"]["rows"], one["with_it"]["bads"]
        parts.append(
            f"`{one['feature']}` was fitted last, on the rows that have it, with the rest of the card as"
            f" offset. Checked on the {rows:,} such training rows from {one['validated_from']} on ({bads:,}"
            f" bad), with the whole card fitted to earlier rows only: AUC {one['without_it']['auc']} without"
            f" it, {one['with_it']['auc']} with it; difference {gain:+} (95 %: {low:+} to {high:+});"
            f" calibration slope {one['with_it']['calibration_slope']}, observed / expected"
            f" {one['with_it']['observed_to_expected']}."
        )
    return "\n\n".join(parts)


def _left_out(trained: "Trained") -> str:
    recipe, used = trained.recipe, _used(trained.card)
    parts = []
    if recipe.not_used:
        parts.append(table(("columns", "why"), [(", ".join(one.columns), one.reason) for one in recipe.not_used]))
    if dropped := [one for one in trained.report.get("excluded", []) if one["rows"]]:
        parts.append("\n".join(f"- {one['rows']:,} rows left out: {one['reason']}" for one in dropped))
    if flat := [rule.feature for rule in recipe.characteristics if rule.feature not in used]:
        parts.append(f"In the recipe but not on the card, since they added nothing: {', '.join(flat)}.")
    return "\n\n".join(["## What stays out", *parts]) if parts else ""


def _making(manifest: dict[str, Any]) -> str:
    lines = ["## How it was made", ""]
    lines += [f"- data `{one['file']}`: {one['rows']:,} rows, SHA-256 `{one['sha256']}`" for one in manifest["data"]]
    lines.append(f"- recipe `{manifest['recipe']['file']}`: SHA-256 `{manifest['recipe']['sha256']}`")
    lines.append(f"- seed {manifest['seed']}, threads {manifest['threads']}, Python {manifest['python']}, "
                 + ", ".join(f"{name} {number}" for name, number in manifest["libraries"].items()))  # fmt: skip
    lines.append(f"- model file `{manifest['file']}`: SHA-256 `{manifest['sha256']}`")
    return "\n".join(lines)
