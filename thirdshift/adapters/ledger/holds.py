"""Setting money aside before a call, so that no scope is ever overspent.

The promise rests on one statement: the UPDATE that adds a hold to all scopes of a call at once, each only where
``settled + unknown + held + hold`` stays within its limit. Settling replaces a hold by a cost that is no larger,
so nothing that happens afterwards can take a scope over its limit either.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, RowMapping, bindparam, func, insert, select, update

from thirdshift.adapters.ledger.accounts import Account
from thirdshift.adapters.ledger.dialect import wait_for
from thirdshift.adapters.ledger.lines import leave_line, need_nothing, stand_in_line, who_is_ahead
from thirdshift.adapters.ledger.room import Ahead, Room, refusal, room_in, wait_needed
from thirdshift.adapters.ledger.tables import call_keys, calls, scope_members, scopes, tallies
from thirdshift.adapters.ledger.talk import messages_sent_at_least, standing_answer
from thirdshift.adapters.ledger.told import tell_lost, tell_waiting
from thirdshift.adapters.ledger.transitions import CallChange, Charge, change_call, lock_call, move_tally
from thirdshift.core.ledger import (
    Answered,
    CallOpening,
    CallState,
    DoesNotFit,
    Held,
    MustWait,
    Scope,
)

REPLACED = "a later attempt of the same activity found it in flight; its worker was lost"

_IN_FLIGHT = (
    select(calls.c.call_id, call_keys.c.activity_attempt)
    .join(call_keys, call_keys.c.call_id == calls.c.call_id)
    .where(
        calls.c.state == CallState.HELD.value,
        call_keys.c.workflow_id == bindparam("workflow_id"),
        call_keys.c.run_id == bindparam("run_id"),
        call_keys.c.activity_id == bindparam("activity_id"),
        call_keys.c.activity_attempt < bindparam("attempt"),
    )
    .order_by(calls.c.call_id)
)
_TRIES = (
    select(func.count())
    .select_from(calls.join(call_keys, call_keys.c.call_id == calls.c.call_id))
    .where(
        calls.c.attempt_id == bindparam("id"),
        calls.c.step == bindparam("step"),
        call_keys.c.workflow_id == bindparam("workflow_id"),
        call_keys.c.run_id == bindparam("run_id"),
        call_keys.c.activity_id == bindparam("activity_id"),
    )
)
_SCOPES = select(scopes).where(scopes.c.scope_id.in_(bindparam("ids", expanding=True))).order_by(scopes.c.scope_id)
_SCOPES_OF_CALLS = (
    select(scope_members.c.scope_id)
    .join(tallies, tallies.c.set_id == scope_members.c.set_id)
    .join(calls, calls.c.tally_id == tallies.c.tally_id)
    .where(calls.c.call_id.in_(bindparam("ids", expanding=True)))
)
_LIMIT = update(scopes).where(scopes.c.scope_id == bindparam("id")).values(limit_nano=bindparam("limit"))
_SET_ASIDE = (
    update(scopes)
    .where(
        scopes.c.scope_id.in_(bindparam("ids", expanding=True)),
        (scopes.c.limit_nano.is_(None))
        | (
            scopes.c.settled_nano + scopes.c.held_nano + scopes.c.unknown_nano + bindparam("hold")
            <= scopes.c.limit_nano + scopes.c.raised_nano
        ),
    )
    .values(held_nano=scopes.c.held_nano + bindparam("hold"))
)


def place_hold(
    connection: Connection, opening: CallOpening, account: Account
) -> Held | Answered | DoesNotFit | MustWait:
    """Find the call's own past, else set its hold aside in every scope, all in the caller's transaction."""
    standing = standing_answer(connection, account.attempt_id, opening.step)
    if standing is not None:
        return Answered(call_id=standing)
    lost = _lost_calls(connection, opening)
    rows = _lock_scopes(connection, account, lost)
    if lost:
        for call_id in lost:
            _write_off(connection, call_id, opening.opened_at)
        standing = standing_answer(connection, account.attempt_id, opening.step)
        if standing is not None:
            return Answered(call_id=standing)  # Its worker lived after all, and answered while we waited for it.
        rows = _lock_scopes(connection, account, [])
    account = _with_limits_left_out(opening, account, rows)
    rooms = _rooms(connection, opening, account, rows)
    refused = refusal(opening, rooms) or wait_needed(opening, rooms)
    match refused:
        case DoesNotFit():
            if opening.may_wait:
                need_nothing(connection, opening)
            return refused
        case MustWait():
            if stand_in_line(connection, opening, rooms):
                tell_waiting(connection, opening, account.attempt_id, refused)
            return refused
    if opening.may_wait:
        leave_line(connection, opening)
    tries = _tries_before(connection, opening, account)
    _set_aside(connection, opening, account, rows)
    return Held(call_id=_write_call(connection, opening, account), tries_before=tries)


def _lost_calls(connection: Connection, opening: CallOpening) -> list[int]:
    key = opening.key
    found = connection.execute(
        _IN_FLIGHT,
        {
            "workflow_id": key.workflow_id,
            "run_id": key.run_id,
            "activity_id": key.activity_id,
            "attempt": key.attempt,
        },
    )
    return [row.call_id for row in found]


def _write_off(connection: Connection, call_id: int, at: datetime) -> None:
    row = lock_call(connection, call_id)
    if row["state"] != CallState.HELD.value:
        return
    change_call(connection, row, CallChange(CallState.UNKNOWN, note=REPLACED), at)
    tell_lost(connection, row, CallState.UNKNOWN, REPLACED, at)


def _lock_scopes(connection: Connection, account: Account, lost: list[int]) -> dict[int, RowMapping]:
    ids = set(account.scope_ids)
    if lost:
        # Calls are locked before scopes, and all scopes in one ascending sweep: nobody can wait in a circle.
        for call_id in lost:
            lock_call(connection, call_id)
        ids.update(connection.execute(_SCOPES_OF_CALLS, {"ids": lost}).scalars())
    found = connection.execute(wait_for(connection, _SCOPES), {"ids": sorted(ids)}).mappings()
    return {row["scope_id"]: row for row in found}


def _with_limits_left_out(opening: CallOpening, account: Account, rows: dict[int, RowMapping]) -> Account:
    """A caller that leaves out its attempt or its job is under their limits all the same, as they were last stated."""
    stated = {(scope.kind, scope.key) for scope in opening.scopes}

    def with_limit(scope_id: int, scope: Scope) -> Scope:
        kept = rows[scope_id]["limit_nano"]
        return scope if (scope.kind, scope.key) in stated else scope.model_copy(update={"limit_nano": kept})

    members = tuple((scope_id, with_limit(scope_id, scope)) for scope_id, scope in account.members)
    return replace(account, members=members)


def _rooms(
    connection: Connection, opening: CallOpening, account: Account, rows: dict[int, RowMapping]
) -> tuple[Room, ...]:
    limited = [(scope_id, scope) for scope_id, scope in account.members if scope.limit_nano is not None]
    ahead = who_is_ahead(connection, opening, [i for i, _ in limited]) if opening.may_wait else {}
    return tuple(room_in(rows[i], scope, i, ahead.get(i, Ahead())) for i, scope in limited)


def _tries_before(connection: Connection, opening: CallOpening, account: Account) -> int:
    key = opening.key
    named = {"workflow_id": key.workflow_id, "run_id": key.run_id, "activity_id": key.activity_id}
    found = connection.execute(_TRIES, {"id": account.attempt_id, "step": opening.step, **named})
    return int(found.scalar_one())


def _set_aside(connection: Connection, opening: CallOpening, account: Account, rows: dict[int, RowMapping]) -> None:
    for scope_id, scope in account.members:
        if rows[scope_id]["limit_nano"] != scope.limit_nano:
            connection.execute(_LIMIT, {"id": scope_id, "limit": scope.limit_nano})
    ids = account.scope_ids
    done = connection.execute(_SET_ASIDE, {"ids": ids, "hold": opening.hold_nano})
    if done.rowcount != len(ids):
        raise AssertionError(f"only {done.rowcount} of {len(ids)} scopes took a hold that fits them all")


def _write_call(connection: Connection, opening: CallOpening, account: Account) -> int:
    move_tally(connection, account.tally_id, Charge(), Charge(held=opening.hold_nano), held_calls=1)
    row = {
        "tally_id": account.tally_id,
        "attempt_id": account.attempt_id,
        "step": opening.step,
        "state": CallState.HELD.value,
        "hold_nano": opening.hold_nano,
        "cost_nano": 0,
        "opened_at": opening.opened_at,
    }
    call_id = int(connection.execute(insert(calls).returning(calls.c.call_id), row).scalar_one())
    sent = opening.sent_messages
    if sent is None:
        sent = messages_sent_at_least(connection, account.attempt_id, opening.step)
    key = opening.key
    connection.execute(
        insert(call_keys),
        {
            "call_id": call_id,
            "workflow_id": key.workflow_id,
            "run_id": key.run_id,
            "activity_id": key.activity_id,
            "activity_attempt": key.attempt,
            "request_hash": opening.request_hash,
            "price_snapshot": opening.price_snapshot,
            "input_bound_tokens": opening.input_bound_tokens,
            "max_output_tokens": opening.max_output_tokens,
            "sent_messages": sent,
        },
    )
    return call_id
