"""Running a command's asynchronous part, with the signals that end it."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from contextlib import suppress


def run_until_done(work: Coroutine[None, None, int]) -> int:
    """Run to the end; its exit code. SIGINT and SIGTERM cancel it, so that it can leave in order.

    Raises KeyboardInterrupt where the work lets itself be interrupted.
    """

    async def guarded() -> int:
        task = asyncio.current_task()
        with suppress(ValueError, RuntimeError):  # not in the main thread, where no signal can be handled
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, _cancel, task)
        return await work

    try:
        return asyncio.run(guarded())
    except asyncio.CancelledError:
        raise KeyboardInterrupt from None


def _cancel(task: asyncio.Task[int] | None) -> None:
    if task is not None:
        task.cancel()


async def until_asked_to_stop() -> None:
    """Wait for SIGINT or SIGTERM; to a service they are its normal end, so nothing is raised."""
    with suppress(asyncio.CancelledError):
        await asyncio.Event().wait()
    task = asyncio.current_task()
    if task is not None:
        # Taken note of; what follows, the orderly stop, is not to count as cancelled.
        task.uncancel()
