"""``thirdshift shift stop``: end the night of one shift, and leave every other alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from thirdshift.cli.event_loop import run_until_done
from thirdshift.cli.exit_codes import ExitCode
from thirdshift.cli.invocation import Invocation, invocation
from thirdshift.core.errors import NotRecorded
from thirdshift.core.text import one_line

if TYPE_CHECKING:
    from thirdshift.settings import Settings


@click.command()
@click.argument("name")
@click.option("--why", metavar="WORDS", default="asked for on the command line", show_default=True, help="Is kept.")
@invocation
def stop(call: Invocation, name: str, why: str) -> int:
    """End the night that is under way: it begins nothing more, and its jobs that run are stopped.

    Each keeps its best tree. Later nights open as ever, unless the shift is paused. `thirdshift stop JOB` ends one job,
    `thirdshift stop --all` everything.
    """
    return run_until_done(_stop(call, call.settings(), name, one_line(why.strip(), 400)))


async def _stop(call: Invocation, settings: Settings, name: str, why: str) -> int:
    from temporalio.service import RPCError

    from thirdshift.cli.at_work import worker_is_up
    from thirdshift.cli.shift_desk import shift_desk

    async with shift_desk(settings) as desk:
        running = (await desk.known(name)).running
        if not running:
            raise NotRecorded(f"NOT STOPPED: shift {name} has no night under way; see `thirdshift shift show {name}`")
        for workflow_id in running:
            try:
                await desk.engine.client.get_workflow_handle(workflow_id).signal("stop_shift", why)
            except RPCError as error:
                raise NotRecorded(f"NOT STOPPED: {workflow_id} has ended meanwhile: {error.message}") from None
        idle = not await worker_is_up(settings, desk.engine.client)
    words = f"asked to stop: {', '.join(running)}\n  what became of it: {call.command(f'shift report {name}')}"
    call.answer({"shift": name, "asked": list(running), "why": why}, lambda: words)
    if idle:
        call.remark("no worker is up; the stop is on record, and takes effect with the next `thirdshift up`")
    return ExitCode.DONE
