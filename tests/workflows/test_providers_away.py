"""Providers that are away, on a server where a wait of hours takes no time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from temporalio.client import WorkflowHandle
from temporalio.testing import WorkflowEnvironment

from tests.fakes.line import FakeLine
from tests.workflows.line_at_work import at_work, begin, loop_input, until
from tests.workflows.test_parking import now_there, parked, window
from thirdshift.core.history import LoopPolicy, StopReason
from thirdshift.core.ladder import Ladder, Rung, Tier
from thirdshift.signatures import LoopInput
from workflows.loop import Loop

SIBLINGS = Ladder(rungs=(Rung(model="cheap/small", tier=Tier.ECONOMY), Rung(model="dear/large", tier=Tier.ECONOMY)))
ALONE = Ladder(rungs=SIBLINGS.rungs[:1])
LOOP_ID = "loop-job-main"


async def ended(handle: WorkflowHandle[Any, Any]) -> datetime:
    closed = (await handle.describe()).close_time
    assert closed is not None
    return closed


async def night_loop(environment: WorkflowEnvironment, ladder: Ladder, drains_in: float, **policy: object) -> LoopInput:
    given = loop_input()
    night = window(await now_there(environment), drains_in, drains_in + 30)
    terms = LoopPolicy.model_validate({"ladder": ladder, **policy})
    return given.model_copy(update={"window": night, "policy": terms})


async def test_a_provider_that_returns_in_three_hours_is_waited_for_and_its_time_is_no_work(
    environment: WorkflowEnvironment,
) -> None:
    line = FakeLine(trees=("c",), faults={1: "quota_exhausted"})
    async with at_work(environment.client, line):
        began = await now_there(environment)
        line.back_at = began + timedelta(hours=3)
        given = await night_loop(environment, ALONE, 400, max_wall_seconds=1800.0, max_attempts=1)
        handle = await begin(environment.client, Loop.run, given, LOOP_ID)
        result = await handle.result()
        assert await ended(handle) >= line.back_at
    assert result.stop is StopReason.ACCEPTED
    assert [opened.rung.model for opened in line.given("open_attempt")] == ["cheap/small"] * 2
    assert line.given("open_attempt")[1].reason == "provider_back"
    assert result.waited_seconds >= 3 * 3600 - 60
    assert [(note.what, note.who) for note in line.given("note_steering")] == [("away", "cheap/small")]


async def test_a_sibling_is_used_meanwhile(environment: WorkflowEnvironment) -> None:
    line = FakeLine(trees=("c",), faults={1: "quota_exhausted"})
    async with at_work(environment.client, line):
        line.back_at = await now_there(environment) + timedelta(hours=3)
        handle = await begin(environment.client, Loop.run, await night_loop(environment, SIBLINGS, 400), LOOP_ID)
        result = await handle.result()
        assert await ended(handle) < line.back_at
    assert result.stop is StopReason.ACCEPTED
    assert [opened.rung.model for opened in line.given("open_attempt")] == ["cheap/small", "dear/large"]


async def test_a_wait_beyond_the_window_parks_the_work_at_once_and_the_next_night_asks_again(
    environment: WorkflowEnvironment,
) -> None:
    line = FakeLine(trees=("c",), faults={1: "rate_limited"})
    async with at_work(environment.client, line):
        line.back_at = await now_there(environment) + timedelta(hours=3)
        handle = await begin(environment.client, Loop.run, await night_loop(environment, ALONE, 60), LOOP_ID)
        await parked(handle)
        await environment.sleep(timedelta(hours=20))
        assert len(line.given("open_attempt")) == 1
        await handle.signal(Loop.window_opens, window(await now_there(environment), 300, 360))
        assert (await handle.result()).stop is StopReason.ACCEPTED
    assert len(line.given("open_attempt")) == 2
    assert "cheap/small says that it is back" in line.given("rest_job")[0].why


async def test_an_outage_of_unknown_length_is_asked_again_and_again_through_the_night(
    environment: WorkflowEnvironment,
) -> None:
    line = FakeLine(trees=("c",), faults=dict.fromkeys(range(1, 6), "overloaded"))
    async with at_work(environment.client, line):
        began = await now_there(environment)
        given = await night_loop(environment, ALONE, 400, max_attempts=2)
        handle = await begin(environment.client, Loop.run, given, LOOP_ID)
        result = await handle.result()
        assert await ended(handle) >= began + timedelta(minutes=1 + 2 + 4 + 8 + 15)
    assert result.stop is StopReason.ACCEPTED, "what was only waited out is no attempt"
    assert len(line.given("open_attempt")) == 6


async def test_without_a_window_an_outage_of_unknown_length_ends_the_loop_as_before(
    environment: WorkflowEnvironment,
) -> None:
    line = FakeLine(trees=("c",), faults={1: "overloaded"})
    async with at_work(environment.client, line):
        given = (await night_loop(environment, ALONE, 400)).model_copy(update={"window": None})
        handle = await begin(environment.client, Loop.run, given, LOOP_ID)
        assert (await handle.result()).stop is StopReason.PROVIDER_UNAVAILABLE


async def test_a_wait_can_be_stopped_and_is_shown(environment: WorkflowEnvironment) -> None:
    line = FakeLine(trees=("c",), faults={1: "rate_limited"})
    async with at_work(environment.client, line):
        line.back_at = await now_there(environment) + timedelta(hours=3)
        handle = await begin(environment.client, Loop.run, await night_loop(environment, ALONE, 400), LOOP_ID)

        async def waiting() -> str | None:
            status = await handle.query("status", result_type=dict)
            return status["waits_for"] if status["doing"] == "waiting for a provider" else None

        assert "cheap/small says that it is back" in await until(waiting)
        await handle.signal(Loop.stop_loop, "enough")
        assert (await handle.result()).stop is StopReason.STOPPED_BY_PERSON
        assert await ended(handle) < line.back_at


async def test_a_pause_during_a_wait_holds_the_loop_and_the_wait_goes_on_after_it(
    environment: WorkflowEnvironment,
) -> None:
    line = FakeLine(trees=("c",), faults={1: "rate_limited"})
    async with at_work(environment.client, line):
        line.back_at = await now_there(environment) + timedelta(hours=3)
        handle = await begin(environment.client, Loop.run, await night_loop(environment, ALONE, 400), LOOP_ID)
        await until(lambda: _noted(line))
        await handle.execute_update("pause", "ada")
        await environment.sleep(timedelta(hours=4))
        assert len(line.given("open_attempt")) == 1
        await handle.execute_update("resume", "ada")
        assert (await handle.result()).stop is StopReason.ACCEPTED


async def _noted(line: FakeLine) -> bool | None:
    return True if line.given("note_steering") else None
