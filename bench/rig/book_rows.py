"""Rows of made-up books: written in batches, with the running totals that the tables carry."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

from thirdshift.adapters.ledger.tables import metadata

BATCH = 20_000

TOKENS = ("input_tokens", "cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens", "output_tokens",
          "reasoning_tokens", "server_tool_requests")  # fmt: skip


@dataclass
class Writer:
    """Rows by table, written in batches, and the running totals that the tables carry."""

    connection: sqlite3.Connection
    waiting: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    scopes: dict[tuple[str, str, str], list[int]] = field(default_factory=dict)
    serial: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def number(self, table: str) -> int:
        """The next row number of a table."""
        self.serial[table] += 1
        return self.serial[table]

    def add(self, table: str, **row: Any) -> None:
        """Add a row, in time."""
        rows = self.waiting[table]
        rows.append(row)
        if len(rows) >= BATCH:
            self.flush(table)

    def flush(self, table: str) -> None:
        """Write the rows that wait."""
        rows = self.waiting.pop(table, [])
        if rows:
            names = ", ".join(f'"{name}"' for name in rows[0])
            marks = ", ".join(f":{name}" for name in rows[0])
            self.connection.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", rows)  # noqa: S608 - our own names

    def scope(self, kind: str, key: str, billing: str) -> int:
        """The number of a scope; its totals are written at the end."""
        found = self.scopes.setdefault((kind, key, billing), [0, 0, 0, 0])
        found[0] = found[0] or self.number("scopes")
        return found[0]

    def charge(self, names: list[tuple[str, str, str]], held: int, settled: int, unknown: int) -> None:
        """Add a call's money to its scopes."""
        for name in names:
            totals = self.scopes[name]
            totals[1] += settled
            totals[2] += held
            totals[3] += unknown

    def finish(self) -> None:
        """Write the totals and whatever waits."""
        for (kind, key, billing), (scope_id, settled, held, unknown) in self.scopes.items():
            row = {"settled_nano": settled, "held_nano": held, "unknown_nano": unknown}
            self.add("scopes", scope_id=scope_id, kind=kind, key=key, billing=billing, **row)
        for table in metadata.sorted_tables:
            self.flush(table.name)
        self.connection.commit()


@dataclass(frozen=True)
class Place:
    """Where in the books a call belongs."""

    job_id: str
    owner_id: str
    number: int
    role: str
    tier: str
    reason: str
    billing: str
    repository: str
    model: str
    night: str = ""
    """The night whose money it is, where there is one."""


@dataclass(frozen=True)
class Draft:
    """A call before it is written. Money in nano-dollars."""

    attempt_id: int
    step: int
    state: str
    hold: int
    cost: int
    used: dict[str, int]


def scopes_of(writer: Writer, place: Place, day: int) -> tuple[list[tuple[str, str, str]], list[int]]:
    month = day // 30
    names = [
        ("attempt", f"{place.owner_id}#{place.number}"),
        ("job", place.job_id),
        ("repository_day", f"{place.repository}|{day}"),
        ("repository_month", f"{place.repository}|{month}"),
        ("team_day", f"default|{day}"),
        ("team_month", f"default|{month}"),
    ]
    if place.role != "plan":
        names.append(("loop", place.owner_id))
    if place.night:
        names.append(("shift", place.night))
    full = [(kind, key, place.billing) for kind, key in names]
    return full, [writer.scope(*name) for name in full]


def new_tally(writer: Writer, place: Place, attempt_id: int, hour: int, scope_ids: list[int]) -> dict[str, Any]:
    set_id = writer.number("scope_sets")
    writer.add("scope_sets", set_id=set_id, digest=f"{set_id:064x}")
    for scope_id in scope_ids:
        writer.add("scope_members", set_id=set_id, scope_id=scope_id)
    counts = dict.fromkeys((*(f"{state}_calls" for state in ("held", "settled", "unknown", "released")), *TOKENS,
                            "held_nano", "settled_nano", "unknown_nano", "milliseconds"), 0)  # fmt: skip
    names = ("job_id", "role", "model", "tier", "reason", "billing")
    return {
        "tally_id": writer.number("tallies"),
        "set_id": set_id,
        "attempt_id": attempt_id,
        **{name: getattr(place, name) for name in names},
        "hour": hour,
        **counts,
    }


def write_call(
    writer: Writer, call: Draft, tally: dict[str, Any], names: list[tuple[str, str, str]], place: Place, at: int
) -> int:
    """One call with its key, in its tally and its scopes; what it is charged with."""
    call_id = writer.number("calls")
    settled, unknown = call.state == "settled", call.state == "unknown"
    cost, lost = call.cost if settled else 0, call.hold if unknown else 0
    milliseconds = 2_000 if settled else 0
    used = call.used if settled else dict.fromkeys(call.used, None)
    writer.add(
        "calls",
        call_id=call_id,
        tally_id=tally["tally_id"],
        attempt_id=call.attempt_id,
        step=call.step,
        state=call.state,
        hold_nano=call.hold,
        cost_nano=cost,
        **used,
        milliseconds=milliseconds,
        opened_at=at,
        closed_at=at + 2_000_000,
        served_model=place.model.partition("/")[2],
        stop="tools" if settled else "",
        note="" if settled else "rate_limited: made up",
    )
    writer.add(
        "call_keys",
        call_id=call_id,
        workflow_id=place.owner_id,
        run_id=f"{call.attempt_id:032x}",
        activity_id=str(call.step),
        activity_attempt=1,
        request_hash=f"{call_id:064x}",
        price_snapshot="synthetic",
        input_bound_tokens=8_000,
        max_output_tokens=8_192,
        sent_messages=call.step * 2,
    )
    tally[f"{call.state}_calls"] += 1
    tally["settled_nano"] += cost
    tally["unknown_nano"] += lost
    tally["milliseconds"] += milliseconds
    for name in TOKENS if settled else ():
        tally[name] += call.used[name]
    writer.charge(names, 0, cost, lost)
    return cost + lost
