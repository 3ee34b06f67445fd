from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowHandle
from temporalio.testing import WorkflowEnvironment

from tests.fakes.line import FakeLine, tree_of
from tests.workflows.line_at_work import (
    START,
    at_work,
    begin,
    decide,
    details,
    job_input,
    loop_input,
    open_gate,
    refusal,
    until,
    updates_offered,
)
from thirdshift.core.gates import GateTerms, OnExpiry
from thirdshift.core.history import ReasonCode, StopReason
from thirdshift.core.ladder import Tier
from thirdshift.core.spec import GateKind
from workflows.job import Job
from workflows.loop import Loop

MERGE = (GateKind.MERGE,)
C = tree_of("c")
HOUR = 3600.0


async def at_merge_gate(
    environment: WorkflowEnvironment, terms: GateTerms | None = None
) -> tuple[WorkflowHandle[Any, Any], int]:
    handle = await begin(environment.client, Job.run, job_input(terms, gates=MERGE))
    return handle, await open_gate(handle)


async def test_nothing_is_delivered_before_the_merge_gate_is_approved_by_name(
    environment: WorkflowEnvironment,
) -> None:
    line = FakeLine(trees=("c",))
    async with at_work(environment.client, line):
        handle, gate = await at_merge_gate(environment)
        assert "finish_job" not in line.names()
        name = f"approve-g{gate}-{C[:12]}"
        assert name in await updates_offered(handle)
        shown = await details(handle)
        assert shown.startswith(f"## WAITING: gate {gate}, merge")
        assert C in shown
        told = await handle.execute_update(name, "ada", result_type=str)
        assert told.startswith("RECORDED.")
        result = await handle.result()
        assert result.stop is StopReason.ACCEPTED
        assert "approve by ada (claimed)" in await details(handle)
        assert name not in await updates_offered(handle)
    (recorded,) = line.given("decide_gate")
    assert [(answer.reviewer, answer.verdict) for answer in recorded.answers] == [("ada", "approve")]
    assert recorded.end == "approved"


async def test_an_open_gate_can_be_found_by_its_search_attributes(environment: WorkflowEnvironment) -> None:
    terms = GateTerms(reviewers=("ada", "bob"))
    async with at_work(environment.client, FakeLine(trees=("c",))):
        handle, gate = await at_merge_gate(environment, terms)
        found = (await handle.describe()).search_attributes
        assert found["GateOpen"] == [True]
        assert found["GateKind"] == ["merge"]
        assert found["Reviewers"] == ["ada", "bob"]
        assert found["LoopState"] == ["waiting"]
        await decide(handle, gate=gate, verdict="reject", tree=C, reviewer="bob", note="no")
        await handle.result()


async def test_a_rework_makes_a_new_attempt_from_the_same_tree_with_the_note_and_opens_the_next_gate(
    environment: WorkflowEnvironment,
) -> None:
    line = FakeLine(trees=("b", "c"), passes_too=("b",))
    async with at_work(environment.client, line):
        handle, first = await at_merge_gate(environment)
        await decide(handle, gate=first, verdict="rework", tree=tree_of("b"), reviewer="ada", note="name it better")
        second = await open_gate(handle, after=first)
        stale = await refusal(decide(handle, gate=first, verdict="approve", tree=tree_of("b"), reviewer="ada"))
        assert stale.startswith("NOT RECORDED.")
        await decide(handle, gate=second, verdict="approve", tree=C, reviewer="ada")
        result = await handle.result()
    assert result.stop is StopReason.ACCEPTED
    assert result.tree == C
    assert result.cost_nano == 2_000_000, "each attempt is counted once"
    opened = line.given("open_attempt")
    assert [(o.number, o.start.tree, o.reason) for o in opened] == [
        (1, START.tree, ReasonCode.FIRST),
        (2, tree_of("b"), ReasonCode.RETRY_WITH_EVIDENCE),
    ]
    assert [(said.n, said.words.text, said.words.who) for said in line.given("say")] == [(2, "name it better", "ada")]
    assert len(line.given("open_loop")) == 1, "the workspace is still there"


