"""Stretches of time that reports are asked for, and the days and weeks that they fall into."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo

_AGO = re.compile(r"(\d{1,5})([hdw])")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}
HOUR_SECONDS = 3600


@dataclass(frozen=True)
class Period:
    """From ``since`` up to but not including ``until``; None is open. Days are those of ``zone``."""

    since: datetime | None = None
    until: datetime | None = None
    zone: tzinfo = UTC

    def has(self, moment: datetime | None) -> bool:
        """Whether it lies within the period; what has not happened does not."""
        if moment is None:
            return False
        return (self.since is None or moment >= self.since) and (self.until is None or moment < self.until)

    def day_of(self, moment: datetime) -> date:
        """The day on which it is, in the period's zone."""
        return moment.astimezone(self.zone).date()

    @property
    def words(self) -> str:
        """For people: what is in and what is not."""
        since = "the beginning" if self.since is None else self._shown(self.since)
        until = "now" if self.until is None else f"{self._shown(self.until)} (not included)"
        return f"from {since} to {until}, {self.zone}"

    def _shown(self, moment: datetime) -> str:
        local = moment.astimezone(self.zone)
        midnight = local.timetz().replace(tzinfo=None) == time(0)
        return f"{local:%Y-%m-%d}" if midnight else f"{local:%Y-%m-%d %H:%M}"

    def cuts_hour(self, hour: int) -> bool:
        """Whether a border of the period, or a midnight, lies inside this hour (counted from 1970 in UTC).

        Zones with whole-hour offsets have no midnight inside an hour; India's and Nepal's do.
        """
        begin = datetime.fromtimestamp(hour * HOUR_SECONDS, UTC)
        last = begin + timedelta(seconds=HOUR_SECONDS, microseconds=-1)
        return self.day_of(begin) != self.day_of(last) or any(
            border is not None and begin < border <= last for border in (self.since, self.until)
        )


def parse_moment(text: str, now: datetime, zone: tzinfo, *, end: bool = False) -> datetime:
    """The moment that a person means; ``end`` says that a day means its end.

    ``2026-03-01``, ``today``, ``yesterday`` are days of the zone; ``2026-03-01T22:30`` is a time in it unless it has an
    offset of its own; ``36h``, ``7d`` and ``2w`` lie before ``now``. Raises ValueError.
    """
    words = text.strip().lower()
    if match := _AGO.fullmatch(words):
        return now - int(match[1]) * _UNITS[match[2]]
    today = now.astimezone(zone).date()
    named = {"today": today, "yesterday": today - timedelta(days=1)}
    try:
        day = named.get(words) or date.fromisoformat(words)
        return day_start(day + timedelta(days=int(end)), zone)
    except (ValueError, OverflowError):
        pass
    try:
        moment = datetime.fromisoformat(text.strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise ValueError(
            f"{text!r} is no time; write a day (2026-03-01, today, yesterday), a time (2026-03-01T22:30) "
            "or how long ago (36h, 7d, 2w)"
        ) from None


def day_start(day: date, zone: tzinfo) -> datetime:
    """When the day begins in the zone, in UTC. A day that a clock change begins late begins when it does."""
    return datetime.combine(day, time(0), zone).astimezone(UTC)


def week_of(day: date) -> date:
    """The Monday of its ISO week."""
    return day - timedelta(days=day.weekday())


def week_name(monday: date) -> str:
    """``2026-W09 (Feb 23)``."""
    year, week, _ = monday.isocalendar()
    return f"{year}-W{week:02} ({monday:%b} {monday.day})"
