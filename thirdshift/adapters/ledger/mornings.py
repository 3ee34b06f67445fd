"""What the books say about one night, for its morning report.

A night's calls are those of the scope sets that have its budget scope in them, so the night is read from a few indexes
and from its own rows, however many calls there are besides.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    Select,
    and_,
    case,
    func,
    select,
    text,
    type_coerce,
)

from thirdshift.adapters.ledger.database import Database
from thirdshift.adapters.ledger.event_tables import events
from thirdshift.adapters.ledger.gate_book import read_gates
from thirdshift.adapters.ledger.morning_faults import faults_of
from thirdshift.adapters.ledger.night_book import read_lines, read_night
from thirdshift.adapters.ledger.night_tables import nights
from thirdshift.adapters.ledger.odd_calls import odd_calls_where
from thirdshift.adapters.ledger.outcome_tables import deliveries
from thirdshift.adapters.ledger.period_lines import lines_of_sets
from thirdshift.adapters.ledger.questions import read_attempts, read_fates, read_jobs
from thirdshift.adapters.ledger.standing import scope_totals
from thirdshift.adapters.ledger.tables import EPOCH, attempts, calls, jobs, scope_members, scopes, tallies
from thirdshift.core.event_book import Decided
from thirdshift.core.history import StopReason
from thirdshift.core.ledger import CallState, ScopeKind
from thirdshift.core.morning_facts import (
    QUARTER_SECONDS,
    TRAILING,
    EventsIn,
    NightCost,
    NightFacts,
    OpenGate,
    Purse,
    SpendAt,
    WorkedJob,
)
from thirdshift.core.night_book import LineState, NightLine, NightRecord
from thirdshift.core.outcomes import OutcomeState
from thirdshift.core.questions import Facts, JobFact, Money

_BEGUN = (LineState.ADMITTED, LineState.PARKED)
_DAY = timedelta(days=1)
_OF_A_NIGHT = text("jobs.night <> ''")
"""In these words, or SQLite does not see that the index of such jobs will do."""


class MorningBook:
    """Implements ``core.morning_facts.MorningBook``; a part of ``SqlLedger``."""

    _database: Database

    def night_facts(self, night_id: str, now: datetime) -> NightFacts:
        """See the port."""
        with self._database.snapshot() as connection:
            return night_facts(connection, night_id, now)


def night_facts(connection: Connection, night_id: str, now: datetime) -> NightFacts:
    """Everything about a night, or KeyError."""
    record = read_night(connection, night_id)
    lines = read_lines(connection, night_id)
    sets = _sets_of(night_id)
    ids = _job_ids(connection, night_id, lines, sets)
    facts = Facts(
        jobs=read_jobs(connection, jobs.c.job_id.in_(ids), ids),
        attempts=read_attempts(connection, attempts.c.job_id.in_(ids)),
        lines=lines_of_sets(connection, sets),
        odd_calls=odd_calls_where(connection, [tallies.c.set_id.in_(sets)], ids),
    )
    gates, other = _gates(connection, record, frozenset(ids))
    return NightFacts(
        record=record,
        purse=_purse(connection, record),
        lines=lines,
        jobs=_worked(connection, facts.jobs, ids),
        gates=gates,
        other_gates=other,
        spends=_spends(connection, sets),
        faults=faults_of(connection, sets),
        costs=_costs(connection, record),
        events=_events(connection, record, now),
        facts=facts,
    )


def _sets_of(night_id: str) -> Select[Any]:
    """The scope sets whose calls count against the night."""
    mine = select(scopes.c.scope_id).where(scopes.c.key == night_id, scopes.c.kind == ScopeKind.SHIFT.value)
    return select(scope_members.c.set_id).where(scope_members.c.scope_id.in_(mine))


def _job_ids(connection: Connection, night_id: str, lines: Sequence[NightLine], sets: Select[Any]) -> list[str]:
    """The jobs that the night paid for, or has begun."""
    given = select(jobs.c.job_id).where(_OF_A_NIGHT, jobs.c.night == night_id)
    paid = select(tallies.c.job_id).where(tallies.c.set_id.in_(sets)).distinct()
    begun = {line.job_id for line in lines if line.state in _BEGUN and line.job_id}
    return sorted({*connection.execute(given).scalars(), *connection.execute(paid).scalars(), *begun})


def _purse(connection: Connection, record: NightRecord) -> Purse:
    night_id = record.row.night.id
    found = scope_totals(connection, ScopeKind.SHIFT.value, night_id)
    imputed = _imputed(connection, [night_id]).get(night_id, 0)
    limit = record.row.budget_nano if found.limit_nano is None else found.limit_nano
    return Purse(limit, found.settled_nano, found.held_nano, found.unknown_nano, imputed)


def _scopes(night_ids: Sequence[str], billing: str) -> Select[Any]:
    columns = (scopes.c.key, scopes.c.settled_nano, scopes.c.unknown_nano)
    mine = (scopes.c.key.in_(night_ids), scopes.c.kind == ScopeKind.SHIFT.value, scopes.c.billing == billing)
    return select(*columns).where(*mine)


def _imputed(connection: Connection, night_ids: Sequence[str]) -> dict[str, int]:
    return {row.key: row.settled_nano for row in connection.execute(_scopes(night_ids, "imputed"))}


_WHOLE = (
    select(
        tallies.c.job_id,
        *(
            func.coalesce(func.sum(case((tallies.c.billing == billing, column), else_=0)), 0)
            for billing, column in (
                ("metered", tallies.c.settled_nano),
                ("imputed", tallies.c.settled_nano),
                ("metered", tallies.c.unknown_nano),
            )
        ),
    )
    .group_by(tallies.c.job_id)
)  # fmt: skip


def _worked(connection: Connection, facts: Sequence[JobFact], ids: Sequence[str]) -> list[WorkedJob]:
    columns = (jobs.c.job_id, jobs.c.night, jobs.c.parked_at, jobs.c.branch)
    where: dict[str, Any] = {
        row.job_id: row for row in connection.execute(select(*columns).where(jobs.c.job_id.in_(ids))).all()
    }
    whole = {
        job_id: Money(*map(int, money))
        for job_id, *money in connection.execute(_WHOLE.where(tallies.c.job_id.in_(ids))).all()
    }
    sent = _deliveries(connection, ids)
    found = []
    for fact in facts:
        row, delivery = where[fact.job_id], sent.get(fact.job_id)
        found.append(
            WorkedJob(
                fact=fact,
                night=row.night,
                parked_at=row.parked_at,
                branch=(delivery.branch if delivery else "") or row.branch or "",
                url=delivery.url if delivery else "",
                delivered=delivery.detail if delivery else "",
                whole=whole.get(fact.job_id, Money()),
            )
        )
    return found


def _deliveries(connection: Connection, ids: Sequence[str]) -> dict[str, Any]:
    columns = (deliveries.c.job_id, deliveries.c.branch, deliveries.c.url, deliveries.c.detail)
    rows = connection.execute(select(*columns).where(deliveries.c.job_id.in_(ids)).order_by(deliveries.c.delivery_id))
    return {row.job_id: row for row in rows.all()}


def _gates(connection: Connection, record: NightRecord, worked: frozenset[str]) -> tuple[list[OpenGate], int]:
    """The shift's open gates that there were by the night's end, and how many are open besides them."""
    night = record.row.night
    open_now = read_gates(connection, None, only_open=True)
    ids = sorted({gate.job_id for gate in open_now})
    query = (
        select(jobs.c.job_id, jobs.c.title, jobs.c.night, nights.c.shift)
        .select_from(jobs.outerjoin(nights, nights.c.night_id == jobs.c.night))
        .where(jobs.c.job_id.in_(ids))
    )
    known = {row.job_id: row for row in connection.execute(query).all()}
    charged = _charged(connection, ids)
    found = []
    for gate in open_now:
        job = known[gate.job_id]
        tonight = gate.job_id in worked and job.night in ("", night.id)
        before = job.shift == night.shift and (record.closed_at is None or gate.opened_at <= record.closed_at)
        if tonight or before:
            found.append(OpenGate(gate, job.title, charged.get(gate.job_id, 0), tonight))
    return sorted(found, key=lambda one: (one.gate.opened_at, one.gate.job_id)), len(open_now) - len(found)


def _charged(connection: Connection, ids: Sequence[str]) -> dict[str, int]:
    """What jobs are charged with, metered; held and unknown calls at their holds."""
    charged = scopes.c.settled_nano + scopes.c.held_nano + scopes.c.unknown_nano
    mine = (scopes.c.key.in_(ids), scopes.c.kind == ScopeKind.JOB.value, scopes.c.billing == "metered")
    return {key: int(nano) for key, nano in connection.execute(select(scopes.c.key, charged).where(*mine)).all()}


_BUCKET = (type_coerce(calls.c.opened_at, BigInteger) // (QUARTER_SECONDS * 1_000_000)).label("bucket")


def _in_state(state: CallState, column: Any) -> Any:
    return func.sum(case((calls.c.state == state.value, column), else_=0))


def _spends(connection: Connection, sets: Select[Any]) -> list[SpendAt]:
    """Metered money by quarter of an hour, each call's where it was sent."""
    query = (
        select(
            _BUCKET, _in_state(CallState.SETTLED, calls.c.cost_nano), _in_state(CallState.UNKNOWN, calls.c.hold_nano)
        )
        .select_from(
            # Calls are indexed by attempt, and a tally has one attempt.
            tallies.join(
                calls, and_(calls.c.attempt_id == tallies.c.attempt_id, calls.c.tally_id == tallies.c.tally_id)
            )
        )
        .where(tallies.c.set_id.in_(sets), tallies.c.billing == "metered")
        .group_by(_BUCKET)
        .order_by(_BUCKET)
    )
    step = timedelta(seconds=QUARTER_SECONDS)
    found = [
        SpendAt(EPOCH + step * int(bucket), int(settled), int(unknown))
        for bucket, settled, unknown in connection.execute(query).all()
    ]
    return [spend for spend in found if spend.metered or spend.unknown]


