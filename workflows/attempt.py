"""One attempt of a loop: open a conversation, take steps until they end, judge the tree, close."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from temporalio import workflow
from temporalio.exceptions import ActivityError

from thirdshift import signatures
from thirdshift.core.detectors import attempt_should_end
from thirdshift.core.errors import FaultKind
from thirdshift.core.faults import passes
from thirdshift.core.frozen import Frozen
from thirdshift.core.history import Attempt, AttemptEnd, AttemptRecord, LoopPolicy
from thirdshift.core.ladder import Rung
from thirdshift.core.ports import StopKind
from thirdshift.core.verdict import VerdictBrief
from thirdshift.signatures import Standing
from workflows import options
from workflows.calling import answered
from workflows.halting import Brake, unless
from workflows.hearing import Hearing
from workflows.hosting import Hosting

NO_VERDICT = (AttemptEnd.PROVIDER, AttemptEnd.STOPPED)
"""Ends after which there is nothing to judge: no work was finished, or nobody wants it."""


@dataclass(frozen=True)
class Course:
    """What an attempt needs of its loop."""

    job_id: str
    policy: LoopPolicy
    hosting: Hosting
    brake: Brake
    hearing: Hearing


class StepsEnded(Frozen):
    """How the steps of one attempt came to their end."""

    end: AttemptEnd
    evidence: str
    steps: int


class AttemptRun:
    """An attempt under way. ``standing`` is the tree that it has reached."""

    def __init__(self, course: Course, number: int, move: Attempt, standing: Standing) -> None:
        self._course = course
        self._move = move
        self._rung = course.policy.ladder.rungs[move.rung]
        self.number = number
        self.standing = standing
        self.step = 0
        self.doing = "opening"
        self.talking = False
        """Whether words can be added to its conversation."""
        self.short_of = ""
        """The scope that had no room for a call."""
        self._away: dict[str, datetime | None] = {}
        """Where its provider failed it: when that is back, or when it happened."""
        self.failure: ActivityError | None = None
        """What broke it, once its books are closed; for the loop to end with."""

    @property
    def rung(self) -> Rung:
        """Where it is made."""
        return self._rung

    async def run(self, of: int, evidence: int | None, baseline: int | None, steps_before: int) -> AttemptRecord:
        """Make the attempt; what it was, for the history.

        ``of`` is how many attempts there may be, ``evidence`` the verdict that it is told, ``baseline`` the one that
        it is told where there is no other, ``steps_before`` the steps of those before it.
        """
        verdict = None
        try:
            ended = await self._opened(of, evidence, baseline, steps_before)
            self.talking = False
            verdict = None if ended.end in NO_VERDICT else await self._judged()
        except ActivityError as failure:
            self.failure = failure
            ended = self._ended(AttemptEnd.STOPPED, str(failure.cause or failure)[:300])
        self.talking = False
        if verdict is None and ended.end not in NO_VERDICT:
            stop = self._course.brake.stop_asked or ""
            ended = ended.model_copy(update={"end": AttemptEnd.STOPPED, "evidence": stop})
        closed = await workflow.execute_activity(
            signatures.close_attempt,
            signatures.CloseAttempt(
                n=self.number, end=ended.end, evidence=ended.evidence, verdict=verdict.id if verdict else None
            ),
            start_to_close_timeout=options.LEDGER_WORK,
            retry_policy=options.RETRY,
        )
        return AttemptRecord(
            number=self.number,
            rung=self._move.rung,
            reason=self._move.reason,
            end=ended.end,
            verdict=verdict,
            steps=ended.steps,
            cost_nano=closed.cost_nano,
            evidence=ended.evidence,
            **self._away,
        )

    async def _opened(self, of: int, evidence: int | None, baseline: int | None, steps_before: int) -> StepsEnded:
        course = self._course
        brake = course.brake
        given = signatures.OpenAttempt(
            job_id=course.job_id,
            number=self.number,
            of=of,
            rung=self._rung,
            reason=self._move.reason,
            start=self.standing,
            verdict=evidence,
            baseline=baseline,
        )
        opened = await brake.through(
            lambda: course.hosting.run(signatures.open_attempt, given, options.TOOLS, brake.halted), brake.spent
        )
        if opened is None:
            return self._halt()
        await course.hearing.bring_all(self.number)
        self.talking = True
        return await self._steps(steps_before)

    async def _steps(self, steps_before: int) -> StepsEnded:
        brake, policy = self._course.brake, self._course.policy
        seen: list[str] = []
        trees = [self.standing.tree]
        while True:
            await brake.clearance()
            if brake.spent():
                return self._halt()
            if steps_before + self.step >= policy.max_steps:
                return self._ended(AttemptEnd.MAX_STEPS, "")
            called = await self._answered()
            if called is None:
                return self._halt()
            if ended := self._fault(called):
                return ended
            self.step += 1
            ran = await self._tools(called.call)
            if ran is None:
                return self._halt()
            self.standing = Standing(tree=ran.tree, commit=ran.commit) if ran.commit else self.standing
            seen.append(ran.sig)
            trees.append(ran.tree)
            if ran.finished:
                return self._ended(AttemptEnd.FINISHED, "")
            if end := attempt_should_end(seen, trees, policy):
                return self._ended(end, f"seen after step {self.step}")

    async def _answered(self) -> signatures.ModelCalled | None:
        """The next call's answer, or the fault that ends the attempt; None where it was cut off for good."""
        self.doing = "waiting for the model"
        return await answered(self._course.brake, self._call)

    async def _call(self) -> signatures.ModelCalled | None:
        carried = self._course.hearing.carried()
        called = await unless(
            self._course.brake.halted,
            workflow.start_activity(
                signatures.call_model,
                signatures.CallModel(n=self.number, s=self.step + 1),
                task_queue=signatures.model_queue(self._rung.provider),
                start_to_close_timeout=options.CALL,
                heartbeat_timeout=options.HEARTBEAT,
                retry_policy=options.CALL_RETRY,
                cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
            ),
        )
        if called is not None and not called.fault:
            self._course.hearing.heard(carried)
        return called

    async def _tools(self, call: int) -> signatures.ToolsRan | None:
        self.doing = "running tools"
        given = signatures.RunTools(n=self.number, call=call)
        brake, hosting = self._course.brake, self._course.hosting
        return await brake.through(
            lambda: hosting.run(signatures.run_tools, given, options.TOOLS, brake.halted), brake.spent, begun=True
        )

    async def _judged(self) -> VerdictBrief | None:
        self.doing = "verifying"
        return await judged(self._course.hosting, self._course.brake, self.number, self.standing.tree)

    def _fault(self, called: signatures.ModelCalled) -> StepsEnded | None:
        ends = {"": None, "budget": AttemptEnd.BUDGET, "too_long": AttemptEnd.TOO_LONG}
        fault = "refusal" if called.stop == StopKind.REFUSAL else called.fault
        end = ends.get(fault, AttemptEnd.PROVIDER)
        if end is None:
            return None
        self.short_of = called.scope
        if end is AttemptEnd.PROVIDER:
            passing = fault in set(FaultKind) and passes(FaultKind(fault))
            self._away = {"back_at": called.back_at, "failed_at": workflow.now() if passing else None}
        if end is AttemptEnd.PROVIDER and called.note:
            return self._ended(end, f"{fault.replace('_', ' ')}: {called.note}")
        return self._ended(end, called.note or fault)

    def _halt(self) -> StepsEnded:
        if self._course.brake.stopped():
            return self._ended(AttemptEnd.STOPPED, (self._course.brake.stop_asked or "")[:300])
        return self._ended(AttemptEnd.WALL_CLOCK, "")

    def _ended(self, end: AttemptEnd, evidence: str) -> StepsEnded:
        return StepsEnded(end=end, evidence=evidence, steps=self.step)


async def judged(hosting: Hosting, brake: Brake, number: int, tree: str) -> VerdictBrief | None:
    """The verdict on a tree; number 0 is the baseline. Being out of time does not stop this: success goes first."""
    given = signatures.Verify(n=number, tree=tree)
    return await brake.through(lambda: hosting.run(signatures.verify, given, options.VERIFY, brake.cut), brake.stopped)
