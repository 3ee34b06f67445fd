"""Which policy stopped what, at what point, and an estimate of what that avoided.

The estimate is one: nobody knows what a loop would have done. It has two ends, both from what is in the books.

- At least: what the next thing would have cost, had it been like those before. For a job that was stopped, one more
  attempt at the mean of its attempts; for an attempt that was ended, one more call at the mean of its calls.
- At most: what was left of the job's budget, which would have stopped it in the end. Unknown where the job had no
  budget, where the budget is what stopped it, and for attempts, after which the loop may go on.

Only metered money is estimated: a subscription's next call costs nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from thirdshift.core.history import AttemptEnd, StopReason
from thirdshift.core.periods import Period
from thirdshift.core.questions import AttemptFact, Facts, JobFact, Line, Use

POLICIES = frozenset(
    {
        StopReason.BUDGET,
        StopReason.MAX_ATTEMPTS,
        StopReason.MAX_STEPS,
        StopReason.WALL_CLOCK,
        StopReason.WINDOW_CLOSED,
        StopReason.NO_PROGRESS,
        StopReason.REPEATING,
        StopReason.OSCILLATING,
        StopReason.SCOPE_VIOLATION,
        StopReason.TAMPERING,
        StopReason.LADDER_EXHAUSTED,
    }
)
"""The reasons by which a limit or a detector stops a job. A person, a refusal or an outage is no policy."""

_ENDS_ATTEMPTS = frozenset(
    {AttemptEnd.REPEATING, AttemptEnd.OSCILLATING, AttemptEnd.MAX_STEPS, AttemptEnd.WALL_CLOCK, AttemptEnd.BUDGET}
)


@dataclass(frozen=True, slots=True)
class Stopped:
    """One intervention. ``attempt`` None: the job as a whole was stopped; else that attempt was ended."""

    policy: str
    job_id: str
    owner_id: str
    title: str
    attempt: int | None
    attempts: int
    """Made by then."""
    calls: int
    """Of the attempt; of the job within the period."""
    spent_nano: int
    """Metered, held and unknown money of the job; metered money of the attempt."""
    at: datetime
    evidence: str
    at_least_nano: int
    at_most_nano: int | None


@dataclass(slots=True)
class PolicyTotal:
    """A policy's interventions."""

    policy: str
    jobs: int = 0
    attempts: int = 0
    at_least_nano: int = 0
    at_most_nano: int = 0
    """Of those stops that have an upper end."""
    without_most: int = 0


def stops_of(facts: Facts, period: Period, by_job: Mapping[str, Use]) -> list[Stopped]:
    """Every intervention within the period, the newest first."""
    tried: dict[str, list[AttemptFact]] = defaultdict(list)
    for fact in facts.attempts:
        if fact.role != "plan":
            tried[fact.job_id].append(fact)
    by_attempt = _use_by_attempt(facts.lines, {fact.attempt_id for fact in facts.attempts if _ended_early(fact)})
    found = []
    for job in facts.jobs:
        attempts = tried.get(job.job_id, [])
        stopped = job.stop_reason in POLICIES and period.has(job.closed_at)
        if stopped:
            found.append(_job_stop(job, attempts, by_job.get(job.job_id)))
        last = attempts[-1].attempt_id if attempts else None
        found += [
            _attempt_stop(job, fact, by_attempt.get(fact.attempt_id) or Use())
            for fact in attempts
            if _ended_early(fact)
            and period.has(fact.closed_at)
            # What stopped the job is told once, not again for the attempt in which it happened.
            and not (fact.attempt_id == last and fact.end == job.stop_reason)
        ]
    return sorted(found, key=lambda stop: (stop.at, stop.job_id, stop.attempt or 0), reverse=True)


def totals_of(stops: Iterable[Stopped]) -> list[PolicyTotal]:
    """By policy, the one that avoided most first."""
    found: dict[str, PolicyTotal] = {}
    for stop in stops:
        total = found.setdefault(stop.policy, PolicyTotal(stop.policy))
        total.jobs += stop.attempt is None
        total.attempts += stop.attempt is not None
        total.at_least_nano += stop.at_least_nano
        total.at_most_nano += stop.at_most_nano or 0
        total.without_most += stop.at_most_nano is None
    return sorted(found.values(), key=lambda total: (-total.at_least_nano, total.policy))


def _ended_early(fact: AttemptFact) -> bool:
    return fact.end in _ENDS_ATTEMPTS


def _use_by_attempt(lines: Iterable[Line], wanted: set[int]) -> dict[int, Use]:
    found: dict[int, Use] = defaultdict(Use)
    for line in lines:
        if line.attempt_id in wanted:
            found[line.attempt_id].add(line)
    return found


def _job_stop(job: JobFact, attempts: Sequence[AttemptFact], use: Use | None) -> Stopped:
    assert job.closed_at is not None  # noqa: S101 - the period has it
    least = job.charged_nano // max(1, len(attempts))
    most: int | None = None
    if job.budget_nano is not None and job.stop_reason != StopReason.BUDGET.value:
        most = max(0, job.budget_nano - job.charged_nano)
        least = min(least, most)
    return Stopped(
        policy=job.stop_reason,
        job_id=job.job_id,
        owner_id=job.job_id,
        title=job.title,
        attempt=None,
        attempts=len(attempts),
        calls=use.calls if use else 0,
        spent_nano=job.charged_nano,
        at=job.closed_at,
        evidence=job.evidence,
        at_least_nano=least,
        at_most_nano=most,
    )


def _attempt_stop(job: JobFact, fact: AttemptFact, use: Use) -> Stopped:
    assert fact.closed_at is not None  # noqa: S101 - the period has it
    return Stopped(
        policy=fact.end,
        job_id=job.job_id,
        owner_id=fact.owner_id,
        title=job.title,
        attempt=fact.number,
        attempts=fact.number,
        calls=use.calls,
        spent_nano=use.metered,
        at=fact.closed_at,
        evidence="",
        at_least_nano=use.metered // use.calls if use.calls else 0,
        at_most_nano=None,
    )
