"""What workflows are given and what they return: ``Job``, ``Loop``, and their memories when they continue as new."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from thirdshift.core.delivery import DeliveryTerms
from thirdshift.core.frozen import Frozen
from thirdshift.core.gate_memory import PeopleMemory
from thirdshift.core.gates import GateTerms
from thirdshift.core.history import LoopHistory, LoopPolicy, StopReason
from thirdshift.core.ladder import Rung
from thirdshift.core.nights import NightWindow
from thirdshift.core.steering import Words


class PacketInput(Frozen):
    """A packet: its id and the checks that judge it, those of the packets before it included."""

    id: str
    covers: tuple[str, ...]
    checks: tuple[str, ...]


class Standing(Frozen):
    """A tree and the hub commit that carries it."""

    tree: str
    commit: str


class JobInput(Frozen):
    """Everything a ``Job`` decides from. What it acts on is in the ledger under ``spec_id``."""

    spec_id: str
    title: str
    repository: str
    task: str
    risk: str
    base: Standing
    policy: LoopPolicy
    plan_rung: Rung | None
    packets: tuple[PacketInput, ...]
    run_number: int = 1
    """1 for the first run; a resumed job counts on."""
    resume_from: Standing | None = None
    """The best tree of the run before."""
    attempts_before: int = 0
    """Attempts of the runs before, so that numbers go on."""
    packets_before: int = 0
    """Packets that the runs before have done, and that are not among ``packets``."""
    terms: GateTerms = GateTerms()
    """Who is asked at the gates. Which gates there are is in ``policy.gates``."""
    delivery: DeliveryTerms = DeliveryTerms()
    window: NightWindow | None = None
    """The night that it works in; None where it may work at any time."""
    memory: JobMemory | None = None
    """Where the job continues as new."""


class LoopInput(Frozen):
    """A ``Loop``'s task, and its memory where it continues as new."""

    job_id: str
    packet: PacketInput
    title: str
    repository: str
    task: str
    risk: str
    start: Standing
    """Where the packet's work begins: the base, or the tree of the packet before it."""
    policy: LoopPolicy
    attempts_before: int = 0
    history: LoopHistory | None = None
    commits: dict[str, str] = Field(default_factory=dict)
    """The hub commit of each tree that an attempt ended on."""
    queue: str = ""
    """Of the host that holds the workspace."""
    terms: GateTerms = GateTerms()
    window: NightWindow | None = None
    people: PeopleMemory = PeopleMemory()
    short_of: str = ""
    """The scope that the last budget fault named, ``kind key``."""


class LoopMemory(Frozen):
    """What a loop that ended needs to go on, should a person send its tree back."""

    start: Standing
    history: LoopHistory
    commits: dict[str, str]
    queue: str


class LoopResult(Frozen):
    """How a loop ended, and the best tree that it has to show."""

    stop: StopReason
    evidence: str
    best: Standing
    verified: bool
    """Whether ``best`` was judged; false only where a loop was stopped before any verdict."""
    attempts: int
    steps: int
    cost_nano: int
    waited_seconds: float = 0.0
    """How long people were waited for, which no limit counts."""
    unheard: tuple[Words, ...] = ()
    """A person's words that no model has read yet."""
    memory: LoopMemory | None = None
    """Only where a merge gate stands between the loop and its delivery."""


class PacketDone(Frozen):
    """A loop that has ended."""

    packet: str
    stop: StopReason
    evidence: str
    attempts: int
    steps: int
    cost_nano: int
    seconds: float = 0.0
    """From its loop's start to its end, without the time that people were waited for."""


class JobMemory(Frozen):
    """How far a job that continues as new has come. It does so only at a gate, when no loop runs."""

    begun: bool = False
    plan_calls: int = 0
    plan_approved: bool = False
    done: tuple[PacketDone, ...] = ()
    result: LoopResult | None = None
    """Of the last loop."""
    approved_tree: str = ""
    """What a person approved at the merge gate, should the base have moved since and another gate be open."""
    loop_ended_at: datetime | None = None
    people: PeopleMemory = PeopleMemory()
    window: NightWindow | None = None
    """The night that it works in by now; windows change while a job lives."""


class JobResult(Frozen):
    """How a job ended and where its tree went."""

    stop: StopReason
    evidence: str
    branch: str
    commit: str
    tree: str
    cost_nano: int


JobInput.model_rebuild()
