"""What people can do to work that runs, the same for a ``Job`` and a ``Loop``, from the UI and from a terminal.

Every input is taken as it was typed and read by our own rules, so that a refusal says what to do. An update whose
answer begins with ``RECORDED.`` is in the workflow's history; nothing else proves it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.common import RawValue
from temporalio.exceptions import ActivityError

from thirdshift import gate_signatures
from thirdshift.core.calls import ScopeKind
from thirdshift.core.gate_answers import read_decision
from thirdshift.core.gate_memory import PeopleMemory
from thirdshift.core.gates import Decision, GateTerms
from thirdshift.core.money import parse_usd
from thirdshift.core.nights import NightWindow
from thirdshift.core.spec import GateKind
from thirdshift.core.steering import Order, Words, read_order, read_raise
from thirdshift.core.text import one_line
from workflows import options
from workflows.gate import GateDesk
from workflows.halting import Brake, Told, unless
from workflows.hearing import Hearing
from workflows.payloads import NOTHING, refused, typed
from workflows.windows import OpenHours

STEERING_TIME = timedelta(minutes=10)
"""How long the ledger is tried for. What a person did holds without it; only the journal would not have it."""


class Attended:
    """The updates of a workflow that people attend to. Subclasses say where words go and who else is told."""

    def __init__(
        self,
        job_id: str,
        terms: GateTerms,
        gates: tuple[GateKind, ...],
        people: PeopleMemory,
        window: NightWindow | None,
    ) -> None:
        self._job_id = job_id
        self._terms = terms
        self._gated_budget = GateKind.BUDGET in gates
        self._desk = GateDesk(job_id, terms, people.gates)
        self._hours = OpenHours(window)
        self._brake = Brake(people, self._hours, self)
        self._hearing = Hearing(self._say, people.unheard)

    def _people(self) -> PeopleMemory:
        return PeopleMemory(
            gates=self._desk.memory(),
            paused_by=self._brake.paused_by,
            stop_asked=self._brake.stop_asked,
            halted_for=self._brake.halted_for,
            unheard=self._hearing.unheard,
        )

    async def _take_words(self, words: Words) -> None:
        """Bring the words to the next model call."""
        raise NotImplementedError

    async def _pass_on(self, order: Order) -> None:
        """Tell whoever works for this workflow."""

    def _parked(self) -> bool:
        """Whether this workflow, or the one that works for it, is parked."""
        return bool(self._brake.parked)

    # --- Windows ------------------------------------------------------------------------------------

    async def tell(self, state: Told) -> None:
        """Tell whoever waits to hear of it that the work is in this state now."""
        raise NotImplementedError

    async def parks(self, why: str) -> None:
        """Note in the ledger that the job is parked: the next night looks there for work to go on with.

        It is tried for as long as the work is parked, because a job that is in no book is woken by nobody.
        """
        noting = workflow.start_activity(
            gate_signatures.rest_job,
            gate_signatures.RestJob(job_id=self._job_id, why=f"waits for {why}"),
            start_to_close_timeout=options.LEDGER_WORK,
            retry_policy=options.REST_RETRY,
        )
        await self.tell("parked")
        await unless(self._brake.awake, noting)

    async def wakes(self) -> None:
        """Note that it goes on. Where the ledger cannot be written, it goes on all the same."""
        given = gate_signatures.WakeJob(job_id=self._job_id, who=self._hours.opened_by, outside=self._hours.outside)
        await self._noted(gate_signatures.wake_job, given)
        await self.tell("running")

    # --- Gates --------------------------------------------------------------------------------------

    @workflow.update(description="Answer the open gate: paste the answer block from the details.")
    def decide(self, given: RawValue = NOTHING) -> str:
        """Approve, rework or reject; see ``core.gates.Decision`` for the fields."""
        decision = read_decision(typed(given))
        if isinstance(decision, str):
            raise refused(decision)
        return self._desk.decide(decision)

    @decide.validator
    def _check_decision(self, given: RawValue = NOTHING) -> None:
        decision: Decision | str = read_decision(typed(given))
        if refusal := self._desk.refusal(decision):
            raise refused(refusal)

    # --- Steering -----------------------------------------------------------------------------------

    @workflow.update(description='Pause at the next step. Input: your name, like "ada".')
    async def pause(self, given: RawValue = NOTHING) -> str:
        """Hold at the next step boundary, until ``resume``."""
        order = _accepted(read_order("pause", typed(given)))
        self._brake.paused_by = order.who
        return await self._carry_out(order, "It pauses at the next step.")

    @pause.validator
    def _check_pause(self, given: RawValue = NOTHING) -> None:
        _accepted(read_order("pause", typed(given)))
        if self._brake.paused_by:
            raise refused(
                f"NOT RECORDED. It is paused already, by {one_line(self._brake.paused_by)}. Use `resume` to go on."
            )

    @workflow.update(description='Go on after a pause. Input: your name, like "ada".')
    async def resume(self, given: RawValue = NOTHING) -> str:
        """Go on after ``pause``; parked, go on without waiting for the next window."""
        order = _accepted(read_order("resume", typed(given)))
        if self._brake.paused_by:
            self._brake.paused_by = ""
            rests = "It is paused no more, and parked: `resume` once more lets it go on now, outside of its window."
            return await self._carry_out(order, rests if self._parked() else "It goes on.")
        self._hours.lift(order.who)
        return await self._carry_out(order, "It goes on now, outside of its window, and in no night's budget.")

    @resume.validator
    def _check_resume(self, given: RawValue = NOTHING) -> None:
        _accepted(read_order("resume", typed(given)))
        if not self._brake.paused_by and not self._parked():
            raise refused("NOT RECORDED. It is not paused here, nor parked. Look at `status` for what it waits for.")

    @workflow.update(description='Tell the model something. Input: {"who": "ada", "text": "use the other library"}.')
    async def steer(self, given: RawValue = NOTHING) -> str:
        """Bring a person's words into the next model call."""
        order = _accepted(read_order("steer", typed(given)))
        done = await self._carry_out(order, "The next model call has these words.")
        await self._take_words(Words(text=order.text, who=order.who))
        return done

    @steer.validator
    def _check_steer(self, given: RawValue = NOTHING) -> None:
        _accepted(read_order("steer", typed(given)))

    @workflow.update(description='Raise the job\'s cap. Input: {"usd": "0.50", "reviewer": "ada"}.')
    async def raise_budget(self, given: RawValue = NOTHING) -> str:
        """Raise the job's own cap by an amount, for good. The ledger writes it into the journal."""
        order = _accepted(read_raise(typed(given), self._terms, self._gated_budget))
        info = workflow.current_update_info()
        raised = await self._raise_cap(
            f"{workflow.info().workflow_id}/{info.id if info else ''}",
            f"{ScopeKind.JOB} {self._job_id}",
            parse_usd(order.text),
            order.who,
        )
        if not raised:
            raise refused(
                "NOT RECORDED. The ledger cannot be written now. Look at `thirdshift doctor`, then try again."
            )
        return f"RECORDED. {one_line(order.who)} raised the job's cap by ${order.text}."

    @raise_budget.validator
    def _check_raise(self, given: RawValue = NOTHING) -> None:
        _accepted(read_raise(typed(given), self._terms, self._gated_budget))
        gate = self._desk.open
        if gate and gate.kind is GateKind.BUDGET:
            raise refused(
                f"NOT RECORDED. Gate {gate.seq} asks about this budget. Answer it: `decide`, with `approve` and `usd`."
            )

    async def _raise_cap(self, raise_id: str, scope: str, usd_nano: int, reviewer: str) -> bool:
        kind, _, key = scope.partition(" ")
        given = gate_signatures.RaiseBudget(
            raise_id=raise_id, kind=ScopeKind(kind), key=key, usd_nano=usd_nano, reviewer=reviewer
        )
        return await self._noted(gate_signatures.raise_budget, given)

    async def _carry_out(self, order: Order, what: str) -> str:
        """Pass the order on and write it into the journal; who gave it, and when, is kept there."""
        await self._pass_on(order)
        noted = await self._note(order.what, order.who, order.text)
        return f"RECORDED. {what}" + ("" if noted else " (The ledger cannot be written now, so its journal lacks it.)")

    async def _note(self, what: str, who: str, text: str) -> bool:
        given = gate_signatures.Steered(job_id=self._job_id, what=what, who=who, text=text)
        return await self._noted(gate_signatures.note_steering, given)

    async def _say(self, number: int, words: Words) -> bool:
        """Append words to a conversation of this workflow."""
        return await self._noted(gate_signatures.say, gate_signatures.Say(n=number, words=words))

    async def _noted(self, activity: Callable[[Any], Awaitable[None]], given: object) -> bool:
        """Write something into the ledger; whether it could be."""
        try:
            await workflow.execute_activity(
                activity,
                given,
                start_to_close_timeout=options.LEDGER_WORK,
                schedule_to_close_timeout=STEERING_TIME,
                retry_policy=options.RETRY,
            )
        except ActivityError:
            return False
        return True


def _accepted(order: Order | str) -> Order:
    if isinstance(order, str):
        raise refused(order)
    return order
