"""``thirdshift outcomes sync|schedule``: what became of delivered work, looked at now or once a day."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, time
from typing import TYPE_CHECKING, Any

import click

from thirdshift.cli.event_loop import run_until_done
from thirdshift.cli.exit_codes import ExitCode
from thirdshift.cli.invocation import Invocation, invocation
from thirdshift.core.errors import BadInput

if TYPE_CHECKING:
    from thirdshift.bootstrap.outcomes import Synced
    from thirdshift.settings import Settings


@click.group()
def outcomes() -> None:
    """What became of delivered work: accepted, edited, rejected, reverted."""


@outcomes.command()
@invocation
def sync(call: Invocation) -> int:
    """Look in git, and at the forges, for what was merged, edited, rejected and reverted since the last look."""
    from thirdshift.bootstrap.outcomes import sync_outcomes
    from thirdshift.bootstrap.services import now, open_books

    settings = call.settings()
    with closing(open_books(settings)) as ledger:
        found = sync_outcomes(settings, ledger, now())
    call.answer(_as_json(found), lambda: _as_text(found))
    for job, problem in found.problems.items():
        call.remark(f"{job}: not looked at: {problem}")
    return ExitCode.UNAVAILABLE if found.problems else ExitCode.DONE


@outcomes.command()
@click.option("--at", "at", default="06:30", show_default=True, metavar="HH:MM", help="The time of day.")
@click.option("--tz", "zone", metavar="ZONE", help="Its zone, like Europe/Berlin; default: the configured time zone.")
@click.option("--remove", is_flag=True, help="Look no more; what was found stays.")
@invocation
def schedule(call: Invocation, at: str, zone: str | None, remove: bool) -> int:
    """Look once a day, by a Temporal Schedule `outcomes-daily`. Done again, it changes the time."""
    settings = call.settings()
    return run_until_done(_schedule(call, settings, _time(at), _zone(zone or settings.time_zone), remove))


async def _schedule(call: Invocation, settings: Settings, at: time, zone: str, remove: bool) -> int:
    from thirdshift.adapters.engine.access import open_engine
    from thirdshift.adapters.engine.outcome_schedule import SCHEDULE, schedule_outcomes, unschedule_outcomes
    from thirdshift.bootstrap.books import redactor_of
    from thirdshift.signatures import WORKFLOW_QUEUE

    async with open_engine(settings.engine, settings.home, may_start=False, redactor=redactor_of(settings)) as engine:
        if remove:
            was_there = await unschedule_outcomes(engine.client)
            call.answer(
                {"schedule": SCHEDULE, "removed": was_there}, lambda: "removed" if was_there else "none was there"
            )
            return ExitCode.DONE
        first = await schedule_outcomes(engine.client, WORKFLOW_QUEUE, at, zone)
    told = {"schedule": SCHEDULE, "at": f"{at:%H:%M}", "zone": zone, "next_at": first.isoformat() if first else None}
    when = f"{first.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if first else "not while paused"
    call.answer(told, lambda: f"outcomes are looked at daily at {at:%H:%M} {zone}; next: {when}")
    return ExitCode.DONE


def _time(text: str) -> time:
    try:
        return time.fromisoformat(text).replace(second=0, microsecond=0, tzinfo=None)
    except ValueError:
        raise BadInput(f"--at: `{text}` is not a time of day; write it like 06:30") from None


def _zone(name: str) -> str:
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

    try:
        return ZoneInfo(name).key
    except (ValueError, OSError, ZoneInfoNotFoundError):
        raise BadInput(f"--tz: `{name}` is not a time zone known here; write a name like Europe/Berlin") from None


def _as_text(found: Synced) -> str:
    from thirdshift.reports.outcomes import render_outcomes

    return render_outcomes(found.views, found.totals, found.fresh)


def _as_json(found: Synced) -> dict[str, Any]:
    counts = found.totals
    return {
        "new": [event.model_dump(mode="json") for event in found.fresh],
        "jobs": [
            {
                "job_id": view.job_id,
                "state": view.state.value,
                "edited": view.edited,
                "reverted_share": view.reverted_share / 1000,
                "events": [event.model_dump(mode="json", exclude={"job_id"}) for event in view.events],
            }
            for view in found.views
        ],
        "totals": {
            **counts.model_dump(include={"pending", "accepted", "edited", "rejected", "reverted"}),
            "cost_per_accepted_usd": counts.cost_per_accepted_usd(),
        },
        "problems": found.problems,
    }
