"""The list of gates: what waits for whom, for how long, at what cost so far, and where it is answered."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from thirdshift.core.frozen import Frozen
from thirdshift.core.gate_book import GateRecord
from thirdshift.core.gate_summary import time_in_words
from thirdshift.core.gates import GateVerdict
from thirdshift.core.text import one_line
from thirdshift.core.words import counted
from thirdshift.reports.columns import Column, table
from thirdshift.reports.figures import money

_COLUMNS = (
    Column("age", figures=True),
    Column("gate", figures=True),
    Column("kind"),
    Column("job", shrinks=True, by_end=True),
    Column("cost", figures=True),
    Column("stands"),
)


class GateLine(Frozen):
    """A gate, what its job has cost, and its page; empty where there is none."""

    gate: GateRecord
    cost_nano: int
    ui_url: str = ""


def render_gates(lines: Sequence[GateLine], now: datetime, view_url: str) -> str:
    """The list as text. Links stand on lines of their own, to be copied whole."""
    if not lines:
        return "nothing waits for a person"
    parts = ["\n".join(table(_COLUMNS, [_row(line, now) for line in lines]))]
    links = [f"  {line.gate.job_id} g{line.gate.seq}\n    {line.ui_url}" for line in lines if line.ui_url]
    if links:
        parts.append("\n".join(["READ AND ANSWER IN THE WEB UI", *links]))
    still_open = next((line.gate for line in lines if line.gate.end is None), None)
    if still_open is not None:
        parts.append(f"NEXT\n  thirdshift decide {still_open.job_id}" + (f"\n  {view_url}" if view_url else ""))
    return "\n\n".join(parts)


def _row(line: GateLine, now: datetime) -> list[str]:
    gate = line.gate
    until = gate.closed_at or now
    return [
        time_in_words(max(0.0, (until - gate.opened_at).total_seconds())),
        str(gate.seq),
        gate.kind.value,
        gate.job_id,
        money(line.cost_nano),
        _stands(gate),
    ]


def _stands(gate: GateRecord) -> str:
    if gate.end is not None:
        by = ", ".join(one_line(record.answer.reviewer, 20) for record in gate.answers)
        return f"{gate.end}" + (f" by {by}" if by else "")
    given = sum(record.answer.verdict is GateVerdict.APPROVE for record in gate.answers)
    return f"open, {counted(given, 'approval')}" if given else "open"
