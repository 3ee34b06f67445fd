"""The list of jobs."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len

from thirdshift.core.history import StopReason
from thirdshift.core.views import JobSummary
from thirdshift.reports.columns import WIDTH, Column, table
from thirdshift.reports.figures import money

_COLUMNS = (
    Column("job"),
    Column("title", shrinks=True),
    Column("state"),
    Column("why"),
    Column("tries", figures=True),
    Column("cost", figures=True),
)


def render_jobs(rows: Sequence[JobSummary]) -> str:
    """The jobs as a table, in the order given. An id is never cut: where it leaves no room it has its own line."""
    cells = [
        [
            row.job_id,
            row.title,
            row.state.value,
            "" if row.stop_reason is None or row.stop_reason is StopReason.ACCEPTED else row.stop_reason.value,
            str(row.attempts),
            money(row.spend.settled_nano),
        ]
        for row in rows
    ]
    lines = table(_COLUMNS, cells, indent="")
    if any(cell_len(line) > WIDTH for line in lines):
        heading, *below = table(_COLUMNS[1:], [row[1:] for row in cells])
        lines = ["job", heading, *(line for row, rest in zip(cells, below, strict=True) for line in (row[0], rest))]
    return "\n".join(lines)
