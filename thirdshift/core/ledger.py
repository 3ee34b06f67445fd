"""The ledger's port: calls and their money, conversations, attempts, verdicts and outcomes.

Every method is one transaction and blocks; callers on an event loop use a thread. Identifiers: a job and a
loop are named by their workflow ids; an attempt by its loop and number, where attempt 0 of a *job* is its plan.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from pydantic import Field

from thirdshift.core.calls import (
    Answered as Answered,
)
from thirdshift.core.calls import (
    CallKey as CallKey,
)
from thirdshift.core.calls import (
    CallOpening as CallOpening,
)
from thirdshift.core.calls import (
    CallRow as CallRow,
)
from thirdshift.core.calls import (
    CallState as CallState,
)
from thirdshift.core.calls import (
    DoesNotFit as DoesNotFit,
)
from thirdshift.core.calls import (
    Held as Held,
)
from thirdshift.core.calls import (
    MustWait as MustWait,
)
from thirdshift.core.calls import (
    Raise as Raise,
)
from thirdshift.core.calls import (
    Role as Role,
)
from thirdshift.core.calls import (
    Scope as Scope,
)
from thirdshift.core.calls import (
    ScopeKind as ScopeKind,
)
from thirdshift.core.conversation import Message
from thirdshift.core.frozen import Frozen
from thirdshift.core.history import AttemptEnd, ReasonCode, StopReason
from thirdshift.core.job_row import JobRow as JobRow
from thirdshift.core.journal import JournalEntry as JournalEntry
from thirdshift.core.ladder import Rung
from thirdshift.core.ports import ModelAnswer, ToolSpec
from thirdshift.core.rates import Rates
from thirdshift.core.usage import Usage
from thirdshift.core.verdict import Verdict


class LoopRow(Frozen):
    """A loop as it is opened: which packet, judged by which checks (ids in the order written)."""

    loop_id: str
    job_id: str
    packet: str
    base_tree: str
    checks: tuple[str, ...]
    opened_at: datetime


class AttemptRow(Frozen):
    """An attempt as it is opened. ``owner_id`` is the loop, or the job for its plan (number 0)."""

    owner_id: str
    job_id: str
    number: int
    role: Role
    rung: Rung
    reason: ReasonCode
    start_tree: str
    start_commit: str
    host: str
    opened_at: datetime
    system: str
    tools: tuple[ToolSpec, ...]
    opening: tuple[Message, ...]
    """The messages that the conversation begins with."""


class Conversation(Frozen):
    """What the next call sends: the attempt it belongs to and every message so far."""

    attempt: AttemptRow
    messages: tuple[Message, ...]
    last_usage: Usage | None
    """Of the last settled call of this conversation."""
    bytes_since_usage: int
    """UTF-8 bytes appended to the conversation since the request which ``last_usage`` reports."""
    steps: int
    """Model calls answered so far."""
    recent_outputs: tuple[int, ...] = ()
    """Output tokens of the last few answers, the newest first."""


class ToolRun(Frozen):
    """The stored outcome of one step's tools: used again, not run again, when the step is retried."""

    call_id: int
    results: Message
    tree: str
    commit: str
    changed: bool
    signature: str
    """Hash of the calls and their results."""
    seconds: float
    finished: bool = False


class AttemptClosing(Frozen):
    """How an attempt ended."""

    owner_id: str
    number: int
    end: AttemptEnd
    evidence: str
    verdict_id: int | None
    closed_at: datetime


class JobClosing(Frozen):
    """How a job ended."""

    job_id: str
    stop_reason: StopReason
    evidence: str
    branch: str
    commit: str
    tree: str
    remedy: str
    """The one command that goes on from here; empty when accepted."""
    closed_at: datetime


class SpecDoc(Frozen):
    """A spec's text and the held-out files that came with it, kept by content: ``id`` is their SHA-256."""

    id: str
    text: str
    holdout: dict[str, str] = Field(default_factory=dict)
    """Relative path to base64 content."""


