"""What became of delivered work, told from git: accepted, edited, rejected or reverted. Pure.

An outcome is an event: it happened in a commit at a time, and a later one does not erase it. Where a job stands is
what the events come to. Lines are compared without white space, and blank ones do not count.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol

from thirdshift.core.delivery import Delivered
from thirdshift.core.frozen import Frozen
from thirdshift.core.money import format_usd
from thirdshift.core.views import Spend

WHOLE: Final = 1000
"""Shares are in thousandths."""


class OutcomeKind(StrEnum):
    """What can happen to delivered work."""

    ACCEPTED = "accepted"
    EDITED = "edited"
    """Lines of it were changed before it was merged, or soon after."""
    REJECTED = "rejected"
    """Its branch is gone, or its pull request closed, and it was not merged."""
    REVERTED = "reverted"


class Outcome(Frozen):
    """One event. The same kind in the same commit is one event, however often it is found."""

    job_id: str
    kind: OutcomeKind
    commit: str
    """Of the base branch; for a rejection, the delivered one."""
    share: int = WHOLE
    """How much of the work it concerns, in thousandths of its lines."""
    how: str
    """What showed it: ancestor, patch, trailer, squash, similar; message, patch, lines; branch, request."""
    at: datetime


class OutcomePolicy(Frozen):
    """Where the lines are drawn."""

    edit_days: int = 14
    """A change of our lines so soon after the merge is an edit; later, it is how code lives."""
    undo_days: int = 90
    """A reversal that nothing but lines shows is looked for so long. One that says so has no limit."""
    partial: int = 250
    """A commit that takes back this much of the work is a reversal, even where it does not say so."""
    reverted: int = 500
    """Work of which this much was taken back is not accepted any more."""


class Landing(Frozen):
    """The commit by which the work came onto its base branch."""

    commit: str
    at: datetime
    how: str
    changed: int = 0
    """How much of the work was changed on the way, in thousandths."""


class Touch(Frozen):
    """A later commit of the base branch that meets the work. Shares are in thousandths of its lines."""

    commit: str
    at: datetime
    undone: int = 0
    """Our lines taken out with nothing in their place, and lines put back that we took out."""
    edited: int = 0
    """Our lines replaced by others, or taken out in small numbers."""
    says_revert: bool = False
    """Its message reverts the landing, in the words of ``git revert``."""
    reverses: bool = False
    """Its patch is ours, reversed."""


class Stretch(Frozen):
    """The work's life from one landing to its reversal, or until today."""

    landing: Landing
    touches: tuple[Touch, ...] = ()


class Trail(Frozen):
    """Everything that the history of the base branch shows of one job's work."""

    job_id: str
    delivered_commit: str
    stretches: tuple[Stretch, ...] = ()
    """More than one where the work was taken out and put in again."""
    withdrawn: str = ""
    """``branch`` or ``request`` where that is gone or closed; empty while it is there."""
    seen_at: datetime


def outcomes(trail: Trail, policy: OutcomePolicy) -> tuple[Outcome, ...]:
    """The events of a trail, oldest first."""
    found: list[Outcome] = []

    def note(kind: OutcomeKind, commit: str, at: datetime, how: str, share: int = WHOLE) -> None:
        found.append(Outcome(job_id=trail.job_id, kind=kind, commit=commit, share=share, how=how, at=at))

    for stretch in trail.stretches:
        landing = stretch.landing
        note(OutcomeKind.ACCEPTED, landing.commit, landing.at, landing.how)
        if landing.changed:
            note(OutcomeKind.EDITED, landing.commit, landing.at, "before", landing.changed)
        for touch in stretch.touches:
            age = touch.at - landing.at
            if how := _reversal(touch, age, policy):
                note(OutcomeKind.REVERTED, touch.commit, touch.at, how, WHOLE if touch.reverses else touch.undone)
            elif touch.edited + touch.undone and age <= timedelta(days=policy.edit_days):
                note(OutcomeKind.EDITED, touch.commit, touch.at, "after", min(WHOLE, touch.edited + touch.undone))
    if not trail.stretches and trail.withdrawn:
        note(OutcomeKind.REJECTED, trail.delivered_commit, trail.seen_at, trail.withdrawn)
    return tuple(found)


