"""Charts as SVG text: pure functions from numbers to markup, with no script and nothing from outside.

Every label is hostile: it is made visible and escaped here, so that no caller can forget. Each mark has a ``title``,
which browsers show on hover and screen readers read.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from thirdshift.core.text import one_line

Format = Callable[[int], str]
_LONGEST_LABEL = 32


@dataclass(frozen=True)
class Series:
    """A name, its colour, and a value for each label; values are not negative."""

    name: str
    colour: str
    values: Sequence[int]


@dataclass(frozen=True)
class Bar:
    """A label and a value, with what is written at the bar's end."""

    label: str
    value: int
    words: str


def safe(text: str, limit: int = 400) -> str:
    """Hostile text for HTML or SVG: hidden characters shown, markup inert, in one line."""
    return escape(one_line(text, limit))


def scale_top(most: int) -> int:
    """The end of an axis: the next of 1, 2, 2.5 or 5 times a power of ten."""
    if most <= 0:
        return 1
    power = 10 ** (len(str(most)) - 1)
    for tenths in (10, 20, 25, 50, 100):
        if most * 10 <= power * tenths:
            return power * tenths // 10 or 1
    raise AssertionError(most)


def legend(series: Sequence[Series]) -> str:
    """The names and colours, as HTML above a chart."""
    items = "".join(f'<li><i style="background:{one.colour}"></i>{safe(one.name)}</li>' for one in series)
    return f'<ul class="legend">{items}</ul>'


