"""``thirdshift shift trigger | pause | resume | delete``: people at work on a shift."""

from __future__ import annotations

import asyncio
from contextlib import closing, suppress
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import click

from thirdshift.cli.event_loop import run_until_done
from thirdshift.cli.exit_codes import ExitCode
from thirdshift.cli.invocation import Invocation, invocation
from thirdshift.core.errors import EngineUnavailable, NotRecorded
from thirdshift.core.money import format_usd
from thirdshift.core.text import one_line

if TYPE_CHECKING:
    from thirdshift.adapters.engine.schedules import ShiftSchedule
    from thirdshift.cli.shift_desk import RunningNight, ShiftDesk
    from thirdshift.core.nights import Night
    from thirdshift.settings import Settings

_NIGHTS = 50
_PATIENCE_SECONDS, _POLL_SECONDS = 20.0, 0.2
_who = click.option("--who", metavar="NAME", help="Who says so; your login name if left out.")
_why = click.option("--why", metavar="WORDS", default="", help="Why; kept with the schedule, and shown in the Web UI.")


@click.command()
@click.argument("name")
@invocation
def trigger(call: Invocation, name: str) -> int:
    """Begin a night now. Within the shift's window it is that window's night, else one as long as the window."""
    return run_until_done(_trigger(call, call.settings(), name))


@click.command()
@click.argument("name")
@_who
@_why
@invocation
def pause(call: Invocation, name: str, who: str | None, why: str) -> int:
    """Begin no further night until it is resumed. A night that is under way goes on; `shift stop` ends it."""
    return run_until_done(_switch(call, call.settings(), name, "paused", (who, why)))


@click.command()
@click.argument("name")
@_who
@_why
@invocation
def resume(call: Invocation, name: str, who: str | None, why: str) -> int:
    """Let a paused shift begin its nights again, from the next one on."""
    return run_until_done(_switch(call, call.settings(), name, "resumed", (who, why)))


@click.command()
@click.argument("name")
@invocation
def delete(call: Invocation, name: str) -> int:
    """Delete a shift's schedule. A night that is under way goes on to its end; the books are kept."""
    return run_until_done(_delete(call, call.settings(), name))


async def _trigger(call: Invocation, settings: Settings, name: str) -> int:
    from thirdshift.cli.at_work import worker_is_up
    from thirdshift.cli.shift_desk import night_row, night_words, shift_desk

    async with shift_desk(settings) as desk:
        before = await desk.known(name)
        if before.running:
            raise NotRecorded(
                f"NOT TRIGGERED: shift {name} has a night under way, and no second one is begun beside it:"
                f" {before.running[0]}"
            )
        await desk.schedules.trigger(name)
        begun = await _begun(desk, before)
        idle = not await worker_is_up(settings, desk.engine.client)
    zone = ZoneInfo(before.plan.zone)
    row = {"shift": name, "workflow_id": begun.workflow_id, "ui_url": begun.ui_url}
    night = begun.night
    call.answer(
        row | (night_row(night, zone) if night else {}),
        lambda: "\n".join(
            [f"begun: {begun.workflow_id}", *([f"  {night_words(night, zone)}"] if night else []), f"  {begun.ui_url}"]
        ),
    )
    if begun.why:
        call.remark(f"it opens no night: {begun.why}")
    if night and night.by_hand:
        call.remark(await asyncio.to_thread(_own_budget, settings, before, night))
    if idle:
        call.remark("no worker is up, so nothing happens yet; start one with `thirdshift up`")
    return ExitCode.DONE


def _own_budget(settings: Settings, shift: ShiftSchedule, night: Night) -> str:
    """That a night by hand may spend a whole budget once more, and what the others of its day have spent."""
    from thirdshift.bootstrap.books import open_books

    words = f"a night by hand has a budget of its own, here {format_usd(shift.plan.budget_nano)} USD"
    with closing(open_books(settings)) as ledger:
        nights = [record.row.night for record in ledger.nights(shift.plan.name, _NIGHTS)]
        others = [one.id for one in nights if one.day == night.day and one.id != night.id]
        sums = [ledger.night_sums(one) for one in others]
    if not others:
        return words
    spent = sum(one.settled_nano + one.held_nano + one.unknown_nano for one in sums)
    return f"{words}; of this day it is night {len(others) + 1}, and those before have {format_usd(spent)} USD charged"


async def _begun(desk: ShiftDesk, before: ShiftSchedule) -> RunningNight:
    """The workflow that the trigger has begun, as soon as the server says so."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + _PATIENCE_SECONDS
    while loop.time() < deadline:
        after = await desk.known(before.plan.name)
        if after.last_started and after.last_started != before.last_started:
            return await desk.night(after, after.last_started)
        await asyncio.sleep(_POLL_SECONDS)
    raise EngineUnavailable(
        f"the server has taken the trigger, but has begun no night within {_PATIENCE_SECONDS:.0f} s;"
        f" see {desk.link(before)}"
    )


async def _switch(call: Invocation, settings: Settings, name: str, what: str, said: tuple[str | None, str]) -> int:
    from thirdshift.cli.shift_desk import shift_desk, state_words

    who, why = said[0] or settings.submitter, one_line(said[1].strip(), 400)
    async with shift_desk(settings) as desk:
        before = await desk.known(name)
        changed = before.paused != (what == "paused")
        if changed or (before.paused and why):  # paused once more with other words: those are kept
            note = f"{what} by {who}" + (f": {why}" if why else "")
            await (desk.schedules.pause if what == "paused" else desk.schedules.resume)(name, note)
        after = await desk.known(name)
        link = desk.link(after)
    words = f"shift {name}: {state_words(after)}" if changed else f"shift {name} is so already: {state_words(after)}"
    if changed and after.running:
        words += f"\na night is under way and goes on: {after.running[0]}"
    call.answer(
        {"shift": name, "paused": after.paused, "note": after.note, "changed": changed, "ui_url": link}, lambda: words
    )
    return ExitCode.DONE


async def _delete(call: Invocation, settings: Settings, name: str) -> int:
    from thirdshift.adapters.engine.schedules import PlanUnreadable
    from thirdshift.cli.shift_desk import shift_desk
    from thirdshift.cli.shift_orphans import orphans_of

    async with shift_desk(settings) as desk:
        before = None
        with suppress(PlanUnreadable):
            before = await desk.known(name)
        await desk.schedules.delete(name)
    words = f"deleted: shift {name}"
    running = list(before.running) if before else []
    if running:
        words += f"\na night is under way and goes on to its end: {running[0]}"
    if before and before.from_file:
        words += f"\nit was applied from {before.from_file}; applied again, it is made again"
    left = await asyncio.to_thread(orphans_of, settings, name)
    row = {"shift": name, "deleted": True, "running": running, "parked": list(left.jobs), "queued": list(left.specs)}
    call.answer(row, lambda: words)
    left.tell(call)
    return ExitCode.DONE
