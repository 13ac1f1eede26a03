"""A policy tried out on invented facts: what it would say, in words. Nothing is stored."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from datetime import date
from typing import Any

from apps.common.errors import FieldProblem, InvalidInput
from apps.policies.engine import BARS, NOT_ASSESSED, Assessment, decide
from apps.policies.examples import wrong_fact
from apps.policies.policy import Policy
from apps.policies.texts import reason_texts
from apps.scoring_engine.ml.cards import LEAST_SCORE, MOST_SCORE
from apps.scoring_engine.ml.grades import GRADES
from apps.scoring_engine.ml.vocabulary import shown

MOST_FACTS, MOST_NUMBER, MOST_MONTHS = 200, 10**15, 600
LETTERS = tuple(letter for letter, _ in GRADES)
ASKABLE_BARS = tuple(bar for bar in BARS if bar != NOT_ASSESSED)
WHOLE = "a whole number from {} to {}"


def try_policy(policy: Policy, *, facts: Any, assessment: Any, on_date: date, language: str) -> dict[str, Any]:
    """Outcome, trace, terms and reasons as lender and applicant are told. Raises InvalidInput naming each field."""
    problems = [*_wrong_facts(policy.segment, facts), *_wrong_assessment(assessment)]
    if problems:
        raise InvalidInput("The policy cannot be asked with this.", problems)
    found = decide(facts, assessment and Assessment(**_with_bars(assessment)), policy, on_date)
    return {
        **{name: getattr(found, name) for name in found.__slots__ if name not in ("reasons", "trace", "terms")},
        "reasons": reason_texts(policy, found, language),
        "applicant_reasons": reason_texts(policy, found, language, audience="applicant"),
        "trace": [step._asdict() for step in found.trace],
        "terms": found.terms and asdict(found.terms),
    }


def _with_bars(assessment: Mapping[str, Any]) -> dict[str, Any]:
    return {**assessment, "bars": tuple(assessment.get("bars", ()))}


def _wrong_facts(segment: str, facts: Any) -> Iterator[FieldProblem]:
    if type(facts) is not dict or len(facts) > MOST_FACTS:
        yield FieldProblem(
            "facts", f"They must be an object of at most {MOST_FACTS} facts by name, not {shown(facts)}."
        )
        return
    for name, value in facts.items():
        why = wrong_fact(segment, name, value)
        if not why and type(value) in (int, float) and not (math.isfinite(value) and abs(value) <= MOST_NUMBER):
            why = f"facts.{name} must be a number of at most {MOST_NUMBER}, not {shown(value)}"
        if why:
            yield FieldProblem(f"facts.{name[:60]}", f"{why}.")


def _wrong_assessment(given: Any) -> Iterator[FieldProblem]:
    if given is None:
        return
    if type(given) is not dict:
        yield FieldProblem(
            "assessment", f"It must be an object, or null where nothing was assessed, not {shown(given)}."
        )
        return
    checks = {
        "score": (_is_whole(given.get("score"), LEAST_SCORE, MOST_SCORE), WHOLE.format(LEAST_SCORE, MOST_SCORE)),
        "probability_of_default": (_is_share(given.get("probability_of_default")), "a number above 0 and below 1"),
        "horizon_months": (_is_whole(given.get("horizon_months"), 1, MOST_MONTHS), WHOLE.format(1, MOST_MONTHS)),
        "grade": (given.get("grade") in LETTERS, f"one of {', '.join(LETTERS)}"),
        "bars": (_are_bars(given.get("bars", [])), f"a list of {', '.join(ASKABLE_BARS)}"),
    }
    for name, (is_right, wanted) in checks.items():
        if not is_right:
            yield FieldProblem(f"assessment.{name}", f"It must be {wanted}, not {shown(given.get(name))}.")
    for name in given:
        if name not in checks:
            yield FieldProblem(f"assessment.{name[:60]}", f"It is not known here; known are {', '.join(checks)}.")


def _is_whole(value: Any, least: int, most: int) -> bool:
    return type(value) is int and least <= value <= most


def _is_share(value: Any) -> bool:
    return type(value) is float and 0 < value < 1


def _are_bars(value: Any) -> bool:
    return type(value) is list and all(type(bar) is str and bar in ASKABLE_BARS for bar in value)
