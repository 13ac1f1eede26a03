"""What is wrong with a policy that can be read, before it is published. Pure; an error bars publishing."""

from collections.abc import Iterator

from apps.common.sentences import Sentence
from apps.policies.findings import ERROR, SEVERITIES, Finding, warning
from apps.policies.lint_bands import check_bands
from apps.policies.lint_examples import check_examples
from apps.policies.lint_formulas import check_formulas, check_values
from apps.policies.lint_reasons import check_reasons
from apps.policies.lint_rules import check_caps, check_rules
from apps.policies.outline import Outline
from apps.policies.policy import Policy

__all__ = ["ERROR", "SEVERITIES", "Finding", "lint"]

_CHECKS = (check_formulas, check_values, check_rules, check_bands, check_caps, check_reasons, check_examples)


def lint(policy: Policy) -> list[Finding]:
    """Errors first, each in the order of the file."""
    outline = Outline(policy)
    findings = [finding for check in _CHECKS for finding in check(outline)]
    findings += _check_people(policy)
    return sorted(findings, key=lambda finding: SEVERITIES.index(finding.severity))


def _check_people(policy: Policy) -> Iterator[Finding]:
    if policy.people.second_person_above is None:
        yield warning(
            "people.second_person_above", Sentence("is missing: no amount asks for a second person by itself")
        )
