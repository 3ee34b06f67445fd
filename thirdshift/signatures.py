"""Typed activity stubs: the seam between workflows and activities.

Workflows call these; ``activities`` implements them under the same names and types. Inputs and results are
references and numbers only, never text of a conversation: the workflow's id, which every activity can read,
names the loop (or the job, for its plan), the attempt's number names the conversation, and the ledger has the
rest. That keeps Temporal's history at well under 2 KB for each activity, whatever a model wrote.
"""

from __future__ import annotations

from datetime import datetime

from temporalio import activity

from thirdshift.core.delivery import Delivered
from thirdshift.core.frozen import Frozen
from thirdshift.core.history import AttemptEnd, ReasonCode, StopReason
from thirdshift.core.ladder import Rung
from thirdshift.core.verdict import VerdictBrief
from thirdshift.workflow_inputs import JobInput as JobInput
from thirdshift.workflow_inputs import JobMemory as JobMemory
from thirdshift.workflow_inputs import JobResult as JobResult
from thirdshift.workflow_inputs import LoopInput as LoopInput
from thirdshift.workflow_inputs import LoopMemory as LoopMemory
from thirdshift.workflow_inputs import LoopResult as LoopResult
from thirdshift.workflow_inputs import PacketDone as PacketDone
from thirdshift.workflow_inputs import PacketInput as PacketInput
from thirdshift.workflow_inputs import Standing as Standing

WORKFLOW_QUEUE = "thirdshift"
"""Workflows, and the activities that need only the ledger."""
HOSTS_QUEUE = "thirdshift-hosts"
"""Any machine that can hold a workspace."""
DELIVERY_QUEUE = "thirdshift-delivery"
"""Whatever speaks with others in a person's name: it has credentials for git, forges and notices, and runs no code."""


def model_queue(provider: str) -> str:
    """The queue of one provider's calls; its rate limit holds for all workers together."""
    return f"thirdshift-model-{provider}"


def host_queue(host: str) -> str:
    """The queue of the one machine that has a loop's workspace."""
    return f"thirdshift-host-{host}"


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
    """A ``FaultKind`` that stays, ``refusal`` ..., ``budget``, or ``window``: that is over, and nothing was sent."""
    note: str = ""
    """What a person should read about the fault; at most 300 characters."""
    scope: str = ""
    """With the fault ``budget``: the scope that has no room, ``kind key``."""
    back_at: datetime | None = None
    """With a provider's fault: when it said that it can be asked again; None where it said nothing."""


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
