"""Dates that come back every year, by RFC 5545, section 3.3.10: the part of it that holidays use.

Written out rather than taken from a library because it has to end: a rule that no date ever matches costs a general
expansion the years up to 9999.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterator
from datetime import date

from thirdshift.core.frozen import Frozen


class OnWeekday(Frozen):
    """``BYDAY``: Monday is 0; ``nth`` counts within the month or year, from its end where negative; 0 means each."""

    weekday: int
    nth: int = 0


class Yearly(Frozen):
    """One ``RRULE`` with ``FREQ=YEARLY``."""

    start: date
    """``DTSTART``, which is an occurrence whether it matches or not."""
    interval: int = 1
    months: tuple[int, ...] = ()
    month_days: tuple[int, ...] = ()
    weekdays: tuple[OnWeekday, ...] = ()
    until: date | None = None
    count: int | None = None


def occurrences(rule: Yearly, first: date, last: date) -> tuple[date, ...]:
    """The rule's dates from ``first`` to ``last``, both included, in order."""
    end = min(last, rule.until) if rule.until else last
    found = []
    for number, day in enumerate(_dates(rule, first, end)):
        if rule.count is not None and number >= rule.count:
            break
        if day >= first:
            found.append(day)
    return tuple(found)


def _dates(rule: Yearly, first: date, end: date) -> Iterator[date]:
    year = rule.start.year
    if rule.start <= end:
        yield rule.start
    if rule.count is None and first.year > year:
        # Nothing is counted, so the years before may be left out.
        year += (first.year - year) // rule.interval * rule.interval
    for at in range(year, end.year + 1, rule.interval):
        for day in _in_year(rule, at):
            if rule.start < day <= end:
                yield day


def _in_year(rule: Yearly, year: int) -> Iterator[date]:
    months = rule.months or (() if rule.weekdays or rule.month_days else (rule.start.month,))
    for month in sorted(months or range(1, 13)):
        for number in range(1, monthrange(year, month)[1] + 1):
            day = date(year, month, number)
            if _fits(rule, day, within_month=bool(months or rule.month_days)):
                yield day


def _fits(rule: Yearly, day: date, *, within_month: bool) -> bool:
    length = monthrange(day.year, day.month)[1]
    if rule.month_days and day.day not in rule.month_days and day.day - length - 1 not in rule.month_days:
        return False
    if not rule.weekdays:
        return bool(rule.month_days) or day.day == rule.start.day
    if within_month:
        ahead, behind = (day.day - 1) // 7 + 1, -((length - day.day) // 7 + 1)
    else:
        ahead = (day - date(day.year, 1, 1)).days // 7 + 1
        behind = -((date(day.year, 12, 31) - day).days // 7 + 1)
    return any(on.weekday == day.weekday() and on.nth in (0, ahead, behind) for on in rule.weekdays)
