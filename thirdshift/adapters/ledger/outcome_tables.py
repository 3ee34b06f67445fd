"""The tables of deliveries and of what became of them. Rows are only ever added."""

from __future__ import annotations

from sqlalchemy import Column, Integer, Table, Text, UniqueConstraint

from thirdshift.adapters.ledger.tables import Instant, SerialKey, metadata

deliveries = Table(
    "deliveries",
    metadata,
    Column("delivery_id", SerialKey, primary_key=True),
    Column("job_id", Text, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("done", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("branch", Text, nullable=False),
    Column("commit_hash", Text, nullable=False),
    Column("work_hash", Text, nullable=False),
    Column("onto", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("at", Instant, nullable=False),
    UniqueConstraint("job_id", "run_id"),
)

outcomes = Table(
    "outcomes",
    metadata,
    Column("outcome_id", SerialKey, primary_key=True),
    Column("job_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("commit_hash", Text, nullable=False),
    Column("share", Integer, nullable=False),
    Column("how", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("source", Text, nullable=False),
    UniqueConstraint("job_id", "kind", "commit_hash"),
)
