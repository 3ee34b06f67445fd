"""Typed stubs of an ``Intake``'s activities; see ``thirdshift.signatures``. Texts of events stay in the ledger."""

from __future__ import annotations

from datetime import datetime

from temporalio import activity

from thirdshift.core.frozen import Frozen
from thirdshift.signatures import JobInput


class Arrival(Frozen):
    """An event has come. Signal ``arrived`` of ``Intake``, sent together with its start."""

    number: int
    """The ledger's number of the event."""
    fingerprint: str


class Pending(Frozen):
    """A fingerprint whose debounce window is open."""

    fingerprint: str
    first_at: datetime
    last_at: datetime
    up_to: int
    """The highest number of its events so far."""
    count: int = 1


class IntakeMemory(Frozen):
    """What waits for its window to end, where an ``Intake`` continues as new."""

    pending: tuple[Pending, ...] = ()
    storm_at: datetime | None = None
    """When an event was last suppressed by a storm."""


class IntakeInput(Frozen):
    """The repository whose events it takes, as the senders name it."""

    repository: str
    debounce_seconds: float = 30.0
    longest_debounce_seconds: float = 300.0
    memory: IntakeMemory | None = None


class Triage(Frozen):
    """Decide on a fingerprint's events up to a number."""

    repository: str
    fingerprint: str
    up_to: int


class Triaged(Frozen):
    """``start`` is the input of a job to start as ``job_id``; ``shift`` a shift whose night should look again."""

    job_id: str = ""
    start: JobInput | None = None
    title: str = ""
    shift: str = ""
    night: str = ""
    """Id of the ``Shift`` workflow of the shift's night that is under way; empty if none is."""
    storm: bool = False
    """Whether the event was suppressed by a storm."""


class Undecided(Frozen):
    """Ask for events of a repository that nobody has decided on, though no signal of theirs is waiting."""

    repository: str
    most: int = 500


class Found(Frozen):
    """Such events, the oldest first."""

    arrivals: tuple[Arrival, ...] = ()


class StormTold(Frozen):
    """Tell people that events of a repository are suppressed."""

    repository: str


class OutcomesLooked(Frozen):
    """Delivered work has been looked at."""

    words: str
    """What was found, in one sentence."""


@activity.defn
async def triage(given: Triage) -> Triaged:
    """See ``activities.intake``."""
    raise NotImplementedError("a signature, implemented in activities")


@activity.defn
async def find_undecided(given: Undecided) -> Found:
    """See ``activities.intake``."""
    raise NotImplementedError("a signature, implemented in activities")


@activity.defn
async def tell_storm(given: StormTold) -> None:
    """See ``activities.intake``."""
    raise NotImplementedError("a signature, implemented in activities")


@activity.defn
async def look_at_outcomes() -> OutcomesLooked:
    """See ``activities.intake``."""
    raise NotImplementedError("a signature, implemented in activities")
