"""What the books say of a spec's like: its cost for each accepted outcome, and how long it takes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, select

from thirdshift.adapters.ledger.gate_tables import gates
from thirdshift.adapters.ledger.outcome_tables import outcomes
from thirdshift.adapters.ledger.tables import MICROSECOND, attempts, jobs, scopes
from thirdshift.core.history import StopReason
from thirdshift.core.ledger import ScopeKind
from thirdshift.core.night_book import Expectation
from thirdshift.core.outcomes import Outcome, OutcomeKind, OutcomeState, outcome_view

MOST_JOBS = 500
"""The newest so many of a kind say as much as all of them would, in milliseconds."""
CUT_SHORT = frozenset({StopReason.STOPPED_BY_PERSON, StopReason.WINDOW_CLOSED, StopReason.CIRCUIT_BREAKER})
"""Ends that say nothing of how long the work takes."""

_FIRST = select(func.min(attempts.c.opened_at)).where(attempts.c.job_id == jobs.c.job_id).scalar_subquery()
_CHARGED = (
    select(scopes.c.settled_nano + scopes.c.held_nano + scopes.c.unknown_nano)
    .where(scopes.c.key == jobs.c.job_id, scopes.c.kind == ScopeKind.JOB.value, scopes.c.billing == "metered")
    .scalar_subquery()
)


@dataclass(frozen=True)
class _Ended:
    job_id: str
    stop_reason: str
    closed_at: datetime
    began_at: datetime | None
    parked: timedelta
    charged_nano: int


def expectation(connection: Connection, repository: str, task: str, since: datetime) -> Expectation:
    """The narrowest kind that can say each of both figures says it; ``jobs`` is the size of the narrowest with any."""
    kinds: tuple[tuple[ColumnElement[bool], ...], ...] = (
        (jobs.c.repository == repository, jobs.c.task == task),
        (jobs.c.task == task,),
        (),
    )
    cost: int | None = None
    seconds: float | None = None
    size = 0
    for kind in kinds:
        wanted = _ended(kind, since)
        found = _read(connection, wanted)
        size = size or len(found)
        cost = _cost_per_accepted(found, _fates(connection, wanted)) if cost is None else cost
        seconds = _median_seconds(found, _waits(connection, wanted)) if seconds is None else seconds
        if cost is not None and seconds is not None:
            break
    return Expectation(expected_nano=cost, median_seconds=seconds, jobs=size)


def _ended(kind: Sequence[ColumnElement[bool]], since: datetime) -> Select[Any]:
    query = select(jobs.c.job_id).where(jobs.c.submitted_at >= since, jobs.c.closed_at.is_not(None), *kind)
    return query.order_by(jobs.c.submitted_at.desc(), jobs.c.job_id).limit(MOST_JOBS)


def _read(connection: Connection, wanted: Select[Any]) -> list[_Ended]:
    columns = (jobs.c.job_id, jobs.c.stop_reason, jobs.c.closed_at, jobs.c.parked_microseconds)
    query = select(*columns, _FIRST.label("began_at"), _CHARGED.label("charged")).where(jobs.c.job_id.in_(wanted))
    return [
        _Ended(
            job_id=row.job_id,
            stop_reason=row.stop_reason or "",
            closed_at=row.closed_at,
            began_at=row.began_at,
            parked=row.parked_microseconds * MICROSECOND,
            charged_nano=int(row.charged or 0),
        )
        for row in connection.execute(query)
    ]


def _cost_per_accepted(found: Iterable[_Ended], fates: dict[str, OutcomeState]) -> int | None:
    """All that was spent, failures included, over what was accepted and not reverted; None where that is nothing."""
    spent = accepted = 0
    for job in found:
        fate = fates.get(job.job_id, OutcomeState.PENDING)
        by_end = fate is OutcomeState.PENDING and job.stop_reason == StopReason.ACCEPTED.value
        accepted += fate is OutcomeState.ACCEPTED or by_end
        spent += job.charged_nano
    return spent // accepted if accepted else None


def _fates(connection: Connection, wanted: Select[Any]) -> dict[str, OutcomeState]:
    query = select(outcomes).where(outcomes.c.job_id.in_(wanted)).order_by(outcomes.c.at, outcomes.c.outcome_id)
    events: dict[str, list[Outcome]] = defaultdict(list)
    for row in connection.execute(query):
        kind = OutcomeKind(row.kind)
        events[row.job_id].append(
            Outcome(job_id=row.job_id, kind=kind, commit=row.commit_hash, share=row.share, how=row.how, at=row.at)
        )
    return {job_id: outcome_view(job_id, seen).state for job_id, seen in events.items()}


Span = tuple[datetime, datetime]


def _waits(connection: Connection, wanted: Select[Any]) -> dict[str, list[Span]]:
    """When people were waited for."""
    columns = (gates.c.job_id, gates.c.opened_at, gates.c.closed_at)
    query = select(*columns).where(gates.c.job_id.in_(wanted), gates.c.closed_at.is_not(None))
    found: dict[str, list[Span]] = defaultdict(list)
    for row in connection.execute(query.order_by(gates.c.opened_at)):
        found[row.job_id].append((row.opened_at, row.closed_at))
    return found


def _median_seconds(found: Iterable[_Ended], waits: dict[str, list[Span]]) -> float | None:
    took = [
        max(0.0, (job.closed_at - job.began_at - job.parked - _length(waits.get(job.job_id, ()))).total_seconds())
        for job in found
        if job.began_at is not None and job.stop_reason not in CUT_SHORT
    ]
    return median(took) if took else None


def _length(spans: Iterable[Span]) -> timedelta:
    """The time that spans, given in the order of their beginnings, cover together."""
    whole = timedelta()
    covered: datetime | None = None
    for begin, end in spans:
        begin = begin if covered is None else max(begin, covered)
        whole += max(end - begin, timedelta())
        covered = end if covered is None else max(covered, end)
    return whole