def _reversal(touch: Touch, age: timedelta, policy: OutcomePolicy) -> str:
    """What shows that the commit takes the work back; empty where it does not."""
    if touch.reverses:
        return "patch"
    if touch.says_revert and touch.undone:
        return "message"
    recent = age <= timedelta(days=policy.undo_days)
    return "lines" if recent and touch.undone >= policy.partial and touch.undone >= touch.edited else ""


class OutcomeState(StrEnum):
    """Where delivered work stands."""

    PENDING = "pending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    REVERTED = "reverted"


class OutcomeView(Frozen):
    """What the events of a job come to."""

    job_id: str
    state: OutcomeState
    edited: bool = False
    reverted_share: int = 0
    """Of what was accepted last, in thousandths."""
    events: tuple[Outcome, ...] = ()


def outcome_view(job_id: str, events: Sequence[Outcome], policy: OutcomePolicy | None = None) -> OutcomeView:
    """Where the job stands: the last acceptance, rejection or reversal says, and reversals add up."""
    limit = (policy or OutcomePolicy()).reverted
    state, edited, share = OutcomeState.PENDING, False, 0
    for event in events:
        match event.kind:
            case OutcomeKind.ACCEPTED:
                state, share = OutcomeState.ACCEPTED, 0
            case OutcomeKind.REJECTED if state is OutcomeState.PENDING:
                state = OutcomeState.REJECTED
            case OutcomeKind.EDITED:
                edited = True
            case OutcomeKind.REVERTED:
                share = min(WHOLE, share + event.share)
                state = OutcomeState.REVERTED if share >= limit else state
            case _:
                pass
    return OutcomeView(job_id=job_id, state=state, edited=edited, reverted_share=share, events=tuple(events))


class OutcomeTotals(Frozen):
    """Outcomes over jobs, and what an accepted one cost."""

    pending: int = 0
    accepted: int = 0
    edited: int = 0
    """Of the accepted ones."""
    rejected: int = 0
    reverted: int = 0
    spend: Spend = Spend()
    """All of it, failures included, kinds apart."""

    @property
    def cost_per_accepted_nano(self) -> int | None:
        """All metered spend over what was accepted and not reverted; None where that is nothing."""
        return self.spend.settled_nano // self.accepted if self.accepted else None

    def cost_per_accepted_usd(self) -> str | None:
        """The same, as a decimal string."""
        nano = self.cost_per_accepted_nano
        return None if nano is None else format_usd(nano)


def totals(views: Sequence[OutcomeView], spend: Spend) -> OutcomeTotals:
    """Count them. ``spend`` is that of all jobs, delivered or not."""
    count = {state: sum(view.state is state for view in views) for state in OutcomeState}
    return OutcomeTotals(
        pending=count[OutcomeState.PENDING],
        accepted=count[OutcomeState.ACCEPTED],
        edited=sum(view.edited for view in views if view.state is OutcomeState.ACCEPTED),
        rejected=count[OutcomeState.REJECTED],
        reverted=count[OutcomeState.REVERTED],
        spend=spend,
    )


class DeliveryRow(Frozen):
    """A delivery as the ledger keeps it: one for each run of a job that delivered."""

    job_id: str
    run_id: str
    repository: str
    base_commit: str
    delivered: Delivered
    at: datetime


class OutcomeBooks(Protocol):
    """Deliveries and what became of them. Every method is one transaction, and blocks."""

    def put_delivery(self, row: DeliveryRow) -> bool:
        """Keep a delivery and tell it in the journal; False if this run's was there already."""
        ...

    def delivery_of(self, job_id: str) -> DeliveryRow | None:
        """The newest delivery of a job, one that came to nothing included."""
        ...

    def list_deliveries(self) -> tuple[DeliveryRow, ...]:
        """The newest delivery of every job, the oldest first."""
        ...

    def put_outcomes(self, found: Sequence[Outcome], source: str, seen_at: datetime) -> tuple[Outcome, ...]:
        """Append those that are new, and tell them in the journal; which they were."""
        ...

    def outcomes_of(self, job_id: str) -> tuple[Outcome, ...]:
        """The events of a job, in the order in which they happened."""
        ...

    def outcome_totals(self) -> OutcomeTotals:
        """The counts over all jobs, and what was spent on all of them."""
        ...
