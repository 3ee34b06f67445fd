"""``thirdshift status``: where one job stands, or all of them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from typing import TYPE_CHECKING

import click

from thirdshift.cli.event_loop import run_until_done
from thirdshift.cli.exit_codes import ExitCode
from thirdshift.cli.invocation import Invocation, invocation

if TYPE_CHECKING:
    from thirdshift.adapters.ledger import SqlLedger
    from thirdshift.core.views import JobSummary
    from thirdshift.settings import Settings

_SHOWN = 100


@click.command()
@click.argument("job", required=False)
@invocation
def status(call: Invocation, job: str | None) -> int:
    """Show where a job stands; without JOB, all jobs. JOB may be any part of an id that only one job has.

    The exit code is 3 for a job that waits for a person.
    """
    from thirdshift.bootstrap.services import open_books

    settings = call.settings()
    with closing(open_books(settings)) as ledger:
        if job is None:
            return run_until_done(_all(call, settings, ledger))
        return run_until_done(_one(call, settings, ledger, job))


async def _all(call: Invocation, settings: Settings, ledger: SqlLedger) -> int:
    from thirdshift.cli.ended_outside import all_known_to_engine
    from thirdshift.cli.standing import summary
    from thirdshift.cli.whereabouts import engine_if_up

    rows = ledger.list_jobs(_SHOWN)
    if any(row.stop_reason is None for row in rows):
        async with engine_if_up(settings) as engine:
            rows = await all_known_to_engine(engine, ledger, rows)
    call.answer({"jobs": [summary(row) for row in rows]}, lambda: _list_text(rows))
    return ExitCode.DONE


def _list_text(rows: Sequence[JobSummary]) -> str:
    from thirdshift.reports.listing import render_jobs

    return render_jobs(rows) if rows else "no job was submitted yet; `thirdshift init` writes a first spec"


async def _one(call: Invocation, settings: Settings, ledger: SqlLedger, job: str) -> int:
    from thirdshift.cli.ended_outside import known_to_engine
    from thirdshift.cli.foreground import report_text
    from thirdshift.cli.standing import find_job, standing
    from thirdshift.cli.whereabouts import engine_if_up, is_parked, run_and_link
    from thirdshift.core.views import JobState

    view = find_job(ledger, job)
    gates = ledger.gates(view.job.job_id)
    async with engine_if_up(settings) as engine:
        where = await run_and_link(engine, view.job.job_id)
        view = await known_to_engine(engine, ledger, view)
        waiting = view.state is JobState.WAITING
        parked = waiting and engine is not None and await is_parked(engine, gates)
    state = "parked" if parked else ""
    call.answer(standing(view, gates, state=state, **where), lambda: report_text(view, where["ui_url"]))
    if view.state is JobState.FAILED and view.stop_reason is None:
        call.remark(f"{view.evidence}; go on from its best tree with: {view.remedy}")
    elif engine is None and view.stop_reason is None:
        call.remark("no Temporal server is running, so the job does not move; go on with: thirdshift up")
    return ExitCode.WAITING if waiting else ExitCode.DONE
