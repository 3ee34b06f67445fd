"""``thirdshift shift show``: a shift's plan in words, its state, and its next nights."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from thirdshift.cli.event_loop import run_until_done
from thirdshift.cli.exit_codes import ExitCode
from thirdshift.cli.invocation import Invocation, invocation

if TYPE_CHECKING:
    from thirdshift.settings import Settings


@click.command()
@click.argument("name")
@invocation
def show(call: Invocation, name: str) -> int:
    """Show a shift: its plan, whether it is paused and why, its next nights by the clock and in UTC, what runs."""
    return run_until_done(_show(call, call.settings(), name))


async def _show(call: Invocation, settings: Settings, name: str) -> int:
    from thirdshift.bootstrap.books import now
    from thirdshift.cli.at_work import worker_is_up
    from thirdshift.cli.shift_desk import shift_desk, shift_page, shift_row

    async with shift_desk(settings) as desk:
        found = await desk.known(name)
        link, running = desk.link(found), await desk.running(found)
        idle = bool(running) and not await worker_is_up(settings, desk.engine.client)
    at = now()
    call.answer(shift_row(found, link, running, at), lambda: shift_page(found, link, running, at))
    if idle:
        call.remark("no worker is up, so nothing of this night happens; start one with `thirdshift up`")
    return ExitCode.DONE
