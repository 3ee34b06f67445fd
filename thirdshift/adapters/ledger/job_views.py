"""Read models of jobs: everything that the ledger knows of one, and the list of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from sqlalchemy import Connection, RowMapping, bindparam, func, select

from thirdshift.adapters.ledger.cost_views import cost_lines
from thirdshift.adapters.ledger.gate_tables import gates
from thirdshift.adapters.ledger.journal import money_of
from thirdshift.adapters.ledger.records import read_job
from thirdshift.adapters.ledger.tables import attempts, jobs, loops, messages, verdicts
from thirdshift.adapters.ledger.talk import ANSWER
from thirdshift.core.history import AttemptEnd, ReasonCode, StopReason
from thirdshift.core.ladder import Rung, Tier
from thirdshift.core.verdict import Verdict
from thirdshift.core.views import (
    AttemptView,
    CallCounts,
    CheckView,
    CostLine,
    JobState,
    JobSummary,
    JobView,
    Spend,
    Tokens,
    VerdictView,
    state_after,
)


def _verdict_view(verdict_id: int, body: str) -> VerdictView:
    verdict = Verdict.model_validate_json(body)
    ran = tuple(
        CheckView(
            id=check.id,
            state="passed" if check.passed else "failed",
            end=check.end.value,
            exit_code=check.exit_code,
            seconds=check.seconds,
            holdout=check.holdout,
        )
        for check in verdict.checks
    )
    return VerdictView(
        id=verdict_id,
        tree=verdict.tree,
        passed=verdict.passed,
        checks=ran + tuple(CheckView(id=name, state="not_run") for name in verdict.not_run),
        out_of_scope=verdict.out_of_scope,
        tampering=verdict.tampering,
    )


_VERDICTS = (
    select(verdicts.c.verdict_id, verdicts.c.owner_id, verdicts.c.number, verdicts.c.body)
    .where(
        verdicts.c.owner_id.in_(select(loops.c.loop_id).where(loops.c.job_id == bindparam("job")))
        | (verdicts.c.owner_id == bindparam("job"))
    )
    .order_by(verdicts.c.verdict_id)
)
_ATTEMPTS = select(attempts).where(attempts.c.job_id == bindparam("job")).order_by(attempts.c.attempt_id)
_STEPS = (
    select(messages.c.attempt_id, func.count().label("steps"))
    .join(attempts, attempts.c.attempt_id == messages.c.attempt_id)
    .where(attempts.c.job_id == bindparam("job"), messages.c.slot == ANSWER)
    .group_by(messages.c.attempt_id)
)


def job_view(connection: Connection, job_id: str) -> JobView:
    """Everything that is known of a job. KeyError if there is none."""
    row = connection.execute(select(jobs).where(jobs.c.job_id == job_id)).mappings().one_or_none()
    if row is None:
        raise KeyError(f"no job {job_id} in the ledger")
    views = [
        (found.owner_id, found.number, _verdict_view(found.verdict_id, found.body))
        for found in connection.execute(_VERDICTS, {"job": job_id})
    ]
    tried = _attempt_views(connection, job_id, {view.id: view for _, _, view in views})
    reason = StopReason(row["stop_reason"]) if row["stop_reason"] else None
    judged = [view for _, number, view in views if number > 0]
    return JobView(
        job=read_job(connection, job_id),
        state=_state(row, [attempt.role for attempt in tried], job_id in _waiting(connection)),
        budget_nano=money_of(connection, job_id)["budget_nano"],
        spend=sum((attempt.spend for attempt in tried), Spend()),
        tokens=sum((attempt.tokens for attempt in tried), Tokens()),
        calls=sum((attempt.calls for attempt in tried), CallCounts()),
        attempts=tried,
        baseline=next((view for _, number, view in views if number == 0), None),
        best=max(judged, key=lambda view: (view.passed, view.honest, view.passing, view.id), default=None),
        plan=row["plan"],
        stop_reason=reason,
        evidence=row["evidence"] or "",
        branch=row["branch"] or "",
        commit=row["commit_hash"] or "",
        tree=row["tree"] or "",
        remedy=row["remedy"] or "",
        ended_at=row["closed_at"],
        parked_at=row["parked_at"],
        parked_why=row["parked_why"] or "",
    )


def _attempt_views(connection: Connection, job_id: str, by_id: dict[int, VerdictView]) -> tuple[AttemptView, ...]:
    lines: dict[tuple[str, int | None], list[CostLine]] = defaultdict(list)
    for line in cost_lines(connection, job_id):
        lines[(line.owner_id, line.attempt)].append(line)
    steps = {row.attempt_id: row.steps for row in connection.execute(_STEPS, {"job": job_id})}
    found = connection.execute(_ATTEMPTS, {"job": job_id}).mappings()
    return tuple(
        _attempt_view(row, steps.get(row["attempt_id"], 0), lines[(row["owner_id"], row["number"])], by_id)
        for row in found
    )


def _attempt_view(row: RowMapping, steps: int, lines: Iterable[CostLine], by_id: dict[int, VerdictView]) -> AttemptView:
    lines = list(lines)
    return AttemptView(
        owner_id=row["owner_id"],
        number=row["number"],
        role=row["role"],
        tier=Tier(row["tier"]),
        model=row["model"],
        effort=Rung.model_validate_json(row["rung"]).effort,
        reason=ReasonCode(row["reason"]),
        end=AttemptEnd(row["end"]) if row["end"] else None,
        evidence=row["evidence"] or "",
        verdict=by_id.get(row["verdict_id"]),
        steps=steps,
        calls=sum((line.calls for line in lines), CallCounts()),
        spend=sum((line.spend for line in lines), Spend()),
        tokens=sum((line.tokens for line in lines), Tokens()),
        seconds=sum(line.seconds for line in lines),
        opened_at=row["opened_at"],
        closed_at=row["closed_at"],
    )


def _waiting(connection: Connection) -> frozenset[str]:
    """Jobs with an open gate."""
    return frozenset(connection.execute(select(gates.c.job_id).where(gates.c.end.is_(None))).scalars())


def _state(row: RowMapping, roles: list[str], waiting: bool) -> JobState:
    if row["stop_reason"]:
        return state_after(StopReason(row["stop_reason"]))
    if row["parked_at"] is not None:
        return JobState.PARKED
    if waiting:
        return JobState.WAITING
    if not roles:
        return JobState.QUEUED
    return JobState.PLANNING if all(role == "plan" for role in roles) else JobState.RUNNING


def list_jobs(connection: Connection, limit: int) -> tuple[JobSummary, ...]:
    """The newest jobs first."""
    newest = select(jobs).order_by(jobs.c.submitted_at.desc(), jobs.c.job_id).limit(limit)
    waiting = _waiting(connection)
    rows = connection.execute(newest).mappings().all()
    return tuple(_summary(connection, row, row["job_id"] in waiting) for row in rows)


_ROLES = select(attempts.c.role).where(attempts.c.job_id == bindparam("job"))


def _summary(connection: Connection, row: RowMapping, waiting: bool) -> JobSummary:
    roles = list(connection.execute(_ROLES, {"job": row["job_id"]}).scalars())
    money = money_of(connection, row["job_id"])
    reason = StopReason(row["stop_reason"]) if row["stop_reason"] else None
    return JobSummary(
        job_id=row["job_id"],
        title=row["title"],
        task=row["task"],
        risk=row["risk"],
        repository=row["repository"],
        state=_state(row, roles, waiting),
        stop_reason=reason,
        attempts=sum(role != "plan" for role in roles),
        spend=Spend(
            settled_nano=money["cost_nano"] or 0,
            imputed_nano=money["imputed_nano"] or 0,
            held_nano=money["held_nano"] or 0,
            unknown_nano=money["unknown_nano"] or 0,
        ),
        budget_nano=money["budget_nano"],
        submitted_at=row["submitted_at"],
        ended_at=row["closed_at"],
        parked_at=row["parked_at"],
        parked_why=row["parked_why"] or "",
    )
