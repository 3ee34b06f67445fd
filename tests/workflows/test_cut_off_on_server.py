"""Windows and breakers that cut off what runs, on the development server.

The time-skipping server tries again after a cancellation, which no cluster does.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytest
from temporalio.client import Client

from tests.fakes.line import FakeLine
from tests.workflows.line_at_work import at_work, begin, job_input, loop_input
from tests.workflows.test_parking import LOOP_ID, SHIFT_ID, parked
from thirdshift.core.history import StopReason
from thirdshift.core.nights import NightWindow
from thirdshift.core.steering import Halt
from workflows.job import Job
from workflows.loop import Loop

LONG_AGO, FAR_OFF = datetime(2020, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)


def night(drains_at: datetime, closes_at: datetime) -> NightWindow:
    return NightWindow(night="nightly|2031-03-01", shift_workflow=SHIFT_ID, drains_at=drains_at, closes_at=closes_at)


OPEN, DRAINS, OVER = night(FAR_OFF, FAR_OFF), night(LONG_AGO, FAR_OFF), night(LONG_AGO, LONG_AGO)


@dataclass
class SlowLine(FakeLine):
    """A line on which one activity waits to be cancelled, the first time only."""

    cut_in: str = ""
    was_cut: asyncio.Event = field(default_factory=asyncio.Event)

    async def _note(self, name: str, given: Any) -> None:
        if name == self.cut_in and not self.was_cut.is_set():
            self.hang_in = name
            try:
                await super()._note(name, given)
            finally:
                self.hang_in = ""
                self.was_cut.set()
        else:
            await super()._note(name, given)


@pytest.mark.parametrize("name", ["call_model", "run_tools", "verify", "open_attempt"])
async def test_what_runs_at_the_windows_end_is_cut_off_and_that_step_is_done_again(client: Client, name: str) -> None:
    line = SlowLine(trees=("c",), cut_in=name)
    async with at_work(client, line):
        handle = await begin(client, Loop.run, loop_input().model_copy(update={"window": OPEN}), LOOP_ID)
        await asyncio.wait_for(line.hanging.wait(), 20)
        before = len(line.given(name))
        await handle.signal(Loop.window_opens, DRAINS)
        await handle.query("status", result_type=dict)
        assert not line.was_cut.is_set(), "what runs may go on while the window drains"
        await handle.signal(Loop.window_opens, OVER)
        await asyncio.wait_for(line.was_cut.wait(), 20)
        await parked(handle)
        await handle.signal(Loop.window_opens, OPEN)
        result = await asyncio.wait_for(handle.result(), 30)
    assert result.stop is StopReason.ACCEPTED
    assert result.attempts == 1
    again = line.given(name)[before - 1 : before + 1]
    assert again[0] == again[1], f"the same {name} twice"


@pytest.mark.parametrize("window", [OPEN, OVER], ids=["running", "parked"])
async def test_a_breaker_halts_a_job_with_its_own_reason(client: Client, window: NightWindow) -> None:
    halt = Halt(reason=StopReason.CIRCUIT_BREAKER, words="95% of the night's verdicts failed.")
    line = FakeLine(trees=("c",), hang_in="call_model")
    async with at_work(client, line):
        handle = await begin(client, Job.run, job_input().model_copy(update={"window": window}))
        await (asyncio.wait_for(line.hanging.wait(), 20) if window is OPEN else parked(handle))
        await handle.signal(Job.halt, halt)
        result = await asyncio.wait_for(handle.result(), 30)
    assert result.stop is StopReason.CIRCUIT_BREAKER
    assert halt.words in result.evidence
    assert [finish.stop for finish in line.given("finish_job")] == [StopReason.CIRCUIT_BREAKER]
