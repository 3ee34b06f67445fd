"""Gates in the books: every one that was opened, every answer to it, and how it ended."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, Protocol

from thirdshift.core.frozen import Frozen
from thirdshift.core.gates import GateAnswer, GateEnd, GateVerdict
from thirdshift.core.spec import GateKind


class GateOpening(Frozen):
    """A gate about to be opened. ``open_key`` names the opening itself, so that a retry opens nothing twice."""

    open_key: str
    job_id: str
    owner_id: str
    """The workflow that waits: the job or one of its loops."""
    kind: GateKind
    tree: str
    reason: str
    reviewers: tuple[str, ...]
    opened_at: datetime


class GateRecord(Frozen):
    """A gate as it stands in the books."""

    job_id: str
    seq: int
    owner_id: str
    kind: GateKind
    tree: str
    reason: str
    reviewers: tuple[str, ...]
    opened_at: datetime
    end: GateEnd | None
    closed_at: datetime | None
    answers: tuple[AnswerRecord, ...] = ()


class AnswerRecord(Frozen):
    """An answer in the books. ``claimed``: the reviewer named themselves; ``verified``: the server knew who it was."""

    answer: GateAnswer
    identity: Literal["claimed", "verified"] = "claimed"


def verified_reviewers(gates: Sequence[GateRecord], tree: str) -> tuple[str, ...]:
    """Who approved that tree for its merge and is known to the server, each once; claims are not among them."""
    names = [
        given.answer.reviewer
        for gate in gates
        if gate.kind is GateKind.MERGE and gate.tree == tree
        for given in gate.answers
        if given.identity == "verified" and given.answer.verdict is GateVerdict.APPROVE
    ]
    return tuple(dict.fromkeys(names))


class GateBook(Protocol):
    """The part of the books that knows of gates. Each method is one transaction and blocks."""

    def open_gate(self, opening: GateOpening) -> int:
        """Keep a gate; its number, counted through all gates of its job. KeyError if there is no such job."""
        ...

    def decide_gate(
        self, job_id: str, seq: int, answers: Sequence[GateAnswer], end: GateEnd | None, at: datetime
    ) -> None:
        """Keep answers, and how the gate ended if it did; each once. KeyError if there is no such gate."""
        ...

    def gates(self, job_id: str | None = None, *, only_open: bool = False) -> tuple[GateRecord, ...]:
        """Gates of a job, or of all, oldest first, with their answers."""
        ...


GateRecord.model_rebuild()
