"""The ledger's port for nights: which there were, what was on their lists, and what became of each line."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from thirdshift.core.frozen import Frozen
from thirdshift.core.nights import Night


class NightRow(Frozen):
    """A night as it is opened."""

    night: Night
    workflow_id: str
    budget_nano: int
    concurrency: int
    deliver: str
    zone: str
    opened_at: datetime
    """When it really began, which may be later than its window."""


class NightRecord(Frozen):
    """A night in the books."""

    row: NightRow
    closed_at: datetime | None = None
    how: str = ""
    """How it ended: ``closed`` at its window's end, ``stopped`` by a person, ``tripped`` by its circuit breaker."""
    why: str = ""


class LineState(StrEnum):
    """What became of a line of a night's list."""

    LISTED = "listed"
    """Not begun yet."""
    ADMITTED = "admitted"
    """Begun, or gone on with, in this night; its job's own end is in the job."""
    PARKED = "parked"
    """Begun, and parked at the window's end."""
    REFUSED = "refused"
    """The spec cannot be worked on; ``why`` says what to mend."""
    DONE_BEFORE = "done_before"
    """Its job ended before this night, and nothing has changed since."""
    PASSED_OVER = "passed_over"
    """The night ended without it; ``why`` says what it lacked. It is on the next night's list."""


class NightLine(Frozen):
    """A line of a night's list."""

    night: str
    key: str
    job_id: str = ""
    spec_path: str = ""
    title: str = ""
    priority: int = 0
    state: LineState = LineState.LISTED
    why: str = ""
    event: int | None = None
    """The ledger's number of the event that asked for it; None for a spec of the shift's own."""
    first_seen_at: datetime
    """When a night of this shift first had it on its list."""
    at: datetime
    """When its state was last changed."""


class QueuedSpec(Frozen):
    """A spec that an event adds to the next night of a shift, or to the one that is under way."""

    shift: str
    spec_path: str
    title: str
    priority: int
    event: int | None
    queued_at: datetime


class ParkedJob(Frozen):
    """A job whose workflow waits for the next window of its shift."""

    job_id: str
    spec_path: str
    title: str
    task: str
    risk: str
    repository: str
    priority: int
    night: str
    """The night that parked it."""
    parked_at: datetime


class Expectation(Frozen):
    """What the books say of a spec's like: same repository and task, else same task, else everything."""

    expected_nano: int | None = None
    """All spend over accepted outcomes; None where nothing was accepted."""
    median_seconds: float | None = None
    jobs: int = 0


class NightSums(Frozen):
    """What a night has come to so far, for its circuit breaker. Metered money, in nano-dollars."""

    settled_nano: int = 0
    held_nano: int = 0
    unknown_nano: int = 0
    limit_nano: int | None = None
    verdicts: int = 0
    """Of attempts; verdicts on a base are not counted."""
    failed_verdicts: int = 0
    calls: int = 0
    """Those that were only told to wait, or reached nobody, left out: they are made again."""
    faulted_calls: int = 0
    """Refused or lost by a provider. Calls that somebody stopped are none."""


class NightBook(Protocol):
    """Nights. Every method is one transaction and blocks."""

    def open_night(self, row: NightRow) -> bool:
        """Keep a night; False where it is there already and open, or was closed at its end: then nothing changes.

        A night that is started once more within its window, after it was stopped or tripped, is opened again. To the
        workflow that has opened it, it is its own: True again.
        """
        ...

    def night(self, night_id: str) -> NightRecord:
        """The night, or KeyError."""
        ...

    def nights(self, shift: str | None, limit: int) -> Sequence[NightRecord]:
        """The last nights, the newest first; of every shift where none is named."""
        ...

    def close_night(self, night_id: str, how: str, why: str, at: datetime) -> None:
        """Note how a night ended. Lines still ``listed`` become ``passed_over``; a second time changes nothing."""
        ...

    def put_lines(self, lines: Sequence[NightLine]) -> None:
        """Keep lines, or change those that are there (same night and key); ``first_seen_at`` stays the earliest."""
        ...

    def lines(self, night_id: str) -> Sequence[NightLine]:
        """A night's list, in the order in which the lines came."""
        ...

    def first_seen(self, shift: str, keys: Sequence[str]) -> dict[str, datetime]:
        """When each key that an earlier night of the shift passed over was first on a list, without a break."""
        ...

    def queue_spec(self, queued: QueuedSpec) -> bool:
        """Put a spec on a shift's queue; False where its path is on it already."""
        ...

    def queued_specs(self, shift: str) -> Sequence[QueuedSpec]:
        """What events have added to a shift and no night has finished with, oldest first."""
        ...

    def unqueue_spec(self, shift: str, spec_path: str) -> None:
        """Take a spec off a shift's queue: its job has begun, or it cannot be."""
        ...

    def assign_night(self, job_id: str, night_id: str, limit_nano: int, priority: int, closes_at: datetime) -> None:
        """From now on the job's calls count against this night's scope, with this priority, until ``closes_at``."""
        ...

    def leave_night(self, job_id: str, who: str, at: datetime) -> None:
        """A person lets the job go on outside of every window: no night pays for it, and none ends its calls.

        A job that works in no night is left alone.
        """
        ...

    def park_job(self, job_id: str, why: str, at: datetime) -> None:
        """Note that the job waits for its shift's next window; the journal says so."""
        ...

    def unpark_job(self, job_id: str, who: str, at: datetime) -> None:
        """It goes on, in a new window or by a person's word. A job that is not parked is left alone."""
        ...

    def parked_jobs(self, shift: str) -> Sequence[ParkedJob]:
        """The shift's jobs that are parked and have not ended, the longest parked first."""
        ...

    def accepted_before(self, spec_id: str, repository: str) -> str:
        """The last job of this very text in this repository that was accepted, whatever its base; empty if none was."""
        ...

    def expectation(self, repository: str, task: str, since: datetime) -> Expectation:
        """What jobs submitted since then say of such work."""
        ...

    def night_sums(self, night_id: str) -> NightSums:
        """What the night has come to so far."""
        ...
