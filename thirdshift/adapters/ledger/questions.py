"""The facts that reports are made from: read from running totals, so that a million calls take a second.

Single calls are read in three cases only, each found by an index: calls of an hour that a border of the period cuts in
two, long ones, and those that may be waste.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, and_, case, func, literal, or_, select, true

from thirdshift.adapters.ledger.database import Database
from thirdshift.adapters.ledger.gate_tables import gate_answers, gates
from thirdshift.adapters.ledger.odd_calls import odd_calls
from thirdshift.adapters.ledger.outcome_tables import outcomes
from thirdshift.adapters.ledger.period_lines import hours_of, period_lines
from thirdshift.adapters.ledger.question_tables import tool_tallies
from thirdshift.adapters.ledger.tables import attempts, jobs, scopes, tallies, verdicts
from thirdshift.core.ledger import ScopeKind
from thirdshift.core.outcomes import Outcome, OutcomeKind, OutcomeView, outcome_view
from thirdshift.core.periods import Period
from thirdshift.core.questions import AttemptFact, Facts, JobFact, Review


class QuestionBook:
    """Implements ``core.questions.FactBook``; a part of ``SqlLedger``."""

    _database: Database

    def facts(self, period: Period, job_id: str | None = None) -> Facts:
        """See the port."""
        with self._database.read() as connection:
            return Facts(
                jobs=read_jobs(connection, _touched(period, job_id), job_id and [job_id]),
                attempts=read_attempts(connection, _of_touched(period, job_id)),
                lines=period_lines(connection, period, job_id),
                odd_calls=odd_calls(connection, period, job_id),
            )


def _within(column: Any, period: Period) -> ColumnElement[bool]:
    bounds = [column.is_not(None)]
    if period.since is not None:
        bounds.append(column >= period.since)
    if period.until is not None:
        bounds.append(column < period.until)
    return and_(*bounds)


def _touched(period: Period, job_id: str | None) -> ColumnElement[bool]:
    """The jobs that were submitted, called a model or ended within the period."""
    if job_id is not None:
        return jobs.c.job_id == job_id
    if period.since is None and period.until is None:
        return true()
    first, last = hours_of(period)
    busy = select(tallies.c.job_id).where(tallies.c.hour >= first, tallies.c.hour <= last)
    return or_(
        _within(jobs.c.submitted_at, period), _within(jobs.c.closed_at, period), jobs.c.job_id.in_(busy.distinct())
    )


_JOB_COLUMNS = (
    jobs.c.job_id,
    jobs.c.title,
    jobs.c.spec_path,
    jobs.c.task,
    jobs.c.risk,
    jobs.c.repository,
    jobs.c.submitter,
    jobs.c.submitted_at,
    jobs.c.stop_reason,
    jobs.c.evidence,
    jobs.c.closed_at,
    jobs.c.budget_nano,
    jobs.c.team,
    jobs.c.night,
)


def read_jobs(connection: Connection, wanted: ColumnElement[bool], only: Sequence[str] | None) -> list[JobFact]:
    """Jobs with what came of them. ``only`` names those that are wanted, where they are few."""
    found = connection.execute(select(*_JOB_COLUMNS).where(wanted)).all()
    money = _money_of_jobs(connection, only)
    fates = read_fates(connection, only)
    reviews = _reviews(connection, only)
    rows = []
    for row in found:
        charged, raised = money.get(row.job_id, (0, 0))
        fate = fates.get(row.job_id)
        rows.append(
            JobFact(
                *row[:8],
                stop_reason=row.stop_reason or "",
                evidence=row.evidence or "",
                closed_at=row.closed_at,
                budget_nano=None if row.budget_nano is None else row.budget_nano + raised,
                charged_nano=charged,
                outcome=fate.state if fate else None,
                edited=fate.edited if fate else False,
                review=reviews.get(row.job_id),
                team=row.team,
                night=row.night,
            )
        )
    return rows


def _money_of_jobs(connection: Connection, only: Sequence[str] | None) -> dict[str, tuple[int, int]]:
    """What jobs are charged with over their lives, metered, and by how much their budgets were raised."""
    charged = case(
        (scopes.c.billing == "metered", scopes.c.settled_nano + scopes.c.held_nano + scopes.c.unknown_nano), else_=0
    )
    query = (
        select(scopes.c.key, func.sum(charged), func.max(scopes.c.raised_nano))
        .where(scopes.c.kind == ScopeKind.JOB.value)
        .group_by(scopes.c.key)
    )
    if only is not None:
        query = query.where(scopes.c.key.in_(only))
    return {key: (int(money), int(raised)) for key, money, raised in connection.execute(query).all()}


def read_fates(connection: Connection, only: Sequence[str] | None) -> dict[str, OutcomeView]:
    """What git showed of each job's work, as ``core.outcomes`` reads the events."""
    query = select(outcomes).order_by(outcomes.c.at, outcomes.c.outcome_id)
    if only is not None:
        query = query.where(outcomes.c.job_id.in_(only))
    events: dict[str, list[Outcome]] = defaultdict(list)
    for row in connection.execute(query).all():
        events[row.job_id].append(
            Outcome(
                job_id=row.job_id,
                kind=OutcomeKind(row.kind),
                commit=row.commit_hash,
                share=row.share,
                how=row.how,
                at=row.at,
            )
        )
    return {job: outcome_view(job, found) for job, found in events.items()}


def _reviews(connection: Connection, only: Sequence[str] | None) -> dict[str, Review]:
    """The last answer given at any gate of each job."""
    query = (
        select(gate_answers.c.job_id, gate_answers.c.verdict, gates.c.kind, gate_answers.c.reviewer)
        .join(gates, and_(gates.c.job_id == gate_answers.c.job_id, gates.c.seq == gate_answers.c.seq))
        .order_by(gate_answers.c.at, gate_answers.c.answer_id)
    )
    if only is not None:
        query = query.where(gate_answers.c.job_id.in_(only))
    return {row.job_id: Review(row.verdict, row.kind, row.reviewer) for row in connection.execute(query)}


def _of_touched(period: Period, job_id: str | None) -> ColumnElement[bool]:
    """The attempts of those jobs, whole."""
    if job_id is not None:
        return attempts.c.job_id == job_id
    if period.since is None and period.until is None:
        return true()
    return attempts.c.job_id.in_(select(jobs.c.job_id).where(_touched(period, None)))


def read_attempts(connection: Connection, wanted: ColumnElement[bool]) -> list[AttemptFact]:
    """Attempts in the order in which they were opened."""
    query: Select[Any] = select(
        attempts.c.attempt_id,
        attempts.c.owner_id,
        attempts.c.number,
        attempts.c.job_id,
        attempts.c.role,
        attempts.c.model,
        attempts.c.tier,
        attempts.c.reason,
        attempts.c.start_tree,
        func.coalesce(verdicts.c.tree, literal("")),
        func.coalesce(attempts.c.end, literal("")),
        attempts.c.closed_at,
        func.coalesce(tool_tallies.c.tool_calls, 0),
        func.coalesce(tool_tallies.c.milliseconds, 0),
    ).select_from(
        attempts.outerjoin(verdicts, verdicts.c.verdict_id == attempts.c.verdict_id).outerjoin(
            tool_tallies, tool_tallies.c.attempt_id == attempts.c.attempt_id
        )
    )
    rows = connection.execute(query.where(wanted).order_by(attempts.c.attempt_id)).all()
    return [AttemptFact._make(row) for row in rows]
