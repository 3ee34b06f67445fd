"""A night when something is down, or comes at the worst moment: it ends on time, and nothing is lost."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from temporalio.client import Client
from temporalio.testing import WorkflowEnvironment

from tests.fakes.line import FakeLine, tree_of
from tests.fakes.line_delivery import DeliveringLine
from tests.fakes.night_line import candidate
from tests.workflows.line_at_work import ADA, at_work, begin, decide, job_input, open_gate, until
from tests.workflows.test_parking import a_night, drains, now_there, parked, window
from tests.workflows.test_shift import USD, begin_night, closings, job_handle, quick
from thirdshift.core.delivery import DeliveryTerms
from thirdshift.core.night_book import NightSums
from thirdshift.core.spec import Delivery, GateKind
from thirdshift.night_signatures import JobIs
from workflows.job import Job
from workflows.shift import Shift


async def test_a_night_whose_books_cannot_be_closed_ends_and_its_morning_is_told(
    environment: WorkflowEnvironment,
) -> None:
    line = quick(by_hand=True, refuses={"close_night": "broken"})
    async with at_work(environment.client, line):
        result = await (await begin_night(environment.client)).result()
    assert result.how == "closed"
    assert len(line.given("tell_morning")) == 1


async def test_a_night_whose_books_cannot_be_read_begins_nothing_and_ends_on_time(
    environment: WorkflowEnvironment,
) -> None:
    line = quick(listed=(candidate("a"),), refuses={"night_standing": "broken"}, lasts=timedelta(hours=1))
    async with at_work(environment.client, line):
        night = await begin_night(environment.client)
        began = (await night.describe()).start_time
        result = await night.result()
        ended = (await night.describe()).close_time
    assert (result.how, result.begun) == ("closed", 0)
    assert ended is not None
    assert ended - began < timedelta(hours=1, minutes=1)
    assert 2 < len(line.given("night_standing")) < 100, "it asks again, and not busily"


async def test_a_line_that_cannot_be_noted_does_not_end_the_night(environment: WorkflowEnvironment) -> None:
    line = quick(listed=(candidate("a"),), by_hand=True, refuses={"admit_job": "broken", "leave_line": "broken"})
    async with at_work(environment.client, line):
        result = await (await begin_night(environment.client)).result()
    assert (result.how, result.begun) == ("closed", 0)


async def test_a_stop_is_heard_while_a_spec_is_being_made_ready(client: Client) -> None:
    line = quick(listed=(candidate("a"),), hang_in="admit_job")
    async with at_work(client, line):
        night = await begin_night(client)
        await asyncio.wait_for(line.hanging.wait(), 20)
        await night.signal(Shift.stop_shift, "enough")
        result = await asyncio.wait_for(night.result(), 30)
    assert (result.how, result.begun) == ("stopped", 0)
    assert ["by the time it was ready" in left.why for left in line.given("leave_line")] == [True]


async def test_the_window_ends_though_a_spec_is_never_made_ready(client: Client) -> None:
    line = quick(listed=(candidate("a"),), hang_in="admit_job", lasts=timedelta(seconds=4), drain=timedelta(seconds=2))
    async with at_work(client, line):
        result = await asyncio.wait_for((await begin_night(client)).result(), 30)
    assert (result.how, result.begun) == ("closed", 0)
    assert closings(line) == [("closed", "")]


async def test_specs_of_events_are_not_forgotten_when_the_night_continues_as_new(client: Client) -> None:
    line = quick(listed=(candidate("a"),), queued=(candidate("q", event=7),), hold_in="call_model")
    async with at_work(client, line):
        night = await begin_night(client, concurrency=1)
        await asyncio.wait_for(line.held.wait(), 20)
        first = (await night.describe()).run_id
        newest = client.get_workflow_handle("shift-nightly")
        await newest.signal(Shift.look_again)

        async def goes_on() -> bool | None:
            await newest.signal(Shift.job_is, JobIs(job_id="job-a", state="running"))
            return (await newest.describe()).run_id != first or None

        await until(goes_on)
        assert not line.given("list_more"), "there is no place for anything"
        seen = len(line.given("admit_job"))
        line.go_on.set()

        async def begun() -> bool | None:
            return len(line.given("admit_job")) > seen or None

        await until(begun)
    assert line.given("admit_job")[-1].candidate.job_id == "job-q"


async def test_what_a_night_was_stopped_for_does_not_stop_it_again_at_once(client: Client) -> None:
    """A person starts it once more, and has seen why it tripped."""
    line = quick(listed=(candidate("a"),), hold_in="call_model", by_hand=True, open_since=timedelta(hours=1))
    line.sums = NightSums(
        limit_nano=40 * USD, settled_nano=30 * USD, verdicts=100, failed_verdicts=100, calls=100, faulted_calls=100
    )
    async with at_work(client, line):
        night = await begin_night(client)
        await asyncio.wait_for(line.held.wait(), 20)

        async def judged() -> bool | None:
            return len(line.given("night_standing")) > 1 or None

        await until(judged)
        line.go_on.set()
        result = await asyncio.wait_for(night.result(), 40)
    assert (result.how, result.begun) == ("closed", 1)


async def test_what_waits_for_a_person_begins_nothing_in_a_night_by_hand_that_is_over(
    environment: WorkflowEnvironment,
) -> None:
    line = quick(listed=(candidate("a"),), by_hand=True)
    line.job = job_input(gates=(GateKind.PLAN,), planned=True)
    client = environment.client
    async with at_work(client, line):
        assert (await (await begin_night(client)).result()).how == "closed"
        job = job_handle(client, "job-a")
        gate = await open_gate(job)
        calls = len(line.given("call_model"))
        await decide(job, gate=gate, verdict="approve", tree="0" * 40, **ADA)

        async def rests() -> bool | None:
            return (await job.query(Job.status)).state == "parked" or None

        await until(rests)
        assert len(line.given("call_model")) == calls
        line.listed = (candidate("a", key="job-a", parked=True),)
        assert (await (await begin_night(client)).result()).begun == 1
        assert (await job.result()).stop == "accepted"


async def test_a_parked_job_that_is_woken_too_late_is_parked_still_and_says_so(
    environment: WorkflowEnvironment,
) -> None:
    """Its place is free again, and a person can let it go on."""
    line = FakeLine(trees=("c",), hold_in="run_tools")
    async with at_work(environment.client, line), a_night(environment.client) as night:
        given = job_input().model_copy(update={"window": window(await now_there(environment), 30, 60)})
        handle = await begin(environment.client, Job.run, given)
        await asyncio.wait_for(line.held.wait(), 20)
        await drains(handle, environment)
        line.go_on.set()
        await parked(handle)
        await handle.signal(Job.window_opens, window(await now_there(environment), -1, 60, "nightly|2031-03-02"))

        async def told() -> bool | None:
            heard = await night.query("told", result_type=list)
            return heard[-2:] == ["parked", "parked"] or None

        await until(told)
        assert (await handle.query(Job.status)).state == "parked"
        await handle.execute_update("resume", "ada")
        assert (await handle.result()).stop == "accepted"
        await night.terminate()


@pytest.mark.parametrize("gated", [False, True])
async def test_a_merged_tree_is_judged_within_the_window_unless_a_person_has_approved_it(
    environment: WorkflowEnvironment, gated: bool
) -> None:
    """Checks take processors as any others do. A person who approves by day waits for no night."""
    line = DeliveringLine(moves=[(True, False)], hold_in="plan_merge")
    given = job_input(gates=(GateKind.MERGE,) if gated else ())
    given = given.model_copy(update={"delivery": DeliveryTerms(kind=Delivery.MERGE, onto="main")})
    async with at_work(environment.client, line):
        given = given.model_copy(update={"window": window(await now_there(environment), 30, 60)})
        handle = await begin(environment.client, Job.run, given)
        if gated:
            gate = await open_gate(handle)
            await decide(handle, gate=gate, verdict="approve", tree=tree_of("c"), **ADA)
        await asyncio.wait_for(line.held.wait(), 20)
        await handle.signal(Job.window_opens, window(await now_there(environment), -20, -1))
        line.go_on.set()
        if gated:
            gate = await open_gate(handle, after=gate)
            assert len(line.given("verify_merge")) == 1
            await decide(handle, gate=gate, verdict="approve", tree=tree_of("1"), **ADA)
        else:
            await parked(handle)
            assert not line.given("verify_merge")
            await handle.signal(Job.window_opens, window(await now_there(environment), 300, 360))
        result = await handle.result()
    assert result.stop == "accepted"
    assert len(line.given("verify_merge")) == 1


async def test_a_merged_tree_that_is_being_judged_at_the_windows_end_is_judged_again_in_the_next_one(
    environment: WorkflowEnvironment,
) -> None:
    line = DeliveringLine(moves=[(True, False)], hang_in="verify_merge")
    given = job_input().model_copy(update={"delivery": DeliveryTerms(kind=Delivery.MERGE, onto="main")})
    async with at_work(environment.client, line):
        given = given.model_copy(update={"window": window(await now_there(environment), 30, 60)})
        handle = await begin(environment.client, Job.run, given)
        await asyncio.wait_for(line.hanging.wait(), 20)
        await handle.signal(Job.window_opens, window(await now_there(environment), -20, -1))
        await parked(handle)
        line.hang_in = ""
        await handle.signal(Job.window_opens, window(await now_there(environment), 300, 360))
        result = await handle.result()
    assert result.stop == "accepted"
    assert len(line.given("verify_merge")) == 2
