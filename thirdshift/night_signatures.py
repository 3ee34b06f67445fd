"""Typed stubs of a ``Shift``'s activities, and what it and its jobs tell one another; see ``thirdshift.signatures``."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field
from temporalio import activity

from thirdshift.core.admission import AtWork, Candidate
from thirdshift.core.frozen import Frozen
from thirdshift.core.night_book import NightSums
from thirdshift.core.nights import Night
from thirdshift.core.shifts import ShiftPlan
from thirdshift.signatures import JobInput


class ShiftMemory(Frozen):
    """How far a night has come, where its ``Shift`` continues as new."""

    night: Night
    waiting: tuple[Candidate, ...] = ()
    running: tuple[str, ...] = ()
    """Ids of jobs that hold a place."""
    resting: tuple[str, ...] = ()
    """Ids of jobs begun that wait for a person, or are parked, and hold none."""
    parked: tuple[str, ...] = ()
    """Those of them that are parked."""
    known: tuple[AtWork, ...] = ()
    """What is known of the jobs that run or rest."""
    stop_asked: str | None = None
    begun: int = 0
    """How many jobs were begun, or gone on with, before it continued as new."""
    requests_per_minute: dict[str, int] = Field(default_factory=dict)
    look_again: bool = False
    """Whether events have added to the queue since it was read last."""
    began_at: datetime | None = None
    """When the sums were first read, and ..."""
    before: NightSums | None = None
    """... what they were; see ``core.breaker.why_trip``."""


class ShiftInput(Frozen):
    """What the Schedule starts a ``Shift`` with."""

    plan: ShiftPlan
    memory: ShiftMemory | None = None


class ShiftResult(Frozen):
    """How a night ended."""

    night: str
    how: str
    why: str
    begun: int
    settled_nano: int


class JobIs(Frozen):
    """What a job tells the night that it works in. Signal ``job_is`` of ``Shift``."""

    job_id: str
    state: Literal["running", "waiting", "parked", "ended"]
    stop: str = ""
    """With ``ended``: its stop reason."""


class OpenNight(Frozen):
    """Find out which night it is, and make its list."""

    plan: ShiftPlan
    started_at: datetime
    scheduled_at: datetime | None = None
    """When the Schedule meant to start it; None where a person did."""


class NightOpened(Frozen):
    """The night; None where there is nothing to open, and ``why`` then says so."""

    night: Night | None
    why: str = ""
    candidates: tuple[Candidate, ...] = ()
    requests_per_minute: dict[str, int] = Field(default_factory=dict)
    """Of each provider that has a configured limit."""


class ListMore(Frozen):
    """Read what events have added to the shift since."""

    plan: ShiftPlan
    night: Night


class MoreListed(Frozen):
    """What is new on the list."""

    candidates: tuple[Candidate, ...] = ()


class AdmitJob(Frozen):
    """Make a candidate ready to begin, or to go on, in this night."""

    plan: ShiftPlan
    night: Night
    candidate: Candidate
    shift_workflow: str


class JobAdmitted(Frozen):
    """What is to be done with a candidate."""

    start: JobInput | None = None
    """The input of a new run; None where the job's workflow waits, and only has to hear of the window."""
    refused: str = ""
    """Why it cannot be begun; empty where it can."""
    job_id: str = ""
    """The job's id where it can be begun. It is another one than listed where spec or base have changed since."""


class LeaveLine(Frozen):
    """A line of the list is not worked on after all."""

    night: Night
    candidate: Candidate
    why: str


class AskJobs(Frozen):
    """Jobs that the night counts as running, and whose ends it would not hear of by itself."""

    jobs: tuple[str, ...]


class JobsGone(Frozen):
    """Those of them whose workflows run no more."""

    jobs: tuple[str, ...] = ()


class NightStanding(Frozen):
    """Ask how the night stands, for its circuit breaker."""

    night_id: str


class CloseNight(Frozen):
    """Close a night's books, and tell people in the morning."""

    night_id: str
    how: Literal["closed", "stopped", "tripped"]
    why: str
    lacked: dict[str, str] = Field(default_factory=dict)
    """Key of each line that was not reached, to what it lacked."""
    parked: tuple[str, ...] = ()
    """Jobs that have said that they are parked; their own note of it may still be on its way into the ledger."""


class NightClosed(Frozen):
    """What the night came to."""

    settled_nano: int = 0


@activity.defn
async def open_night(given: OpenNight) -> NightOpened:
    """See ``activities.nights``."""
    raise NotImplementedError("a signature, implemented in activities")


@activity.defn
async def list_more(given: ListMore) -> MoreListed:
    """See ``activities.nights``."""
    raise NotImplementedError("a signature, implemented in activities")


@activity.defn
async def admit_job(given: AdmitJob) -> JobAdmitted:
    """See ``activities.nights``."""
    raise NotImplementedError("a signature, implemented in activities")


@activity.defn
async def leave_line(given: LeaveLine) -> None:
    """See ``activities.nights``."""
    raise NotImplementedError("a signature, implemented in activities")


@activity.defn
async def jobs_gone(given: AskJobs) -> JobsGone:
    """See ``activities.nights``."""
    raise NotImplementedError("a signature, implemented in activities")


@activity.defn
async def night_standing(given: NightStanding) -> NightSums:
    """See ``activities.nights``."""
    raise NotImplementedError("a signature, implemented in activities")


@activity.defn
async def close_night(given: CloseNight) -> NightClosed:
    """See ``activities.nights``."""
    raise NotImplementedError("a signature, implemented in activities")


@activity.defn
async def tell_morning(given: CloseNight) -> None:
    """See ``activities.mornings``: write the morning report and send it."""
    raise NotImplementedError("a signature, implemented in activities")
