"""What a recipe may leave out of an input or feature: names, kinds, units, labels and codes by default."""

import re
from dataclasses import replace

from ..vocabulary import FACTS, RESERVED_NAMES
from .errors import RecipeError
from .recipe_parts import FeatureRule, InputRule

UNIT_OF_KIND = {
    "number": "number", "integer": "count", "money": "currency", "category": "category", "flag": "flag", "date": "date",
}  # fmt: skip
NUMERIC_KINDS = ("number", "integer", "money")
SHOWN_AS = ("ratio", "percent", "years", "months", "count", "score", "category", "money", "number")
SHOWN_AS_OF_FEATURE = {"ratio": "ratio", "difference": "number", "years_between": "years"}
LIMIT = 10**15  # the largest value of a fact of the lender's own, unless the recipe says less
LONGEST = 60
_LETTERS = (
    "а=a б=b в=v г=g д=d е=e ё=e ж=zh з=z и=i й=y к=k л=l м=m н=n о=o п=p р=r с=s т=t у=u ф=f х=kh ц=ts "
    "ч=ch ш=sh щ=shch ъ= ы=y ь= э=e ю=yu я=ya ў=o қ=q ғ=g ҳ=h"
)
_TAKEN = {name for name in RESERVED_NAMES if not any(name in facts for facts in FACTS.values())}
_LATIN = {pair[0]: pair[2:] for pair in _LETTERS.split()}


def name_of(column: str) -> str:
    """A column's name as a fact's: "Стаж (лет)" gives stazh_let; "" where nothing of it can be written so."""
    split = re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", column).lower()
    latin = "".join(_LATIN.get(letter, letter) for letter in re.sub(r"['`’‘ʻʼ]", "", split))
    name = re.sub(r"[^a-z0-9]+", "_", latin).strip("_")
    return (f"x_{name}" if name[:1].isdigit() or name in _TAKEN else name)[:LONGEST].strip("_")


def label_of(name: str) -> str:
    text = name.replace("_", " ")
    return text[:1].upper() + text[1:]


def completed_input(rule: InputRule, segment: object, recipe: str) -> InputRule:
    """The rule with everything that the vocabulary or its kind says; raises RecipeError where they disagree."""
    name = rule.name or name_of(rule.column)
    if not name:
        raise RecipeError(f"The recipe {recipe}, column {rule.column!r}: give the input a name in latin letters.")
    fact = FACTS[segment].get(name) if isinstance(segment, str) and segment in FACTS else None
    where = f"The recipe {recipe}, input {name!r}"
    if fact is None and name in RESERVED_NAMES:
        raise RecipeError(f"{where}: give it another name, since this one is taken: {RESERVED_NAMES[name]}.")
    kind = rule.kind or (fact.kind if fact else "")
    if kind not in UNIT_OF_KIND:
        raise RecipeError(f"{where}: kind must be one of {', '.join(UNIT_OF_KIND)}.")
    unit = rule.unit or (fact.unit if fact else UNIT_OF_KIND[kind])
    least, most = rule.least, rule.most
    if fact is None and kind in NUMERIC_KINDS:
        least, most = -LIMIT if least is None else least, LIMIT if most is None else most
    if fact is not None:
        if (kind, unit) != (fact.kind, fact.unit):
            raise RecipeError(f"{where} must have kind {fact.kind!r} and unit {fact.unit!r}, or another name: this one"
                              " is a fact the engine knows.")  # fmt: skip
        if (least, most) not in ((None, None), (fact.least, fact.most)):
            raise RecipeError(f"{where}: its bounds are {fact.least}..{fact.most}, since the engine knows this fact.")
        least, most = fact.least, fact.most
    return replace(
        rule, name=name, kind=kind, unit=unit, least=least, most=most, label=rule.label or label_of(name),
        code=rule.code or name.upper(), shown_as=rule.shown_as or _shown_as(unit, kind),
    )  # fmt: skip


def completed_feature(rule: FeatureRule) -> FeatureRule:
    return replace(
        rule, label=rule.label or label_of(rule.name), code=rule.code or rule.name.upper(),
        shown_as=rule.shown_as or SHOWN_AS_OF_FEATURE.get(rule.kind, "number"),
    )  # fmt: skip


def _shown_as(unit: str, kind: str) -> str:
    if kind in ("category", "flag"):
        return "category"
    if kind == "money" or unit.startswith("currency"):
        return "money"
    return unit if unit in SHOWN_AS and unit != "category" else "number"
