"""Plots as inline SVG: no script, no outside file, readable in black and white, and the same bytes each time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from itertools import pairwise
from math import ceil, floor, log10

WIDTH, HEIGHT = 620, 340
LEFT, RIGHT, TOP, BOTTOM = 58, 22, 34, 46
BLUE, ORANGE, GREY, INK, GRID = "#1d5b95", "#c25a12", "#8a929b", "#20262c", "#e3e6e9"
TICKS = 6
Points = Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Line:
    """A line through points in order of x; dash: an SVG dash pattern, so that print in grey still tells."""

    name: str
    points: Points
    colour: str = BLUE
    dash: str = ""
    marks: bool = False


@dataclass(frozen=True, slots=True)
class Intervals:
    """Points with a vertical bar from lower to upper: (x, y, lower, upper)."""

    name: str
    points: Sequence[tuple[float, float, float, float]]
    colour: str = BLUE


@dataclass(frozen=True, slots=True)
class Bars:
    """One bar a label; several sets stand side by side."""

    name: str
    heights: Sequence[float]
    colour: str = BLUE


@dataclass(frozen=True, slots=True)
class Axis:
    """shown: how a tick is written."""

    label: str
    least: float
    most: float
    shown: Callable[[float], str] = lambda value: f"{value:g}"


def percent(value: float) -> str:
    return f"{value * 100:.3g} %"


def axis_to(label: str, most: float, shown: Callable[[float], str] = lambda value: f"{value:g}") -> Axis:
    """An axis from 0 to a round number at or above `most`."""
    if most <= 0:
        return Axis(label, 0.0, 1.0, shown)
    step = _round_step(most / (TICKS - 1))
    return Axis(label, 0.0, ceil(most / step - 1e-9) * step, shown)


def line_plot(name: str, title: str, about: str, x: Axis, y: Axis, parts: Sequence[Line | Intervals]) -> str:
    """An <svg>; `name` must differ between plots of a page, `about` says in words what it shows."""
    scale_x, scale_y = _scale(x, LEFT, WIDTH - RIGHT), _scale(y, HEIGHT - BOTTOM, TOP)
    drawn = [_grid(x, y), *(_part(part, scale_x, scale_y) for part in parts), _legend(parts)]
    return _svg(name, title, about, "".join(drawn))


def bar_plot(
    name: str, title: str, about: str, labels: Sequence[str], x_label: str, y: Axis, sets: Sequence[Bars],
    *, over: Line | None = None, over_axis: Axis | None = None,
) -> str:  # fmt: skip
    """Bars side by side; `over`, a line with its own axis on the right, has x 0, 1, 2 ... for the labels."""
    right = WIDTH - (RIGHT if over_axis is None else LEFT - 8)
    scale_y, room = _scale(y, HEIGHT - BOTTOM, TOP), (right - LEFT) / max(len(labels), 1)
    drawn = [_y_grid(y, right), _bars(sets, scale_y, room), _labels(labels, room, x_label, right)]
    if over is not None and over_axis is not None:
        drawn += [_right_axis(over_axis, right), _part(over, lambda place: LEFT + (place + 0.5) * room,
                                                       _scale(over_axis, HEIGHT - BOTTOM, TOP))]  # fmt: skip
    return _svg(name, title, about, "".join([*drawn, _legend([*sets, *([over] if over else [])])]))


def thinned(points: Points, most: int = 200) -> list[tuple[float, float]]:
    """At most `most` points, first and last kept, evenly spaced by place: a curve looks the same."""
    if len(points) <= most:
        return [(float(x), float(y)) for x, y in points]
    places = [round(i * (len(points) - 1) / (most - 1)) for i in range(most)]
    return [(float(points[i][0]), float(points[i][1])) for i in places]


def _svg(name: str, title: str, about: str, inside: str) -> str:
    key = escape(name, quote=True)
    return (
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-labelledby="{key}-title {key}-about"'
        f' xmlns="http://www.w3.org/2000/svg"><title id="{key}-title">{escape(title)}</title>'
        f'<desc id="{key}-about">{escape(about)}</desc>{inside}</svg>'
    )


def _scale(axis: Axis, start: float, end: float) -> Callable[[float], float]:
    span = axis.most - axis.least or 1.0
    return lambda value: start + (min(max(value, axis.least), axis.most) - axis.least) / span * (end - start)


def _round_step(step: float) -> float:
    """The nearest of 1, 2, 2.5 or 5 times a power of ten, at or above."""
    power = 10.0 ** floor(log10(step))
    return next(times * power for times in (1, 2, 2.5, 5, 10) if times * power >= step * (1 - 1e-9))


def _ticks(axis: Axis) -> list[float]:
    step = _round_step((axis.most - axis.least) / (TICKS - 1))
    first = ceil(axis.least / step - 1e-9)
    return [i * step for i in range(first, floor(axis.most / step + 1e-9) + 1)]


def _grid(x: Axis, y: Axis) -> str:
    scale, foot = _scale(x, LEFT, WIDTH - RIGHT), HEIGHT - BOTTOM
    drawn = [_y_grid(y, WIDTH - RIGHT)]
    for tick in _ticks(x):
        drawn.append(_rule(scale(tick), TOP, scale(tick), foot, GRID))
        drawn.append(_text(scale(tick), foot + 16, x.shown(tick), "middle"))
    drawn.append(_text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 7, x.label, "middle"))
    return "".join([*drawn, _rule(LEFT, foot, WIDTH - RIGHT, foot, INK)])


def _y_grid(y: Axis, right: float) -> str:
    scale = _scale(y, HEIGHT - BOTTOM, TOP)
    drawn = [_rule(LEFT, scale(tick), right, scale(tick), GRID) for tick in _ticks(y)]
    drawn += [_text(LEFT - 6, scale(tick) + 4, y.shown(tick), "end") for tick in _ticks(y)]
    middle = (TOP + HEIGHT - BOTTOM) / 2
    turned = f'<text x="14" y="{middle:.1f}" transform="rotate(-90 14 {middle:.1f})" {_font("middle")}>'
    return "".join([*drawn, f"{turned}{escape(y.label)}</text>"])


def _right_axis(y: Axis, right: float) -> str:
    scale, middle = _scale(y, HEIGHT - BOTTOM, TOP), (TOP + HEIGHT - BOTTOM) / 2
    ticks = "".join(_text(right + 6, scale(tick) + 4, y.shown(tick), "start") for tick in _ticks(y))
    turned = f'<text x="{WIDTH - 4}" y="{middle:.1f}" transform="rotate(-90 {WIDTH - 4} {middle:.1f})"'
    return f"{ticks}{turned} {_font('middle')}>{escape(y.label)}</text>"


def _labels(labels: Sequence[str], room: float, x_label: str, right: float) -> str:
    """Labels that would run into each other are left out: every second, third ... stays."""
    foot, letters = HEIGHT - BOTTOM, max((len(label) for label in labels), default=1)
    every = max(1, ceil(letters * 6.6 / room))
    drawn = [
        _text(LEFT + (i + 0.5) * room, foot + 16, label, "middle") for i, label in enumerate(labels) if i % every == 0
    ]
    drawn.append(_text((LEFT + right) / 2, HEIGHT - 7, x_label, "middle"))
    return "".join([*drawn, _rule(LEFT, foot, right, foot, INK)])


def _bars(sets: Sequence[Bars], scale: Callable[[float], float], room: float) -> str:
    wide, foot, drawn = room * 0.8 / max(len(sets), 1), HEIGHT - BOTTOM, []
    for k, bars in enumerate(sets):
        for i, height in enumerate(bars.heights):
            left, top = LEFT + i * room + room * 0.1 + k * wide, scale(height)
            drawn.append(
                f'<rect x="{left:.1f}" y="{top:.1f}" width="{wide * 0.94:.1f}" height="{max(foot - top, 0):.1f}"'
                f' fill="{bars.colour}"/>'
            )
    return "".join(drawn)


def _part(part: Line | Intervals, x: Callable[[float], float], y: Callable[[float], float]) -> str:
    if isinstance(part, Intervals):
        return "".join(_interval(x(a), y(b), y(low), y(high), part.colour) for a, b, low, high in part.points)
    path = "L".join(f"{x(a):.1f} {y(b):.1f}" for a, b in part.points)
    dash = f' stroke-dasharray="{part.dash}"' if part.dash else ""
    drawn = f'<path d="M{path}" fill="none" stroke="{part.colour}" stroke-width="2"{dash}/>' if path else ""
    return drawn + "".join(_dot(x(a), y(b), part.colour) for a, b in part.points if part.marks)


def _interval(x: float, y: float, low: float, high: float, colour: str) -> str:
    ends = "".join(_rule(x - 4, end, x + 4, end, colour) for end in (low, high))
    return _rule(x, low, x, high, colour) + ends + _dot(x, y, colour)


def _dot(x: float, y: float, colour: str) -> str:
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3.2" fill="{colour}"/>'


def _legend(parts: Sequence[Line | Intervals | Bars]) -> str:
    named = [part for part in parts if part.name]
    starts = [0.0]
    for part in named:
        starts.append(starts[-1] + 44 + 6.9 * len(part.name))
    return "".join(_key(part, LEFT + start) for part, (start, _) in zip(named, pairwise(starts), strict=True))


def _key(part: Line | Intervals | Bars, left: float) -> str:
    text = _text(left + 26, 18, part.name, "start")
    if isinstance(part, Bars):
        return f'<rect x="{left:.1f}" y="9" width="20" height="10" fill="{part.colour}"/>{text}'
    if isinstance(part, Intervals):
        return _interval(left + 10, 14, 8, 20, part.colour) + text
    dash = f' stroke-dasharray="{part.dash}"' if part.dash else ""
    return f'<path d="M{left:.1f} 14H{left + 20:.1f}" stroke="{part.colour}" stroke-width="2"{dash}/>{text}'


def _rule(x1: float, y1: float, x2: float, y2: float, colour: str) -> str:
    return f'<path d="M{x1:.1f} {y1:.1f}L{x2:.1f} {y2:.1f}" stroke="{colour}" fill="none"/>'


def _text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" {_font(anchor)}>{escape(text)}</text>'


def _font(anchor: str) -> str:
    return f'font-size="12.5" text-anchor="{anchor}" fill="{INK}"'
