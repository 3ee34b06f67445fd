"""The lines of calls that wait for money, one for each limited scope: by priority, then by who came first.

What those ahead need is left to them, so a large hold is not starved by small ones behind it. A call waits by asking
again; one that stops asking (its loop was stopped, its worker died) is forgotten after a while and blocks nobody. All
of it happens under the scopes' row locks. A wrong clock can cost a place in the line, and never a nano-dollar.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy import Connection, bindparam, delete, select, update

from thirdshift.adapters.ledger.dialect import add_if_new
from thirdshift.adapters.ledger.room import Ahead, Room
from thirdshift.adapters.ledger.tables import waiting
from thirdshift.core.calls import WAITER_FORGOTTEN_SECONDS
from thirdshift.core.ledger import CallOpening

_FORGOTTEN = timedelta(seconds=WAITER_FORGOTTEN_SECONDS)

_IN_LINE = select(waiting).where(waiting.c.scope_id.in_(bindparam("ids", expanding=True)))
_REFRESH = (
    update(waiting)
    .where(waiting.c.waiter == bindparam("me"), waiting.c.scope_id == bindparam("scope"))
    .values(seen_at=bindparam("now"), needed_nano=bindparam("needed"), priority=bindparam("rank"))
)
_LEAVE = delete(waiting).where(waiting.c.waiter == bindparam("me"))
_NEEDS_NOTHING = update(waiting).where(waiting.c.waiter == bindparam("me")).values(needed_nano=0)
_SWEEP = delete(waiting).where(
    waiting.c.scope_id.in_(bindparam("ids", expanding=True)), waiting.c.seen_at < bindparam("before")
)
_LEAVE_ALL = delete(waiting).where(waiting.c.owner_id == bindparam("owner"))


def name_in_line(opening: CallOpening) -> str:
    """Who waits: the activity, through all its retries."""
    return f"{opening.key.workflow_id}/{opening.key.run_id}/{opening.key.activity_id}"


def who_is_ahead(connection: Connection, opening: CallOpening, scope_ids: Sequence[int]) -> dict[int, Ahead]:
    """For each scope with a line, what stands before this call in it."""
    rows = connection.execute(_IN_LINE, {"ids": list(scope_ids)}).all() if scope_ids else []
    me, now = name_in_line(opening), opening.opened_at
    mine = {row.scope_id: (-opening.priority, row.since, row.waiter) for row in rows if row.waiter == me}
    found: dict[int, Ahead] = {}
    for row in rows:
        my_place = mine.get(row.scope_id, (-opening.priority, now, me))
        if row.waiter == me or now - row.seen_at > _FORGOTTEN or (-row.priority, row.since, row.waiter) > my_place:
            continue
        before = found.get(row.scope_id, Ahead())
        found[row.scope_id] = Ahead(before.calls + 1, before.needed_nano + row.needed_nano)
    return found


def stand_in_line(connection: Connection, opening: CallOpening, rooms: Sequence[Room]) -> bool:
    """Take or keep a place in the line of every limited scope; whether it is a new one."""
    ids = sorted(room.scope_id for room in rooms)
    connection.execute(_SWEEP, {"ids": ids, "before": opening.opened_at - _FORGOTTEN})
    me, now = name_in_line(opening), opening.opened_at
    new = False
    for scope_id in ids:
        row = {
            "waiter": me,
            "scope_id": scope_id,
            "owner_id": opening.owner_id,
            "priority": opening.priority,
            "since": now,
            "seen_at": now,
            "needed_nano": opening.hold_nano,
        }
        if add_if_new(connection, waiting, row):
            new = True
        else:
            given = {"me": me, "scope": scope_id, "now": now, "needed": opening.hold_nano, "rank": opening.priority}
            connection.execute(_REFRESH, given)
    return new


def leave_line(connection: Connection, opening: CallOpening) -> None:
    """It has what it waited for, or needs it no more."""
    connection.execute(_LEAVE, {"me": name_in_line(opening)})


def need_nothing(connection: Connection, opening: CallOpening) -> None:
    """It cannot have so much at all. It keeps its place for a smaller hold and reserves nothing meanwhile."""
    connection.execute(_NEEDS_NOTHING, {"me": name_in_line(opening)})


def leave_all_lines(connection: Connection, owner_id: str) -> None:
    """The loop's attempt ended; none of its calls waits any more."""
    connection.execute(_LEAVE_ALL, {"owner": owner_id})
