"""How a call's money moves from one state to another: in its scopes and its tally, in one transaction."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, RowMapping, bindparam, select, update

from thirdshift.adapters.ledger.dialect import wait_for
from thirdshift.adapters.ledger.tables import call_keys, calls, scope_members, scopes, tallies
from thirdshift.core.ledger import CallState
from thirdshift.core.usage import Usage

USAGE_COLUMNS = (
    "input_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "output_tokens",
    "reasoning_tokens",
    "server_tool_requests",
)


@dataclass(frozen=True)
class Charge:
    """What a call puts into each of its scopes, in nano-dollars: exactly one of the three is its money."""

    held: int = 0
    settled: int = 0
    unknown: int = 0


def charge_of(state: CallState, hold_nano: int, cost_nano: int) -> Charge:
    """The charge of a call: its hold while held or unknown, its cost once settled, nothing when released."""
    match state:
        case CallState.HELD:
            return Charge(held=hold_nano)
        case CallState.UNKNOWN:
            return Charge(unknown=hold_nano)
        case CallState.SETTLED:
            return Charge(settled=cost_nano)
        case CallState.RELEASED:
            return Charge()


def usage_of(row: RowMapping) -> Usage | None:
    """The usage that a call's row reports, None where it reports none."""
    if row["input_tokens"] is None:
        return None
    return Usage(**{name: row[name] or 0 for name in USAGE_COLUMNS})


_READ = (
    select(calls, call_keys, tallies.c.set_id, tallies.c.job_id, tallies.c.model, tallies.c.tier, tallies.c.role)
    .join(call_keys, call_keys.c.call_id == calls.c.call_id)
    .join(tallies, tallies.c.tally_id == calls.c.tally_id)
    .where(calls.c.call_id == bindparam("id"))
)
_LOCK = select(calls.c.call_id).where(calls.c.call_id == bindparam("id"))


def lock_call(connection: Connection, call_id: int) -> RowMapping:
    """The call as it stands, kept from changing until the transaction ends. KeyError if there is none."""
    if connection.execute(wait_for(connection, _LOCK), {"id": call_id}).first() is None:
        raise KeyError(f"no call {call_id} in the ledger")
    return connection.execute(_READ, {"id": call_id}).mappings().one()


_SET_SCOPES = (
    select(scopes.c.scope_id)
    .where(
        scopes.c.scope_id.in_(
            select(scope_members.c.scope_id).where(scope_members.c.set_id == bindparam("set")).scalar_subquery()
        )
    )
    .order_by(scopes.c.scope_id)
)
_MOVE_SCOPES = (
    update(scopes)
    .where(
        scopes.c.scope_id.in_(
            select(scope_members.c.scope_id).where(scope_members.c.set_id == bindparam("set")).scalar_subquery()
        )
    )
    .values(
        held_nano=scopes.c.held_nano + bindparam("held"),
        settled_nano=scopes.c.settled_nano + bindparam("settled"),
        unknown_nano=scopes.c.unknown_nano + bindparam("unknown"),
    )
)
_MOVE_TALLY = (
    update(tallies)
    .where(tallies.c.tally_id == bindparam("tally"))
    .values(
        {
            name: tallies.c[name] + bindparam(f"more_{name}")
            for name in (
                "held_nano",
                "settled_nano",
                "unknown_nano",
                "held_calls",
                "settled_calls",
                "unknown_calls",
                "released_calls",
                "milliseconds",
                *USAGE_COLUMNS,
            )
        }
    )
)
_CHANGE_CALL = update(calls).where(calls.c.call_id == bindparam("id"))


@dataclass(frozen=True)
class CallChange:
    """What becomes of a call. ``usage`` None leaves what the call reports."""

    state: CallState
    cost_nano: int = 0
    usage: Usage | None = None
    milliseconds: int = 0
    note: str = ""
    served_model: str = ""
    stop: str = ""


def move_tally(connection: Connection, tally_id: int, old: Charge, new: Charge, **more: int) -> None:
    """Replace one charge by another in the tally and add ``more`` to its other columns."""
    values = dict.fromkeys(
        [f"more_{state.value}_calls" for state in CallState]
        + ["more_milliseconds"]
        + [f"more_{name}" for name in USAGE_COLUMNS],
        0,
    )
    values.update(
        more_held_nano=new.held - old.held,
        more_settled_nano=new.settled - old.settled,
        more_unknown_nano=new.unknown - old.unknown,
        **{f"more_{name}": amount for name, amount in more.items()},
    )
    connection.execute(_MOVE_TALLY, {"tally": tally_id, **values})


def change_call(connection: Connection, row: RowMapping, change: CallChange, at: object) -> None:
    """Move a locked call to its new state, and its money with it, in every scope and in its tally."""
    old_state, new_state = CallState(row["state"]), change.state
    old = charge_of(old_state, row["hold_nano"], row["cost_nano"])
    new = charge_of(new_state, row["hold_nano"], change.cost_nano)
    move = {"held": new.held - old.held, "settled": new.settled - old.settled, "unknown": new.unknown - old.unknown}
    if connection.dialect.name != "sqlite":
        # An UPDATE locks rows in whatever order it finds them; two of them would deadlock.
        connection.execute(wait_for(connection, _SET_SCOPES), {"set": row["set_id"]})
    connection.execute(_MOVE_SCOPES, {"set": row["set_id"], **move})
    more: dict[str, int] = {"milliseconds": change.milliseconds - row["milliseconds"]}
    if old_state is not new_state:
        more[f"{old_state.value}_calls"] = -1
        more[f"{new_state.value}_calls"] = 1
    values: dict[str, object] = {
        "state": new_state.value,
        "cost_nano": change.cost_nano,
        "milliseconds": change.milliseconds,
        "closed_at": at,
        "note": change.note or row["note"],
    }
    if change.usage is not None:
        tokens = change.usage.model_dump()
        more.update({name: tokens[name] - (row[name] or 0) for name in USAGE_COLUMNS})
        values.update({name: tokens[name] for name in USAGE_COLUMNS})
    if change.served_model:
        values["served_model"] = change.served_model
    if change.stop:
        values["stop"] = change.stop
    move_tally(connection, row["tally_id"], old, new, **more)
    connection.execute(_CHANGE_CALL.values(values), {"id": row["call_id"]})