async def test_a_rejection_stops_the_job_with_the_note_as_evidence(environment: WorkflowEnvironment) -> None:
    line = FakeLine(trees=("c",))
    async with at_work(environment.client, line):
        handle, gate = await at_merge_gate(environment)
        await decide(handle, gate=gate, verdict="reject", tree=C, reviewer="ada", note="we dropped this")
        result = await handle.result()
    assert result.stop is StopReason.REJECTED
    assert "ada" in result.evidence
    assert "we dropped this" in result.evidence
    assert line.given("finish_job")[0].stop is StopReason.REJECTED


async def test_what_cannot_be_recorded_is_refused_in_words_and_leaves_the_gate_open(
    environment: WorkflowEnvironment,
) -> None:
    async with at_work(environment.client, FakeLine(trees=("c",))):
        handle, gate = await at_merge_gate(environment)
        good = {"gate": gate, "verdict": "approve", "tree": C, "reviewer": "ada"}
        wrong: list[tuple[Any, str]] = [
            ({**good, "tree": tree_of("a")}, "tree"),
            ({**good, "gate": gate + 1}, f"gate {gate + 1}"),
            ({**good, "reviewer": " "}, "reviewer"),
            ({**good, "verdict": "rework"}, "note"),
            ({**good, "verdict": "reject", "note": " "}, "note"),
            ({**good, "verdict": "ok"}, "approve, rework, reject"),
            ({**good, "verdcit": "approve"}, "`verdcit` is not a field"),
            ("approve please", "not a JSON object"),
            ([], "not a JSON object"),
        ]
        for answer, word in wrong:
            text = await refusal(handle.execute_update("decide", answer))
            assert text.startswith("NOT RECORDED."), answer
            assert word in text
        assert (await refusal(handle.execute_update("decide"))).startswith("NOT RECORDED.")
        nameless = await refusal(handle.execute_update(f"approve-g{gate}-{C[:12]}", ""))
        assert "Give your name" in nameless
        assert await open_gate(handle) == gate
        await handle.terminate()


async def test_an_answer_where_no_gate_is_open_is_refused(environment: WorkflowEnvironment) -> None:
    line = FakeLine(hang_in="call_model")
    async with at_work(environment.client, line):
        handle = await begin(environment.client, Job.run, job_input(gates=MERGE))
        await line.hanging.wait()
        text = await refusal(decide(handle, gate=1, verdict="approve", tree=C, reviewer="ada"))
        assert text.startswith("NOT RECORDED. No gate is open here.")
        await handle.signal(Job.stop_loop, "enough")
        await handle.result()


async def test_two_approvals_need_two_people_and_the_second_answer_of_one_is_refused(
    environment: WorkflowEnvironment,
) -> None:
    async with at_work(environment.client, FakeLine(trees=("c",))):
        handle, gate = await at_merge_gate(environment, GateTerms(needed=2))
        answer = {"gate": gate, "verdict": "approve", "tree": C}
        told = await decide(handle, **answer, reviewer="ada")
        assert "More answers are needed" in told
        assert "1 of 2 approvals" in await details(handle)
        again = await refusal(decide(handle, **answer, reviewer=" Ada "))
        assert "answered gate" in again
        assert await open_gate(handle) == gate
        await decide(handle, **answer, reviewer="bob")
        assert (await handle.result()).stop is StopReason.ACCEPTED


async def test_the_submitter_alone_cannot_approve_where_duties_are_separated(
    environment: WorkflowEnvironment,
) -> None:
    terms = GateTerms(submitter="ada", separation=True)
    async with at_work(environment.client, FakeLine(trees=("c",))):
        handle, gate = await at_merge_gate(environment, terms)
        answer = {"gate": gate, "verdict": "approve", "tree": C}
        assert "submitter alone" in await refusal(decide(handle, **answer, reviewer="ADA"))
        await decide(handle, **answer, reviewer="bob")
        assert (await handle.result()).stop is StopReason.ACCEPTED


