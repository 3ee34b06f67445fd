"""A night's workflow over jobs that are played: who is admitted, who holds a place, and how the night ends."""

from __future__ import annotations

import asyncio
from datetime import time, timedelta
from typing import Any

import pytest
from temporalio.client import Client, WorkflowHandle
from temporalio.testing import WorkflowEnvironment

from tests.fakes.night_line import FakeNights, candidate
from tests.workflows.line_at_work import ADA, at_work, begin, decide, details, job_input, open_gate, until
from thirdshift.core.history import StopReason
from thirdshift.core.night_book import NightSums
from thirdshift.core.shifts import ShiftPlan
from thirdshift.core.spec import GateKind
from thirdshift.night_signatures import ShiftInput, ShiftResult
from thirdshift.signatures import JobResult
from workflows.job import Job
from workflows.shift import Shift

USD = 1_000_000_000


def plan(**terms: Any) -> ShiftPlan:
    said: dict[str, Any] = {
        "name": "nightly",
        "root": "/somewhere",
        "specs": ("specs/*.md",),
        "opens": time(22),
        "closes": time(6),
        "zone": "Europe/Berlin",
        "budget_nano": 40 * USD,
        "concurrency": 2,
        "submitter": "ops",
    }
    return ShiftPlan.model_validate(said | terms)


async def begin_night(client: Client, **terms: Any) -> WorkflowHandle[Any, ShiftResult]:
    return await begin(client, Shift.run, ShiftInput(plan=plan(**terms)), "shift-nightly")


async def status(night: WorkflowHandle[Any, Any]) -> dict[str, Any]:
    found: dict[str, Any] = await night.query("status", result_type=dict)
    return found


async def until_status(night: WorkflowHandle[Any, Any], **wanted: Any) -> dict[str, Any]:
    async def look() -> dict[str, Any] | None:
        found = await status(night)
        return found if all(found[name] == value for name, value in wanted.items()) else None

    return await until(look)


def quick(**more: Any) -> FakeNights:
    return FakeNights(passes_on="a", job=job_input(), **more)


def job_handle(client: Client, job_id: str) -> WorkflowHandle[Any, JobResult]:
    return client.get_workflow_handle(job_id, result_type=JobResult)


def closings(line: FakeNights) -> list[tuple[str, str]]:
    return [(closing.how, closing.why) for closing in line.given("close_night")]


async def test_every_spec_is_begun_and_a_night_by_hand_ends_when_nothing_is_left(
    environment: WorkflowEnvironment,
) -> None:
    line = quick(listed=tuple(candidate(name) for name in "abc"), by_hand=True)
    async with at_work(environment.client, line):
        night = await begin_night(environment.client)
        result = await night.result()
    assert (result.how, result.begun, result.settled_nano) == ("closed", 3, 3)
    assert {given.candidate.job_id for given in line.given("admit_job")} == {"job-a", "job-b", "job-c"}
    assert line.names()[-2:] == ["close_night", "tell_morning"]


async def test_a_scheduled_night_lasts_until_its_window_ends(environment: WorkflowEnvironment) -> None:
    line = quick(listed=(candidate("a"),))
    async with at_work(environment.client, line):
        night = await begin_night(environment.client)
        began = (await night.describe()).start_time
        result = await night.result()
        closed_at = (await night.describe()).close_time
    assert result.how == "closed"
    assert closed_at is not None
    assert timedelta(hours=8) <= closed_at - began < timedelta(hours=8, minutes=1)


async def test_a_job_that_waits_for_a_person_holds_no_place(client: Client) -> None:
    line = FakeNights(
        passes_on="a",
        job=job_input(gates=(GateKind.MERGE,)),
        listed=(candidate("a"), candidate("b")),
    )
    async with at_work(client, line):
        night = await begin_night(client, concurrency=1)
        await until_status(night, begun=2)
        for job_id in ("job-a", "job-b"):
            job = client.get_workflow_handle(job_id)
            gate = await open_gate(job)
            await decide(job, gate=gate, verdict="approve", tree="a" * 40, **ADA)
        assert "Window" in await details(night)
        await until_status(night, begun=2, running=[], resting=[], parked=[])


async def test_a_job_that_is_terminated_frees_its_place(client: Client) -> None:
    line = quick(hang_in="call_model", listed=(candidate("a"), candidate("b")))
    async with at_work(client, line):
        night = await begin_night(client, concurrency=1)
        first = (await until_status(night, begun=1))["running"][0]
        await asyncio.wait_for(line.hanging.wait(), 20)
        await client.get_workflow_handle(first).terminate("gone")
        second = (await until_status(night, begun=2))["running"]
        assert second != [first]
        await night.signal(Shift.stop_shift, "enough")
        await asyncio.wait_for(night.result(), 30)


async def test_a_stop_ends_the_nights_jobs_and_closes_it_as_stopped(client: Client) -> None:
    line = quick(hang_in="call_model", listed=tuple(candidate(name) for name in "abc"))
    async with at_work(client, line):
        night = await begin_night(client)
        running = (await until_status(night, begun=2))["running"]
        await asyncio.wait_for(line.hanging.wait(), 20)
        await night.signal(Shift.stop_shift, "the building is on fire")
        result = await asyncio.wait_for(night.result(), 30)
        ends = [await job_handle(client, job_id).result() for job_id in running]
    assert (result.how, result.why, result.begun) == ("stopped", "the building is on fire", 2)
    assert [end.stop for end in ends] == [StopReason.STOPPED_BY_PERSON] * 2
    assert closings(line) == [("stopped", "the building is on fire")]


