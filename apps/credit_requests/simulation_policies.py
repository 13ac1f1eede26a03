"""The two policies of a simulation, from rows or texts."""

from dataclasses import dataclass
from datetime import date, datetime

from apps.common.errors import Conflict, InvalidInput
from apps.common.sentences import Sentence
from apps.policies.models import PolicyVersion
from apps.policies.policy import Policy
from apps.policies.services import check_policy, policy_of

OF_A_FILE = "a file"


@dataclass(frozen=True, slots=True)
class Named:
    """version: the row, None for a text that nobody handed in. problems: how many bar it from being published."""

    policy: Policy
    version: PolicyVersion | None
    problems: int = 0

    def as_dict(self) -> dict[str, str | int]:
        policy = self.policy
        return {
            "code": policy.code,
            "version": policy.version,
            "digest": policy.digest,
            "state": self.version.state if self.version else OF_A_FILE,
            "problems": self.problems,
        }


def of_text(text: str) -> Named:
    checked = check_policy(text)
    return Named(checked.policy, None, len(checked.problems))


def of_version(version: PolicyVersion) -> Named:
    return Named(policy_of(version), version)


def in_force(segment: str, on_date: date, now: datetime) -> Named:
    """Of what is published by `now` the policy that decides on `on_date`. Raises Conflict."""
    found = PolicyVersion.objects.in_force(segment, on_date, now).first()
    if found is None:
        raise Conflict(
            Sentence(
                "No policy for the segment {segment} is in force on {on_date}; name one with --against.",
                segment=segment,
                on_date=on_date,
            )
        )
    return of_version(found)


COMPARED = {"segment": Sentence("segment"), "currency": Sentence("currency")}


def check_comparable(candidate: Policy, current: Policy) -> None:
    for name in COMPARED:
        one, other = getattr(candidate, name), getattr(current, name)
        if one != other:
            why = Sentence(
                "{candidate} has the {name} {one}, {current} {other}; only policies of one {name} compare.",
                candidate=candidate.code,
                name=COMPARED[name],
                one=one,
                current=current.code,
                other=other,
            )
            raise InvalidInput.of(policy=why)
