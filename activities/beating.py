"""Heartbeats, and work that a cancellation may not cut in two."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import ParamSpec, TypeVar

from temporalio import activity

Given = ParamSpec("Given")
Result = TypeVar("Result")

BEAT_SECONDS = 0.5
"""A cancellation reaches an activity only with a heartbeat's answer, so this bounds how soon a stop is heard."""


def this_workflow() -> str:
    """The id of the workflow that asked: the loop, or the job."""
    found = activity.info().workflow_id
    if found is None:
        raise RuntimeError("this activity was started outside a workflow; its loop or job is not known")
    return found


@contextlib.asynccontextmanager
async def beating() -> AsyncIterator[None]:
    """Heartbeat until the block is left."""

    async def beat() -> None:
        # Asleep first: most activities are over before the first beat, and each beat is a write of the server's.
        while True:
            await asyncio.sleep(BEAT_SECONDS)
            activity.heartbeat()

    task = asyncio.create_task(beat())
    try:
        yield
    finally:
        task.cancel()


async def whole(work: Callable[Given, Result], *args: Given.args, **kwargs: Given.kwargs) -> Result:
    """Run blocking work in a thread, to its end even when cancelled meanwhile; the cancellation comes after it.

    For the books: a hold whose placing was cancelled half way would be a hold that nobody knows of.
    """
    task, cancelled = await _ended(work, *args, **kwargs)
    result = task.result()
    if cancelled and (current := asyncio.current_task()) is not None:
        current.cancel()
    return result


async def despite_cancelling(work: Callable[Given, Result], *args: Given.args, **kwargs: Given.kwargs) -> Result:
    """Run blocking work in a thread to its end, and give what it gave: a cancellation meanwhile came too late.

    For what others see, such as a push: once it is made, nothing else may be told of it.
    """
    task, _ = await _ended(work, *args, **kwargs)
    return task.result()


async def _ended(
    work: Callable[Given, Result], *args: Given.args, **kwargs: Given.kwargs
) -> tuple[asyncio.Future[Result], bool]:
    """The work when it has ended, and whether it was cancelled meanwhile."""
    task = asyncio.ensure_future(asyncio.to_thread(work, *args, **kwargs))
    cancelled = False
    while not task.done():
        try:
            await asyncio.wait({task})  # unlike a plain await, it neither cancels the task nor raises its error
        except asyncio.CancelledError:
            cancelled = True
    return task, cancelled