async def test_a_stop_withdraws_the_gate_and_nothing_counts_after_it(environment: WorkflowEnvironment) -> None:
    line = FakeLine(trees=("c",))
    async with at_work(environment.client, line):
        handle, _ = await at_merge_gate(environment)
        await handle.signal(Job.stop_loop, "never mind")
        result = await handle.result()
    assert result.stop is StopReason.STOPPED_BY_PERSON
    assert "never mind" in result.evidence
    assert line.given("decide_gate")[-1].end == "withdrawn"


async def test_a_gate_that_nobody_answers_reminds_escalates_and_parks_and_still_takes_an_answer(
    environment: WorkflowEnvironment,
) -> None:
    line = FakeLine(trees=("c",))
    terms = GateTerms(
        reviewers=("ada",),
        escalate_to=("eve",),
        deadline_seconds=24 * HOUR,
        remind_every_seconds=10 * HOUR,
        notify=True,
    )
    async with at_work(environment.client, line):
        handle, gate = await at_merge_gate(environment, terms)
        answer = {"gate": gate, "verdict": "approve", "tree": C}
        assert "not among the reviewers" in await refusal(decide(handle, **answer, reviewer="eve"))
        await environment.sleep(timedelta(days=3))

        async def parked() -> bool | None:
            return True if (await handle.describe()).search_attributes["LoopState"] == ["parked"] else None

        await until(parked)
        assert "finish_job" not in line.names(), "time approves nothing"
        assert [n.what for n in line.given("notify")] == [
            "opened",
            "reminder",
            "reminder",
            "escalated",
            "reminder",
            "reminder",
            "parked",
        ]
        assert line.given("notify")[3].to == ("eve",)
        await decide(handle, **answer, reviewer="eve")
        assert (await handle.result()).stop is StopReason.ACCEPTED


async def test_a_deadline_may_reject_and_then_the_job_stops(environment: WorkflowEnvironment) -> None:
    terms = GateTerms(deadline_seconds=HOUR, on_expiry=OnExpiry.REJECT)
    async with at_work(environment.client, FakeLine(trees=("c",))):
        handle, _ = await at_merge_gate(environment, terms)
        result = await handle.result()
    assert result.stop is StopReason.REJECTED
    assert "Nobody answered" in result.evidence


async def test_a_notifier_that_fails_holds_no_gate_up(environment: WorkflowEnvironment) -> None:
    line = FakeLine(trees=("c",))
    line.people.notifier_fails = True
    async with at_work(environment.client, line):
        handle, gate = await at_merge_gate(environment, GateTerms(notify=True))
        await decide(handle, gate=gate, verdict="approve", tree=C, reviewer="ada")
        assert (await handle.result()).stop is StopReason.ACCEPTED


async def test_the_plan_gate_stands_before_any_code_and_a_rework_plans_again_with_the_note(
    environment: WorkflowEnvironment,
) -> None:
    line = FakeLine(trees=("c",))
    async with at_work(environment.client, line):
        handle = await begin(environment.client, Job.run, job_input(planned=True, gates=(GateKind.PLAN,)))
        first = await open_gate(handle)
        assert "open_loop" not in line.names()
        await decide(handle, gate=first, verdict="rework", tree=START.tree, reviewer="ada", note="smaller steps")
        second = await open_gate(handle, after=first)
        forged = await refusal(decide(handle, gate=first, verdict="approve", tree=START.tree, reviewer="ada"))
        assert f"gate {second} is the one here" in forged
        await decide(handle, gate=second, verdict="approve", tree=START.tree, reviewer="ada")
        assert (await handle.result()).stop is StopReason.ACCEPTED
    assert [(call.n, call.s) for call in line.given("call_model")][:2] == [(0, 1), (0, 2)]
    assert [(said.n, said.words.text) for said in line.given("say")] == [(0, "smaller steps")]


async def test_the_frontier_is_entered_only_after_an_approval_and_asked_for_once(
    environment: WorkflowEnvironment,
) -> None:
    line = FakeLine(passes_on="d", trees=("a", "b", "c", "d"))
    async with at_work(environment.client, line):
        handle = await begin(environment.client, Loop.run, loop_input(gates=(GateKind.FRONTIER,)), "loop-job-main")
        gate = await open_gate(handle)
        assert {o.rung.tier for o in line.given("open_attempt")} == {Tier.ECONOMY}
        (asked,) = line.given("open_gate")
        assert "verification_failed" in asked.reason
        assert "unit" in asked.reason
        await decide(handle, gate=gate, verdict="approve", tree=asked.tree, reviewer="ada")
        result = await handle.result()
    assert result.stop is StopReason.ACCEPTED
    assert [o.rung.tier for o in line.given("open_attempt")][2:] == [Tier.FRONTIER, Tier.FRONTIER]
    assert len(line.given("open_gate")) == 1


