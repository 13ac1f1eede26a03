"""The documents agree with the code, their links lead somewhere, and no committed file names this machine."""

import re
import subprocess
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import get_commands

from apps.common import errors
from apps.common.api import TITLES

BASE = Path(settings.BASE_DIR)
PAGES = [BASE / "README.md", BASE / "CHANGELOG.md", *sorted((BASE / "docs").rglob("*.md"))]


def test_every_problem_is_documented():
    codes = {code for code, _ in TITLES.values()}
    codes |= {kind.code for kind in vars(errors).values() if isinstance(kind, type) and hasattr(kind, "code")}
    documented = set(re.findall(r"^\| ([a-z-]+) \|", (BASE / "docs/api/problems.md").read_text(), re.MULTILINE))
    assert documented == codes


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(BASE)))
def test_links_and_named_files_are_there(page):
    text = page.read_text()
    links = [link for link in re.findall(r"\]\(([^)#]+)[^)]*\)", text) if "://" not in link]
    assert [link for link in links if not (page.parent / link).exists()] == []
    named = re.findall(r"`?\b((?:docs|apps|config|requirements)/[\w./-]+\.(?:md|py|yaml|toml|txt))\b", text)
    assert [name for name in named if not (BASE / name).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(BASE)))
def test_commands_that_the_documents_name_exist(page):
    named = set(re.findall(r"manage\.py (\w+)", page.read_text()))
    assert named <= set(get_commands())


def test_make_targets_that_the_documents_name_exist():
    targets = set(re.findall(r"^([a-z-]+):", (BASE / "Makefile").read_text(), re.MULTILINE))
    for page in PAGES:
        assert set(re.findall(r"`(?:PORT=\d+ )?make ([a-z-]+)`", page.read_text())) <= targets


def test_no_committed_file_names_a_registry_or_this_machine():
    listed = subprocess.run(["git", "ls-files"], cwd=BASE, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("not a git work tree")
    words = ["/" + "work/", "files.python" + "hosted", "pypi" + ".org", "registry." + "npmjs"]
    found = [
        (name, word)
        for name in listed.stdout.splitlines()
        if (BASE / name).suffix not in (".joblib", ".parquet")
        for word in words
        if word in (BASE / name).read_text(errors="replace")
    ]
    assert found == []
