from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

from temporalio import workflow
from temporalio.client import Client, WorkflowHandle
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from tests.fakes.line import FakeLine, tree_of
from tests.workflows.line_at_work import at_work, begin, decide, job_input, loop_input, open_gate, refusal, until
from thirdshift.core.history import StopReason
from thirdshift.core.nights import NightWindow
from thirdshift.core.spec import GateKind
from thirdshift.night_signatures import JobIs
from workflows.job import Job
from workflows.loop import Loop

SHIFT_ID = "shift-nightly-2031-03-01"
LOOP_ID = "loop-job-main"


def window(now: datetime, drains_in: float, closes_in: float, night: str = "nightly|2031-03-01") -> NightWindow:
    """A window that drains and closes so many minutes from now."""
    return NightWindow(
        night=night,
        shift_workflow=SHIFT_ID,
        drains_at=now + timedelta(minutes=drains_in),
        closes_at=now + timedelta(minutes=closes_in),
    )


async def now_there(environment: WorkflowEnvironment) -> datetime:
    return await environment.get_current_time()


async def parked(handle: WorkflowHandle[Any, Any]) -> None:
    async def look() -> bool | None:
        return (await handle.query("status", result_type=dict))["waits_for"] or None

    await until(look)


async def drains(handle: WorkflowHandle[Any, Any], environment: WorkflowEnvironment) -> None:
    """Let the window drain now: no time is skipped on that server while an activity runs."""
    await handle.signal("window_opens", window(await now_there(environment), -1, 60))


@workflow.defn(name="Shift")
class Listener:
    """Stands where a night would, and keeps what it is told."""

    def __init__(self) -> None:
        self.heard: list[JobIs] = []

    @workflow.run
    async def run(self) -> None:
        await workflow.wait_condition(lambda: any(one.state == "ended" for one in self.heard))

    @workflow.signal
    def job_is(self, given: JobIs) -> None:
        self.heard.append(given)

    @workflow.query
    def told(self) -> list[str]:
        return [one.stop or one.state for one in self.heard]


@contextlib.asynccontextmanager
async def a_night(client: Client) -> AsyncIterator[WorkflowHandle[Any, Any]]:
    runner = UnsandboxedWorkflowRunner()
    async with Worker(client, task_queue="nights", workflows=[Listener], workflow_runner=runner):
        yield await client.start_workflow(Listener.run, id=SHIFT_ID, task_queue="nights")


async def test_a_loop_parks_before_a_step_once_its_window_drains_and_goes_on_in_the_next_one(
    environment: WorkflowEnvironment,
) -> None:
    line = FakeLine(trees=("c",), hold_in="run_tools")
    async with at_work(environment.client, line):
        now = await now_there(environment)
        given = loop_input(max_wall_seconds=7200.0).model_copy(update={"window": window(now, 30, 60)})
        handle = await begin(environment.client, Loop.run, given, LOOP_ID)
        await asyncio.wait_for(line.held.wait(), 20)
        await drains(handle, environment)
        line.go_on.set()
        await parked(handle)
        calls = len(line.given("call_model"))
        assert len(line.given("run_tools")) == calls, "the step that had begun was finished"
        waits = (await handle.query("status", result_type=dict))["waits_for"]
        assert waits.startswith("the next window of shift nightly")
        await environment.sleep(timedelta(hours=20))
        assert len(line.given("call_model")) == calls
        await handle.signal(Loop.window_opens, window(await now_there(environment), 300, 360, "nightly|2031-03-02"))
        result = await handle.result()
    assert result.stop is StopReason.ACCEPTED, "its clock stood still, else its wall time were over"
    assert result.attempts == 1
    assert len(line.given("open_attempt")) == 1, "the conversation went on"
    assert [rest.job_id for rest in line.given("rest_job")] == ["job"]
    assert [wake.who for wake in line.given("wake_job")] == ["the night nightly|2031-03-02"]


async def test_a_parked_loop_sees_its_window_close_by_its_own_timer(environment: WorkflowEnvironment) -> None:
    line = FakeLine(trees=("c",))
    async with at_work(environment.client, line):
        # Its wall clock would fire too, were it shorter than the window.
        given = loop_input(max_wall_seconds=86400.0)
        given = given.model_copy(update={"window": window(await now_there(environment), -1, 60)})
        handle = await begin(environment.client, Loop.run, given, LOOP_ID)
        await parked(handle)
        await environment.sleep(timedelta(minutes=61))
        events = [event async for event in handle.fetch_history_events()]
        assert sum(event.HasField("timer_fired_event_attributes") for event in events) == 1
        found = (await handle.describe()).search_attributes
        assert found["LoopState"] == ["parked"]
        await handle.signal(Loop.window_opens, window(await now_there(environment), 300, 360))
        assert (await handle.result()).stop is StopReason.ACCEPTED


async def test_a_verdict_that_comes_after_the_drain_is_taken_and_success_is_not_put_off(
    environment: WorkflowEnvironment,
) -> None:
    line = FakeLine(trees=("c",))
    async with at_work(environment.client, line):
        now = await now_there(environment)
        given = loop_input().model_copy(update={"window": window(now, 30, 60)})
        handle = await begin(environment.client, Loop.run, given, LOOP_ID)
        assert (await handle.result()).stop is StopReason.ACCEPTED
    assert not line.given("rest_job")


