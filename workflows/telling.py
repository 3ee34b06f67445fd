"""Signals to workflows that may have ended in the meantime."""

from __future__ import annotations

from typing import Any

from temporalio import workflow
from temporalio.exceptions import FailureError


async def told(child: workflow.ChildWorkflowHandle[Any, Any], signal: Any, given: object) -> bool:
    """Send a signal; False where the child had just ended, which is no failure of whoever sends it."""
    try:
        await child.signal(signal, given)
    except FailureError:
        return False
    return True


async def told_outside(workflow_id: str, signal: str, given: object) -> bool:
    """Send a signal to a workflow that is no child; False where it is gone, which is no failure either."""
    try:
        await workflow.get_external_workflow_handle(workflow_id).signal(signal, given)
    except FailureError:
        return False
    return True
