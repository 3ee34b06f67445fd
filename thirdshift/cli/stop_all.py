"""``thirdshift stop --all``: the kill switch."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

from thirdshift.cli.exit_codes import ExitCode

if TYPE_CHECKING:
    from thirdshift.bootstrap.stopping import Stops, Upcoming
    from thirdshift.cli.invocation import Invocation
    from thirdshift.settings import Settings

_PATIENCE_SECONDS = 20.0
_NAMED = 20


async def stop_all(call: Invocation, settings: Settings, reason: str) -> int:
    """Stop every night and every job, and tell what stopped, what did not yet, and what goes on by itself."""
    from thirdshift.adapters.engine.access import open_engine
    from thirdshift.bootstrap.books import redactor_of
    from thirdshift.bootstrap.services import open_books
    from thirdshift.bootstrap.stopping import KillSwitch, intakes_at_work, upcoming
    from thirdshift.cli.at_work import worker_is_up

    with closing(open_books(settings)) as ledger:
        # The server is brought up if need be: the stop is then on record, and takes effect with the next worker.
        async with open_engine(
            settings.engine, settings.home, may_start=True, redactor=redactor_of(settings)
        ) as engine:
            up = await worker_is_up(settings, engine.client)
            open_jobs = [job.job_id for job in ledger.open_jobs()]
            stops = await KillSwitch(engine.client, reason).stop(open_jobs, _PATIENCE_SECONDS if up else 0.0)
            schedules, intakes = await upcoming(engine.client), await intakes_at_work(engine.client)
    done = not stops.not_yet and (up or not stops.shifts)
    _tell(call, stops, up)
    _tell_what_stays(call, schedules, intakes)
    call.emit(
        {
            "reason": reason,
            "all_stopped": done,
            "still_seconds": stops.still_seconds,
            "seconds": stops.seconds,
            "jobs": [{"job_id": job.workflow_id, "seconds": job.seconds} for job in stops.jobs],
            "shifts": [{"workflow_id": night.workflow_id, "seconds": night.seconds} for night in stops.shifts],
            "not_yet": list(stops.not_yet),
            "not_running": list(stops.not_running),
            "worker_up": up,
            "schedules": [one.model_dump(mode="json") for one in schedules],
            "intakes_at_work": intakes,
        }
    )
    return ExitCode.DONE if done else ExitCode.FAILED


def _tell(call: Invocation, stops: Stops, up: bool) -> None:
    if not stops.jobs and not stops.shifts:
        call.say("nothing was running")
    ended = [job for job in stops.jobs if job.seconds is not None]
    if ended:
        call.say(
            f"stopped {_count(len(ended), 'job')}: nothing of them ran any more {stops.still_seconds:.1f} s after the "
            f"signal, and their books were closed after {stops.seconds:.1f} s"
        )
        for job in ended[:_NAMED]:
            call.say(f"  {job.workflow_id}  {job.seconds:.1f} s")
        if len(ended) > _NAMED:
            call.say(f"  and {len(ended) - _NAMED} more")
        call.say("each keeps its best tree; one goes on with: thirdshift resume JOB")
    for night in stops.shifts:
        how = "its books are closed" if night.seconds is not None else "it admits nothing more"
        call.say(f"stopped {night.workflow_id}; {how}" if up else f"asked {night.workflow_id} to stop")
    if stops.not_yet:
        call.say(f"asked, and not ended yet: {', '.join(stops.not_yet[:_NAMED])}")
        call.remark("look again with: thirdshift status")
    if not up and (stops.jobs or stops.shifts):
        call.remark(
            "no worker is up, so nothing of this runs now; the stop is on record and takes effect with the next worker"
        )
    if stops.not_running:
        call.remark(
            f"without an end in the books, and not running on this server: {', '.join(stops.not_running[:_NAMED])}"
        )


def _tell_what_stays(call: Invocation, schedules: tuple[Upcoming, ...], intakes: int) -> None:
    for one in schedules:
        when = "is paused" if one.paused else "has no night ahead"
        if one.opens_at is not None:
            hold = call.command(f"shift pause {one.shift}")
            when = f"opens again at {one.opens_at:%Y-%m-%d %H:%M} UTC; hold it with: {hold}"
        call.say(f"schedule {one.shift} stays; it {when}")
    if intakes:
        call.say(f"events of {_count(intakes, 'repository')} wait to be decided on, and may still start jobs")


def _count(number: int, what: str) -> str:
    more = what[:-1] + "ies" if what.endswith("y") else what + "s"
    return f"{number} {what if number == 1 else more}"
