"""Stops on the development server: the time-skipping one tries again after a cancellation, which no cluster does."""

from __future__ import annotations

import asyncio

import pytest
from temporalio.client import Client

from tests.fakes.line import FakeLine
from tests.workflows.line_at_work import at_work, begin, job_input, loop_input
from thirdshift.core.history import AttemptEnd, StopReason
from workflows.job import Job
from workflows.loop import Loop


@pytest.mark.parametrize("where", ["open_attempt", "call_model", "run_tools"])
async def test_a_fault_that_meets_a_stop_ends_the_loop_as_stopped(client: Client, where: str) -> None:
    """Nothing is tried again after a cancellation, so the fault itself comes out of the activity."""
    line = FakeLine(hang_in=where, dies_of="rate_limited")
    async with at_work(client, line):
        handle = await begin(client, Loop.run, loop_input(), "loop-job-main")
        await asyncio.wait_for(line.hanging.wait(), 20)
        await handle.signal(Loop.stop_loop, "enough")
        result = await asyncio.wait_for(handle.result(), 30)
    assert result.stop is StopReason.STOPPED_BY_PERSON
    assert [closed.end for closed in line.given("close_attempt")] == [AttemptEnd.STOPPED]


async def test_a_job_that_is_cancelled_in_temporal_is_finished_all_the_same(client: Client) -> None:
    line = FakeLine(hang_in="run_tools")
    async with at_work(client, line):
        handle = await begin(client, Job.run, job_input())
        await asyncio.wait_for(line.hanging.wait(), 20)
        await handle.cancel()
        result = await asyncio.wait_for(handle.result(), 30)
    assert result.stop is StopReason.STOPPED_BY_PERSON
    assert [finish.stop for finish in line.given("finish_job")] == [StopReason.STOPPED_BY_PERSON]


async def test_a_loop_that_is_terminated_leaves_its_job_finished_as_failed(client: Client) -> None:
    line = FakeLine(hang_in="run_tools")
    async with at_work(client, line):
        handle = await begin(client, Job.run, job_input())
        await asyncio.wait_for(line.hanging.wait(), 20)
        await client.get_workflow_handle("loop-job-main").terminate("gone")
        result = await asyncio.wait_for(handle.result(), 30)
    assert result.stop is StopReason.FAILED
    assert [finish.stop for finish in line.given("finish_job")] == [StopReason.FAILED]
