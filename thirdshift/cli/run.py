"""``thirdshift run``: one spec, in the foreground."""

from __future__ import annotations

import asyncio
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import click

from thirdshift.cli.event_loop import run_until_done
from thirdshift.cli.invocation import Invocation, invocation
from thirdshift.core.history import StopReason

if TYPE_CHECKING:
    from thirdshift.adapters.ledger import SqlLedger
    from thirdshift.bootstrap.submission import Prepared
    from thirdshift.settings import Settings


@click.command()
@click.argument("spec", type=click.Path(path_type=Path))
@click.option("--no-wait", is_flag=True, help="Leave with exit code 3 when the job waits for a person.")
@invocation
def run(call: Invocation, spec: Path, no_wait: bool) -> int:
    """Submit a spec and follow it to its end, with live progress and a report.

    A server and a worker are brought up for as long as it takes if there are none. Ctrl-C leaves the job as it
    stands; it is durable, and goes on with `thirdshift up` or the same `thirdshift run` again. At a gate it says how
    to answer, and waits.
    """
    settings = call.settings(beside=spec.parent)
    return run_until_done(run_spec(call, settings, spec, wait=not no_wait))


async def run_spec(call: Invocation, settings: Settings, spec: Path, *, wait: bool = True) -> int:
    """Run one spec under these settings; its exit code."""
    from temporalio.client import Client

    from activities.services import Services
    from thirdshift.bootstrap import submission
    from thirdshift.bootstrap.services import open_books, open_services
    from thirdshift.cli.foreground import carry_through

    async def begin(services: Services, client: Client) -> submission.Submitted:
        submitted = await submission.submit(settings, services, client, spec)
        if not submitted.created:
            standing = "is still going on" if submitted.running else "has ended"
            call.remark(f"{spec} at this base was submitted before and is one job, {submitted.job_id}; it {standing}")
        return submitted

    settings.require_keys()
    with closing(open_books(settings)) as ledger:
        async with open_services(settings, ledger) as services:
            # Refused before a server is started for it.
            prepared = await asyncio.to_thread(submission.prepare, settings, services, spec)
            if (code := await _told_already(call, settings, ledger, prepared)) is not None:
                return code
            return await carry_through(call, settings, services, ledger, begin, wait=wait)


async def _told_already(call: Invocation, settings: Settings, ledger: SqlLedger, prepared: Prepared) -> int | None:
    """Report on the job at once where it has ended before; None where there is something to carry through."""
    from thirdshift.cli.foreground import tell_outcome
    from thirdshift.cli.whereabouts import engine_if_up, run_and_link

    job_id = prepared.job_id
    try:
        stop = ledger.job_view(job_id).stop_reason
    except KeyError:
        return None
    if stop is None:
        return None
    more = "" if stop is StopReason.ACCEPTED else f", or: {call.command(f'resume {job_id}')}"
    call.remark(
        f"{prepared.path} at this base was submitted before and is one job, {job_id}; it has ended\n"
        f"to run it again, change the spec or its base{more}"
    )
    async with engine_if_up(settings) as engine:
        where = await run_and_link(engine, job_id)
    return tell_outcome(call, ledger, job_id, where, "")
