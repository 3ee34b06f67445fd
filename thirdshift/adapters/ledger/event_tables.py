"""The table of events: each delivery once and for good, with the decision on it beside it."""

from __future__ import annotations

from sqlalchemy import Column, Index, Table, Text, UniqueConstraint, text

from thirdshift.adapters.ledger.tables import Instant, SerialKey, metadata

_UNDECIDED = text("decided IS NULL")
WORKED_ON = text("decided IN ('job', 'shift')")
"""Written out wherever it is asked for: a database does not match a partial index by values that it does not see."""

events = Table(
    "events",
    metadata,
    Column("number", SerialKey, primary_key=True),
    Column("source", Text, nullable=False),
    Column("delivery", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("repository", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("facts", Text, nullable=False),
    Column("received_at", Instant, nullable=False),
    Column("decided", Text),
    Column("why", Text, nullable=False, server_default=""),
    Column("rule", Text, nullable=False, server_default=""),
    Column("job_id", Text, nullable=False, server_default=""),
    Column("shift", Text, nullable=False, server_default=""),
    Column("decided_at", Instant),
    UniqueConstraint("source", "delivery"),
    # What waits is a small part of what ever came, and is all that an Intake asks for: hence partial indexes.
    Index(
        "ix_events_undecided",
        "repository",
        "fingerprint",
        "number",
        sqlite_where=_UNDECIDED,
        postgresql_where=_UNDECIDED,
    ),
    Index(
        "ix_events_worked_on",
        "repository",
        "fingerprint",
        "decided_at",
        sqlite_where=WORKED_ON,
        postgresql_where=WORKED_ON,
    ),
    Index(None, "repository", "received_at", "fingerprint"),
    Index(None, "rule", "decided_at"),
    Index(None, "received_at", "decided"),
)
