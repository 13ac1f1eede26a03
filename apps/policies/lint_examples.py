"""Checks of the examples of a policy: that there are some, and that each rule, band and cap speaks in one of them."""

from collections.abc import Iterator

from apps.common.sentences import Sentence
from apps.policies.examples import outcome_of, run_examples
from apps.policies.findings import Finding, warning
from apps.policies.outline import Outline


def check_examples(outline: Outline) -> Iterator[Finding]:
    policy = outline.policy
    if not policy.examples:
        yield warning("examples", Sentence("are missing: nothing shows what this policy should decide"))
        return
    broken = {failure.title for failure in run_examples(policy)}
    outcomes = [outcome_of(policy, example) for example in policy.examples if example.title not in broken]
    fired = {step.code for outcome in outcomes for step in outcome.trace if step.fired}
    places = {"rules": policy.rules, "cut_offs": policy.bands, "caps": policy.caps}
    for place, parts in places.items():
        for part in parts:
            if part.code not in fired:
                yield warning(f"{place}.{part.code}", Sentence("speaks in no example that is decided as expected"))
    for example in policy.examples:
        if example.on_date < policy.valid_from:
            yield warning(
                "examples",
                Sentence(
                    '"{title}" is of {on_date}, before the policy is valid',
                    title=example.title,
                    on_date=example.on_date,
                ),
            )
