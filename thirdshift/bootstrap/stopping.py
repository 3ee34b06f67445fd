"""The kill switch: every night and every job is told to stop at once, and their ends are waited for."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterable
from datetime import datetime

from temporalio.client import Client, WorkflowFailureError
from temporalio.service import RPCError, RPCStatusCode

from thirdshift.core.frozen import Frozen

AT_ONCE = 100
"""Requests to the server at the same time."""
ROUNDS = 3
"""How often jobs are looked for that began while others were being stopped."""


class Stopped(Frozen):
    """A workflow that was told to stop."""

    workflow_id: str
    seconds: float | None = None
    """From the first signal to its end; None where it has not ended yet."""


class Upcoming(Frozen):
    """A shift's Schedule, which a stop leaves alone."""

    shift: str
    opens_at: datetime | None
    """None where it is paused, or has no night any more."""
    paused: bool


class Stops(Frozen):
    """What a stop of everything came to."""

    jobs: tuple[Stopped, ...] = ()
    shifts: tuple[Stopped, ...] = ()
    not_running: tuple[str, ...] = ()
    """Jobs without an end in the books whose workflows do not run on this server."""
    still_seconds: float = 0.0
    """From the first signal until no loop of theirs ran any more: no call, no command, no check."""
    seconds: float = 0.0
    """From the first signal until the last job had its books closed, or was waited for no longer."""

    @property
    def not_yet(self) -> tuple[str, ...]:
        """Jobs that have not ended."""
        return tuple(job.workflow_id for job in self.jobs if job.seconds is None)


class KillSwitch:
    """Stops everything of one Temporal namespace."""

    def __init__(self, client: Client, reason: str) -> None:
        self._client = client
        self._reason = reason
        self._room = asyncio.Semaphore(AT_ONCE)
        self._ends: dict[str, asyncio.Task[float]] = {}
        self._shifts: list[str] = []
        self._jobs: list[str] = []
        self._loops: list[str] = []
        self._gone: list[str] = []
        self._began = 0.0

    async def stop(self, open_jobs: Iterable[str], patience_seconds: float) -> Stops:
        """Signal every running ``Shift`` and ``Job``, the books' open jobs among them, and wait for their ends."""
        shifts, jobs, loops = await asyncio.gather(*(self._running(kind) for kind in ("Shift", "Job", "Loop")))
        found = dict.fromkeys([*jobs, *open_jobs])
        self._began = time.monotonic()
        # A job would tell its loop; told at once, the loop need not wait for that.
        await asyncio.gather(
            *(self._tell_loop(name) for name in loops),
            *(self._tell_shift(name) for name in shifts),
            *(self._tell_job(name) for name in found),
        )
        until = self._began + patience_seconds
        for _ in range(ROUNDS):
            await self._wait_for(self._jobs, until)
            # A night that was admitting, or an intake, may have begun one in the same instant.
            late = [job for job in await self._running("Job") if job not in found]
            if not late:
                break
            found |= dict.fromkeys(late)
            await asyncio.gather(*(self._tell_job(job) for job in late))
        await self._wait_for(self._shifts, until)
        stops = Stops(
            jobs=tuple(Stopped(workflow_id=job, seconds=self._seconds(job)) for job in self._jobs),
            shifts=tuple(Stopped(workflow_id=name, seconds=self._seconds(name)) for name in self._shifts),
            not_running=tuple(self._gone),
            still_seconds=self._last_of(self._loops or self._jobs, patience_seconds),
            seconds=self._last_of(self._jobs, patience_seconds),
        )
        for task in self._ends.values():
            task.cancel()
        return stops

    async def _running(self, kind: str) -> list[str]:
        query = f'WorkflowType = "{kind}" AND ExecutionStatus = "Running"'
        return [found.id async for found in self._client.list_workflows(query)]

    async def _tell_job(self, job_id: str) -> None:
        if await self._told(job_id, "stop_loop"):
            self._jobs.append(job_id)
        else:
            self._gone.append(job_id)

    async def _tell_loop(self, workflow_id: str) -> None:
        if await self._told(workflow_id, "stop_loop"):
            self._loops.append(workflow_id)

    async def _tell_shift(self, workflow_id: str) -> None:
        if await self._told(workflow_id, "stop_shift"):
            self._shifts.append(workflow_id)

    async def _told(self, workflow_id: str, signal: str) -> bool:
        async with self._room:
            try:
                await self._client.get_workflow_handle(workflow_id).signal(signal, self._reason)
            except RPCError as error:
                if error.status is RPCStatusCode.NOT_FOUND:
                    return False
                raise
        self._ends[workflow_id] = asyncio.create_task(self._end_of(workflow_id))
        return True

    async def _end_of(self, workflow_id: str) -> float:
        # Failed, cancelled, terminated: it runs no more.
        with contextlib.suppress(WorkflowFailureError):
            await self._client.get_workflow_handle(workflow_id).result()
        return time.monotonic() - self._began

    async def _wait_for(self, names: Iterable[str], until: float) -> None:
        tasks = [self._ends[name] for name in names]
        if tasks:
            await asyncio.wait(tasks, timeout=max(0.0, until - time.monotonic()))

    def _last_of(self, names: Iterable[str], patience_seconds: float) -> float:
        known = [self._seconds(name) for name in names]
        return max((patience_seconds if seconds is None else seconds for seconds in known), default=0.0)

    def _seconds(self, name: str) -> float | None:
        task = self._ends[name]
        return round(task.result(), 3) if task.done() and task.exception() is None else None


async def upcoming(client: Client) -> tuple[Upcoming, ...]:
    """The Schedules of shifts, and when each opens its next night."""
    found = []
    async for listed in await client.list_schedules():
        if listed.id.startswith("shift-"):
            times = listed.info.next_action_times if listed.info else []
            paused = bool(listed.schedule and listed.schedule.state.paused)
            opens_at = min(times) if times and not paused else None
            found.append(Upcoming(shift=listed.id.removeprefix("shift-"), opens_at=opens_at, paused=paused))
    return tuple(sorted(found, key=lambda one: one.shift))


async def intakes_at_work(client: Client) -> int:
    """How many repositories have events that wait to be decided on."""
    query = 'WorkflowType = "Intake" AND ExecutionStatus = "Running"'
    return sum([1 async for _ in client.list_workflows(query)])
