"""Recomputing every total from the calls: tallies from calls, then scopes, attempts, loops and jobs from those.

One pass over the calls makes a row for each tally and state; everything above is summed from these few, never from the
totals that are being checked.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, RowMapping, func, select

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
from thirdshift.core.audit import Audit, Difference, OverLimit
from thirdshift.core.ledger import CallState, ScopeKind
from thirdshift.core.scopes import attempt_scope_key

MONEY = ("held_nano", "settled_nano", "unknown_nano")
_COUNTED = (*USAGE_COLUMNS, "milliseconds")
_STATES = {state.value for state in CallState}

Totals = dict[str, int]

_CALLS = select(
    calls.c.tally_id,
    calls.c.state,
    func.count().label("calls"),
    func.sum(calls.c.hold_nano).label("hold_nano"),
    func.sum(calls.c.cost_nano).label("cost_nano"),
    func.min(calls.c.attempt_id).label("first_attempt"),
    func.max(calls.c.attempt_id).label("last_attempt"),
    *(func.coalesce(func.sum(calls.c[name]), 0).label(name) for name in _COUNTED),
).group_by(calls.c.tally_id, calls.c.state)


@dataclass
class _Books:
    """The differences found so far."""

    found: list[Difference] = field(default_factory=list)

    def compare(self, where: str, booked: Mapping[str, int] | RowMapping, recomputed: Mapping[str, int]) -> None:
        self.found += [
            Difference(where=where, field=name, booked=booked[name], recomputed=amount)
            for name, amount in recomputed.items()
            if booked[name] != amount
        ]


def verify(connection: Connection) -> Audit:
    """Recompute everything, in one consistent view, and say what differs."""
    books = _Books()
    by_tally = _from_calls(connection, books)
    tally_rows = connection.execute(select(tallies)).mappings().all()
    _check_tallies(books, tally_rows, by_tally)
    by_scope = _by_scope(connection, tally_rows, by_tally)
    scope_rows = connection.execute(select(scopes)).mappings().all()
    over = _check_scopes(connection, books, scope_rows, by_scope)
    counts = _check_owners(connection, books, scope_rows, tally_rows, by_tally)
    grand = _grand_totals(tally_rows, by_tally)
    return Audit(
        calls=_check_keys(connection, books),
        tallies=len(tally_rows),
        scopes=len(scope_rows),
        attempts=counts[0],
        loops=counts[1],
        jobs=counts[2],
        metered_nano=grand["metered"]["settled_nano"],
        imputed_nano=grand["imputed"]["settled_nano"],
        held_nano=grand["metered"]["held_nano"],
        unknown_nano=grand["metered"]["unknown_nano"],
        differences=tuple(books.found),
        over_limit=tuple(over),
    )


def _nothing() -> Totals:
    names = (*MONEY, *_COUNTED, *(f"{state}_calls" for state in _STATES))
    return dict.fromkeys(names, 0)


def _from_calls(connection: Connection, books: _Books) -> dict[int, Totals]:
    """What each tally should be."""
    found: dict[int, Totals] = defaultdict(_nothing)
    for row in connection.execute(_CALLS).mappings():
        sums = found[row["tally_id"]]
        where = f"calls of tally {row['tally_id']} in state {row['state']}"
        if row["state"] not in _STATES:
            books.compare(f"{where}, which is no state", {"calls": int(row["calls"])}, {"calls": 0})
            continue
        if row["first_attempt"] != row["last_attempt"]:
            ends = {"attempt": int(row["last_attempt"])}
            books.compare(f"{where}, of several attempts", ends, {"attempt": int(row["first_attempt"])})
        sums["attempt_id"] = int(row["first_attempt"])
        sums[f"{row['state']}_calls"] += int(row["calls"])
        match CallState(row["state"]):
            case CallState.SETTLED:
                sums["settled_nano"] += int(row["cost_nano"])
            case CallState.HELD | CallState.UNKNOWN:
                sums[f"{row['state']}_nano"] += int(row["hold_nano"])
        if row["state"] != CallState.SETTLED.value:
            books.compare(where, {"cost_nano": int(row["cost_nano"])}, {"cost_nano": 0})
        for name in _COUNTED:
            sums[name] += int(row[name])
    return found


def _check_tallies(books: _Books, rows: Iterable[RowMapping], by_tally: Mapping[int, Totals]) -> None:
    known = set()
    for row in rows:
        known.add(row["tally_id"])
        totals = by_tally.get(row["tally_id"]) or _nothing()
        books.compare(f"tally {row['tally_id']} ({row['model']}, {row['role']}, {row['job_id']})", row, totals)
    for lost in sorted(set(by_tally) - known):
        books.compare(f"tally {lost}, which is missing", _nothing() | {"attempt_id": 0}, by_tally[lost])


def _money(totals: Mapping[str, int]) -> Totals:
    return {name: totals[name] for name in MONEY}


def _add(sums: Totals, more: Mapping[str, int]) -> None:
    for name in MONEY:
        sums[name] += more[name]


def _by_scope(
    connection: Connection, tally_rows: Iterable[RowMapping], by_tally: Mapping[int, Totals]
) -> dict[int, Totals]:
    by_set: dict[int, Totals] = defaultdict(lambda: dict.fromkeys(MONEY, 0))
    for row in tally_rows:
        if row["tally_id"] in by_tally:
            _add(by_set[row["set_id"]], by_tally[row["tally_id"]])
    found: dict[int, Totals] = defaultdict(lambda: dict.fromkeys(MONEY, 0))
    for set_id, scope_id in connection.execute(select(scope_members.c.set_id, scope_members.c.scope_id)):
        if set_id in by_set:
            _add(found[scope_id], by_set[set_id])
    return found


def _check_scopes(
    connection: Connection, books: _Books, rows: Iterable[RowMapping], by_scope: Mapping[int, Totals]
) -> list[OverLimit]:
    by_scope_raised = select(raises.c.scope_id, func.sum(raises.c.by_nano).label("by_nano")).group_by(raises.c.scope_id)
    raised = {row.scope_id: int(row.by_nano) for row in connection.execute(by_scope_raised)}
    over = []
    for row in rows:
        name = f"scope {row['kind']} {row['key']} ({row['billing']})"
        due = dict(by_scope.get(row["scope_id"]) or dict.fromkeys(MONEY, 0))
        books.compare(name, row, due | {"raised_nano": raised.get(row["scope_id"], 0)})
        charged = sum(due.values())
        if row["limit_nano"] is not None and charged > row["limit_nano"] + row["raised_nano"]:
            limit = row["limit_nano"] + row["raised_nano"]
            over.append(OverLimit(scope=name, charged_nano=charged, limit_nano=limit))
    return over


def _check_owners(
    connection: Connection,
    books: _Books,
    scope_rows: Iterable[RowMapping],
    tally_rows: Iterable[RowMapping],
    by_tally: Mapping[int, Totals],
) -> tuple[int, int, int]:
    """Calls make attempts, attempts make loops, loops and plans make jobs; how many there are of each."""
    people = {row.attempt_id: row for row in connection.execute(_ATTEMPTS)}
    loop_ids = set(connection.execute(select(loops.c.loop_id)).scalars())
    due: dict[tuple[str, str, str], Totals] = defaultdict(lambda: dict.fromkeys(MONEY, 0))
    for row in tally_rows:
        totals, owner = by_tally.get(row["tally_id"]), people.get(row["attempt_id"])
        if totals is None or owner is None:
            continue
        books.compare(
            f"tally {row['tally_id']}: the job of its attempt",
            {"same": int(row["job_id"] == owner.job_id)},
            {"same": 1},
        )
        attempt_key = attempt_scope_key(owner.owner_id, owner.number)
        _add(due[(ScopeKind.ATTEMPT.value, attempt_key, row["billing"])], totals)
        _add(due[(ScopeKind.JOB.value, owner.job_id, row["billing"])], totals)
        if owner.owner_id in loop_ids:
            _add(due[(ScopeKind.LOOP.value, owner.owner_id, row["billing"])], totals)
    booked = {(row["kind"], row["key"], row["billing"]): row for row in scope_rows}
    for (kind, key, billing), totals in due.items():
        scope = booked.get((kind, key, billing))
        if scope is None and kind == ScopeKind.LOOP.value:
            continue  # Whoever opened these calls named no scope for their loop, so there is no total to be wrong.
        books.compare(f"{kind} {key} ({billing})", scope or dict.fromkeys(MONEY, 0), _money(totals))
    return len(people), len(loop_ids), int(connection.execute(select(func.count()).select_from(jobs)).scalar_one())


_ATTEMPTS = select(attempts.c.attempt_id, attempts.c.owner_id, attempts.c.number, attempts.c.job_id)


def _grand_totals(tally_rows: Iterable[RowMapping], by_tally: Mapping[int, Totals]) -> dict[str, Totals]:
    grand: dict[str, Totals] = defaultdict(lambda: dict.fromkeys(MONEY, 0))
    for row in tally_rows:
        if row["tally_id"] in by_tally:
            _add(grand[row["billing"]], by_tally[row["tally_id"]])
    return grand


def _check_keys(connection: Connection, books: _Books) -> int:
    """Every call has its key; how many calls there are."""
    total = int(connection.execute(select(func.count()).select_from(calls)).scalar_one())
    keys = int(connection.execute(select(func.count()).select_from(call_keys)).scalar_one())
    books.compare("keys of calls", {"rows": keys}, {"rows": total})
    return total
