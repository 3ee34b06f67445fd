"""Every call as one flat row, for spreadsheets and for whoever wants to check the sums by themselves."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import Connection, select

from thirdshift.adapters.ledger.tables import attempts, call_keys, calls, scope_members, scopes, tallies
from thirdshift.adapters.ledger.transitions import USAGE_COLUMNS, charge_of
from thirdshift.core.ledger import CallState, ScopeKind
from thirdshift.core.money import format_usd

Cell = str | int | None

_CALLS = (
    select(
        calls,
        tallies.c.job_id,
        tallies.c.set_id,
        tallies.c.role,
        tallies.c.model,
        tallies.c.tier,
        tallies.c.reason,
        tallies.c.billing,
        attempts.c.owner_id,
        attempts.c.number,
        call_keys.c.input_bound_tokens,
        call_keys.c.max_output_tokens,
        call_keys.c.price_snapshot,
        call_keys.c.workflow_id,
        call_keys.c.run_id,
        call_keys.c.activity_id,
        call_keys.c.activity_attempt,
    )
    .join(tallies, tallies.c.tally_id == calls.c.tally_id)
    .join(attempts, attempts.c.attempt_id == calls.c.attempt_id)
    .join(call_keys, call_keys.c.call_id == calls.c.call_id)
    .order_by(calls.c.call_id)
)
_NIGHTS = (
    select(scope_members.c.set_id, scopes.c.key)
    .join(scopes, scopes.c.scope_id == scope_members.c.scope_id)
    .where(scopes.c.kind == ScopeKind.SHIFT.value)
)
_BATCH = 5000


def exported_calls(connection: Connection, job_id: str | None) -> Iterator[dict[str, Cell]]:
    """Calls in the order they were opened. Money is decimal strings of dollars, times are ISO 8601 in UTC.

    ``charged_usd`` is what the call counts for: its cost once settled, its hold while held or unknown, else 0.
    ``night`` is the night that pays for it, empty outside shifts.
    """
    nights = {row.set_id: row.key for row in connection.execute(_NIGHTS)}
    query = _CALLS if job_id is None else _CALLS.where(tallies.c.job_id == job_id)
    for row in connection.execution_options(yield_per=_BATCH).execute(query).mappings():
        state = CallState(row["state"])
        charge = charge_of(state, row["hold_nano"], row["cost_nano"])
        yield {
            "call_id": row["call_id"],
            "job_id": row["job_id"],
            "owner_id": row["owner_id"],
            "attempt": row["number"],
            "step": row["step"],
            "role": row["role"],
            "model": row["model"],
            "served_model": row["served_model"],
            "tier": row["tier"],
            "reason": row["reason"],
            "billing": row["billing"],
            "state": state.value,
            "hold_usd": format_usd(row["hold_nano"]),
            "cost_usd": format_usd(row["cost_nano"]) if state is CallState.SETTLED else None,
            "charged_usd": format_usd(charge.held + charge.settled + charge.unknown),
            "input_bound_tokens": row["input_bound_tokens"],
            "max_output_tokens": row["max_output_tokens"],
            **{name: row[name] for name in USAGE_COLUMNS},
            "milliseconds": row["milliseconds"],
            "opened_at": row["opened_at"].isoformat(),
            "closed_at": row["closed_at"].isoformat() if row["closed_at"] else None,
            "stop": row["stop"],
            "note": row["note"],
            "price_snapshot": row["price_snapshot"],
            "workflow_id": row["workflow_id"],
            "run_id": row["run_id"],
            "activity_id": row["activity_id"],
            "activity_attempt": row["activity_attempt"],
            "night": nights.get(row["set_id"], ""),
        }
