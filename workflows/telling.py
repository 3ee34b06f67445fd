"""Signals to a child that may have ended in the meantime."""

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
