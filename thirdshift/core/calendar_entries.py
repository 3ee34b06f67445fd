"""When a shift's Temporal Schedule fires, so that each night begins once at the instant that ``core.nights`` gives it.

A Schedule is told wall-clock times of a zone. What the server (measured: 1.32) makes of them near a change of the clock
is not what a night wants. A time that is left out in spring it mostly fires not at all, and sometimes late. One that
comes twice in autumn it fires twice in America/New_York, and at the second only in Europe/Berlin. One in the hour
before, such as 01:30 in Berlin, it fires twice as well, the second time at 02:30. So the few nights that open near a
change are taken out of the rule, and are stated one by one as instants, for as many years as the clocks' rules can be
trusted. A window that opens in the evening, as nearly every one does, needs no such entry.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, tzinfo

from thirdshift.core.frozen import Frozen
from thirdshift.core.nights import STEPPED_ASIDE, has_night, instant_of
from thirdshift.core.shifts import ShiftPlan, Weekday

YEARS_AHEAD = 10
_DAY = timedelta(days=1)
_NEAR = timedelta(hours=2)
"""The server was at most 90 minutes off, in a zone that changes its clock by 30."""


class LeftOut(Frozen):
    """Wall-clock times of one date at which nothing is to fire: of the hours from first to last, at whole minutes."""

    day: date
    first_hour: int
    last_hour: int
    minute: int | None = None
    """None: every minute."""


class CalendarEntries(Frozen):
    """What a Schedule is told: a rule for ever, what is taken out of it, and what is added to it."""

    zone: str
    opens: time
    weekdays: tuple[Weekday, ...]
    left_out: tuple[LeftOut, ...]
    """Holidays, and hours in which the server would go wrong."""
    instants: tuple[datetime, ...]
    """Openings near a change of the clock, a second late, so that what is left out does not hit them as well."""
    through: int
    """The last year that has been looked at; 0 where no year needs an entry."""


def calendar_entries(plan: ShiftPlan, today: date, zone: tzinfo, years: int = YEARS_AHEAD) -> CalendarEntries:
    """The entries from ``today`` on, through the year that is ``years`` from now."""
    end = date(today.year + years, 12, 31)
    hour, minute = plan.opens.hour, plan.opens.minute
    left_out = [
        LeftOut(day=day, first_hour=hour, last_hour=hour, minute=minute) for day in plan.holidays if today - _DAY <= day
    ]
    instants = []
    for number in range(-1, (end - today).days + 1):
        day = today + number * _DAY
        opens_at = instant_of(day, plan.opens, zone)
        if _offset(opens_at - _NEAR, zone) == _offset(opens_at + _NEAR, zone):
            continue
        left_out += _hours_around(day, hour)
        if has_night(plan, day):
            instants.append(opens_at + STEPPED_ASIDE)
    near = any(entry.minute is None for entry in left_out)
    return CalendarEntries(
        zone=plan.zone,
        opens=plan.opens,
        weekdays=plan.weekdays,
        left_out=tuple(left_out),
        instants=tuple(instants),
        through=end.year if near else 0,
    )


def _hours_around(day: date, hour: int) -> list[LeftOut]:
    """Two hours to each side; what reaches into a neighbouring date never reaches that date's own opening."""
    span = int(_NEAR / timedelta(hours=1))
    first, last = hour - span, hour + span
    found = [LeftOut(day=day, first_hour=max(first, 0), last_hour=min(last, 23))]
    if first < 0:
        found.append(LeftOut(day=day - _DAY, first_hour=first % 24, last_hour=23))
    if last > 23:
        found.append(LeftOut(day=day + _DAY, first_hour=0, last_hour=last % 24))
    return found


def _offset(instant: datetime, zone: tzinfo) -> timedelta | None:
    return instant.astimezone(zone).utcoffset()
