from __future__ import annotations

import asyncio

import pytest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from tests.fakes.line import tree_of
from tests.fakes.line_delivery import DeliveringLine
from tests.workflows.line_at_work import at_work, begin, decide, job_input, open_gate, until
from thirdshift.core.delivery import Delivered, DeliveryTerms
from thirdshift.core.history import StopReason
from thirdshift.core.spec import Delivery
from thirdshift.signatures import FinishJob, JobInput, JobResult
from workflows.job import Job


def asked(kind: Delivery, **policy: object) -> JobInput:
    terms = DeliveryTerms(kind=kind, onto="main")
    return job_input(**policy).model_copy(update={"delivery": terms})  # type: ignore[arg-type]  # a policy's fields


async def outcome(environment: WorkflowEnvironment, line: DeliveringLine, given: JobInput) -> JobResult:
    async with at_work(environment.client, line):
        result: JobResult = await (await begin(environment.client, Job.run, given)).result()
        return result


def finished(line: DeliveringLine) -> tuple[FinishJob, Delivered]:
    (given,) = line.given("finish_job")
    assert given.delivered is not None
    return given, given.delivered


def delivering(line: DeliveringLine) -> list[str]:
    after = {"plan_merge", "verify_merge", "land_merge", "push_branch", "request_merge"}
    return [name for name in line.names() if name in after]


async def test_a_branch_is_made_by_the_end_of_the_job_alone(environment: WorkflowEnvironment) -> None:
    line = DeliveringLine()
    result = await outcome(environment, line, asked(Delivery.BRANCH))
    assert delivering(line) == []
    assert finished(line)[1] == Delivered(done=False, kind=Delivery.BRANCH, detail="", onto="main")
    assert result.stop is StopReason.ACCEPTED


async def test_a_merge_onto_a_base_that_stands_still_is_not_judged_again(environment: WorkflowEnvironment) -> None:
    line = DeliveringLine()
    result = await outcome(environment, line, asked(Delivery.MERGE))
    assert delivering(line) == ["plan_merge", "land_merge"]
    assert line.given("plan_merge")[0].tree == tree_of("c")
    assert line.given("plan_merge")[0].run
    _, delivered = finished(line)
    assert (delivered.done, delivered.branch, delivered.commit) == (True, "main", "1" * 40)
    assert result.stop is StopReason.ACCEPTED


async def test_a_merge_onto_a_moved_base_is_judged_before_it_lands(environment: WorkflowEnvironment) -> None:
    line = DeliveringLine(moves=[(True, False)])
    result = await outcome(environment, line, asked(Delivery.MERGE))
    assert delivering(line) == ["plan_merge", "verify_merge", "land_merge"]
    assert line.given("verify_merge")[0].plan.tree == tree_of("1")
    assert finished(line)[1].detail == "merged onto main"
    assert result.stop is StopReason.ACCEPTED


async def test_a_base_that_moves_again_is_merged_and_judged_again(environment: WorkflowEnvironment) -> None:
    line = DeliveringLine(moves=[(False, True), (True, True), (True, False)])
    await outcome(environment, line, asked(Delivery.MERGE))
    one, two = ["plan_merge", "land_merge"], ["plan_merge", "verify_merge", "land_merge"]
    assert delivering(line) == [*one, *two, *two]
    assert [given.number for given in line.given("verify_merge")] == [2, 3]


async def test_a_base_that_never_stands_still_ends_the_job_after_five_rounds(environment: WorkflowEnvironment) -> None:
    line = DeliveringLine(moves=[(True, True)] * 9)
    result = await outcome(environment, line, asked(Delivery.MERGE))
    assert len(line.given("land_merge")) == 5
    assert result.stop is StopReason.UNDELIVERED
    assert "main moved 5 times" in result.evidence


async def test_a_merge_that_fails_its_checks_does_not_land(environment: WorkflowEnvironment) -> None:
    line = DeliveringLine(moves=[(True, False)], merge_fails=["unit", "slow"])
    result = await outcome(environment, line, asked(Delivery.MERGE))
    assert delivering(line) == ["plan_merge", "verify_merge"]
    assert result.stop is StopReason.UNDELIVERED
    assert result.evidence == (
        "NOT DELIVERED: main has moved, and these checks fail on the merged tree: unit, slow, of which unit fail on "
        "main without it too"
    )
    given, delivered = finished(line)
    assert (given.stop, delivered.done) == (StopReason.UNDELIVERED, False)


async def test_a_conflict_keeps_the_branch_and_says_where(environment: WorkflowEnvironment) -> None:
    line = DeliveringLine(conflict="both sides changed app.py")
    result = await outcome(environment, line, asked(Delivery.MERGE))
    assert (result.stop, result.branch) == (StopReason.UNDELIVERED, "thirdshift/job")
    assert result.evidence == "NOT DELIVERED: both sides changed app.py"


async def test_a_push_and_a_pull_request_are_one_activity_each(environment: WorkflowEnvironment) -> None:
    for kind, name in ((Delivery.PUSH, "push_branch"), (Delivery.PULL_REQUEST, "request_merge")):
        line = DeliveringLine()
        result = await outcome(environment, line, asked(kind))
        assert delivering(line) == [name]
        assert (finished(line)[1].kind, result.stop) == (kind, StopReason.ACCEPTED)


