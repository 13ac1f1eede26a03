"""What a recipe must be beyond the types of its settings; every refusal is one sentence."""

import re
from collections import Counter
from typing import TYPE_CHECKING

from ..vocabulary import FACTS, NEVER_SCORED, SCALE_BOUNDS, SCALE_OF
from .errors import RecipeError
from .naming import NUMERIC_KINDS, SHOWN_AS
from .recipe_parts import FeatureRule, InputRule

if TYPE_CHECKING:
    from .recipe import Recipe

DIRECTIONS = ("higher_is_safer", "higher_is_riskier", "free")
REFERENCES = ("all_applicants", "near_cut_off", "accepted_good")
FEATURE_KINDS = ("ratio", "difference", "years_between")
MOST_PAIRS = 30
UNAVAILABLE = "unavailable"
FLAGS = {"true": True, "false": False}
_NAME = re.compile(r"[a-z][a-z0-9_]{0,59}", re.ASCII)
_CODE = re.compile(r"[A-Z][A-Z0-9_]{0,59}", re.ASCII)


def check_recipe(recipe: "Recipe") -> None:
    """Raises RecipeError."""
    where = f"The recipe {recipe.name}"
    _check_head(recipe, where)
    _check_split(recipe, where)
    _check_target(recipe, where)
    for rule in recipe.inputs:
        _check_input(rule, f"{where}, input {rule.name!r}")
    _check_features(recipe, where)
    _check_characteristics(recipe, where)
    _check_pairs(recipe, where)
    _check_people(recipe, where)
    _check_options(recipe, where)


def _require(holds: object, sentence: str) -> None:
    if not holds:
        raise RecipeError(sentence)


def _check_head(recipe: "Recipe", where: str) -> None:
    _require(recipe.format == 1 and recipe.segment in FACTS,
             f"{where}: format must be 1, segment one of {', '.join(FACTS)}.")  # fmt: skip
    _require(recipe.purpose in ("own", "demonstration"), f"{where}: purpose must be own or demonstration.")
    _require(recipe.materiality in ("", "low", "medium", "high"), f"{where}: materiality must be low, medium or high.")
    for key in ("version", "title", "definition_of_bad"):
        _require(getattr(recipe, key).strip(), f"{where}: {key} must not be empty.")
    _require(recipe.most_bins >= 2 and 0 < recipe.smallest_bin_share < 0.5,
             f"{where}: most_bins must be 2 or more, smallest_bin_share 0..0.5.")  # fmt: skip
    horizon = recipe.horizon
    _require(set(horizon) == {"kind", "months"} and horizon["kind"] in ("contract", "fixed")
             and type(horizon["months"]) is int and 1 <= horizon["months"] <= 600,
             f"{where}: [horizon] must say kind (fixed or contract) and months (1 to 600).")  # fmt: skip
    _require(recipe.reference in REFERENCES, f"{where}: reference must be one of {', '.join(REFERENCES)}.")
    _require(recipe.reference != "near_cut_off" or recipe.cut_off is not None,
             f"{where}: reference near_cut_off needs cut_off, the score of the cut-off.")  # fmt: skip


def _check_split(recipe: "Recipe", where: str) -> None:
    _require((recipe.time is None) != (recipe.holdout == 0.0) and 0 <= recipe.holdout < 1,
             f"{where}: give either [time] or holdout between 0 and 1.")  # fmt: skip
    _require(
        recipe.time is None or recipe.time.first < recipe.time.cut, f"{where}: time.first must be before time.cut."
    )


def _check_target(recipe: "Recipe", where: str) -> None:
    target = recipe.target
    _require(bool(target.equals) != bool(target.contains), f"{where}: target needs either equals or contains.")
    named = [str(value) for value in (*target.equals, *target.good, *target.indeterminate)]
    twice = [value for value, count in Counter(named).items() if count > 1]
    _require(not twice, f"{where}: target names the value {(twice or [''])[0]!r} twice.")
    last_row = target.last_row
    _require(last_row is None or last_row.censored in ("drop", "keep"),
             f"{where}: target.last_row.censored must be drop or keep.")  # fmt: skip


