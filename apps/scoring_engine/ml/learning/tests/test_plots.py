import re
from xml.etree import ElementTree

import pytest

from apps.scoring_engine.ml.learning.plots import (
    Axis,
    Bars,
    Intervals,
    Line,
    axis_to,
    bar_plot,
    line_plot,
    percent,
    thinned,
)

SVG = "{http://www.w3.org/2000/svg}"
UNIT = Axis("share", 0, 1, percent)


def read(svg):
    return ElementTree.fromstring(svg)  # noqa: S314  it is our own


def test_a_line_runs_from_corner_to_corner_of_its_axes():
    plot = read(line_plot("roc", "ROC", "bads by goods", UNIT, UNIT, [Line("card", [(0, 0), (0.5, 0.75), (1, 1)])]))
    paths = [path.get("d") for path in plot.iter(f"{SVG}path") if path.get("stroke-width") == "2"]
    assert paths[0] == "M58.0 294.0L328.0 99.0L598.0 34.0"


def test_a_plot_says_in_words_what_it_shows():
    plot = read(line_plot("roc", "ROC <1>", "bads & goods", UNIT, UNIT, []))
    assert plot.get("role") == "img"
    assert plot.get("aria-labelledby") == "roc-title roc-about"
    assert (plot.find(f"{SVG}title").get("id"), plot.find(f"{SVG}title").text) == ("roc-title", "ROC <1>")
    assert (plot.find(f"{SVG}desc").get("id"), plot.find(f"{SVG}desc").text) == ("roc-about", "bads & goods")


def test_an_interval_has_its_ends_and_its_point():
    plot = read(line_plot("c", "", "", UNIT, UNIT, [Intervals("", [(0.5, 0.5, 0.25, 1.0)])]))
    found = [path.get("d") for path in plot.iter(f"{SVG}path") if path.get("stroke") == "#1d5b95"]
    assert found == ["M328.0 229.0L328.0 34.0", "M324.0 229.0L332.0 229.0", "M324.0 34.0L332.0 34.0"]
    dots = [(dot.get("cx"), dot.get("cy")) for dot in plot.iter(f"{SVG}circle")]
    assert dots == [("328.0", "164.0")]


def test_bars_are_as_high_as_their_share_of_the_axis():
    plot = read(bar_plot("b", "", "", ["a", "b"], "", UNIT, [Bars("", [0.5, 1.0])]))
    heights = [float(bar.get("height")) for bar in plot.iter(f"{SVG}rect")]
    assert heights == [130.0, 260.0]


def test_labels_that_would_run_into_each_other_are_left_out():
    labels = [f"label {i}" for i in range(40)]
    plot = bar_plot("b", "", "", labels, "", UNIT, [Bars("", [0.1] * 40)])
    assert re.findall(r">label (\d+)<", plot) == ["0", "4", "8", "12", "16", "20", "24", "28", "32", "36"]


@pytest.mark.parametrize(("most", "end"), [(0.073, 0.08), (0.5, 0.5), (0.51, 0.6), (7, 8), (0, 1), (1e-4, 1e-4)])
def test_an_axis_ends_at_a_round_number(most, end):
    assert axis_to("", most).most == pytest.approx(end)


def test_ticks_are_round_and_inside_the_axis():
    plot = line_plot("p", "", "", Axis("score", 385, 512), UNIT, [])
    assert re.findall(r">(\d+)</text>", plot) == ["400", "450", "500"]


def test_values_outside_an_axis_stay_at_its_end():
    plot = line_plot("p", "", "", UNIT, UNIT, [Line("", [(-1, -1), (2, 2)])])
    assert "M58.0 294.0L598.0 34.0" in plot


def test_thinned_keeps_first_and_last_and_at_most_so_many():
    points = [(i, i * i) for i in range(1001)]
    found = thinned(points, 11)
    assert found == [(i * 100, (i * 100) ** 2) for i in range(11)]
    assert thinned(points[:5], 11) == points[:5]
