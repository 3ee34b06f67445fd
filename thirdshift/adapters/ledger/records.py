"""Specs, jobs, loops, attempts, verdicts and tool runs: rows that are opened once and closed once."""

from __future__ import annotations

import json
from datetime import datetime

from pydantic import TypeAdapter
from sqlalchemy import Connection, bindparam, select, update

from thirdshift.adapters.ledger.accounts import attempt_id_of
from thirdshift.adapters.ledger.dialect import add_if_new, wait_for
from thirdshift.adapters.ledger.lines import leave_all_lines
from thirdshift.adapters.ledger.settling import mark_unknown
from thirdshift.adapters.ledger.tables import (
    answers,
    attempts,
    calls,
    jobs,
    loops,
    scopes,
    specs,
    tool_runs,
    verdicts,
)
from thirdshift.adapters.ledger.talk import OPENING, RESULTS, append, standing_answer
from thirdshift.adapters.ledger.told import (
    job_of,
    tell_attempt,
    tell_attempt_end,
    tell_job,
    tell_stop,
    tell_tools,
    tell_verdict,
)
from thirdshift.adapters.ledger.tool_book import count_tools
from thirdshift.adapters.ledger.transitions import lock_call
from thirdshift.core.ledger import (
    AttemptClosing,
    AttemptRow,
    CallState,
    JobClosing,
    JobRow,
    LoopRow,
    ScopeKind,
    SpecDoc,
    ToolRun,
)
from thirdshift.core.ports import ModelAnswer, ToolSpec
from thirdshift.core.scopes import attempt_scope_key
from thirdshift.core.verdict import Verdict

_TOOLS = TypeAdapter(tuple[ToolSpec, ...])
_JOB_FIELDS = tuple(JobRow.model_fields)


def put_spec(connection: Connection, doc: SpecDoc) -> None:
    """Keep a spec by its content."""
    row = {"spec_id": doc.id, "body": doc.text, "holdout": json.dumps(doc.holdout)}
    add_if_new(connection, specs, row)


def get_spec(connection: Connection, spec_id: str) -> SpecDoc:
    """The spec, or KeyError."""
    row = connection.execute(select(specs).where(specs.c.spec_id == spec_id)).one_or_none()
    if row is None:
        raise KeyError(f"no spec {spec_id} in the ledger")
    return SpecDoc(id=row.spec_id, text=row.body, holdout=json.loads(row.holdout))


def open_job(connection: Connection, row: JobRow) -> bool:
    """Keep a job; False if it was there already."""
    if not add_if_new(connection, jobs, row.model_dump()):
        again = update(jobs).where(jobs.c.job_id == row.job_id).values(resubmitted_at=row.submitted_at)
        connection.execute(again)
        return False
    tell_job(connection, row)
    return True


def read_job(connection: Connection, job_id: str) -> JobRow:
    """The job as it was opened, or KeyError."""
    row = connection.execute(select(jobs).where(jobs.c.job_id == job_id)).mappings().one_or_none()
    if row is None:
        raise KeyError(f"no job {job_id} in the ledger")
    return JobRow(**{name: row[name] for name in _JOB_FIELDS})


def open_jobs(connection: Connection) -> tuple[JobRow, ...]:
    """Every job without an end, oldest first."""
    query = select(*(jobs.c[name] for name in _JOB_FIELDS)).where(jobs.c.closed_at.is_(None))
    rows = connection.execute(query.order_by(jobs.c.submitted_at, jobs.c.job_id)).mappings()
    return tuple(JobRow(**row) for row in rows)


def open_loop(connection: Connection, row: LoopRow) -> None:
    """Keep a loop. KeyError if its job was never opened."""
    job_of(connection, row.job_id)
    values = {**row.model_dump(), "checks": json.dumps(row.checks)}
    add_if_new(connection, loops, values)


def open_attempt(connection: Connection, row: AttemptRow) -> None:
    """Keep an attempt and the messages that its conversation begins with. KeyError if its job was never opened."""
    values = {
        "owner_id": row.owner_id,
        "number": row.number,
        "job_id": row.job_id,
        "role": row.role,
        "model": row.rung.model,
        "tier": row.rung.tier.value,
        "reason": row.reason.value,
        "rung": row.rung.model_dump_json(),
        "start_tree": row.start_tree,
        "start_commit": row.start_commit,
        "host": row.host,
        "opened_at": row.opened_at,
        "system": row.system,
        "tools": _TOOLS.dump_json(row.tools).decode(),
        "message_count": 0,
    }
    if not add_if_new(connection, attempts, values):
        return
    attempt_id = attempt_id_of(connection, row.owner_id, row.number)
    for message in row.opening:
        append(connection, attempt_id, 0, OPENING, message, call_id=None, who="thirdshift")
    tell_attempt(connection, row)


_CHARGED = select(scopes.c.settled_nano, scopes.c.held_nano, scopes.c.unknown_nano).where(
    scopes.c.key == bindparam("key"), scopes.c.kind == ScopeKind.ATTEMPT.value
)


_STILL_HELD = select(calls.c.call_id).where(
    calls.c.attempt_id == bindparam("id"), calls.c.state == CallState.HELD.value
)
_HELD_BY_JOB = (
    select(calls.c.call_id)
    .join(attempts, attempts.c.attempt_id == calls.c.attempt_id)
    .where(attempts.c.job_id == bindparam("job"), calls.c.state == CallState.HELD.value)
)


def attempt_cost_nano(connection: Connection, owner_id: str, number: int) -> int:
    """What the attempt's calls are charged with, held and unknown ones at their holds."""
    rows = connection.execute(_CHARGED, {"key": attempt_scope_key(owner_id, number)})
    return sum(row.settled_nano + row.held_nano + row.unknown_nano for row in rows)