def _check_input(rule: InputRule, where: str) -> None:
    _require(_NAME.fullmatch(rule.name), f"{where}: a name is lower-case latin letters, digits and _, 60 at most.")
    _require(
        rule.name not in NEVER_SCORED,
        f"{where} may not be scored: {NEVER_SCORED.get(rule.name)}; name its column under fairness instead.",
    )
    numeric = rule.kind in NUMERIC_KINDS
    _require(numeric or (rule.least, rule.most) == (None, None), f"{where}: a {rule.kind} has no least and most.")
    _require(not numeric or rule.least < rule.most, f"{where}: least must be below most.")
    _require(numeric or not rule.special_codes, f"{where}: only numbers have special codes; a {rule.kind} has values.")
    for code in rule.special_codes:
        _require(_is_number(code), f"{where}: the special code {code!r} is no number.")
    _require(rule.divide_by != 0 and rule.times != 0, f"{where}: times and divide_by must not be 0.")
    plain = not rule.multiply_by and rule.times == rule.divide_by == 1
    _require(numeric or plain, f"{where}: a {rule.kind} cannot be multiplied or divided.")
    _require(rule.kind != "date" or not rule.values, f"{where}: a date has no values.")
    _check_scale(rule, where)
    _check_empty(rule, where)
    _check_values(rule, where)


def _check_scale(rule: InputRule, where: str) -> None:
    if rule.name in SCALE_OF:
        _require(rule.scale in SCALE_BOUNDS, f"{where}: scale must be one of {', '.join(SCALE_BOUNDS)}.")
    else:
        _require(not rule.scale, f"{where} has no scale.")


def _check_empty(rule: InputRule, where: str) -> None:
    if rule.empty_is in ("", UNAVAILABLE):
        return
    _require(rule.kind != "date", f"{where}: empty_is of a date must be {UNAVAILABLE!r} or left out.")
    if rule.kind in NUMERIC_KINDS:
        _require(
            rule.empty_is in rule.special_codes,
            f"{where}: empty_is {rule.empty_is!r} must be one of its special_codes, or {UNAVAILABLE!r}.",
        )
    if rule.kind == "flag":
        _require(rule.empty_is in FLAGS, f"{where}: empty_is of a flag must be true, false or {UNAVAILABLE}.")


def _check_values(rule: InputRule, where: str) -> None:
    for value in (*rule.values.values(), *([rule.empty_is] if rule.kind == "category" and rule.empty_is else [])):
        if rule.kind in NUMERIC_KINDS:
            _require(_is_number(value), f"{where}: {value!r} among its values is no number.")
        elif rule.kind == "flag":
            _require(str(value).lower() in FLAGS, f"{where}: {value!r} among its values is neither true nor false.")
        elif known := next((facts[rule.name].values for facts in FACTS.values() if rule.name in facts), ()):
            _require(value in (*known, UNAVAILABLE), f"{where}: {value!r} is not one of its values.")


def _is_number(value: object) -> bool:
    try:
        return type(value) is not bool and abs(float(value)) < float("inf")
    except (TypeError, ValueError):
        return False


def _check_features(recipe: "Recipe", where: str) -> None:
    kinds = {rule.name: rule.kind for rule in recipe.inputs}
    for rule in recipe.features:
        at = f"{where}, feature {rule.name!r}"
        _require(_NAME.fullmatch(rule.name), f"{at}: a name is lower-case latin letters, digits and _, 60 at most.")
        _require(rule.kind in FEATURE_KINDS and len(rule.of) == 2,
                 f"{at} must be one of {', '.join(FEATURE_KINDS)}, of two names.")  # fmt: skip
        _require(rule.name not in FACTS[recipe.segment], f"{at}: this name is a fact the engine knows; take another.")
        _check_parts(rule, kinds, at)
        _require(rule.kind != "years_between" or recipe.time, f"{at} needs the date of each row: give [time].")
        kinds[rule.name] = "number"


def _check_parts(rule: FeatureRule, kinds: dict[str, str], where: str) -> None:
    dated = rule.kind == "years_between"
    _require(not dated or rule.of[1] == "as_of", f'{where}: years_between is of a date and "as_of".')
    for part in rule.of[:1] if dated else rule.of:
        _require(part in kinds, f"{where} is made of {part!r}, which the recipe does not have above it.")
        _require(kinds.get(part) in (("date",) if dated else NUMERIC_KINDS),
                 f"{where} cannot be made of {part!r}, which is a {kinds.get(part)}.")  # fmt: skip
    if rule.kind == "ratio":
        _require(rule.least < rule.most, f"{where}: a ratio needs least below most, which it is kept within.")
        _require(rule.multiplier in (1, 12), f"{where}: multiplier must be 1 or 12.")


