"""The host that holds a loop's workspace, and its replacement when it is lost."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

from temporalio import workflow
from temporalio.exceptions import ActivityError

from thirdshift import signatures
from thirdshift.signatures import LoopInput
from workflows import options
from workflows.halting import host_is_lost, unless

Given = TypeVar("Given")
Result = TypeVar("Result")


class Hosting:
    """Runs a loop's activities where its workspace is."""

    def __init__(self, given: LoopInput) -> None:
        self._given = given
        self.queue = given.queue

    async def claim(self, halted: Callable[[], bool]) -> bool | None:
        """Have some host claim the loop. None when ``halted`` came true first."""
        opened = await unless(
            halted,
            workflow.start_activity(
                signatures.open_loop,
                signatures.OpenLoop(
                    job_id=self._given.job_id,
                    packet=self._given.packet.id,
                    checks=self._given.packet.checks,
                    start=self._given.start,
                ),
                task_queue=signatures.HOSTS_QUEUE,
                start_to_close_timeout=options.LEDGER_WORK,
                retry_policy=options.RETRY,
            ),
            patch="stop-while-claiming",
        )
        if opened is None:
            return None
        self.queue = opened.queue
        return True

    async def run(
        self,
        do: Callable[[Given], Awaitable[Result]],
        given: Given,
        limit: timedelta,
        halted: Callable[[], bool],
    ) -> Result | None:
        """Run on the host that has the workspace; if that is lost, on another one, from the hub.

        None when ``halted`` came true first.
        """
        patience = options.HOST_LOST
        while True:
            handle = workflow.start_activity(
                do,
                given,
                task_queue=self.queue,
                schedule_to_start_timeout=patience,
                start_to_close_timeout=limit,
                heartbeat_timeout=options.HEARTBEAT,
                retry_policy=options.RETRY,
                cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
            )
            try:
                return await unless(halted, handle)
            except ActivityError as failure:
                if not host_is_lost(failure):
                    raise
                before = self.queue
                if await self.claim(halted) is None:
                    return None
                if self.queue == before:
                    # It answered, so it is there, and was only busy.
                    patience = min(2 * patience, options.BUSY)
