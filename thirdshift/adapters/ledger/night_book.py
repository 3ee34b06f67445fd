"""Nights in the books: opened once, their lists, what events add to a shift, and the jobs that wait for a window."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, RowMapping, bindparam, case, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from thirdshift.adapters.ledger import night_jobs
from thirdshift.adapters.ledger.database import Database
from thirdshift.adapters.ledger.dialect import add_if_new, wait_for
from thirdshift.adapters.ledger.expecting import expectation
from thirdshift.adapters.ledger.night_tables import night_lines, nights, queued_specs
from thirdshift.core.night_book import (
    Expectation,
    LineState,
    NightLine,
    NightRecord,
    NightRow,
    NightSums,
    ParkedJob,
    QueuedSpec,
)
from thirdshift.core.nights import Night

AT_ITS_END = "closed"
"""How a night ends that nobody and nothing cut short; the other ways leave it open to be started again."""


class NightBook:
    """Implements ``core.night_book.NightBook``; a part of ``SqlLedger``."""

    _database: Database

    def open_night(self, row: NightRow) -> bool:
        """See the port."""
        with self._database.write() as connection:
            return open_night(connection, row)

    def night(self, night_id: str) -> NightRecord:
        """See the port."""
        with self._database.read() as connection:
            return read_night(connection, night_id)

    def nights(self, shift: str | None, limit: int) -> tuple[NightRecord, ...]:
        """See the port."""
        newest = select(nights).order_by(nights.c.opened_at.desc(), nights.c.night_id.desc()).limit(limit)
        newest = newest if shift is None else newest.where(nights.c.shift == shift)
        with self._database.read() as connection:
            return tuple(_record(row) for row in connection.execute(newest).mappings())

    def close_night(self, night_id: str, how: str, why: str, at: datetime) -> None:
        """See the port. KeyError if there is no such night."""
        with self._database.write() as connection:
            close_night(connection, night_id, how, why, at)

    def put_lines(self, lines: Sequence[NightLine]) -> None:
        """See the port. KeyError if there is no such night."""
        with self._database.write() as connection:
            put_lines(connection, lines)

    def lines(self, night_id: str) -> tuple[NightLine, ...]:
        """See the port."""
        with self._database.read() as connection:
            return read_lines(connection, night_id)

    def first_seen(self, shift: str, keys: Sequence[str]) -> dict[str, datetime]:
        """See the port."""
        with self._database.read() as connection:
            return first_seen(connection, shift, keys)

    def queue_spec(self, queued: QueuedSpec) -> bool:
        """See the port."""
        with self._database.write() as connection:
            return add_if_new(connection, queued_specs, queued.model_dump())

    def queued_specs(self, shift: str) -> tuple[QueuedSpec, ...]:
        """See the port."""
        columns = [queued_specs.c[name] for name in QueuedSpec.model_fields]
        query = select(*columns).where(queued_specs.c.shift == shift).order_by(queued_specs.c.queue_id)
        with self._database.read() as connection:
            return tuple(QueuedSpec(**row) for row in connection.execute(query).mappings())

    def unqueue_spec(self, shift: str, spec_path: str) -> None:
        """See the port."""
        mine = (queued_specs.c.shift == shift, queued_specs.c.spec_path == spec_path)
        with self._database.write() as connection:
            connection.execute(delete(queued_specs).where(*mine))

    def assign_night(self, job_id: str, night_id: str, limit_nano: int, priority: int, closes_at: datetime) -> None:
        """See the port. KeyError if there is no such job."""
        given = night_jobs.Assignment(night_id, limit_nano, priority, closes_at)
        with self._database.write() as connection:
            night_jobs.assign_night(connection, job_id, given)

    def leave_night(self, job_id: str, who: str, at: datetime) -> None:
        """See the port. KeyError if there is no such job."""
        with self._database.write() as connection:
            night_jobs.leave_night(connection, job_id, who, at)

    def park_job(self, job_id: str, why: str, at: datetime) -> None:
        """See the port. KeyError if there is no such job."""
        with self._database.write() as connection:
            night_jobs.park_job(connection, job_id, why, at)

    def unpark_job(self, job_id: str, who: str, at: datetime) -> None:
        """See the port. KeyError if there is no such job."""
        with self._database.write() as connection:
            night_jobs.unpark_job(connection, job_id, who, at)

    def parked_jobs(self, shift: str) -> tuple[ParkedJob, ...]:
        """See the port."""
        with self._database.read() as connection:
            return night_jobs.parked_jobs(connection, shift)

    def accepted_before(self, spec_id: str, repository: str) -> str:
        """See the port."""
        with self._database.read() as connection:
            return night_jobs.accepted_before(connection, spec_id, repository)

    def expectation(self, repository: str, task: str, since: datetime) -> Expectation:
        """See the port."""
        with self._database.read() as connection:
            return expectation(connection, repository, task, since)

    def night_sums(self, night_id: str) -> NightSums:
        """See the port. KeyError if there is no such night."""
        with self._database.read() as connection:
            row = _find(connection, night_id)
            return night_jobs.night_sums(connection, night_id, row["budget_nano"], row["closed_at"])


def open_night(connection: Connection, row: NightRow) -> bool:
    """Keep a night, or open one again that was cut short; whether it is the caller's now."""
    night = row.night
    terms = {**row.model_dump(exclude={"night"}), **night.model_dump(exclude={"id", "day"}), "day": str(night.day)}
    values = {**terms, "night_id": night.id, "by_hand": int(night.by_hand)}
    if add_if_new(connection, nights, values):
        return True
    here = nights.c.night_id == night.id
    known = connection.execute(wait_for(connection, select(nights).where(here))).mappings().one()
    if known["closed_at"] is None:
        # A retried activity finds the night that it has opened itself.
        return bool(known["workflow_id"] == row.workflow_id)
    if known["how"] == AT_ITS_END or row.opened_at >= known["closes_at"]:
        return False
    kept = {"night_id", "shift", "day", "opened_at"}
    again = {name: value for name, value in values.items() if name not in kept}
    connection.execute(update(nights).where(here).values(**again, closed_at=None, how="", why=""))
    return True