def _costs(connection: Connection, record: NightRecord) -> list[NightCost]:
    """The shift's nights that began in the month before this one, and this one."""
    row = record.row
    query = (
        select(nights.c.night_id, nights.c.day)
        .where(
            nights.c.shift == row.night.shift,
            nights.c.opened_at >= row.opened_at - TRAILING,
            nights.c.opened_at <= row.opened_at,
        )
        .order_by(nights.c.opened_at, nights.c.night_id)
    )
    days = {night_id: date.fromisoformat(day) for night_id, day in connection.execute(query).all()}
    ids = list(days)
    metered = {found.key: found for found in connection.execute(_scopes(ids, "metered"))}
    imputed = _imputed(connection, ids)
    accepted = _accepted(connection, ids)
    costs = []
    for night_id, day in days.items():
        known = metered.get(night_id)
        spent = Money(known.settled_nano if known else 0, imputed.get(night_id, 0), known.unknown_nano if known else 0)
        costs.append(NightCost(night_id, day, spent, accepted.get(night_id, 0)))
    return costs


def _accepted(connection: Connection, night_ids: Sequence[str]) -> dict[str, int]:
    """How many outcomes each night brought that were not taken back since."""
    query = select(jobs.c.job_id, jobs.c.night).where(
        _OF_A_NIGHT, jobs.c.night.in_(night_ids), jobs.c.stop_reason == StopReason.ACCEPTED.value
    )
    found = {row.job_id: row.night for row in connection.execute(query)}
    fates = read_fates(connection, list(found))
    taken_back = (OutcomeState.REJECTED, OutcomeState.REVERTED)
    counts: dict[str, int] = defaultdict(int)
    for job_id, night_id in found.items():
        if job_id not in fates or fates[job_id].state not in taken_back:
            counts[night_id] += 1
    return counts


def _events(connection: Connection, record: NightRecord, now: datetime) -> EventsIn:
    """Events since the shift's night before ended, or for a day where there was none."""
    row = record.row
    before = (
        select(func.max(func.coalesce(nights.c.closed_at, nights.c.closes_at)))
        .where(nights.c.shift == row.night.shift, nights.c.opened_at < row.opened_at)
    )  # fmt: skip
    last = connection.execute(before).scalar_one_or_none()
    since = row.opened_at - _DAY if last is None else last
    query = (
        select(events.c.decided, func.count())
        .where(events.c.received_at >= since, events.c.received_at < (record.closed_at or now))
        .group_by(events.c.decided)
    )
    counts = {Decided(what) if what else None: int(number) for what, number in connection.execute(query).all()}
    order = [*Decided, None]
    return EventsIn(since, {what: counts[what] for what in order if what in counts})