def _check_characteristics(recipe: "Recipe", where: str) -> None:
    kinds = {rule.name: rule.kind for rule in recipe.inputs}
    for rule in recipe.characteristics:
        at = f"{where}, characteristic {rule.feature!r}"
        kind = kinds.get(rule.feature, "number")
        _require(rule.direction in DIRECTIONS, f"{at}: direction must be one of {', '.join(DIRECTIONS)}.")
        _require(kind != "date", f"{at}: a date cannot be one; make a years_between feature of it.")
        grouped = kind in ("category", "flag")
        _require(
            not grouped or rule.direction == "free", f"{at}: a {kind} has no order, so its direction must be free."
        )
        _require(rule.unit in SHOWN_AS and (rule.unit == "category") == grouped,
                 f"{at}: shown_as must be {'category' if grouped else 'one of ' + ', '.join(SHOWN_AS)}.")  # fmt: skip
        _require(_CODE.fullmatch(rule.code), f"{at}: a code is capital latin letters, digits and _, 60 at most.")
        _require(rule.stage in ("main", "after"), f"{at}: stage must be main or after.")
        _require(rule.validate_from is None or (rule.stage == "after" and recipe.time),
                 f"{at}: validate_from belongs to the stage after, in a recipe with [time].")  # fmt: skip
    _require(recipe.stage("main"), f"{where} has no characteristics: give an input or a feature a direction.")
    _check_unique([rule.name for rule in (*recipe.inputs, *recipe.features)], f"{where}: two are named")
    _check_unique([rule.code for rule in recipe.characteristics], f"{where}: two characteristics have the code")


def _check_unique(names: list[str], sentence: str) -> None:
    twice = [name for name, count in Counter(names).items() if count > 1]
    _require(not twice, f"{sentence} {(twice or [''])[0]!r}.")


def _check_pairs(recipe: "Recipe", where: str) -> None:
    pairs, names = recipe.pairs, {rule.feature for rule in recipe.stage("main")}
    count = pairs if isinstance(pairs, int) else len(pairs)
    _require(0 <= count <= MOST_PAIRS, f"{where}: pairs must be from 0 to {MOST_PAIRS}.")
    for pair in () if isinstance(pairs, int) else pairs:
        known = isinstance(pair, tuple) and len(pair) == 2 and set(pair) <= names and pair[0] != pair[1]
        shown = list(pair) if isinstance(pair, tuple) else pair
        _require(known, f"{where}: the pair {shown} must name two characteristics of the main stage.")


def _check_people(recipe: "Recipe", where: str) -> None:
    """What is for fairness tests stays out of the model."""
    used = {rule.column: rule.name for rule in recipe.inputs}
    both = [column for column in recipe.fairness if column in used]
    _require(not both, f"{where}: column {(both or [''])[0]!r} is for fairness, so it cannot be an input.")


def _check_options(recipe: "Recipe", where: str) -> None:
    _require(recipe.duplicates in ("refuse", "allow"), f"{where}: duplicates must be refuse or allow.")
    _require(recipe.decimal in (".", ","), f"{where}: decimal must be a point or a comma.")
    for key in ("calibration_slope", "observed_to_expected"):
        bounds = getattr(recipe.gates, key)
        _require(not bounds or (len(bounds) == 2 and bounds[0] < bounds[1]),
                 f"{where}, gates: {key} must be two numbers, the lower first.")  # fmt: skip
    for rule in recipe.exclusions:
        _require(rule.equals or rule.below is not None or rule.above is not None,
                 f"{where}, exclusion of {rule.column!r}: say below, above or equals.")  # fmt: skip
    if (one := recipe.reject_inference) is not None:
        _require(one.method == "parcelling", f"{where}, reject_inference: method must be parcelling.")
        _require(one.rejected, f"{where}, reject_inference: rejected must name at least one value.")
        _require(1 <= one.prudence <= 10, f"{where}, reject_inference: prudence must be from 1 to 10.")
        _require(2 <= one.bands <= 100, f"{where}, reject_inference: bands must be from 2 to 100.")
