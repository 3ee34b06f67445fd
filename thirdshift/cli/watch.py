"""``thirdshift watch``: follow a job that runs elsewhere."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import click

from thirdshift.cli.event_loop import run_until_done
from thirdshift.cli.invocation import Invocation, invocation
from thirdshift.core.errors import EngineUnavailable

if TYPE_CHECKING:
    from thirdshift.settings import Settings


@click.command()
@click.argument("job")
@click.option("--no-wait", is_flag=True, help="Leave with exit code 3 when the job waits for a person.")
@invocation
def watch(call: Invocation, job: str, no_wait: bool) -> int:
    """Follow a job to its end with live progress. Ctrl-C stops watching; the job goes on."""
    return run_until_done(_watch(call, call.settings(), job, wait=not no_wait))


async def _watch(call: Invocation, settings: Settings, job: str, *, wait: bool) -> int:
    from thirdshift.bootstrap.services import open_books
    from thirdshift.cli.ended_outside import how_ended_outside
    from thirdshift.cli.foreground import tell_outcome, watch_to_the_end
    from thirdshift.cli.standing import find_job
    from thirdshift.cli.whereabouts import engine_if_up, run_and_link

    with closing(open_books(settings)) as ledger:
        view = find_job(ledger, job)
        job_id = view.job.job_id
        async with engine_if_up(settings) as engine:
            where = await run_and_link(engine, job_id)
            end: str | None = ""
            if engine is not None and where["run_id"]:
                end = await watch_to_the_end(call, ledger, engine, job_id, wait=wait)
                if end is not None and (how := await how_ended_outside(engine, ledger, job_id)):
                    end = end or how
                    call.remark(f"go on from its best tree with: thirdshift resume {job_id}")
            elif view.stop_reason is None:
                raise EngineUnavailable(
                    f"{job_id} has not ended, but no Temporal server is running, so it does not move;"
                    " go on with: thirdshift up"
                )
        return tell_outcome(call, ledger, job_id, where, end)
