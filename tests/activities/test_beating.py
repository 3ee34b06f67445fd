from __future__ import annotations

import asyncio
import threading

import pytest

from activities.beating import despite_cancelling, whole


class Work:
    """Blocking work that ends when it is let go."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.go_on = threading.Event()

    def do(self) -> str:
        self.begun.set()
        self.go_on.wait(20)
        return "pushed"


async def cancelled_meanwhile(work: Work, task: asyncio.Task[str]) -> None:
    await asyncio.to_thread(work.begun.wait, 20)
    task.cancel()
    await asyncio.sleep(0)
    work.go_on.set()


async def test_what_others_see_counts_although_it_was_cancelled_meanwhile() -> None:
    work = Work()
    task = asyncio.create_task(despite_cancelling(work.do))
    await cancelled_meanwhile(work, task)
    assert await task == "pushed"


async def test_other_work_is_done_whole_and_then_cancelled() -> None:
    work = Work()
    task = asyncio.create_task(whole(work.do))
    await cancelled_meanwhile(work, task)
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_an_error_of_the_work_comes_out() -> None:
    def fail() -> None:
        raise ValueError("no")

    for way in (whole, despite_cancelling):
        with pytest.raises(ValueError, match="no"):
            await way(fail)
