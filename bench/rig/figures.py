"""What every benchmark says at its end: a table for people, and one line of JSON."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Limit:
    """A figure's goal. ``at_least`` and ``at_most`` are both kept by the figure itself."""

    figure: str
    at_most: float | None = None
    at_least: float | None = None

    def holds(self, figures: Mapping[str, Any]) -> bool:
        """Whether the figure is there and within the goal."""
        value = figures.get(self.figure)
        if not isinstance(value, int | float):
            return False
        return (self.at_most is None or value <= self.at_most) and (self.at_least is None or value >= self.at_least)

    @property
    def words(self) -> str:
        """The goal as ``<= 1.25`` or ``>= 3``."""
        return f"<= {self.at_most:g}" if self.at_most is not None else f">= {self.at_least:g}"


def closing_line(figures: Mapping[str, Any], limits: Sequence[Limit]) -> str:
    """The JSON line: figures, ``thresholds`` by figure, the figures that ``missed``, and ``ok``."""
    missed = [limit.figure for limit in limits if not limit.holds(figures)]
    thresholds = {limit.figure: limit.words for limit in limits}
    return json.dumps({**figures, "thresholds": thresholds, "missed": missed, "ok": not missed})


def table(rows: Sequence[Sequence[object]]) -> str:
    """Rows as text; the first is the heading. Numbers stand on the right."""
    cells = [[_shown(value) for value in row] for row in rows]
    widths = [max(len(row[column]) for row in cells) for column in range(len(cells[0]))]
    lines = []
    for at, row in enumerate(cells):
        numeric = [at > 0 and isinstance(value, int | float) for value in rows[at]]
        shown = [
            text.rjust(width) if right else text.ljust(width)
            for text, width, right in zip(row, widths, numeric, strict=True)
        ]
        lines.append("  ".join(shown).rstrip())
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines)


def _shown(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.3f}" if abs(value) < 1 else f"{value:.1f}"
    return str(value)


def machine() -> str:
    """What the figures were taken on, and how busy it was already."""
    load = os.getloadavg()[0]
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    return (
        f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}; load before the run {load:.2f}"
    )
