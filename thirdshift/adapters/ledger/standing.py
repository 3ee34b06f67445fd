"""Where a loop stands: which checks judge it, and the last finished step of an attempt."""

from __future__ import annotations

import json
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, select, update

from thirdshift.adapters.ledger.accounts import attempt_id_of
from thirdshift.adapters.ledger.journal import write_entry
from thirdshift.adapters.ledger.settling import mark_unknown
from thirdshift.adapters.ledger.tables import attempts, calls, jobs, loops, scopes, tool_runs, verdicts
from thirdshift.core.calls import ScopeTotals
from thirdshift.core.ledger import CallState, LoopRow, ScopeKind, ToolRun

_LAST_RUN = (
    select(tool_runs.c.body)
    .join(calls, calls.c.call_id == tool_runs.c.call_id)
    .where(calls.c.attempt_id == bindparam("id"))
    .order_by(calls.c.step.desc(), calls.c.call_id.desc())
    .limit(1)
)
_START = select(attempts.c.start_tree, attempts.c.start_commit).where(attempts.c.attempt_id == bindparam("id"))
_LEFT_HELD = (
    select(calls.c.call_id)
    .join(attempts, attempts.c.attempt_id == calls.c.attempt_id)
    .where(attempts.c.job_id == bindparam("job"), calls.c.state == CallState.HELD.value)
)
_JOB_CHARGED = select(func.sum(scopes.c.settled_nano + scopes.c.held_nano + scopes.c.unknown_nano)).where(
    scopes.c.key == bindparam("key"), scopes.c.kind == ScopeKind.JOB.value
)


def read_loop(connection: Connection, loop_id: str) -> LoopRow:
    """The loop as it was opened, or KeyError."""
    row = connection.execute(select(loops).where(loops.c.loop_id == loop_id)).mappings().one_or_none()
    if row is None:
        raise KeyError(f"no loop {loop_id} in the ledger")
    return LoopRow.model_validate({**row, "checks": tuple(json.loads(row["checks"]))})


def standing(connection: Connection, owner_id: str, number: int) -> tuple[int, str, str]:
    """The last call whose tools ran, and the tree and commit they left; 0 and the attempt's start if none did."""
    attempt_id = attempt_id_of(connection, owner_id, number)
    body = connection.execute(_LAST_RUN, {"id": attempt_id}).scalar_one_or_none()
    if body is None:
        start = connection.execute(_START, {"id": attempt_id}).one()
        return 0, start.start_tree, start.start_commit
    run = ToolRun.model_validate_json(body)
    return run.call_id, run.tree, run.commit


def commit_of(connection: Connection, job_id: str, tree: str) -> str | None:
    """The hub commit that carries a tree which one of the job's steps left; None if no step did."""
    found = select(tool_runs.c.body).join(calls, calls.c.call_id == tool_runs.c.call_id)
    found = found.join(attempts, attempts.c.attempt_id == calls.c.attempt_id).where(
        # What a command printed has its quotation marks escaped, so that only the field itself can match.
        attempts.c.job_id == job_id,
        tool_runs.c.body.contains(f'"tree":"{tree}"', autoescape=True),
    )
    bodies = connection.execute(found.order_by(tool_runs.c.call_id.desc())).scalars()
    runs = (ToolRun.model_validate_json(body) for body in bodies)
    return next((run.commit for run in runs if run.tree == tree and run.commit), None)


def accepted_packets(connection: Connection, job_id: str) -> tuple[str, ...]:
    """Packets, in the order of their loops, whose newest attempt is closed with a verdict that passed."""
    newest = select(attempts.c.owner_id, func.max(attempts.c.number).label("number")).where(attempts.c.job_id == job_id)
    last = newest.group_by(attempts.c.owner_id).subquery()
    passed = (
        select(loops.c.packet)
        .join(last, last.c.owner_id == loops.c.loop_id)
        .join(attempts, (attempts.c.owner_id == last.c.owner_id) & (attempts.c.number == last.c.number))
        .join(verdicts, verdicts.c.verdict_id == attempts.c.verdict_id)
        .where(loops.c.job_id == job_id, attempts.c.closed_at.is_not(None), verdicts.c.passed == 1)
    )
    return tuple(connection.execute(passed.order_by(loops.c.opened_at, loops.c.loop_id)).scalars())


def job_cost_nano(connection: Connection, job_id: str) -> int:
    """What the job's calls are charged with, held and unknown ones at their holds."""
    return int(connection.execute(_JOB_CHARGED, {"key": job_id}).scalar_one() or 0)


def reopen_job(connection: Connection, job_id: str, who: str, at: datetime) -> None:
    """Take back a job's end. Where its tree went stays: that is where it goes on from."""
    nothing = dict.fromkeys(("stop_reason", "evidence", "remedy", "closed_at"))
    connection.execute(update(jobs).where(jobs.c.job_id == job_id).values(**nothing))
    for call_id in connection.execute(_LEFT_HELD, {"job": job_id}).scalars().all():
        # A job that nobody closed may have left some: they are not asked for again, and would block its budgets.
        mark_unknown(connection, call_id, "its workflow ended while it was under way", at)
    write_entry(connection, job_id, "job", f"{who} lets the job go on from its best tree", {"resumed_by": who}, at)


def scope_totals(connection: Connection, kind: str, key: str) -> ScopeTotals:
    """A budget's metered money; all zero, and no limit, if nothing was ever booked on it."""
    found = select(scopes).where(scopes.c.kind == kind, scopes.c.key == key, scopes.c.billing == "metered")
    row = connection.execute(found).one_or_none()
    if row is None:
        return ScopeTotals(limit_nano=None, settled_nano=0, held_nano=0, unknown_nano=0)
    return ScopeTotals(
        limit_nano=None if row.limit_nano is None else row.limit_nano + row.raised_nano,
        settled_nano=row.settled_nano,
        held_nano=row.held_nano,
        unknown_nano=row.unknown_nano,
    )