async def test_a_rework_at_the_frontier_gate_tells_the_cheap_rung_and_lets_it_try_once_more(
    environment: WorkflowEnvironment,
) -> None:
    line = FakeLine(trees=("a", "b", "c"))
    async with at_work(environment.client, line):
        handle = await begin(environment.client, Loop.run, loop_input(gates=(GateKind.FRONTIER,)), "loop-job-main")
        gate = await open_gate(handle)
        tree = line.given("open_gate")[0].tree
        await decide(handle, gate=gate, verdict="rework", tree=tree, reviewer="ada", note="look at the rounding")
        result = await handle.result()
    assert result.stop is StopReason.ACCEPTED
    assert [o.rung.tier for o in line.given("open_attempt")] == [Tier.ECONOMY] * 3
    assert line.given("say")[0].words.text == "look at the rounding"


async def test_a_budget_gate_raises_the_scope_that_was_short_and_goes_on(environment: WorkflowEnvironment) -> None:
    line = FakeLine(trees=("a", "c"), faults={1: "budget"})
    async with at_work(environment.client, line):
        handle = await begin(environment.client, Loop.run, loop_input(gates=(GateKind.BUDGET,)), "loop-job-main")
        gate = await open_gate(handle)
        tree = line.given("open_gate")[0].tree
        answer = {"gate": gate, "verdict": "approve", "tree": tree, "reviewer": "ada"}
        assert "amount" in await refusal(decide(handle, **answer))
        assert "nothing" in await refusal(decide(handle, **answer, usd="0"))
        assert not any(name.startswith("approve-") for name in await updates_offered(handle))
        await decide(handle, **answer, usd="0.50")
        result = await handle.result()
    (raised,) = line.given("raise_budget")
    assert (raised.kind, raised.key, raised.usd_nano, raised.reviewer) == ("job", "job", 500_000_000, "ada")
    assert result.stop is StopReason.ACCEPTED


async def test_a_budget_gate_that_is_rejected_stops_the_loop(environment: WorkflowEnvironment) -> None:
    line = FakeLine(faults={1: "budget"})
    async with at_work(environment.client, line):
        handle = await begin(environment.client, Loop.run, loop_input(gates=(GateKind.BUDGET,)), "loop-job-main")
        gate = await open_gate(handle)
        tree = line.given("open_gate")[0].tree
        await decide(handle, gate=gate, verdict="reject", tree=tree, reviewer="ada", note="enough spent")
        assert (await handle.result()).stop is StopReason.REJECTED


async def test_days_at_a_gate_use_up_none_of_the_wall_clock(environment: WorkflowEnvironment) -> None:
    line = FakeLine(passes_on="d", trees=("a", "b", "d"))
    async with at_work(environment.client, line):
        given = loop_input(gates=(GateKind.FRONTIER,), max_wall_seconds=600.0)
        handle = await begin(environment.client, Loop.run, given, "loop-job-main")
        gate = await open_gate(handle)
        await environment.sleep(timedelta(days=3))
        tree = line.given("open_gate")[0].tree
        await decide(handle, gate=gate, verdict="approve", tree=tree, reviewer="ada")
        assert (await handle.result()).stop is StopReason.ACCEPTED


@pytest.mark.parametrize("spelling", ["ada", {"reviewer": "ada"}])
async def test_the_name_may_be_typed_bare_or_as_an_object(environment: WorkflowEnvironment, spelling: object) -> None:
    async with at_work(environment.client, FakeLine(trees=("c",))):
        handle, gate = await at_merge_gate(environment)
        told = await handle.execute_update(f"approve-g{gate}-{C[:12]}", spelling, result_type=str)
        assert "by ada" in told
        await handle.result()
