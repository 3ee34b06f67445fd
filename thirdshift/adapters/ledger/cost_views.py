"""Read models of calls and of what they cost."""

from __future__ import annotations

from sqlalchemy import Connection, RowMapping, func, select

from thirdshift.adapters.ledger.records import read_job
from thirdshift.adapters.ledger.tables import attempts, calls, tallies
from thirdshift.adapters.ledger.transitions import charge_of, usage_of
from thirdshift.core.history import ReasonCode
from thirdshift.core.ladder import Tier
from thirdshift.core.ledger import CallRow, CallState
from thirdshift.core.views import (
    CallCounts,
    CostLine,
    Spend,
    Tokens,
)

_SUMMED = (
    "held_calls",
    "settled_calls",
    "unknown_calls",
    "released_calls",
    "held_nano",
    "settled_nano",
    "unknown_nano",
    "input_tokens",
    "cache_read_tokens",
    "cache_write_5m_tokens",
    "cache_write_1h_tokens",
    "output_tokens",
    "reasoning_tokens",
    "milliseconds",
)
_SUMS = [func.sum(tallies.c[name]).label(name) for name in _SUMMED]

_CALL = (
    select(
        calls,
        tallies.c.job_id,
        tallies.c.role,
        tallies.c.model,
        tallies.c.tier,
        tallies.c.reason,
        attempts.c.owner_id,
        attempts.c.number,
    )
    .join(tallies, tallies.c.tally_id == calls.c.tally_id)
    .join(attempts, attempts.c.attempt_id == calls.c.attempt_id)
)


def call_row(connection: Connection, call_id: int) -> CallRow:
    """The call as it stands, or KeyError."""
    row = connection.execute(_CALL.where(calls.c.call_id == call_id)).mappings().one_or_none()
    if row is None:
        raise KeyError(f"no call {call_id} in the ledger")
    state = CallState(row["state"])
    charge = charge_of(state, row["hold_nano"], row["cost_nano"])
    return CallRow(
        call_id=row["call_id"],
        job_id=row["job_id"],
        owner_id=row["owner_id"],
        attempt_number=row["number"],
        step=row["step"],
        role=row["role"],
        model=row["model"],
        served_model=row["served_model"],
        tier=Tier(row["tier"]),
        reason=ReasonCode(row["reason"]),
        state=state,
        hold_nano=row["hold_nano"],
        cost_nano=charge.held + charge.settled + charge.unknown,
        usage=usage_of(row),
        stop=row["stop"],
        seconds=row["milliseconds"] / 1000,
        note=row["note"],
        opened_at=row["opened_at"],
        closed_at=row["closed_at"],
    )


def _counts(row: RowMapping) -> CallCounts:
    return CallCounts(
        held=row["held_calls"],
        settled=row["settled_calls"],
        unknown=row["unknown_calls"],
        released=row["released_calls"],
    )


def _spend(row: RowMapping) -> Spend:
    imputed = row["billing"] == "imputed"
    return Spend(
        settled_nano=0 if imputed else row["settled_nano"],
        imputed_nano=row["settled_nano"] if imputed else 0,
        held_nano=0 if imputed else row["held_nano"],
        unknown_nano=0 if imputed else row["unknown_nano"],
    )


def _tokens(row: RowMapping) -> Tokens:
    written = row["cache_write_5m_tokens"] + row["cache_write_1h_tokens"]
    return Tokens(
        input=row["input_tokens"] + row["cache_read_tokens"] + written,
        cached=row["cache_read_tokens"],
        cache_written=written,
        output=row["output_tokens"],
        reasoning=row["reasoning_tokens"],
    )


def cost_lines(connection: Connection, job_id: str | None) -> tuple[CostLine, ...]:
    """A job's cost by attempt, tier, model and role; over all jobs by tier, model and role."""
    by = [tallies.c.role, tallies.c.tier, tallies.c.model, tallies.c.billing]
    query = select(*by, *_SUMS).group_by(*by).order_by(*by)
    if job_id is not None:
        read_job(connection, job_id)
        place = [attempts.c.owner_id, attempts.c.number, attempts.c.attempt_id]
        query = (
            select(*place, *by, *_SUMS)
            .join(attempts, attempts.c.attempt_id == tallies.c.attempt_id)
            .where(tallies.c.job_id == job_id)
            .group_by(*place, *by)
            .order_by(attempts.c.attempt_id, *by)
        )
    lines: dict[tuple[object, ...], CostLine] = {}
    for row in connection.execute(query).mappings():
        line = CostLine(
            job_id=job_id or "",
            owner_id=row.get("owner_id", ""),
            attempt=row.get("number"),
            role=row["role"],
            tier=Tier(row["tier"]),
            model=row["model"],
            calls=_counts(row),
            spend=_spend(row),
            tokens=_tokens(row),
            seconds=row["milliseconds"] / 1000,
        )
        key = (line.owner_id, line.attempt, line.role, line.tier, line.model)
        lines[key] = _merge(lines[key], line) if key in lines else line
    return tuple(lines.values())


def _merge(one: CostLine, other: CostLine) -> CostLine:
    return one.model_copy(
        update={
            "calls": one.calls + other.calls,
            "spend": one.spend + other.spend,
            "tokens": one.tokens + other.tokens,
            "seconds": one.seconds + other.seconds,
        }
    )
