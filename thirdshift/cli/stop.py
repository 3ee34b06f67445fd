"""``thirdshift stop``: end a job, or everything, keeping every best tree."""

from __future__ import annotations

import asyncio
from contextlib import closing
from typing import TYPE_CHECKING

import click

from thirdshift.cli.event_loop import run_until_done
from thirdshift.cli.exit_codes import ExitCode
from thirdshift.cli.invocation import Invocation, invocation
from thirdshift.core.errors import BadInput

if TYPE_CHECKING:
    from thirdshift.adapters.engine.access import Engine
    from thirdshift.adapters.ledger import SqlLedger
    from thirdshift.core.views import JobView
    from thirdshift.settings import Settings

_PATIENCE_SECONDS = 20.0


@click.command()
@click.argument("job", required=False)
@click.option("--all", "everything", is_flag=True, help="Every job of every night, and every other one.")
@click.option("--reason", default="asked for on the command line", show_default=True, help="Kept with the job.")
@invocation
def stop(call: Invocation, job: str | None, everything: bool, reason: str) -> int:
    """End a job: what runs is cancelled, and its best tree is kept on an unfinished branch.

    With --all every night is closed and every job ends at once, also those that wait for a person or are parked.
    Schedules stay: the next night opens unless its shift is paused.
    """
    if everything is (job is not None):
        raise click.UsageError("name one JOB, or use --all")
    if job is not None:
        return run_until_done(_stop(call, call.settings(), job, reason))
    from thirdshift.cli.stop_all import stop_all

    return run_until_done(stop_all(call, call.settings(), reason))


def _meant(ledger: SqlLedger, job: str) -> JobView:
    """The job that is meant. Raises BadInput, which says how a night is stopped where that was meant."""
    from thirdshift.cli.standing import find_job

    try:
        return find_job(ledger, job)
    except BadInput as unknown:
        if not job.startswith("shift-"):
            raise
        raise BadInput(f"{unknown}\na night is ended with: thirdshift shift stop NAME") from None


async def _stop(call: Invocation, settings: Settings, job: str, reason: str) -> int:
    from thirdshift.adapters.engine.access import open_engine
    from thirdshift.bootstrap.books import redactor_of
    from thirdshift.bootstrap.services import open_books
    from thirdshift.cli.at_work import worker_is_up
    from thirdshift.cli.standing import standing
    from thirdshift.cli.whereabouts import run_and_link

    with closing(open_books(settings)) as ledger:
        view = _meant(ledger, job)
        job_id = view.job.job_id
        if view.stop_reason is not None:
            raise BadInput(f"{job_id} has ended already: {view.stop_reason.value}")
        # The server is brought up if need be: the stop is then on record, and takes effect with the next worker.
        async with open_engine(
            settings.engine, settings.home, may_start=True, redactor=redactor_of(settings)
        ) as engine:
            where = await run_and_link(engine, job_id)
            await _ask(engine, job_id, reason)
            up = await worker_is_up(settings, engine.client)
            ended = up and await _wait_for_the_end(engine, job_id)
        view, gates = ledger.job_view(job_id), ledger.gates(job_id)
    if ended:
        kept = f"its best tree is on {view.branch}" if view.branch else "nothing had been changed yet"
        call.say(f"stopped {job_id}; {kept}\n  goes on with: {view.remedy}")
    else:
        call.say(f"asked {job_id} to stop")
        why = "it takes a moment more" if up else "no worker is up; it takes effect with the next `thirdshift up`"
        call.remark(why)
    call.emit(
        {**standing(view, gates, run_id=where["run_id"], ui_url=where["ui_url"]), "stop_asked": True, "ended": ended}
    )
    return ExitCode.DONE


async def _ask(engine: Engine, job_id: str, reason: str) -> None:
    from temporalio.service import RPCError

    try:
        await engine.client.get_workflow_handle(job_id).signal("stop_loop", reason)
    except RPCError as error:
        raise BadInput(f"{job_id} is not running on {engine.address}: {error.message}") from None


async def _wait_for_the_end(engine: Engine, job_id: str) -> bool:
    from thirdshift.cli.following import workflow_end

    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await workflow_end(engine.client.get_workflow_handle(job_id))
    except TimeoutError:
        return False
    return True
