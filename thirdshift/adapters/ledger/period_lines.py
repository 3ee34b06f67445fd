"""What attempts used within a period, by day: from the hourly tallies, and from calls where an hour is cut."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, case, func, select

from thirdshift.adapters.ledger.tables import EPOCH, MICROSECOND, calls, tallies
from thirdshift.core.ledger import CallState
from thirdshift.core.periods import HOUR_SECONDS, Period
from thirdshift.core.questions import Line

_HOUR = timedelta(seconds=HOUR_SECONDS)
_LAST_HOUR = 2**31 - 1
"""Past every hour that is in the books."""
_SENT = (CallState.HELD.value, CallState.SETTLED.value, CallState.UNKNOWN.value)


def hours_of(period: Period) -> tuple[int, int]:
    """The first and the last hour, counted from 1970 in UTC, that the period has a part of."""
    first = 0 if period.since is None else (period.since - EPOCH) // _HOUR
    # What ends on the hour has no part of the hour that then begins.
    last = _LAST_HOUR if period.until is None else (period.until - EPOCH - MICROSECOND) // _HOUR
    return first, last


def period_lines(connection: Connection, period: Period, job_id: str | None) -> list[Line]:
    """One line for each tally within the period; for each attempt and day where single calls had to be read."""
    first, last = hours_of(period)
    here = [tallies.c.hour >= first, tallies.c.hour <= last]
    if job_id is not None:
        here.append(tallies.c.job_id == job_id)
    day_of = lru_cache(maxsize=None)(lambda hour: _day(hour, period))
    lines, cut = [], set()
    for row in connection.execute(_TALLIES.where(*here)).all():
        day = day_of(row[6])
        if day is None:
            cut.add(row[6])
        elif row[7]:
            lines.append(Line._make((*row[:6], day, *row[7:])))
    for hour in sorted(cut):
        lines += _from_calls(connection, period, [*here, tallies.c.hour == hour])
    return lines


def lines_of_sets(connection: Connection, sets: Select[Any]) -> list[Line]:
    """One line for each tally of these scope sets, whenever it was; days are UTC's."""
    rows = connection.execute(_TALLIES.where(tallies.c.set_id.in_(sets))).all()
    return [Line._make((*row[:6], datetime.fromtimestamp(row[6] * HOUR_SECONDS, UTC).date(), *row[7:])) for row in rows]


def _day(hour: int, period: Period) -> date | None:
    """The day that all of an hour belongs to; None where it has to be cut."""
    if period.cuts_hour(hour):
        return None
    return period.day_of(datetime.fromtimestamp(hour * HOUR_SECONDS, UTC) + timedelta(seconds=1))


def _settled(billing: str, column: ColumnElement[int]) -> ColumnElement[int]:
    return case((tallies.c.billing == billing, column), else_=0)


_INPUT = ("input_tokens", "cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens")
_KEY = (tallies.c.attempt_id, tallies.c.job_id, tallies.c.role, tallies.c.model, tallies.c.tier, tallies.c.reason)
_TALLIES = select(
    *_KEY,
    tallies.c.hour,
    (tallies.c.held_calls + tallies.c.settled_calls + tallies.c.unknown_calls).label("calls"),
    _settled("metered", tallies.c.settled_nano),
    _settled("imputed", tallies.c.settled_nano),
    _settled("metered", tallies.c.unknown_nano),
    _settled("metered", tallies.c.held_nano),
    sum((tallies.c[name] for name in _INPUT[1:]), start=tallies.c[_INPUT[0]]).label("read"),
    tallies.c.cache_read_tokens,
    tallies.c.output_tokens,
    tallies.c.reasoning_tokens,
    tallies.c.milliseconds,
)


def _count(name: str) -> ColumnElement[int]:
    return func.coalesce(calls.c[name], 0)


def _in_state(state: CallState, billing: str, column: Any) -> ColumnElement[int]:
    return case(((calls.c.state == state.value) & (tallies.c.billing == billing), column), else_=0)


_CALLS = (
    select(
        *_KEY,
        calls.c.opened_at,
        _in_state(CallState.SETTLED, "metered", calls.c.cost_nano),
        _in_state(CallState.SETTLED, "imputed", calls.c.cost_nano),
        _in_state(CallState.UNKNOWN, "metered", calls.c.hold_nano),
        _in_state(CallState.HELD, "metered", calls.c.hold_nano),
        sum((_count(name) for name in _INPUT[1:]), start=_count(_INPUT[0])),
        _count("cache_read_tokens"),
        _count("output_tokens"),
        _count("reasoning_tokens"),
        calls.c.milliseconds,
    )
    .select_from(
        # Calls are indexed by attempt, and a tally has one attempt.
        tallies.join(calls, (calls.c.attempt_id == tallies.c.attempt_id) & (calls.c.tally_id == tallies.c.tally_id))
    )
    .where(calls.c.state.in_(_SENT))
)


def _from_calls(connection: Connection, period: Period, here: list[ColumnElement[bool]]) -> list[Line]:
    found: dict[tuple[Any, ...], list[int]] = {}
    for row in connection.execute(_CALLS.where(*here)):
        if not period.has(row[6]):
            continue
        sums = found.setdefault((*row[:6], period.day_of(row[6])), [0] * 10)
        for place, amount in enumerate((1, *row[7:])):
            sums[place] += amount
    return [Line(*key, *sums) for key, sums in found.items()]
