"""Nights: every way through ``Shift`` that a change of code may not alter, with a job and its loop where they count."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from temporalio.client import Client, WorkflowHandle
from temporalio.testing import WorkflowEnvironment

from tests.fakes.line import tree_of
from tests.fakes.night_line import FakeNights, candidate
from tests.replay.window_stories import Kept
from tests.workflows.line_at_work import ADA, at_work, begin, decide, job_input, open_gate
from tests.workflows.test_parking import now_there, parked, window
from tests.workflows.test_providers_away import ALONE
from tests.workflows.test_shift import USD, begin_night, job_handle, quick, until_status
from thirdshift.core.history import StopReason
from thirdshift.core.night_book import NightSums
from thirdshift.core.spec import GateKind
from workflows.job import Job
from workflows.shift import Shift


def with_job(client: Client, night: WorkflowHandle[Shift, object], job_id: str) -> Kept:
    return {
        "": night,
        "job": client.get_workflow_handle(job_id),
        "loop": client.get_workflow_handle(f"loop-{job_id}-main"),
    }


async def a_night_that_goes_on_with_what_the_last_one_cut_off(environment: WorkflowEnvironment) -> Kept:
    """The window of the first ends on a job. The second admits it again, a new one, and one that an event adds."""
    client = environment.client
    line = quick(hold_in="run_tools", listed=(candidate("a"),), lasts=timedelta(seconds=4), drain=timedelta(seconds=2))
    async with at_work(client, line):
        first = await begin_night(client)
        await asyncio.wait_for(line.held.wait(), 20)
        assert (await asyncio.wait_for(first.result(), 40)).how == "closed"
        assert (await job_handle(client, "job-a").query(Job.status)).state == "parked"
        line.go_on.set()
        line.lasts = timedelta(seconds=12)
        line.listed = (candidate("b"), candidate("a", key="job-a", parked=True))
        line.queued = (candidate("q", event=7),)
        second = await begin_night(client, concurrency=1)
        await until_status(second, begun=2)
        await second.signal(Shift.look_again)
        result = await asyncio.wait_for(second.result(), 40)
    assert (result.how, result.begun) == ("closed", 3)
    assert [given.candidate.job_id for given in line.given("admit_job")] == ["job-a", "job-a", "job-b", "job-q"]
    return {"first": first, **with_job(client, second, "job-a")}


async def a_night_that_lasts_until_its_windows_end(environment: WorkflowEnvironment) -> Kept:
    """With nothing more to do, and every timer on the way."""
    line = quick(listed=(candidate("a"),), open_since=timedelta(minutes=-30))
    async with at_work(environment.client, line):
        night = await begin_night(environment.client)
        result = await night.result()
    assert (result.how, result.begun) == ("closed", 1)
    return {"": night}


async def a_night_that_is_stopped(environment: WorkflowEnvironment) -> Kept:
    client = environment.client
    line = quick(hang_in="call_model", listed=(candidate("a"), candidate("b")))
    async with at_work(client, line):
        night = await begin_night(client, concurrency=1)
        (job_id,) = (await until_status(night, begun=1))["running"]
        await asyncio.wait_for(line.hanging.wait(), 20)
        await night.signal(Shift.stop_shift, "the building is on fire")
        result = await asyncio.wait_for(night.result(), 30)
        assert (await job_handle(client, job_id).result()).stop is StopReason.STOPPED_BY_PERSON
    assert (result.how, result.begun) == ("stopped", 1)
    return with_job(client, night, job_id)


async def a_night_that_is_stopped_while_a_spec_is_made_ready(environment: WorkflowEnvironment) -> Kept:
    line = quick(listed=(candidate("a"),), hang_in="admit_job")
    async with at_work(environment.client, line):
        night = await begin_night(environment.client)
        await asyncio.wait_for(line.hanging.wait(), 20)
        await night.signal(Shift.stop_shift, "enough")
        result = await asyncio.wait_for(night.result(), 30)
    assert (result.how, result.begun) == ("stopped", 0)
    return {"": night}


async def a_night_that_trips(environment: WorkflowEnvironment) -> Kept:
    client = environment.client
    line = quick(hang_in="call_model", listed=(candidate("a"), candidate("b")), open_since=timedelta(hours=1))
    line.later_sums = NightSums(limit_nano=40 * USD, verdicts=100, failed_verdicts=100)
    async with at_work(client, line):
        night = await begin_night(client, concurrency=1)
        result = await asyncio.wait_for(night.result(), 40)
        job_id = line.given("admit_job")[0].candidate.job_id
        assert (await job_handle(client, job_id).result()).stop is StopReason.CIRCUIT_BREAKER
    assert result.how == "tripped"
    # It may be halted before its loop has begun; a loop that is halted has a story of its own.
    return {"": night, "job": client.get_workflow_handle(job_id)}


async def a_night_that_looks_at_its_books(environment: WorkflowEnvironment) -> Kept:
    """And asks after a job that is no child of it: parked before, admitted again, and waiting for its provider."""
    client = environment.client
    line = quick(listed=(candidate("a", key="job-a", parked=True),), faults={1: "quota_exhausted"})
    line.passes_too = ("b",)
    async with at_work(client, line):
        now = await now_there(environment)
        given = job_input(ladder=ALONE).model_copy(update={"window": window(now, -5, 5)})
        job = await begin(client, Job.run, given, "job-a")
        await parked(job)
        line.back_at = now + timedelta(minutes=6)
        night = await begin_night(client)
        assert (await night.result()).begun == 1
        assert (await job.result()).stop is StopReason.ACCEPTED
    assert len(line.given("night_standing")) > 1
    assert line.given("jobs_gone")[0].jobs == ("job-a",)
    return with_job(client, night, "job-a")


async def a_night_whose_books_are_broken(environment: WorkflowEnvironment) -> Kept:
    refusals = {"night_standing": "broken", "close_night": "broken"}
    line = quick(listed=(candidate("a"),), refuses=refusals, lasts=timedelta(minutes=9))
    async with at_work(environment.client, line):
        night = await begin_night(environment.client)
        result = await night.result()
    assert (result.how, result.begun) == ("closed", 0)
    return {"": night}


async def a_night_whose_spec_cannot_be_made_ready(environment: WorkflowEnvironment) -> Kept:
    line = quick(listed=(candidate("a"),), by_hand=True, refuses={"admit_job": "broken", "leave_line": "broken"})
    async with at_work(environment.client, line):
        night = await begin_night(environment.client)
        assert (await night.result()).begun == 0
    return {"": night}


async def a_night_that_is_not_opened(environment: WorkflowEnvironment) -> Kept:
    line = quick(not_opened="night nightly|2026-11-21 is under way already")
    async with at_work(environment.client, line):
        night = await begin_night(environment.client)
        assert (await night.result()).how == "not_opened"
    return {"": night}


async def a_night_by_hand_that_leaves_a_job_at_its_gate(environment: WorkflowEnvironment) -> Kept:
    """One spec is refused, one runs already, and one waits for a person, who approves when the night is over."""
    client = environment.client
    line = FakeNights(
        passes_on="a",
        job=job_input(gates=(GateKind.MERGE,)),
        listed=tuple(candidate(name) for name in "abc"),
        refusals={"job-b": "spec.md:3: unknown field"},
        by_hand=True,
        morning_fails=True,
    )
    async with at_work(client, line):
        await begin(client, Job.run, job_input(gates=(GateKind.MERGE,)), "job-c")
        await open_gate(job_handle(client, "job-c"))
        night = await begin_night(client, concurrency=3)
        await until_status(night, begun=1)
        gate = await open_gate(job_handle(client, "job-a"))
        assert (await night.result()).begun == 1
        await decide(job_handle(client, "job-a"), gate=gate, verdict="approve", tree=tree_of("a"), **ADA)
        assert (await job_handle(client, "job-a").result()).stop is StopReason.ACCEPTED
    assert len(line.given("leave_line")) == 1
    return with_job(client, night, "job-a")


async def a_night_that_continues_as_new(environment: WorkflowEnvironment) -> Kept:
    line = quick(listed=tuple(candidate(f"n{number}") for number in range(4)), by_hand=True)
    async with at_work(environment.client, line):
        night = await begin_night(environment.client, concurrency=1)
        result = await asyncio.wait_for(night.result(), 60)
        assert (await night.describe()).run_id != night.first_execution_run_id
    assert (result.how, result.begun) == ("closed", 4)
    return {"": night}


SKIPPING_TIME = (
    a_night_that_lasts_until_its_windows_end,
    a_night_that_looks_at_its_books,
    a_night_whose_books_are_broken,
    a_night_whose_spec_cannot_be_made_ready,
    a_night_that_is_not_opened,
    a_night_by_hand_that_leaves_a_job_at_its_gate,
)
IN_REAL_TIME = (
    a_night_that_goes_on_with_what_the_last_one_cut_off,
    a_night_that_is_stopped,
    a_night_that_is_stopped_while_a_spec_is_made_ready,
    a_night_that_trips,
)
ON_A_SHORT_HISTORY = (a_night_that_continues_as_new,)
