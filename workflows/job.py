"""``Job``: one run of one spec. It plans, runs a ``Loop`` for each packet in order, and delivers what passed."""

from __future__ import annotations

import asyncio
from typing import NoReturn

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError, ChildWorkflowError

from thirdshift import signatures
from thirdshift.core.after_gate import with_rework
from thirdshift.core.frozen import Frozen
from thirdshift.core.gates import GateEnd
from thirdshift.core.history import LoopPolicy, StopReason
from thirdshift.core.nights import NightWindow
from thirdshift.core.packets import policy_for_the_rest
from thirdshift.core.spec import GateKind
from thirdshift.core.steering import Halt, Order, Words
from thirdshift.signatures import (
    JobInput,
    JobMemory,
    JobResult,
    LoopMemory,
    LoopResult,
    PacketDone,
    PacketInput,
    Standing,
)
from workflows import options
from workflows.attended import Attended
from workflows.attributes import show_end, show_opening, show_state
from workflows.child_loop import ChildLoop
from workflows.delivering import deliver
from workflows.endings import broken, merge_question, nothing_more
from workflows.gate import Answered, Question
from workflows.halting import Told
from workflows.loop import Loop
from workflows.planning import Planning
from workflows.reporting import NightReport


class JobStatus(Frozen):
    """Answer to the query ``status``."""

    state: str
    packet: str
    packets_done: tuple[str, ...]
    stop_asked: str | None
    cost_nano: int
    paused_by: str
    gate: int | None
    """Number of the gate that is open here; a loop's own gate is in the loop's status."""
    waits_for: str = ""
    """What a parked job waits for, in words."""


