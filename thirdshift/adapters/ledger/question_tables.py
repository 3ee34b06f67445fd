"""What the reports need besides the books: tools counted for each attempt, and which calls are looked at singly.

``tool_tallies`` and ``tool_steps`` change in the transaction that stores a step's tool results. The two partial
indexes hold few rows: they are how a report finds, among a million calls, those that are not like the rest.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, Table, Text, text

from thirdshift.adapters.ledger.tables import calls, metadata

LONG_INPUT = (
    "calls.input_tokens + calls.cache_read_tokens + calls.cache_write_5m_tokens + calls.cache_write_1h_tokens > 100000"
)
"""A call that read more than ``core.waste.LONG_CONTEXT_TOKENS``. SQLite uses the index only where a query says the
same in the same words; a test holds the number and ``core`` together."""

_LONG = text(LONG_INPUT.replace("calls.", ""))

tool_tallies = Table(
    "tool_tallies",
    metadata,
    Column("attempt_id", BigInteger, ForeignKey("attempts.attempt_id"), primary_key=True, autoincrement=False),
    Column("steps", Integer, nullable=False, server_default="0"),
    Column("tool_calls", Integer, nullable=False, server_default="0"),
    Column("milliseconds", BigInteger, nullable=False, server_default="0"),
)

tool_steps = Table(
    "tool_steps",
    metadata,
    Column("call_id", BigInteger, ForeignKey("calls.call_id"), primary_key=True, autoincrement=False),
    Column("attempt_id", BigInteger, ForeignKey("attempts.attempt_id"), nullable=False),
    Column("signature", Text, nullable=False),
    Column("wasted", Integer, nullable=False, server_default="0"),
    Index(None, "attempt_id", "signature"),
    Index("ix_tool_steps_wasted", "call_id", sqlite_where=text("wasted = 1"), postgresql_where=text("wasted = 1")),
)

long_calls = Index("ix_calls_long", calls.c.attempt_id, sqlite_where=_LONG, postgresql_where=_LONG)
