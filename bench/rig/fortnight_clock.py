"""The time-skipping server's clock: waiting for an instant on it, and mending what makes it stand."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

from google.protobuf.empty_pb2 import Empty
from temporalio.api.common.v1 import WorkflowExecution
from temporalio.api.enums.v1 import WorkflowExecutionStatus
from temporalio.api.testservice.v1 import SleepRequest, UnlockTimeSkippingRequest
from temporalio.api.workflow.v1 import WorkflowExecutionInfo
from temporalio.api.workflowservice.v1 import DescribeWorkflowExecutionRequest
from temporalio.client import Client

from thirdshift.adapters.ledger import SqlLedger

LONGEST_NIGHT = timedelta(minutes=10)
"""In real time."""
LOOK_SECONDS = 0.1
MANY = 100_000


class ServerClock:
    """Moves and mends the clock of one time-skipping server."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._mended: set[str] = set()

    async def now(self) -> datetime:
        """The server's time."""
        found = await self._client.test_service.get_current_time(Empty())
        return found.time.ToDatetime(tzinfo=UTC)

    async def until(self, when: datetime) -> None:
        """Let time be skipped up to an instant; whatever is due before it happens."""
        left = when - await self.now()
        if left > timedelta(0):
            request = SleepRequest()
            request.duration.FromTimedelta(left)
            # As WorkflowEnvironment.sleep does, which allows the work of a night no more than 30 real seconds.
            await self._client.test_service.unlock_time_skipping_with_sleep(request, timeout=LONGEST_NIGHT)

    async def mend(self, ledger: SqlLedger) -> None:
        """Until cancelled: give back what the server forgets to.

        It stops its clock while a child ends, and does not let it go on where the child's parent has ended before:
        here, where a job outlives the night that began it.
        """
        while True:
            ended = [job.job_id for job in await asyncio.to_thread(ledger.list_jobs, MANY) if job.ended_at]
            for job_id in ended:
                if job_id not in self._mended and await self._is_over(job_id):
                    self._mended.add(job_id)
            await asyncio.sleep(LOOK_SECONDS)

    async def _is_over(self, job_id: str) -> bool:
        job = await self.describe(job_id)
        if job.status == WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING:
            return False
        parent = await self.describe(job.parent_execution.workflow_id)
        over = parent.status != WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_RUNNING
        if over and parent.close_time.ToNanoseconds() < job.close_time.ToNanoseconds():
            await self._client.test_service.unlock_time_skipping(UnlockTimeSkippingRequest())
        return True

    async def describe(self, workflow_id: str) -> WorkflowExecutionInfo:
        """A workflow, raw: this server keeps an attribute that was taken away as a null, which the SDK cannot read."""
        found = await self._client.workflow_service.describe_workflow_execution(
            DescribeWorkflowExecutionRequest(
                namespace=self._client.namespace, execution=WorkflowExecution(workflow_id=workflow_id)
            )
        )
        return found.workflow_execution_info
