"""Tables in HTML. Whatever is in a cell is hostile text until it has been through here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from thirdshift.reports.charts import safe


@dataclass(frozen=True)
class Cell:
    """A cell's text, remarks below it, whether it is a figure, and a mood: ``good`` or ``bad``."""

    text: str
    notes: tuple[str, ...] = ()
    figure: bool = False
    mood: str = ""


def html_table(
    names: Sequence[str], figures: Sequence[str], rows: Sequence[Sequence[Cell]], last: Sequence[Cell] = ()
) -> str:
    """A table with the names of its text columns, then of its figures; ``last`` is its sum."""
    head = "".join(f"<th>{safe(name)}</th>" for name in names)
    head += "".join(f'<th class="n">{safe(name)}</th>' for name in figures)
    body = "".join(f"<tr>{''.join(_cell(cell) for cell in row)}</tr>" for row in rows)
    foot = f"<tfoot><tr>{''.join(_cell(cell) for cell in last)}</tr></tfoot>" if last else ""
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody>{foot}</table></div>'


def _cell(cell: Cell) -> str:
    classes = " ".join(filter(None, ("n" if cell.figure else "", cell.mood)))
    note = "".join(f'<br><span class="soft">{safe(line)}</span>' for line in cell.notes if line)
    return f'<td class="{classes}">{safe(cell.text)}{note}</td>' if classes else f"<td>{safe(cell.text)}{note}</td>"
