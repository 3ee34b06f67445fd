"""What the books say about one night, row by row, before anything is concluded from it; and the port that reads it.

Money is in nano-dollars, in three kinds that are never summed into one figure: see ``core.questions``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Final, NamedTuple, Protocol

from thirdshift.core.errors import FaultKind
from thirdshift.core.event_book import Decided
from thirdshift.core.gate_book import GateRecord
from thirdshift.core.night_book import NightLine, NightRecord
from thirdshift.core.questions import Facts, JobFact, Money

TRAILING: Final = timedelta(days=30)
"""What a night is compared with: the nights of its shift that began so long before it, and not itself."""
QUARTER_SECONDS: Final = 900
"""How finely a night's spending is told."""


class WorkedJob(NamedTuple):
    """A job that a night worked on."""

    fact: JobFact
    """Its money is that of its whole life."""
    night: str
    """The last night that it was given to; empty where a person runs it now."""
    parked_at: datetime | None
    branch: str = ""
    url: str = ""
    """Of its pull request."""
    delivered: str = ""
    """One sentence about its delivery."""
    whole: Money = Money()
    """What it has cost in all, this night and before."""

    @property
    def job_id(self) -> str:
        """Its workflow's id."""
        return self.fact.job_id


class OpenGate(NamedTuple):
    """A gate that waits, with what a person needs to know of its job."""

    gate: GateRecord
    title: str
    cost_nano: int
    """What the job is charged with."""
    tonight: bool
    """Whether it is of a job of this very night; else an earlier one left it."""


class SpendAt(NamedTuple):
    """What the calls of one quarter of an hour came to."""

    at: datetime
    metered: int
    unknown: int


class FaultAt(NamedTuple):
    """Calls of one model that failed with the same first words in their note."""

    model: str
    kind: str
    """The note's first word: a ``FaultKind``, or something else."""
    calls: int
    unknown: int
    """How many of them may have been billed."""
    first: datetime
    last: datetime
    waited_seconds: float
    """Until the same step was asked for again, over all of them."""


class NightCost(NamedTuple):
    """What a night cost and what it brought."""

    night: str
    day: date
    spent: Money
    accepted: int
    """Accepted and not reverted, as is known today; each counts for the night that finished it."""


class EventsIn(NamedTuple):
    """Events that came since the night before, by what was decided; None is undecided."""

    since: datetime
    counts: Mapping[Decided | None, int]

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.counts.values())


class Purse(NamedTuple):
    """A night's budget scope. ``limit_nano`` has every raise in it."""

    limit_nano: int
    settled_nano: int = 0
    held_nano: int = 0
    unknown_nano: int = 0
    imputed_nano: int = 0
    """Beside the budget: paid by a subscription."""

    @property
    def used_nano(self) -> int:
        """What the limit has less of: settled, held and unknown."""
        return self.settled_nano + self.held_nano + self.unknown_nano


@dataclass(frozen=True)
class NightFacts:
    """One consistent view of a night."""

    record: NightRecord
    purse: Purse
    lines: Sequence[NightLine] = ()
    jobs: Sequence[WorkedJob] = ()
    gates: Sequence[OpenGate] = ()
    """Every open gate of the shift's jobs, the oldest first."""
    other_gates: int = 0
    """Open gates of all other jobs."""
    spends: Sequence[SpendAt] = ()
    """In order; quarters without a call are left out."""
    faults: Sequence[FaultAt] = ()
    costs: Sequence[NightCost] = ()
    """The shift's nights of the trailing month and this one, the oldest first."""
    events: EventsIn | None = None
    facts: Facts = field(default_factory=Facts)
    """The night's calls and the attempts of its jobs, as the reports reckon with them."""


class MorningBook(Protocol):
    """Where the facts of a night come from. One consistent view, and it blocks."""

    def night_facts(self, night_id: str, now: datetime) -> NightFacts:
        """Everything that the morning report tells of a night, or KeyError."""
        ...


NEEDS_A_PERSON: Final = frozenset(
    {
        FaultKind.UNAUTHORIZED.value,
        FaultKind.FORBIDDEN.value,
        FaultKind.QUOTA_EXHAUSTED.value,
        FaultKind.UNKNOWN_MODEL.value,
        FaultKind.BAD_REQUEST.value,
    }
)
"""Faults that no waiting mends, unless a quota resets by itself."""
