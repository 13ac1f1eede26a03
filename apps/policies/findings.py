"""What the checks before publishing say of a policy."""

from dataclasses import dataclass

ERROR, WARNING = SEVERITIES = ("error", "warning")


@dataclass(frozen=True, slots=True)
class Finding:
    """severity: an error bars publishing; where: the part of the file, such as `rules.self_banned`."""

    severity: str
    where: str
    message: str


def error(where: str, message: str) -> Finding:
    return Finding(ERROR, where, message)


def warning(where: str, message: str) -> Finding:
    return Finding(WARNING, where, message)
