"""Jobs and loops that keep to a window: parked, cut off, let go, halted, and waiting for a provider.

Stories in ``IN_REAL_TIME`` cut something off, which only the development server does as a cluster does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from temporalio.client import Client, WorkflowHandle
from temporalio.testing import WorkflowEnvironment

from tests.fakes.line import FakeLine, tree_of
from tests.fakes.line_delivery import DeliveringLine
from tests.replay.stories import LOOP_ID
from tests.workflows.line_at_work import at_work, begin, decide, job_input, loop_input, open_gate, until
from tests.workflows.test_cut_off_on_server import OPEN, OVER, SlowLine
from tests.workflows.test_delivering import asked
from tests.workflows.test_parking import a_night, drains, now_there, parked, window
from tests.workflows.test_providers_away import ALONE, night_loop
from thirdshift.core.history import StopReason
from thirdshift.core.spec import Delivery, GateKind
from thirdshift.core.steering import Halt
from workflows.job import Job
from workflows.loop import Loop

Kept = Mapping[str, WorkflowHandle[Any, Any]]
"""What a story keeps: the runs of each workflow under its suffix, and under none the one that the story is about."""
NEXT_NIGHT = "nightly|2031-03-02"
TRIPPED = Halt(reason=StopReason.CIRCUIT_BREAKER, words="95% of the verdicts failed.")


def with_loop(client: Client, handle: WorkflowHandle[Any, Any]) -> Kept:
    return {"": handle, "loop": client.get_workflow_handle(LOOP_ID)}


async def parked_in_a_step(environment: WorkflowEnvironment, line: FakeLine) -> WorkflowHandle[Any, Any]:
    """A job whose window began to drain while a tool ran."""
    given = job_input().model_copy(update={"window": window(await now_there(environment), 30, 60)})
    handle = await begin(environment.client, Job.run, given)
    await asyncio.wait_for(line.held.wait(), 20)
    await drains(handle, environment)
    line.go_on.set()
    await parked(handle)
    return handle


async def a_job_that_is_parked_at_the_drain_and_goes_on(environment: WorkflowEnvironment) -> Kept:
    line = FakeLine(trees=("c",), hold_in="run_tools")
    async with at_work(environment.client, line), a_night(environment.client) as night:
        handle = await parked_in_a_step(environment, line)
        await environment.sleep(timedelta(hours=20))
        await handle.signal(Job.window_opens, window(await now_there(environment), 300, 360, NEXT_NIGHT))
        assert (await handle.result()).stop is StopReason.ACCEPTED
        await night.result()
    return with_loop(environment.client, handle)


async def a_job_that_a_person_lets_go_on_outside_of_its_window(environment: WorkflowEnvironment) -> Kept:
    line = FakeLine(trees=("c",), hold_in="run_tools")
    async with at_work(environment.client, line):
        handle = await parked_in_a_step(environment, line)
        assert "outside of its window" in await handle.execute_update("resume", "ada", result_type=str)
        assert (await handle.result()).stop is StopReason.ACCEPTED
    return with_loop(environment.client, handle)


async def a_job_that_is_parked_before_its_plan(environment: WorkflowEnvironment) -> Kept:
    """And again behind the plan's gate, which was answered by day."""
    line = FakeLine(trees=("c",))
    async with at_work(environment.client, line):
        given = job_input(planned=True, gates=(GateKind.PLAN,))
        given = given.model_copy(update={"window": window(await now_there(environment), -5, 5)})
        handle = await begin(environment.client, Job.run, given)
        await parked(handle)
        await handle.signal(Job.window_opens, window(await now_there(environment), 30, 60))
        gate = await open_gate(handle)
        await environment.sleep(timedelta(hours=5))
        await decide(handle, gate=gate, verdict="approve", tree=given.base.tree, reviewer="ada")
        await parked(handle)
        await handle.signal(Job.window_opens, window(await now_there(environment), 300, 360, NEXT_NIGHT))
        assert (await handle.result()).stop is StopReason.ACCEPTED
    return with_loop(environment.client, handle)


