"""The beginning of a job: its base, its plan, and its plan again when a person sends that back."""

from __future__ import annotations

from datetime import timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, RetryState, TimeoutError, TimeoutType

from thirdshift import signatures
from thirdshift.core.ladder import Rung
from thirdshift.core.steering import Words
from thirdshift.signatures import JobInput, JobMemory
from workflows import options
from workflows.calling import answered
from workflows.halting import Brake, unless
from workflows.hearing import Saying

PLAN = 0
"""The number of the conversation in which a job is planned."""


class Planning:
    """How far the plan has come. ``approved`` is a person's, where a gate asks for it."""

    def __init__(self, given: JobInput, memory: JobMemory, brake: Brake, say: Saying) -> None:
        self._given = given
        self._brake = brake
        self._say = say
        self.begun = memory.begun
        self.calls = memory.plan_calls
        self.approved = memory.plan_approved
        self.out_of_time = False
        """Whether a plan was tried for as long as the whole job may take."""

    async def begin(self) -> None:
        """Bring the base into the hub and make the first plan; nothing where a former run has done so."""
        if self.begun:
            return
        if await self._brake.through(self._begin, self._brake.stopped):
            await self._make()

    async def _begin(self) -> bool | None:
        beginning = workflow.start_activity(
            signatures.begin_job,
            signatures.BeginJob(run=self._given.run_number, plan_rung=self._given.plan_rung),
            task_queue=signatures.DELIVERY_QUEUE,
            start_to_close_timeout=options.TOOLS,
            heartbeat_timeout=options.HEARTBEAT,
            retry_policy=options.RETRY,
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        )
        await unless(self._brake.cut, beginning, patch="stop-while-beginning")
        # It gives nothing back, so only its task knows whether it was done or cut off.
        self.begun = not beginning.cancelled() and beginning.exception() is None
        return True if self.begun else None

    async def again(self, words: Words) -> None:
        """Make another plan in the same conversation, with a person's words in it."""
        await self._say(PLAN, words)
        await self._make()

    async def _make(self) -> None:
        rung = self._given.plan_rung
        if rung is None:
            return
        await self._brake.clearance()
        if self._brake.stopped():
            return
        try:
            called = await answered(self._brake, lambda: self._call(rung))
        except ActivityError as failure:
            self.out_of_time = _tried_all_the_time(failure)
            if not self.out_of_time:
                raise
            return
        if called is None:
            return
        if called.call:
            # A call that got no answer leaves its step free for the next one.
            self.calls += 1
        await workflow.execute_activity(
            signatures.keep_plan,
            called,
            start_to_close_timeout=options.LEDGER_WORK,
            retry_policy=options.RETRY,
        )

    async def _call(self, rung: Rung) -> signatures.ModelCalled | None:
        return await unless(
            self._brake.cut,
            workflow.start_activity(
                signatures.call_model,
                signatures.CallModel(n=PLAN, s=self.calls + 1),
                task_queue=signatures.model_queue(rung.provider),
                schedule_to_close_timeout=timedelta(seconds=self._given.policy.max_wall_seconds),
                start_to_close_timeout=options.CALL,
                heartbeat_timeout=options.HEARTBEAT,
                retry_policy=options.CALL_RETRY,
                cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
            ),
        )


def _tried_all_the_time(failure: ActivityError) -> bool:
    """Whether the whole time was over: during a try, or before the next one could begin."""
    cause = failure.cause
    if isinstance(cause, TimeoutError):
        return cause.type == TimeoutType.SCHEDULE_TO_CLOSE
    return failure.retry_state == RetryState.TIMEOUT
