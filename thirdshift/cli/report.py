"""``thirdshift report``: what was accepted, what it cost, and why the rest stopped."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING

import click

from thirdshift.cli.exit_codes import ExitCode
from thirdshift.cli.invocation import Invocation, invocation

if TYPE_CHECKING:
    from thirdshift.adapters.ledger import SqlLedger
    from thirdshift.core.views import CostLine, JobSummary

_ALL = 100_000


@click.command()
@click.argument("job", required=False)
@invocation
def report(call: Invocation, job: str | None) -> int:
    """Report on a job, or over all jobs: cost by attempt, tier, model and role, with tokens in, cached and out."""
    from thirdshift.bootstrap.services import open_books

    with closing(open_books(call.settings())) as ledger:
        return _of_one(call, ledger, job) if job else _of_all(call, ledger)


def _of_one(call: Invocation, ledger: SqlLedger, job: str) -> int:
    from thirdshift.cli.foreground import report_text
    from thirdshift.cli.standing import cost_line, find_job, standing

    view = find_job(ledger, job)
    lines = ledger.cost_lines(view.job.job_id)
    call.answer(
        {**standing(view), "costs": [cost_line(line) for line in lines]},
        lambda: report_text(view, ""),
    )
    return ExitCode.DONE


def _of_all(call: Invocation, ledger: SqlLedger) -> int:
    from thirdshift.cli.standing import cost_line, summary

    rows = ledger.list_jobs(_ALL)
    lines = ledger.cost_lines(None)
    call.answer(
        {"jobs": [summary(row) for row in rows], "costs": [cost_line(line) for line in lines]},
        lambda: _overall_text(rows, lines),
    )
    return ExitCode.DONE


def _overall_text(rows: Sequence[JobSummary], lines: Sequence[CostLine]) -> str:
    from thirdshift.reports.overall import render_overall

    return render_overall(rows, lines)
