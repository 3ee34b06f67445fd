"""``thirdshift report``: what was accepted, what it cost, and why the rest stopped."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import click

from thirdshift.cli.exit_codes import ExitCode
from thirdshift.cli.invocation import Invocation, invocation

if TYPE_CHECKING:
    from thirdshift.adapters.ledger import SqlLedger

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
    from thirdshift.cli.standing import cost_line, find_job, standing
    from thirdshift.reports.job_report import render_job

    view = find_job(ledger, job)
    lines = ledger.cost_lines(view.job.job_id)
    call.emit({**standing(view), "costs": [cost_line(line) for line in lines]})
    call.say(render_job(view, ""))
    return ExitCode.DONE


def _of_all(call: Invocation, ledger: SqlLedger) -> int:
    from thirdshift.cli.standing import cost_line, summary
    from thirdshift.reports.overall import render_overall

    rows = ledger.list_jobs(_ALL)
    lines = ledger.cost_lines(None)
    call.emit({"jobs": [summary(row) for row in rows], "costs": [cost_line(line) for line in lines]})
    call.say(render_overall(rows, lines))
    return ExitCode.DONE
