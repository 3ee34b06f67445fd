"""A shift's calendar, in the terms of a Temporal Schedule."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from itertools import groupby

from temporalio.client import ScheduleCalendarSpec, ScheduleIntervalSpec, ScheduleRange, ScheduleSpec

from thirdshift.core.calendar_entries import CalendarEntries, LeftOut
from thirdshift.core.shifts import Weekday

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAYS_FROM_SUNDAY = {day: (number + 1) % 7 for number, day in enumerate(Weekday)}


def schedule_spec(entries: CalendarEntries, jitter_seconds: float) -> ScheduleSpec:
    """What the server is told. Without weekdays it is told nothing, and never fires."""
    every_week = ScheduleCalendarSpec(
        hour=[ScheduleRange(entries.opens.hour)],
        minute=[ScheduleRange(entries.opens.minute)],
        second=[ScheduleRange(entries.opens.second)],
        day_of_week=[ScheduleRange(_DAYS_FROM_SUNDAY[day]) for day in entries.weekdays],
        comment="the window opens",
    )
    return ScheduleSpec(
        calendars=[every_week] if entries.weekdays else [],
        intervals=[_once(instant) for instant in entries.instants],
        skip=list(_left_out(entries.left_out, entries.opens.second)),
        jitter=timedelta(seconds=jitter_seconds) if jitter_seconds else None,
        time_zone_name=entries.zone,
    )


def _once(instant: datetime) -> ScheduleIntervalSpec:
    """An interval since 1970 as long as that instant is from 1970: it comes then, and not again before 2080.

    A calendar cannot say which of two equal wall-clock times is meant. (An interval with an offset could, but the
    server passes over the first occurrence of an interval whose offset is in the future.)
    """
    return ScheduleIntervalSpec(every=instant - _EPOCH)


def _left_out(times: Iterable[LeftOut], second: int) -> Iterable[ScheduleCalendarSpec]:
    """One entry for all days of a month that have the same times."""

    def key(entry: LeftOut) -> tuple[int, int, int, int, int]:
        minute = -1 if entry.minute is None else entry.minute
        return (entry.day.year, entry.day.month, entry.first_hour, entry.last_hour, minute)

    for (year, month, first, last, minute), same in groupby(sorted(times, key=lambda e: (key(e), e.day)), key):
        yield ScheduleCalendarSpec(
            year=[ScheduleRange(year)],
            month=[ScheduleRange(month)],
            day_of_month=[ScheduleRange(entry.day.day) for entry in same],
            hour=[ScheduleRange(first, last)],
            minute=[ScheduleRange(0, 59) if minute < 0 else ScheduleRange(minute)],
            second=[ScheduleRange(second)],
            comment="near a change of the clock; stated as an interval" if minute < 0 else "a holiday",
        )
