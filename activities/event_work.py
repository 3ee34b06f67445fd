"""What deciding on an event asks of the rest: its spec made, its job opened or found, its shift known."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from thirdshift.core.event_book import EventBook, EventRecord
from thirdshift.core.night_book import NightBook
from thirdshift.core.triage import Rule
from thirdshift.signatures import JobInput


class JobStanding(StrEnum):
    """How a job stands."""

    OPEN = "open"
    ENDED = "ended"
    NEVER_BEGUN = "never_begun"
    """Its books are open, and the engine has never heard of it."""


@dataclass(frozen=True)
class SpecMade:
    """The spec file of an event, checked as a submission would be."""

    path: str
    title: str
    priority: int


@dataclass(frozen=True)
class JobOpened:
    """A job whose books are open."""

    job_id: str
    start: JobInput


class EventWork(Protocol):
    """What is done for an event, beyond the books. What is not ``async`` blocks. All may be done twice."""

    def make_spec(self, rule: Rule, record: EventRecord) -> SpecMade:
        """Write the event's spec file and check it. Raises BadInput, PriceUnknown or ModelsUnavailable."""
        ...

    def open_job(self, made: SpecMade) -> JobOpened:
        """Open the books of the spec's job; the same file is the same job. Raises as ``make_spec`` does."""
        ...

    def job_again(self, job_id: str) -> JobInput:
        """The input of a job that never began."""
        ...

    async def job_standing(self, job_id: str) -> JobStanding:
        """How a job stands, by the books and by the engine."""
        ...

    async def has_shift(self, name: str) -> bool:
        """Whether there is such a shift, whose nights look at its list; true where that cannot be told."""
        ...

    def sync_outcomes(self) -> str:
        """Look at what became of delivered work; what was found, in one sentence."""
        ...


class IntakeBook(EventBook, NightBook, Protocol):
    """The part of the ledger that is needed."""