async def test_a_job_tells_its_night_what_it_does_and_a_person_may_lift_its_window(
    environment: WorkflowEnvironment,
) -> None:
    line = FakeLine(trees=("c",), hold_in="run_tools")
    async with at_work(environment.client, line), a_night(environment.client) as night:
        now = await now_there(environment)
        given = job_input(gates=(GateKind.MERGE,)).model_copy(update={"window": window(now, 30, 60)})
        handle = await begin(environment.client, Job.run, given)
        await asyncio.wait_for(line.held.wait(), 20)
        assert "nor parked" in await refusal(handle.execute_update("resume", "ada"))
        await drains(handle, environment)
        line.go_on.set()
        await parked(handle)
        status = await handle.query("status", result_type=dict)
        assert status["state"] == "parked"
        assert "nightly" in status["waits_for"]
        await handle.execute_update("pause", "ada")
        told = await handle.execute_update("resume", "ada", result_type=str)
        assert "once more" in told
        await handle.signal(Job.window_opens, window(await now_there(environment), 300, 360))
        gate = await open_gate(handle)
        assert await night.query("told", result_type=list) == [*["running"] * 2, "parked", "running", "waiting"]
        await decide(handle, gate=gate, verdict="approve", tree=tree_of("c"), reviewer="ada")
        assert (await handle.result()).stop is StopReason.ACCEPTED
        await night.result()
        assert (await night.query("told", result_type=list))[-1] == "accepted"


async def test_a_parked_job_goes_on_outside_of_its_window_when_a_person_says_so(
    environment: WorkflowEnvironment,
) -> None:
    line = FakeLine(trees=("c",), hold_in="run_tools")
    async with at_work(environment.client, line):
        now = await now_there(environment)
        handle = await begin(
            environment.client, Job.run, job_input().model_copy(update={"window": window(now, 30, 60)})
        )
        await asyncio.wait_for(line.held.wait(), 20)
        await drains(handle, environment)
        line.go_on.set()
        await parked(handle)
        told = await handle.execute_update("resume", "ada", result_type=str)
        assert "outside of its window" in told
        assert (await handle.result()).stop is StopReason.ACCEPTED, "a night that is gone is no fault"
    assert [(wake.who, wake.outside) for wake in line.given("wake_job")] == [("ada", True)]


async def test_a_job_whose_window_is_over_before_it_begins_spends_nothing(environment: WorkflowEnvironment) -> None:
    line = FakeLine(trees=("c",))
    async with at_work(environment.client, line):
        now = await now_there(environment)
        given = job_input(planned=True).model_copy(update={"window": window(now, -5, 5)})
        handle = await begin(environment.client, Job.run, given)
        await parked(handle)
        assert set(line.names()) <= {"rest_job"}
        await handle.signal(Job.stop_loop, "not needed")
        result = await handle.result()
    assert result.stop is StopReason.STOPPED_BY_PERSON
    assert set(line.names()) <= {"rest_job", "finish_job"}


async def test_a_night_without_money_parks_its_jobs_and_the_same_step_is_asked_for_again(
    environment: WorkflowEnvironment,
) -> None:
    for fault, scope in (("budget", "shift nightly|2031-03-01"), ("window", "")):
        line = FakeLine(trees=("c",), faults={1: fault}, short_of=scope)
        async with at_work(environment.client, line):
            now = await now_there(environment)
            given = loop_input(gates=(GateKind.BUDGET,)).model_copy(update={"window": window(now, 300, 360)})
            handle = await begin(environment.client, Loop.run, given, f"loop-job-{fault}")
            await parked(handle)
            assert not line.given("open_gate"), "no gate asks for money that a night would give"
            line.faults = {}
            await handle.signal(Loop.window_opens, window(await now_there(environment), 300, 360))
            result = await handle.result()
        assert (result.stop, result.attempts) == (StopReason.ACCEPTED, 1)
        assert line.given("call_model")[0] == line.given("call_model")[1]


async def test_an_answer_at_a_gate_counts_by_day_and_what_follows_waits_for_the_night(
    environment: WorkflowEnvironment,
) -> None:
    line = FakeLine(trees=("a", "c"))
    async with at_work(environment.client, line):
        now = await now_there(environment)
        given = loop_input(gates=(GateKind.FRONTIER,), max_attempts=9).model_copy(
            update={"window": window(now, 30, 60)}
        )
        line.passes_on = "never"
        handle = await begin(environment.client, Loop.run, given, LOOP_ID)
        gate = await open_gate(handle)
        await environment.sleep(timedelta(hours=5))
        made = len(line.given("open_attempt"))
        tree = line.given("open_gate")[0].tree
        await decide(handle, gate=gate, verdict="approve", tree=tree, reviewer="ada")
        await parked(handle)
        assert len(line.given("open_attempt")) == made
        await handle.signal(Loop.stop_loop, "enough")
        assert (await handle.result()).stop is StopReason.STOPPED_BY_PERSON