async def a_loop_whose_night_is_out_of_money(environment: WorkflowEnvironment) -> Kept:
    line = FakeLine(trees=("c",), faults={1: "budget"}, short_of="shift nightly|2031-03-01")
    async with at_work(environment.client, line):
        given = loop_input(gates=(GateKind.BUDGET,))
        given = given.model_copy(update={"window": window(await now_there(environment), 300, 360)})
        handle = await begin(environment.client, Loop.run, given, LOOP_ID)
        await parked(handle)
        line.faults = {}
        await handle.signal(Loop.window_opens, window(await now_there(environment), 300, 360, NEXT_NIGHT))
        assert (await handle.result()).attempts == 1
    return {"": handle}


async def a_loop_that_waits_for_its_provider(environment: WorkflowEnvironment) -> Kept:
    """First for one that says when it is back, then for one that does not."""
    line = FakeLine(trees=("c",), faults={1: "quota_exhausted", 2: "overloaded"})
    async with at_work(environment.client, line):
        line.back_at = await now_there(environment) + timedelta(hours=3)
        given = await night_loop(environment, ALONE, 600, max_wall_seconds=1800.0, max_attempts=2)
        handle = await begin(environment.client, Loop.run, given, LOOP_ID)
        result = await handle.result()
        assert (result.stop, len(line.given("open_attempt"))) == (StopReason.ACCEPTED, 3)
        assert result.waited_seconds >= 3 * 3600 - 60
    return {"": handle}


async def a_loop_whose_provider_is_back_after_its_window(environment: WorkflowEnvironment) -> Kept:
    line = FakeLine(trees=("c",), faults={1: "rate_limited"})
    async with at_work(environment.client, line):
        line.back_at = await now_there(environment) + timedelta(hours=3)
        handle = await begin(environment.client, Loop.run, await night_loop(environment, ALONE, 60), LOOP_ID)
        await parked(handle)
        await environment.sleep(timedelta(hours=20))
        await handle.signal(Loop.window_opens, window(await now_there(environment), 300, 360, NEXT_NIGHT))
        assert (await handle.result()).stop is StopReason.ACCEPTED
    return {"": handle}


async def cut_off_in(client: Client, name: str) -> WorkflowHandle[Any, Any]:
    line = SlowLine(trees=("c",), cut_in=name)
    async with at_work(client, line):
        given = loop_input().model_copy(update={"window": OPEN})
        handle = await begin(client, Loop.run, given, f"loop-job-{name}")
        await asyncio.wait_for(line.hanging.wait(), 20)
        await handle.signal(Loop.window_opens, OVER)
        await asyncio.wait_for(line.was_cut.wait(), 20)
        await parked(handle)
        await handle.signal(Loop.window_opens, OPEN)
        result = await asyncio.wait_for(handle.result(), 30)
    assert (result.stop, result.attempts) == (StopReason.ACCEPTED, 1)
    return handle


async def a_loop_that_is_cut_off_at_the_windows_end(environment: WorkflowEnvironment) -> Kept:
    """In each thing that it does; and that is done again."""
    return {
        "": await cut_off_in(environment.client, "call_model"),
        "tools": await cut_off_in(environment.client, "run_tools"),
        "verify": await cut_off_in(environment.client, "verify"),
        "opening": await cut_off_in(environment.client, "open_attempt"),
    }


async def a_job_that_the_breaker_halts(environment: WorkflowEnvironment) -> Kept:
    line = FakeLine(trees=("c",), hang_in="run_tools")
    async with at_work(environment.client, line):
        handle = await begin(environment.client, Job.run, job_input().model_copy(update={"window": OPEN}))
        await asyncio.wait_for(line.hanging.wait(), 20)
        await handle.signal(Job.halt, TRIPPED)
        result = await asyncio.wait_for(handle.result(), 30)
    assert result.stop is StopReason.CIRCUIT_BREAKER
    return with_loop(environment.client, handle)


