"""What the ledger can tell: typed rows for the command line and the reports. Metered, imputed and unknown apart."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Protocol

from thirdshift.core.frozen import Frozen
from thirdshift.core.history import AttemptEnd, ReasonCode, StopReason
from thirdshift.core.ladder import Tier
from thirdshift.core.ledger import JobRow, Role


class JobState(StrEnum):
    """Where a job stands, as ``status --json`` says it.

    The ledger knows all of these. ``parked``: its workflow waits at a step boundary for its shift's next window.
    """

    QUEUED = "queued"
    PLANNING = "planning"
    RUNNING = "running"
    WAITING = "waiting"
    PARKED = "parked"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    STOPPED = "stopped"
    FAILED = "failed"


_STATES = {
    StopReason.ACCEPTED: JobState.ACCEPTED,
    StopReason.REJECTED: JobState.REJECTED,
    StopReason.BUDGET: JobState.STOPPED,
    StopReason.MAX_ATTEMPTS: JobState.STOPPED,
    StopReason.MAX_STEPS: JobState.STOPPED,
    StopReason.WALL_CLOCK: JobState.STOPPED,
    StopReason.WINDOW_CLOSED: JobState.STOPPED,
    StopReason.NO_PROGRESS: JobState.STOPPED,
    StopReason.REPEATING: JobState.STOPPED,
    StopReason.OSCILLATING: JobState.STOPPED,
    StopReason.LADDER_EXHAUSTED: JobState.STOPPED,
    StopReason.STOPPED_BY_PERSON: JobState.STOPPED,
    StopReason.CIRCUIT_BREAKER: JobState.STOPPED,
    StopReason.PROVIDER_UNAVAILABLE: JobState.FAILED,
    StopReason.SCOPE_VIOLATION: JobState.FAILED,
    StopReason.TAMPERING: JobState.FAILED,
    StopReason.SPEC_INVALID: JobState.FAILED,
    StopReason.SETUP_FAILED: JobState.FAILED,
    StopReason.FAILED: JobState.FAILED,
    StopReason.UNDELIVERED: JobState.FAILED,
}


def state_after(reason: StopReason) -> JobState:
    """The state of a job that ended for that reason: a limit or a person stops it, all else fails it."""
    return _STATES[reason]


class Spend(Frozen):
    """Money in nano-dollars, in kinds that are never summed into one figure."""

    settled_nano: int = 0
    """Metered and known."""
    imputed_nano: int = 0
    """Known calls of a subscription, at their list price."""
    held_nano: int = 0
    """Set aside for calls in flight."""
    unknown_nano: int = 0
    """The holds of calls that may have been billed; an upper bound of what they cost."""

    def __add__(self, other: Spend) -> Spend:
        """The sums, kind by kind."""
        return Spend(
            settled_nano=self.settled_nano + other.settled_nano,
            imputed_nano=self.imputed_nano + other.imputed_nano,
            held_nano=self.held_nano + other.held_nano,
            unknown_nano=self.unknown_nano + other.unknown_nano,
        )


class Tokens(Frozen):
    """Token counts. ``input`` is everything that was read; ``cached`` and ``cache_written`` are parts of it."""

    input: int = 0
    cached: int = 0
    cache_written: int = 0
    output: int = 0
    reasoning: int = 0
    """Part of ``output``."""

    def __add__(self, other: Tokens) -> Tokens:
        """The sums."""
        return Tokens(
            input=self.input + other.input,
            cached=self.cached + other.cached,
            cache_written=self.cache_written + other.cache_written,
            output=self.output + other.output,
            reasoning=self.reasoning + other.reasoning,
        )


class CallCounts(Frozen):
    """How many calls stand in each state."""

    held: int = 0
    settled: int = 0
    unknown: int = 0
    released: int = 0

    def __add__(self, other: CallCounts) -> CallCounts:
        """The sums."""
        return CallCounts(
            held=self.held + other.held,
            settled=self.settled + other.settled,
            unknown=self.unknown + other.unknown,
            released=self.released + other.released,
        )


class CostLine(Frozen):
    """What one attempt cost on one model in one role; over all jobs, what a tier, model and role cost.

    ``owner_id`` is empty and ``attempt`` None where attempts are summed.
    """

    job_id: str
    owner_id: str
    attempt: int | None
    role: Role
    tier: Tier
    model: str
    calls: CallCounts
    spend: Spend
    tokens: Tokens
    seconds: float


class CheckView(Frozen):
    """One check of a verdict, without its output. ``state``: passed, failed or not_run."""

    id: str
    state: str
    end: str = ""
    exit_code: int | None = None
    seconds: float = 0.0
    holdout: bool = False


class VerdictView(Frozen):
    """A verdict without the checks' output."""

    id: int
    tree: str
    passed: bool
    checks: tuple[CheckView, ...]
    out_of_scope: tuple[str, ...] = ()
    tampering: tuple[str, ...] = ()

    @property
    def passing(self) -> int:
        """How many checks pass."""
        return sum(check.state == "passed" for check in self.checks)

    @property
    def honest(self) -> bool:
        """Whether its passing checks mean anything: nothing tampered with, nothing written out of scope."""
        return not (self.tampering or self.out_of_scope)


