"""The beginning of a job: its base, its plan, and its plan again when a person sends that back."""

from __future__ import annotations

from temporalio import workflow

from thirdshift import signatures
from thirdshift.core.steering import Words
from thirdshift.signatures import JobInput, JobMemory
from workflows import options
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

    async def begin(self) -> None:
        """Bring the base into the hub and make the first plan; nothing where a former run has done so."""
        if self.begun:
            return
        await workflow.execute_activity(
            signatures.begin_job,
            signatures.BeginJob(run=self._given.run_number, plan_rung=self._given.plan_rung),
            task_queue=signatures.HOSTS_QUEUE,
            start_to_close_timeout=options.TOOLS,
            heartbeat_timeout=options.HEARTBEAT,
            retry_policy=options.RETRY,
        )
        self.begun = True
        await self._make()

    async def again(self, words: Words) -> None:
        """Make another plan in the same conversation, with a person's words in it."""
        await self._say(PLAN, words)
        await self._make()

    async def _make(self) -> None:
        rung = self._given.plan_rung
        if rung is None:
            return
        await self._brake.hold()
        if self._brake.stopped():
            return
        called = await unless(
            self._brake.stopped,
            workflow.start_activity(
                signatures.call_model,
                signatures.CallModel(n=PLAN, s=self.calls + 1),
                task_queue=signatures.model_queue(rung.provider),
                start_to_close_timeout=options.CALL,
                heartbeat_timeout=options.HEARTBEAT,
                retry_policy=options.CALL_RETRY,
                cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
            ),
        )
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