@workflow.defn(name="Job")
class Job(Attended):
    """The parent of a spec's loops. Packets follow one another, each from the tree of the one before it."""

    @workflow.init
    def __init__(self, given: JobInput) -> None:
        memory = given.memory or JobMemory()
        window = given.memory.window if given.memory else given.window
        super().__init__(workflow.info().workflow_id, given.terms, given.policy.gates, memory.people, window)
        self._given = given
        self._state = "queued"
        self._packet = ""
        self._planning = Planning(given, memory, self._brake, self._say)
        self._done = list(memory.done)
        self._result = memory.result
        self._loop_ended_at = memory.loop_ended_at
        self._approved_tree = memory.approved_tree
        self._loop = ChildLoop(self._job_id, given, self._brake, self._hearing)
        self._report = NightReport(self._job_id, self._hours)

    @workflow.run
    async def run(self, given: JobInput) -> JobResult:
        """Plan, run every packet's loop, deliver."""
        show_opening(given.repository, given.task, given.risk)
        watch = asyncio.create_task(self._hours.watch())
        try:
            await self.tell("running")
            result = await self._worked()
        finally:
            watch.cancel()
        await self._report.ended(result.stop)
        await workflow.wait_condition(workflow.all_handlers_finished)
        return result

    async def _worked(self) -> JobResult:
        given = self._given
        try:
            result = await self._plan() or await self._packets()
            result = await self._reviewed(result)
        except (ActivityError, ChildWorkflowError) as failure:
            result = broken(given, failure, self._result)
        except asyncio.CancelledError:
            # Somebody cancelled the workflow itself; what was reached is kept all the same.
            result = self._nothing_more(
                StopReason.STOPPED_BY_PERSON, "The job was cancelled in Temporal.", self._result
            )
        if result.stop is StopReason.ACCEPTED:
            await self._brake.hold()
        self._state = "delivering"
        result, delivered = await deliver(given, result, self._ask, self._brake)
        finished = await workflow.execute_activity(
            signatures.finish_job,
            signatures.FinishJob(
                stop=result.stop,
                evidence=result.evidence,
                best=result.best,
                verified=result.verified,
                delivered=delivered,
            ),
            task_queue=signatures.DELIVERY_QUEUE,
            start_to_close_timeout=options.TOOLS,
            heartbeat_timeout=options.HEARTBEAT,
            retry_policy=options.RETRY,
        )
        cost_nano = finished.cost_nano
        if finished.stop is not None:
            result = result.model_copy(update={"stop": finished.stop, "evidence": finished.evidence})
        self._state = "accepted" if result.stop is StopReason.ACCEPTED else "stopped"
        self._desk.finish(f"The job ended: {result.stop}.")
        show_end(result.stop, cost_nano)
        return JobResult(
            stop=result.stop,
            evidence=result.evidence,
            branch=finished.branch,
            commit=finished.commit,
            tree=result.best.tree,
            cost_nano=cost_nano,
        )

    @workflow.signal
    async def stop_loop(self, reason: str) -> None:
        """Stop the job: its loop's running call or command is cancelled, and the best tree is kept."""
        self._brake.stop(reason)
        await self._loop.tell(Loop.stop_loop, self._brake.stop_asked)

    @workflow.signal
    async def halt(self, given: Halt) -> None:
        """Stop for a reason that is not a person's: a night's circuit breaker."""
        self._brake.stop(given.words, given.reason)
        await self._loop.tell(Loop.halt, given)

    @workflow.signal
    async def window_opens(self, given: NightWindow) -> None:
        """Keep to this window from now on; what is parked goes on."""
        self._hours.open(given)
        if self._loop.parked and not self._hours.why_rest():
            self._loop.state = "running"
        await self._loop.tell(Loop.window_opens, given)
        await self._report.to_new_night()

    @workflow.signal
    async def loop_is(self, state: Told) -> None:
        """What the loop that works for this job is doing."""
        if "parked" in (state, self._loop.state) and state != self._loop.state:
            show_state("parked" if state == "parked" else "running")
        self._loop.state = state
        await self.tell(state)

    @workflow.query
    def status(self) -> JobStatus:
        """Where the job is; money and checks are in the ledger."""
        gate = self._desk.open
        return JobStatus(
            state="paused" if self._brake.paused_by else "parked" if self._parked() else self._state,
            packet=self._packet,
            packets_done=tuple(packet.packet for packet in self._done),
            stop_asked=self._brake.stop_asked,
            cost_nano=sum(packet.cost_nano for packet in self._done),
            paused_by=self._brake.paused_by,
            gate=gate.seq if gate else None,
            waits_for=self._hours.awaited() if self._parked() else "",
        )

    @workflow.query
    def history(self) -> list[PacketDone]:
        """Every loop that has ended."""
        return self._done

    async def tell(self, state: Told) -> None:
        """Tell the night that the job works in."""
        await self._report.now(state)

    def _parked(self) -> bool:
        return bool(self._brake.parked) or self._loop.parked

    async def _pass_on(self, order: Order) -> None:
        if order.what != "steer":
            await self._loop.tell(Loop.told, order)

    async def _take_words(self, words: Words) -> None:
        if not await self._loop.bring(words):
            self._hearing.keep(words)

    async def _plan(self) -> LoopResult | None:
        """Make the plan, and have it approved where a gate asks for that; a result where the job ends with it."""
        planning = self._planning
        self._state = "planning" if self._given.plan_rung else "running"
        await planning.begin()
        while (
            GateKind.PLAN in self._given.policy.gates
            and not planning.approved
            and not planning.out_of_time
            and not self._brake.stopped()
        ):
            answer = await self._ask(
                Question(
                    kind=GateKind.PLAN,
                    tree=self._given.base.tree,
                    reason="This is the plan." if self._given.plan_rung else "No plan is made for this spec.",
                    may_rework=self._given.plan_rung is not None,
                )
            )
            match answer.end:
                case GateEnd.APPROVED:
                    planning.approved = True
                case GateEnd.REWORK:
                    self._state = "planning"
                    await planning.again(Words(text=answer.note, who=answer.who))
                case GateEnd.REJECTED | GateEnd.EXPIRED:
                    return self._nothing_more(StopReason.REJECTED, answer.evidence(), None)
                case GateEnd.WITHDRAWN:
                    break
        if planning.out_of_time:
            seconds = self._given.policy.max_wall_seconds
            return self._nothing_more(StopReason.WALL_CLOCK, f"No plan was made within {seconds:.0f} s.", None)
        return None

    async def _packets(self) -> LoopResult:
        """Every packet in order; the first one that is not accepted ends the job."""
        result = self._result
        start = result.best if result else self._given.resume_from or self._given.base
        for packet in self._given.packets[len(self._done) :]:
            await self._brake.clearance()
            if self._brake.stop_asked is not None:
                return self._nothing_more(self._brake.stop_reason, self._brake.stop_asked, result)
            policy = self._policy_now()
            if isinstance(policy, StopReason):
                done = ", ".join(one.packet for one in self._done)
                return self._nothing_more(policy, f"The packets before {packet.id} ({done}) used it up.", result)
            result = await self._loop_of(packet, start, policy)
            if result.stop is not StopReason.ACCEPTED:
                return result
            start = result.best
        if result is None:
            raise ApplicationError("a job without packets was started", non_retryable=True)
        return result

    async def _reviewed(self, result: LoopResult) -> LoopResult:
        """The merge gate: nothing is delivered that a person has not seen, and what is sent back is worked on."""
        gated = GateKind.MERGE in self._given.policy.gates
        while result.stop is StopReason.ACCEPTED and gated and result.best.tree != self._approved_tree:
            memory = result.memory
            answer = await self._ask(merge_question(self._given, result, len(self._done)))
            match answer.end:
                case GateEnd.APPROVED:
                    self._approved_tree = result.best.tree
                    return result
                case GateEnd.WITHDRAWN:
                    stop, why = self._brake.stop_reason, self._brake.stop_asked or ""
                    return result.model_copy(update={"stop": stop, "evidence": why})
                case GateEnd.REWORK if memory is not None:
                    self._hearing.keep(Words(text=answer.note, who=answer.who))
                    result = await self._worked_on(memory, answer.seq)
                case _:
                    return result.model_copy(update={"stop": StopReason.REJECTED, "evidence": answer.evidence()})
        return result

    async def _worked_on(self, memory: LoopMemory, gate: int) -> LoopResult:
        """Run the last packet's loop on, with the note of the gate for its next attempt."""
        waited = (workflow.now() - (self._loop_ended_at or workflow.now())).total_seconds()
        history = with_rework(memory.history, str(gate), waited)
        self._done.pop()
        packet = self._given.packets[len(self._done)]
        policy = self._policy_now()
        if isinstance(policy, StopReason):
            policy = self._given.policy
        return await self._loop_of(packet, memory.start, policy, memory.model_copy(update={"history": history}))

    def _policy_now(self) -> LoopPolicy | StopReason:
        """The limits that the packets so far have left, or the one that they have reached."""
        seconds = sum(packet.seconds for packet in self._done)
        return policy_for_the_rest(
            self._given.policy,
            sum(packet.attempts for packet in self._done),
            sum(packet.steps for packet in self._done),
            seconds,
        )

    async def _ask(self, question: Question) -> Answered:
        state, self._state = self._state, "waiting"
        await self.tell("waiting")
        try:
            answer = await self._desk.ask(question, self._brake.stopped, self._continue_as_new)
        finally:
            self._state = state
        await self.tell("running")
        return answer

    async def _loop_of(
        self, packet: PacketInput, start: Standing, policy: LoopPolicy, memory: LoopMemory | None = None
    ) -> LoopResult:
        began = workflow.now()
        self._state, self._packet = "running", packet.id
        result = await self._loop.run(packet, start, policy, memory)
        self._result, self._loop_ended_at = result, workflow.now()
        self._done.append(
            PacketDone(
                packet=packet.id,
                stop=result.stop,
                evidence=result.evidence,
                attempts=result.attempts,
                steps=result.steps,
                cost_nano=result.cost_nano,
                seconds=max(0.0, (workflow.now() - began).total_seconds() - result.waited_seconds),
            )
        )
        for words in result.unheard:
            self._hearing.keep(words)
        return result

    def _nothing_more(self, stop: StopReason, evidence: str, last: LoopResult | None) -> LoopResult:
        return nothing_more(self._given, stop, evidence, last)

    def _continue_as_new(self) -> NoReturn:
        memory = JobMemory(
            begun=self._planning.begun,
            plan_calls=self._planning.calls,
            plan_approved=self._planning.approved,
            done=tuple(self._done),
            result=self._result,
            loop_ended_at=self._loop_ended_at,
            people=self._people(),
            window=self._hours.window,
            approved_tree=self._approved_tree,
        )
        workflow.continue_as_new(self._given.model_copy(update={"memory": memory}))
