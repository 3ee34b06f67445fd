"""The first schema of the books."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

SERIAL = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make every table."""
    _specs()
    _jobs()
    _loops()
    _attempts()
    _messages()
    _scopes()
    _scope_sets()
    _scope_members()
    _tallies()
    _calls()
    _call_keys()
    _answers()
    _tool_runs()
    _verdicts()
    _journal()
    _raises()


def _specs() -> None:
    op.create_table(
        "specs",
        sa.Column("spec_id", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("holdout", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("spec_id", name=op.f("pk_specs")),
    )


def _jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("spec_id", sa.Text(), nullable=False),
        sa.Column("spec_path", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("task", sa.Text(), nullable=False),
        sa.Column("risk", sa.Text(), nullable=False),
        sa.Column("repository", sa.Text(), nullable=False),
        sa.Column("base_commit", sa.Text(), nullable=False),
        sa.Column("base_tree", sa.Text(), nullable=False),
        sa.Column("budget_nano", sa.BigInteger()),
        sa.Column("submitter", sa.Text(), nullable=False),
        sa.Column("submitted_at", sa.BigInteger(), nullable=False),
        sa.Column("resubmitted_at", sa.BigInteger()),
        sa.Column("sandbox", sa.Text(), nullable=False),
        sa.Column("plan", sa.Text()),
        sa.Column("stop_reason", sa.Text()),
        sa.Column("evidence", sa.Text()),
        sa.Column("branch", sa.Text()),
        sa.Column("commit_hash", sa.Text()),
        sa.Column("tree", sa.Text()),
        sa.Column("remedy", sa.Text()),
        sa.Column("closed_at", sa.BigInteger()),
        sa.Column("journal_seq", sa.Integer(), server_default="0", nullable=False),
        sa.PrimaryKeyConstraint("job_id", name=op.f("pk_jobs")),
    )
    op.create_index(op.f("ix_jobs_submitted_at"), "jobs", ["submitted_at"])


def _loops() -> None:
    op.create_table(
        "loops",
        sa.Column("loop_id", sa.Text(), nullable=False),
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("packet", sa.Text(), nullable=False),
        sa.Column("base_tree", sa.Text(), nullable=False),
        sa.Column("checks", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("loop_id", name=op.f("pk_loops")),
    )
    op.create_index(op.f("ix_loops_job_id"), "loops", ["job_id"])


def _attempts() -> None:
    op.create_table(
        "attempts",
        sa.Column("attempt_id", SERIAL, nullable=False),
        sa.Column("owner_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("rung", sa.Text(), nullable=False),
        sa.Column("start_tree", sa.Text(), nullable=False),
        sa.Column("start_commit", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("tools", sa.Text(), nullable=False),
        sa.Column("message_count", sa.Integer(), nullable=False),
        sa.Column("end", sa.Text()),
        sa.Column("evidence", sa.Text()),
        sa.Column("verdict_id", sa.BigInteger()),
        sa.Column("closed_at", sa.BigInteger()),
        sa.PrimaryKeyConstraint("attempt_id", name=op.f("pk_attempts")),
        sa.UniqueConstraint("owner_id", "number", name=op.f("uq_attempts_owner_id_number")),
    )
    op.create_index(op.f("ix_attempts_job_id"), "attempts", ["job_id"])


def _messages() -> None:
    op.create_table(
        "messages",
        sa.Column("message_id", SERIAL, nullable=False),
        sa.Column("attempt_id", sa.BigInteger(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("slot", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("call_id", sa.BigInteger()),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("bytes", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempts.attempt_id"], name=op.f("fk_messages_attempt_id")),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_messages")),
        sa.UniqueConstraint("attempt_id", "seq", name=op.f("uq_messages_attempt_id_seq")),
        sa.UniqueConstraint("attempt_id", "step", "slot", name=op.f("uq_messages_attempt_id_step_slot")),
    )


def _scopes() -> None:
    op.create_table(
        "scopes",
        sa.Column("scope_id", SERIAL, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("billing", sa.Text(), nullable=False),
        sa.Column("limit_nano", sa.BigInteger()),
        sa.Column("raised_nano", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("settled_nano", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("held_nano", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("unknown_nano", sa.BigInteger(), server_default="0", nullable=False),
        sa.CheckConstraint(
            "settled_nano >= 0 AND held_nano >= 0 AND unknown_nano >= 0", name=op.f("ck_scopes_no_negative_money")
        ),
        sa.PrimaryKeyConstraint("scope_id", name=op.f("pk_scopes")),
        sa.UniqueConstraint("key", "kind", "billing", name=op.f("uq_scopes_key_kind_billing")),
    )


def _scope_sets() -> None:
    op.create_table(
        "scope_sets",
        sa.Column("set_id", SERIAL, nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("set_id", name=op.f("pk_scope_sets")),
        sa.UniqueConstraint("digest", name=op.f("uq_scope_sets_digest")),
    )


def _scope_members() -> None:
    op.create_table(
        "scope_members",
        sa.Column("set_id", sa.BigInteger(), nullable=False),
        sa.Column("scope_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["scope_id"], ["scopes.scope_id"], name=op.f("fk_scope_members_scope_id")),
        sa.ForeignKeyConstraint(["set_id"], ["scope_sets.set_id"], name=op.f("fk_scope_members_set_id")),
        sa.PrimaryKeyConstraint("set_id", "scope_id", name=op.f("pk_scope_members")),
    )
    op.create_index(op.f("ix_scope_members_scope_id"), "scope_members", ["scope_id"])


def _tallies() -> None:
    op.create_table(
        "tallies",
        sa.Column("tally_id", SERIAL, nullable=False),
        sa.Column("set_id", sa.BigInteger(), nullable=False),
        sa.Column("attempt_id", sa.BigInteger(), nullable=False),
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("tier", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("billing", sa.Text(), nullable=False),
        sa.Column("hour", sa.Integer(), nullable=False),
        sa.Column("held_calls", sa.Integer(), server_default="0", nullable=False),
        sa.Column("settled_calls", sa.Integer(), server_default="0", nullable=False),
        sa.Column("unknown_calls", sa.Integer(), server_default="0", nullable=False),
        sa.Column("released_calls", sa.Integer(), server_default="0", nullable=False),
        sa.Column("held_nano", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("settled_nano", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("unknown_nano", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("input_tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("cache_read_tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("cache_write_5m_tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("cache_write_1h_tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("output_tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("reasoning_tokens", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("server_tool_requests", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("milliseconds", sa.BigInteger(), server_default="0", nullable=False),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempts.attempt_id"], name=op.f("fk_tallies_attempt_id")),
        sa.ForeignKeyConstraint(["set_id"], ["scope_sets.set_id"], name=op.f("fk_tallies_set_id")),
        sa.PrimaryKeyConstraint("tally_id", name=op.f("pk_tallies")),
        sa.UniqueConstraint(
            "set_id",
            "role",
            "model",
            "tier",
            "reason",
            "hour",
            name=op.f("uq_tallies_set_id_role_model_tier_reason_hour"),
        ),
    )
    op.create_index(op.f("ix_tallies_attempt_id"), "tallies", ["attempt_id"])
    op.create_index(op.f("ix_tallies_hour"), "tallies", ["hour"])
    op.create_index(op.f("ix_tallies_job_id"), "tallies", ["job_id"])


def _calls() -> None:
    op.create_table(
        "calls",
        sa.Column("call_id", SERIAL, nullable=False),
        sa.Column("tally_id", sa.BigInteger(), nullable=False),
        sa.Column("attempt_id", sa.BigInteger(), nullable=False),
        sa.Column("step", sa.Integer(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("hold_nano", sa.BigInteger(), nullable=False),
        sa.Column("cost_nano", sa.BigInteger(), nullable=False),
        sa.Column("input_tokens", sa.Integer()),
        sa.Column("cache_read_tokens", sa.Integer()),
        sa.Column("cache_write_5m_tokens", sa.Integer()),
        sa.Column("cache_write_1h_tokens", sa.Integer()),
        sa.Column("output_tokens", sa.Integer()),
        sa.Column("reasoning_tokens", sa.Integer()),
        sa.Column("server_tool_requests", sa.Integer()),
        sa.Column("milliseconds", sa.Integer(), server_default="0", nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("closed_at", sa.BigInteger()),
        sa.Column("served_model", sa.Text(), server_default="", nullable=False),
        sa.Column("stop", sa.Text(), server_default="", nullable=False),
        sa.Column("note", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("hold_nano >= 0 AND cost_nano >= 0", name=op.f("ck_calls_no_negative_money")),
        sa.ForeignKeyConstraint(["attempt_id"], ["attempts.attempt_id"], name=op.f("fk_calls_attempt_id")),
        sa.ForeignKeyConstraint(["tally_id"], ["tallies.tally_id"], name=op.f("fk_calls_tally_id")),
        sa.PrimaryKeyConstraint("call_id", name=op.f("pk_calls")),
    )
    op.create_index(op.f("ix_calls_attempt_id_step"), "calls", ["attempt_id", "step"])
    op.create_index(
        "ix_calls_open",
        "calls",
        ["call_id"],
        sqlite_where=sa.text("state = 'held'"),
        postgresql_where=sa.text("state = 'held'"),
    )


def _call_keys() -> None:
    op.create_table(
        "call_keys",
        sa.Column("call_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("workflow_id", sa.Text(), nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("activity_id", sa.Text(), nullable=False),
        sa.Column("activity_attempt", sa.Integer(), nullable=False),
        sa.Column("request_hash", sa.Text(), nullable=False),
        sa.Column("price_snapshot", sa.Text(), nullable=False),
        sa.Column("input_bound_tokens", sa.Integer(), nullable=False),
        sa.Column("max_output_tokens", sa.Integer(), nullable=False),
        sa.Column("sent_messages", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["calls.call_id"], name=op.f("fk_call_keys_call_id")),
        sa.PrimaryKeyConstraint("call_id", name=op.f("pk_call_keys")),
    )


def _answers() -> None:
    op.create_table(
        "answers",
        sa.Column("call_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["calls.call_id"], name=op.f("fk_answers_call_id")),
        sa.PrimaryKeyConstraint("call_id", name=op.f("pk_answers")),
    )


def _tool_runs() -> None:
    op.create_table(
        "tool_runs",
        sa.Column("call_id", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["call_id"], ["calls.call_id"], name=op.f("fk_tool_runs_call_id")),
        sa.PrimaryKeyConstraint("call_id", name=op.f("pk_tool_runs")),
    )


def _verdicts() -> None:
    op.create_table(
        "verdicts",
        sa.Column("verdict_id", SERIAL, nullable=False),
        sa.Column("owner_id", sa.Text(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("tree", sa.Text(), nullable=False),
        sa.Column("passed", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("verdict_id", name=op.f("pk_verdicts")),
        sa.UniqueConstraint("owner_id", "number", "tree", name=op.f("uq_verdicts_owner_id_number_tree")),
    )


def _journal() -> None:
    op.create_table(
        "journal",
        sa.Column("job_id", sa.Text(), nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("data", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("job_id", "seq", name=op.f("pk_journal")),
    )


def _raises() -> None:
    op.create_table(
        "raises",
        sa.Column("raise_id", sa.Text(), nullable=False),
        sa.Column("scope_id", sa.BigInteger(), nullable=False),
        sa.Column("by_nano", sa.BigInteger(), nullable=False),
        sa.Column("reviewer", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["scope_id"], ["scopes.scope_id"], name=op.f("fk_raises_scope_id")),
        sa.PrimaryKeyConstraint("raise_id", name=op.f("pk_raises")),
    )
