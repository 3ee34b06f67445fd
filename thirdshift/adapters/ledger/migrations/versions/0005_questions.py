"""Tools counted for each attempt, and the calls that reports look at singly.

Revision ID: 0005
Revises: 0004
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make both tables and the indexes. Steps that were stored before are not counted."""
    op.create_table(
        "tool_tallies",
        sa.Column("attempt_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("steps", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("tool_calls", sa.Integer(), nullable=False, server_default="0"),
        sa.Column("milliseconds", sa.BigInteger(), nullable=False, server_default="0"),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempts.attempt_id"], name=op.f("fk_tool_tallies_attempt_id")),
        sa.PrimaryKeyConstraint("attempt_id", name=op.f("pk_tool_tallies")),
    )
    op.create_table(
        "tool_steps",
        sa.Column("call_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("attempt_id", sa.BigInteger(), nullable=False),
        sa.Column("signature", sa.Text(), nullable=False),
        sa.Column("wasted", sa.Integer(), nullable=False, server_default="0"),
        sa.ForeignKeyConstraint(["call_id"], ["calls.call_id"], name=op.f("fk_tool_steps_call_id")),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempts.attempt_id"], name=op.f("fk_tool_steps_attempt_id")),
        sa.PrimaryKeyConstraint("call_id", name=op.f("pk_tool_steps")),
    )
    op.create_index(op.f("ix_tool_steps_attempt_id_signature"), "tool_steps", ["attempt_id", "signature"])
    wasted = sa.text("wasted = 1")
    op.create_index("ix_tool_steps_wasted", "tool_steps", ["call_id"], sqlite_where=wasted, postgresql_where=wasted)
    long = sa.text("input_tokens + cache_read_tokens + cache_write_5m_tokens + cache_write_1h_tokens > 100000")
    op.create_index("ix_calls_long", "calls", ["attempt_id"], sqlite_where=long, postgresql_where=long)


def downgrade() -> None:
    """Take them away again."""
    op.drop_index("ix_calls_long", "calls")
    op.drop_table("tool_steps")
    op.drop_table("tool_tallies")
