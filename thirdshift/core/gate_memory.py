"""What a workflow remembers of its gates when it continues as new."""

from __future__ import annotations

from thirdshift.core.frozen import Frozen
from thirdshift.core.gate_facts import GateFacts
from thirdshift.core.gates import GateState
from thirdshift.core.history import StopReason
from thirdshift.core.steering import Words

LOG_LINES = 60
"""Of the decision log in memory; the whole of it is in the ledger."""


class GateMemory(Frozen):
    """The gates so far, and the one that is open."""

    open: GateState | None = None
    facts: GateFacts = GateFacts()
    recorded: int = 0
    """Answers to the open gate that the ledger has."""
    log: tuple[str, ...] = ()


class PeopleMemory(Frozen):
    """What people have said that still holds: gates, a pause, and words that no model has read yet."""

    gates: GateMemory = GateMemory()
    paused_by: str = ""
    stop_asked: str | None = None
    halted_for: StopReason | None = None
    """With ``stop_asked``: why, where it was not a person who asked."""
    unheard: tuple[Words, ...] = ()
