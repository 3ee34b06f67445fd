"""``thirdshift shift create``: a shift from options."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from thirdshift.cli.event_loop import run_until_done
from thirdshift.cli.exit_codes import ExitCode
from thirdshift.cli.invocation import Invocation, invocation
from thirdshift.core.errors import BadInput
from thirdshift.core.shift_words import changes
from thirdshift.core.words import listed

if TYPE_CHECKING:
    from thirdshift.core.shifts import ShiftPlan
    from thirdshift.settings import Settings


@click.command()
@click.argument("name")
@click.argument("more", nargs=-1, metavar="")
@click.option("--specs", multiple=True, metavar="GLOB", help="Specs of a night, like 'specs/**/*.md'; repeatable.")
@click.option("--window", metavar="FROM-TO", help="When a night opens and closes, like 22:00-06:00.")
@click.option("--tz", metavar="ZONE", help="The zone of the window's times, like Europe/Berlin.")
@click.option("--budget-usd", metavar="USD", help="The most that one night may cost.")
@click.option("--concurrency", type=int, default=1, show_default=True, help="Jobs at once.")
@click.option("--deliver", default="branch", show_default=True, metavar="HOW", help="The most that needs no person.")
@click.option("--weekdays", metavar="DAYS", help="Days on which a window opens, like mon-fri; every day if left out.")
@click.option("--holidays", metavar="FILE|DATES", help="Days without a night: an .ics file, or 2026-12-24,2026-12-25.")
@click.option("--jitter", default="0s", show_default=True, help="Begin up to so much later, by chance.")
@click.option("--catch-up", default="10m", show_default=True, help="Begin up to so much later if the server was down.")
@click.option("--drain", default="5m", show_default=True, help="Begin no step so long before the end.")
@click.option("--repeat", is_flag=True, help="Work again on what was accepted, once its base has moved.")
@click.option("--root", type=click.Path(path_type=Path, file_okay=False), help="Globs count from here; default: here.")
@click.option("--replace", is_flag=True, help="Change the plan of a shift of that name.")
@click.option("--no-specs-yet", is_flag=True, help="Make it although no file matches yet.")
@invocation
def create(call: Invocation, name: str, root: Path | None, replace: bool, no_specs_yet: bool, **options: Any) -> int:
    """Make a shift: a Temporal Schedule `shift-NAME` that begins a night whenever its window opens.

    Nothing begins before the next opening; `thirdshift shift trigger NAME` begins a night now. Circuit breakers are
    tuned in a file: see `thirdshift shift apply`.
    """
    from thirdshift.adapters.shift_file import Maker, read_shift_options
    from thirdshift.bootstrap.books import now
    from thirdshift.cli.shift_specs import no_spec_words, specs_now

    if more := options.pop("more"):
        raise BadInput(
            f"{listed(more)}: belongs to no option; the shell has written out a glob, or words need quotes:"
            " --specs 'specs/**/*.md'"
        )
    settings = call.settings()
    here = Path.cwd()
    given = {key: value for key, value in options.items() if value not in (None, ())}
    plan, remarks = read_shift_options(
        {"name": name, **given}, (here / root).resolve() if root else here, here, Maker(settings.submitter, now().year)
    )
    found = specs_now(plan)
    if not found.found and not no_specs_yet:
        raise BadInput(f"{no_spec_words(plan)}; correct --specs or --root, quote the glob, or say --no-specs-yet")
    row = {"specs_found": found.found, "specs_refused": found.refused, "remarks": remarks}
    for words in (*remarks, *found.remarks(plan)):
        call.remark(words)
    return run_until_done(_create(call, settings, plan, replace, row))


async def _create(call: Invocation, settings: Settings, plan: ShiftPlan, replace: bool, row: dict[str, Any]) -> int:
    from thirdshift.bootstrap.books import now
    from thirdshift.cli.shift_desk import shift_desk, shift_page, shift_row

    zone, today = ZoneInfo(plan.zone), now().date()
    what, differs = "created", tuple[str, ...]()
    async with shift_desk(settings) as desk:
        if not await desk.schedules.create(plan, zone, today):
            before = await desk.known(plan.name)
            differs = changes(before.plan, plan)
            what = "changed" if differs else "unchanged"
            if differs and not replace:
                lines = "\n".join(f"  {line}" for line in differs)
                remedy = (
                    f"it is kept in {before.from_file}: change it there, then `thirdshift shift apply`"
                    if before.from_file
                    else "say --replace to change it, or choose another name"
                )
                raise BadInput(f"there is a shift `{plan.name}` with another plan:\n{lines}\n{remedy}")
            if differs:
                kept = plan.model_copy(update={"submitter": before.plan.submitter})
                await desk.schedules.replace(kept, zone, today, before.from_file)
        found = await desk.known(plan.name)
        link, running = desk.link(found), await desk.running(found)
    at = now()
    head = {"created": "created", "unchanged": "there already, with this plan", "changed": "changed"}[what]
    call.answer(
        {"what": what, "changes": list(differs)} | row | shift_row(found, link, running, at),
        lambda: "\n".join([head, *(f"  {line}" for line in differs), shift_page(found, link, running, at)]),
    )
    return ExitCode.DONE
