"""The tables of gates and of the answers to them. Answers are only ever added."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, Table, Text, UniqueConstraint, text

from thirdshift.adapters.ledger.tables import Instant, SerialKey, metadata

gates = Table(
    "gates",
    metadata,
    Column("gate_id", SerialKey, primary_key=True),
    Column("open_key", Text, nullable=False, unique=True),
    Column("job_id", Text, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("owner_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("tree", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("reviewers", Text, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("end", Text),
    Column("closed_at", Instant),
    UniqueConstraint("job_id", "seq"),
    Index("ix_gates_open", "opened_at", sqlite_where=text('"end" IS NULL'), postgresql_where=text('"end" IS NULL')),
)

gate_answers = Table(
    "gate_answers",
    metadata,
    Column("answer_id", SerialKey, primary_key=True),
    Column("job_id", Text, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("reviewer", Text, nullable=False),
    Column("identity", Text, nullable=False, server_default="claimed"),
    Column("verdict", Text, nullable=False),
    Column("note", Text, nullable=False),
    Column("usd_nano", BigInteger, nullable=False, server_default="0"),
    Column("at", Instant, nullable=False),
    UniqueConstraint("job_id", "seq", "reviewer"),
)
