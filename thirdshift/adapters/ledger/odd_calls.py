"""The calls that may be waste by themselves: long ones, and those whose tools told nothing or whose answer was unused.

Long calls may be many, so the database sums them by attempt and price list. Only where a list has several bands, or a
call is waste for another reason too, is a call priced by itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, case, func, select, text

from thirdshift.adapters.ledger import price_lists
from thirdshift.adapters.ledger.question_tables import LONG_INPUT, tool_steps
from thirdshift.adapters.ledger.tables import call_keys, calls, messages, tallies
from thirdshift.adapters.ledger.talk import ANSWER
from thirdshift.adapters.ledger.transitions import USAGE_COLUMNS
from thirdshift.core.ledger import CallState
from thirdshift.core.periods import Period
from thirdshift.core.questions import Money, OddCall
from thirdshift.core.rates import Rates
from thirdshift.core.usage import Usage
from thirdshift.core.waste import LONG_CONTEXT_TOKENS, Beyond, beyond_nano, long_context_nano

_CHARGED = (CallState.SETTLED.value, CallState.UNKNOWN.value)
_METERED = "metered"

_BILLING = tallies.c.tally_id == calls.c.tally_id
_KEY = call_keys.c.call_id == calls.c.call_id
_STEP = tool_steps.c.call_id == calls.c.call_id
_IS_WASTED = text("tool_steps.wasted = 1")
_IS_LONG = text(LONG_INPUT)
_NOT_LONG = text(f"({LONG_INPUT}) IS NOT TRUE")
_SETTLED = calls.c.state == CallState.SETTLED.value

_CALLS: Select[Any] = (
    select(
        calls.c.call_id,
        calls.c.attempt_id,
        calls.c.step,
        calls.c.state,
        calls.c.hold_nano,
        calls.c.cost_nano,
        *(calls.c[name] for name in USAGE_COLUMNS),
        tallies.c.billing,
        call_keys.c.price_snapshot,
        func.coalesce(tool_steps.c.wasted, 0).label("wasted"),
    )
    .select_from(calls.join(tallies, _BILLING).join(call_keys, _KEY).outerjoin(tool_steps, _STEP))
    .where(calls.c.state.in_(_CHARGED))
)

Lists = Mapping[str, Rates]


def odd_calls(connection: Connection, period: Period, job_id: str | None) -> list[OddCall]:
    """Each call once: by itself where several reasons apply to it or its answer was unused, else summed by attempt."""
    return odd_calls_where(connection, _within(period, job_id), job_id and [job_id])


def odd_calls_where(
    connection: Connection, here: list[ColumnElement[bool]], only: Sequence[str] | None
) -> list[OddCall]:
    """The same for calls that meet conditions on ``calls`` and ``tallies``; ``only``: of which jobs they are."""
    lists = {snapshot: rates for snapshot, (rates, _) in price_lists.read_all(connection).items()}
    long = _long_by_attempt(connection, here, lists)
    found = _wasted_by_attempt(connection, here)
    single = {row.call_id: row for row in _unused(connection, here, only) if not row.wasted}
    unused = set(single)
    single.update({row.call_id: row for row in connection.execute(_CALLS.where(_IS_WASTED, _IS_LONG, *here))})
    for call_id, row in single.items():
        part = _long_part(row, lists)
        if part:
            long[(row.attempt_id, row.billing)] = max(0, long[(row.attempt_id, row.billing)] - part)
        money, of_it = _money(row), _known(row.billing, part)
        found.append(OddCall(row.attempt_id, money, of_it, bool(row.wasted), call_id in unused))
    for (attempt_id, billing), nano in long.items():
        money = _known(billing, nano)
        found.append(OddCall(attempt_id, money, money, wasted_tool=False, unnecessary=False))
    return found


def _within(period: Period, job_id: str | None) -> list[ColumnElement[bool]]:
    bounds: list[ColumnElement[bool]] = []
    if period.since is not None:
        bounds.append(calls.c.opened_at >= period.since)
    if period.until is not None:
        bounds.append(calls.c.opened_at < period.until)
    if job_id is not None:
        bounds.append(tallies.c.job_id == job_id)
    return bounds


def _known(billing: str, nano: int) -> Money:
    return Money(metered=nano) if billing == _METERED else Money(imputed=nano)


def _money(row: Row[Any]) -> Money:
    if row.state == CallState.UNKNOWN.value:
        return Money(unknown=row.hold_nano if row.billing == _METERED else 0)
    return _known(row.billing, row.cost_nano)


def _usage(row: Row[Any]) -> Usage:
    return Usage(**{name: row._mapping[name] or 0 for name in USAGE_COLUMNS})


def _long_part(row: Row[Any], lists: Lists) -> int:
    if row.state != CallState.SETTLED.value or row.input_tokens is None:
        return 0
    return long_context_nano(row.cost_nano, _usage(row), lists.get(row.price_snapshot))


_READ = calls.c.input_tokens + calls.c.cache_read_tokens + calls.c.cache_write_5m_tokens + calls.c.cache_write_1h_tokens
_OVER = _READ - LONG_CONTEXT_TOKENS
_CACHED_OVER = case((calls.c.cache_read_tokens < _OVER, calls.c.cache_read_tokens), else_=_OVER)
# Whole numbers throughout: PostgreSQL and SQLite both divide them downwards.
_SHARE = calls.c.cost_nano * _OVER / (_READ + calls.c.output_tokens)
_LONG: Select[Any] = (
    select(
        calls.c.attempt_id,
        tallies.c.billing,
        call_keys.c.price_snapshot,
        func.sum(_CACHED_OVER).label("cached"),
        func.sum(_OVER - _CACHED_OVER).label("other"),
        func.sum(func.floor(_SHARE)).label("share"),
    )
    .select_from(calls.join(tallies, _BILLING).join(call_keys, _KEY))
    .where(_IS_LONG, _SETTLED)
    .group_by(calls.c.attempt_id, tallies.c.billing, call_keys.c.price_snapshot)
)


def _long_by_attempt(
    connection: Connection, here: list[ColumnElement[bool]], lists: Lists
) -> dict[tuple[int, str], int]:
    """What attempts paid for reading beyond the limit, by attempt and billing."""
    banded = [snapshot for snapshot, rates in lists.items() if len(rates.bands) > 1]
    found: dict[tuple[int, str], int] = defaultdict(int)
    for row in connection.execute(_LONG.where(call_keys.c.price_snapshot.not_in(banded), *here)):
        beyond = Beyond(cached_tokens=int(row.cached), other_tokens=int(row.other), share_nano=int(row.share))
        found[(row.attempt_id, row.billing)] += beyond_nano(beyond, lists.get(row.price_snapshot))
    if banded:
        for row in connection.execute(_CALLS.where(_IS_LONG, _SETTLED, call_keys.c.price_snapshot.in_(banded), *here)):
            found[(row.attempt_id, row.billing)] += _long_part(row, lists)
    return found


def _sum(state: CallState, billing: str, column: Any) -> ColumnElement[int]:
    return func.sum(case(((calls.c.state == state.value) & (tallies.c.billing == billing), column), else_=0))


_WASTED: Select[Any] = (
    select(
        calls.c.attempt_id,
        _sum(CallState.SETTLED, _METERED, calls.c.cost_nano),
        _sum(CallState.SETTLED, "imputed", calls.c.cost_nano),
        _sum(CallState.UNKNOWN, _METERED, calls.c.hold_nano),
    )
    .select_from(tool_steps.join(calls, _STEP).join(tallies, _BILLING))
    .where(_IS_WASTED, _NOT_LONG)
    .group_by(calls.c.attempt_id)
)


def _wasted_by_attempt(connection: Connection, here: list[ColumnElement[bool]]) -> list[OddCall]:
    return [
        OddCall(attempt_id, Money(*map(int, money)), Money(), wasted_tool=True, unnecessary=False)
        for attempt_id, *money in connection.execute(_WASTED.where(*here)).all()
    ]


def _unused(connection: Connection, here: list[ColumnElement[bool]], only: Sequence[str] | None) -> Iterable[Row[Any]]:
    """Calls of a step that another call answered; of a step that none did, all but the last."""
    # Steps are numbered without gaps: only an attempt with more calls than its last step has a step with two.
    again = select(calls.c.step).where(calls.c.attempt_id == tallies.c.attempt_id)
    last_step = again.order_by(calls.c.step.desc()).limit(1).scalar_subquery()
    made = tallies.c.held_calls + tallies.c.settled_calls + tallies.c.unknown_calls + tallies.c.released_calls
    several = select(tallies.c.attempt_id).group_by(tallies.c.attempt_id).having(func.sum(made) > last_step)
    if only is not None:
        several = several.where(tallies.c.job_id.in_(only))
    steps = (calls.c.attempt_id, calls.c.step)
    counted = select(*steps).where(calls.c.attempt_id.in_(several)).group_by(*steps)
    twice = counted.having(func.count() > 1).cte("twice")
    same = (calls.c.attempt_id == twice.c.attempt_id) & (calls.c.step == twice.c.step)
    answered = (
        (messages.c.attempt_id == twice.c.attempt_id) & (messages.c.step == twice.c.step) & (messages.c.slot == ANSWER)
    )
    found = _CALLS.add_columns(messages.c.call_id.label("standing")).join(twice, same).outerjoin(messages, answered)
    rows = connection.execute(found.where(*here).order_by(calls.c.call_id)).all()
    last = {(row.attempt_id, row.step): row.call_id for row in rows}
    return [row for row in rows if (row.standing or last[(row.attempt_id, row.step)]) != row.call_id]
