"""Holidays out of an iCalendar file (RFC 5545): the dates of its all-day events."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import icalendar

from thirdshift.core.errors import BadInput
from thirdshift.core.frozen import Frozen
from thirdshift.core.text import one_line
from thirdshift.core.yearly import OnWeekday, Yearly, occurrences

YEARS_AHEAD = 5
_MAX_BYTES = 1 << 20
_MAX_EVENTS = 2000
_MAX_DATES = 2000
_MAX_SPAN = 366
_MAX_COUNTED = 1000
_DAY = timedelta(days=1)
_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_PARTS = {"FREQ", "INTERVAL", "UNTIL", "COUNT", "BYMONTH", "BYMONTHDAY", "BYDAY", "WKST"}


class Holidays(Frozen):
    """The dates of a calendar, from this year's first day to the end of the fifth year from now."""

    dates: tuple[date, ...]
    timed: int = 0
    """Events that have hours, and are therefore no holidays."""


def read_holidays(path: Path, this_year: int) -> Holidays:
    """Read a calendar. Raises BadInput, with the remedy, for what cannot be read, or is too much to be holidays.

    An event that comes back must do so yearly; what comes back weekly is for ``weekdays``.
    """
    try:
        if not path.is_file():
            raise BadInput(f"{path}: no such file; name an .ics file, or list the dates")
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except OSError as error:
        raise BadInput(f"{path}: cannot be read: {error.strerror}") from None
    if len(data) > _MAX_BYTES:
        raise BadInput(f"{path}: larger than 1 MiB; export the holidays alone")
    try:
        calendars = icalendar.Calendar.from_ical(data, multiple=True)
        events = [event for calendar in calendars for event in calendar.walk("VEVENT")]
    except (ValueError, IndexError, KeyError, TypeError) as error:
        raise BadInput(f"{path}: no iCalendar file (RFC 5545): {one_line(str(error), 120)}") from None
    if not calendars:
        raise BadInput(f"{path}: no iCalendar file (RFC 5545): there is no VCALENDAR in it")
    if len(events) > _MAX_EVENTS:
        raise BadInput(f"{path}: has {len(events)} events; at most {_MAX_EVENTS} are read; export the holidays alone")
    return _dates_of(events, path, date(this_year, 1, 1), date(this_year + YEARS_AHEAD, 12, 31))


def _dates_of(events: list[Any], path: Path, first: date, last: date) -> Holidays:
    moved = {(str(event.get("UID")), _day(event["RECURRENCE-ID"].dt)) for event in events if "RECURRENCE-ID" in event}
    found: set[date] = set()
    timed = 0
    for event in events:
        if str(event.get("STATUS", "")).upper() == "CANCELLED":
            continue
        try:
            span = _whole_days(event)
            if span is None:
                timed += 1
                continue
            start, length = span
            left_out = _listed(event, "EXDATE")
            if "RECURRENCE-ID" not in event:
                left_out |= {day for uid, day in moved if uid == str(event.get("UID"))}
            for begun in _begins(event, start, first - length, last) - left_out:
                found |= {day for day in _days(begun, length) if first <= day <= last}
        except (BadInput, ValueError, TypeError, AttributeError, KeyError, IndexError, OverflowError) as error:
            name = " ".join(str(event.get("SUMMARY", "without a summary")).split())[:60]
            raise BadInput(f"{path}: event `{name}`: {error}") from None
        if len(found) > _MAX_DATES:
            raise BadInput(f"{path}: names more than {_MAX_DATES} dates; use `weekdays` for days that recur each week")
    return Holidays(dates=tuple(sorted(found)), timed=timed)


def _whole_days(event: Any) -> tuple[date, timedelta] | None:
    """First day and length of an all-day event; None for one that has hours.

    Some calendars write a whole day as midnight to midnight.
    """
    start = event["DTSTART"].dt
    end = event["DTEND"].dt if "DTEND" in event else None
    if end is None:
        end = start + event["DURATION"].dt if "DURATION" in event else _day(start) + _DAY
    if isinstance(start, datetime):
        midnights = isinstance(end, datetime) and start.time() == end.time() == time(0)
        if not midnights or _day(end) <= _day(start):
            return None
    length = max(_day(end) - _day(start), _DAY)
    if length > _MAX_SPAN * _DAY:
        raise BadInput(f"lasts {length.days} days; at most {_MAX_SPAN} are taken for holidays")
    return _day(start), length


def _begins(event: Any, start: date, first: date, last: date) -> set[date]:
    """Every first day of the event within the span."""
    begins = {start} | _listed(event, "RDATE")
    rules = event.get("RRULE", [])
    for rule in rules if isinstance(rules, list) else [rules]:
        begins |= set(occurrences(_yearly(rule, start), first, last))
    return begins


def _yearly(rule: Any, start: date) -> Yearly:
    parts = {str(name).upper(): values for name, values in rule.items()}
    frequency = str(parts.get("FREQ", [""])[0]).upper()
    unread = sorted(set(parts) - _PARTS)
    if frequency != "YEARLY" or unread:
        what = f"FREQ={frequency}" if frequency != "YEARLY" else ", ".join(unread)
        raise BadInput(f"recurs by {what}, which is not read; only yearly dates are, or list the dates with RDATE")
    count = int(parts["COUNT"][0]) if "COUNT" in parts else None
    interval = int(parts.get("INTERVAL", [1])[0])
    if interval < 1 or (count is not None and not 0 < count <= _MAX_COUNTED):
        raise BadInput(f"INTERVAL and COUNT must be 1 or more, and COUNT at most {_MAX_COUNTED}")
    return Yearly(
        start=start,
        interval=interval,
        months=tuple(int(month) for month in parts.get("BYMONTH", ())),
        month_days=tuple(int(number) for number in parts.get("BYMONTHDAY", ())),
        weekdays=tuple(_on_weekday(str(text)) for text in parts.get("BYDAY", ())),
        until=_day(parts["UNTIL"][0]) if "UNTIL" in parts else None,
        count=count,
    )


def _on_weekday(text: str) -> OnWeekday:
    match = re.fullmatch(r"([+-]?\d{1,2})?([A-Z]{2})", text.upper())
    if match is None or match[2] not in _WEEKDAYS:
        raise BadInput(f"BYDAY={text} names no weekday")
    return OnWeekday(weekday=_WEEKDAYS.index(match[2]), nth=int(match[1] or 0))


def _listed(event: Any, name: str) -> set[date]:
    lists = event.get(name, [])
    return {_day(one.dt) for each in (lists if isinstance(lists, list) else [lists]) for one in each.dts}


def _day(moment: date | datetime) -> date:
    return moment.date() if isinstance(moment, datetime) else moment


def _days(first: date, length: timedelta) -> Iterator[date]:
    for number in range(length.days):
        yield first + number * _DAY
