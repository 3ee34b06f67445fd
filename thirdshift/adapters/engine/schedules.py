"""Shifts as Temporal Schedules: ``shift-<name>``, whose own action holds the plan and nothing else does."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta, tzinfo
from typing import Any, Protocol

from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleDescription,
    ScheduleHandle,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleState,
    ScheduleUpdate,
    ScheduleUpdateInput,
)
from temporalio.service import RPCError, RPCStatusCode

from thirdshift.adapters.engine.calendar_spec import schedule_spec
from thirdshift.core.calendar_entries import calendar_entries
from thirdshift.core.errors import BadInput, EngineUnavailable
from thirdshift.core.frozen import Frozen
from thirdshift.core.shift_words import window_words
from thirdshift.core.shifts import ShiftPlan

PREFIX = "shift-"
WORKFLOW = "Shift"
_FILE, _THROUGH = "thirdshift_shift_file", "thirdshift_calendar_through"


class PlanUnreadable(BadInput):
    """A Schedule of a shift's name holds no plan that this version can read."""


class ShiftSchedule(Frozen):
    """A shift as the server has it."""

    schedule_id: str
    plan: ShiftPlan
    paused: bool
    note: str
    """The last words that somebody left, by this program or in the Web UI: who paused it, and why."""
    from_file: str = ""
    """The file that it was applied from; empty where it was made by hand."""
    through: int = 0
    """The last year for which changes of the clock have been looked at; 0 where none matters."""
    starts: tuple[datetime, ...] = ()
    """When the server will start it next, jitter included; it says so of a paused one, too."""
    running: tuple[str, ...] = ()
    """Ids of its workflows that have not ended."""
    last_started: str = ""
    """Id of the workflow that it started last."""
    begun: int = 0
    """Nights started so far."""
    missed: int = 0
    """Starts that came too late to be caught up with."""
    passed_over: int = 0
    """Starts that found the night before still running."""


class HasPlan(Protocol):
    """The workflow's input."""

    @property
    def plan(self) -> ShiftPlan:
        """The plan in it."""
        ...


