"""The tables of the books.

Money is integer nano-dollars, tokens are integers, times are microseconds since 1970 in UTC.

Where the figures live:

- ``calls`` is the truth: one narrow row for each call, with its hold, its cost and its tokens.
- ``scopes`` carries the running totals that budgets are guarded by; a call names its scopes through a
  ``scope_set``, so that a call adds no rows to them.
- ``tallies`` carries the running totals that reports are made from: one row for each scope set, role, model and
  hour. A report over a million calls reads tens of thousands of these instead.

Both kinds of total change in the transaction that changes the call, and ``verify`` recomputes them from ``calls``.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Dialect,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


class Instant(TypeDecorator[datetime]):
    """An aware UTC time, stored as microseconds since 1970: exact, sortable, the same on both databases."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """To the database."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone; the ledger keeps UTC times only")
        return (value - EPOCH) // MICROSECOND

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """From the database."""
        return None if value is None else EPOCH + timedelta(microseconds=int(value))


SerialKey = BigInteger().with_variant(Integer, "sqlite")
"""SQLite numbers rows by itself only where the type is exactly INTEGER."""

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

specs = Table(
    "specs",
    metadata,
    Column("spec_id", Text, primary_key=True),
    Column("body", Text, nullable=False),
    Column("holdout", Text, nullable=False),
)

