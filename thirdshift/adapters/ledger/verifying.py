"""Recomputing every total from the calls: tallies from calls, then scopes, attempts, loops and jobs from those.

One pass over the calls fills a temporary table with a row for each tally and state. Everything above is summed from
that by the database, never from the totals that are being checked, and only what differs is brought here.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    FromClause,
    MetaData,
    Select,
    String,
    Subquery,
    Table,
    Text,
    and_,
    case,
    cast,
    func,
    insert,
    literal,
    or_,
    select,
)

from thirdshift.adapters.ledger.event_tables import events
from thirdshift.adapters.ledger.night_tables import nights
from thirdshift.adapters.ledger.tables import (
    attempts,
    call_keys,
    calls,
    jobs,
    loops,
    raises,
    scope_members,
    scopes,
    tallies,
)
from thirdshift.adapters.ledger.transitions import USAGE_COLUMNS
from thirdshift.adapters.ledger.verifying_nights import odd_nights
from thirdshift.core.audit import Audit, Difference, OverLimit
from thirdshift.core.ledger import CallState, ScopeKind

MONEY = ("held_nano", "settled_nano", "unknown_nano")
_COUNTED = (*USAGE_COLUMNS, "milliseconds")
_STATES = tuple(state.value for state in CallState)
_TALLIED = (*MONEY, *(f"{state}_calls" for state in _STATES), *_COUNTED)

_GROUPED = ("calls", "hold_nano", "cost_nano", "first_attempt", "last_attempt", *_COUNTED)
_recount = Table(
    "recounted_calls",
    MetaData(),
    Column("tally_id", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    *(Column(name, BigInteger, nullable=False) for name in _GROUPED),
    prefixes=["TEMPORARY"],
    postgresql_on_commit="DROP",
)
_BY_TALLY_AND_STATE = select(
    calls.c.tally_id,
    calls.c.state,
    func.count(),
    func.sum(calls.c.hold_nano),
    func.sum(calls.c.cost_nano),
    func.min(calls.c.attempt_id),
    func.max(calls.c.attempt_id),
    *(func.coalesce(func.sum(calls.c[name]), 0) for name in _COUNTED),
).group_by(calls.c.tally_id, calls.c.state)


def _where(state: CallState, amount: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.sum(case((_recount.c.state == state.value, amount), else_=0))


_BY_TALLY = select(
    _recount.c.tally_id,
    func.min(_recount.c.first_attempt),
    _where(CallState.HELD, _recount.c.hold_nano),
    _where(CallState.SETTLED, _recount.c.cost_nano),
    _where(CallState.UNKNOWN, _recount.c.hold_nano),
    *(_where(state, _recount.c.calls) for state in CallState),
    *(func.sum(_recount.c[name]) for name in _COUNTED),
).group_by(_recount.c.tally_id)
_due = Table(
    "recounted_tallies",
    _recount.metadata,
    Column("tally_id", BigInteger, primary_key=True, autoincrement=False),
    Column("attempt_id", BigInteger, nullable=False),
    *(Column(name, BigInteger, nullable=False) for name in _TALLIED),
    prefixes=["TEMPORARY"],
    postgresql_on_commit="DROP",
)
"""What each tally should be."""


def verify(connection: Connection) -> Audit:
    """Recompute everything, in one consistent view, and say what differs."""
    _recount.metadata.create_all(connection, checkfirst=False)
    try:
        connection.execute(insert(_recount).from_select(list(_recount.c.keys()), _BY_TALLY_AND_STATE))
        connection.execute(insert(_due).from_select(list(_due.c.keys()), _BY_TALLY))
        return _audit(connection)
    finally:
        if connection.dialect.name == "sqlite":
            _recount.metadata.drop_all(connection, checkfirst=False)


def _audit(connection: Connection) -> Audit:
    found = [*_odd_calls(connection), *_tallies(connection), *_scopes(connection), *_raises(connection)]
    for kind, owners in _owners().items():
        found += _totals_of(connection, kind, owners)
    found += _of_other_jobs(connection)
    found += odd_nights(connection)
    total, keys = _count(connection, calls), _count(connection, call_keys)
    if keys != total:
        found.append(Difference(where="keys of calls", field="rows", booked=keys, recomputed=total))
    sums = _sums(connection)
    nothing = dict.fromkeys(MONEY, 0)
    return Audit(
        calls=total,
        tallies=_count(connection, tallies),
        scopes=_count(connection, scopes),
        attempts=_count(connection, attempts),
        loops=_count(connection, loops),
        jobs=_count(connection, jobs),
        metered_nano=sums.get("metered", nothing)["settled_nano"],
        imputed_nano=sums.get("imputed", nothing)["settled_nano"],
        nights=_count(connection, nights),
        events=_count(connection, events),
        held_nano=sums.get("metered", nothing)["held_nano"],
        unknown_nano=sums.get("metered", nothing)["unknown_nano"],
        differences=tuple(found),
        over_limit=tuple(_over_limit(connection)),
    )


def _count(connection: Connection, table: Table) -> int:
    return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def _differences(
    connection: Connection, joined: FromClause, booked: FromClause, due: FromClause, fields: tuple[str, ...], name: Any
) -> list[Difference]:
    """Each field of each row in which what is booked is not what is due; a missing row counts as zeros."""
    pairs = [(func.coalesce(booked.c[field], 0), func.coalesce(due.c[field], 0)) for field in fields]
    query: Select[Any] = select(name, *(one for pair in pairs for one in pair)).select_from(joined)
    found = []
    for row in connection.execute(query.where(or_(*(one != other for one, other in pairs)))):
        for at, field in enumerate(fields):
            one, other = int(row[1 + 2 * at]), int(row[2 + 2 * at])
            if one != other:
                found.append(Difference(where=row[0], field=field, booked=one, recomputed=other))
    return found


def _text(*parts: Any) -> ColumnElement[str]:
    """The parts as one text; the first one is never NULL."""
    whole: ColumnElement[str] = literal("", Text)
    for part in parts:
        whole = whole + (literal(part, Text) if isinstance(part, str) else func.coalesce(cast(part, String), "?"))
    return whole


def _odd_calls(connection: Connection) -> list[Difference]:
    """Calls in no known state, of several attempts in one tally, or with a cost that they cannot have."""
    settled = _recount.c.state == CallState.SETTLED.value
    odd = or_(
        _recount.c.state.not_in(_STATES),
        _recount.c.first_attempt != _recount.c.last_attempt,
        and_(~settled, _recount.c.cost_nano != 0),
    )
    found = []
    for row in connection.execute(select(_recount).where(odd)):
        where = f"calls of tally {row.tally_id} in state {row.state}"
        if row.state not in _STATES:
            found.append(Difference(where=f"{where}, which is no state", field="calls", booked=row.calls, recomputed=0))
        if row.first_attempt != row.last_attempt:
            first, last = int(row.first_attempt), int(row.last_attempt)
            found.append(Difference(where=where, field="attempt", booked=last, recomputed=first))
        if row.state != CallState.SETTLED.value and row.cost_nano:
            found.append(Difference(where=where, field="cost_nano", booked=int(row.cost_nano), recomputed=0))
    return found


def _tallies(connection: Connection) -> list[Difference]:
    joined = tallies.outerjoin(_due, _due.c.tally_id == tallies.c.tally_id)
    name = _text("tally ", tallies.c.tally_id, " (", tallies.c.model, ", ", tallies.c.role, ", ", tallies.c.job_id, ")")
    found = _differences(connection, joined, tallies, _due, _TALLIED, name)
    other = (
        joined.select()
        .where(_due.c.attempt_id != tallies.c.attempt_id)
        .with_only_columns(name, tallies.c.attempt_id, _due.c.attempt_id.label("due"))
    )
    found += [
        Difference(where=row[0], field="attempt_id", booked=row[1], recomputed=int(row[2]))
        for row in connection.execute(other)
    ]
    missing = _due.outerjoin(tallies, _due.c.tally_id == tallies.c.tally_id)
    lost = missing.select().where(tallies.c.tally_id.is_(None)).with_only_columns(_due.c.tally_id, _due.c.settled_nano)
    found += [
        Difference(where=f"tally {row[0]}, which is missing", field="settled_nano", booked=0, recomputed=int(row[1]))
        for row in connection.execute(lost)
    ]
    return found


def _money_by(*keys: ColumnElement[Any], joined: FromClause) -> Subquery:
    sums = (func.sum(_due.c[name]).label(name) for name in MONEY)
    return select(*keys, *sums).select_from(joined).group_by(*keys).subquery("owner")


def _due_by_scope() -> Subquery:
    by_set = _money_by(tallies.c.set_id, joined=tallies.join(_due, _due.c.tally_id == tallies.c.tally_id))
    joined = scope_members.join(by_set, by_set.c.set_id == scope_members.c.set_id)
    sums = (func.sum(by_set.c[name]).label(name) for name in MONEY)
    return select(scope_members.c.scope_id, *sums).select_from(joined).group_by(scope_members.c.scope_id).subquery("s")


def _scope_name() -> ColumnElement[str]:
    return _text("scope ", scopes.c.kind, " ", scopes.c.key, " (", scopes.c.billing, ")")


def _scopes(connection: Connection) -> list[Difference]:
    due = _due_by_scope()
    joined = scopes.outerjoin(due, due.c.scope_id == scopes.c.scope_id)
    return _differences(connection, joined, scopes, due, MONEY, _scope_name())


def _raises(connection: Connection) -> list[Difference]:
    due = (
        select(raises.c.scope_id, func.sum(raises.c.by_nano).label("raised_nano"))
        .group_by(raises.c.scope_id)
        .subquery("r")
    )
    joined = scopes.outerjoin(due, due.c.scope_id == scopes.c.scope_id)
    return _differences(connection, joined, scopes, due, ("raised_nano",), _scope_name())


def _over_limit(connection: Connection) -> list[OverLimit]:
    charged = scopes.c.settled_nano + scopes.c.held_nano + scopes.c.unknown_nano
    limit = scopes.c.limit_nano + scopes.c.raised_nano
    query = select(_scope_name(), charged, limit).where(scopes.c.limit_nano.is_not(None), charged > limit)
    return [OverLimit(scope=row[0], charged_nano=row[1], limit_nano=row[2]) for row in connection.execute(query)]


def _owners() -> dict[ScopeKind, Subquery]:
    """Calls make attempts, attempts make loops, loops and plans make jobs."""
    joined = tallies.join(_due, _due.c.tally_id == tallies.c.tally_id)
    of_attempts = joined.join(attempts, attempts.c.attempt_id == tallies.c.attempt_id)
    of_loops = of_attempts.join(loops, loops.c.loop_id == attempts.c.owner_id)
    billing = tallies.c.billing
    attempt = (attempts.c.owner_id + "#" + cast(attempts.c.number, String)).label("key")
    return {
        ScopeKind.ATTEMPT: _money_by(attempt, billing, joined=of_attempts),
        ScopeKind.LOOP: _money_by(loops.c.loop_id.label("key"), billing, joined=of_loops),
        ScopeKind.JOB: _money_by(attempts.c.job_id.label("key"), billing, joined=of_attempts),
    }


def _totals_of(connection: Connection, kind: ScopeKind, due: Subquery) -> list[Difference]:
    same = and_(scopes.c.key == due.c.key, scopes.c.kind == kind.value, scopes.c.billing == due.c.billing)
    # Whoever opened a loop's calls without naming its scope kept no total of it, so there is none to be wrong.
    joined = due.join(scopes, same) if kind is ScopeKind.LOOP else due.outerjoin(scopes, same)
    name = _text(f"{kind.value} ", due.c.key, " (", due.c.billing, ")")
    return _differences(connection, joined, scopes, due, MONEY, name)


def _of_other_jobs(connection: Connection) -> list[Difference]:
    joined = tallies.join(attempts, attempts.c.attempt_id == tallies.c.attempt_id)
    query = select(tallies.c.tally_id).select_from(joined).where(tallies.c.job_id != attempts.c.job_id)
    return [
        Difference(where=f"tally {row.tally_id}: the job of its attempt", field="same", booked=0, recomputed=1)
        for row in connection.execute(query)
    ]


def _sums(connection: Connection) -> dict[str, dict[str, int]]:
    joined = tallies.join(_due, _due.c.tally_id == tallies.c.tally_id)
    sums = (func.sum(_due.c[name]).label(name) for name in MONEY)
    query = select(tallies.c.billing, *sums).select_from(joined).group_by(tallies.c.billing)
    return {row["billing"]: {name: int(row[name]) for name in MONEY} for row in connection.execute(query).mappings()}
