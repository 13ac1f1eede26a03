"""The colours, light and dark: every text can be read on what it stands on (WCAG AA, 4.5 to 1)."""

import re
from pathlib import Path

import pytest

CSS = (Path(__file__).parents[1] / "static" / "workbench" / "tokens.css").read_text()
LIGHT = dict(re.findall(r"(--[\w-]+): (#[0-9a-f]{6});", CSS.partition(':root[data-theme="dark"]')[0]))
DARK = LIGHT | dict(
    re.findall(r"(--[\w-]+): (#[0-9a-f]{6});", re.search(r'data-theme="dark"\] \{(.*?)\n\}', CSS, re.DOTALL)[1])
)
ON = {
    "ink": ("page", "surface", "surface-2", "surface-3", "warn-soft", "bad-soft", "info-soft", "good-soft"),
    "ink-2": ("page", "surface", "surface-2"),
    "ink-3": ("page", "surface", "surface-2", "info-soft"),
    "accent": ("page", "surface", "surface-2", "accent-soft"),
    "accent-strong": ("surface", "accent-soft"),
    "on-accent": ("accent", "accent-strong"),
    "surface": ("good", "bad"),  # buttons to approve and to decline
    "good": ("good-soft", "surface"),
    "warn": ("warn-soft", "surface"),
    "bad": ("bad-soft", "surface"),
    "info": ("info-soft",),
    "neutral": ("neutral-soft",),
    "rail-ink": ("rail-page", "rail-on"),
    "rail-ink-2": ("rail-page",),
}


def light_of(colour: str) -> float:
    """Relative luminance, as WCAG 2 has it."""
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((light_of(one), light_of(other)))
    return (light + 0.05) / (dark + 0.05)


def test_the_measure_is_that_of_wcag():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_every_text_can_be_read(theme):
    faint = {
        (text, ground): round(found, 2)
        for text, grounds in ON.items()
        for ground in grounds
        if (found := contrast(theme[f"--{text}"], theme[f"--{ground}"])) < 4.5
    }
    assert faint == {}


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_focus_and_borders_of_fields_can_be_seen(theme):
    assert contrast(theme["--focus"], theme["--surface"]) >= 3
    assert contrast(theme["--focus"], theme["--page"]) >= 3
