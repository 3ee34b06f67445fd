"""``thirdshift status``: where one job stands, or all of them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import click

from thirdshift.cli.event_loop import run_until_done
from thirdshift.cli.exit_codes import ExitCode
from thirdshift.cli.invocation import Invocation, invocation

if TYPE_CHECKING:
    from thirdshift.adapters.engine.access import Engine
    from thirdshift.adapters.ledger import SqlLedger
    from thirdshift.core.delivery import Delivered
    from thirdshift.core.gate_book import GateRecord
    from thirdshift.core.verdict import CheckOutcome
    from thirdshift.core.views import JobState, JobSummary, JobView
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
    from thirdshift.cli.whereabouts import engine_if_up

    rows, remarks = ledger.list_jobs(_SHOWN), list[str]()
    if call.as_json or any(row.stop_reason is None for row in rows):
        async with engine_if_up(settings) as engine:
            if call.as_json:
                call.emit({"jobs": [(await _known(engine, ledger, row.job_id)).document() for row in rows]})
                return ExitCode.DONE
            rows = await all_known_to_engine(engine, ledger, rows)
            moving = [row.job_id for row in rows if row.state in _moving()]
            remarks = await _why_still(call, settings, engine, moving)
    call.say(_list_text(rows))
    for words in remarks:
        call.remark(words)
    return ExitCode.DONE


def _moving() -> frozenset[JobState]:
    """The states in which a job is at work, as far as the books know."""
    from thirdshift.core.views import JobState

    return frozenset({JobState.QUEUED, JobState.PLANNING, JobState.RUNNING})


async def _why_still(call: Invocation, settings: Settings, engine: Engine | None, moving: Sequence[str]) -> list[str]:
    """Why jobs that are at work by the books do nothing now, each with what lets them go on."""
    from thirdshift.cli.at_work import worker_is_up
    from thirdshift.cli.whereabouts import paused_of

    if not moving:
        return []
    if engine is None:
        return [f"no Temporal server is running, so nothing of this moves; go on with: {call.command('up')}"]
    words = []
    if not await worker_is_up(settings, engine.client):
        words.append(f"no worker is up, so nothing of this moves; go on with: {call.command('up')}")
    for job_id in await paused_of(engine, moving):
        words.append(f"{job_id} is paused by a person; it goes on with: {call.command(f'resume {job_id}')}")
    return words


@dataclass(frozen=True)
class _Known:
    """What the books and the engine know of a job."""

    view: JobView
    gates: tuple[GateRecord, ...]
    where: dict[str, str]
    parked: bool
    paused: bool
    failing: tuple[CheckOutcome, ...]
    delivered: Delivered | None

    def document(self) -> dict[str, Any]:
        """For a program."""
        from thirdshift.cli.standing import standing

        state = "parked" if self.parked else ""
        told = standing(
            self.view, self.gates, state=state, failing=self.failing, delivered=self.delivered, **self.where
        )
        return told | {"paused": self.paused}


async def _known(engine: Engine | None, ledger: SqlLedger, job_id: str) -> _Known:
    from thirdshift.cli.ended_outside import known_to_engine
    from thirdshift.cli.standing import delivered_of, failing_checks
    from thirdshift.cli.whereabouts import is_parked, paused_of, run_and_link
    from thirdshift.core.views import JobState

    gates = ledger.gates(job_id)
    where = await run_and_link(engine, job_id)
    view = await known_to_engine(engine, ledger, ledger.job_view(job_id))
    parked = view.state is JobState.WAITING and engine is not None and await is_parked(engine, gates)
    failing, delivered = failing_checks(ledger, view), delivered_of(ledger, job_id)
    paused = bool(await paused_of(engine, [job_id] if view.state in _moving() else []))
    return _Known(view, tuple(gates), where, parked, paused, failing, delivered)


def _list_text(rows: Sequence[JobSummary]) -> str:
    from thirdshift.reports.listing import render_jobs

    return render_jobs(rows) if rows else "no job was submitted yet; `thirdshift init` writes a first spec"


async def _one(call: Invocation, settings: Settings, ledger: SqlLedger, job: str) -> int:
    from thirdshift.cli.foreground import report_text
    from thirdshift.cli.standing import find_job
    from thirdshift.cli.whereabouts import engine_if_up
    from thirdshift.core.views import JobState

    job_id = find_job(ledger, job).job.job_id
    async with engine_if_up(settings) as engine:
        known = await _known(engine, ledger, job_id)
        at_work = engine is not None and known.view.state in _moving()
        remarks = await _why_still(call, settings, engine, [job_id] if at_work else [])
    view = known.view
    call.answer(known.document(), lambda: report_text(view, known.where["ui_url"], known.failing, known.delivered))
    if view.state is JobState.FAILED and view.stop_reason is None:
        call.remark(f"{view.evidence}; go on from its best tree with: {view.remedy}")
    elif engine is None and view.stop_reason is None:
        call.remark("no Temporal server is running, so the job does not move; go on with: thirdshift up")
    for words in remarks:
        call.remark(words)
    return ExitCode.WAITING if view.state is JobState.WAITING else ExitCode.DONE
