"""Nights: the instants of one window of a shift, and which night it is.

Wall-clock times become instants by one rule, here and in the Temporal Schedule alike: a time that the clock leaves out
in spring means the first instant after the gap; one that comes twice in autumn means the first of the two. So a window
over a change of the clock is an hour shorter or longer than usual, and no night is left out or doubled.

The caller brings the zone (``ZoneInfo(plan.zone)``), because what a name means is data of the machine. Workflows
therefore do not call this: their activities do.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from thirdshift.core.frozen import Frozen
from thirdshift.core.shifts import ShiftPlan, Weekday

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
_DAYS_LOOKED_AT = 3660
"""Ten years: a plan that has no night in them has none."""
_LAST_DAY = date(9990, 1, 1)
CLOSING_TIME = timedelta(minutes=15)
"""A night is over at least so long before the next one opens: its last words, its books and its report are made then.

A Schedule that finds the night before still at that would skip the next one.
"""


class Night(Frozen):
    """One window of a shift, as instants. ``id`` is also the key of the night's budget scope."""

    id: str
    """``<shift>|<date>``; started by hand outside its window, ``<shift>|<date>#<hour>:<minute>:<second>``, in UTC."""
    shift: str
    day: date
    """The local date on which the window opens."""
    opens_at: datetime
    drains_at: datetime
    """No step is begun from here on."""
    closes_at: datetime
    """Whatever still runs is cut off here."""
    by_hand: bool = False


class NightWindow(Frozen):
    """The part of a night that a job and its loops keep to, and the workflow that wants to hear of them."""

    night: str
    """``Night.id``."""
    shift_workflow: str
    """Id of the ``Shift`` workflow of that night."""
    drains_at: datetime
    closes_at: datetime


class WhichNight(Frozen):
    """The night that a start is for; None where there is nothing to open, and ``why`` then says so."""

    night: Night | None
    why: str = ""


def which_night(plan: ShiftPlan, started_at: datetime, scheduled_at: datetime | None, zone: tzinfo) -> WhichNight:
    """The night that a start is for, however late jitter, catch-up or a server that was down made it.

    ``scheduled_at`` is the time that the Schedule meant (``TemporalScheduledStartTime``). A trigger by a person has one
    as well, the moment of the trigger: that is no window's opening, so it counts as a start by hand, within the window
    if there is one, else for a night of its own.
    """
    opened = _opened_at(plan, scheduled_at, zone) if scheduled_at is not None else None
    if opened is not None:
        if started_at < opened.closes_at:
            return WhichNight(night=opened)
        return WhichNight(night=None, why=f"the window of {opened.day} was over at {opened.closes_at:%H:%M:%S} UTC")
    if scheduled_at is not None and _is_second_time(plan, scheduled_at, zone):
        why = f"the clock shows {plan.opens:%H:%M} for the second time; this night opened at the first"
        return WhichNight(night=None, why=why)
    if within := night_at(plan, started_at, zone):
        return WhichNight(night=within)
    by_hand = night_by_hand(plan, started_at, zone)
    if by_hand.closes_at > by_hand.opens_at:
        return WhichNight(night=by_hand)
    upcoming = next_nights(plan, started_at, 1, zone)[0]
    why = f"the next window opens at {upcoming.opens_at:%H:%M:%S} UTC, too soon for a night of its own before it"
    return WhichNight(night=None, why=why)


def night_at(plan: ShiftPlan, now: datetime, zone: tzinfo) -> Night | None:
    """The night whose window contains ``now``; None between windows, and on days that the plan leaves out."""
    around = _nights_from(plan, now.astimezone(zone).date() - 2 * _DAY, zone, days=4)
    return next((night for night in around if night.opens_at <= now < night.closes_at), None)


def night_by_hand(plan: ShiftPlan, now: datetime, zone: tzinfo) -> Night:
    """A night that begins now: as long as the window usually is, but over before the next one opens.

    It has no length where that is within ``CLOSING_TIME``.
    """
    opens_at = now.astimezone(UTC)
    closes_at = opens_at + usual_length(plan)
    for following in next_nights(plan, now, 1, zone):
        closes_at = max(opens_at, min(closes_at, following.opens_at - CLOSING_TIME))
    return Night(
        id=f"{plan.name}|{opens_at:%Y-%m-%d#%H:%M:%S}",
        shift=plan.name,
        day=now.astimezone(zone).date(),
        opens_at=opens_at,
        drains_at=_drains_at(plan, opens_at, closes_at),
        closes_at=closes_at,
        by_hand=True,
    )


