"""Nights and their lists, the specs that events queue, and events; what a job's night, team and priority are.

Revision ID: 0006
Revises: 0005
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

SERIAL = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make the tables. Jobs that were there before are of team ``default``, of priority 0 and of no night."""
    _jobs()
    _nights()
    _events()


def _jobs() -> None:
    op.add_column("jobs", sa.Column("team", sa.Text(), nullable=False, server_default="default"))
    op.add_column("jobs", sa.Column("night", sa.Text(), nullable=False, server_default=""))
    op.add_column("jobs", sa.Column("night_limit_nano", sa.BigInteger()))
    op.add_column("jobs", sa.Column("priority", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("jobs", sa.Column("window_closes_at", sa.BigInteger()))
    op.add_column("jobs", sa.Column("parked_at", sa.BigInteger()))
    op.add_column("jobs", sa.Column("parked_why", sa.Text()))
    op.add_column("jobs", sa.Column("parked_microseconds", sa.BigInteger(), nullable=False, server_default="0"))
    of_a_night = sa.text("night <> ''")
    op.create_index("ix_jobs_night", "jobs", ["night"], sqlite_where=of_a_night, postgresql_where=of_a_night)
    op.create_index(op.f("ix_jobs_task_repository"), "jobs", ["task", "repository"])


def _nights() -> None:
    op.create_table(
        "nights",
        sa.Column("night_id", sa.Text(), nullable=False),
        sa.Column("shift", sa.Text(), nullable=False),
        sa.Column("day", sa.Text(), nullable=False),
        sa.Column("opens_at", sa.BigInteger(), nullable=False),
        sa.Column("drains_at", sa.BigInteger(), nullable=False),
        sa.Column("closes_at", sa.BigInteger(), nullable=False),
        sa.Column("by_hand", sa.Integer(), nullable=False),
        sa.Column("workflow_id", sa.Text(), nullable=False),
        sa.Column("budget_nano", sa.BigInteger(), nullable=False),
        sa.Column("concurrency", sa.Integer(), nullable=False),
        sa.Column("deliver", sa.Text(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger()),
        sa.Column("how", sa.Text(), nullable=False, server_default=""),
        sa.Column("why", sa.Text(), nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("night_id", name=op.f("pk_nights")),
    )
    op.create_index(op.f("ix_nights_shift_opened_at"), "nights", ["shift", "opened_at"])
    op.create_index(op.f("ix_nights_opened_at"), "nights", ["opened_at"])
    op.create_table(
        "night_lines",
        sa.Column("line_id", SERIAL, nullable=False),
        sa.Column("night_id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("spec_path", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("event", sa.BigInteger()),
        sa.Column("first_seen_at", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["night_id"], ["nights.night_id"], name=op.f("fk_night_lines_night_id")),
        sa.PrimaryKeyConstraint("line_id", name=op.f("pk_night_lines")),
        sa.UniqueConstraint("night_id", "key", name=op.f("uq_night_lines_night_id_key")),
    )
    op.create_table(
        "queued_specs",
        sa.Column("queue_id", SERIAL, nullable=False),
        sa.Column("shift", sa.Text(), nullable=False),
        sa.Column("spec_path", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("event", sa.BigInteger()),
        sa.Column("queued_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("queue_id", name=op.f("pk_queued_specs")),
        sa.UniqueConstraint("shift", "spec_path", name=op.f("uq_queued_specs_shift_spec_path")),
    )


def _events() -> None:
    op.create_table(
        "events",
        sa.Column("number", SERIAL, nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("delivery", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("repository", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("received_at", sa.BigInteger(), nullable=False),
        sa.Column("decided", sa.Text()),
        sa.Column("why", sa.Text(), nullable=False, server_default=""),
        sa.Column("rule", sa.Text(), nullable=False, server_default=""),
        sa.Column("job_id", sa.Text(), nullable=False, server_default=""),
        sa.Column("shift", sa.Text(), nullable=False, server_default=""),
        sa.Column("decided_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_events")),
        sa.UniqueConstraint("source", "delivery", name=op.f("uq_events_source_delivery")),
    )
    for name, condition, last in (
        ("undecided", "decided IS NULL", "number"),
        ("worked_on", "decided IN ('job', 'shift')", "decided_at"),
    ):
        where = sa.text(condition)
        columns = ["repository", "fingerprint", last]
        op.create_index(f"ix_events_{name}", "events", columns, sqlite_where=where, postgresql_where=where)
    came = ["repository", "received_at", "fingerprint"]
    op.create_index(op.f("ix_events_repository_received_at_fingerprint"), "events", came)
    op.create_index(op.f("ix_events_rule_decided_at"), "events", ["rule", "decided_at"])
    op.create_index(op.f("ix_events_received_at_decided"), "events", ["received_at", "decided"])


def downgrade() -> None:
    """Take them away again."""
    for table in ("events", "queued_specs", "night_lines", "nights"):
        op.drop_table(table)
    op.drop_index(op.f("ix_jobs_task_repository"), "jobs")
    op.drop_index("ix_jobs_night", "jobs")
    for column in (
        "team",
        "night",
        "night_limit_nano",
        "priority",
        "window_closes_at",
        "parked_at",
        "parked_why",
        "parked_microseconds",
    ):
        op.drop_column("jobs", column)