def close_attempt(connection: Connection, closing: AttemptClosing) -> int:
    """Note how an attempt ended, once; what it is charged with."""
    attempt_id = attempt_id_of(connection, closing.owner_id, closing.number)
    cost = attempt_cost_nano(connection, closing.owner_id, closing.number)
    done = connection.execute(
        update(attempts)
        .where(attempts.c.attempt_id == attempt_id, attempts.c.closed_at.is_(None))
        .values(
            end=closing.end.value,
            evidence=closing.evidence,
            verdict_id=closing.verdict_id,
            closed_at=closing.closed_at,
        )
        .returning(attempts.c.job_id)
    ).scalar_one_or_none()
    if done is not None:
        leave_all_lines(connection, closing.owner_id)
        # Nobody asks for this attempt's calls again, so one that is still held would block its budgets for ever.
        for call_id in connection.execute(_STILL_HELD, {"id": attempt_id}).scalars().all():
            mark_unknown(connection, call_id, "its attempt ended while it was under way", closing.closed_at)
        tell_attempt_end(connection, done, closing, cost)
    return cost


def close_job(connection: Connection, closing: JobClosing) -> None:
    """Note how a job ended. A later end replaces an earlier one, which stays in the journal."""
    found = select(jobs.c.stop_reason, jobs.c.tree, jobs.c.commit_hash).where(jobs.c.job_id == closing.job_id)
    row = connection.execute(wait_for(connection, found)).one_or_none()
    if row is None:
        raise KeyError(f"no job {closing.job_id} in the ledger")
    if tuple(row) == (closing.stop_reason.value, closing.tree, closing.commit):
        return
    connection.execute(
        update(jobs)
        .where(jobs.c.job_id == closing.job_id)
        .values(
            stop_reason=closing.stop_reason.value,
            evidence=closing.evidence,
            branch=closing.branch,
            commit_hash=closing.commit,
            tree=closing.tree,
            remedy=closing.remedy,
            closed_at=closing.closed_at,
            parked_at=None,
            parked_why=None,
        )
    )
    for call_id in connection.execute(_HELD_BY_JOB, {"job": closing.job_id}).scalars().all():
        mark_unknown(connection, call_id, "its job ended while it was under way", closing.closed_at)
    tell_stop(connection, closing)


def put_tool_run(connection: Connection, run: ToolRun, at: datetime) -> None:
    """Store a step's tool results, once, and add them to the conversation if the step's answer is theirs."""
    row = lock_call(connection, run.call_id)
    values = {"call_id": run.call_id, "body": run.model_dump_json(), "at": at}
    if not add_if_new(connection, tool_runs, values):
        return
    if standing_answer(connection, row["attempt_id"], row["step"]) == run.call_id:
        append(connection, row["attempt_id"], row["step"], RESULTS, run.results, call_id=run.call_id, who="thirdshift")
    body = connection.execute(select(answers.c.body).where(answers.c.call_id == run.call_id)).scalar_one_or_none()
    names = [] if body is None else [tool.name for tool in ModelAnswer.model_validate_json(body).message.tool_calls]
    count_tools(connection, row["attempt_id"], names, run)
    tell_tools(connection, row, names, run, at)


def tool_run(connection: Connection, call_id: int) -> ToolRun | None:
    """The stored outcome of the tools which that call asked for."""
    body = connection.execute(select(tool_runs.c.body).where(tool_runs.c.call_id == call_id)).scalar_one_or_none()
    return None if body is None else ToolRun.model_validate_json(body)


def put_verdict(connection: Connection, owner_id: str, number: int, verdict: Verdict, at: datetime) -> int:
    """Keep a verdict, once for each tree of an attempt; its number."""
    values = {
        "owner_id": owner_id,
        "number": number,
        "tree": verdict.tree,
        "passed": int(verdict.passed),
        "body": verdict.model_dump_json(),
        "at": at,
    }
    new = add_if_new(connection, verdicts, values)
    found = select(verdicts.c.verdict_id).where(
        verdicts.c.owner_id == owner_id, verdicts.c.number == number, verdicts.c.tree == verdict.tree
    )
    verdict_id = int(connection.execute(found).scalar_one())
    if new:
        tell_verdict(connection, owner_id, number, verdict_id, verdict, at)
    return verdict_id


def get_verdict(connection: Connection, verdict_id: int) -> Verdict:
    """The verdict, or KeyError."""
    body = connection.execute(select(verdicts.c.body).where(verdicts.c.verdict_id == verdict_id)).scalar_one_or_none()
    if body is None:
        raise KeyError(f"no verdict {verdict_id} in the ledger")
    return Verdict.model_validate_json(body)


def find_verdict(connection: Connection, owner_id: str, number: int, tree: str) -> Verdict | None:
    """The verdict of an attempt on a tree, None if there is none yet."""
    found = select(verdicts.c.body).where(
        verdicts.c.owner_id == owner_id, verdicts.c.number == number, verdicts.c.tree == tree
    )
    body = connection.execute(found).scalar_one_or_none()
    return None if body is None else Verdict.model_validate_json(body)


def put_plan(connection: Connection, job_id: str, plan_json: str) -> bool:
    """Keep a job's plan; False if it is the one already kept. KeyError if there is no such job."""
    if get_plan(connection, job_id) == plan_json:
        return False
    connection.execute(update(jobs).where(jobs.c.job_id == job_id).values(plan=plan_json))
    return True


def get_plan(connection: Connection, job_id: str) -> str | None:
    """A job's plan as JSON. KeyError if there is no such job."""
    row = connection.execute(select(jobs.c.plan).where(jobs.c.job_id == job_id)).one_or_none()
    if row is None:
        raise KeyError(f"no job {job_id} in the ledger")
    return None if row.plan is None else str(row.plan)
