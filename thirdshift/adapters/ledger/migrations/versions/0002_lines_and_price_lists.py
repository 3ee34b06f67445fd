"""The line of calls that wait for money, and the price lists that calls were priced by.

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make both tables."""
    op.create_table(
        "waiting",
        sa.Column("waiter", sa.Text(), nullable=False),
        sa.Column("scope_id", sa.BigInteger(), nullable=False),
        sa.Column("owner_id", sa.Text(), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.BigInteger(), nullable=False),
        sa.Column("needed_nano", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["scope_id"], ["scopes.scope_id"], name=op.f("fk_waiting_scope_id")),
        sa.PrimaryKeyConstraint("waiter", "scope_id", name=op.f("pk_waiting")),
    )
    op.create_index(op.f("ix_waiting_owner_id"), "waiting", ["owner_id"])
    op.create_index(op.f("ix_waiting_scope_id"), "waiting", ["scope_id"])
    op.create_table(
        "price_lists",
        sa.Column("snapshot", sa.Text(), nullable=False),
        sa.Column("rates", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("first_used_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("snapshot", name=op.f("pk_price_lists")),
    )


def downgrade() -> None:
    """Take both away again."""
    op.drop_table("price_lists")
    op.drop_table("waiting")
