from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from temporalio import activity, workflow
from temporalio.client import WorkflowFailureError
from temporalio.exceptions import ApplicationError, CancelledError
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from activities.model import WAITING
from thirdshift.signatures import CallModel, ModelCalled
from workflows import options

ASKED = asyncio.Event()


@activity.defn(name="call_model")
async def in_line(given: CallModel) -> ModelCalled:
    """A call that waits for money for as long as it is asked."""
    ASKED.set()
    raise ApplicationError("waits", type=WAITING, next_retry_delay=timedelta(days=365))


@workflow.defn(name="Waits")
class Waits:
    @workflow.run
    async def run(self) -> None:
        await workflow.execute_activity(
            in_line,
            CallModel(n=1, s=1),
            start_to_close_timeout=options.CALL,
            heartbeat_timeout=options.HEARTBEAT,
            retry_policy=options.RETRY,
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        )


async def test_a_call_that_waits_for_money_ends_with_its_loop_and_not_with_its_wait(
    environment: WorkflowEnvironment,
) -> None:
    runner = UnsandboxedWorkflowRunner()
    async with Worker(
        environment.client, task_queue="q", workflows=[Waits], activities=[in_line], workflow_runner=runner
    ):
        with environment.auto_time_skipping_disabled():
            handle = await environment.client.start_workflow(Waits.run, id="waits", task_queue="q")
            await ASKED.wait()
            await handle.cancel()
            with pytest.raises(WorkflowFailureError) as ended:
                await handle.result()
        assert isinstance(ended.value.cause, CancelledError)
