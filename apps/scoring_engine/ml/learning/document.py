"""The model card: one plain page that says what a model is, where it comes from, and where it stops."""

from itertools import pairwise
from typing import Any

from .recipe import InputRule, Recipe
from .training import Trained

FIGURES = (
    ("auc", "AUC"), ("gini", "Gini"), ("ks", "KS"), ("brier", "Brier score"),
    ("calibration_slope", "calibration slope (1 is right)"),
    ("calibration_intercept", "calibration intercept at slope 1 (0 is right)"),
    ("observed_to_expected", "bads observed / expected (1 is right)"),
    ("bad_rate", "bad rate"), ("rows", "rows"), ("bads", "bads"),
)  # fmt: skip


def feature_table(trained: Trained) -> list[dict[str, str]]:
    """Rows of feature, unit, fact, unit of the fact, data column: where every characteristic comes from."""
    recipe = trained.recipe
    return [
        {
            "feature": rule.feature, "unit": rule.unit, "fact": fact.name, "fact_unit": fact.unit,
            "column": fact.source(), "note": fact.note,
        }
        for rule in recipe.characteristics if rule.feature not in trained.report["flat"]
        for fact in _facts_behind(recipe, rule.feature)
    ]  # fmt: skip


def model_card(trained: Trained, card: dict[str, Any], manifest: dict[str, Any]) -> str:
    """Markdown; every figure in it is taken from the manifest or the card."""
    recipe = trained.recipe
    parts = [
        f"# {card['version']}: {recipe.title}", _summary(recipe, card), _limits(recipe),
        _columns(trained), _figures(trained), _after(trained), _points(card), _left_out(trained),
        _making(manifest),
    ]  # fmt: skip
    return "\n\n".join(part for part in parts if part) + "\n"


def _facts_behind(recipe: Recipe, name: str) -> list[InputRule]:
    found = [rule for rule in recipe.inputs if rule.name == name]
    for feature in recipe.features:
        if feature.name == name:
            for part in feature.of:
                found += [fact for fact in _facts_behind(recipe, part) if fact not in found]
    return found


def _summary(recipe: Recipe, card: dict[str, Any]) -> str:
    horizon = card["horizon"]
    span = (
        f"the whole contract ({horizon['months']} months where no term is given)"
        if horizon["kind"] == "contract" else f"{horizon['months']} months"
    )  # fmt: skip
    return "\n".join([
        f"- **Where it comes from:** {recipe.origin}.",
        f"- **Who is in the data:** {recipe.population}.",
        f"- **Bad means:** {recipe.definition_of_bad}.",
        f"- **Horizon of the probability:** {span}.",
        f"- **Purpose:** {recipe.purpose}. A lender should train and validate a model on its own loans"
        " before any decision rests on it; until then this card only advises.",
        "- **Form:** a table of whole points; score = base points + points; 400 is even odds, and every 50"
        " points double the odds of being good.",
    ])  # fmt: skip


def _limits(recipe: Recipe) -> str:
    lines = ["## What it is not good for", "", *(f"- {text}" for text in recipe.not_good_for)]
    lines += ["", "## What to know", "", *(f"- {text}" for text in recipe.notes)]
    return "\n".join(lines)


def _columns(trained: Trained) -> str:
    lines = [
        "## Feature <- fact <- data column",
        "",
        "| feature | its unit | our fact | its unit | data column | note |",
        "|---|---|---|---|---|---|",
    ]
    lines += ["| " + " | ".join(row.values()) + " |" for row in feature_table(trained)]
    return "\n".join(lines)


def _figures(trained: Trained) -> str:
    report, recipe = trained.report, trained.recipe
    test = "out_of_time" if "out_of_time" in report else "holdout"
    title = f"out of time ({recipe.time.cut} on)" if recipe.time else "hold-out"
    columns = [(title, report[test]), ("training rows", report["training"])]
    columns += [(one["name"], one[test]) for one in report["sensitivities"]]
    head = "| | " + " | ".join(name for name, _ in columns) + " |"
    lines = ["## Figures", "", head, "|---" * (len(columns) + 1) + "|"]
    for key, label in FIGURES:
        lines.append(f"| {label} | " + " | ".join(f"{found[key]:,}" for _, found in columns) + " |")
    if report["sensitivities"]:
        lines += ["", "The columns after the second are other cards, trained and tested with that setting"
                  " changed; they do not ship."]  # fmt: skip
    return "\n".join(lines)


def _after(trained: Trained) -> str:
    parts = []
    for one in trained.report["after"]:
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


def _points(card: dict[str, Any]) -> str:
    lines = ["## The card", "", f"Base points: {card['base_points']}. Each characteristic adds:"]
    for entry in card["characteristics"]:
        lines += ["", f"**{entry['label']}** (`{entry['feature']}`, {entry['direction'].replace('_', ' ')},"
                  f" typical {entry['typical']}, reference points {entry['reference_points']})", ""]  # fmt: skip
        lines += ["| value | points |", "|---|---|"]
        lines += [f"| {label} | {points:+d} |" for label, points in _bins(entry)]
    return "\n".join(lines)


def _bins(entry: dict[str, Any]) -> list[tuple[str, int]]:
    if "edges" in entry:
        edges = entry["edges"]
        middle = [f"{low} to under {high}" for low, high in pairwise(edges)]
        labels = [f"under {edges[0]}", *middle, f"{edges[-1]} or more"] if edges else ["any value"]
    else:
        labels = [", ".join(group).replace("_", " ") for group in entry["groups"]]
    found = list(zip(labels, entry["points"], strict=True))
    found.append(("missing" + (" or not seen in training" if "groups" in entry else ""), entry["missing_points"]))
    found.append(("source down", entry["unavailable_points"]))
    return found + [(f"special: {code.replace('_', ' ')}", p) for code, p in entry["special_points"].items()]


def _left_out(trained: Trained) -> str:
    lines = ["## What stays out", "", "| columns | why |", "|---|---|"]
    lines += [f"| {', '.join(one.columns)} | {one.reason} |" for one in trained.recipe.not_used]
    dropped = [one for one in trained.report["excluded"] if one["rows"]]
    lines += ["", *(f"- {one['rows']:,} rows left out: {one['reason']}" for one in dropped)] if dropped else []
    if flat := trained.report["flat"]:
        lines += ["", f"In the recipe but not on the card, since they added nothing: {', '.join(flat)}."]
    return "\n".join(lines)


def _making(manifest: dict[str, Any]) -> str:
    lines = ["## How it was made", ""]
    lines += [f"- data `{one['file']}`: {one['rows']:,} rows, SHA-256 `{one['sha256']}`" for one in manifest["data"]]
    lines.append(f"- recipe `{manifest['recipe']['file']}`: SHA-256 `{manifest['recipe']['sha256']}`")
    lines.append(f"- seed {manifest['seed']}, threads {manifest['threads']}, Python {manifest['python']}, "
                 + ", ".join(f"{name} {number}" for name, number in manifest["libraries"].items()))  # fmt: skip
    lines.append(f"- model file `{manifest['file']}`: SHA-256 `{manifest['sha256']}`")
    return "\n".join(lines)
