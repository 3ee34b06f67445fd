from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from temporalio.client import Client, WorkflowHandle
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import Worker

from tests.fakes.line import FakeLine, tree_of
from thirdshift.bootstrap.workflow_worker import workflow_worker
from thirdshift.core.history import AttemptEnd, LoopPolicy, ReasonCode, StopReason
from thirdshift.core.ladder import Ladder, Rung, Tier
from thirdshift.signatures import LoopInput, LoopResult, PacketInput, Standing
from workflows.loop import Loop

LADDER = Ladder(
    rungs=(
        Rung(model="cheap/small", tier=Tier.ECONOMY),
        Rung(model="dear/large", tier=Tier.SPECIALIST),
    )
)
START = Standing(tree=tree_of("0"), commit="commit-0")


def task(**policy: object) -> LoopInput:
    return LoopInput(
        job_id="job",
        packet=PacketInput(id="main", covers=("AC-1",), checks=("lint", "unit")),
        title="a title",
        repository="/somewhere/repo",
        task="bugfix",
        risk="low",
        start=START,
        policy=LoopPolicy.model_validate({"ladder": LADDER, **policy}),
    )


@contextlib.asynccontextmanager
async def running(client: Client, line: FakeLine) -> AsyncIterator[None]:
    async with contextlib.AsyncExitStack() as stack:
        workers: list[Worker] = [*line.workers(client), workflow_worker(client, line.activities())]
        for worker in workers:
            await stack.enter_async_context(worker)
        yield


async def start(client: Client, given: LoopInput) -> WorkflowHandle[Loop, LoopResult]:
    return await client.start_workflow(Loop.run, given, id="loop-job-main", task_queue="thirdshift")


async def outcome(environment: WorkflowEnvironment, line: FakeLine, given: LoopInput) -> LoopResult:
    async with running(environment.client, line):
        return await (await start(environment.client, given)).result()


async def test_a_loop_climbs_only_after_the_cheap_rung_failed_its_two_attempts(
    environment: WorkflowEnvironment,
) -> None:
    line = FakeLine(trees=("a", "b", "c"), passes_on="c")
    result = await outcome(environment, line, task())
    opened = line.given("open_attempt")
    assert [(o.rung.tier, o.reason) for o in opened] == [
        (Tier.ECONOMY, ReasonCode.FIRST),
        (Tier.ECONOMY, ReasonCode.RETRY_WITH_EVIDENCE),
        (Tier.SPECIALIST, ReasonCode.VERIFICATION_FAILED),
    ]
    assert result.stop is StopReason.ACCEPTED
    assert result.best == Standing(tree=tree_of("c"), commit="commit-c")
    assert result.cost_nano == 3_000_000


async def test_each_retry_is_given_the_verdict_of_the_attempt_before_it(environment: WorkflowEnvironment) -> None:
    line = FakeLine()
    await outcome(environment, line, task())
    assert [opened.verdict for opened in line.given("open_attempt")] == [None, 2, 3]


async def test_the_baseline_is_judged_once_and_before_any_attempt(environment: WorkflowEnvironment) -> None:
    line = FakeLine(trees=("c",))
    await outcome(environment, line, task())
    assert line.names()[:3] == ["open_loop", "verify", "open_attempt"]
    assert line.given("verify")[0].tree == START.tree


async def test_a_provider_that_is_out_stops_the_loop_where_the_tier_has_no_sibling(
    environment: WorkflowEnvironment,
) -> None:
    line = FakeLine(faults={1: "quota_exhausted"})
    result = await outcome(environment, line, task())
    assert result.stop is StopReason.PROVIDER_UNAVAILABLE
    assert "verify" not in line.names()[2:], "there was nothing to judge"
    assert all(opened.rung.tier is Tier.ECONOMY for opened in line.given("open_attempt")), "never up"


async def test_a_budget_that_is_used_up_stops_the_loop_after_its_tree_was_judged(
    environment: WorkflowEnvironment,
) -> None:
    line = FakeLine(faults={1: "budget"})
    result = await outcome(environment, line, task())
    assert result.stop is StopReason.BUDGET
    assert "budget as planned" in result.evidence
    assert [v.n for v in line.given("verify")] == [0, 1]


async def test_the_step_limit_holds_over_all_attempts_together(environment: WorkflowEnvironment) -> None:
    line = FakeLine(passes_on="never", steps=2)
    result = await outcome(environment, line, task(max_steps=3))
    assert result.stop is StopReason.MAX_STEPS
    assert result.steps == 3
    assert len(line.given("call_model")) == 3


