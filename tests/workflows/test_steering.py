from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from temporalio.client import WorkflowHandle
from temporalio.testing import WorkflowEnvironment

from tests.fakes.line import FakeLine, tree_of
from tests.workflows.line_at_work import at_work, begin, decide, job_input, loop_input, open_gate, refusal, until
from thirdshift.core.gates import GateTerms
from thirdshift.core.history import StopReason
from thirdshift.core.spec import GateKind
from workflows.job import Job
from workflows.loop import Loop


async def in_state(handle: WorkflowHandle[Any, Any], state: str) -> None:
    async def look() -> bool | None:
        return True if (await handle.describe()).search_attributes.get("LoopState") == [state] else None

    await until(look)


async def test_a_paused_loop_starts_no_step_and_its_wall_clock_stands_still(environment: WorkflowEnvironment) -> None:
    line = FakeLine(trees=("c",))
    line.hold_in = "run_tools"
    async with at_work(environment.client, line):
        handle = await begin(environment.client, Loop.run, loop_input(max_wall_seconds=600.0), "loop-job-main")
        await asyncio.wait_for(line.held.wait(), 20)
        told = await handle.execute_update("pause", "ada", result_type=str)
        assert told.startswith("RECORDED.")
        assert "paused already, by ada" in await refusal(handle.execute_update("pause", "bob"))
        line.go_on.set()
        await in_state(handle, "paused")
        calls = len(line.given("call_model"))
        await environment.sleep(timedelta(days=2))
        assert len(line.given("call_model")) == calls
        await handle.execute_update("resume", {"who": "bob"})
        assert "not paused here" in await refusal(handle.execute_update("resume", "bob"))
        assert (await handle.result()).stop is StopReason.ACCEPTED
    assert [(n.what, n.who) for n in line.given("note_steering")] == [("pause", "ada"), ("resume", "bob")]


async def test_a_stop_ends_a_paused_loop(environment: WorkflowEnvironment) -> None:
    line = FakeLine(trees=("c",))
    line.hold_in = "run_tools"
    async with at_work(environment.client, line):
        handle = await begin(environment.client, Loop.run, loop_input(), "loop-job-main")
        await asyncio.wait_for(line.held.wait(), 20)
        await handle.execute_update("pause")
        line.go_on.set()
        await in_state(handle, "paused")
        await handle.signal(Loop.stop_loop, "enough")
        assert (await handle.result()).stop is StopReason.STOPPED_BY_PERSON


async def test_words_go_into_the_conversation_that_is_open(environment: WorkflowEnvironment) -> None:
    line = FakeLine(trees=("c",))
    line.hold_in = "run_tools"
    async with at_work(environment.client, line):
        handle = await begin(environment.client, Loop.run, loop_input(), "loop-job-main")
        await asyncio.wait_for(line.held.wait(), 20)
        await handle.execute_update("steer", {"who": "ada", "text": "use the other library"})
        line.go_on.set()
        await handle.result()
    assert [(said.n, said.words.who, said.words.text) for said in line.given("say")] == [
        (1, "ada", "use the other library")
    ]
    assert line.names().index("say") < len(line.names()) - 1 - line.names()[::-1].index("call_model")


async def test_words_that_no_model_has_read_are_brought_to_the_next_attempt(environment: WorkflowEnvironment) -> None:
    line = FakeLine(trees=("a", "c"))
    line.hold_in = "verify"
    async with at_work(environment.client, line):
        handle = await begin(environment.client, Loop.run, loop_input(), "loop-job-main")
        await asyncio.wait_for(line.held.wait(), 20)
        await handle.execute_update("steer", "mind the cents")
        line.go_on.set()
        assert (await handle.result()).stop is StopReason.ACCEPTED
    assert [said.n for said in line.given("say")] == [1], "the baseline was judged when it was said"
    assert line.names().index("open_attempt") < line.names().index("say") < line.names().index("call_model")


async def test_what_is_told_to_a_job_reaches_its_running_loop(environment: WorkflowEnvironment) -> None:
    line = FakeLine(trees=("c",))
    line.hold_in = "run_tools"
    async with at_work(environment.client, line):
        handle = await begin(environment.client, Job.run, job_input())
        await asyncio.wait_for(line.held.wait(), 20)
        await handle.execute_update("steer", {"who": "ada", "text": "use the other library"})
        await handle.execute_update("pause", "ada")
        line.go_on.set()
        loop = environment.client.get_workflow_handle("loop-job-main")
        await in_state(loop, "paused")
        await handle.execute_update("resume", "ada")
        assert (await handle.result()).stop is StopReason.ACCEPTED
    assert [said.words.text for said in line.given("say")] == ["use the other library"]
    assert [n.what for n in line.given("note_steering")] == ["steer", "pause", "resume"], "each noted once"


async def test_a_stop_that_reaches_a_job_as_its_loop_ends_does_not_fail_it(environment: WorkflowEnvironment) -> None:
    line = FakeLine(trees=("c",))
    line.hold_in = "finish_job"
    async with at_work(environment.client, line):
        handle = await begin(environment.client, Job.run, job_input())
        await asyncio.wait_for(line.held.wait(), 20)
        await handle.signal(Job.stop_loop, "too late")
        line.go_on.set()
        assert (await handle.result()).stop is StopReason.ACCEPTED


async def test_a_budget_is_raised_by_name_and_amount(environment: WorkflowEnvironment) -> None:
    line = FakeLine(trees=("c",))
    line.hold_in = "run_tools"
    async with at_work(environment.client, line):
        handle = await begin(environment.client, Job.run, job_input())
        await asyncio.wait_for(line.held.wait(), 20)
        for bad in ({"usd": "1"}, {"usd": "-1", "reviewer": "ada"}, {"usd": 1, "reviewer": "ada"}, "more", None):
            assert (await refusal(handle.execute_update("raise_budget", bad))).startswith("NOT RECORDED.")
        told = await handle.execute_update("raise_budget", {"usd": "0.25", "reviewer": "ada"}, result_type=str)
        assert told == "RECORDED. ada raised the job's cap by $0.25."
        line.people.ledger_fails = True
        failed = await refusal(handle.execute_update("raise_budget", {"usd": "0.25", "reviewer": "ada"}))
        assert failed.startswith("NOT RECORDED. The ledger")
        line.go_on.set()
        await handle.result()
    raised = line.given("raise_budget")[0]
    assert (raised.kind, raised.key, raised.usd_nano, raised.reviewer) == ("job", "job", 250_000_000, "ada")


async def test_a_gated_budget_is_not_raised_on_the_way_past_its_gate(environment: WorkflowEnvironment) -> None:
    line = FakeLine(trees=("a", "c"), faults={1: "budget"})
    terms = GateTerms(reviewers=("ada",), submitter="sam", separation=True)
    async with at_work(environment.client, line):
        given = loop_input(terms, gates=(GateKind.BUDGET,))
        handle = await begin(environment.client, Loop.run, given, "loop-job-main")
        gate = await open_gate(handle)
        text = await refusal(handle.execute_update("raise_budget", {"usd": "1", "reviewer": "ada"}))
        assert f"Gate {gate} asks" in text
        other = await refusal(handle.execute_update("raise_budget", {"usd": "1", "reviewer": "eve"}))
        assert "not among the reviewers" in other
        tree = line.given("open_gate")[0].tree
        await decide(handle, gate=gate, verdict="approve", tree=tree, reviewer="ada", usd="1")
        assert (await handle.result()).best.tree == tree_of("c")
