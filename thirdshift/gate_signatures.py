"""Typed stubs of the activities through which people are asked and heard; see ``thirdshift.signatures``.

Their payloads are bounded too, with one exception: what a gate shows has to reach the workflow, because only a
workflow can set its Current Details. That is at most 6 kB, once for each gate.
"""

from __future__ import annotations

from typing import Literal

from temporalio import activity

from thirdshift.core.calls import ScopeKind
from thirdshift.core.frozen import Frozen
from thirdshift.core.gate_facts import GateFacts
from thirdshift.core.gates import GateAnswer, GateEnd
from thirdshift.core.spec import GateKind
from thirdshift.core.steering import Words

Occasion = Literal["opened", "reminder", "escalated", "parked", "expired"]


class OpenGate(Frozen):
    """Record that a gate opens, and gather what it shows."""

    job_id: str
    kind: GateKind
    tree: str
    reason: str = ""
    verdict: int | None = None
    """The ledger's number of the verdict on the tree, where it was judged."""
    reviewers: tuple[str, ...] = ()


class GateOpened(Frozen):
    """The gate's number, counted through all gates of a job, and what it shows."""

    seq: int
    facts: GateFacts


class DecideGate(Frozen):
    """Record answers to a gate, and how it ended if it did. The same twice is recorded once."""

    job_id: str
    seq: int
    answers: tuple[GateAnswer, ...]
    end: GateEnd | None


class Notice(Frozen):
    """Tell people that a gate waits for them, with the link to it."""

    job_id: str
    seq: int
    kind: GateKind
    what: Occasion
    to: tuple[str, ...]
    """Names of reviewers; empty: whoever is configured to hear of every gate."""


class Say(Frozen):
    """Append a person's words to a conversation of this workflow."""

    n: int
    """The attempt's number; 0 is a job's plan."""
    words: Words


class Steered(Frozen):
    """Note in the journal what a person did to work that runs."""

    job_id: str
    what: str
    """``pause``, ``resume``, ``steer``, ``stop``."""
    who: str
    text: str = ""


class RestJob(Frozen):
    """Note that a job waits for the next window of its shift."""

    job_id: str
    why: str


class WakeJob(Frozen):
    """Note that a job that was parked goes on."""

    job_id: str
    who: str
    """The night that it goes on in, or the person who would not wait for one."""
    outside: bool = False
    """Whether a person lets it go on outside of every window, and so in no night."""


class RaiseBudget(Frozen):
    """Raise one cap. ``raise_id`` names the raise, so that a retry raises nothing twice."""

    raise_id: str
    kind: ScopeKind
    key: str
    usd_nano: int
    reviewer: str


@activity.defn
async def open_gate(given: OpenGate) -> GateOpened:
    """See ``activities.gating``."""
    raise NotImplementedError("a signature, implemented in activities")


@activity.defn
async def decide_gate(given: DecideGate) -> None:
    """See ``activities.gating``."""
    raise NotImplementedError("a signature, implemented in activities")


@activity.defn
async def notify(given: Notice) -> None:
    """See ``activities.gating``."""
    raise NotImplementedError("a signature, implemented in activities")


@activity.defn
async def say(given: Say) -> None:
    """See ``activities.steering``."""
    raise NotImplementedError("a signature, implemented in activities")


@activity.defn
async def note_steering(given: Steered) -> None:
    """See ``activities.steering``."""
    raise NotImplementedError("a signature, implemented in activities")


@activity.defn
async def rest_job(given: RestJob) -> None:
    """See ``activities.steering``."""
    raise NotImplementedError("a signature, implemented in activities")


@activity.defn
async def wake_job(given: WakeJob) -> None:
    """See ``activities.steering``."""
    raise NotImplementedError("a signature, implemented in activities")


@activity.defn
async def raise_budget(given: RaiseBudget) -> None:
    """See ``activities.steering``."""
    raise NotImplementedError("a signature, implemented in activities")