def close_night(connection: Connection, night_id: str, how: str, why: str, at: datetime) -> None:
    """Note the end of a night that has none, and of the lines that it did not come to."""
    if _find(connection, night_id, lock=True)["closed_at"] is not None:
        return
    connection.execute(update(nights).where(nights.c.night_id == night_id).values(closed_at=at, how=how, why=why))
    unsaid = "the night ended before its turn came" if how == AT_ITS_END else f"the night was {how}: {why}"
    left = (night_lines.c.night_id == night_id, night_lines.c.state == LineState.LISTED.value)
    reason = case((night_lines.c.why == "", unsaid), else_=night_lines.c.why)
    over = {"state": LineState.PASSED_OVER.value, "why": reason, "at": at}
    connection.execute(update(night_lines).where(*left).values(over))


def put_lines(connection: Connection, lines: Sequence[NightLine]) -> None:
    """Keep lines, or change those that are there; when each was first seen stays the earliest."""
    for night_id in sorted({line.night for line in lines}):
        _find(connection, night_id, lock=True)
    if not lines:
        return
    dialect: Any = sqlite if connection.dialect.name == "sqlite" else postgresql
    insertion = dialect.insert(night_lines)
    new = insertion.excluded
    earliest = case(
        (new.first_seen_at < night_lines.c.first_seen_at, new.first_seen_at), else_=night_lines.c.first_seen_at
    )
    told = ("job_id", "spec_path", "title", "priority", "state", "why", "event", "at")
    changes = {**{name: new[name] for name in told}, "first_seen_at": earliest}
    rows = [_line_row(line) for line in lines]
    connection.execute(insertion.on_conflict_do_update(index_elements=["night_id", "key"], set_=changes), rows)


def _line_row(line: NightLine) -> dict[str, Any]:
    return {**line.model_dump(exclude={"night", "state"}), "night_id": line.night, "state": line.state.value}


_LAST_LISTED = (
    select(nights.c.night_id)
    .where(
        nights.c.shift == bindparam("of"),
        select(night_lines.c.line_id).where(night_lines.c.night_id == nights.c.night_id).exists(),
    )
    .order_by(nights.c.opened_at.desc(), nights.c.night_id.desc())
    .limit(1)
)


def first_seen(connection: Connection, shift: str, keys: Sequence[str]) -> dict[str, datetime]:
    """Since when the last night that had a list has been carrying each key over, or had it listed still.

    A line's own ``first_seen_at`` reaches back through every night before it that passed it over.
    """
    last = connection.execute(_LAST_LISTED, {"of": shift}).scalar_one_or_none()
    if last is None:
        return {}
    open_still = (LineState.LISTED.value, LineState.PASSED_OVER.value)
    query = select(night_lines.c.key, night_lines.c.first_seen_at).where(
        night_lines.c.night_id == last, night_lines.c.state.in_(open_still)
    )
    wanted = frozenset(keys)
    return {row.key: row.first_seen_at for row in connection.execute(query) if row.key in wanted}


def read_night(connection: Connection, night_id: str) -> NightRecord:
    """The night, or KeyError."""
    return _record(_find(connection, night_id))


def read_lines(connection: Connection, night_id: str) -> tuple[NightLine, ...]:
    """A night's list, in the order in which the lines came."""
    listed = select(night_lines).where(night_lines.c.night_id == night_id).order_by(night_lines.c.line_id)
    return tuple(_line(row) for row in connection.execute(listed).mappings())


def _find(connection: Connection, night_id: str, *, lock: bool = False) -> RowMapping:
    query = select(nights).where(nights.c.night_id == night_id)
    row = connection.execute(wait_for(connection, query) if lock else query).mappings().one_or_none()
    if row is None:
        raise KeyError(f"no night {night_id} in the ledger")
    return row


def _record(row: RowMapping) -> NightRecord:
    night = Night(
        id=row["night_id"],
        shift=row["shift"],
        day=date.fromisoformat(row["day"]),
        opens_at=row["opens_at"],
        drains_at=row["drains_at"],
        closes_at=row["closes_at"],
        by_hand=bool(row["by_hand"]),
    )
    terms = {name: row[name] for name in NightRow.model_fields if name != "night"}
    return NightRecord(row=NightRow(night=night, **terms), closed_at=row["closed_at"], how=row["how"], why=row["why"])


def _line(row: RowMapping) -> NightLine:
    told = {name: row[name] for name in NightLine.model_fields if name != "night"}
    return NightLine(night=row["night_id"], **told)
