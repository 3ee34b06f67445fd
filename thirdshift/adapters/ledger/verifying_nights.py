"""What must hold between nights, jobs and events. A night's money is a scope, and is recomputed as every scope is."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Select, and_, func, or_, select

from thirdshift.adapters.ledger.event_tables import events
from thirdshift.adapters.ledger.night_tables import night_lines, nights
from thirdshift.adapters.ledger.tables import jobs
from thirdshift.core.audit import Difference
from thirdshift.core.night_book import LineState

_LOST_NIGHTS = (
    select(jobs.c.night, func.count())
    .where(jobs.c.night != "", jobs.c.night.not_in(select(nights.c.night_id)))
    .group_by(jobs.c.night)
    .order_by(jobs.c.night)
)
_OPEN_LINES = (
    select(night_lines.c.night_id, func.count())
    .join(nights, nights.c.night_id == night_lines.c.night_id)
    .where(nights.c.closed_at.is_not(None), night_lines.c.state == LineState.LISTED.value)
    .group_by(night_lines.c.night_id)
    .order_by(night_lines.c.night_id)
)
_HALF_DECIDED = select(events.c.number, func.count()).where(
    or_(
        and_(events.c.decided.is_(None), events.c.decided_at.is_not(None)),
        and_(events.c.decided.is_not(None), events.c.decided_at.is_(None)),
    )
)


def odd_nights(connection: Connection) -> list[Difference]:
    """Jobs of nights that are not there, lines that a closed night says nothing of, events decided by half."""
    return [
        *_odd(connection, _LOST_NIGHTS, "night {}, which is not in the books", "jobs"),
        *_odd(connection, _OPEN_LINES, "night {}, which is closed", "lines without a decision"),
        *_odd(
            connection, _HALF_DECIDED.group_by(events.c.number), "event {}", "decisions without a time, or the reverse"
        ),
    ]


def _odd(connection: Connection, query: Select[Any], where: str, field: str) -> list[Difference]:
    return [
        Difference(where=where.format(name), field=field, booked=0, recomputed=int(count), odd_rows=True)
        for name, count in connection.execute(query)
    ]