class ShiftSchedules:
    """Makes, finds and changes the Schedules of shifts. Raises EngineUnavailable where the server does not answer.

    ``queue`` is where their workflows run, ``argument`` the type of those workflows' input, made by ``wrap``.
    """

    def __init__(
        self, client: Client, queue: str, argument: type[HasPlan], wrap: Callable[[ShiftPlan], HasPlan]
    ) -> None:
        self._client = client
        self._queue = queue
        self._argument = argument
        self._wrap = wrap

    async def create(self, plan: ShiftPlan, zone: tzinfo, today: date, from_file: str = "") -> bool:
        """Make the Schedule; False where there is one of that name, which is left as it is."""
        try:
            await self._client.create_schedule(
                PREFIX + plan.name, self._schedule(plan, zone, today, from_file, ScheduleState())
            )
        except ScheduleAlreadyRunningError:
            return False
        except RPCError as error:
            raise self._told(error, plan.name) from None
        return True

    async def replace(self, plan: ShiftPlan, zone: tzinfo, today: date, from_file: str = "") -> None:
        """Change the Schedule to another plan from its next start on. Paused it stays paused."""

        def changed(there: ScheduleUpdateInput) -> ScheduleUpdate:
            state = there.description.schedule.state
            return ScheduleUpdate(self._schedule(plan, zone, today, from_file, state))

        try:
            await self._handle(plan.name).update(changed)
        except RPCError as error:
            raise self._told(error, plan.name) from None

    async def find(self, name: str) -> ShiftSchedule | None:
        """The shift of that name; None where there is none.

        Raises BadInput for a Schedule that is of no shift, PlanUnreadable for one of another version.
        """
        try:
            described = await self._handle(name).describe()
        except RPCError as error:
            if error.status is RPCStatusCode.NOT_FOUND:
                return None
            raise self._told(error, name) from None
        return await self._read(described)

    async def names(self) -> tuple[str, ...]:
        """The names of all shifts, in order."""
        try:
            listed = await self._client.list_schedules()
            found = [
                entry.id.removeprefix(PREFIX)
                async for entry in listed
                if entry.id.startswith(PREFIX)
                and entry.schedule is not None
                and getattr(entry.schedule.action, "workflow", "") == WORKFLOW
            ]
        except RPCError as error:
            raise self._told(error, "") from None
        return tuple(sorted(found))

    async def pause(self, name: str, note: str) -> None:
        """Start no night until it is resumed; one that runs goes on."""
        await self._do(name, self._handle(name).pause(note=note))

    async def resume(self, name: str, note: str) -> None:
        """Start nights again. Nothing of the time that it was paused is caught up with."""
        await self._do(name, self._handle(name).unpause(note=note))

    async def trigger(self, name: str) -> None:
        """Start it now, paused or not. While it runs, the server takes no second start, and does not say so."""
        await self._do(name, self._handle(name).trigger())

    async def delete(self, name: str) -> None:
        """Remove the Schedule; a night that runs goes on to its end."""
        await self._do(name, self._handle(name).delete())

    async def _do(self, name: str, work: Any) -> None:
        try:
            await work
        except RPCError as error:
            raise self._told(error, name) from None

    def _handle(self, name: str) -> ScheduleHandle:
        return self._client.get_schedule_handle(PREFIX + name)

    def _schedule(self, plan: ShiftPlan, zone: tzinfo, today: date, from_file: str, state: ScheduleState) -> Schedule:
        entries = calendar_entries(plan, today, zone)
        return Schedule(
            action=ScheduleActionStartWorkflow(
                WORKFLOW,
                self._wrap(plan),
                id=PREFIX + plan.name,
                task_queue=self._queue,
                static_summary=f"{plan.name}: {window_words(plan)}",
                # In the action's memo, because the Schedule's own cannot be changed by this SDK.
                memo={_FILE: from_file, _THROUGH: entries.through},
            ),
            spec=schedule_spec(entries, plan.jitter_seconds),
            policy=SchedulePolicy(
                overlap=ScheduleOverlapPolicy.SKIP, catchup_window=timedelta(seconds=plan.catch_up_seconds)
            ),
            state=state,
        )

    async def _read(self, described: ScheduleDescription) -> ShiftSchedule:
        action = described.schedule.action
        if not isinstance(action, ScheduleActionStartWorkflow) or action.workflow != WORKFLOW:
            raise BadInput(f"schedule {described.id} starts something else than a shift; give the shift another name")
        converter = self._client.data_converter
        try:
            (argument,) = await converter.decode(list(action.args), [self._argument])
            memo = {key: (await converter.decode([value]))[0] for key, value in (action.memo or {}).items()}
            plan: ShiftPlan = argument.plan
        except (ValueError, RuntimeError, TypeError, AttributeError) as error:
            raise PlanUnreadable(
                f"schedule {described.id} holds a plan that this version cannot read ({str(error)[:200]});"
                f" delete it with `thirdshift shift delete {described.id.removeprefix(PREFIX)}` and create it anew"
            ) from None
        state, info = described.schedule.state, described.info
        # In order of their times: the server lists the newest last.
        recent = [result.action.workflow_id for result in info.recent_actions]  # type: ignore[attr-defined]  # the SDK knows one kind of action
        return ShiftSchedule(
            schedule_id=described.id,
            plan=plan,
            paused=state.paused,
            note=state.note or "",
            from_file=str(memo.get(_FILE, "")),
            through=int(memo.get(_THROUGH, 0)),
            starts=tuple(info.next_action_times),
            running=tuple(running.workflow_id for running in info.running_actions),  # type: ignore[attr-defined]  # as above
            last_started=recent[-1] if recent else "",
            begun=info.num_actions,
            missed=info.num_actions_missed_catchup_window,
            passed_over=info.num_actions_skipped_overlap,
        )

    def _told(self, error: RPCError, name: str) -> BadInput | EngineUnavailable:
        if error.status is RPCStatusCode.NOT_FOUND:
            return BadInput(f"there is no shift `{name}`; `thirdshift shift list` shows those that there are")
        if error.status is RPCStatusCode.INVALID_ARGUMENT:
            return BadInput(f"the Temporal server refuses the schedule of shift `{name}`: {error.message}")
        return EngineUnavailable(f"the Temporal server answers with an error: {error.message}; try again")
