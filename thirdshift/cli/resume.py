"""``thirdshift resume``: go on with a job that is paused, or that stopped, with more room where it needs any."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import click

from thirdshift.cli.event_loop import run_until_done
from thirdshift.cli.invocation import Invocation, invocation
from thirdshift.cli.quantities import Dollars, Duration

if TYPE_CHECKING:
    from thirdshift.bootstrap.resuming import Room
    from thirdshift.settings import Settings


@click.command()
@click.argument("job")
@click.option("--budget-usd", type=Dollars(), metavar="USD", help="The job's budget from now on, in all.")
@click.option("--max-attempts", type=click.IntRange(1, 100), help="Attempts from now on.")
@click.option("--max-steps", type=click.IntRange(1, 10_000), help="Model calls from now on.")
@click.option("--max-wall", type=Duration(), metavar="TIME", help="Time from now on, like 45m.")
@invocation
def resume(
    call: Invocation,
    job: str,
    budget_usd: int | None,
    max_attempts: int | None,
    max_steps: int | None,
    max_wall: float | None,
) -> int:
    """Go on with a job that stopped, from its best tree, and follow it to its end; or let a paused one go on.

    What is not stated is as the spec has it. Ctrl-C leaves the job as it stands; it is durable.
    """
    from thirdshift.bootstrap.resuming import Room

    room = Room(budget_nano=budget_usd, max_attempts=max_attempts, max_steps=max_steps, max_wall_seconds=max_wall)
    return run_until_done(_resume(call, call.settings(), job, room))


async def _resume(call: Invocation, settings: Settings, job: str, room: Room) -> int:
    from temporalio.client import Client

    from activities.services import Services
    from thirdshift.bootstrap import resuming
    from thirdshift.bootstrap.services import open_books, open_services
    from thirdshift.bootstrap.submission import Submitted
    from thirdshift.cli.ended_outside import how_ended_outside
    from thirdshift.cli.foreground import carry_through
    from thirdshift.cli.standing import find_job
    from thirdshift.cli.telling_work import tell_job
    from thirdshift.cli.whereabouts import engine_if_up

    with closing(open_books(settings)) as ledger:
        view = find_job(ledger, job)
        job_id = view.job.job_id
        if view.stop_reason is None and room == resuming.Room():
            async with engine_if_up(settings) as engine:
                over = await how_ended_outside(engine, ledger, job_id)
            if not over and ledger.job_view(job_id).stop_reason is None:
                return await tell_job(call, settings, job_id, "resume", {"who": settings.submitter})
        settings.require_keys()

        async def begin(services: Services, client: Client) -> Submitted:
            return await resuming.resume(settings, services, client, job_id, room)

        async with open_services(settings, ledger) as services:
            return await carry_through(call, settings, services, ledger, begin)
