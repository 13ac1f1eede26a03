"""Checks policy files before anybody publishes them: how they are written, what they rest on, what they decide."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from apps.policies.documents import read_policy
from apps.policies.examples import run_examples
from apps.policies.lint import ERROR, lint
from apps.policies.policy import Policy, PolicyError

MOST_CHARACTERS = 200_000  # as before publishing


class Command(BaseCommand):
    help = "Check policy files: format, names, units, gaps, unreachable rules, reasons; and run the examples in them."
    requires_system_checks = []  # a file is all it needs

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("files", nargs="+", metavar="FILE", help="a policy, TOML (docs/reference/policy-format.md)")

    def handle(self, *args: Any, files: list[str], **options: Any) -> None:
        sound = [self._check(name) for name in files]
        if not all(sound):
            raise SystemExit(1)

    def _check(self, name: str) -> bool:
        """Whether nothing bars the file from being published."""
        self.stdout.write(name)
        policy = self._read(name)
        if policy is None:
            return False
        findings = lint(policy)
        for finding in findings:
            self._say(finding.severity, f"{finding.where}: {finding.message}")
        failures = run_examples(policy)
        for failure in failures:
            self._say(ERROR, f'example "{failure.title}": {failure.message}')
        self._sum_up(policy, len(policy.examples), len({failure.title for failure in failures}))
        return not failures and all(finding.severity != ERROR for finding in findings)

    def _read(self, name: str) -> Policy | None:
        try:
            with Path(name).open("rb") as file:
                raw = file.read(4 * MOST_CHARACTERS + 1)  # a character has at most 4 bytes
            if len(raw) > 4 * MOST_CHARACTERS or len(text := raw.decode("utf-8")) > MOST_CHARACTERS:
                self._say(ERROR, f"is too long; a policy has at most {MOST_CHARACTERS:,} characters")
                return None
            return read_policy(text)
        except (OSError, UnicodeDecodeError) as problem:
            self._say(ERROR, f"cannot be read: {problem}")
        except PolicyError as refused:
            for problem in refused.problems:
                self._say(ERROR, f"{problem.where}: {problem.message}")
        return None

    def _say(self, severity: str, text: str) -> None:
        style = self.style.ERROR if severity == ERROR else self.style.WARNING
        self.stdout.write(f"  {style(severity)}  {text}")

    def _sum_up(self, policy: Policy, examples: int, failed: int) -> None:
        name = f"{policy.code} {policy.version} ({policy.segment}, {policy.currency}, from {policy.valid_from})"
        self.stdout.write(f"  {name}: {examples} examples: {examples - failed} as expected")
