"""``thirdshift shift list``: one line for each shift."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from thirdshift.cli.event_loop import run_until_done
from thirdshift.cli.exit_codes import ExitCode
from thirdshift.cli.invocation import Invocation, invocation
from thirdshift.core.errors import BadInput

if TYPE_CHECKING:
    from thirdshift.settings import Settings


@click.command("list")
@invocation
def list_shifts(call: Invocation) -> int:
    """List the shifts of this server, one line each."""
    return run_until_done(_list(call, call.settings()))


async def _list(call: Invocation, settings: Settings) -> int:
    from thirdshift.bootstrap.books import now
    from thirdshift.cli.shift_desk import list_row, shift_desk, shift_row

    rows, lines, unread = [], [], []
    async with shift_desk(settings) as desk:
        for name in await desk.schedules.names():
            try:
                found = await desk.schedules.find(name)
            except BadInput as refused:
                unread.append(str(refused))
                continue
            if found is not None:
                rows.append(shift_row(found, desk.link(found), await desk.running(found), now()))
                lines.append(list_row(found, now()))
    call.answer({"shifts": rows, "unread": unread}, lambda: _table(lines))
    for words in unread:
        call.remark(words)
    return ExitCode.FAILED if unread else ExitCode.DONE


def _table(lines: list[tuple[str, ...]]) -> str:
    if not lines:
        return "no shifts; make one with `thirdshift shift create`, or keep them in files: `thirdshift shift apply`"
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )
