"""The Temporal Schedule ``outcomes-daily``, which has delivered work looked at once a day."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleCalendarSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleRange,
    ScheduleSpec,
    ScheduleState,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.service import RPCError, RPCStatusCode

from thirdshift.core.errors import BadInput, EngineUnavailable

SCHEDULE = "outcomes-daily"
WORKFLOW = "OutcomesSync"
_CATCH_UP = timedelta(hours=6)
"""A server that comes up so much later still has the look taken; it does no harm in the afternoon."""


async def schedule_outcomes(client: Client, queue: str, at: time, zone: str) -> datetime | None:
    """Make the Schedule, or change the one that is there; when it starts next. Paused it stays paused.

    Raises BadInput where the server refuses it, EngineUnavailable where it does not answer.
    """

    def changed(there: ScheduleUpdateInput) -> ScheduleUpdate:
        return ScheduleUpdate(_schedule(queue, at, zone, there.description.schedule.state))

    handle = client.get_schedule_handle(SCHEDULE)
    try:
        try:
            await client.create_schedule(SCHEDULE, _schedule(queue, at, zone, ScheduleState()))
        except ScheduleAlreadyRunningError:
            await handle.update(changed)
        described = await handle.describe()
    except RPCError as error:
        if error.status is RPCStatusCode.INVALID_ARGUMENT:
            raise BadInput(f"the Temporal server refuses the schedule: {error.message}") from None
        raise EngineUnavailable(f"the Temporal server answers with an error: {error.message}; try again") from None
    return next(iter(described.info.next_action_times), None)


async def unschedule_outcomes(client: Client) -> bool:
    """Remove the Schedule; False where there was none. Raises EngineUnavailable."""
    try:
        await client.get_schedule_handle(SCHEDULE).delete()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return False
        raise EngineUnavailable(f"the Temporal server answers with an error: {error.message}; try again") from None
    return True


def _schedule(queue: str, at: time, zone: str, state: ScheduleState) -> Schedule:
    calendar = ScheduleCalendarSpec(
        hour=(ScheduleRange(at.hour),), minute=(ScheduleRange(at.minute),), comment="once a day"
    )
    return Schedule(
        action=ScheduleActionStartWorkflow(
            WORKFLOW, id="outcomes", task_queue=queue, static_summary="look at what became of delivered work"
        ),
        spec=ScheduleSpec(calendars=[calendar], time_zone_name=zone),
        policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=_CATCH_UP),
        state=state,
    )
