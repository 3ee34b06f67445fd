"""Waiting for an activity unless somebody, or a limit, says stop."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, TimeoutError, TimeoutType, is_cancelled_exception

Result = TypeVar("Result")


async def unless(halted: Callable[[], bool], handle: workflow.ActivityHandle[Result]) -> Result | None:
    """The activity's result, or None when ``halted`` came true first.

    The activity is then cancelled and waited for, so that its call is settled or unknown and its processes are
    dead before anything else happens.
    """
    await workflow.wait_condition(lambda: handle.done() or halted())
    if not handle.done():
        handle.cancel()
    try:
        return await handle
    except ActivityError as failure:
        if is_cancelled_exception(failure):
            return None
        raise


def host_is_lost(failure: ActivityError) -> bool:
    """Whether nobody on the host's queue took the task in time."""
    cause = failure.cause
    return isinstance(cause, TimeoutError) and cause.type == TimeoutType.SCHEDULE_TO_START


def refusal_of(failure: ActivityError) -> ApplicationError | None:
    """The application's own error behind an activity's failure."""
    return failure.cause if isinstance(failure.cause, ApplicationError) else None