class AttemptView(Frozen):
    """One attempt with what it cost and how it was judged. The plan is attempt 0 of the job itself."""

    owner_id: str
    number: int
    role: Role
    tier: Tier
    model: str
    effort: str | None
    reason: ReasonCode
    end: AttemptEnd | None
    evidence: str
    verdict: VerdictView | None
    steps: int
    calls: CallCounts
    spend: Spend
    tokens: Tokens
    seconds: float
    """Of its model calls."""
    opened_at: datetime
    closed_at: datetime | None


class JobView(Frozen):
    """Everything that the ledger knows of a job."""

    job: JobRow
    state: JobState
    budget_nano: int | None
    """With every raise."""
    spend: Spend
    tokens: Tokens
    calls: CallCounts
    attempts: tuple[AttemptView, ...]
    """In the order in which they were opened, the plan among them."""
    baseline: VerdictView | None
    """The checks on the tree that it started from."""
    best: VerdictView | None
    """The verdict that passed, else the latest of the honest ones with most checks passing."""
    plan: str | None
    """As JSON."""
    stop_reason: StopReason | None
    evidence: str
    branch: str
    commit: str
    tree: str
    remedy: str
    ended_at: datetime | None
    parked_at: datetime | None = None
    """Since when it waits for its shift's next window; None if it does not."""
    parked_why: str = ""

    @property
    def steps(self) -> int:
        """Answered model calls, the plan's included."""
        return sum(attempt.steps for attempt in self.attempts)

    @property
    def loop_attempts(self) -> tuple[AttemptView, ...]:
        """The attempts without the plan."""
        return tuple(attempt for attempt in self.attempts if attempt.owner_id != self.job.job_id)

    @property
    def left(self) -> VerdictView | None:
        """The verdict of the tree that it ended with; None while it goes on, and where nothing judged that tree."""
        known = (self.baseline, *(attempt.verdict for attempt in self.attempts))
        return next((verdict for verdict in reversed(known) if verdict and verdict.tree == self.tree), None)

    @property
    def tier(self) -> Tier | None:
        """Of the newest attempt."""
        return self.attempts[-1].tier if self.attempts else None


class JobSummary(Frozen):
    """One line of a list of jobs."""

    job_id: str
    title: str
    task: str
    risk: str
    repository: str
    state: JobState
    stop_reason: StopReason | None
    attempts: int
    spend: Spend
    budget_nano: int | None
    submitted_at: datetime
    ended_at: datetime | None
    parked_at: datetime | None = None
    parked_why: str = ""


class BooksReader(Protocol):
    """What the books can tell. Every method is one consistent view, and blocks."""

    def job_view(self, job_id: str) -> JobView:
        """Everything that is known of a job, or KeyError."""
        ...

    def list_jobs(self, limit: int) -> tuple[JobSummary, ...]:
        """The newest jobs first."""
        ...

    def open_jobs(self) -> tuple[JobRow, ...]:
        """Every job that has no end yet, oldest first."""
        ...

    def cost_lines(self, job_id: str | None) -> tuple[CostLine, ...]:
        """A job's cost by attempt, tier, model and role; over all jobs (None) by tier, model and role."""
        ...
