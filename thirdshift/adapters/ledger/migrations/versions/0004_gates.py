"""Gates, and the answers to them.

Revision ID: 0004
Revises: 0003
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

SERIAL = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make both tables."""
    op.create_table(
        "gates",
        sa.Column("gate_id", SERIAL, nullable=False),
        sa.Column("open_key", sa.Text(), nullable=False),
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("owner_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("tree", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("reviewers", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("end", sa.Text()),
        sa.Column("closed_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("gate_id", name=op.f("pk_gates")),
        sa.UniqueConstraint("open_key", name=op.f("uq_gates_open_key")),
        sa.UniqueConstraint("job_id", "seq", name=op.f("uq_gates_job_id_seq")),
    )
    still_open = sa.text('"end" IS NULL')
    op.create_index("ix_gates_open", "gates", ["opened_at"], sqlite_where=still_open, postgresql_where=still_open)
    op.create_table(
        "gate_answers",
        sa.Column("answer_id", SERIAL, nullable=False),
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("reviewer", sa.Text(), nullable=False),
        sa.Column("identity", sa.Text(), nullable=False, server_default="claimed"),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("usd_nano", sa.BigInteger(), nullable=False, server_default="0"),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("answer_id", name=op.f("pk_gate_answers")),
        sa.UniqueConstraint("job_id", "seq", "reviewer", name=op.f("uq_gate_answers_job_id_seq_reviewer")),
    )
