"""The two policies of a simulation, from rows or texts."""

from dataclasses import dataclass
from datetime import date, datetime

from apps.common.errors import Conflict, InvalidInput
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
        raise Conflict(f"No policy for the segment {segment} is in force on {on_date}; name one with --against.")
    return of_version(found)


def check_comparable(candidate: Policy, current: Policy) -> None:
    for name in ("segment", "currency"):
        one, other = getattr(candidate, name), getattr(current, name)
        if one != other:
            why = f"{candidate.code} has the {name} {one}, {current.code} {other}; only policies of one {name} compare."
            raise InvalidInput.of(policy=why)
