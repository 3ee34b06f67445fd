"""``Intake``: gathers the events of one repository and has each fingerprint decided on once its window has ended.

It ends when nothing waits, and is started again by the next signal. A signal costs one entry of history and nothing
else; while windows are open there is one timer, however many events come.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.common import RetryPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ActivityError, FailureError, WorkflowAlreadyStartedError

from thirdshift import intake_signatures as signatures
from thirdshift.core.frozen import Frozen
from thirdshift.core.text import without_markup
from thirdshift.intake_signatures import Arrival, IntakeInput, IntakeMemory, Pending, Triaged
from thirdshift.signatures import DELIVERY_QUEUE
from workflows import options
from workflows.gathering import Gathering
from workflows.job import Job

AT_ONCE = 8
"""Triages of one repository at the same time."""
MOST_KEPT = 4_000
"""Fingerprints beyond this many are not remembered here; the ledger knows them, and is asked in the end."""
STORM_OVER = timedelta(minutes=10)
"""After so long without a suppressed event, the next one is a new storm, of which people are told again."""
PATIENCE = timedelta(seconds=30)
"""So long a triage in hand is waited for before continuing as new; done again, it does the same."""
A_FEW_TIMES = RetryPolicy(maximum_attempts=4)


class IntakeStatus(Frozen):
    """Answer to the query ``status``."""

    waiting: int
    at_triage: int
    arrived: int
    """Events that were signalled to this run."""
    triaged: int


@workflow.defn(name="Intake")
class Intake:
    """The events of one repository."""

    @workflow.init
    def __init__(self, given: IntakeInput) -> None:
        memory = given.memory or IntakeMemory()
        self._given = given
        self._gathering = Gathering(given.debounce_seconds, given.longest_debounce_seconds, memory.pending)
        self._storm_at = memory.storm_at
        self._at_triage: dict[str, Pending] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._broken: BaseException | None = None
        self._arrived = 0
        self._triaged = 0

    @workflow.run
    async def run(self, given: IntakeInput) -> None:
        """Until nothing waits, here or in the ledger."""
        while self._busy() or await self._found_more():
            if workflow.info().is_continue_as_new_suggested():
                await self._continue_as_new()
            self._begin_due()
            await self._until_something_is_due()
            if self._broken is not None:
                raise self._broken

    @workflow.signal
    def arrived(self, arrival: Arrival) -> None:
        """An event has come."""
        self._arrived += 1
        if len(self._gathering) < MOST_KEPT:
            self._gathering.add(arrival, workflow.now())

    @workflow.query
    def status(self) -> IntakeStatus:
        """How much waits; what was decided is in the ledger."""
        return IntakeStatus(
            waiting=len(self._gathering),
            at_triage=len(self._at_triage),
            arrived=self._arrived,
            triaged=self._triaged,
        )

    def _busy(self) -> bool:
        return bool(self._gathering or self._at_triage)

    def _begin_due(self) -> None:
        while len(self._at_triage) < AT_ONCE:
            due = self._gathering.take_due(self._at_triage, workflow.now())
            if due is None:
                return
            self._at_triage[due.fingerprint] = due
            task = asyncio.create_task(self._triage(due))
            self._tasks.add(task)
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        """A triage is over. What went wrong in it is not to go unnoticed, as it would in a task that nobody awaits."""
        self._tasks.discard(task)
        if not task.cancelled() and (failure := task.exception()) is not None:
            self._broken = failure

    async def _until_something_is_due(self) -> None:
        """Wait for a window's end, a triage's end, or a history that has grown long enough."""
        at_triage = len(self._at_triage)
        due = self._gathering.next_due(self._at_triage, workflow.now()) if at_triage < AT_ONCE else None
        # A window that opens meanwhile cannot end before this one does, so signals need not be looked at.
        seconds = max(0.0, (due - workflow.now()).total_seconds()) if due else None
        try:
            await workflow.wait_condition(
                lambda: len(self._at_triage) < at_triage or workflow.info().is_continue_as_new_suggested(),
                timeout=seconds,
            )
        except TimeoutError:
            return

    async def _triage(self, due: Pending) -> None:
        try:
            given = signatures.Triage(repository=self._given.repository, fingerprint=due.fingerprint, up_to=due.up_to)
            triaged = await workflow.execute_activity(
                signatures.triage,
                given,
                task_queue=DELIVERY_QUEUE,
                start_to_close_timeout=options.TOOLS,
                heartbeat_timeout=options.HEARTBEAT,
                retry_policy=options.CALL_RETRY,
            )
            self._triaged += 1
            await self._act_on(triaged)
        except ActivityError as failure:
            # Only an event that no book has is given up: whoever signalled it by hand mistook its number.
            workflow.logger.warning("event %s cannot be decided on: %s", due.up_to, failure.cause)
        finally:
            del self._at_triage[due.fingerprint]

    async def _act_on(self, triaged: Triaged) -> None:
        if triaged.start is not None:
            try:
                await workflow.start_child_workflow(
                    Job.run,
                    triaged.start,
                    id=triaged.job_id,
                    parent_close_policy=workflow.ParentClosePolicy.ABANDON,
                    id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
                    static_summary=without_markup(triaged.title),
                )
            except WorkflowAlreadyStartedError:
                return
        if triaged.night:
            await self._tell(triaged.night)
        if triaged.storm:
            await self._in_storm(workflow.now())

    async def _tell(self, night: str) -> None:
        try:
            await workflow.get_external_workflow_handle(night).signal("look_again")
        except FailureError:
            workflow.logger.info("%s has ended; the next night of its shift has the spec on its list", night)

    async def _in_storm(self, now: datetime) -> None:
        before, self._storm_at = self._storm_at, now
        if before is not None and now - before < STORM_OVER:
            return
        try:
            await workflow.execute_activity(
                signatures.tell_storm,
                signatures.StormTold(repository=self._given.repository),
                task_queue=DELIVERY_QUEUE,
                start_to_close_timeout=options.LEDGER_WORK,
                retry_policy=A_FEW_TIMES,
            )
        except ActivityError as failure:
            workflow.logger.warning("nobody could be told of a storm: %s", failure.cause)

    async def _found_more(self) -> bool:
        """Events in the ledger that nobody has decided on: their signal was lost, or too many waited here."""
        found = await workflow.execute_activity(
            signatures.find_undecided,
            signatures.Undecided(repository=self._given.repository),
            task_queue=DELIVERY_QUEUE,
            start_to_close_timeout=options.LEDGER_WORK,
            retry_policy=options.CALL_RETRY,
        )
        for arrival in found.arrivals:
            self._gathering.add(arrival, workflow.now())
        return self._busy()

    async def _continue_as_new(self) -> None:
        try:
            await workflow.wait_condition(lambda: not self._at_triage, timeout=PATIENCE)
        except TimeoutError:
            workflow.logger.info("%d triages in hand are done again by the next run", len(self._at_triage))
        pending = {one.fingerprint: one for one in (*self._at_triage.values(), *self._gathering.pending)}
        memory = IntakeMemory(pending=tuple(pending.values()), storm_at=self._storm_at)
        workflow.continue_as_new(self._given.model_copy(update={"memory": memory}))
