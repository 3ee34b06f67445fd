"""The durable wait for a person's decision. It holds no worker slot, and lives through restarts and new runs.

What may be answered, and when a gate is decided, is ``core.gates``; this shows the gate, waits, and records.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import NoReturn

from temporalio import workflow
from temporalio.common import RawValue, RetryPolicy
from temporalio.exceptions import FailureError

from thirdshift import gate_signatures, signatures
from thirdshift.core.frozen import Frozen
from thirdshift.core.gate_answers import read_name, validate
from thirdshift.core.gate_details import closed_details, gate_details
from thirdshift.core.gate_facts import GateFacts
from thirdshift.core.gate_memory import LOG_LINES, GateMemory
from thirdshift.core.gates import (
    Alarm,
    Decision,
    GateAnswer,
    GateEnd,
    GateState,
    GateTerms,
    GateVerdict,
    OnExpiry,
    after_alarm,
    answered,
    log_line,
    next_alarm,
    outcome,
)
from thirdshift.core.spec import GateKind
from workflows import options
from workflows.attributes import show_gate, show_no_gate
from workflows.payloads import NOTHING, refused, typed

NOTICE_TRIES = RetryPolicy(maximum_attempts=4)
NOTICE_TIME = timedelta(minutes=10)


class Question(Frozen):
    """What is asked, and about which tree."""

    kind: GateKind
    tree: str
    reason: str
    verdict: int | None = None
    may_rework: bool = True


class Answered(Frozen):
    """How a gate closed."""

    seq: int
    kind: GateKind
    end: GateEnd
    answers: tuple[GateAnswer, ...]
    raised_nano: int = 0

    @property
    def who(self) -> str:
        """Whose answer was the last; empty where time or a stop closed the gate."""
        return self.answers[-1].reviewer if self.answers else ""

    @property
    def note(self) -> str:
        """The note of the answer that decided."""
        return self.answers[-1].note if self.answers else ""

    def evidence(self) -> str:
        """One sentence for the stop that a gate without approval leads to."""
        if self.end is GateEnd.EXPIRED:
            return f"Nobody answered gate {self.seq} ({self.kind}) before its deadline."
        return f"{self.who} rejected gate {self.seq} ({self.kind}): {self.note}"[:1000]


class GateDesk:
    """The gates of one workflow: one is open at a time."""

    def __init__(self, job_id: str, terms: GateTerms, memory: GateMemory) -> None:
        self._job_id = job_id
        self._terms = terms
        self._open = memory.open
        self._facts = memory.facts
        self._recorded = memory.recorded
        self._log = memory.log

    @property
    def open(self) -> GateState | None:
        """The gate that waits for an answer."""
        return self._open

    def memory(self) -> GateMemory:
        """All of it, for a new run of the workflow."""
        return GateMemory(open=self._open, facts=self._facts, recorded=self._recorded, log=self._log)

    def refusal(self, given: Decision | str) -> str | None:
        """Why it cannot be recorded; None if it can."""
        return given if isinstance(given, str) else validate(given, self._open, self._terms)

    def decide(self, decision: Decision) -> str:
        """Record a decision that was not refused; what the reviewer reads then."""
        if self._open is None:
            raise RuntimeError("an answer was let pass while no gate is open")
        self._open = answered(self._open, decision, workflow.now())
        line = log_line(self._open, self._open.answers[-1])
        self._log = (*self._log, line)[-LOG_LINES:]
        self._show()
        end = outcome(self._open, self._terms)
        return f"RECORDED. {line}. " + (f"Gate {self._open.seq}: {end}." if end else "More answers are needed.")

    async def ask(self, question: Question, withdrawn: Callable[[], bool], renew: Callable[[], NoReturn]) -> Answered:
        """Open a gate, or go on with the one that a former run opened on the same question, and wait for its end.

        ``withdrawn`` tells that the answer is no longer wanted; ``renew`` continues the workflow as new.
        """
        if not self._goes_on(question):
            await self._begin(question)
        state = self._state()
        self._offer(state)
        self._show()
        show_gate(state, self._asked())
        try:
            end = await self._wait(withdrawn, renew)
        finally:
            self._take_back(state)
        return self._close(end)

    def _goes_on(self, question: Question) -> bool:
        return self._open is not None and (self._open.kind, self._open.tree) == (question.kind, question.tree)

    def _state(self) -> GateState:
        if self._open is None:
            raise RuntimeError("no gate is open")
        return self._open

    def _asked(self) -> tuple[str, ...]:
        escalated = self._open is not None and self._open.escalated
        return (*self._terms.reviewers, *(self._terms.escalate_to if escalated else ()))

    async def _begin(self, question: Question) -> None:
        opened = await workflow.execute_activity(
            gate_signatures.open_gate,
            gate_signatures.OpenGate(
                job_id=self._job_id,
                kind=question.kind,
                tree=question.tree,
                reason=question.reason,
                verdict=question.verdict,
                reviewers=self._terms.reviewers,
            ),
            task_queue=signatures.HOSTS_QUEUE,
            start_to_close_timeout=options.LEDGER_WORK,
            retry_policy=options.RETRY,
        )
        self._facts, self._recorded = opened.facts, 0
        self._open = GateState(
            seq=opened.seq,
            kind=question.kind,
            tree=question.tree,
            since=workflow.now(),
            reason=question.reason,
            may_rework=question.may_rework,
        )
        self._tell("opened", self._terms.reviewers)

    async def _wait(self, withdrawn: Callable[[], bool], renew: Callable[[], NoReturn]) -> GateEnd:
        while True:
            alarm = next_alarm(self._state(), self._terms)
            left = max(timedelta(0), alarm[0] - workflow.now()) if alarm else None
            try:
                await workflow.wait_condition(lambda: self._news() or withdrawn() or _too_long(), timeout=left)
            except TimeoutError:
                # An answer that came in the same moment was told that it is recorded, so it goes first.
                if alarm and outcome(self._state(), self._terms) is None:
                    self._ring(alarm[1])
            end = outcome(self._state(), self._terms) or (GateEnd.WITHDRAWN if withdrawn() else None)
            if end:
                # From here on no further answer is let pass, also while this one is being written down.
                self._open = self._state().model_copy(update={"end": end})
            if end or self._news():
                await self._record(end)
            if end:
                return end
            if _too_long():
                await workflow.wait_condition(workflow.all_handlers_finished)
                renew()

    def _news(self) -> bool:
        state = self._state()
        return len(state.answers) > self._recorded or state.end is not None

    def _ring(self, alarm: Alarm) -> None:
        self._open = after_alarm(self._state(), self._terms, alarm, workflow.now())
        match alarm:
            case Alarm.REMIND:
                self._tell("reminder", self._asked())
            case Alarm.ESCALATE:
                self._note("nobody answered in time; asking others too")
                self._tell("escalated", self._terms.escalate_to)
                show_gate(self._state(), self._asked())
            case Alarm.EXPIRE:
                rejects = self._terms.on_expiry is OnExpiry.REJECT
                self._note("nobody answered in time; " + ("rejected" if rejects else "parked"))
                self._tell("expired" if rejects else "parked", self._asked())
                show_gate(self._state(), self._asked())
        self._show()

    async def _record(self, end: GateEnd | None) -> None:
        state = self._state()
        await workflow.execute_activity(
            gate_signatures.decide_gate,
            gate_signatures.DecideGate(
                job_id=self._job_id, seq=state.seq, answers=state.answers[self._recorded :], end=end
            ),
            start_to_close_timeout=options.LEDGER_WORK,
            retry_policy=options.RETRY,
        )
        self._recorded = len(state.answers)

    def _close(self, end: GateEnd) -> Answered:
        state = self._state()
        if end is GateEnd.WITHDRAWN:
            self._note("withdrawn: no answer is needed any more")
        self._open, self._facts = None, GateFacts()
        show_no_gate()
        self._show()
        return Answered(seq=state.seq, kind=state.kind, end=end, answers=state.answers, raised_nano=state.raised_nano())

    def finish(self, how: str) -> None:
        """Show how the workflow ended, where there was ever a gate."""
        if self._log:
            workflow.set_current_details(closed_details(how, self._log))

    def _note(self, text: str) -> None:
        state = self._state()
        line = f"{workflow.now():%Y-%m-%d %H:%M} g{state.seq} {state.kind} {text}"
        self._log = (*self._log, line)[-LOG_LINES:]

    def _show(self) -> None:
        if self._open is None:
            workflow.set_current_details(closed_details("The work goes on.", self._log))
        else:
            workflow.set_current_details(gate_details(self._open, self._terms, self._facts, self._log))

    def _tell(self, what: gate_signatures.Occasion, to: tuple[str, ...]) -> None:
        """Send a notice beside the wait. Whatever becomes of it, the gate is as open as before."""
        if not self._terms.notify:
            return
        state = self._state()
        notice = gate_signatures.Notice(job_id=self._job_id, seq=state.seq, kind=state.kind, what=what, to=to)
        self._sending = asyncio.create_task(_send(notice))

    def _offer(self, state: GateState) -> None:
        """Register the update that approves this gate alone."""
        name = state.approve_name
        if name is None:
            return

        def decision(given: RawValue) -> Decision:
            return Decision(
                gate=state.seq, verdict=GateVerdict.APPROVE, tree=state.tree, reviewer=read_name(typed(given))
            )

        def check(given: RawValue = NOTHING) -> None:
            if refusal := self.refusal(decision(given)):
                raise refused(refusal)

        def approve(given: RawValue = NOTHING) -> str:
            return self.decide(decision(given))

        workflow.set_update_handler(name, approve, validator=check)

    def _take_back(self, state: GateState) -> None:
        if state.approve_name:
            workflow.set_update_handler(state.approve_name, None)


def _too_long() -> bool:
    """Whether the run's history has grown so long, by reminders or steering, that a new run should wait on."""
    return workflow.info().is_continue_as_new_suggested()


async def _send(notice: gate_signatures.Notice) -> None:
    try:
        await workflow.execute_activity(
            gate_signatures.notify,
            notice,
            task_queue=signatures.DELIVERY_QUEUE,
            start_to_close_timeout=options.LEDGER_WORK,
            schedule_to_close_timeout=NOTICE_TIME,
            retry_policy=NOTICE_TRIES,
        )
    except FailureError as failure:
        workflow.logger.warning("nobody could be told of gate %d: %s", notice.seq, failure.cause or failure)
