"""Events in the books: each delivery once, each decided once."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, bindparam, func, select, update

from thirdshift.adapters.ledger.database import Database
from thirdshift.adapters.ledger.dialect import add_if_new
from thirdshift.adapters.ledger.event_tables import WORKED_ON, events
from thirdshift.core.event_book import Decided, Decision, Event, EventRecord

_TEXTS = ("source", "delivery", "kind", "repository", "fingerprint", "title", "text")
_KNOWN = select(events.c.number).where(
    events.c.source == bindparam("of"), events.c.delivery == bindparam("delivered_as")
)
_WAITING = events.c.decided.is_(None)


def _row(event: Event) -> dict[str, Any]:
    row: dict[str, Any] = {name: _storable(getattr(event, name)) for name in _TEXTS}
    row["facts"] = json.dumps({_storable(name): _storable(value) for name, value in event.facts.items()})
    row["received_at"] = event.received_at
    return row


class EventBook:
    """Implements ``core.event_book.EventBook``; a part of ``SqlLedger``."""

    _database: Database

    def put_event(self, event: Event) -> tuple[int, bool]:
        """See the port."""
        return self.put_events([event])[0]

    def put_events(self, told: Sequence[Event]) -> tuple[tuple[int, bool], ...]:
        """See the port."""
        rows = [_row(event) for event in told]
        put: dict[int, tuple[int, bool]] = {}
        with self._database.write() as connection:
            # In one order whoever writes: two transactions that wait for each other's keys would never end.
            for at in sorted(range(len(rows)), key=lambda at: (rows[at]["source"], rows[at]["delivery"], at)):
                row = rows[at]
                new = add_if_new(connection, events, row)
                found = connection.execute(_KNOWN, {"of": row["source"], "delivered_as": row["delivery"]})
                put[at] = (int(found.scalar_one()), new)
        return tuple(put[at] for at in range(len(rows)))

    def event(self, number: int) -> EventRecord:
        """See the port."""
        with self._database.read() as connection:
            row = connection.execute(select(events).where(events.c.number == number)).mappings().one_or_none()
        if row is None:
            raise KeyError(f"no event {number} in the ledger")
        return _record(row)

    def events(self, limit: int, *, undecided: bool = False, repository: str | None = None) -> tuple[EventRecord, ...]:
        """See the port."""
        query = select(events).order_by(events.c.number.desc()).limit(limit)
        query = query.where(_WAITING) if undecided else query
        query = query.where(events.c.repository == _storable(repository)) if repository is not None else query
        with self._database.read() as connection:
            return tuple(_record(row) for row in connection.execute(query).mappings())

    def undecided(self, repository: str, fingerprint: str, limit: int, *, after: int = 0) -> tuple[EventRecord, ...]:
        """See the port."""
        mine = (_WAITING, *_about(repository, fingerprint), events.c.number > after)
        query = select(events).where(*mine).order_by(events.c.number).limit(limit)
        with self._database.read() as connection:
            return tuple(_record(row) for row in connection.execute(query).mappings())

    def newest_undecided(self, limit: int) -> tuple[EventRecord, ...]:
        """See the port."""
        newest = select(func.max(events.c.number)).where(_WAITING).group_by(events.c.repository).limit(limit)
        with self._database.read() as connection:
            found = connection.execute(select(events).where(events.c.number.in_(newest))).mappings()
            return tuple(_record(row) for row in found)

    def count_undecided(self, repository: str, fingerprint: str) -> int:
        """See the port."""
        query = select(func.count()).select_from(events).where(_WAITING, *_about(repository, fingerprint))
        return self._number(query)

    def decide_event(self, number: int, decision: Decision) -> bool:
        """See the port. KeyError if there is no such event."""
        with self._database.write() as connection:
            change = update(events).where(events.c.number == number, _WAITING).values(_values(decision))
            if connection.execute(change.returning(events.c.number)).first() is not None:
                return True
            if connection.execute(select(events.c.number).where(events.c.number == number)).first() is None:
                raise KeyError(f"no event {number} in the ledger")
            return False

    def decide_rest(self, repository: str, fingerprint: str, up_to: int, decision: Decision) -> int:
        """See the port."""
        mine = (_WAITING, *_about(repository, fingerprint), events.c.number <= up_to)
        with self._database.write() as connection:
            return int(connection.execute(update(events).where(*mine).values(_values(decision))).rowcount)

    def decided_since(self, rule: str, what: Sequence[Decided], since: datetime) -> int:
        """See the port."""
        query = (
            select(func.count())
            .select_from(events)
            .where(
                events.c.rule == rule, events.c.decided_at >= since, events.c.decided.in_([one.value for one in what])
            )
        )
        return self._number(query)

    def received_since(self, repository: str, since: datetime) -> int:
        """See the port."""
        query = select(func.count()).select_from(events)
        return self._number(query.where(events.c.repository == _storable(repository), events.c.received_at >= since))

    def fingerprints_between(self, repository: str, since: datetime, until: datetime, rule: str) -> int:
        """See the port."""
        query = select(func.count(events.c.fingerprint.distinct()))
        came = (events.c.repository == _storable(repository), events.c.received_at.between(since, until))
        return self._number(query.where(*came, _WAITING | (events.c.rule == rule)))

    def last_worked_on(self, repository: str, fingerprint: str) -> EventRecord | None:
        """See the port."""
        query = (
            select(events)
            .where(*_about(repository, fingerprint), WORKED_ON)
            .order_by(events.c.decided_at.desc(), events.c.number.desc())
            .limit(1)
        )
        with self._database.read() as connection:
            row = connection.execute(query).mappings().one_or_none()
        return None if row is None else _record(row)

    def last_job_for(self, repository: str, fingerprint: str) -> str:
        """See the port."""
        found = self.last_worked_on(repository, fingerprint)
        return found.decision.job_id if found and found.decision else ""

    def _number(self, query: Any) -> int:
        with self._database.read() as connection:
            return int(connection.execute(query).scalar_one())


def _storable(text: str) -> str:
    """What both databases take as text: neither of them has lone surrogates, and PostgreSQL has no NUL."""
    return text.encode("utf-8", "replace").decode().replace("\x00", "\N{REPLACEMENT CHARACTER}")


def _about(repository: str, fingerprint: str) -> tuple[Any, Any]:
    return events.c.repository == _storable(repository), events.c.fingerprint == _storable(fingerprint)


def _values(decision: Decision) -> dict[str, Any]:
    return {
        "decided": decision.what.value,
        "why": _storable(decision.why),
        "rule": decision.rule,
        "job_id": decision.job_id,
        "shift": decision.shift,
        "decided_at": decision.at,
    }


def _record(row: RowMapping) -> EventRecord:
    decision = None
    if row["decided"] is not None:
        decision = Decision(
            what=Decided(row["decided"]),
            why=row["why"],
            rule=row["rule"],
            job_id=row["job_id"],
            shift=row["shift"],
            at=row["decided_at"],
        )
    facts = json.loads(row["facts"])
    told = {name: row[name] for name in _TEXTS}
    return EventRecord(
        number=row["number"], event=Event(**told, facts=facts, received_at=row["received_at"]), decision=decision
    )
