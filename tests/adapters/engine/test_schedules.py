"""Shifts' Schedules on the real server."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleOverlapPolicy,
    ScheduleSpec,
)
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

from thirdshift.adapters.engine.binary import temporal_binary
from thirdshift.adapters.engine.schedules import PlanUnreadable, ShiftSchedule, ShiftSchedules
from thirdshift.bootstrap.shifts import shift_schedules
from thirdshift.core.errors import BadInput
from thirdshift.core.shifts import ShiftPlan

TODAY = date(2026, 11, 22)
BERLIN = ZoneInfo("Europe/Berlin")
NUMBERS = itertools.count()
pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def client() -> AsyncIterator[Client]:
    async with await WorkflowEnvironment.start_local(
        dev_server_existing_path=str(temporal_binary()), data_converter=pydantic_data_converter
    ) as server:
        yield server.client


@pytest.fixture
def shifts(client: Client) -> ShiftSchedules:
    return shift_schedules(client)


def plan(**more: object) -> ShiftPlan:
    given: dict[str, object] = {"name": f"s{next(NUMBERS)}", "root": "/r", "specs": ("*.md",), "submitter": "ada"}
    given |= {"opens": "22:00", "closes": "06:00", "zone": "Europe/Berlin", "budget_nano": 40_000_000_000} | more
    return ShiftPlan.model_validate(given)


async def there(shifts: ShiftSchedules, name: str) -> ShiftSchedule:
    found = await shifts.find(name)
    assert found
    return found


async def test_a_schedule_holds_the_whole_plan_and_starts_one_night_at_a_time(
    client: Client, shifts: ShiftSchedules
) -> None:
    made = plan(jitter_seconds=120, holidays=("2026-12-24",), weekdays=("mon", "fri"), breaker={"calls_at_least": 7})
    assert await shifts.create(made, BERLIN, TODAY, "/r/shifts/nightly.toml")
    found = await there(shifts, made.name)
    assert (found.plan, found.from_file, found.paused, found.through) == (made, "/r/shifts/nightly.toml", False, 0)
    assert made.name in await shifts.names()
    described = await client.get_schedule_handle(f"shift-{made.name}").describe()
    policy, action = described.schedule.policy, described.schedule.action
    assert policy.overlap is ScheduleOverlapPolicy.SKIP
    assert policy.catchup_window == timedelta(minutes=10)
    assert described.schedule.spec.jitter == timedelta(minutes=2)
    assert isinstance(action, ScheduleActionStartWorkflow)
    assert (action.workflow, action.id, action.task_queue) == ("Shift", f"shift-{made.name}", "thirdshift")
    assert not action.typed_search_attributes.search_attributes, "a server may not know ours yet"


async def test_made_twice_it_is_made_once_and_the_first_plan_stands(shifts: ShiftSchedules) -> None:
    made = plan()
    assert await shifts.create(made, BERLIN, TODAY)
    assert not await shifts.create(made.model_copy(update={"concurrency": 9}), BERLIN, TODAY)
    assert (await there(shifts, made.name)).plan == made


async def test_a_changed_plan_keeps_the_pause_and_its_note(shifts: ShiftSchedules) -> None:
    made = plan()
    await shifts.create(made, BERLIN, TODAY)
    await shifts.pause(made.name, "paused by ada: release week")
    early = made.model_copy(update={"opens": plan(opens="02:30").opens})
    await shifts.replace(early, BERLIN, TODAY, "/r/a.toml")
    found = await there(shifts, made.name)
    assert (found.plan, found.paused, found.note) == (early, True, "paused by ada: release week")
    assert (found.from_file, found.through) == ("/r/a.toml", 2036)
    await shifts.resume(made.name, "resumed by bob")
    found = await there(shifts, made.name)
    assert (found.paused, found.note) == (False, "resumed by bob")


async def test_a_trigger_starts_one_workflow_and_a_second_one_beside_it_starts_none(
    client: Client, shifts: ShiftSchedules
) -> None:
    made = plan()
    await shifts.create(made, BERLIN, TODAY)
    await shifts.trigger(made.name)
    while not (found := await there(shifts, made.name)).running:
        await asyncio.sleep(0.05)
    assert found.running == (found.last_started,)
    assert found.last_started.startswith(f"shift-{made.name}-20")
    await shifts.trigger(made.name)
    while not (found := await there(shifts, made.name)).passed_over:
        await asyncio.sleep(0.05)
    assert (found.begun, len(found.running)) == (1, 1)
    await shifts.delete(made.name)
    assert await shifts.find(made.name) is None
    assert (await client.get_workflow_handle(found.running[0]).describe()).close_time is None, "the night goes on"


async def test_what_is_not_there_is_named_and_others_schedules_are_left_alone(
    client: Client, shifts: ShiftSchedules
) -> None:
    assert await shifts.find("nowhere") is None
    for work in (shifts.pause("nowhere", ""), shifts.trigger("nowhere"), shifts.delete("nowhere")):
        with pytest.raises(BadInput, match="there is no shift `nowhere`"):
            await work
    other = ScheduleActionStartWorkflow("Cleanup", id="x", task_queue="q")
    await client.create_schedule("shift-work", Schedule(action=other, spec=ScheduleSpec()))
    assert "work" not in await shifts.names()
    with pytest.raises(BadInput, match="shift-work starts something else than a shift"):
        await shifts.find("work")


async def test_a_plan_of_another_version_is_named_with_the_remedy(client: Client, shifts: ShiftSchedules) -> None:
    action = ScheduleActionStartWorkflow("Shift", {"plan": {"colour": "red"}}, id="x", task_queue="q")
    await client.create_schedule("shift-red", Schedule(action=action, spec=ScheduleSpec()))
    with pytest.raises(PlanUnreadable, match="thirdshift shift delete red"):
        await shifts.find("red")
    await shifts.replace(plan(name="red"), BERLIN, TODAY)
    assert (await there(shifts, "red")).plan.name == "red", "put right by the plan of a file"
    await shifts.delete("red")


async def test_a_zone_that_the_server_does_not_know_is_refused_with_its_words(shifts: ShiftSchedules) -> None:
    with pytest.raises(BadInput, match=r"refuses the schedule of shift .*unknown time zone"):
        await shifts.create(plan(zone="Moon/Tranquility"), BERLIN, TODAY)
