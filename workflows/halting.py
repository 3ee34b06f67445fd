"""Stopping, pausing, and waiting for an activity unless somebody, or a limit, says stop."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TypeVar

from temporalio import workflow
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    FailureError,
    TimeoutError,
    TimeoutType,
    is_cancelled_exception,
)

from thirdshift.core.history import StopReason
from workflows.attributes import show_state
from workflows.clock import WorkClock

Result = TypeVar("Result")


class Brake:
    """What a person has said about going on: a stop, which is for good, or a pause, which is not."""

    def __init__(self, clock: WorkClock | None = None, paused_by: str = "", stop_asked: str | None = None) -> None:
        self.clock = clock
        self.paused_by = paused_by
        self.stop_asked = stop_asked

    def stop(self, reason: str) -> None:
        """Ask for a stop. The first reason given stays."""
        self.stop_asked = self.stop_asked or reason or "no reason given"

    def stopped(self) -> bool:
        """Whether a person asked for a stop."""
        return self.stop_asked is not None

    def halted(self) -> bool:
        """Whether what runs now is to be cut off: stopped, or out of time."""
        return self.stopped() or (self.clock is not None and self.clock.out_of_time)

    async def hold(self) -> None:
        """Wait while paused: no slot is held, no timer runs, and the loop's own time stands still."""
        if not self.paused_by or self.stopped():
            return
        show_state("paused")
        with self.clock.waiting() if self.clock else contextlib.nullcontext():
            await workflow.wait_condition(lambda: not self.paused_by or self.stopped())
        show_state("running")


async def unless(halted: Callable[[], bool], handle: workflow.ActivityHandle[Result]) -> Result | None:
    """The activity's result, or None when ``halted`` came true first.

    The activity is then cancelled and waited for, so that its call is settled or unknown and its processes are
    dead before anything else happens. However it ends then is its end: nothing is tried again after a
    cancellation, so a fault of the provider or a worker that vanished at that moment comes out here too.
    """
    await workflow.wait_condition(lambda: handle.done() or halted())
    cut_off = not handle.done()
    if cut_off:
        handle.cancel()
    try:
        return await handle
    except ActivityError as failure:
        if cut_off or is_cancelled_exception(failure):
            return None
        raise


def host_is_lost(failure: ActivityError) -> bool:
    """Whether nobody on the host's queue took the task in time."""
    cause = failure.cause
    return isinstance(cause, TimeoutError) and cause.type == TimeoutType.SCHEDULE_TO_START


def reason_of(failure: FailureError) -> tuple[StopReason, str]:
    """Why something has to end that failed for good: a refusal's own reason, else ``failed`` with what is known."""
    cause: BaseException = failure
    while isinstance(cause, FailureError) and cause.cause is not None and not _is_refusal(cause):
        # A refusal carries what it was made from as its own cause, which knows no reason.
        cause = cause.cause
    words = (cause.message if isinstance(cause, FailureError) else str(cause))[:1000]
    if isinstance(cause, ApplicationError) and cause.type and _is_refusal(cause):
        return StopReason(cause.type), words
    return StopReason.FAILED, f"{type(cause).__name__}: {words}"


def _is_refusal(failure: BaseException) -> bool:
    return isinstance(failure, ApplicationError) and failure.type in set(StopReason)
