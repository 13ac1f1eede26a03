"""`python manage.py check_policy FILE...`: what it prints, and when it fails; no database is asked."""

import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command

from apps.policies.tests.small_policy import SMALL, changed, rule

DEFAULTS = Path(__file__).parent.parent / "defaults"


def check(*files: Path) -> tuple[int, list[str]]:
    out, code = StringIO(), 0
    try:
        call_command("check_policy", *map(str, files), stdout=out, no_color=True)
    except SystemExit as end:
        code = end.code
    return code, out.getvalue().splitlines()


def written(folder: Path, text: str, name: str = "policy.toml") -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def test_a_sound_policy(tmp_path):
    file = written(tmp_path, SMALL)
    assert check(file) == (
        0,
        [str(file), "  small 1 (individual, UZS, from 2026-01-01): 7 examples: 7 as expected"],
    )


def test_the_shipped_policies():
    code, lines = check(*sorted(DEFAULTS.glob("*.toml")))
    assert code == 0
    assert [line.partition("): ")[2] for line in lines if " examples: " in line] == [
        "17 examples: 17 as expected",
        "14 examples: 14 as expected",
        "25 examples: 25 as expected",
        "32 examples: 32 as expected",
    ]
    assert all(line.startswith("  warning  values.") for line in lines if "warning" in line)


def test_an_error_says_file_rule_and_why(tmp_path):
    file = written(tmp_path, changed(rule("old", "age_years > 60")))
    code, lines = check(file)
    assert code == 1
    assert lines[:2] == [
        str(file),
        "  error  rules.old: rests on age_years: age counts only for legal capacity and age at maturity, "
        "in rules of the kinds legal and knockout",
    ]


def test_a_failed_example_is_an_error(tmp_path):
    file = written(tmp_path, changed(("amount = 32_000_000", "amount = 31_000_000")))
    code, lines = check(file)
    assert code == 1
    assert '  error  example "capped": terms.amount should be 31,000,000 and is 32,000,000' in lines
    assert lines[-1] == "  small 1 (individual, UZS, from 2026-01-01): 7 examples: 6 as expected"


def test_warnings_alone_do_not_fail(tmp_path):
    code, lines = check(written(tmp_path, changed(("second_person_above = 50_000_000\n", ""))))
    assert code == 0
    assert lines[1] == (
        "  warning  people.second_person_above: is missing: no amount asks for a second person by itself"
    )


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"\xff\xfe", "cannot be read: 'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"),
        (b"code = ", "file: it is not TOML: Invalid value (at end of document)"),
        (b"#" * 200_001, "is too long; a policy has at most 200,000 characters"),
        (b"#" * 800_001, "is too long; a policy has at most 200,000 characters"),
    ],
)
def test_what_is_no_policy(tmp_path, raw, message):
    file = tmp_path / "policy.toml"
    file.write_bytes(raw)
    assert check(file) == (1, [str(file), f"  error  {message}"])


def test_a_missing_file_does_not_hide_the_others(tmp_path):
    sound, missing = written(tmp_path, SMALL), tmp_path / "missing.toml"
    code, lines = check(missing, sound)
    assert code == 1
    assert lines[1].startswith("  error  cannot be read: [Errno 2] No such file or directory")
    assert lines[-1].endswith("7 examples: 7 as expected")


def test_it_needs_no_database(tmp_path):
    """As a process of its own, with an address where no database answers."""
    file = written(tmp_path, SMALL)
    done = subprocess.run(
        [sys.executable, "manage.py", "check_policy", str(file)],
        cwd=settings.BASE_DIR,
        env={"PATH": "/usr/bin:/bin", "DATABASE_URL": "postgres://nobody@127.0.0.1:9/none", "SECRET_KEY": "x" * 50},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("7 examples: 7 as expected\n")
