"""What waits for its turn in a night, and how it is begun: a new job as a child, a parked one by a signal."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ActivityError, FailureError, WorkflowAlreadyStartedError
from temporalio.workflow import ParentClosePolicy

from thirdshift import night_signatures
from thirdshift.core.admission import AdmissionState, Candidate, next_admissions
from thirdshift.core.night_book import NightSums
from thirdshift.core.nights import Night, NightWindow
from thirdshift.core.text import without_markup
from thirdshift.night_signatures import AdmitJob, JobAdmitted, LeaveLine, ListMore, NightOpened, ShiftInput
from thirdshift.signatures import DELIVERY_QUEUE, WORKFLOW_QUEUE, JobInput
from workflows import options
from workflows.halting import unless
from workflows.job import Job
from workflows.places import Places

READYING = timedelta(minutes=10)
READY_IN_ALL = timedelta(minutes=30)
"""With every try, and with the wait for a worker; meanwhile nobody looks at the night's sums."""
READY_RETRY = RetryPolicy(
    initial_interval=timedelta(seconds=1),
    backoff_coefficient=2.0,
    maximum_interval=timedelta(seconds=30),
    maximum_attempts=20,
)
"""What cannot be made ready within some minutes is passed over; others wait for the place."""
MOST_CANDIDATES = 1000
"""That wait in a night at once; what comes on top stays on its queue for the next one."""


