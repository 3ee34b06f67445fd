"""What a loop remembers of itself, the policy it runs under, and the moves it may make."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from thirdshift.core.frozen import Frozen
from thirdshift.core.ladder import Ladder, Tier
from thirdshift.core.spec import GateKind
from thirdshift.core.verdict import VerdictBrief


class StopReason(StrEnum):
    """Why a loop ended. ``accepted`` is the only good one."""

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    BUDGET = "budget"
    MAX_ATTEMPTS = "max_attempts"
    MAX_STEPS = "max_steps"
    WALL_CLOCK = "wall_clock"
    WINDOW_CLOSED = "window_closed"
    NO_PROGRESS = "no_progress"
    REPEATING = "repeating"
    OSCILLATING = "oscillating"
    SCOPE_VIOLATION = "scope_violation"
    TAMPERING = "tampering"
    LADDER_EXHAUSTED = "ladder_exhausted"
    PROVIDER_UNAVAILABLE = "provider_unavailable"
    STOPPED_BY_PERSON = "stopped_by_person"
    CIRCUIT_BREAKER = "circuit_breaker"
    """The night that it worked in stopped itself; the evidence says what was out of the common."""
    SPEC_INVALID = "spec_invalid"
    SETUP_FAILED = "setup_failed"
    FAILED = "failed"
    """Something broke that no policy foresaw; the evidence says what."""
    UNDELIVERED = "undelivered"
    """The checks accepted the tree, but it could not be delivered as the spec asks. Its branch is kept."""


class ReasonCode(StrEnum):
    """Why an attempt is made on its rung."""

    FIRST = "first"
    RETRY_WITH_EVIDENCE = "retry_with_evidence"
    VERIFICATION_FAILED = "verification_failed"
    """The climb: every attempt that the rung below was allowed ended in a failed verdict."""
    SIDEWAYS_PROVIDER = "sideways_provider"
    """The provider of the rung before is down, refused or timed out; same tier, never up."""
    PROVIDER_BACK = "provider_back"
    """The rung's provider was down when it was last tried, and is due back; same tier."""


class AttemptEnd(StrEnum):
    """How an attempt's steps ended, before its verdict."""

    FINISHED = "finished"
    TOO_LONG = "too_long"
    REPEATING = "repeating"
    OSCILLATING = "oscillating"
    MAX_STEPS = "max_steps"
    WALL_CLOCK = "wall_clock"
    BUDGET = "budget"
    PROVIDER = "provider"
    STOPPED = "stopped"


class AttemptRecord(Frozen):
    """One attempt as the policy sees it."""

    number: int
    rung: int
    """Index into the policy's ladder."""
    reason: ReasonCode
    end: AttemptEnd
    verdict: VerdictBrief | None
    """None where there was nothing to judge: the provider failed, or the loop was stopped."""
    steps: int
    cost_nano: int
    evidence: str = ""
    """What a person should read about ``end``: the fault, the limit, the repeated call; at most 300 characters."""
    back_at: datetime | None = None
    """With ``PROVIDER``: when the provider said that it can be used again."""
    failed_at: datetime | None = None
    """With ``PROVIDER``: when, if such trouble passes by itself; None where it does not, or is not known to."""


class LoopHistory(Frozen):
    """Everything ``next_move`` may look at besides the policy and the clock."""

    started_at: datetime
    baseline: VerdictBrief | None = None
    """The checks on the tree that the loop started from; never accepted by itself."""
    attempts: tuple[AttemptRecord, ...] = ()
    stop_asked: str | None = None
    """What a person said when asking for a stop."""
    halted_for: StopReason | None = None
    """With ``stop_asked``: why, where it was not a person who asked."""
    approved: tuple[GateKind, ...] = ()
    """Gates that a person has approved and that need no second answer."""
    granted: tuple[int, ...] = ()
    """Rungs, by index, to which a person gave one attempt more, once for each time."""
    raised_after: tuple[int, ...] = ()
    """Numbers of the attempts that a budget ended which a person has raised since."""
    waited_seconds: float = 0.0
    """How long people, windows and providers were waited for; it does not count as time of the loop."""
    provider_waited_seconds: float = 0.0
    """The providers' part of it, which has a bound of its own."""

    @property
    def steps(self) -> int:
        """Steps of all attempts."""
        return sum(attempt.steps for attempt in self.attempts)

    @property
    def cost_nano(self) -> int:
        """Cost of all attempts, unknown calls at their holds."""
        return sum(attempt.cost_nano for attempt in self.attempts)


class LoopPolicy(Frozen):
    """The limits and the ladder of one loop."""

    ladder: Ladder
    first_tier: Tier = Tier.ECONOMY
    max_attempts: Annotated[int, Field(ge=1)] = 6
    max_steps: Annotated[int, Field(ge=1)] = 40
    max_wall_seconds: Annotated[float, Field(gt=0)] = 45 * 60.0
    window_closes_at: datetime | None = None
    no_progress_attempts: Annotated[int, Field(ge=2)] = 5
    repeated_failures: Annotated[int, Field(ge=2)] = 5
    repeated_calls: Annotated[int, Field(ge=2)] = 4
    oscillation_cycles: Annotated[int, Field(ge=2)] = 3
    gates: tuple[GateKind, ...] = ()


class Attempt(Frozen):
    """Make an attempt on a rung, from the best tree so far."""

    rung: int
    reason: ReasonCode
    start_tree: str | None
    """The best tree so far; None for the loop's own start."""
    evidence_of: int | None = None
    """Number of the attempt whose verdict is the feedback."""


class Gate(Frozen):
    """Ask a person."""

    kind: GateKind
    reason: str


class Park(Frozen):
    """Wait for a provider without holding anything, then decide again."""

    until: datetime
    reason: str = ""


class Accept(Frozen):
    """The tree of this attempt passed."""

    attempt: int
    tree: str


class Stop(Frozen):
    """Give up for a stated reason; ``evidence`` is for a person, one or two sentences."""

    reason: StopReason
    evidence: str


Move = Attempt | Gate | Park | Accept | Stop
