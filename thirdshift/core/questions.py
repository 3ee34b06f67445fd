"""What the books say about a period, row by row, before anything is concluded from it.

These rows come by the ten thousand, so they are plain tuples. Money is in nano-dollars, in three kinds that are never
summed into one figure: metered, imputed (a subscription's calls at list price), and unknown (the holds of metered
calls that may have been billed: an upper bound).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple, Protocol

from thirdshift.core.outcomes import OutcomeState
from thirdshift.core.periods import Period


class Money(NamedTuple):
    """Three kinds that stay apart."""

    metered: int = 0
    imputed: int = 0
    unknown: int = 0

    def plus(self, other: Money) -> Money:
        """Kind by kind."""
        return Money(self.metered + other.metered, self.imputed + other.imputed, self.unknown + other.unknown)

    def minus(self, other: Money) -> Money:
        """Kind by kind."""
        return Money(self.metered - other.metered, self.imputed - other.imputed, self.unknown - other.unknown)

    def at_most(self, other: Money) -> Money:
        """The smaller of each kind."""
        return Money(
            min(self.metered, other.metered), min(self.imputed, other.imputed), min(self.unknown, other.unknown)
        )


class Line(NamedTuple):
    """What calls of one attempt, role, model and day used. ``input_tokens`` is everything that was read."""

    attempt_id: int
    job_id: str
    role: str
    model: str
    tier: str
    reason: str
    day: date
    calls: int
    """Held, settled and unknown; those never sent are not counted."""
    metered: int
    imputed: int
    unknown: int
    held: int
    input_tokens: int
    cached_tokens: int
    output_tokens: int
    reasoning_tokens: int
    milliseconds: int


class AttemptFact(NamedTuple):
    """An attempt: where it began, what tree it left, how it ended."""

    attempt_id: int
    owner_id: str
    number: int
    job_id: str
    role: str
    model: str
    tier: str
    reason: str
    start_tree: str
    tree: str
    """Of its verdict; empty where it was not judged."""
    end: str
    closed_at: datetime | None
    tool_calls: int
    tool_milliseconds: int


class Review(NamedTuple):
    """The last answer that a person gave at a gate of the job. The name is a claim."""

    verdict: str
    gate: str
    reviewer: str


class JobFact(NamedTuple):
    """A job, what came of it, and its money over its whole life, inside the period or not."""

    job_id: str
    title: str
    spec_path: str
    task: str
    risk: str
    repository: str
    submitter: str
    submitted_at: datetime
    stop_reason: str
    """Empty while it is under way."""
    evidence: str
    closed_at: datetime | None
    budget_nano: int | None
    """With every raise."""
    charged_nano: int
    """Metered; held and unknown calls at their holds."""
    outcome: OutcomeState | None
    """None where git was not asked yet."""
    edited: bool
    review: Review | None
    team: str = "default"
    night: str = ""
    """The night that pays for it, or paid last; empty outside shifts."""


class OddCall(NamedTuple):
    """A call that may be waste by itself, or several of an attempt for the same reason, with what was charged."""

    attempt_id: int
    money: Money
    long_context: Money
    """The part of ``money`` that keeping the conversation short would have saved."""
    wasted_tool: bool
    unnecessary: bool


@dataclass(frozen=True)
class Facts:
    """One consistent view of a period. Lines and odd calls lie within it; jobs and attempts are whole.

    Jobs are those that were submitted, called a model, or ended within the period.
    """

    jobs: Sequence[JobFact] = ()
    attempts: Sequence[AttemptFact] = ()
    lines: Sequence[Line] = ()
    odd_calls: Sequence[OddCall] = ()


class FactBook(Protocol):
    """Where the facts come from. One consistent view, and it blocks."""

    def facts(self, period: Period, job_id: str | None = None) -> Facts:
        """Everything that the questions need; of one job, where one is named."""
        ...


@dataclass(slots=True)
class Use:
    """A running sum of lines. Money of different kinds stays apart."""

    calls: int = 0
    metered: int = 0
    imputed: int = 0
    unknown: int = 0
    held: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    milliseconds: int = 0

    def add(self, more: Line | Use) -> None:
        """Add a line, or another sum."""
        self.calls += more.calls
        self.metered += more.metered
        self.imputed += more.imputed
        self.unknown += more.unknown
        self.held += more.held
        self.input_tokens += more.input_tokens
        self.cached_tokens += more.cached_tokens
        self.output_tokens += more.output_tokens
        self.reasoning_tokens += more.reasoning_tokens
        self.milliseconds += more.milliseconds

    @property
    def money(self) -> Money:
        """What was spent, by kind; what is only held is not spent."""
        return Money(self.metered, self.imputed, self.unknown)

    @property
    def tokens(self) -> int:
        """Everything read and written."""
        return self.input_tokens + self.output_tokens


@dataclass(slots=True)
class Group:
    """What shares a key: its use, its runs, and how many of those ended accepted within the period."""

    key: tuple[str, ...]
    use: Use = field(default_factory=Use)
    runs: int = 0
    accepted: int = 0

    def cost_per_accepted(self) -> Money | None:
        """All spend, failures included, over what was accepted and not reverted; None where that is nothing."""
        if not self.accepted:
            return None
        metered, imputed, unknown = self.use.money
        return Money(metered // self.accepted, imputed // self.accepted, unknown // self.accepted)


def by_spend(groups: Mapping[tuple[str, ...], Group]) -> list[Group]:
    """The dearest first; equals by imputed and unknown money, then by tokens, then by name."""
    return sorted(groups.values(), key=_rank)


def _rank(group: Group) -> tuple[int, int, int, int, tuple[str, ...]]:
    use = group.use
    return -use.metered, -use.imputed, -use.unknown, -use.tokens, group.key
