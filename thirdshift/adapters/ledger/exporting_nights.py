"""Nights and events as flat rows, for spreadsheets and archives. What an event told is hostile text, made visible."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import Connection, select

from thirdshift.adapters.ledger.event_tables import events
from thirdshift.adapters.ledger.exporting import Cell
from thirdshift.adapters.ledger.night_jobs import night_sums
from thirdshift.adapters.ledger.night_tables import night_lines, nights
from thirdshift.core.money import format_usd
from thirdshift.core.text import visible

_BATCH = 5000
_LINES = (
    select(nights.c.shift, nights.c.day, night_lines)
    .join(nights, nights.c.night_id == night_lines.c.night_id)
    .order_by(night_lines.c.line_id)
)


def exported_nights(connection: Connection) -> Iterator[dict[str, Cell]]:
    """Nights in the order in which they were opened, each with what it came to."""
    for row in connection.execute(select(nights).order_by(nights.c.opened_at, nights.c.night_id)).mappings().all():
        sums = night_sums(connection, row["night_id"], row["budget_nano"], row["closed_at"])
        yield {
            "night": row["night_id"],
            "shift": row["shift"],
            "day": row["day"],
            "zone": row["zone"],
            **{name: _time(row[name]) for name in ("opens_at", "drains_at", "closes_at", "opened_at", "closed_at")},
            "by_hand": int(row["by_hand"]),
            "how": row["how"],
            "why": visible(row["why"]),
            "workflow_id": row["workflow_id"],
            "concurrency": row["concurrency"],
            "deliver": row["deliver"],
            "budget_usd": format_usd(row["budget_nano"]),
            "limit_usd": None if sums.limit_nano is None else format_usd(sums.limit_nano),
            "settled_usd": format_usd(sums.settled_nano),
            "held_usd": format_usd(sums.held_nano),
            "unknown_usd": format_usd(sums.unknown_nano),
            "calls": sums.calls,
            "faulted_calls": sums.faulted_calls,
            "verdicts": sums.verdicts,
            "failed_verdicts": sums.failed_verdicts,
        }


def exported_lines(connection: Connection) -> Iterator[dict[str, Cell]]:
    """Every line of every night's list, in the order in which they came."""
    for row in connection.execution_options(yield_per=_BATCH).execute(_LINES).mappings():
        yield {
            "night": row["night_id"],
            "shift": row["shift"],
            "day": row["day"],
            "key": visible(row["key"]),
            "job_id": row["job_id"],
            "spec": visible(row["spec_path"]),
            "title": visible(row["title"]),
            "priority": row["priority"],
            "state": row["state"],
            "why": visible(row["why"]),
            "event": row["event"],
            "first_seen_at": _time(row["first_seen_at"]),
            "at": _time(row["at"]),
        }


def exported_events(connection: Connection) -> Iterator[dict[str, Cell]]:
    """Every event with its decision, in the order in which they came; ``facts`` is JSON."""
    told = ("source", "delivery", "kind", "repository", "fingerprint", "title", "text", "facts")
    query = select(events).order_by(events.c.number)
    for row in connection.execution_options(yield_per=_BATCH).execute(query).mappings():
        yield {
            "event": row["number"],
            **{name: visible(row[name]) for name in told},
            "received_at": _time(row["received_at"]),
            "decided": row["decided"],
            "why": visible(row["why"]),
            "rule": row["rule"],
            "job_id": row["job_id"],
            "shift": row["shift"],
            "decided_at": _time(row["decided_at"]),
        }


def _time(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
