"""The ledger's port for events: each delivery once and for good, and the decision that it ended in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from pydantic import Field

from thirdshift.core.frozen import Frozen


class Event(Frozen):
    """What a machine told us, made small. Every text in it is hostile."""

    source: str
    """``github``, ``gitlab``, ``sarif``, ``sentry`` or ``generic``, or the name of a source in the configuration."""
    delivery: str
    """The sender's own id of the delivery; the same one twice is one event."""
    kind: str
    """Such as ``workflow_run.failed``, ``push``, ``issues.labeled``, ``pipeline.failed``, ``alert``, ``error``."""
    repository: str
    """As the sender names it, such as ``acme/shop``; the key of its ``Intake``."""
    fingerprint: str
    """Events with the same one are about the same thing."""
    title: str
    text: str = ""
    """What an agent may be shown, bounded and redacted."""
    facts: dict[str, str] = Field(default_factory=dict)
    """What rules match on: branch, commit, workflow, severity, label, url ..."""
    received_at: datetime


class Decided(StrEnum):
    """What became of an event."""

    JOB = "job"
    """A job was started for it."""
    SHIFT = "shift"
    """Its spec was added to a shift."""
    DUPLICATE = "duplicate"
    """Another event of the same fingerprint, in the same debounce window, stands for it; or its job is open still."""
    STORM = "storm"
    """Suppressed, because too many came at once."""
    CAPPED = "capped"
    """Its rule has had its day's share."""
    UNMATCHED = "unmatched"
    """No rule wants it."""
    OUTCOMES = "outcomes"
    """It was the occasion to look at what became of delivered work."""
    REFUSED = "refused"
    """A rule wants it, but its spec cannot be worked on; ``why`` says what to mend."""


class Decision(Frozen):
    """The decision on an event."""

    what: Decided
    why: str
    """One sentence, for a person."""
    rule: str = ""
    job_id: str = ""
    shift: str = ""
    at: datetime


class EventRecord(Frozen):
    """An event in the books; ``decision`` is None while it waits for its debounce window to end."""

    number: int
    event: Event
    decision: Decision | None = None


class EventBook(Protocol):
    """Events. Every method is one transaction and blocks."""

    def put_event(self, event: Event) -> tuple[int, bool]:
        """Keep an event: its number, and whether it is new. The same source and delivery twice is one event."""
        ...

    def put_events(self, told: Sequence[Event]) -> Sequence[tuple[int, bool]]:
        """Keep several, all in one transaction; in the order given, what ``put_event`` says of each."""
        ...

    def event(self, number: int) -> EventRecord:
        """The event, or KeyError."""
        ...

    def events(self, limit: int, *, undecided: bool = False, repository: str | None = None) -> Sequence[EventRecord]:
        """The newest first."""
        ...

    def undecided(self, repository: str, fingerprint: str, limit: int, *, after: int = 0) -> Sequence[EventRecord]:
        """The events of a fingerprint that wait for a decision, oldest first, with numbers beyond ``after``."""
        ...

    def newest_undecided(self, limit: int) -> Sequence[EventRecord]:
        """The newest undecided event of each repository that has one; of so many repositories."""
        ...

    def count_undecided(self, repository: str, fingerprint: str) -> int:
        """How many of them wait."""
        ...

    def decide_event(self, number: int, decision: Decision) -> bool:
        """Note the decision on one event; False where it has one, which stays."""
        ...

    def decide_rest(self, repository: str, fingerprint: str, up_to: int, decision: Decision) -> int:
        """Note one decision on every undecided event of a fingerprint with a number up to this; how many there were."""
        ...

    def decided_since(self, rule: str, what: Sequence[Decided], since: datetime) -> int:
        """How many events of a rule ended so since then: for its cap."""
        ...

    def received_since(self, repository: str, since: datetime) -> int:
        """How many events of a repository came since then: for storms."""
        ...

    def fingerprints_between(self, repository: str, since: datetime, until: datetime, rule: str) -> int:
        """How many different fingerprints a repository's events had that came in this time, its ends included.

        Events that another rule, or none, has decided on do not count; undecided ones do.
        """
        ...

    def last_worked_on(self, repository: str, fingerprint: str) -> EventRecord | None:
        """The event of a fingerprint for which a job was last started, or a spec queued; None if there is none."""
        ...

    def last_job_for(self, repository: str, fingerprint: str) -> str:
        """The job that was last started for, or a spec queued for, a fingerprint; empty if none was."""
        ...
