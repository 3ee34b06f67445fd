"""``thirdshift shift apply``: shifts as files say, created, changed or left alone."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import click

from thirdshift.cli.event_loop import run_until_done
from thirdshift.cli.exit_codes import ExitCode
from thirdshift.cli.invocation import Invocation, invocation
from thirdshift.core.errors import BadInput
from thirdshift.core.shift_words import changes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from thirdshift.adapters.engine.schedules import ShiftSchedule
    from thirdshift.adapters.shift_file import ShiftFile
    from thirdshift.cli.shift_desk import ShiftDesk
    from thirdshift.settings import Settings

_SIGNS = {"created": "+", "changed": "~", "unchanged": "=", "deleted": "-", "gone": "?"}
_LOOKED_AHEAD_YEARS = 8
"""A calendar whose changes of the clock are known for fewer years is renewed."""


@click.command()
@click.argument("paths", nargs=-1, metavar="[PATH...]", type=click.Path(path_type=Path))
@click.option("--prune", is_flag=True, help="Delete shifts that came from these directories and whose file is gone.")
@click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")
@invocation
def apply(call: Invocation, paths: tuple[Path, ...], prune: bool, dry_run: bool) -> int:
    """Make the server's shifts what the files say. Twice is the same as once, and a paused shift stays paused.

    PATH is a .toml file, or a directory of them; `shifts` beside thirdshift.toml if left out. Every file is read
    before anything is changed.
    """
    settings = call.settings()
    files, directories = _read_all(settings, paths)
    return run_until_done(_apply(call, settings, files, directories, prune, dry_run))


def _read_all(settings: Settings, paths: Sequence[Path]) -> tuple[list[ShiftFile], list[Path]]:
    """The shifts of all files, and the directories that were named. Raises BadInput with every finding."""
    from thirdshift.adapters.shift_file import Maker, read_shift_file
    from thirdshift.bootstrap.books import now

    here = settings.config_path.parent if settings.config_path else Path.cwd()
    named = [Path.cwd() / path for path in paths] or [here / "shifts"]
    directories = [path.resolve() for path in named if path.is_dir()]
    found: list[Path] = []
    for path in named:
        if not path.exists():
            raise BadInput(f"{path}: no such file or directory; shifts are kept in files like shifts/nightly.toml")
        found += sorted(path.glob("*.toml")) if path.is_dir() else [path]
    maker = Maker(settings.submitter, now().year)
    shifts: list[ShiftFile] = []
    findings: list[str] = []
    for path in dict.fromkeys(one.resolve() for one in found):
        try:
            shifts.append(read_shift_file(path, maker))
        except BadInput as refused:
            findings.append(str(refused))
    by_name: dict[str, str] = {}
    for shift in shifts:
        other = by_name.setdefault(shift.plan.name, shift.path)
        if other != shift.path:
            findings.append(f"{shift.path}: `name`: {other} has a shift `{shift.plan.name}` as well; rename one")
    if findings:
        raise BadInput("\n".join([*findings, "nothing was changed"]))
    return shifts, directories


async def _apply(
    call: Invocation,
    settings: Settings,
    files: Sequence[ShiftFile],
    directories: Sequence[Path],
    prune: bool,
    dry_run: bool,
) -> int:
    from thirdshift.cli.shift_desk import shift_desk
    from thirdshift.cli.shift_orphans import orphans_of

    async with shift_desk(settings) as desk:
        rows = [await _settle(call, desk, file, dry_run) for file in files]
        rows += await _orphans(desk, {file.plan.name for file in files}, directories, prune, dry_run)
    call.answer({"dry_run": dry_run, "shifts": rows}, lambda: _page(rows, dry_run))
    for row in rows:
        if row["what"] == "deleted":
            (await asyncio.to_thread(orphans_of, settings, row["shift"])).tell(call)
    if any(row["what"] == "gone" for row in rows):
        call.remark("`--prune` deletes shifts whose file is gone")
    return ExitCode.DONE


async def _settle(call: Invocation, desk: ShiftDesk, file: ShiftFile, dry_run: bool) -> dict[str, Any]:
    """Make one shift what its file says; what was done."""
    from thirdshift.adapters.engine.schedules import PlanUnreadable
    from thirdshift.bootstrap.books import now
    from thirdshift.cli.shift_specs import specs_now

    plan, today = file.plan, now().date()
    remarks = [*file.remarks, *specs_now(plan).remarks(plan)]
    for words in remarks:
        call.remark(f"{plan.name}: {words}")
    before, what, differs = None, "created", tuple[str, ...]()
    try:
        before = await desk.schedules.find(plan.name)
    except PlanUnreadable:
        what, differs = "changed", ("plan: one that this version cannot read -> this one",)
    if before is not None:
        plan = plan.model_copy(update={"submitter": before.plan.submitter})
        differs = (*changes(before.plan, plan), *_kept_otherwise(before, file.path, today.year))
        what = "changed" if differs else "unchanged"
    if what != "unchanged" and not dry_run:
        zone = ZoneInfo(plan.zone)
        if before is not None or not await desk.schedules.create(plan, zone, today, file.path):
            await desk.schedules.replace(plan, zone, today, file.path)
    return {
        "shift": plan.name,
        "what": what,
        "changes": list(differs),
        "file": file.path,
        "paused": before is not None and before.paused,
        "remarks": remarks,
    }


def _kept_otherwise(before: ShiftSchedule, path: str, this_year: int) -> list[str]:
    found = []
    if before.from_file != path:
        found.append(f"file: {before.from_file or 'none, made by hand'} -> {path}")
    if before.through and before.through < this_year + _LOOKED_AHEAD_YEARS:
        found.append(f"calendar: changes of the clock are known through {before.through}; more years are added")
    return found


async def _orphans(
    desk: ShiftDesk, applied: set[str], directories: Sequence[Path], prune: bool, dry_run: bool
) -> list[dict[str, Any]]:
    """Shifts that came from a directory that was named, and whose file names them no more."""
    from thirdshift.adapters.engine.schedules import PlanUnreadable

    rows = []
    for name in await desk.schedules.names():
        if name in applied:
            continue
        found = None
        with suppress(PlanUnreadable):
            found = await desk.schedules.find(name)
        if found is None or not found.from_file or Path(found.from_file).parent not in directories:
            continue
        if prune and not dry_run:
            await desk.schedules.delete(name)
        what = "deleted" if prune else "gone"
        rows.append({"shift": name, "what": what, "changes": [], "file": found.from_file, "paused": found.paused})
    return rows


def _page(rows: Sequence[dict[str, Any]], dry_run: bool) -> str:
    if not rows:
        return "no .toml file is there, and no shift came from there; a shift is a file like shifts/nightly.toml"
    lines = ["nothing is changed; this is what would be done:"] if dry_run else []
    for row in rows:
        words = "its file is gone" if row["what"] == "gone" else row["what"]
        lines.append(f"{_SIGNS[row['what']]} {row['shift']}: {words}" + (", paused" if row["paused"] else ""))
        lines += [f"    {change}" for change in row["changes"]]
    return "\n".join(lines)
