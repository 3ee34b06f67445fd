"""``Loop``: plan-code-test-retry for one packet. What to do next is decided in ``core.loop``; this applies it."""

from __future__ import annotations

import asyncio
import contextlib
from typing import NoReturn

from temporalio import workflow
from temporalio.exceptions import ActivityError

from thirdshift.core.after_gate import with_another_try, with_approval, with_more_money
from thirdshift.core.calls import ScopeKind
from thirdshift.core.frozen import Frozen
from thirdshift.core.gates import GateEnd
from thirdshift.core.history import Accept, Attempt, Gate, LoopHistory, Park, Stop, StopReason
from thirdshift.core.loop import best_tree, next_move
from thirdshift.core.nights import NightWindow
from thirdshift.core.outages import Patience, attempts_that_count
from thirdshift.core.progress import best_verdict, is_judged, last_is_honest
from thirdshift.core.progress import judged as judged_attempts
from thirdshift.core.spec import GateKind
from thirdshift.core.steering import Halt, Order, Words
from thirdshift.signatures import LoopInput, LoopMemory, LoopResult, Standing
from workflows.attempt import AttemptRun, Course, judged
from workflows.attended import Attended
from workflows.attributes import show_end, show_opening, show_tier
from workflows.clock import WorkClock
from workflows.gate import Answered, Question
from workflows.halting import Told, reason_of
from workflows.hosting import Hosting
from workflows.telling import told_outside

NOT_RAISABLE = (ScopeKind.CALL, ScopeKind.ATTEMPT)
"""Caps on one call or one attempt are terms of the configuration; raising one would help nothing that comes after."""


class LoopStatus(Frozen):
    """Answer to the query ``status``."""

    attempt: int
    step: int
    tier: str
    model: str
    doing: str
    tree: str
    cost_nano: int
    stop_asked: str | None
    paused_by: str
    gate: int | None
    """Number of the gate that is open."""
    waits_for: str = ""
    """What it waits for that is no person, in words: the next window, a provider."""


