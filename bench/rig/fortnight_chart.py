"""The fortnight as one picture: money against the budget, and what became of specs and events, night by night."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bench.rig.fortnight_books import Night
from bench.rig.fortnight_plan import NIGHT_NANO, NOTES
from thirdshift.core.money import format_usd
from thirdshift.reports.charts import Series, column_chart

_WIDTH, _TITLE, _PANEL = 1000, 26, 262
_STYLE = (
    "text{font:13px system-ui,sans-serif;fill:#333}.head{font-weight:600;font-size:15px}"
    ".grid{stroke:#ddd}.limit{stroke:#b3261e;stroke-width:2;stroke-dasharray:6 4}"
)
_SPENT, _LEFT, _ACCEPTED, _ENDED, _PARKED = "#3b6ea5", "#dbe4ee", "#3d8b4f", "#8a8a8a", "#d08b1d"
_ROWS = 58


def draw(nights: Sequence[Night]) -> str:
    """SVG text. A night over a change of the clock has its hours beside it."""
    labels = [night.label if night.hours == 8 else f"{night.label}, {night.hours:g}h" for night in nights]
    money = column_chart(
        "Money spent in each night",
        labels,
        [
            Series("spent", _SPENT, [night.spent_nano for night in nights]),
            Series("left", _LEFT, [max(0, NIGHT_NANO - night.spent_nano) for night in nights]),
        ],
        lambda nano: f"${format_usd(nano, 2)}",
    )
    specs = column_chart(
        "Specs in each night",
        labels,
        [
            Series("accepted", _ACCEPTED, [night.accepted for night in nights]),
            Series("ended otherwise", _ENDED, [night.finished - night.accepted for night in nights]),
            Series("parked", _PARKED, [night.parked for night in nights]),
        ],
        str,
    )
    panels = [
        (f"Money of ${format_usd(NIGHT_NANO, 2)} a night", [("spent", _SPENT), ("left", _LEFT)], money),
        (
            "Specs",
            [("accepted", _ACCEPTED), ("ended otherwise", _ENDED), ("parked until the next night", _PARKED)],
            specs,
        ),
    ]
    tall = len(panels) * (_TITLE + _PANEL) + _ROWS
    parts = [f"<style>{_STYLE}</style>", f'<rect width="{_WIDTH}" height="{tall}" fill="#fff"/>']
    for at, (title, names, chart) in enumerate(panels):
        y = at * (_TITLE + _PANEL)
        parts.append(f'<text x="78" y="{y + 19}" class="head">{title}</text>{_legend(names, y)}')
        inner = re.sub(r"^<svg [^>]*>", "", chart)
        parts.append(f'<svg x="0" y="{y + _TITLE}" width="{_WIDTH}" height="260" viewBox="0 0 1000 260">{inner}')
    parts.append(_row(tall - 38, "Events", [f"{night.events:,}" for night in nights]))
    parts.append(_row(tall - 14, "Trouble", [NOTES.get(at, "") for at in range(len(nights))]))
    head = f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{tall}" viewBox="0 0 {_WIDTH} {tall}">'
    return f"{head}<title>Fourteen simulated nights</title>{''.join(parts)}</svg>\n"


def _row(y: int, name: str, words: Sequence[str]) -> str:
    """Words below the columns of the charts, whose axis takes 78 on the left."""
    slot = (_WIDTH - 86) / max(1, len(words))
    cells = [
        f'<text x="{78 + slot * (at + 0.5):.1f}" y="{y}" text-anchor="middle">{w}</text>' for at, w in enumerate(words)
    ]
    return f'<text x="70" y="{y}" class="head" text-anchor="end">{name}</text>{"".join(cells)}'


def _legend(names: Sequence[tuple[str, str]], y: int) -> str:
    parts, x = [], 420
    for name, colour in names:
        parts.append(f'<rect x="{x}" y="{y + 8}" width="12" height="12" fill="{colour}"/>')
        parts.append(f'<text x="{x + 18}" y="{y + 19}">{name}</text>')
        x += 40 + 8 * len(name)
    return "".join(parts)
