"""``Loop``: plan-code-test-retry for one packet. What to do next is decided in ``core.loop``; this applies it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

from temporalio import workflow
from temporalio.exceptions import ActivityError
from thirdshift.core.detectors import attempt_should_end
from thirdshift.core.loop import best_tree, next_move

from thirdshift import signatures
from thirdshift.core.frozen import Frozen
from thirdshift.core.history import (
    Accept,
    Attempt,
    AttemptEnd,
    AttemptRecord,
    LoopHistory,
    Stop,
    StopReason,
)
from thirdshift.core.ports import StopKind
from thirdshift.core.verdict import VerdictBrief
from thirdshift.signatures import LoopInput, LoopResult, Standing
from workflows import options
from workflows.attributes import show_end, show_opening, show_tier
from workflows.halting import host_is_lost, refusal_of, unless

Given = TypeVar("Given")
Result = TypeVar("Result")

NO_VERDICT = (AttemptEnd.PROVIDER, AttemptEnd.STOPPED)
"""Ends after which there is nothing to judge: no work was finished, or nobody wants it."""


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


class StepsEnded(Frozen):
    """How the steps of one attempt came to their end."""

    end: AttemptEnd
    evidence: str
    steps: int


@workflow.defn(name="Loop")
class Loop:
    """One packet's cycle. Its whole memory is a ``LoopHistory``; everything else is in the three stores."""

    @workflow.init
    def __init__(self, given: LoopInput) -> None:
        self._given = given
        self._policy = given.policy
        self._history = given.history or LoopHistory(started_at=workflow.now())
        self._commits = {given.start.tree: given.start.commit, **given.commits}
        self._stop_asked: str | None = None
        self._out_of_time = False
        self._queue = given.queue
        self._at = given.start
        self._number = 0
        self._step = 0
        self._rung = ""
        self._doing = "starting"

    @workflow.run
    async def run(self, given: LoopInput) -> LoopResult:
        """Attempt until accepted or stopped."""
        show_opening(given.repository, given.task, given.risk)
        clock = asyncio.create_task(self._watch_the_clock())
        try:
            if not self._queue:
                await self._claim_host()
            if self._history.baseline is None and not self._stop_asked:
                self._history = self._history.model_copy(update={"baseline": await self._verify(0)})
            return self._ended(await self._until_decided())
        except ActivityError as failure:
            return self._ended(self._stop_for(failure))
        finally:
            clock.cancel()

    @workflow.signal
    def stop_loop(self, reason: str) -> None:
        """Stop now: a running call or command is cancelled, and the best tree is kept."""
        self._stop_asked = reason or "no reason given"

    @workflow.query
    def status(self) -> LoopStatus:
        """Where the loop is."""
        return LoopStatus(
            attempt=self._number,
            step=self._step,
            tier=self._rung.partition(" ")[0],
            model=self._rung.partition(" ")[2],
            doing=self._doing,
            tree=self._at.tree,
            cost_nano=self._history.cost_nano,
            stop_asked=self._stop_asked,
        )

    @workflow.query
    def history(self) -> LoopHistory:
        """Every attempt so far."""
        return self._history

    async def _until_decided(self) -> Accept | Stop:
        while True:
            history = self._history.model_copy(update={"stop_asked": self._stop_asked})
            move = next_move(history, self._policy, workflow.now())
            match move:
                case Accept() | Stop():
                    return move
                case Attempt():
                    await self._attempt(move)
                case _:
                    raise NotImplementedError(f"a loop that runs without a person was told to make a {move!r}")
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(self._memory())

    async def _attempt(self, move: Attempt) -> None:
        rung = self._policy.ladder.rungs[move.rung]
        self._number = self._given.attempts_before + len(self._history.attempts) + 1
        self._step = 0
        start = move.start_tree or self._given.start.tree
        self._at = Standing(tree=start, commit=self._commits[start])
        if self._rung != f"{rung.tier} {rung.model}":
            self._rung = f"{rung.tier} {rung.model}"
            show_tier(rung.tier)
        ended = await self._opened(move)
        verdict = None if ended.end in NO_VERDICT else await self._verify(self._number)
        if verdict is None and ended.end not in NO_VERDICT:
            ended = ended.model_copy(update={"end": AttemptEnd.STOPPED, "evidence": self._stop_asked or ""})
        self._commits[self._at.tree] = self._at.commit
        closed = await workflow.execute_activity(
            signatures.close_attempt,
            signatures.CloseAttempt(
                n=self._number, end=ended.end, evidence=ended.evidence, verdict=verdict.id if verdict else None
            ),
            start_to_close_timeout=options.LEDGER_WORK,
            retry_policy=options.RETRY,
        )
        record = AttemptRecord(
            number=self._number,
            rung=move.rung,
            reason=move.reason,
            end=ended.end,
            verdict=verdict,
            steps=ended.steps,
            cost_nano=closed.cost_nano,
            evidence=ended.evidence,
        )
        self._history = self._history.model_copy(update={"attempts": (*self._history.attempts, record)})

    async def _opened(self, move: Attempt) -> StepsEnded:
        self._doing = "opening"
        seen = {a.number: a.verdict for a in self._history.attempts}
        evidence = seen.get(move.evidence_of or 0)
        opened = await self._on_host(
            signatures.open_attempt,
            signatures.OpenAttempt(
                job_id=self._given.job_id,
                number=self._number,
                of=self._policy.max_attempts + self._given.attempts_before,
                rung=self._policy.ladder.rungs[move.rung],
                reason=move.reason,
                start=self._at,
                verdict=evidence.id if evidence else None,
                baseline=self._history.baseline.id if self._history.baseline else None,
            ),
            options.TOOLS,
        )
        if opened is None:
            return self._halt(0)
        return await self._steps(self._policy.ladder.rungs[move.rung].provider)

    async def _steps(self, provider: str) -> StepsEnded:
        seen: list[str] = []
        trees = [self._at.tree]
        while True:
            if self._halted():
                return self._halt(self._step)
            if self._history.steps + self._step >= self._policy.max_steps:
                return StepsEnded(end=AttemptEnd.MAX_STEPS, evidence="", steps=self._step)
            called = await self._call(provider)
            if called is None:
                return self._halt(self._step)
            if ended := self._fault(called):
                return ended
            self._step += 1
            ran = await self._tools(called.call)
            if ran is None:
                return self._halt(self._step)
            self._at = Standing(tree=ran.tree, commit=ran.commit) if ran.commit else self._at
            seen.append(ran.sig)
            trees.append(ran.tree)
            if ran.finished:
                return StepsEnded(end=AttemptEnd.FINISHED, evidence="", steps=self._step)
            if end := attempt_should_end(seen, trees, self._policy):
                return StepsEnded(end=end, evidence=f"seen after step {self._step}", steps=self._step)

    def _fault(self, called: signatures.ModelCalled) -> StepsEnded | None:
        ends = {"": None, "budget": AttemptEnd.BUDGET, "too_long": AttemptEnd.TOO_LONG}
        fault = "refusal" if called.stop == StopKind.REFUSAL else called.fault
        end = ends.get(fault, AttemptEnd.PROVIDER)
        if end is None:
            return None
        return StepsEnded(end=end, evidence=called.note or fault, steps=self._step)

    async def _call(self, provider: str) -> signatures.ModelCalled | None:
        self._doing = "waiting for the model"
        handle = workflow.start_activity(
            signatures.call_model,
            signatures.CallModel(n=self._number, s=self._step + 1),
            task_queue=signatures.model_queue(provider),
            start_to_close_timeout=options.CALL,
            heartbeat_timeout=options.HEARTBEAT,
            retry_policy=options.RETRY,
            cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
        )
        return await unless(self._halted, handle)

    async def _tools(self, call: int) -> signatures.ToolsRan | None:
        self._doing = "running tools"
        given = signatures.RunTools(n=self._number, call=call)
        return await self._on_host(signatures.run_tools, given, options.TOOLS)

    async def _verify(self, number: int) -> VerdictBrief | None:
        """Judge the tree that the loop stands on. Being out of time does not stop this: success goes first."""
        self._doing = "verifying"
        given = signatures.Verify(n=number, tree=self._at.tree)
        return await self._on_host(signatures.verify, given, options.VERIFY, lambda: self._stop_asked is not None)

    async def _on_host(
        self,
        do: Callable[[Given], Awaitable[Result]],
        given: Given,
        limit: timedelta,
        halted: Callable[[], bool] | None = None,
    ) -> Result | None:
        """Run on the host that has the workspace; if that is lost, on another one, from the hub."""
        while True:
            handle = workflow.start_activity(
                do,
                given,
                task_queue=self._queue,
                schedule_to_start_timeout=options.HOST_LOST,
                start_to_close_timeout=limit,
                heartbeat_timeout=options.HEARTBEAT,
                retry_policy=options.RETRY,
                cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
            )
            try:
                return await unless(halted or self._halted, handle)
            except ActivityError as failure:
                if not host_is_lost(failure):
                    raise
                await self._claim_host()

    async def _claim_host(self) -> None:
        opened = await workflow.execute_activity(
            signatures.open_loop,
            signatures.OpenLoop(
                job_id=self._given.job_id,
                packet=self._given.packet.id,
                checks=self._given.packet.checks,
                start=self._given.start,
            ),
            task_queue=signatures.HOSTS_QUEUE,
            start_to_close_timeout=options.LEDGER_WORK,
            retry_policy=options.RETRY,
        )
        self._queue = opened.queue

    async def _watch_the_clock(self) -> None:
        """One timer for the whole run: a timer for each step would cost two events each."""
        limits = [self._history.started_at + timedelta(seconds=self._policy.max_wall_seconds)]
        if self._policy.window_closes_at:
            limits.append(self._policy.window_closes_at)
        await asyncio.sleep(max(0.0, (min(limits) - workflow.now()).total_seconds()))
        self._out_of_time = True

    def _halted(self) -> bool:
        return self._stop_asked is not None or self._out_of_time

    def _halt(self, steps: int) -> StepsEnded:
        if self._stop_asked is not None:
            return StepsEnded(end=AttemptEnd.STOPPED, evidence=self._stop_asked[:300], steps=steps)
        return StepsEnded(end=AttemptEnd.WALL_CLOCK, evidence="", steps=steps)

    def _stop_for(self, failure: ActivityError) -> Stop:
        """A refusal that is an answer ends the loop with its reason; anything else fails the workflow."""
        refusal = refusal_of(failure)
        if refusal is None or refusal.type not in set(StopReason):
            raise failure
        return Stop(reason=StopReason(refusal.type), evidence=refusal.message)

    def _ended(self, move: Accept | Stop) -> LoopResult:
        stop = StopReason.ACCEPTED if isinstance(move, Accept) else move.reason
        tree = move.tree if isinstance(move, Accept) else best_tree(self._history)
        best = Standing(tree=tree, commit=self._commits[tree]) if tree else self._at
        cost_nano = self._history.cost_nano
        show_end(stop, cost_nano)
        return LoopResult(
            stop=stop,
            evidence="" if isinstance(move, Accept) else move.evidence,
            best=best,
            verified=tree is not None,
            attempts=len(self._history.attempts),
            steps=self._history.steps,
            cost_nano=cost_nano,
        )

    def _memory(self) -> LoopInput:
        return self._given.model_copy(update={"history": self._history, "commits": self._commits, "queue": self._queue})
