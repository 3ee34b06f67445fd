"""Who works in a night: jobs that hold one of its places, and jobs that rest and hold none."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable
from typing import Any, Literal

from temporalio import workflow
from temporalio.exceptions import ChildWorkflowError

from thirdshift.core.admission import AtWork, Candidate
from thirdshift.night_signatures import JobIs

RestState = Literal["waiting", "parked"]


class Places:
    """The jobs of one night by their ids. ``changed`` is called whenever a place was taken or left."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self.running: dict[str, AtWork] = {}
        self.resting: dict[str, RestState] = {}
        self._known: dict[str, AtWork] = {}
        self._changed = changed
        self._watched: dict[str, asyncio.Task[None]] = {}

    def remember(
        self, known: Iterable[AtWork], running: Iterable[str], resting: Iterable[str], parked: Iterable[str]
    ) -> None:
        """Take up jobs from before a continue-as-new. How their children end is not told to the new run."""
        self._known = {job.candidate.job_id: job for job in known}
        self.running = {job_id: self._known[job_id] for job_id in running}
        self.resting = {**dict.fromkeys(resting, "waiting"), **dict.fromkeys(parked, "parked")}

    def known(self) -> tuple[AtWork, ...]:
        """What is known of every job that runs or rests."""
        return tuple(self._known[job_id] for job_id in (*self.running, *self.resting))

    def unwatched(self) -> tuple[str, ...]:
        """Jobs that hold a place and would not be heard of if their workflow were ended from outside."""
        return tuple(job_id for job_id in self.running if job_id not in self._watched)

    def resting_as(self, state: RestState) -> tuple[str, ...]:
        """Jobs that rest in this way."""
        return tuple(job_id for job_id, how in self.resting.items() if how == state)

    def take(self, candidate: Candidate) -> None:
        """A place is taken for it."""
        job = AtWork(candidate=candidate, since=workflow.now())
        self._known[candidate.job_id] = self.running[candidate.job_id] = job
        self._changed()

    def watch(self, job_id: str, job: workflow.ChildWorkflowHandle[Any, Any]) -> None:
        """Free the place however the job's workflow ends, also if somebody terminates it."""
        self._watched[job_id] = asyncio.create_task(self._until_over(job_id, job))

    async def _until_over(self, job_id: str, job: workflow.ChildWorkflowHandle[Any, Any]) -> None:
        # The job's own books say how it ended; here it only holds no place any more.
        with contextlib.suppress(ChildWorkflowError):
            await job
        self.leave(job_id)

    def leave(self, job_id: str) -> None:
        """It is over, or was never begun."""
        self.running.pop(job_id, None)
        self.resting.pop(job_id, None)
        self._known.pop(job_id, None)
        self._changed()

    def hear(self, told: JobIs) -> None:
        """What a job tells of itself. One that this night does not have says nothing to it."""
        known = self._known.get(told.job_id)
        if known is None:
            return
        match told.state:
            case "ended":
                self.leave(told.job_id)
            case "running":
                self.resting.pop(told.job_id, None)
                self.running[told.job_id] = known
            case "waiting" | "parked":
                self.running.pop(told.job_id, None)
                self.resting[told.job_id] = told.state
        self._changed()
