"""Jobs as nights see them: which night pays for one, whether it is parked, and what a night has come to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, RowMapping, func, or_, select, update

from thirdshift.adapters.ledger.dialect import wait_for
from thirdshift.adapters.ledger.journal import Data, write_entry
from thirdshift.adapters.ledger.morning_faults import lost_calls
from thirdshift.adapters.ledger.night_tables import nights
from thirdshift.adapters.ledger.standing import scope_totals
from thirdshift.adapters.ledger.tables import MICROSECOND, jobs, loops, scope_members, scopes, tallies, verdicts
from thirdshift.core.history import StopReason
from thirdshift.core.ledger import ScopeKind
from thirdshift.core.money import format_usd
from thirdshift.core.night_book import NightSums, ParkedJob
from thirdshift.core.text import one_line


@dataclass(frozen=True)
class Assignment:
    """The night that a job works in: its money, the job's place in line, and until when."""

    night: str
    limit_nano: int
    priority: int
    closes_at: datetime


def assign_night(connection: Connection, job_id: str, given: Assignment) -> None:
    """Let a night pay for the job. The same once more changes nothing and is not told again."""
    row = _find(connection, job_id)
    known = Assignment(row["night"], row["night_limit_nano"], row["priority"], row["window_closes_at"])
    if known == given:
        return
    values = {
        "night": given.night,
        "night_limit_nano": given.limit_nano,
        "priority": given.priority,
        "window_closes_at": given.closes_at,
    }
    connection.execute(update(jobs).where(jobs.c.job_id == job_id).values(values))
    text = (
        f"works in the night {given.night} until {given.closes_at:%Y-%m-%d %H:%M} UTC, "
        f"with ${format_usd(given.limit_nano)} for all of its jobs"
    )
    opened = connection.execute(select(nights.c.opened_at).where(nights.c.night_id == given.night)).scalar_one_or_none()
    data: Data = {"night": given.night, "night_limit_nano": given.limit_nano, "priority": given.priority}
    write_entry(connection, job_id, "night", text, data, max(row["submitted_at"], opened or row["submitted_at"]))


def leave_night(connection: Connection, job_id: str, who: str, at: datetime) -> None:
    """Let the job go on by itself; what it has spent in its night stays the night's."""
    row = _find(connection, job_id)
    if not row["night"]:
        return
    nothing = {"night": "", "night_limit_nano": None, "window_closes_at": None}
    connection.execute(update(jobs).where(jobs.c.job_id == job_id).values(nothing))
    text = f"{one_line(who)} lets it go on outside of the night {row['night']}"
    data: Data = {"night": "", "left_night": row["night"], "left_by": who}
    write_entry(connection, job_id, "night", text, data, at)


def park_job(connection: Connection, job_id: str, why: str, at: datetime) -> None:
    """Note that an unfinished job waits for its shift's next window, once."""
    row = _find(connection, job_id)
    if row["parked_at"] is not None or row["closed_at"] is not None:
        return
    connection.execute(update(jobs).where(jobs.c.job_id == job_id).values(parked_at=at, parked_why=why))
    write_entry(connection, job_id, "parked", f"parked: {one_line(why, 300)}", {"night": row["night"]}, at)


def unpark_job(connection: Connection, job_id: str, who: str, at: datetime) -> None:
    """Note that a parked job goes on."""
    row = _find(connection, job_id)
    if row["parked_at"] is None:
        return
    waited = max(at - row["parked_at"], timedelta())
    values = {
        "parked_at": None,
        "parked_why": None,
        "parked_microseconds": row["parked_microseconds"] + waited // MICROSECOND,
    }
    connection.execute(update(jobs).where(jobs.c.job_id == job_id).values(values))
    data = {"night": row["night"], "unparked_by": who, "parked_seconds": waited.total_seconds()}
    write_entry(connection, job_id, "unparked", f"{one_line(who)} lets it go on", data, at)


def accepted_before(connection: Connection, spec_id: str, repository: str) -> str:
    """The last accepted job of a spec's text in a repository; empty if there is none."""
    query = select(jobs.c.job_id).where(
        jobs.c.spec_id == spec_id, jobs.c.repository == repository, jobs.c.stop_reason == StopReason.ACCEPTED.value
    )
    return connection.execute(query.order_by(jobs.c.closed_at.desc()).limit(1)).scalar() or ""


def parked_jobs(connection: Connection, shift: str) -> tuple[ParkedJob, ...]:
    """Unfinished jobs that a night of this shift has parked, the longest parked first."""
    columns = [jobs.c[name] for name in ParkedJob.model_fields]
    query = (
        select(*columns)
        .join(nights, nights.c.night_id == jobs.c.night)
        .where(nights.c.shift == shift, jobs.c.parked_at.is_not(None), jobs.c.closed_at.is_(None))
        .order_by(jobs.c.parked_at, jobs.c.job_id)
    )
    return tuple(ParkedJob(**row) for row in connection.execute(query).mappings())


def night_sums(connection: Connection, night_id: str, budget_nano: int, closed_at: datetime | None) -> NightSums:
    """What the night's calls and verdicts come to: its calls are those that count against its own scope."""
    money = scope_totals(connection, ScopeKind.SHIFT.value, night_id)
    of_night = (
        select(scope_members.c.set_id)
        .join(scopes, scopes.c.scope_id == scope_members.c.scope_id)
        .where(scopes.c.kind == ScopeKind.SHIFT.value, scopes.c.key == night_id)
    )
    lost = tallies.c.unknown_calls + tallies.c.released_calls
    made = lost + tallies.c.settled_calls + tallies.c.held_calls
    asked = select(func.coalesce(func.sum(made), 0)).where(tallies.c.set_id.in_(of_night))
    faults, waited_out = lost_calls(connection, of_night)
    judged, failed = _verdicts(connection, night_id, of_night, closed_at)
    return NightSums(
        settled_nano=money.settled_nano,
        held_nano=money.held_nano,
        unknown_nano=money.unknown_nano,
        limit_nano=budget_nano if money.limit_nano is None else money.limit_nano,
        verdicts=judged,
        failed_verdicts=failed,
        calls=int(connection.execute(asked).scalar_one()) - waited_out,
        faulted_calls=faults,
    )


def _verdicts(connection: Connection, night_id: str, of_night: Any, closed_at: datetime | None) -> tuple[int, int]:
    """Verdicts on attempts while the night was open, and how many of them failed."""
    since = select(nights.c.opened_at).where(nights.c.night_id == night_id).scalar_subquery()
    paid = select(tallies.c.job_id).where(tallies.c.set_id.in_(of_night))
    mine = select(jobs.c.job_id).where(or_(jobs.c.night == night_id, jobs.c.job_id.in_(paid)))
    query = (
        select(func.count(), func.coalesce(func.sum(1 - verdicts.c.passed), 0))
        .select_from(verdicts.join(loops, loops.c.loop_id == verdicts.c.owner_id))
        .where(loops.c.job_id.in_(mine), verdicts.c.number > 0, verdicts.c.at >= since)
    )
    query = query if closed_at is None else query.where(verdicts.c.at <= closed_at)
    judged, failed = connection.execute(query).one()
    return int(judged), int(failed)


def _find(connection: Connection, job_id: str) -> RowMapping:
    query = select(jobs).where(jobs.c.job_id == job_id)
    row = connection.execute(wait_for(connection, query)).mappings().one_or_none()
    if row is None:
        raise KeyError(f"no job {job_id} in the ledger")
    return row
