"""The calls that may be waste by themselves: long ones, those whose tools told nothing, those whose answer was unused."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, func, select, text, tuple_

from thirdshift.adapters.ledger.price_lists import rates_of
from thirdshift.adapters.ledger.question_tables import LONG_INPUT, tool_steps
from thirdshift.adapters.ledger.tables import attempts, call_keys, calls, messages, tallies
from thirdshift.adapters.ledger.talk import ANSWER
from thirdshift.adapters.ledger.transitions import USAGE_COLUMNS
from thirdshift.core.ledger import CallState
from thirdshift.core.periods import Period
from thirdshift.core.questions import Money, OddCall
from thirdshift.core.rates import Rates
from thirdshift.core.usage import Usage
from thirdshift.core.waste import long_context_nano

_CHARGED = (CallState.SETTLED.value, CallState.UNKNOWN.value)
_AT_ONCE = 400
"""Pairs in one query: well under the number of variables that SQLite allows."""


@dataclass(slots=True)
class _Odd:
    attempt_id: int
    money: Money
    long_nano: int = 0
    wasted_tool: bool = False
    unnecessary: bool = False

    def told(self) -> OddCall:
        metered, imputed = (self.long_nano if kind else 0 for kind in self.money[:2])
        return OddCall(self.attempt_id, self.money, Money(metered, imputed), self.wasted_tool, self.unnecessary)


_BASE = select(
    calls.c.call_id, calls.c.attempt_id, calls.c.state, calls.c.hold_nano, calls.c.cost_nano, tallies.c.billing
).join(tallies, tallies.c.tally_id == calls.c.tally_id)


def odd_calls(connection: Connection, period: Period, job_id: str | None) -> list[OddCall]:
    """Each once, with every reason that applies."""
    found: dict[int, _Odd] = {}
    here = _within(period, job_id)
    wasted = _BASE.join(tool_steps, tool_steps.c.call_id == calls.c.call_id).where(text("tool_steps.wasted = 1"))
    for row in connection.execute(wasted.where(calls.c.state.in_(_CHARGED), *here)):
        _of(found, row).wasted_tool = True
    for row in _unused(connection, here, job_id):
        _of(found, row).unnecessary = True
    for row, cost in _long(connection, here):
        _of(found, row).long_nano = cost
    return [odd.told() for odd in found.values()]


def _within(period: Period, job_id: str | None) -> list[ColumnElement[bool]]:
    bounds: list[ColumnElement[bool]] = []
    if period.since is not None:
        bounds.append(calls.c.opened_at >= period.since)
    if period.until is not None:
        bounds.append(calls.c.opened_at < period.until)
    if job_id is not None:
        bounds.append(tallies.c.job_id == job_id)
    return bounds


def _of(found: dict[int, _Odd], row: Row[Any]) -> _Odd:
    odd = found.get(row.call_id)
    if odd is None:
        metered = row.billing == "metered"
        if row.state == CallState.UNKNOWN.value:
            money = Money(unknown=row.hold_nano if metered else 0)
        else:
            money = Money(metered=row.cost_nano) if metered else Money(imputed=row.cost_nano)
        odd = found[row.call_id] = _Odd(row.attempt_id, money)
    return odd


def _unused(connection: Connection, here: list[ColumnElement[bool]], job_id: str | None) -> Iterable[Row[Any]]:
    """Calls of a step that another call answered; of a step that none did, all but the last."""
    # No column but the index's, so that a million calls are counted without being read.
    twice = select(calls.c.attempt_id, calls.c.step).group_by(calls.c.attempt_id, calls.c.step)
    if job_id is not None:
        twice = twice.where(calls.c.attempt_id.in_(select(attempts.c.attempt_id).where(attempts.c.job_id == job_id)))
    steps = [tuple(row) for row in connection.execute(twice.having(func.count() > 1))]
    for begin in range(0, len(steps), _AT_ONCE):
        pairs = steps[begin : begin + _AT_ONCE]
        standing = {
            (row.attempt_id, row.step): row.call_id
            for row in connection.execute(_STANDING.where(tuple_(messages.c.attempt_id, messages.c.step).in_(pairs)))
        }
        query = _BASE.add_columns(calls.c.step).where(
            tuple_(calls.c.attempt_id, calls.c.step).in_(pairs), calls.c.state.in_(_CHARGED), *here
        )
        rows = connection.execute(query.order_by(calls.c.call_id)).all()
        last = {(row.attempt_id, row.step): row.call_id for row in rows}
        yield from (row for row in rows if {**last, **standing}[(row.attempt_id, row.step)] != row.call_id)


_STANDING: Select[Any] = select(messages.c.attempt_id, messages.c.step, messages.c.call_id).where(
    messages.c.slot == ANSWER
)


def _long(connection: Connection, here: list[ColumnElement[bool]]) -> Iterable[tuple[Row[Any], int]]:
    """Settled calls that read very much, and the part of their cost that is due to that."""
    query = (
        _BASE.add_columns(call_keys.c.price_snapshot, *(calls.c[name] for name in USAGE_COLUMNS))
        .join(call_keys, call_keys.c.call_id == calls.c.call_id)
        .where(text(LONG_INPUT), calls.c.state == CallState.SETTLED.value, *here)
    )
    lists: dict[str, Rates | None] = {}
    for row in connection.execute(query).all():
        if row.price_snapshot not in lists:
            lists[row.price_snapshot] = rates_of(connection, row.price_snapshot)
        usage = Usage(**{name: row._mapping[name] or 0 for name in USAGE_COLUMNS})
        yield row, long_context_nano(row.cost_nano, usage, lists[row.price_snapshot])
