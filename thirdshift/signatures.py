"""Typed activity stubs: the seam between workflows and activities.

Workflows call these; ``activities`` implements them under the same names and types. Inputs and results are
references and numbers only, never text of a conversation: the workflow's id, which every activity can read,
names the loop (or the job, for its plan), the attempt's number names the conversation, and the ledger has the
rest. That keeps Temporal's history at well under 2 KB for each activity, whatever a model wrote.
"""

from __future__ import annotations

from datetime import datetime

from pydantic import Field
from temporalio import activity

from thirdshift.core.delivery import Delivered, DeliveryTerms
from thirdshift.core.frozen import Frozen
from thirdshift.core.gate_memory import PeopleMemory
from thirdshift.core.gates import GateTerms
from thirdshift.core.history import AttemptEnd, LoopHistory, LoopPolicy, ReasonCode, StopReason
from thirdshift.core.ladder import Rung
from thirdshift.core.nights import NightWindow
from thirdshift.core.steering import Words
from thirdshift.core.verdict import VerdictBrief

WORKFLOW_QUEUE = "thirdshift"
"""Workflows, and the activities that need only the ledger."""
HOSTS_QUEUE = "thirdshift-hosts"
"""Any machine that can hold a workspace."""


def model_queue(provider: str) -> str:
    """The queue of one provider's calls; its rate limit holds for all workers together."""
    return f"thirdshift-model-{provider}"


def host_queue(host: str) -> str:
    """The queue of the one machine that has a loop's workspace."""
    return f"thirdshift-host-{host}"


# --- Workflows' inputs and results ------------------------------------------------------------------


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


# --- Activities' inputs and results -----------------------------------------------------------------


class BeginJob(Frozen):
    """Bring the base into the hub and, where there is a plan to make, open its conversation."""

    run: int
    """Which run of the job this is, from 1."""
    plan_rung: Rung | None


class OpenLoop(Frozen):
    """Claim a host for a loop."""

    job_id: str
    packet: str
    checks: tuple[str, ...]
    start: Standing


class LoopOpened(Frozen):
    """The queue of the host that claimed the loop."""

    queue: str


class OpenAttempt(Frozen):
    """Restore the best tree and open a fresh conversation on it."""

    job_id: str
    number: int
    of: int
    """How many attempts the policy allows."""
    rung: Rung
    reason: ReasonCode
    start: Standing
    verdict: int | None
    """The verdict whose evidence the attempt is given."""
    baseline: int | None = None
    """The verdict on the loop's start, told where there is no other."""


class AttemptOpened(Frozen):
    """The conversation is there; ``host`` is the machine that made the workspace."""

    host: str


class CallModel(Frozen):
    """The next call of an attempt's conversation."""

    n: int
    """The attempt's number."""
    s: int
    """The step, from 1."""


class ModelCalled(Frozen):
    """What came of a call."""

    call: int = 0
    """The ledger's number; 0 where nothing was sent or no answer came."""
    stop: str = ""
    """A ``StopKind``; empty where there is no answer."""
    fault: str = ""
    """A ``FaultKind`` that stays, ``refusal`` ..., or ``budget``."""
    note: str = ""
    """What a person should read about the fault; at most 300 characters."""
    scope: str = ""
    """With the fault ``budget``: the scope that has no room, ``kind key``."""


class RunTools(Frozen):
    """Run what the answer of this call asked for, on the tree that the conversation stands on."""

    n: int
    call: int


class ToolsRan(Frozen):
    """What the tools did to the tree."""

    tree: str
    commit: str = ""
    """The commit that carries ``tree``; empty where the step changed nothing."""
    sig: str
    """Hash of the calls and their results."""
    finished: bool = False


class Verify(Frozen):
    """Judge a tree. Number 0 is the baseline."""

    n: int
    tree: str


class CloseAttempt(Frozen):
    """Note how an attempt ended."""

    n: int
    end: AttemptEnd
    evidence: str
    verdict: int | None


class AttemptClosed(Frozen):
    """What the attempt cost, unknown calls at their holds."""

    cost_nano: int


class FinishJob(Frozen):
    """Deliver the accepted tree, or leave the best one on the unfinished branch; close the books."""

    stop: StopReason
    evidence: str
    best: Standing
    verified: bool
    delivered: Delivered | None = None
    """What a merge, a push or a pull request came to. A plain branch is still to be made."""


class JobFinished(Frozen):
    """Where the tree went, what it all cost, and how the job ended where delivery changed that."""

    branch: str
    commit: str
    cost_nano: int = 0
    stop: StopReason | None = None
    evidence: str = ""


@activity.defn
async def begin_job(given: BeginJob) -> None:
    """See ``activities.jobs``."""
    raise NotImplementedError("a signature, implemented in activities")


@activity.defn
async def keep_plan(given: ModelCalled) -> None:
    """See ``activities.jobs``: read the plan out of an answer and store it."""
    raise NotImplementedError("a signature, implemented in activities")


@activity.defn
async def open_loop(given: OpenLoop) -> LoopOpened:
    """See ``activities.attempts``."""
    raise NotImplementedError("a signature, implemented in activities")


@activity.defn
async def open_attempt(given: OpenAttempt) -> AttemptOpened:
    """See ``activities.attempts``."""
    raise NotImplementedError("a signature, implemented in activities")


@activity.defn
async def call_model(given: CallModel) -> ModelCalled:
    """See ``activities.model``."""
    raise NotImplementedError("a signature, implemented in activities")


@activity.defn
async def run_tools(given: RunTools) -> ToolsRan:
    """See ``activities.tools``."""
    raise NotImplementedError("a signature, implemented in activities")


@activity.defn
async def verify(given: Verify) -> VerdictBrief:
    """See ``activities.verification``."""
    raise NotImplementedError("a signature, implemented in activities")


@activity.defn
async def close_attempt(given: CloseAttempt) -> AttemptClosed:
    """See ``activities.attempts``."""
    raise NotImplementedError("a signature, implemented in activities")


@activity.defn
async def finish_job(given: FinishJob) -> JobFinished:
    """See ``activities.jobs``."""
    raise NotImplementedError("a signature, implemented in activities")


JobInput.model_rebuild()
