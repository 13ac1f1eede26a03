"""A policy as people read it, in the language of the page: its limits on a day, rules, bands, caps and people."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from apps.policies.conditions import Conditions
from apps.policies.policy import Band, Cap, DatedValue, Policy, Rule
from apps.workbench import formats
from apps.workbench.labels import PRODUCT_KINDS

PLACE = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Limit:
    """`values`: (category or "", what holds on the day). `next`: the first later day on which it changes."""

    name: str
    source: str
    to_confirm: bool
    values: list[tuple[str, str]]
    since: date | None
    next: date | None


@dataclass(frozen=True, slots=True)
class Line:
    """A rule. `when`: in words; `formula`: as the file has it."""

    code: str
    kind: str
    reason: str
    when: str
    formula: str
    outcome: str
    unknown: str
    overridable: bool
    source: str


class PolicyTeller:
    """`day`: whose limits hold."""

    def __init__(self, policy: Policy, day: date) -> None:
        self.policy, self.day = policy, day
        self.language = formats.language_now()
        self.conditions = Conditions(policy, self.language, day)
        self.words = self.conditions.words

    @property
    def title(self) -> str:
        return self.policy.title[self.language]

    def limits(self) -> list[Limit]:
        return [self._limit(value) for value in self.policy.values.values()]

    def rules(self) -> list[Line]:
        return [self._rule(rule) for rule in self.policy.rules]

    def bands(self) -> list[tuple[Band, str]]:
        return [(band, self.conditions.of_band(self.policy.cut_offs_on or "", band)) for band in self.policy.bands]

    def caps(self) -> list[tuple[Cap, str, str]]:
        """Each with its reason, and with what it asks in words."""
        return [
            (cap, self._filled(cap.reason[self.language]), self.conditions.of_cap(cap, {})) for cap in self.policy.caps
        ]

    def _limit(self, value: DatedValue) -> Limit:
        known = [start for start, _ in value.dated if start <= self.day]
        later = [start for start, _ in value.dated if start > self.day]
        held = value.on(self.day)
        by_category = held if isinstance(held, Mapping) else {"": held}
        return Limit(
            name=value.name,
            source=value.source,
            to_confirm=value.to_confirm,
            values=[(self._category(value, name), self._shown(value.name, one)) for name, one in by_category.items()],
            since=known[-1] if known else None,
            next=later[0] if later else None,
        )

    def _category(self, value: DatedValue, name: str) -> str:
        if value.by == "product_kind":
            return str(PRODUCT_KINDS.get(name, PRODUCT_KINDS["other"]))
        return name and self.words.value(value.by or "", name)

    def _rule(self, rule: Rule) -> Line:
        return Line(
            code=rule.code,
            kind=rule.kind,
            reason=self._filled(rule.reason[self.language]),
            when=self.conditions.of_rule(rule.when, {}),
            formula=rule.when.text,
            outcome=rule.outcome,
            unknown=rule.unknown,
            overridable=rule.overridable,
            source=rule.source,
        )

    def _shown(self, name: str, value: float | None) -> str:
        return formats.NOTHING if value is None else self.words.value(name, value)

    def _filled(self, text: str) -> str:
        """A limit as it holds on the day; what differs between applicants by its name."""
        return PLACE.sub(lambda found: self._value(found[1]), text)

    def _value(self, name: str) -> str:
        limit = self.policy.values.get(name)
        held = limit.on(self.day) if limit else None
        return self._shown(name, held) if isinstance(held, int | float) else f"‹{self.words.name(name)}›"
