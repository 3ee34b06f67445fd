"""Runs whose histories are kept: every way through ``Job`` and ``Loop`` that a change of code may not alter."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from temporalio.client import Client, WorkflowHandle

from tests.fakes.line import FakeLine, tree_of
from tests.workflows.line_at_work import START, begin, decide, job_input, loop_input, open_gate
from thirdshift.core.gates import GateTerms, OnExpiry
from thirdshift.core.spec import GateKind
from workflows.job import Job
from workflows.loop import Loop

Handle = WorkflowHandle[Any, Any]
Story = Callable[[Client, FakeLine], Awaitable[Handle]]
LOOP_ID = "loop-job-main"


async def a_loop_that_climbs(client: Client, line: FakeLine) -> Handle:
    return await begin(client, Loop.run, loop_input(), LOOP_ID)


async def a_loop_that_gives_up(client: Client, line: FakeLine) -> Handle:
    line.passes_on = "never"
    return await begin(client, Loop.run, loop_input(max_steps=5), LOOP_ID)


async def a_loop_whose_provider_is_out(client: Client, line: FakeLine) -> Handle:
    line.faults = {1: "quota_exhausted"}
    return await begin(client, Loop.run, loop_input(), LOOP_ID)


async def a_job_with_a_plan(client: Client, line: FakeLine) -> Handle:
    return await begin(client, Job.run, job_input(planned=True))


async def a_job_that_is_sent_back_and_merged(client: Client, line: FakeLine) -> Handle:
    line.trees, line.passes_too = ("b", "c"), ("b",)
    handle = await begin(client, Job.run, job_input(GateTerms(needed=2, notify=True), gates=(GateKind.MERGE,)))
    first = await open_gate(handle)
    await decide(handle, gate=first, verdict="rework", tree=tree_of("b"), reviewer="ada", note="name it better")
    second = await open_gate(handle, after=first)
    await decide(handle, gate=second, verdict="approve", tree=tree_of("c"), reviewer="ada")
    await handle.execute_update(f"approve-g{second}-{tree_of('c')[:12]}", "bob")
    return handle


async def a_job_whose_plan_is_made_twice_and_rejected(client: Client, line: FakeLine) -> Handle:
    handle = await begin(client, Job.run, job_input(planned=True, gates=(GateKind.PLAN,)))
    first = await open_gate(handle)
    await decide(handle, gate=first, verdict="rework", tree=START.tree, reviewer="ada", note="smaller")
    second = await open_gate(handle, after=first)
    await decide(handle, gate=second, verdict="reject", tree=START.tree, reviewer="ada", note="no")
    return handle


async def a_job_whose_gate_expires(client: Client, line: FakeLine) -> Handle:
    terms = GateTerms(
        deadline_seconds=7200.0,
        remind_every_seconds=3000.0,
        escalate_to=("eve",),
        on_expiry=OnExpiry.REJECT,
        notify=True,
    )
    line.trees = ("c",)
    return await begin(client, Job.run, job_input(terms, gates=(GateKind.MERGE,)))


async def a_job_that_is_stopped_at_its_gate(client: Client, line: FakeLine) -> Handle:
    line.trees = ("c",)
    handle = await begin(client, Job.run, job_input(gates=(GateKind.MERGE,)))
    await open_gate(handle)
    await handle.signal(Job.stop_loop, "never mind")
    return handle


async def a_loop_at_the_frontier_gate(client: Client, line: FakeLine) -> Handle:
    line.passes_on, line.trees = "d", ("a", "b", "c", "d")
    handle = await begin(client, Loop.run, loop_input(gates=(GateKind.FRONTIER,)), LOOP_ID)
    first = await open_gate(handle)
    tree = line.given("open_gate")[0].tree
    await decide(handle, gate=first, verdict="rework", tree=tree, reviewer="ada", note="try the other way")
    second = await open_gate(handle, after=first)
    tree = line.given("open_gate")[1].tree
    await decide(handle, gate=second, verdict="approve", tree=tree, reviewer="ada")
    return handle


async def a_loop_whose_budget_is_raised(client: Client, line: FakeLine) -> Handle:
    line.trees, line.faults = ("a", "c"), {1: "budget"}
    handle = await begin(client, Loop.run, loop_input(gates=(GateKind.BUDGET,)), LOOP_ID)
    gate = await open_gate(handle)
    tree = line.given("open_gate")[0].tree
    await decide(handle, gate=gate, verdict="approve", tree=tree, reviewer="ada", usd="0.50")
    return handle


async def a_job_that_is_steered(client: Client, line: FakeLine) -> Handle:
    line.trees, line.hold_in = ("c",), "run_tools"
    handle = await begin(client, Job.run, job_input())
    await line.held.wait()
    await handle.execute_update("steer", {"who": "ada", "text": "use the other library"})
    await handle.execute_update("pause", "ada")
    line.go_on.set()
    await handle.execute_update("raise_budget", {"usd": "0.25", "reviewer": "ada"})
    await handle.execute_update("resume", "ada")
    return handle


STORIES: tuple[Story, ...] = (
    a_loop_that_climbs,
    a_loop_that_gives_up,
    a_loop_whose_provider_is_out,
    a_job_with_a_plan,
    a_job_that_is_sent_back_and_merged,
    a_job_whose_plan_is_made_twice_and_rejected,
    a_job_whose_gate_expires,
    a_job_that_is_stopped_at_its_gate,
    a_loop_at_the_frontier_gate,
    a_loop_whose_budget_is_raised,
    a_job_that_is_steered,
)
