"""The examples that a policy file carries: what it must decide, worked out by hand."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from apps.common.sentences import Sentence
from apps.policies.engine import Assessment, Outcome, Terms, decide
from apps.policies.expressions import FLAG, NUMBER, TEXT
from apps.policies.forbidden import why_unknown
from apps.policies.names import names_of
from apps.policies.policy import Example, Policy
from apps.scoring_engine.ml.vocabulary import shown

_EXPECTED = ("outcome", "policy_outcome", "reasons", "terms", "expected_loss")
_OF_TERMS = tuple(field.name for field in fields(Terms))
_OF_ASSESSMENT = tuple(field.name for field in fields(Assessment))
_TYPES = {NUMBER: (int, float), FLAG: (bool,), TEXT: (str,)}


@dataclass(frozen=True, slots=True)
class Failure:
    """An example that is not decided as it says."""

    title: str
    message: str


def run_examples(policy: Policy) -> list[Failure]:
    return [failure for example in policy.examples for failure in _failures(policy, example)]


def outcome_of(policy: Policy, example: Example) -> Outcome:
    return decide(example.facts, assessment_of(example.assessment), policy, example.on_date)


def _failures(policy: Policy, example: Example) -> list[Failure]:
    wrong = _wrong_parts(policy, example) or _differences(outcome_of(policy, example), example.expect)
    return [Failure(example.title, message) for message in wrong]


def _wrong_parts(policy: Policy, example: Example) -> list[str]:
    """What keeps an example from being decided at all: a mistyped fact would otherwise count as not known."""
    wrong = [wrong_fact(policy.segment, name, value) for name, value in example.facts.items()]
    if example.assessment is not None:
        missing = [name for name in _OF_ASSESSMENT[:-1] if name not in example.assessment]
        wrong += [Sentence("assessment.{name} is missing", name=name) for name in missing]
        wrong += _unknown("assessment", example.assessment, _OF_ASSESSMENT)
    wrong += _unknown("expect", example.expect, _EXPECTED)
    wrong += _unknown("expect.terms", example.expect.get("terms", {}), _OF_TERMS)
    if "outcome" not in example.expect:
        wrong.append(Sentence("expect.outcome is missing"))
    return [message for message in wrong if message]


def wrong_fact(segment: str, name: str, value: Any) -> str:
    """Why a policy of the segment cannot be asked with it, "" if it can."""
    known = names_of(segment).get(name)
    if known is None:
        return Sentence("facts.{name}: {why}", name=name, why=why_unknown(name))
    if type(value) not in _TYPES[known.kind]:
        return Sentence("facts.{name} must be a {kind}, not {given}", name=name, kind=known.kind, given=shown(value))
    if known.values and value not in known.values:
        return Sentence(
            "facts.{name} must be one of {allowed}, not {given}", name=name, allowed=known.values, given=shown(value)
        )
    return ""


def _unknown(where: str, given: Mapping[str, Any], known: tuple[str, ...]) -> list[str]:
    return [
        Sentence("{where}.{name} is not known; known are {known}", where=where, name=name, known=known)
        for name in given
        if name not in known
    ]


def assessment_of(given: Mapping[str, Any] | None) -> Assessment | None:
    return None if given is None else Assessment(**{**given, "bars": tuple(given.get("bars", ()))})


def _differences(outcome: Outcome, expected: Mapping[str, Any]) -> list[str]:
    """Only what the example states is compared; reasons exactly, in their order."""
    found = {name: getattr(outcome, name) for name in expected if name != "terms"}
    found |= {f"terms.{name}": getattr(outcome.terms, name, None) for name in expected.get("terms", {})}
    wanted = {name: value for name, value in expected.items() if name != "terms"}
    wanted |= {f"terms.{name}": value for name, value in expected.get("terms", {}).items()}
    return [
        Sentence("{name} should be {wanted} and is {found}", name=name, wanted=_shown(value), found=_shown(found[name]))
        for name, value in wanted.items()
        if _plain(found[name]) != _plain(value)
    ]


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _shown(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(str, value))}]"
    return f"{value:,}" if type(value) is int else str(value)