async def a_parked_job_that_the_breaker_halts(environment: WorkflowEnvironment) -> Kept:
    line = SlowLine(trees=("c",), cut_in="run_tools")
    async with at_work(environment.client, line):
        handle = await begin(environment.client, Job.run, job_input().model_copy(update={"window": OPEN}))
        await asyncio.wait_for(line.hanging.wait(), 20)
        await handle.signal(Job.window_opens, OVER)
        await parked(handle)
        await handle.signal(Job.halt, TRIPPED)
        result = await asyncio.wait_for(handle.result(), 30)
    assert result.stop is StopReason.CIRCUIT_BREAKER
    return with_loop(environment.client, handle)


async def a_job_that_is_stopped_while_it_delivers(environment: WorkflowEnvironment) -> Kept:
    line = DeliveringLine(refusal="no answer", refusal_type="ForgeUnavailable")

    async def tried() -> bool | None:
        return len(line.given("push_branch")) > 1 or None

    async with at_work(environment.client, line):
        handle = await begin(environment.client, Job.run, asked(Delivery.PUSH))
        await until(tried)
        await handle.signal(Job.stop_loop, "the forge is down for good")
        result = await asyncio.wait_for(handle.result(), 30)
    assert result.stop is StopReason.STOPPED_BY_PERSON
    return {"": handle}


async def a_job_that_is_stopped_too_late_for_its_delivery(environment: WorkflowEnvironment) -> Kept:
    line = DeliveringLine(hold_in="push_branch", holds_fast=True)
    async with at_work(environment.client, line):
        handle = await begin(environment.client, Job.run, asked(Delivery.PUSH))
        await asyncio.wait_for(line.held.wait(), 20)
        await handle.signal(Job.stop_loop, "too late")
        await asyncio.wait_for(line.cancelled.wait(), 20)
        line.go_on.set()
        result = await asyncio.wait_for(handle.result(), 30)
    assert result.stop is StopReason.ACCEPTED
    return {"": handle}


async def a_job_whose_merge_is_cut_off_at_the_windows_end(environment: WorkflowEnvironment) -> Kept:
    line = DeliveringLine(moves=[(True, False)], hang_in="verify_merge")
    async with at_work(environment.client, line):
        handle = await begin(environment.client, Job.run, asked(Delivery.MERGE).model_copy(update={"window": OPEN}))
        await asyncio.wait_for(line.hanging.wait(), 20)
        await handle.signal(Job.window_opens, OVER)
        await parked(handle)
        line.hang_in = ""
        await handle.signal(Job.window_opens, OPEN)
        result = await asyncio.wait_for(handle.result(), 30)
    assert (result.stop, len(line.given("verify_merge"))) == (StopReason.ACCEPTED, 2)
    return {"": handle}


async def a_job_in_a_window_that_continues_as_new(environment: WorkflowEnvironment) -> Kept:
    """Its loop too: both still know their window."""
    line = FakeLine()
    async with at_work(environment.client, line):
        given = job_input(gates=(GateKind.MERGE,)).model_copy(update={"window": OPEN})
        handle = await begin(environment.client, Job.run, given)
        gate, run = await open_gate(handle), handle.first_execution_run_id
        while (await handle.describe()).run_id == run:
            await handle.execute_update("pause", "ada")
            await handle.execute_update("resume", "ada")
        await decide(handle, gate=gate, verdict="approve", tree=tree_of("c"), reviewer="ada")
        assert (await asyncio.wait_for(handle.result(), 30)).stop is StopReason.ACCEPTED
    return with_loop(environment.client, handle)


SKIPPING_TIME = (
    a_job_that_is_parked_at_the_drain_and_goes_on,
    a_job_that_a_person_lets_go_on_outside_of_its_window,
    a_job_that_is_parked_before_its_plan,
    a_loop_whose_night_is_out_of_money,
    a_loop_that_waits_for_its_provider,
    a_loop_whose_provider_is_back_after_its_window,
)
IN_REAL_TIME = (
    a_loop_that_is_cut_off_at_the_windows_end,
    a_job_that_the_breaker_halts,
    a_parked_job_that_the_breaker_halts,
    a_job_that_is_stopped_while_it_delivers,
    a_job_that_is_stopped_too_late_for_its_delivery,
    a_job_whose_merge_is_cut_off_at_the_windows_end,
)
ON_A_SHORT_HISTORY = (a_job_in_a_window_that_continues_as_new,)