jobs = Table(
    "jobs",
    metadata,
    Column("job_id", Text, primary_key=True),
    Column("spec_id", Text, nullable=False),
    Column("spec_path", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("task", Text, nullable=False),
    Column("risk", Text, nullable=False),
    Column("repository", Text, nullable=False),
    Column("base_commit", Text, nullable=False),
    Column("base_tree", Text, nullable=False),
    Column("budget_nano", BigInteger),
    Column("submitter", Text, nullable=False),
    Column("submitted_at", Instant, nullable=False),
    Column("resubmitted_at", Instant),
    Column("sandbox", Text, nullable=False),
    Column("plan", Text),
    Column("stop_reason", Text),
    Column("evidence", Text),
    Column("branch", Text),
    Column("commit_hash", Text),
    Column("tree", Text),
    Column("remedy", Text),
    Column("closed_at", Instant),
    Column("journal_seq", Integer, nullable=False, server_default="0"),
    Column("team", Text, nullable=False, server_default="default"),
    Column("night", Text, nullable=False, server_default=""),
    Column("night_limit_nano", BigInteger),
    Column("priority", Integer, nullable=False, server_default="0"),
    Column("window_closes_at", Instant),
    Column("parked_at", Instant),
    Column("parked_why", Text),
    Column("parked_microseconds", BigInteger, nullable=False, server_default="0"),
    Index(None, "submitted_at"),
    Index("ix_jobs_night", "night", sqlite_where=text("night <> ''"), postgresql_where=text("night <> ''")),
    Index(None, "task", "repository"),
)

loops = Table(
    "loops",
    metadata,
    Column("loop_id", Text, primary_key=True),
    Column("job_id", Text, nullable=False, index=True),
    Column("packet", Text, nullable=False),
    Column("base_tree", Text, nullable=False),
    Column("checks", Text, nullable=False),
    Column("opened_at", Instant, nullable=False),
)

attempts = Table(
    "attempts",
    metadata,
    Column("attempt_id", SerialKey, primary_key=True),
    Column("owner_id", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("job_id", Text, nullable=False, index=True),
    Column("role", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("tier", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("rung", Text, nullable=False),
    Column("start_tree", Text, nullable=False),
    Column("start_commit", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("opened_at", Instant, nullable=False),
    Column("system", Text, nullable=False),
    Column("tools", Text, nullable=False),
    Column("message_count", Integer, nullable=False),
    Column("end", Text),
    Column("evidence", Text),
    Column("verdict_id", BigInteger),
    Column("closed_at", Instant),
    UniqueConstraint("owner_id", "number"),
)

messages = Table(
    "messages",
    metadata,
    Column("message_id", SerialKey, primary_key=True),
    Column("attempt_id", BigInteger, ForeignKey("attempts.attempt_id"), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("step", Integer, nullable=False),
    Column("slot", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("call_id", BigInteger),
    Column("body", Text, nullable=False),
    Column("bytes", Integer, nullable=False),
    UniqueConstraint("attempt_id", "seq"),
    UniqueConstraint("attempt_id", "step", "slot"),
)

scopes = Table(
    "scopes",
    metadata,
    Column("scope_id", SerialKey, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("key", Text, nullable=False),
    Column("billing", Text, nullable=False),
    Column("limit_nano", BigInteger),
    Column("raised_nano", BigInteger, nullable=False, server_default="0"),
    Column("settled_nano", BigInteger, nullable=False, server_default="0"),
    Column("held_nano", BigInteger, nullable=False, server_default="0"),
    Column("unknown_nano", BigInteger, nullable=False, server_default="0"),
    UniqueConstraint("key", "kind", "billing"),
    CheckConstraint("settled_nano >= 0 AND held_nano >= 0 AND unknown_nano >= 0", name="no_negative_money"),
)

scope_sets = Table(
    "scope_sets",
    metadata,
    Column("set_id", SerialKey, primary_key=True),
    Column("digest", Text, nullable=False, unique=True),
)

scope_members = Table(
    "scope_members",
    metadata,
    Column("set_id", BigInteger, ForeignKey("scope_sets.set_id"), primary_key=True),
    Column("scope_id", BigInteger, ForeignKey("scopes.scope_id"), primary_key=True),
    Index(None, "scope_id"),
)

tallies = Table(
    "tallies",
    metadata,
    Column("tally_id", SerialKey, primary_key=True),
    Column("set_id", BigInteger, ForeignKey("scope_sets.set_id"), nullable=False),
    Column("attempt_id", BigInteger, ForeignKey("attempts.attempt_id"), nullable=False, index=True),
    Column("job_id", Text, nullable=False, index=True),
    Column("role", Text, nullable=False),
    Column("model", Text, nullable=False),
    Column("tier", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("billing", Text, nullable=False),
    Column("hour", Integer, nullable=False),
    Column("held_calls", Integer, nullable=False, server_default="0"),
    Column("settled_calls", Integer, nullable=False, server_default="0"),
    Column("unknown_calls", Integer, nullable=False, server_default="0"),
    Column("released_calls", Integer, nullable=False, server_default="0"),
    Column("held_nano", BigInteger, nullable=False, server_default="0"),
    Column("settled_nano", BigInteger, nullable=False, server_default="0"),
    Column("unknown_nano", BigInteger, nullable=False, server_default="0"),
    Column("input_tokens", BigInteger, nullable=False, server_default="0"),
    Column("cache_read_tokens", BigInteger, nullable=False, server_default="0"),
    Column("cache_write_5m_tokens", BigInteger, nullable=False, server_default="0"),
    Column("cache_write_1h_tokens", BigInteger, nullable=False, server_default="0"),
    Column("output_tokens", BigInteger, nullable=False, server_default="0"),
    Column("reasoning_tokens", BigInteger, nullable=False, server_default="0"),
    Column("server_tool_requests", BigInteger, nullable=False, server_default="0"),
    Column("milliseconds", BigInteger, nullable=False, server_default="0"),
    UniqueConstraint("set_id", "role", "model", "tier", "reason", "hour"),
    Index(None, "hour"),
)

calls = Table(
    "calls",
    metadata,
    Column("call_id", SerialKey, primary_key=True),
    Column("tally_id", BigInteger, ForeignKey("tallies.tally_id"), nullable=False),
    Column("attempt_id", BigInteger, ForeignKey("attempts.attempt_id"), nullable=False),
    Column("step", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("hold_nano", BigInteger, nullable=False),
    Column("cost_nano", BigInteger, nullable=False),
    Column("input_tokens", Integer),
    Column("cache_read_tokens", Integer),
    Column("cache_write_5m_tokens", Integer),
    Column("cache_write_1h_tokens", Integer),
    Column("output_tokens", Integer),
    Column("reasoning_tokens", Integer),
    Column("server_tool_requests", Integer),
    Column("milliseconds", Integer, nullable=False, server_default="0"),
    Column("opened_at", Instant, nullable=False),
    Column("closed_at", Instant),
    Column("served_model", Text, nullable=False, server_default=""),
    Column("stop", Text, nullable=False, server_default=""),
    Column("note", Text, nullable=False, server_default=""),
    Index(None, "attempt_id", "step"),
    Index("ix_calls_open", "call_id", sqlite_where=text("state = 'held'"), postgresql_where=text("state = 'held'")),
    CheckConstraint("hold_nano >= 0 AND cost_nano >= 0", name="no_negative_money"),
)

call_keys = Table(
    "call_keys",
    metadata,
    Column("call_id", BigInteger, ForeignKey("calls.call_id"), primary_key=True, autoincrement=False),
    Column("workflow_id", Text, nullable=False),
    Column("run_id", Text, nullable=False),
    Column("activity_id", Text, nullable=False),
    Column("activity_attempt", Integer, nullable=False),
    Column("request_hash", Text, nullable=False),
    Column("price_snapshot", Text, nullable=False),
    Column("input_bound_tokens", Integer, nullable=False),
    Column("max_output_tokens", Integer, nullable=False),
    Column("sent_messages", Integer, nullable=False),
)

answers = Table(
    "answers",
    metadata,
    Column("call_id", BigInteger, ForeignKey("calls.call_id"), primary_key=True, autoincrement=False),
    Column("body", Text, nullable=False),
)

tool_runs = Table(
    "tool_runs",
    metadata,
    Column("call_id", BigInteger, ForeignKey("calls.call_id"), primary_key=True, autoincrement=False),
    Column("body", Text, nullable=False),
    Column("at", Instant, nullable=False),
)

verdicts = Table(
    "verdicts",
    metadata,
    Column("verdict_id", SerialKey, primary_key=True),
    Column("owner_id", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("tree", Text, nullable=False),
    Column("passed", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Column("at", Instant, nullable=False),
    UniqueConstraint("owner_id", "number", "tree"),
)

journal = Table(
    "journal",
    metadata,
    Column("job_id", Text, primary_key=True),
    Column("seq", Integer, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("kind", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("data", Text, nullable=False),
)

raises = Table(
    "raises",
    metadata,
    Column("raise_id", Text, primary_key=True),
    Column("scope_id", BigInteger, ForeignKey("scopes.scope_id"), nullable=False),
    Column("by_nano", BigInteger, nullable=False),
    Column("reviewer", Text, nullable=False),
    Column("at", Instant, nullable=False),
)

waiting = Table(
    "waiting",
    metadata,
    Column("waiter", Text, primary_key=True),
    Column("scope_id", BigInteger, ForeignKey("scopes.scope_id"), primary_key=True),
    Column("owner_id", Text, nullable=False, index=True),
    Column("priority", Integer, nullable=False),
    Column("since", Instant, nullable=False),
    Column("seen_at", Instant, nullable=False),
    Column("needed_nano", BigInteger, nullable=False),
    Index(None, "scope_id"),
)

price_lists = Table(
    "price_lists",
    metadata,
    Column("snapshot", Text, primary_key=True),
    Column("rates", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("first_used_at", Instant, nullable=False),
)
