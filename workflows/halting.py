"""Stopping, pausing, and waiting for an activity unless somebody, or a limit, says stop."""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable
from typing import Literal, Protocol, TypeVar

from temporalio import workflow
from temporalio.exceptions import (
    ActivityError,
    ApplicationError,
    FailureError,
    TimeoutError,
    TimeoutType,
    is_cancelled_exception,
)

from thirdshift.core.gate_memory import PeopleMemory
from thirdshift.core.history import StopReason
from workflows.attributes import show_state
from workflows.clock import WorkClock
from workflows.windows import OpenHours

Result = TypeVar("Result")
Told = Literal["running", "waiting", "parked"]
"""What a loop tells its job, and a job its night. Waiting is for a person."""


class Resting(Protocol):
    """Who is told when work is held back, and when it goes on."""

    async def tell(self, state: Told) -> None:
        """It is in this state now."""
        ...

    async def parks(self, why: str) -> None:
        """It parks. May be cut off as soon as the work may go on."""
        ...

    async def wakes(self) -> None:
        """It goes on."""
        ...


class Brake:
    """What holds work back: a stop, which is for good; a pause and a closed window, which are not."""

    def __init__(self, people: PeopleMemory, hours: OpenHours, resting: Resting | None = None) -> None:
        self.clock: WorkClock | None = None
        self.hours = hours
        self.paused_by = people.paused_by
        self.stop_asked = people.stop_asked
        self.stop_reason = people.halted_for or StopReason.STOPPED_BY_PERSON
        self.parked = ""
        """What is waited for while parked, in words; empty while not."""
        self._resting = resting

    @property
    def halted_for(self) -> StopReason | None:
        """Why it stops, where it was not a person who asked for it."""
        return None if self.stop_reason is StopReason.STOPPED_BY_PERSON else self.stop_reason

    def stop(self, reason: str, kind: StopReason = StopReason.STOPPED_BY_PERSON) -> None:
        """Ask for a stop. The first reason given stays."""
        if self.stop_asked is None:
            self.stop_asked, self.stop_reason = reason or "no reason given", kind

    def stopped(self) -> bool:
        """Whether a stop was asked for."""
        return self.stop_asked is not None

    def cut(self) -> bool:
        """Whether even a verification is to be cut off now: stopped, or past the window's end."""
        return self.stopped() or self.hours.closed

    def spent(self) -> bool:
        """Whether an attempt is over: stopped, or out of time."""
        return self.stopped() or (self.clock is not None and self.clock.out_of_time)

    def halted(self) -> bool:
        """Whether a step that runs now is to be cut off."""
        return self.spent() or self.hours.closed

    async def hold(self) -> None:
        """Wait while paused: no slot is held, no timer runs, and the loop's own time stands still."""
        if not self.paused_by or self.stopped():
            return
        show_state("paused")
        await self._tell("waiting")
        with self.clock.waiting() if self.clock else contextlib.nullcontext():
            await workflow.wait_condition(lambda: not self.paused_by or self.stopped())
        show_state("running")
        await self._tell("running")

    async def clearance(self) -> None:
        """Wait until something that costs money or processors may begin: neither paused nor parked, or stopped."""
        await self.hold()
        await self.rest()

    async def rest(self) -> None:
        """Park while the window is closed: durably, holding nothing, until a new one opens or a person says go."""
        while self.hours.why_rest() and not self.stopped():
            await self._park()
            await self.hold()

    async def _park(self) -> None:
        self.parked = self.hours.awaited()
        show_state("parked")
        with self.clock.waiting() if self.clock else contextlib.nullcontext():
            if self._resting is not None:
                await self._resting.parks(self.parked)
            await workflow.wait_condition(self.awake)
            self.parked = ""
            if self._resting is not None and not self.stopped():
                await self._resting.wakes()
        show_state("running")

    async def _tell(self, state: Told) -> None:
        if self._resting is not None:
            await self._resting.tell(state)

    def awake(self) -> bool:
        """Whether a parked workflow is to go on."""
        return self.stopped() or not self.hours.why_rest()

    async def through(
        self, do: Callable[[], Awaitable[Result | None]], over: Callable[[], bool], *, begun: bool = False
    ) -> Result | None:
        """Do what costs money or processors, in the window; where its end cuts that off, again in the next one.

        ``do`` gives None where it was cut off; so does this, where ``over`` says that it is not wanted any more.
        What belongs to a step that has ``begun`` may still be begun up to the window's end.
        """
        while True:
            if self.hours.closed if begun else self.hours.why_rest():
                await self.rest()
                if over():
                    return None
            closings = self.hours.closings
            done = await do()
            if done is not None or over() or self.hours.closings == closings:
                return done


async def unless(halted: Callable[[], bool], handle: workflow.ActivityHandle[Result], patch: str = "") -> Result | None:
    """The activity's result, or None when ``halted`` came true first.

    ``patch`` names a place that was not always cut off: histories from before then go on as they did.

    The activity is then cancelled and waited for, so that its call is settled or unknown and its processes are
    dead before anything else happens. However it ends then is its end: nothing is tried again after a
    cancellation, so a fault of the provider or a worker that vanished at that moment comes out here too.
    """
    await workflow.wait_condition(lambda: handle.done() or halted())
    cut_off = not handle.done() and (not patch or workflow.patched(patch))
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