def next_nights(plan: ShiftPlan, after: datetime, count: int, zone: tzinfo) -> tuple[Night, ...]:
    """The next nights that open after an instant, at most ``count``; fewer where ten years have no more."""
    found: list[Night] = []
    if count > 0 and plan.weekdays:
        for night in _nights_from(plan, after.astimezone(zone).date() - 2 * _DAY, zone, days=_DAYS_LOOKED_AT):
            if night.opens_at > after:
                found.append(night)
            if len(found) == count:
                break
    return tuple(found)


def usual_length(plan: ShiftPlan) -> timedelta:
    """How long the window is by the clock on the wall, on a night without a change."""
    span = datetime.combine(date.min, plan.closes) - datetime.combine(date.min, plan.opens)
    return span if span > timedelta(0) else span + _DAY


def has_night(plan: ShiftPlan, day: date) -> bool:
    """Whether the plan opens a window on this date."""
    return Weekday(tuple(Weekday)[day.weekday()]) in plan.weekdays and day not in plan.holidays


def night_of(plan: ShiftPlan, day: date, zone: tzinfo) -> Night | None:
    """The night that opens on a local date; None on weekdays and holidays that the plan leaves out.

    None as well for a date that the zone itself leaves out, as Apia did when it crossed the date line.
    """
    if not has_night(plan, day) or instant_of(day, time(0), zone) == instant_of(day + _DAY, time(0), zone):
        return None
    opens_at = instant_of(day, plan.opens, zone)
    closes_at = instant_of(day if plan.closes > plan.opens else day + _DAY, plan.closes, zone)
    if closes_at <= opens_at:
        # The whole window is in the hour that is left out: it comes after it, as long as it is.
        closes_at = opens_at + usual_length(plan)
    closes_at = min(closes_at, instant_of(day + _DAY, plan.opens, zone) - CLOSING_TIME)
    return Night(
        id=f"{plan.name}|{day}",
        shift=plan.name,
        day=day,
        opens_at=opens_at,
        drains_at=_drains_at(plan, opens_at, closes_at),
        closes_at=closes_at,
    )


def instant_of(day: date, wall: time, zone: tzinfo) -> datetime:
    """The instant of a wall-clock time, in UTC: after a gap its first instant, of two the first."""
    local = datetime.combine(day, wall, tzinfo=zone)
    early, late = local.replace(fold=0).astimezone(UTC), local.replace(fold=1).astimezone(UTC)
    if early <= late:
        return early
    # A gap: with fold=0 the offset before it was used, which gives an instant after the gap, and the other way round.
    low, high, before = late, early, late.astimezone(zone).utcoffset()
    while high - low > _SECOND:
        middle = low + (high - low) // _SECOND // 2 * _SECOND
        low, high = (middle, high) if middle.astimezone(zone).utcoffset() == before else (low, middle)
    return high


def _drains_at(plan: ShiftPlan, opens_at: datetime, closes_at: datetime) -> datetime:
    return max(opens_at, closes_at - timedelta(seconds=plan.drain_seconds))


def _opened_at(plan: ShiftPlan, scheduled_at: datetime, zone: tzinfo) -> Night | None:
    """The night whose opening the Schedule meant. It may mean a second later: see ``STEPPED_ASIDE``."""
    around = _nights_from(plan, scheduled_at.astimezone(zone).date() - 2 * _DAY, zone, days=4)
    for night in around:
        if timedelta(0) <= scheduled_at - night.opens_at <= STEPPED_ASIDE:
            return night
    return None


def _is_second_time(plan: ShiftPlan, scheduled_at: datetime, zone: tzinfo) -> bool:
    local = scheduled_at.astimezone(zone)
    return local.fold == 1 and local.time() == plan.opens and has_night(plan, local.date())


def _nights_from(plan: ShiftPlan, first: date, zone: tzinfo, days: int) -> Iterator[Night]:
    for number in range(days):
        day = first + number * _DAY
        if day > _LAST_DAY:
            return
        night = night_of(plan, day, zone)
        if night is not None:
            yield night


STEPPED_ASIDE = _SECOND
"""By so much a Schedule starts late on a night that opens near a change of the clock; see ``calendar_entries``."""