class Admitting:
    """The list of a night that has not begun. ``admits`` says whether anything may."""

    def __init__(self, given: ShiftInput, places: Places, admits: Callable[[], bool]) -> None:
        memory = given.memory
        # Holidays matter only when a night is opened, and there may be thousands of them in each activity's input.
        self._plan = given.plan.model_copy(update={"holidays": ()})
        self._places = places
        self._admits = admits
        self.waiting: dict[str, Candidate] = {one.key: one for one in memory.waiting} if memory else {}
        self.begun = memory.begun if memory else 0
        self.requests_per_minute = memory.requests_per_minute if memory else {}
        self.look_again = memory.look_again if memory else False
        self.why_no_more = ""
        self._lacked: dict[str, str] = {}

    def begin(self, opened: NightOpened) -> None:
        """Take the list of a night that was opened."""
        self.waiting = {candidate.key: candidate for candidate in opened.candidates}
        self.requests_per_minute = opened.requests_per_minute

    def lacked(self) -> dict[str, str]:
        """What each line that was not reached lacked, by its key."""
        return {key: self._lacked[key] for key in self.waiting if key in self._lacked}

    def wants_to_choose(self) -> bool:
        """Whether there is something to choose from, and a place for it."""
        anything = self.look_again or bool(self.waiting)
        return anything and self._admits() and len(self._places.running) < self._plan.concurrency

    async def admit(self, night: Night, sums: NightSums) -> int:
        """Begin what goes on next; how many were begun."""
        if self.look_again:
            await self._list_more(night)
        chosen = self._choose(night, sums)
        for candidate in chosen:
            # All places are taken before the first is filled, so that none is given twice.
            self.waiting.pop(candidate.key, None)
            self._places.take(candidate)
        await asyncio.gather(*(self._begin(candidate, night) for candidate in chosen))
        return len(chosen)

    def _choose(self, night: Night, sums: NightSums) -> tuple[Candidate, ...]:
        state = AdmissionState(
            night=night,
            concurrency=self._plan.concurrency,
            limit_nano=self._plan.budget_nano if sums.limit_nano is None else sums.limit_nano,
            sums=sums,
            at_work=tuple(self._places.running.values()),
            requests_per_minute=self.requests_per_minute,
        )
        decided = next_admissions(state, tuple(self.waiting.values()), workflow.now())
        self._lacked = decided.passed_over
        self.why_no_more = next(iter(decided.passed_over.values()), "")
        return decided.admitted

    async def _list_more(self, night: Night) -> None:
        self.look_again = False
        try:
            more = await workflow.execute_activity(
                night_signatures.list_more,
                ListMore(plan=self._plan, night=night),
                task_queue=DELIVERY_QUEUE,
                start_to_close_timeout=READYING,
                schedule_to_close_timeout=_at_most(READYING, night),
                heartbeat_timeout=options.HEARTBEAT,
                retry_policy=READY_RETRY,
            )
        except ActivityError:
            workflow.logger.warning("the queue of shift %s could not be read; the next night reads it", self._plan.name)
            return
        for candidate in more.candidates:
            if len(self.waiting) < MOST_CANDIDATES:
                self.waiting[candidate.key] = candidate

    async def _begin(self, candidate: Candidate, night: Night) -> None:
        """Make it ready and begin it. Whatever stands against it frees its place."""
        readying = workflow.start_activity(
            night_signatures.admit_job,
            AdmitJob(
                plan=self._plan,
                night=night,
                candidate=candidate,
                shift_workflow=workflow.info().workflow_id,
            ),
            task_queue=DELIVERY_QUEUE,
            start_to_close_timeout=READYING,
            schedule_to_close_timeout=_at_most(READY_IN_ALL, night),
            heartbeat_timeout=options.HEARTBEAT,
            retry_policy=READY_RETRY,
            # What it has begun to write is written before anything else is said of the line.
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        )
        try:
            admitted = await unless(lambda: not self._admits(), readying)
        except ActivityError:
            self._places.leave(candidate.job_id)
            await self._leave_line(candidate, night, "it could not be made ready; the worker's log says why")
            return
        if admitted is not None and admitted.refused:
            self._places.leave(candidate.job_id)
        elif admitted is None or not self._admits():
            # A stop, or the drain, came while it was made ready. A new job has books and no workflow yet, a parked
            # one waits as before: the next night finds either.
            self._places.leave(candidate.job_id)
            await self._leave_line(candidate, night, "the night took nothing more by the time it was ready")
        elif admitted.start is None:
            await self._wake(candidate, night)
        else:
            await self._start(self._renamed(candidate, admitted), night, admitted.start)

    def _renamed(self, candidate: Candidate, admitted: JobAdmitted) -> Candidate:
        """The candidate under the id that its job got: base or spec may have changed since the list was made."""
        if admitted.job_id in ("", candidate.job_id):
            return candidate
        self._places.leave(candidate.job_id)
        candidate = candidate.model_copy(update={"job_id": admitted.job_id})
        self._places.take(candidate)
        return candidate

    async def _start(self, candidate: Candidate, night: Night, given: JobInput) -> None:
        try:
            job = await workflow.start_child_workflow(
                Job.run,
                given,
                id=candidate.job_id,
                task_queue=WORKFLOW_QUEUE,
                parent_close_policy=ParentClosePolicy.ABANDON,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                static_summary=without_markup(candidate.title),
            )
        except WorkflowAlreadyStartedError:
            self._places.leave(candidate.job_id)
            await self._leave_line(candidate, night, f"{candidate.job_id} is under way already; it is left alone")
            return
        self.begun += 1
        self._places.watch(candidate.job_id, job)

    async def _wake(self, candidate: Candidate, night: Night) -> None:
        window = NightWindow(
            night=night.id,
            shift_workflow=workflow.info().workflow_id,
            drains_at=night.drains_at,
            closes_at=night.closes_at,
        )
        try:
            await workflow.get_external_workflow_handle_for(Job.run, candidate.job_id).signal(Job.window_opens, window)
        except FailureError:
            self._places.leave(candidate.job_id)
            await self._leave_line(candidate, night, "its workflow was ended in Temporal a moment before")
            return
        self.begun += 1

    async def _leave_line(self, candidate: Candidate, night: Night, why: str) -> None:
        try:
            await workflow.execute_activity(
                night_signatures.leave_line,
                LeaveLine(night=night, candidate=candidate, why=why),
                start_to_close_timeout=options.LEDGER_WORK,
                schedule_to_close_timeout=READYING,
                retry_policy=options.RETRY,
            )
        except ActivityError:
            workflow.logger.warning("that %s was left is not in the books of night %s", candidate.key, night.id)


def _at_most(longest: timedelta, night: Night) -> timedelta:
    """Not beyond the drain either: while this is waited for, the night does nothing else."""
    return max(timedelta(seconds=1), min(longest, night.drains_at - workflow.now()))
