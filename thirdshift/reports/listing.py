"""The list of jobs."""

from __future__ import annotations

from collections.abc import Sequence

from thirdshift.core.history import StopReason
from thirdshift.core.views import JobSummary
from thirdshift.reports.columns import Column, table
from thirdshift.reports.figures import money

_COLUMNS = (
    Column("job", shrinks=True, by_end=True),
    Column("title", shrinks=True),
    Column("state"),
    Column("why"),
    Column("tries", figures=True),
    Column("cost", figures=True),
)


def render_jobs(rows: Sequence[JobSummary]) -> str:
    """The jobs as a table, in the order given. A job's id may be cut at its beginning; its end alone names it too."""
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
    return "\n".join(table(_COLUMNS, cells, indent=""))