async def test_a_refusal_that_stays_is_not_tried_again(environment: WorkflowEnvironment) -> None:
    line = DeliveringLine(refusal="the token was refused")
    result = await outcome(environment, line, asked(Delivery.PULL_REQUEST))
    assert delivering(line) == ["request_merge"]
    assert result.evidence == "NOT DELIVERED: the token was refused"


async def test_a_forge_that_stays_down_is_given_up_in_the_end_and_the_work_is_kept(
    environment: WorkflowEnvironment,
) -> None:
    line = DeliveringLine(refusal="no answer", refusal_type="ForgeUnavailable")
    result = await outcome(environment, line, asked(Delivery.PULL_REQUEST))
    assert len(delivering(line)) == 40
    assert (result.stop, result.evidence) == (StopReason.UNDELIVERED, "NOT DELIVERED: no answer")


async def test_what_was_not_accepted_is_not_delivered(environment: WorkflowEnvironment) -> None:
    line = DeliveringLine(passes_on="never")
    result = await outcome(environment, line, asked(Delivery.MERGE))
    assert delivering(line) == []
    assert result.stop is not StopReason.ACCEPTED
    assert finished(line)[1].onto == "main"


@pytest.mark.parametrize(
    ("verdict", "stop"), [("approve", StopReason.ACCEPTED), ("reject", StopReason.REJECTED)], ids=["approve", "reject"]
)
async def test_an_approval_counts_for_the_tree_that_was_seen_and_not_for_its_merge_with_a_moved_base(
    environment: WorkflowEnvironment, verdict: str, stop: StopReason
) -> None:
    line = DeliveringLine(moves=[(True, False)])
    async with at_work(environment.client, line):
        handle = await begin(environment.client, Job.run, asked(Delivery.MERGE, gates=("merge",)))
        first = await open_gate(handle)
        await decide(handle, gate=first, verdict="approve", tree=tree_of("c"), reviewer="ada")
        second = await open_gate(handle, after=first)
        assert line.given("open_gate")[-1].tree == tree_of("1")
        assert delivering(line) == ["plan_merge", "verify_merge"]
        await decide(handle, gate=second, verdict=verdict, tree=tree_of("1"), reviewer="ada", note="as seen")
        assert (await handle.result()).stop is stop
    assert ("land_merge" in delivering(line)) is (stop is StopReason.ACCEPTED)


@pytest.mark.parametrize("kind", [Delivery.PUSH, Delivery.PULL_REQUEST, Delivery.MERGE])
async def test_a_stop_ends_the_tries_of_a_delivery_and_what_was_not_made_is_not_told_as_made(
    client: Client, kind: Delivery
) -> None:
    names = {Delivery.PUSH: "push_branch", Delivery.PULL_REQUEST: "request_merge", Delivery.MERGE: "land_merge"}
    line = DeliveringLine(refusal="no answer", refusal_type="ForgeUnavailable")
    async with at_work(client, line):
        handle = await begin(client, Job.run, asked(kind))
        await until(lambda: _tried(line, names[kind]))
        await handle.signal(Job.stop_loop, "the forge is down for good")
        result = await asyncio.wait_for(handle.result(), 30)
    assert result.stop is StopReason.STOPPED_BY_PERSON
    assert "stopped before it was delivered: the forge is down for good" in result.evidence
    assert not finished(line)[1].done


async def test_a_push_that_was_under_way_when_a_stop_came_counts_as_made(client: Client) -> None:
    line = DeliveringLine(hold_in="push_branch", holds_fast=True)
    async with at_work(client, line):
        handle = await begin(client, Job.run, asked(Delivery.PUSH))
        await asyncio.wait_for(line.held.wait(), 20)
        await handle.signal(Job.stop_loop, "too late")
        await asyncio.wait_for(line.cancelled.wait(), 20)
        line.go_on.set()
        result = await asyncio.wait_for(handle.result(), 30)
    assert result.stop is StopReason.ACCEPTED
    assert finished(line)[1].done


async def test_an_approval_is_remembered_when_the_job_continues_as_new_at_the_gate_after_it(client: Client) -> None:
    line = DeliveringLine(moves=[(True, False), (True, False)])
    async with at_work(client, line):
        handle = await begin(client, Job.run, asked(Delivery.MERGE, gates=("merge",)))
        first = await open_gate(handle)
        await decide(handle, gate=first, verdict="approve", tree=tree_of("c"), reviewer="ada")
        second = await open_gate(handle, after=first)
        run = (await handle.describe()).run_id
        while (await handle.describe()).run_id == run:
            await handle.execute_update("pause", "ada")
            await handle.execute_update("resume", "ada")
        third = await open_gate(handle, after=second)
        await decide(handle, gate=third, verdict="approve", tree=tree_of("2"), reviewer="ada")
        assert (await handle.result()).stop is StopReason.ACCEPTED
    assert [given.tree for given in line.given("open_gate")] == [tree_of(name) for name in "c12"]


async def test_a_resumed_job_counts_the_packets_that_were_done_before(environment: WorkflowEnvironment) -> None:
    line = DeliveringLine()
    async with at_work(environment.client, line):
        given = asked(Delivery.BRANCH, gates=("merge",)).model_copy(update={"packets_before": 2})
        handle = await begin(environment.client, Job.run, given)
        gate = await open_gate(handle)
        assert line.given("open_gate")[0].reason == "All 3 of 3 packets passed every check."
        await decide(handle, gate=gate, verdict="approve", tree=tree_of("c"), reviewer="ada")
        await handle.result()


async def _tried(line: DeliveringLine, name: str) -> bool | None:
    return True if len(line.given(name)) >= 2 else None