async def test_success_with_the_last_step_allowed_is_success(environment: WorkflowEnvironment) -> None:
    line = FakeLine(trees=("c",), steps=2)
    result = await outcome(environment, line, task(max_steps=2))
    assert result.stop is StopReason.ACCEPTED


@pytest.mark.parametrize("where", ["call_model", "run_tools", "verify"])
async def test_a_stop_cancels_what_is_running_and_keeps_the_best_tree(
    environment: WorkflowEnvironment, where: str
) -> None:
    line = FakeLine(hang_in=where)
    async with running(environment.client, line):
        handle = await start(environment.client, task())
        await asyncio.wait_for(line.hanging.wait(), 20)
        await handle.signal(Loop.stop_loop, "enough")
        result = await asyncio.wait_for(handle.result(), 20)
    assert result.stop is StopReason.STOPPED_BY_PERSON
    assert "enough" in result.evidence
    assert result.best == START


async def test_a_tree_that_fails_as_much_as_its_start_counts_as_judged(environment: WorkflowEnvironment) -> None:
    result = await outcome(environment, FakeLine(passes_on="never"), task(max_attempts=2))
    assert result.stop is StopReason.MAX_ATTEMPTS
    assert (result.best.tree, result.verified) == (tree_of("b"), True)


async def test_a_tree_that_was_not_judged_before_the_stop_counts_as_such(environment: WorkflowEnvironment) -> None:
    line = FakeLine(refuses={"verify": "setup_failed"})
    assert (await outcome(environment, line, task())).verified is False


async def test_an_attempt_that_is_stopped_is_closed_as_stopped(environment: WorkflowEnvironment) -> None:
    line = FakeLine(hang_in="call_model")
    async with running(environment.client, line):
        handle = await start(environment.client, task())
        await asyncio.wait_for(line.hanging.wait(), 20)
        await handle.signal(Loop.stop_loop, "enough")
        await handle.result()
    assert [(c.n, c.end, c.verdict) for c in line.given("close_attempt")] == [(1, AttemptEnd.STOPPED, None)]


async def test_the_wall_clock_ends_a_call_and_the_tree_is_judged_all_the_same(
    environment: WorkflowEnvironment,
) -> None:
    line = FakeLine(hang_in="call_model")
    result = await outcome(environment, line, task(max_wall_seconds=2.0))
    assert result.stop is StopReason.WALL_CLOCK
    assert [v.n for v in line.given("verify")] == [0, 1]


async def test_a_lost_host_is_replaced_and_the_same_work_is_asked_of_the_next_one(
    environment: WorkflowEnvironment,
) -> None:
    line = FakeLine(trees=("c",), broken_host="gone")
    result = await outcome(environment, line, task())
    assert result.stop is StopReason.ACCEPTED
    assert len(line.given("open_loop")) == 2
    assert [v.n for v in line.given("verify")] == [0, 1]


async def test_the_status_query_tells_attempt_step_and_tier(environment: WorkflowEnvironment) -> None:
    line = FakeLine(hang_in="run_tools")
    async with running(environment.client, line):
        handle = await start(environment.client, task())
        await asyncio.wait_for(line.hanging.wait(), 20)
        status = await handle.query(Loop.status)
        await handle.signal(Loop.stop_loop, "seen enough")
        await handle.result()
    assert (status.attempt, status.step, status.tier, status.model) == (1, 1, "economy", "cheap/small")
    assert status.doing == "running tools"


async def test_a_window_that_closes_stops_the_loop(environment: WorkflowEnvironment) -> None:
    line = FakeLine(hang_in="call_model")
    closes = await environment.get_current_time() + timedelta(seconds=3)
    result = await outcome(environment, line, task(window_closes_at=closes))
    assert result.stop is StopReason.WINDOW_CLOSED


async def test_a_refusal_in_the_middle_of_an_attempt_closes_its_books_first(environment: WorkflowEnvironment) -> None:
    line = FakeLine(refuses={"run_tools": "setup_failed"})
    result = await outcome(environment, line, task())
    assert result.stop is StopReason.SETUP_FAILED
    assert (result.attempts, result.steps, result.cost_nano) == (1, 1, 1_000_000)
    assert [c.end for c in line.given("close_attempt")] == [AttemptEnd.STOPPED]


async def test_what_no_policy_foresaw_ends_the_loop_as_failed_with_its_words(environment: WorkflowEnvironment) -> None:
    line = FakeLine(refuses={"open_attempt": "SomethingOdd"})
    result = await outcome(environment, line, task())
    assert result.stop is StopReason.FAILED
    assert "as planned" in result.evidence