async def test_an_anomaly_halts_every_job_and_closes_the_night_as_tripped(client: Client) -> None:
    line = quick(hang_in="call_model", listed=(candidate("a"), candidate("b")), open_since=timedelta(hours=1))
    line.later_sums = NightSums(limit_nano=40 * USD, verdicts=100, failed_verdicts=100)
    async with at_work(client, line):
        night = await begin_night(client, concurrency=1)
        result = await asyncio.wait_for(night.result(), 40)
        end = await job_handle(client, line.given("admit_job")[0].candidate.job_id).result()
    assert (result.how, result.begun) == ("tripped", 1)
    assert "100 of 100 verdicts failed" in result.why
    assert end.stop is StopReason.CIRCUIT_BREAKER
    assert closings(line) == [("tripped", result.why)]
    left = line.given("close_night")[0].lacked
    assert list(left.values()) == ["the one place is taken"]


async def test_what_cannot_be_begun_holds_nobody_up(environment: WorkflowEnvironment) -> None:
    line = quick(
        listed=tuple(candidate(name) for name in "ab"), refusals={"job-a": "spec.md:3: unknown field"}, by_hand=True
    )
    async with at_work(environment.client, line):
        result = await (await begin_night(environment.client, concurrency=1)).result()
    assert result.begun == 1
    assert [given.candidate.job_id for given in line.given("admit_job")] == ["job-a", "job-b"]


async def test_a_job_that_runs_already_is_left_alone_and_its_line_says_so(client: Client) -> None:
    line = quick(hang_in="call_model", listed=(candidate("a"),), by_hand=True)
    async with at_work(client, line):
        by_hand = await begin(client, Job.run, job_input(), "job-a")
        await asyncio.wait_for(line.hanging.wait(), 20)
        result = await asyncio.wait_for((await begin_night(client)).result(), 30)
        assert (await by_hand.describe()).close_time is None
    assert result.begun == 0
    assert ["under way" in left.why for left in line.given("leave_line")] == [True]


async def test_specs_of_events_are_taken_up_when_the_night_is_told_to_look_again(client: Client) -> None:
    line = quick(queued=(candidate("q", event=7),))
    async with at_work(client, line):
        night = await begin_night(client)
        await until_status(night, state="open")
        await night.signal(Shift.look_again)
        await until_status(night, begun=1)
    assert len(line.given("list_more")) == 1


async def test_a_job_parked_at_the_windows_end_goes_on_first_in_the_next_night(client: Client) -> None:
    line = quick(hold_in="run_tools", listed=(candidate("a"),), lasts=timedelta(seconds=4), drain=timedelta(seconds=2))
    async with at_work(client, line):
        first = await begin_night(client)
        await asyncio.wait_for(line.held.wait(), 20)
        result = await asyncio.wait_for(first.result(), 40)
        assert (result.how, result.begun) == ("closed", 1)
        job = job_handle(client, "job-a")
        assert (await job.query(Job.status)).state == "parked"
        line.go_on.set()
        line.lasts, line.by_hand = timedelta(hours=8), True
        line.listed = (candidate("b"), candidate("a", key="job-a", parked=True))
        second = await asyncio.wait_for((await begin_night(client, concurrency=1)).result(), 40)
        end = await job.result()
    assert second.begun == 2
    assert [given.candidate.job_id for given in line.given("admit_job")] == ["job-a", "job-a", "job-b"]
    assert end.stop is StopReason.ACCEPTED


async def test_a_night_goes_on_where_it_was_after_continuing_as_new(client: Client) -> None:
    """The development server of the tests suggests it after a few dozen events."""
    line = quick(listed=tuple(candidate(f"n{number}") for number in range(8)), by_hand=True)
    async with at_work(client, line):
        night = await begin_night(client, concurrency=1)
        result = await asyncio.wait_for(night.result(), 60)
        first_run = client.get_workflow_handle("shift-nightly", run_id=night.first_execution_run_id)
        events = [event async for event in first_run.fetch_history_events()]
    assert (result.how, result.begun) == ("closed", 8)
    assert events[-1].HasField("workflow_execution_continued_as_new_event_attributes")
    begun = [given.candidate.job_id for given in line.given("admit_job")]
    assert sorted(begun) == sorted(f"job-n{number}" for number in range(8))


async def test_a_report_that_cannot_be_made_keeps_no_night_open(environment: WorkflowEnvironment) -> None:
    line = quick(by_hand=True, morning_fails=True)
    async with at_work(environment.client, line):
        result = await (await begin_night(environment.client)).result()
    assert result.how == "closed"
    assert len(line.given("tell_morning")) > 1


async def test_a_night_that_is_not_to_be_opened_says_why_and_begins_nothing(environment: WorkflowEnvironment) -> None:
    line = quick(listed=(candidate("a"),), not_opened="night nightly|2026-11-21 is under way already")
    async with at_work(environment.client, line):
        night = await begin_night(environment.client)
        result = await night.result()
        shown = await details(night)
    assert (result.how, result.why) == ("not_opened", line.not_opened)
    assert line.not_opened in shown
    assert line.names() == ["open_night"]


@pytest.mark.parametrize("cancelled", [True, False])
async def test_a_night_that_is_ended_in_temporal_takes_its_jobs_along_only_when_it_is_cancelled(
    client: Client, cancelled: bool
) -> None:
    line = quick(hang_in="call_model", listed=(candidate("a"),))
    async with at_work(client, line):
        night = await begin_night(client)
        await until_status(night, begun=1)
        await asyncio.wait_for(line.hanging.wait(), 20)
        job = job_handle(client, "job-a")
        if cancelled:
            await night.cancel()
            assert (await asyncio.wait_for(night.result(), 30)).how == "stopped"
            assert (await asyncio.wait_for(job.result(), 30)).stop is StopReason.STOPPED_BY_PERSON
        else:
            await night.terminate("gone")
            assert (await job.query(Job.status)).state == "running"
