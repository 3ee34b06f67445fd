"""Whether a workflow still runs, as its server has it."""

from __future__ import annotations

from enum import StrEnum

from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode


class WorkflowState(StrEnum):
    """How the newest run of a workflow stands. A closed one does nothing more by itself."""

    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELED = "canceled"
    TERMINATED = "terminated"
    TIMED_OUT = "timed out"
    UNKNOWN = "unknown"
    """The server has no such workflow: it was never started there, or its history was kept no longer."""

    @property
    def closed(self) -> bool:
        """Whether the server knows that it has ended."""
        return self not in (WorkflowState.RUNNING, WorkflowState.UNKNOWN)


_STATES = {
    WorkflowExecutionStatus.COMPLETED: WorkflowState.COMPLETED,
    WorkflowExecutionStatus.FAILED: WorkflowState.FAILED,
    WorkflowExecutionStatus.CANCELED: WorkflowState.CANCELED,
    WorkflowExecutionStatus.TERMINATED: WorkflowState.TERMINATED,
    WorkflowExecutionStatus.TIMED_OUT: WorkflowState.TIMED_OUT,
}


async def workflow_state(client: Client, workflow_id: str) -> WorkflowState:
    """The state of the workflow's newest run. Raises RPCError for a server that cannot tell."""
    try:
        found = await client.get_workflow_handle(workflow_id).describe()
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            return WorkflowState.UNKNOWN
        raise
    # Whatever else there is (it went on as a new run, say) is not an end.
    return _STATES.get(found.status or WorkflowExecutionStatus.RUNNING, WorkflowState.RUNNING)
