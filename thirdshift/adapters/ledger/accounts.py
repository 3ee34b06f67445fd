"""Where a call's money is booked: its scopes and its tally, found or made once and then remembered."""

from __future__ import annotations

import hashlib
import threading
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, bindparam, select

from thirdshift.adapters.ledger.database import Database
from thirdshift.adapters.ledger.dialect import add_all_new, add_if_new
from thirdshift.adapters.ledger.tables import EPOCH, attempts, scope_members, scope_sets, scopes, tallies
from thirdshift.core.ledger import CallOpening, Scope, ScopeKind
from thirdshift.core.scopes import attempt_scope_key

_REMEMBERED = 4096
_HOUR = timedelta(hours=1)

Name = tuple[str, str]
"""A scope's kind and key."""


@dataclass(frozen=True)
class Account:
    """The rows that a call's money moves in. ``members`` is ascending, which is the order of locking."""

    attempt_id: int
    tally_id: int
    members: tuple[tuple[int, Scope], ...]

    @property
    def scope_ids(self) -> list[int]:
        """The scopes' numbers, ascending."""
        return [scope_id for scope_id, _ in self.members]


@dataclass(frozen=True)
class _Rows:
    attempt_id: int
    tally_id: int
    scope_ids: dict[Name, int]


def scopes_with_totals(opening: CallOpening) -> tuple[Scope, ...]:
    """The scopes of a call, with its attempt and its job added where the caller left them out.

    A limit on a single call needs no running total, so ``call`` scopes are not among them.
    """
    found = {(scope.kind.value, scope.key): scope for scope in opening.scopes if scope.kind is not ScopeKind.CALL}
    attempt_key = attempt_scope_key(opening.owner_id, opening.attempt_number)
    for kind, key in ((ScopeKind.ATTEMPT, attempt_key), (ScopeKind.JOB, opening.job_id)):
        found.setdefault((kind.value, key), Scope(kind=kind, key=key, limit_nano=None))
    return tuple(found[name] for name in sorted(found))


class AccountBook:
    """Finds accounts. Their rows never change identity once committed, so what is remembered cannot be stale."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[str, _Rows] = {}
        self._guard = threading.Lock()

    def find(self, opening: CallOpening) -> Account:
        """The account of a call, its rows committed before the call's own transaction begins.

        New rows hold no money, so nothing is lost or wrong if that transaction never comes. KeyError if the
        call's attempt was never opened.
        """
        wanted = scopes_with_totals(opening)
        names = [(scope.kind.value, scope.key) for scope in wanted]
        set_digest = hashlib.sha256(repr((opening.billing, names)).encode()).hexdigest()
        hour = (opening.opened_at - EPOCH) // _HOUR
        row_key = repr((set_digest, opening.role, opening.model, opening.tier, opening.reason, hour))
        rows = self._known.get(row_key)
        if rows is None:
            with self._database.write() as connection:
                rows = _make(connection, opening, set_digest, names, hour)
            with self._guard:
                if len(self._known) >= _REMEMBERED:
                    self._known.clear()
                self._known[row_key] = rows
        members = sorted(
            ((rows.scope_ids[(scope.kind.value, scope.key)], scope) for scope in wanted), key=lambda member: member[0]
        )
        return Account(rows.attempt_id, rows.tally_id, tuple(members))


_FIND_SCOPE = select(scopes.c.scope_id).where(
    scopes.c.key == bindparam("key"), scopes.c.kind == bindparam("kind"), scopes.c.billing == bindparam("billing")
)
_FIND_SET = select(scope_sets.c.set_id).where(scope_sets.c.digest == bindparam("digest"))
_FIND_ATTEMPT = select(attempts.c.attempt_id).where(
    attempts.c.owner_id == bindparam("owner_id"), attempts.c.number == bindparam("number")
)
_FIND_TALLY = select(tallies.c.tally_id).where(
    *(tallies.c[name] == bindparam(name) for name in ("set_id", "role", "model", "tier", "reason", "hour"))
)


def attempt_id_of(connection: Connection, owner_id: str, number: int) -> int:
    """The attempt's row number, or KeyError."""
    found = connection.execute(_FIND_ATTEMPT, {"owner_id": owner_id, "number": number}).scalar_one_or_none()
    if found is None:
        raise KeyError(f"no attempt {number} of {owner_id} in the ledger")
    return int(found)


def _make(connection: Connection, opening: CallOpening, set_digest: str, names: list[Name], hour: int) -> _Rows:
    attempt_id = attempt_id_of(connection, opening.owner_id, opening.attempt_number)
    # Names are sorted, so that two processes which add the same scopes wait for each other instead of deadlocking.
    ids: dict[Name, int] = {}
    for kind, key in names:
        row = {"kind": kind, "key": key, "billing": opening.billing}
        add_if_new(connection, scopes, row)
        ids[(kind, key)] = connection.execute(_FIND_SCOPE, row).scalar_one()
    add_if_new(connection, scope_sets, {"digest": set_digest})
    set_id = connection.execute(_FIND_SET, {"digest": set_digest}).scalar_one()
    members = [{"set_id": set_id, "scope_id": scope_id} for scope_id in sorted(ids.values())]
    add_all_new(connection, scope_members, members)
    tally = {
        "set_id": set_id,
        "attempt_id": attempt_id,
        "job_id": opening.job_id,
        "role": opening.role,
        "model": opening.model,
        "tier": opening.tier.value,
        "reason": opening.reason.value,
        "billing": opening.billing,
        "hour": hour,
    }
    add_if_new(connection, tallies, tally)
    tally_id = connection.execute(_FIND_TALLY, tally).scalar_one()
    return _Rows(attempt_id, tally_id, ids)
