"""Checks of what the formulas of a policy rest on: units that fit, and no fact that must not count."""

from collections.abc import Iterator

from apps.common.sentences import Sentence
from apps.policies.findings import Finding, error, warning
from apps.policies.forbidden import forbidden_word
from apps.policies.lint_reasons import placeholders_of
from apps.policies.outline import FEATURE, Formula, Outline
from apps.policies.policy import KNOCKOUT, LEGAL
from apps.policies.units import UnitError, fits, told, units_of
from apps.scoring_engine.ml.vocabulary import NEVER_SCORED

_AGES = frozenset({"age_years", "age_at_maturity"})


def check_formulas(outline: Outline) -> Iterator[Finding]:
    yield from _own_names(outline)
    for formula in outline.formulas:
        yield from _units(formula, outline)
        yield from _forbidden(formula, outline)
    yield from _unused(outline)


def check_values(outline: Outline) -> Iterator[Finding]:
    valid_from = outline.policy.valid_from
    for value in outline.policy.values.values():
        where = f"values.{value.name}"
        if value.on(valid_from) is None:
            first = value.dated[0][0]
            yield error(
                where,
                Sentence(
                    "has no figure in force on {valid_from}, the policy's first day; the earliest is of {first}",
                    valid_from=valid_from,
                    first=first,
                ),
            )
        if value.to_confirm:
            yield warning(where, Sentence("is to be confirmed: {source}", source=value.source))


def _own_names(outline: Outline) -> Iterator[Finding]:
    policy = outline.policy
    for where, name in [*(("values", name) for name in policy.values), *(("features", each) for each in policy.labels)]:
        if word := forbidden_word(name):
            yield error(
                f"{where}.{name}",
                Sentence("speaks of {word}, which must not count: {why}", word=word, why=NEVER_SCORED[word]),
            )


def _units(formula: Formula, outline: Outline) -> Iterator[Finding]:
    try:
        units = units_of(formula.expression.tree, outline.policy.units)
    except UnitError as problem:
        yield error(formula.where, Sentence("units do not fit: {problem}", problem=problem.args[0]))
        return
    if not fits(units, formula.unit):
        yield error(
            formula.where,
            Sentence(
                "units do not fit: it gives {unit}, and {asked} is asked for", unit=told(units), asked=formula.unit
            ),
        )


def _forbidden(formula: Formula, outline: Outline) -> Iterator[Finding]:
    if formula.kind == FEATURE:  # what uses it is what counts
        return
    rests_on = outline.rests_on(formula.expression.names)
    if (ages := sorted(rests_on & _AGES)) and formula.kind not in (LEGAL, KNOCKOUT):
        yield error(
            formula.where,
            Sentence(
                "rests on {names}: age counts only for legal capacity and age at maturity, in rules of "
                "the kinds legal and knockout",
                names=" and ".join(ages),
            ),
        )
    if "criminal_history" in rests_on and formula.kind != LEGAL:
        yield error(
            formula.where,
            Sentence(
                "rests on criminal_history: {why} (kind legal, which refers)", why=NEVER_SCORED["criminal_history"]
            ),
        )


def _unused(outline: Outline) -> Iterator[Finding]:
    policy = outline.policy
    used = {name for formula in outline.formulas for name in formula.expression.names}
    for part in (*policy.rules, *policy.bands, *policy.caps):
        used |= placeholders_of(part.reason or {})
    for where, names in (("values", policy.values), ("features", policy.labels)):
        for name in names:
            if name not in used:
                yield warning(f"{where}.{name}", Sentence("is never used"))
