"""Plain text tables that stay legible in eighty columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len, set_cell_size

from thirdshift.core.text import one_line

WIDTH = 80
_GAP = "  "


@dataclass(frozen=True)
class Column:
    """A column: its heading, whether figures are in it, and whether it may be cut when the line is too long.

    ``by_end``: what tells its values apart is their end, so their beginning is cut.
    """

    heading: str
    figures: bool = False
    shrinks: bool = False
    by_end: bool = False


def table(columns: Sequence[Column], rows: Sequence[Sequence[str]], *, indent: str = "  ") -> list[str]:
    """Lines of at most eighty columns: columns that may shrink are cut, evenly, where the rest leaves no room.

    A row of one cell is a remark: it is indented to the second column and wrapped there.
    """
    shown = [[one_line(cell, 400) for cell in row] for row in rows]
    whole = [row for row in shown if len(row) == len(columns)]
    widths = [
        max(cell_len(column.heading), *(cell_len(row[at]) for row in whole), 0) for at, column in enumerate(columns)
    ]
    _shrink(columns, widths, WIDTH - len(indent) - len(_GAP) * (len(columns) - 1))
    lines = [_line(columns, widths, [column.heading for column in columns], indent)]
    for row in shown:
        if len(row) == len(columns):
            lines.append(_line(columns, widths, row, indent))
        else:
            margin = indent + " " * (widths[0] + len(_GAP))
            lines += wrapped(row[0], indent=margin)
    return lines


def _shrink(columns: Sequence[Column], widths: list[int], room: int) -> None:
    may = [at for at, column in enumerate(columns) if column.shrinks]
    while sum(widths) > room and may:
        widest = max(may, key=lambda at: widths[at])
        if widths[widest] <= 8:
            return
        widths[widest] -= 1


def _line(columns: Sequence[Column], widths: Sequence[int], cells: Sequence[str], indent: str) -> str:
    parts = []
    for column, width, cell in zip(columns, widths, cells, strict=True):
        if cell_len(cell) > width:
            cell = _cut(cell, width, by_end=column.by_end)
        space = " " * (width - cell_len(cell))
        parts.append(space + cell if column.figures else cell + space)
    return (indent + _GAP.join(parts)).rstrip()


def _cut(cell: str, width: int, *, by_end: bool) -> str:
    room = max(0, width - 2)
    if not by_end:
        return set_cell_size(cell, room) + ".."
    while cell_len(cell) > room:
        cell = cell[1:]
    return ".." + cell


def field(name: str, value: str) -> str:
    """``name`` and its value on one line; the value is never cut, so that it can be copied."""
    return f"{name:<10}{value}"


def wrapped(text: str, indent: str = "  ", width: int = WIDTH) -> list[str]:
    """Prose broken at spaces; a word longer than a line stays whole."""
    lines: list[str] = []
    line = indent
    for word in text.split():
        if line.strip() and cell_len(line) + 1 + cell_len(word) > width:
            lines.append(line)
            line = indent
        line += word if not line.strip() else f" {word}"
    return [*lines, line] if line.strip() else lines
