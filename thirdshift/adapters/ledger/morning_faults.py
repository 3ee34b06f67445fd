"""A night's failed calls, as ``call_model`` notes them: the kind of fault, a colon, and what the vendor said."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, and_, func, or_, select

from thirdshift.adapters.ledger.tables import calls, tallies
from thirdshift.core.errors import FaultKind
from thirdshift.core.ledger import CallState
from thirdshift.core.morning_facts import FaultAt

_KINDS = frozenset(kind.value for kind in FaultKind)
_PUT_OFF = frozenset(
    kind.value
    for kind in (FaultKind.RATE_LIMITED, FaultKind.QUOTA_EXHAUSTED, FaultKind.OVERLOADED, FaultKind.UNREACHABLE)
)
_FAILED = _KINDS - _PUT_OFF
_LOST = (CallState.RELEASED.value, CallState.UNKNOWN.value)

_again = calls.alias("again")
_NEXT = (
    select(_again.c.opened_at)
    .where(_again.c.attempt_id == calls.c.attempt_id, _again.c.step == calls.c.step, _again.c.call_id > calls.c.call_id)
    .order_by(_again.c.call_id)
    .limit(1)
    .scalar_subquery()
)
_LOST_CALLS = tallies.join(
    calls, and_(calls.c.attempt_id == tallies.c.attempt_id, calls.c.tally_id == tallies.c.tally_id)
)
_ARE_LOST = (calls.c.state.in_(_LOST), tallies.c.released_calls + tallies.c.unknown_calls > 0)
_FAULTS: Select[Any] = (
    select(tallies.c.model, calls.c.note, calls.c.state, calls.c.opened_at, calls.c.closed_at, _NEXT.label("next_at"))
    .select_from(_LOST_CALLS)
    .where(*_ARE_LOST)
)


def faults_of(connection: Connection, sets: Select[Any]) -> list[FaultAt]:
    """What providers did to calls of these scope sets, by model and kind. A call that was stopped is no fault."""
    found: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for row in connection.execute(_FAULTS.where(tallies.c.set_id.in_(sets))):
        kind = row.note.partition(":")[0]
        if kind in _KINDS:
            found[(row.model, kind)].append(row)
    return [
        FaultAt(
            model=model,
            kind=kind,
            calls=len(rows),
            unknown=sum(row.state == CallState.UNKNOWN.value for row in rows),
            first=min(row.opened_at for row in rows),
            last=max(row.opened_at for row in rows),
            waited_seconds=sum(_waited(row.closed_at, row.next_at) for row in rows),
        )
        for (model, kind), rows in sorted(found.items(), key=lambda one: one[0])
    ]


def lost_calls(connection: Connection, sets: Select[Any]) -> tuple[int, int]:
    """How many calls of these scope sets a provider has failed, and how many it has only put off.

    To be told to wait is no anomaly, nor is to reach nobody: nothing was billed, and the job waits the outage out or
    somebody else is asked. A call that was stopped, or came after its window, is neither.
    """
    count = select(func.count()).select_from(_LOST_CALLS).where(*_ARE_LOST, tallies.c.set_id.in_(sets))
    return _of_kinds(connection, count, _FAILED), _of_kinds(connection, count, _PUT_OFF)


def _of_kinds(connection: Connection, count: Select[Any], kinds: Iterable[str]) -> int:
    mine = or_(*(calls.c.note.startswith(f"{kind}:") for kind in sorted(kinds)))
    return int(connection.execute(count.where(mine)).scalar_one())


def _waited(failed_at: datetime | None, next_at: datetime | None) -> float:
    """Until the same step was asked for again; nothing where it never was."""
    if failed_at is None or next_at is None:
        return 0.0
    return max(0.0, (next_at - failed_at).total_seconds())
