"""Calls as a vendor's bill is compared with them, and settling the unknown ones by it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import Connection, exists, func, select

from thirdshift.adapters.ledger.tables import answers, call_keys, calls, tallies
from thirdshift.adapters.ledger.told import tell_reconciled
from thirdshift.adapters.ledger.transitions import CallChange, change_call, lock_call, usage_of
from thirdshift.core.ledger import CallState
from thirdshift.core.reconciling import BookedCall, NeverBilled, SettleByBill

BY_BILL = "settled by the vendor's usage export"
NOT_BILLED = "the vendor's usage export has nothing for it"


def booked_calls(
    connection: Connection, providers: Collection[str], since: datetime, until: datetime
) -> tuple[BookedCall, ...]:
    """Calls of these providers that were under way between two times, the oldest first."""
    answered = exists().where(answers.c.call_id == calls.c.call_id).label("answered")
    query = (
        select(calls, tallies.c.model, call_keys.c.price_snapshot, answered)
        .join(tallies, tallies.c.tally_id == calls.c.tally_id)
        .join(call_keys, call_keys.c.call_id == calls.c.call_id)
        .where(calls.c.opened_at < until, func.coalesce(calls.c.closed_at, calls.c.opened_at) >= since)
        .order_by(calls.c.call_id)
    )
    return tuple(
        BookedCall(
            call_id=row["call_id"],
            model=row["model"].partition("/")[2],
            state=CallState(row["state"]),
            opened_at=row["opened_at"],
            closed_at=row["closed_at"],
            usage=usage_of(row),
            hold_nano=row["hold_nano"],
            price_snapshot=row["price_snapshot"],
            answered=bool(row["answered"]),
        )
        for row in connection.execute(query).mappings()
        if row["model"].partition("/")[0] in providers
    )


def apply(connection: Connection, decision: SettleByBill | NeverBilled, at: datetime) -> bool:
    """Settle or release a call that is still unknown; whether it was."""
    row = lock_call(connection, decision.call_id)
    if row["state"] != CallState.UNKNOWN.value:
        return False
    # When the call itself ended is what a later reconciliation needs; when it was reconciled is in the journal.
    ended = row["closed_at"] or at
    match decision:
        case SettleByBill():
            note = f"{BY_BILL}; was unknown: {row['note']}"
            change = CallChange(
                CallState.SETTLED, decision.cost_nano, decision.usage, milliseconds=row["milliseconds"], note=note
            )
        case NeverBilled():
            note = f"{NOT_BILLED}; was unknown: {row['note']}"
            change = CallChange(CallState.RELEASED, milliseconds=row["milliseconds"], note=note)
    change_call(connection, row, change, ended)
    tell_reconciled(connection, row, change.state, change.cost_nano, at)
    return True