@workflow.defn(name="Loop")
class Loop(Attended):
    """One packet's cycle. Its whole memory is a ``LoopHistory``; everything else is in the three stores."""

    @workflow.init
    def __init__(self, given: LoopInput) -> None:
        super().__init__(given.job_id, given.terms, given.policy.gates, given.people, given.window)
        self._given = given
        self._policy = given.policy
        self._history = given.history or LoopHistory(started_at=workflow.now())
        self._clock = WorkClock(
            self._history.started_at,
            given.policy.max_wall_seconds,
            given.policy.window_closes_at,
            self._history.waited_seconds,
        )
        self._brake.clock = self._clock
        self._hosting = Hosting(given)
        self._commits = {given.start.tree: given.start.commit, **given.commits}
        self._short_of = given.short_of
        self._attempt: AttemptRun | None = None
        self._doing = "starting"
        self._waits_for = ""

    @workflow.run
    async def run(self, given: LoopInput) -> LoopResult:
        """Attempt until accepted or stopped."""
        show_opening(given.repository, given.task, given.risk)
        watches = [asyncio.create_task(self._clock.watch()), asyncio.create_task(self._hours.watch())]
        brake = self._brake
        try:
            if not self._hosting.queue:
                await brake.through(lambda: self._hosting.claim(brake.cut), brake.stopped)
            if self._history.baseline is None and not self._brake.stopped():
                self._doing = "verifying"
                baseline = await judged(self._hosting, brake, 0, given.start.tree)
                self._history = self._history.model_copy(update={"baseline": baseline})
            result = self._ended(await self._until_decided())
        except ActivityError as failure:
            result = self._ended(self._stop_for(failure))
        finally:
            for watch in watches:
                watch.cancel()
        await workflow.wait_condition(workflow.all_handlers_finished)
        return result

    @workflow.signal
    def stop_loop(self, reason: str) -> None:
        """Stop now: a running call or command is cancelled, and the best tree is kept."""
        self._brake.stop(reason)

    @workflow.signal
    def halt(self, given: Halt) -> None:
        """Stop now, for a reason that is not a person's."""
        self._brake.stop(given.words, given.reason)

    @workflow.signal
    async def window_opens(self, given: NightWindow) -> None:
        """Keep to this window from now on; parked work goes on, unless nothing may be begun in this one either."""
        self._hours.open(given)
        if self._brake.parked and self._hours.why_rest():
            await self.tell("parked")

    @workflow.signal
    async def told(self, order: Order) -> None:
        """An order to the job that is this loop's to carry out; the job has noted it."""
        match order.what:
            case "pause":
                self._brake.paused_by = order.who
            case "resume" if self._brake.paused_by:
                self._brake.paused_by = ""
            case "resume":
                self._hours.lift(order.who)
            case "steer":
                await self._take_words(Words(text=order.text, who=order.who))

    @workflow.query
    def status(self) -> LoopStatus:
        """Where the loop is."""
        attempt = self._attempt
        gate = self._desk.open
        return LoopStatus(
            attempt=attempt.number if attempt else 0,
            step=attempt.step if attempt else 0,
            tier=attempt.rung.tier if attempt else "",
            model=attempt.rung.model if attempt else "",
            doing=attempt.doing if attempt and self._doing == "attempting" else self._doing,
            tree=attempt.standing.tree if attempt else self._given.start.tree,
            cost_nano=self._history.cost_nano,
            stop_asked=self._brake.stop_asked,
            paused_by=self._brake.paused_by,
            gate=gate.seq if gate else None,
            waits_for=self._brake.parked or self._waits_for,
        )

    @workflow.query
    def history(self) -> LoopHistory:
        """Every attempt so far."""
        return self._history

    async def tell(self, state: Told) -> None:
        """Tell the job, which tells the night."""
        parent = workflow.info().parent
        if self._hours.in_a_night and parent is not None:
            await told_outside(parent.workflow_id, "loop_is", state)

    async def _take_words(self, words: Words) -> None:
        if self._attempt and self._attempt.talking:
            await self._hearing.bring(self._attempt.number, words)
        else:
            self._hearing.keep(words)

    async def _until_decided(self) -> Accept | Stop:
        while True:
            await self._brake.hold()
            self._remember(
                stop_asked=self._brake.stop_asked,
                halted_for=self._brake.halted_for,
                waited_seconds=self._clock.waited_seconds,
            )
            patience = Patience(in_window=self._hours.in_a_night, jitter01=workflow.random().random())
            move = next_move(self._history, self._policy, workflow.now(), patience)
            match move:
                case Accept() | Stop():
                    return move
                case Attempt() if self._hours.why_rest():
                    await self._brake.rest()
                    continue
                case Attempt():
                    await self._make(move)
                case Gate():
                    if stop := await self._at_gate(move):
                        return stop
                case Park():
                    await self._await_provider(move)
            if workflow.info().is_continue_as_new_suggested():
                await workflow.wait_condition(workflow.all_handlers_finished)
                self._continue_as_new()

    async def _await_provider(self, move: Park) -> None:
        """Wait until a provider is due back, on a durable timer; a stop, a pause or the window's end ends that too.

        A wait that would reach beyond the window holds no place in it: the work parks, and the next night asks again.
        """
        window = self._hours.window
        if window is not None and move.until >= window.drains_at:
            self._hours.shut(move.reason)
            await self._brake.rest()
            return
        self._doing, self._waits_for, began = "waiting for a provider", move.reason, workflow.now()
        await self._note("away", move.reason.partition(" ")[0], move.reason)
        left = max(0.0, (move.until - workflow.now()).total_seconds())
        with self._clock.waiting(), contextlib.suppress(TimeoutError):
            await workflow.wait_condition(self._no_use_waiting, timeout=left)
        waited = (workflow.now() - began).total_seconds()
        self._remember(provider_waited_seconds=self._history.provider_waited_seconds + waited)
        self._doing, self._waits_for = "deciding", ""

    def _no_use_waiting(self) -> bool:
        return self._brake.stopped() or bool(self._brake.paused_by) or bool(self._hours.why_rest())

    async def _make(self, move: Attempt) -> None:
        number = self._given.attempts_before + len(self._history.attempts) + 1
        start = move.start_tree or self._given.start.tree
        before = self._attempt.rung if self._attempt else None
        course = Course(self._given.job_id, self._policy, self._hosting, self._brake, self._hearing)
        self._attempt = AttemptRun(course, number, move, Standing(tree=start, commit=self._commits[start]))
        if before is None or before.tier is not self._attempt.rung.tier:
            show_tier(self._attempt.rung.tier)
        seen = {attempt.number: attempt.verdict for attempt in self._history.attempts}
        evidence = seen.get(move.evidence_of or 0)
        self._doing = "attempting"
        record = await self._attempt.run(
            of=self._policy.max_attempts + len(self._history.granted) + self._given.attempts_before,
            evidence=evidence.id if evidence else None,
            baseline=self._history.baseline.id if self._history.baseline else None,
            steps_before=self._history.steps,
        )
        self._doing = "deciding"
        standing = self._attempt.standing
        self._commits[standing.tree] = standing.commit
        self._short_of = self._attempt.short_of
        self._remember(attempts=(*self._history.attempts, record))
        if self._attempt.failure is not None:
            raise self._attempt.failure

    async def _at_gate(self, move: Gate) -> Stop | None:
        """Ask a person; the stop that the answer is, or None to go on."""
        scope = self._short_of or f"{ScopeKind.JOB} {self._given.job_id}"
        if move.kind is GateKind.BUDGET and ScopeKind(scope.partition(" ")[0]) in NOT_RAISABLE:
            return Stop(reason=StopReason.BUDGET, evidence=move.reason)
        best = best_verdict(self._history)
        question = Question(
            kind=move.kind,
            tree=best_tree(self._history) or self._given.start.tree,
            reason=move.reason,
            verdict=best.id if best else None,
            may_rework=move.kind is GateKind.FRONTIER and bool(judged_attempts(self._history)),
        )
        self._doing = "waiting for a person"
        await self.tell("waiting")
        with self._clock.waiting():
            answer = await self._desk.ask(question, self._brake.stopped, self._continue_as_new)
        await self.tell("running")
        self._doing = "deciding"
        match answer.end:
            case GateEnd.REJECTED | GateEnd.EXPIRED:
                return Stop(reason=StopReason.REJECTED, evidence=answer.evidence())
            case GateEnd.REWORK:
                self._history = with_another_try(self._history)
                self._hearing.keep(Words(text=answer.note, who=answer.who))
            case GateEnd.APPROVED if move.kind is GateKind.BUDGET:
                return await self._raised(answer, scope, move.reason)
            case GateEnd.APPROVED:
                self._history = with_approval(self._history, move.kind)
        return None

    async def _raised(self, answer: Answered, scope: str, reason: str) -> Stop | None:
        raise_id = f"{self._given.job_id}/gate-{answer.seq}"
        if not await self._raise_cap(raise_id, scope, answer.raised_nano, answer.who):
            return Stop(reason=StopReason.BUDGET, evidence=f"The ledger could not be written to raise it. {reason}")
        self._history = with_more_money(self._history)
        return None

    def _stop_for(self, failure: ActivityError) -> Stop:
        """A refusal that is an answer ends the loop with its reason; anything else, as what it is."""
        reason, evidence = reason_of(failure)
        return Stop(reason=reason, evidence=evidence)

    def _ended(self, move: Accept | Stop) -> LoopResult:
        stop = StopReason.ACCEPTED if isinstance(move, Accept) else move.reason
        tree = move.tree if isinstance(move, Accept) else best_tree(self._history)
        here = self._attempt.standing if self._attempt and last_is_honest(self._history) else self._given.start
        best = Standing(tree=tree, commit=self._commits[tree]) if tree else here
        cost_nano = self._history.cost_nano
        memory = LoopMemory(
            start=self._given.start, history=self._history, commits=self._commits, queue=self._hosting.queue
        )
        self._doing = "ended"
        self._desk.finish(f"The loop ended: {stop}.")
        show_end(stop, cost_nano)
        return LoopResult(
            stop=stop,
            evidence="" if isinstance(move, Accept) else move.evidence,
            best=best,
            verified=is_judged(self._history, best.tree),
            attempts=attempts_that_count(self._history),
            steps=self._history.steps,
            cost_nano=cost_nano,
            waited_seconds=self._clock.waited_seconds,
            unheard=self._hearing.take_all(),
            memory=memory if GateKind.MERGE in self._policy.gates else None,
        )

    def _remember(self, **changes: object) -> None:
        self._history = self._history.model_copy(update=changes)

    def _continue_as_new(self) -> NoReturn:
        # What the clock has waited so far is kept; where a gate is open, the new run waits on.
        self._remember(waited_seconds=self._clock.waited_seconds)
        workflow.continue_as_new(
            self._given.model_copy(
                update={
                    "history": self._history,
                    "commits": self._commits,
                    "queue": self._hosting.queue,
                    "people": self._people(),
                    "short_of": self._short_of,
                    "window": self._hours.window,
                }
            )
        )
