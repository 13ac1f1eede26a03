"""From the codes of an outcome to sentences in uz (Latin), ru or en, for the lender or for the applicant."""

import tomllib
from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from apps.policies.engine import CUT_OFF, Outcome, Step
from apps.policies.policy import Policy, Rule
from apps.scoring_engine.ml.words import Words, sentence, words_of

AUDIENCES = ("lender", "applicant")
_FOLDER = Path(__file__).parent / "reason_texts"
_BAR = "bar:"
_MOST_DIGITS = 8
_QUANTITIES = {
    "currency": "money", "currency per month": "money", "currency per year": "money", "ratio": "percent",
    "ratio per year": "percent", "probability": "percent",
}  # fmt: skip


def reason_texts(
    policy: Policy, outcome: Outcome, language: str, audience: str = "lender", *, currency: str | None = None
) -> list[dict[str, str]]:
    """`code` and `text` of each reason, in the policy's order, then the bars; where less is offered, why.

    The applicant is told nothing that a register holds, nothing of a cut-off (the model's own reasons stand there), and
    nothing twice.
    `currency`: of the request's money, where it is not the policy's. Raises ValueError for an unknown audience.
    """
    if audience not in AUDIENCES:
        raise ValueError(f"an audience is one of {', '.join(AUDIENCES)}, not {audience}")
    teller = _Teller(policy, outcome, language, audience == "applicant", currency or policy.currency)
    capped_by = outcome.terms.capped_by if outcome.outcome == "approve" and outcome.terms else ()
    told = [(code, teller.text(code)) for code in (*outcome.reasons, *capped_by)]
    if teller.to_applicant:
        told = _once(told)
    return [{"code": code, "text": sentence(text)} for code, text in told if text]


def _once(told: list[tuple[str, str | None]]) -> list[tuple[str, str | None]]:
    """Five rules that lack one figure have one sentence; the codes that tell them apart are the lender's."""
    first = {text: code for code, text in reversed(told)}
    return [(code, text) for code, text in told if first[text] == code]


@cache
def _texts(language: str) -> dict[str, Any]:
    return tomllib.loads((_FOLDER / f"{language}.toml").read_text(encoding="utf-8"))


class PolicyWords:
    """What a policy speaks of, in one language: names, and values with their units."""

    def __init__(self, policy: Policy, language: str, currency: str | None = None) -> None:
        self.policy = policy
        self.language = language
        self.currency = currency or policy.currency
        self.words: Words = words_of(language)
        self.texts = _texts(language)

    def name(self, name: str) -> str:
        if name in self.policy.labels:
            return self.policy.labels[name][self.language]
        return self.texts["names"].get(name) or self.words.fact(name)

    def measure(self, name: str) -> str:
        unit = self.policy.units.get(name, "")
        return _QUANTITIES.get(unit, unit)

    def value(self, name: str, value: Any) -> str:
        if isinstance(value, bool | str):
            own = self.texts["values"].get(name, {}).get(value)
            return own or self.words.category(name, value)
        return self.words.quantity(self.measure(name), value, self.currency)


class _Teller(PolicyWords):
    def __init__(self, policy: Policy, outcome: Outcome, language: str, to_applicant: bool, currency: str) -> None:
        super().__init__(policy, language, currency)
        self.to_applicant = to_applicant
        self.steps = {step.code: step for step in outcome.trace}
        self.rules = {rule.code: rule for rule in policy.rules}
        parts = (*policy.rules, *policy.bands, *policy.caps)
        self.reasons = {part.code: part.reason[language] for part in parts if part.reason}

    def text(self, code: str) -> str | None:
        """None for what this audience is told otherwise."""
        if code.startswith(_BAR):
            return self.texts["bars"][code.removeprefix(_BAR)]
        step, rule = self.steps[code], self.rules.get(code)
        if step.kind == CUT_OFF and self.to_applicant:
            return None
        if own := self.texts["reasons"].get(code):
            return own
        if self.to_applicant and rule is not None and rule.private:
            return self._public(rule, step)
        return self._unknown(step) if step.fired is None else self._filled(self.reasons[code], step.values)

    def _public(self, rule: Rule, step: Step) -> str:
        """Never what the register holds, nor which register was asked."""
        if step.fired is None or rule.public_reason is None:
            return self.texts["reasons"]["unknown_private"]
        return rule.public_reason[self.language]

    def _unknown(self, step: Step) -> str:
        if not step.missing:
            return self.texts["reasons"]["unknown_figure"]
        names = ", ".join(self.name(name) for name in step.missing)
        return self.texts["reasons"]["unknown"].format(facts=names)

    def _filled(self, template: str, values: Mapping[str, Any]) -> str:
        shown = {name: self.value(name, value) for name, value in values.items()}
        named = {name for name in shown if f"{{{name}}}" in template}
        shown |= self._told_apart({name: values[name] for name in named if self.measure(name) == "percent"}, shown)
        return template.format_map(_Shown(shown, self.texts["reasons"]["not_known"]))

    def _told_apart(self, ratios: Mapping[str, float], shown: Mapping[str, str]) -> dict[str, str]:
        """Shares that differ but read alike, with as many digits as tell them apart: 50.3 % is above 50 %."""
        if not _read_alike(ratios, shown):
            return {}
        for digits in range(1, _MOST_DIGITS):
            finer = {name: self._percent(value, digits) for name, value in ratios.items()}
            if not _read_alike(ratios, finer):
                break
        return finer

    def _percent(self, value: float, digits: int) -> str:
        number = self.words.number(Decimal(f"{value * 100:.{digits}f}"))
        return self.words.texts["units"]["percent"]["other"].format(value=number)


class _Shown(dict):
    """A figure that was not known when the rule spoke (another part of an `or` made it true) is called so."""

    def __init__(self, shown: Mapping[str, str], not_known: str) -> None:
        super().__init__(shown)
        self.not_known = not_known

    def __missing__(self, name: str) -> str:
        return self.not_known


def _read_alike(values: Mapping[str, float], shown: Mapping[str, str]) -> bool:
    return _count(values.values()) > _count(shown[name] for name in values)


def _count(values: Iterable[object]) -> int:
    return len(set(values))
