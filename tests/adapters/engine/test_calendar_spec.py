"""What the real server makes of the Schedules that shifts get, on the nights on which clocks are changed."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import pytest_asyncio
from temporalio.api.workflowservice.v1 import ListScheduleMatchingTimesRequest
from temporalio.client import Client, Schedule, ScheduleActionStartWorkflow
from temporalio.testing import WorkflowEnvironment

from thirdshift.adapters.engine.binary import temporal_binary
from thirdshift.adapters.engine.calendar_spec import schedule_spec
from thirdshift.core.calendar_entries import calendar_entries
from thirdshift.core.nights import next_nights, which_night
from thirdshift.core.shifts import ShiftPlan

DAY, SECOND = timedelta(days=1), timedelta(seconds=1)
MADE = date(2026, 10, 1)
NUMBERS = itertools.count()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def client() -> AsyncIterator[Client]:
    async with await WorkflowEnvironment.start_local(dev_server_existing_path=str(temporal_binary())) as server:
        yield server.client


def plan(zone: str, window: str, **more: object) -> ShiftPlan:
    opens, _, closes = window.partition("-")
    given: dict[str, object] = {"name": "nightly", "root": "/r", "specs": ("*.md",), "submitter": "ada"}
    given |= {"opens": opens, "closes": closes, "zone": zone, "budget_nano": 1} | more
    return ShiftPlan.model_validate(given)


async def starts(client: Client, made: ShiftPlan, first: date, last: date) -> Sequence[datetime]:
    """When the server would start this shift from the first day on and before the last."""
    zone = ZoneInfo(made.zone)
    schedule_id = f"calendar-{next(NUMBERS)}"
    action = ScheduleActionStartWorkflow("Shift", id=schedule_id, task_queue="nobody")
    spec = schedule_spec(calendar_entries(made, MADE, zone), made.jitter_seconds)
    handle = await client.create_schedule(schedule_id, Schedule(action=action, spec=spec))
    asked = ListScheduleMatchingTimesRequest(namespace=client.namespace, schedule_id=schedule_id)
    asked.start_time.FromDatetime(datetime(first.year, first.month, first.day, tzinfo=zone) - SECOND)
    asked.end_time.FromDatetime(datetime(last.year, last.month, last.day, tzinfo=zone) - SECOND)
    answer = await client.workflow_service.list_schedule_matching_times(asked)
    await handle.delete()
    return [moment.ToDatetime(tzinfo=UTC) for moment in answer.start_time]


CHANGES = [
    ("Europe/Berlin", date(2026, 10, 25)),
    ("Europe/Berlin", date(2027, 3, 28)),
    ("Europe/Berlin", date(2027, 10, 31)),
    ("America/New_York", date(2027, 3, 14)),
    ("America/New_York", date(2027, 11, 7)),
    ("Australia/Lord_Howe", date(2027, 4, 4)),
    ("Australia/Lord_Howe", date(2027, 10, 3)),
    ("America/Havana", date(2027, 3, 14)),
    ("America/Havana", date(2027, 11, 7)),
    ("Africa/Cairo", date(2027, 4, 30)),
    ("Africa/Cairo", date(2027, 10, 29)),
    ("Asia/Beirut", date(2027, 3, 28)),
    ("Asia/Beirut", date(2027, 10, 31)),
    ("America/Nuuk", date(2027, 3, 28)),
    ("America/Nuuk", date(2027, 10, 31)),
    ("Asia/Kolkata", date(2027, 3, 28)),
    ("Pacific/Apia", date(2027, 4, 4)),
]


@pytest.mark.parametrize(("zone", "change"), CHANGES)
@pytest.mark.asyncio(loop_scope="module")
async def test_each_night_is_started_once_at_its_opening_however_the_clocks_are_changed(
    client: Client, zone: str, change: date
) -> None:
    """Every quarter of an hour around the change, and a few times far from it."""
    hours = (22, 23, 0, 1, 2, 3, 12)
    for hour, minute in itertools.product(hours, (0, 15, 30, 45)):
        made = plan(zone, f"{hour:02}:{minute:02}-06:00")
        found = await starts(client, made, change - 3 * DAY, change + 3 * DAY)
        begins = datetime(change.year, change.month, change.day, tzinfo=ZoneInfo(zone)) - 3 * DAY
        nights = next_nights(made, begins - SECOND, len(found), ZoneInfo(zone))
        assert len(found) == 6
        late = [start - night.opens_at for start, night in zip(found, nights, strict=True)]
        assert all(timedelta(0) <= by <= SECOND for by in late), (hour, minute, found)
        assert sum(by > timedelta(0) for by in late) <= 1, "only a night near the change begins, and a second late"
        for start, night in zip(found, nights, strict=True):
            assert which_night(made, start, start, ZoneInfo(zone)).night == night


@pytest.mark.asyncio(loop_scope="module")
async def test_the_usual_window_needs_no_entry_but_its_rule_and_keeps_the_clock_on_the_wall(client: Client) -> None:
    made = plan("Europe/Berlin", "22:00-06:00")
    entries = calendar_entries(made, MADE, ZoneInfo("Europe/Berlin"))
    assert (entries.left_out, entries.instants, entries.through) == ((), (), 0)
    found = await starts(client, made, date(2027, 3, 27), date(2027, 3, 30))
    assert [start.isoformat() for start in found] == [
        "2027-03-27T21:00:00+00:00",
        "2027-03-28T20:00:00+00:00",
        "2027-03-29T20:00:00+00:00",
    ]


@pytest.mark.asyncio(loop_scope="module")
async def test_weekdays_and_holidays_are_kept_and_a_holiday_in_the_gap_starts_nothing(client: Client) -> None:
    working = plan(
        "Europe/Berlin", "22:00-06:00", weekdays=("mon", "thu", "fri"), holidays=("2026-12-24", "2026-12-25")
    )
    found = await starts(client, working, date(2026, 12, 20), date(2027, 1, 3))
    days = [start.astimezone(ZoneInfo("Europe/Berlin")).date().isoformat() for start in found]
    assert days == ["2026-12-21", "2026-12-28", "2026-12-31", "2027-01-01"]
    in_the_gap = plan("Europe/Berlin", "02:30-06:00", holidays=("2027-03-28",))
    assert [start.day for start in await starts(client, in_the_gap, date(2027, 3, 27), date(2027, 3, 30))] == [27, 29]
    saturdays = plan("America/Nuuk", "23:30-06:00", weekdays=("sat",), holidays=("2027-03-28",))
    found = await starts(client, saturdays, date(2027, 3, 26), date(2027, 4, 2))
    assert found == [datetime(2027, 3, 28, 1, 0, 1, tzinfo=UTC)], "Saturday's window opens at Sunday's first instant"


@pytest.mark.asyncio(loop_scope="module")
async def test_a_shift_without_weekdays_is_never_started(client: Client) -> None:
    made = plan("Europe/Berlin", "22:00-06:00", weekdays=())
    assert await starts(client, made, date(2026, 12, 1), date(2026, 12, 20)) == []
