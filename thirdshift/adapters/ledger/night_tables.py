"""The tables of nights: the nights themselves, their lists, and the specs that events add to a shift."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint

from thirdshift.adapters.ledger.tables import Instant, SerialKey, metadata

nights = Table(
    "nights",
    metadata,
    Column("night_id", Text, primary_key=True),
    Column("shift", Text, nullable=False),
    Column("day", Text, nullable=False),
    Column("opens_at", Instant, nullable=False),
    Column("drains_at", Instant, nullable=False),
    Column("closes_at", Instant, nullable=False),
    Column("by_hand", Integer, nullable=False),
    Column("workflow_id", Text, nullable=False),
    Column("budget_nano", BigInteger, nullable=False),
    Column("concurrency", Integer, nullable=False),
    Column("deliver", Text, nullable=False),
    Column("zone", Text, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("closed_at", Instant),
    Column("how", Text, nullable=False, server_default=""),
    Column("why", Text, nullable=False, server_default=""),
    Index(None, "shift", "opened_at"),
    Index(None, "opened_at"),
)

night_lines = Table(
    "night_lines",
    metadata,
    Column("line_id", SerialKey, primary_key=True),
    Column("night_id", Text, ForeignKey("nights.night_id"), nullable=False),
    Column("key", Text, nullable=False),
    Column("job_id", Text, nullable=False),
    Column("spec_path", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("why", Text, nullable=False),
    Column("event", BigInteger),
    Column("first_seen_at", Instant, nullable=False),
    Column("at", Instant, nullable=False),
    UniqueConstraint("night_id", "key"),
)

queued_specs = Table(
    "queued_specs",
    metadata,
    Column("queue_id", SerialKey, primary_key=True),
    Column("shift", Text, nullable=False),
    Column("spec_path", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("priority", Integer, nullable=False),
    Column("event", BigInteger),
    Column("queued_at", Instant, nullable=False),
    UniqueConstraint("shift", "spec_path"),
)
