"""What is served of others: the files that VERSIONS.toml describes, and no more; nothing that fetches anything."""

import hashlib
import json
import re
import tomllib
from pathlib import Path

import pytest

ROOM = Path(__file__).parents[1]
STATIC = ROOM / "static" / "workbench"
ROWS = tomllib.loads((STATIC / "vendor" / "VERSIONS.toml").read_text())
OURS = [
    path for path in sorted(STATIC.rglob("*")) if path.suffix in (".css", ".js", ".svg") and "vendor" not in path.parts
]


@pytest.mark.parametrize("name", ROWS)
def test_a_served_file_is_the_one_that_was_looked_at(name):
    row = ROWS[name]
    assert hashlib.sha256((STATIC / "vendor" / row["file"]).read_bytes()).hexdigest() == row["sha256"]
    assert row["version"]
    assert row["licence"]


def test_no_script_or_style_of_others_is_undescribed():
    served = {path.name for path in (STATIC / "vendor").iterdir() if path.suffix in (".js", ".css", ".mjs", ".map")}
    assert served == {row["file"] for row in ROWS.values()}


def test_the_packages_are_pinned_to_the_versions_that_are_served():
    pinned = json.loads((ROOM / "vendor" / "package.json").read_text())["dependencies"]
    assert {version for version in pinned.values() if not re.fullmatch(r"[0-9]+\.[0-9]+\.[0-9]+", version)} == set()
    for name, row in ROWS.items():
        package = row["package"] if "integrity" in row else name
        assert pinned[package] == row["version"]


@pytest.mark.parametrize(
    "path", [*OURS, *(STATIC / "vendor" / row["file"] for row in ROWS.values())], ids=lambda p: p.name
)
def test_no_file_names_a_source_map_or_fetches_from_elsewhere(path):
    text = path.read_text(encoding="utf-8")
    assert "sourceMappingURL" not in text
    assert re.findall(r"""(?:@import|url\()\s*["']?(?:https?:)?//""", text) == []
    assert re.findall(r"registry\.|unpkg|jsdelivr|cdnjs|googleapis|gstatic", text) == []


def test_what_a_page_loads_first_is_small():
    """Compressed, as any proxy in front serves it; the charts come on the screens that have some."""
    import zlib

    names = ["tokens.css", "workbench.css", "workbench.js", "icons.svg", "icon.svg"]
    files = [STATIC / name for name in names] + [
        STATIC / "vendor" / n for n in ("htmx.js", "alpine-csp.js", "pico.css")
    ]
    assert sum(len(zlib.compress(path.read_bytes())) for path in files) < 90_000


def test_light_and_dark_say_the_same_names_and_dark_is_said_twice_alike():
    text = (STATIC / "tokens.css").read_text()
    chosen = re.search(r'data-theme="dark"\] \{(.*?)\n\}', text, re.DOTALL)[1]
    of_system = re.search(r':not\(\[data-theme="light"\]\) \{(.*?)\n  \}', text, re.DOTALL)[1]
    assert re.findall(r"(--[\w-]+): ([^;]+);", chosen) == re.findall(r"(--[\w-]+): ([^;]+);", of_system)
    used = set(re.findall(r"var\((--(?!pico)[\w-]+)", "".join(path.read_text() for path in STATIC.glob("*.css"))))
    assert used - set(re.findall(r"(--[\w-]+):", "".join(path.read_text() for path in STATIC.glob("*.css")))) == set()
