"""Checks of the sentences of a policy: three that differ, naming what is shown there, and revealing no register."""

from collections.abc import Iterator, Mapping
from itertools import combinations
from string import Formatter

from apps.common.sentences import Sentence
from apps.policies.findings import Finding, error, warning
from apps.policies.outline import Outline
from apps.policies.policy import Rule
from apps.scoring_engine.ml.words import LANGUAGES

# What a register answered about a person: nobody but the lender is told.
_OF_REGISTERS = frozenset({"self_banned"})
Texts = Mapping[str, str]


def check_reasons(outline: Outline) -> Iterator[Finding]:
    policy = outline.policy
    for rule in policy.rules:
        yield from _of_rule(outline, rule)
    for band in policy.bands:
        if band.reason:
            yield from _sentence(f"cut_offs.{band.code}", band.reason, frozenset({policy.cut_offs_on}))
    for cap in policy.caps:
        names = {name for limit in (cap.most_amount, cap.most_term_months) if limit for name in limit.names}
        shown = outline.rests_on(frozenset(names)) | {"grade"}
        yield from _sentence(f"caps.{cap.code}", cap.reason, shown)
        yield from _no_register(f"caps.{cap.code}", shown)


def _of_rule(outline: Outline, rule: Rule) -> Iterator[Finding]:
    where = f"rules.{rule.code}"
    shown = outline.rests_on(rule.when.names)
    yield from _sentence(where, rule.reason, shown)
    if rule.private:
        yield from _public(f"{where}.public_reason", rule.public_reason or {})
        return
    if rule.public_reason is not None:
        yield warning(where, Sentence("has a public_reason, which only a rule with private = true gives"))
    yield from _no_register(where, shown)


def _public(where: str, texts: Texts) -> Iterator[Finding]:
    yield from _alike(where, texts)
    for name in sorted(placeholders_of(texts)):
        yield error(where, Sentence("{{{name}}} could reveal what a register holds; leave it out", name=name))


def _no_register(where: str, names: frozenset[str]) -> Iterator[Finding]:
    for name in sorted(names & _OF_REGISTERS):
        yield error(
            where, Sentence("rests on {name}, the answer of a register: only a rule with private = true may", name=name)
        )


def _sentence(where: str, texts: Texts, shown: frozenset[str]) -> Iterator[Finding]:
    """`shown`: the names whose values stand beside the rule when it has spoken."""
    yield from _alike(where, texts)
    for language in LANGUAGES:
        text = texts.get(language, "")
        if not _is_template(text):
            yield error(
                f"{where}.{language}",
                Sentence("has a brace without its other one; {{{{ and }}}} are braces of the text"),
            )
            continue
        for name in sorted(set(_named(text)) - shown):
            yield error(
                f"{where}.{language}", Sentence("{{{name}}} names nothing that this condition rests on", name=name)
            )
    if len({frozenset(_named(text)) for text in texts.values() if _is_template(text)}) > 1:
        yield warning(where, Sentence("shows other figures in one language than in another"))


def _alike(where: str, texts: Texts) -> Iterator[Finding]:
    for language in LANGUAGES:
        if not texts.get(language, "").strip():
            yield error(where, Sentence("has no text in {language}", language=language))
    for one, other in combinations(LANGUAGES, 2):
        if texts.get(one) and texts.get(one) == texts.get(other):
            yield error(where, Sentence("has the same text in {one} and {other}", one=one, other=other))


def placeholders_of(texts: Texts) -> frozenset[str]:
    return frozenset(name for text in texts.values() if _is_template(text) for name in _named(text))


def _is_template(text: str) -> bool:
    try:
        _named(text)
    except ValueError:
        return False
    return True


def _named(text: str) -> list[str]:
    """The names in braces; one with a format or a conversion comes whole, and so is known to nobody."""
    return [
        name + (f"!{conversion}" if conversion else "") + (f":{spec}" if spec else "")
        for _, name, spec, conversion in Formatter().parse(text)
        if name is not None
    ]