def column_chart(name: str, labels: Sequence[str], series: Sequence[Series], words: Format, note: str = "") -> str:
    """Columns over time, series stacked, with an axis on the left. ``note`` is what a column's title adds."""
    width, height, left, bottom, top = 1000, 260, 78, 34, 12
    sums = [sum(one.values[at] for one in series) for at in range(len(labels))]
    most = scale_top(max(sums, default=0))
    room = height - bottom - top
    slot = (width - left - 8) / max(1, len(labels))
    thick = min(slot * 0.72, 64)
    parts = [_axis(left, width, top, room, most, words)]
    every = max(1, -(-len(labels) // 14))
    for at, label in enumerate(labels):
        x = left + slot * at + (slot - thick) / 2
        y = float(top + room)
        for one in series:
            tall = one.values[at] * room / most
            y -= tall
            if tall > 0:
                title = f"{label}: {one.name} {words(one.values[at])}{note}"
                parts.append(_mark(x, y, thick, tall, one.colour, title))
        if at % every == 0:
            middle = left + slot * at + slot / 2
            parts.append(_text(middle, height - 12, safe(label), "tick", "middle"))
    return _svg(name, width, height, parts)


def columns_to_line(name: str, labels: Sequence[str], series: Sequence[Series], line: Bar | None, words: Format) -> str:
    """A legend, and below it stacked columns of half a page's width, a level line across: a limit, or what is usual.

    The line is told in the legend, where no column is in the way of its words.
    """
    width, height, left, bottom, top = 560, 240, 70, 30, 12
    sums = [sum(one.values[at] for one in series) for at in range(len(labels))]
    most = scale_top(max([*sums, line.value if line else 0], default=0))
    room = height - bottom - top
    slot = (width - left - 4) / max(1, len(labels))
    thick = min(slot * 0.86, 48)
    parts = [_axis(left, width, top, room, most, words)]
    every = max(1, -(-len(labels) // 6))
    for at, label in enumerate(labels):
        x = left + slot * at + (slot - thick) / 2
        y = float(top + room)
        for one in series:
            tall = one.values[at] * room / most
            y -= tall
            if tall > 0:
                parts.append(_mark(x, y, thick, tall, one.colour, f"{label}: {one.name} {words(one.values[at])}"))
        if at % every == 0:
            parts.append(_text(left + slot * at + slot / 2, height - 10, safe(label), "tick", "middle"))
    if line is not None:
        y = top + room - line.value * room / most
        title = f"<title>{safe(f'{line.label}: {line.words}')}</title>"
        parts.append(f'<line x1="{left}" y1="{y:.1f}" x2="{width}" y2="{y:.1f}" class="limit">{title}</line>')
    shown = f'<li><i class="level"></i>{safe(f"{line.label} {line.words}")}</li></ul>' if line else "</ul>"
    return legend(series).removesuffix("</ul>") + shown + _svg(name, width, height, parts)


def _axis(left: int, width: int, top: int, room: int, most: int, words: Format) -> str:
    lines = []
    for fifth in range(6):
        y = top + room - room * fifth / 5
        value = most * fifth // 5
        lines.append(
            f'<line x1="{left}" y1="{y:.1f}" x2="{width}" y2="{y:.1f}" class="grid"/>'
            + _text(left - 8, y + 4, safe(words(value)), "tick", "end")
        )
    return "".join(lines)


def bar_chart(name: str, bars: Sequence[Bar], colour: str) -> str:
    """Horizontal bars, longest label shown by its end, the words beside each bar."""
    return coloured_bars(name, [(bar, colour) for bar in bars], left=244)


def coloured_bars(name: str, bars: Sequence[tuple[Bar, str]], left: int = 168) -> str:
    """Horizontal bars, each with its colour."""
    row, width, right = 26, 560, 84
    most = max((bar.value for bar, _ in bars), default=0) or 1
    parts = []
    for at, (bar, colour) in enumerate(bars):
        y = at * row + 4
        long = (width - left - right) * bar.value / most
        parts.append(_label(bar.label, left, y + 13))
        parts.append(_mark(left, y, max(long, 1.0), row - 9, colour, f"{bar.label}: {bar.words}"))
        parts.append(_text(left + long + 8, y + 13, safe(bar.words), "value", "start"))
    return _svg(name, width, len(bars) * row + 6, parts)


def stacked_bars(name: str, labels: Sequence[str], series: Sequence[Series], words: Format) -> str:
    """Horizontal bars of equal scale, series side by side, the sum at the end."""
    row, left, width, right = 28, 168, 1000, 90
    sums = [sum(one.values[at] for one in series) for at in range(len(labels))]
    most = max(sums, default=0) or 1
    parts = []
    for at, label in enumerate(labels):
        y, x = at * row + 4, float(left)
        parts.append(_label(label, left, y + 14))
        for one in series:
            long = (width - left - right) * one.values[at] / most
            if long > 0:
                parts.append(_mark(x, y, long, row - 9, one.colour, f"{label}: {one.name} {words(one.values[at])}"))
            x += long
        parts.append(_text(x + 8, y + 14, safe(words(sums[at])), "value", "start"))
    return _svg(name, width, len(labels) * row + 6, parts)


def share_bar(name: str, series: Sequence[Series], words: Format) -> str:
    """One bar of full width: each series' first value as its part of the whole, named where there is room."""
    width, tall = 1000, 40
    whole = sum(one.values[0] for one in series) or 1
    parts, x = [], 0.0
    for one in series:
        long = width * one.values[0] / whole
        if long > 0:
            percent = f"{one.values[0] * 100 / whole:.0f}%"
            parts.append(_mark(x, 0, long, tall, one.colour, f"{one.name}: {words(one.values[0])} ({percent})"))
            if long > 44:
                parts.append(_text(x + long / 2, 25, percent, "on", "middle"))
        x += long
    return _svg(name, width, tall, parts)


def _label(label: str, left: int, y: int) -> str:
    line = one_line(label, 400)
    room = _LONGEST_LABEL if left > 200 else 20
    shown = line if len(line) <= room else "…" + line[-(room - 1) :]
    return _text(left - 10, y, f"{escape(shown)}<title>{escape(line)}</title>", "label", "end")


def _text(x: float, y: float, inner: str, kind: str, anchor: str) -> str:
    """``inner`` is markup already."""
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}" text-anchor="{anchor}">{inner}</text>'


def _mark(x: float, y: float, wide: float, tall: float, colour: str, title: str) -> str:
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{wide:.1f}" height="{tall:.1f}" fill="{colour}">'
        f"<title>{safe(title)}</title></rect>"
    )


def _svg(name: str, width: int, height: int, parts: Sequence[str]) -> str:
    return (
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="{safe(name)}">'
        f"<title>{safe(name)}</title>{''.join(parts)}</svg>"
    )
