"""Gates on the development server that the product embeds: what only it does as a cluster does."""

from __future__ import annotations

import pytest
from temporalio.client import Client

from tests.fakes.line import FakeLine, tree_of
from tests.workflows.line_at_work import (
    at_work,
    begin,
    decide,
    details,
    job_input,
    loop_input,
    open_gate,
    updates_offered,
)
from thirdshift.core.gates import GateTerms
from thirdshift.core.history import StopReason
from thirdshift.core.spec import GateKind
from workflows.job import Job
from workflows.loop import Loop

C = tree_of("c")
SHORT_HISTORY = 60
"""Events after which the server suggests to continue as new."""


async def test_a_gate_outlives_the_workers_that_opened_it_and_is_gone_from_the_list_once_answered(
    client: Client,
) -> None:
    line = FakeLine(trees=("c",))
    given = job_input(GateTerms(needed=2, reviewers=("ada", "bob")), gates=(GateKind.MERGE,))
    async with at_work(client, line):
        handle = await begin(client, Job.run, given)
        gate = await open_gate(handle)
        await decide(handle, gate=gate, verdict="approve", tree=C, reviewer="ada")
    found = (await handle.describe()).search_attributes
    assert found["GateOpen"] == [True]
    assert found["GateKind"] == ["merge"]
    assert found["Reviewers"] == ["ada", "bob"]
    async with at_work(client, line):
        shown = await details(handle)
        assert "1 of 2 approvals" in shown
        assert "approve by ada" in shown
        await handle.execute_update(f"approve-g{gate}-{C[:12]}", "bob")
        assert (await handle.result()).stop is StopReason.ACCEPTED
        assert "approve by bob" in await details(handle)
    found = (await handle.describe()).search_attributes
    assert found["GateOpen"] == [False]
    assert not found.get("GateKind")
    assert not found.get("Reviewers")
    assert found["StopReason"] == ["accepted"]


@pytest.mark.parametrize("kind", [GateKind.PLAN, GateKind.MERGE])
async def test_a_job_s_gate_and_its_half_given_answer_outlive_a_continue_as_new(client: Client, kind: GateKind) -> None:
    line = FakeLine(trees=("c",))
    async with at_work(client, line):
        handle = await begin(client, Job.run, job_input(GateTerms(needed=2), gates=(kind,)))
        first = handle.first_execution_run_id
        gate = await open_gate(handle)
        tree = line.given("open_gate")[0].tree
        await decide(handle, gate=gate, verdict="approve", tree=tree, reviewer="ada")
        while (await handle.describe()).run_id == first:
            await handle.execute_update("pause", "ada")
            await handle.execute_update("resume", "ada")
        assert await open_gate(handle) == gate, "it is the same gate"
        assert "approve by ada" in await details(handle)
        assert f"approve-g{gate}-{tree[:12]}" in await updates_offered(handle)
        await decide(handle, gate=gate, verdict="approve", tree=tree, reviewer="bob")
        assert (await handle.result()).stop is StopReason.ACCEPTED
    assert len(line.given("open_gate")) == 1
    assert [answer.reviewer for d in line.given("decide_gate") for answer in d.answers] == ["ada", "bob"]
    assert line.names().count("begin_job") == 1
    assert line.names().count("open_loop") == 1


async def test_a_loop_s_gate_outlives_a_continue_as_new(client: Client) -> None:
    line = FakeLine(trees=("a", "b", "c"))
    async with at_work(client, line):
        handle = await begin(client, Loop.run, loop_input(gates=(GateKind.FRONTIER,)), "loop-job-main")
        first = handle.first_execution_run_id
        gate = await open_gate(handle)
        while (await handle.describe()).run_id == first:
            await handle.execute_update("pause", "ada")
            await handle.execute_update("resume", "ada")
        assert await open_gate(handle) == gate
        await decide(handle, gate=gate, verdict="approve", tree=line.given("open_gate")[0].tree, reviewer="ada")
        result = await handle.result()
    assert result.stop is StopReason.ACCEPTED
    assert [o.number for o in line.given("open_attempt")] == [1, 2, 3]
    assert len(line.given("open_gate")) == 1