class Ledger(Protocol):
    """The books. See the module's first lines for how identifiers are formed."""

    def put_spec(self, doc: SpecDoc) -> None:
        """Keep a spec; the same id twice is no error."""
        ...

    def get_spec(self, spec_id: str) -> SpecDoc:
        """The spec, or KeyError."""
        ...

    def open_job(self, row: JobRow) -> bool:
        """Keep a job; False if it was there already (its newest submission time is noted, nothing else)."""
        ...

    def open_loop(self, row: LoopRow) -> None:
        """Keep a loop; the same one twice is no error."""
        ...

    def open_attempt(self, row: AttemptRow) -> None:
        """Keep an attempt and the opening of its conversation; the same number twice is no error."""
        ...

    def read_job(self, job_id: str) -> JobRow:
        """The job, or KeyError."""
        ...

    def read_loop(self, loop_id: str) -> LoopRow:
        """The loop, or KeyError."""
        ...

    def standing(self, owner_id: str, number: int) -> tuple[int, str, str]:
        """Last call whose tools ran in this conversation (0 if none), and the tree and commit it stands on."""
        ...

    def commit_of(self, job_id: str, tree: str) -> str | None:
        """The hub commit that carries a tree which one of the job's steps left; None if no step did."""
        ...

    def accepted_packets(self, job_id: str) -> tuple[str, ...]:
        """The job's packets whose newest attempt is closed with a verdict that passed."""
        ...

    def conversation(self, owner_id: str, number: int, before_step: int | None = None) -> Conversation:
        """The conversation so far: opening, answers and tool results in order. KeyError if there is none.

        With ``before_step``, only what the request for that step carries: a step that is asked for again, after a
        retry or a reset, so builds the same request as before.
        """
        ...

    def say(self, owner_id: str, number: int, message: Message, who: str) -> None:
        """Append a turn that is neither an answer nor tool results: a nudge, or a person's words.

        The same words by the same one after the same step are one turn, so that a retry says nothing twice.
        """
        ...

    def put_rates(self, snapshot: str, rates: Rates, source: str, at: datetime) -> None:
        """Keep a price list under its hash; the same one twice is no error."""
        ...

    def place_hold(self, opening: CallOpening) -> Held | Answered | DoesNotFit | MustWait:
        """One transaction: find this call's own past, else set its hold aside in every scope.

        A step whose answer the conversation has is ``Answered``, whatever its key and request: a conversation has
        one answer for each step, so another one would be paid for nothing. A call still held under the same
        workflow, run and activity but an earlier attempt becomes ``unknown``. Only a call that ``may_wait`` is told
        to (``MustWait``).
        """
        ...

    def settle(self, call_id: int, answer: ModelAnswer, cost_nano: int, seconds: float, at: datetime) -> int:
        """One transaction: store the answer, replace the hold by the true cost in every scope.

        A call that is already settled keeps what it has. Returns the call whose answer stands in the conversation:
        this one, unless another call answered the same step before it. Go on with that one.
        """
        ...

    def settle_unused(self, call_id: int, answer: ModelAnswer, cost_nano: int, seconds: float, at: datetime) -> None:
        """Charge an answer that the conversation is not to have: it was cut off, and is asked for again."""
        ...

    def keep_unpriced(self, call_id: int, answer: ModelAnswer, why: str, seconds: float, at: datetime) -> int:
        """Store an answer whose cost is not known: the call is ``unknown`` and its hold stays charged.

        Returns the call whose answer stands, as ``settle`` does.
        """
        ...

    def mark_unknown(self, call_id: int, why: str, at: datetime) -> None:
        """It may have been billed and there is no answer: the hold stays charged."""
        ...

    def release(self, call_id: int, why: str, at: datetime) -> None:
        """It was certainly not billed: the hold is given back."""
        ...

    def raise_limit(self, by: Raise) -> int:
        """Add to a scope's limit, for good and for every process; the sum of its raises so far, in nano-dollars."""
        ...

    def answer(self, call_id: int) -> ModelAnswer:
        """The stored answer, or KeyError."""
        ...

    def call(self, call_id: int) -> CallRow:
        """The call, or KeyError."""
        ...

    def tool_run(self, call_id: int) -> ToolRun | None:
        """The stored outcome of the tools which that call asked for."""
        ...

    def put_tool_run(self, run: ToolRun, at: datetime) -> None:
        """Store it; a second one for the same call is ignored."""
        ...

    def put_plan(self, job_id: str, plan_json: str, at: datetime) -> None:
        """Keep the job's plan."""
        ...

    def get_plan(self, job_id: str) -> str | None:
        """The job's plan as JSON."""
        ...

    def put_verdict(self, owner_id: str, number: int, verdict: Verdict, at: datetime) -> int:
        """Keep a verdict; its number. The same owner, attempt and tree twice gives the first one's number."""
        ...

    def get_verdict(self, verdict_id: int) -> Verdict:
        """The verdict, or KeyError."""
        ...

    def find_verdict(self, owner_id: str, number: int, tree: str) -> Verdict | None:
        """The verdict of an attempt on a tree, None if there is none yet."""
        ...

    def attempt_cost_nano(self, owner_id: str, number: int) -> int:
        """What the attempt's calls cost so far, held and unknown ones at their holds."""
        ...

    def job_cost_nano(self, job_id: str) -> int:
        """What the job's calls cost so far, held and unknown ones at their holds."""
        ...

    def close_attempt(self, closing: AttemptClosing) -> int:
        """Note how the attempt ended; its cost in nano-dollars."""
        ...

    def close_job(self, closing: JobClosing) -> None:
        """Note how the job ended; a later closing (after a resume) replaces it and keeps the old in the journal."""
        ...

    def reopen_job(self, job_id: str, who: str, at: datetime) -> None:
        """A stopped job goes on: it has no end any more. How it ended before stays in the journal.

        The tree, commit and branch that it had stay as they are until it ends again.
        """
        ...

    def journal(self, job_id: str, after_seq: int) -> Sequence[JournalEntry]:
        """Entries newer than ``after_seq``, oldest first."""
        ...

    def note(
        self,
        job_id: str,
        kind: str,
        text: str,
        data: dict[str, str | int | float | bool | None],
        at: datetime,
    ) -> None:
        """Add a journal entry by itself."""
        ...
