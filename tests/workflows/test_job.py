from __future__ import annotations

import asyncio

import pytest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from tests.fakes.line import FakeLine, tree_of
from tests.workflows.line_at_work import START, at_work, begin, job_input
from thirdshift.core.history import StopReason
from thirdshift.signatures import JobInput, JobResult, PacketInput, Standing
from workflows.job import Job

TWO = (
    PacketInput(id="first", covers=("AC-1",), checks=("lint",)),
    PacketInput(id="second", covers=("AC-2",), checks=("lint", "unit")),
)


async def outcome(environment: WorkflowEnvironment, line: FakeLine, given: JobInput) -> JobResult:
    async with at_work(environment.client, line):
        handle = await begin(environment.client, Job.run, given)
        return JobResult.model_validate(await handle.result())


async def test_a_job_without_a_plan_goes_straight_to_its_loop(environment: WorkflowEnvironment) -> None:
    line = FakeLine(trees=("c",))
    result = await outcome(environment, line, job_input())
    assert result.stop is StopReason.ACCEPTED
    assert line.names()[:2] == ["begin_job", "open_loop"]
    assert "keep_plan" not in line.names()


async def test_the_plan_is_asked_for_once_and_kept_before_the_loop_begins(environment: WorkflowEnvironment) -> None:
    line = FakeLine(trees=("c",))
    await outcome(environment, line, job_input(planned=True))
    assert line.names()[:4] == ["begin_job", "call_model", "keep_plan", "open_loop"]


async def test_a_packet_begins_on_the_tree_of_the_one_before_it(environment: WorkflowEnvironment) -> None:
    line = FakeLine(trees=("c",))
    given = job_input().model_copy(update={"packets": TWO})
    result = await outcome(environment, line, given)
    opened = line.given("open_loop")
    assert [(one.packet, one.start) for one in opened] == [
        ("first", START),
        ("second", Standing(tree=tree_of("c"), commit="commit-c")),
    ]
    assert result.cost_nano == 2_000_000


async def test_the_limits_are_totals_over_all_packets(environment: WorkflowEnvironment) -> None:
    line = FakeLine(trees=("c",), steps=2)
    given = job_input(max_attempts=1).model_copy(update={"packets": TWO})
    result = await outcome(environment, line, given)
    assert result.stop is StopReason.MAX_ATTEMPTS
    assert "first" in result.evidence
    assert len(line.given("open_loop")) == 1


async def test_the_first_packet_that_is_not_accepted_ends_the_job(environment: WorkflowEnvironment) -> None:
    line = FakeLine(passes_on="never", faults={1: "quota_exhausted"})
    given = job_input().model_copy(update={"packets": TWO})
    result = await outcome(environment, line, given)
    assert result.stop is StopReason.PROVIDER_UNAVAILABLE
    assert [f.stop for f in line.given("finish_job")] == [StopReason.PROVIDER_UNAVAILABLE]
    assert len(line.given("open_loop")) == 1


@pytest.mark.parametrize("where", ["begin_job", "open_loop"])
async def test_a_stop_is_heard_while_a_job_or_its_loop_begins(client: Client, where: str) -> None:
    line = FakeLine(hang_in=where)
    async with at_work(client, line):
        handle = await begin(client, Job.run, job_input())
        await asyncio.wait_for(line.hanging.wait(), 20)
        await handle.signal(Job.stop_loop, "wrong base")
        result = await asyncio.wait_for(handle.result(), 30)
    assert result.stop is StopReason.STOPPED_BY_PERSON
    assert line.names() == [*dict.fromkeys(["begin_job", where]), "finish_job"]


async def test_a_plan_is_tried_for_as_long_as_the_job_may_take_and_no_longer(environment: WorkflowEnvironment) -> None:
    line = FakeLine(plan_fails=True)
    result = await outcome(environment, line, job_input(planned=True, max_wall_seconds=600.0))
    assert (result.stop, result.evidence) == (StopReason.WALL_CLOCK, "No plan was made within 600 s.")
    assert "open_loop" not in line.names()
