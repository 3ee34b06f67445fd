"""Delivering an accepted tree: what a merge, a push or a pull request takes, and what is said where it fails."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, TypeVar

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError

from thirdshift import delivery_signatures, signatures
from thirdshift.core.delivery import MERGE_ROUNDS, Delivered, DeliveryTerms, MergePlan, MergeState
from thirdshift.core.delivery_text import names
from thirdshift.core.gates import GateEnd
from thirdshift.core.history import StopReason
from thirdshift.core.spec import Delivery, GateKind
from thirdshift.delivery_signatures import DeliverTree, LandMerge, MergeJudged, VerifyMerge
from thirdshift.signatures import JobInput, LoopResult
from workflows import options
from workflows.gate import Answered, Question
from workflows.halting import Brake, unless

TRIES = RetryPolicy(
    initial_interval=timedelta(seconds=1),
    backoff_coefficient=2.0,
    maximum_interval=timedelta(minutes=2),
    maximum_attempts=40,
)
"""A remote or a forge that is down is tried for more than an hour; then the work is kept, and that is said."""

Ask = Callable[[Question], Awaitable[Answered]]
Result = TypeVar("Result")


class _StoppedError(Exception):
    """Nobody wants the delivery any more, and it is not made."""


async def deliver(given: JobInput, result: LoopResult, ask: Ask, brake: Brake) -> tuple[LoopResult, Delivered]:
    """Deliver what was accepted as the spec asks. What cannot be delivered so is not accepted, and says why."""
    terms = given.delivery
    if result.stop is not StopReason.ACCEPTED:
        return result, _plain_branch(terms)
    work = DeliverTree(tree=result.best.tree, onto=terms.onto, run=workflow.info().run_id)
    gated = GateKind.MERGE in given.policy.gates
    delivering = Delivering(terms, work, given.packets[-1].id, brake, ask if gated else None)
    done = await delivering.run()
    if done.done or done.kind is Delivery.BRANCH:
        return result, done
    return result.model_copy(update={"stop": delivering.stop, "evidence": done.detail}), done


class Delivering:
    """One delivery of one job."""

    def __init__(
        self, terms: DeliveryTerms, work: DeliverTree, packet: str, brake: Brake, ask: Ask | None = None
    ) -> None:
        self._terms = terms
        self._work = work
        self._packet = packet
        self._brake = brake
        self._ask = ask
        self.stop = StopReason.UNDELIVERED
        """Why the job ends, should nothing be delivered."""

    async def run(self) -> Delivered:
        """What came of it. Where a branch is all that is asked for nothing is done: ``finish_job`` makes it."""
        try:
            match self._terms.kind:
                case Delivery.BRANCH:
                    return _plain_branch(self._terms)
                case Delivery.MERGE:
                    return await self._merge()
                case Delivery.PUSH:
                    return await self._tried(delivery_signatures.push_branch, self._work)
                case Delivery.PULL_REQUEST:
                    return await self._tried(delivery_signatures.request_merge, self._work)
        except _StoppedError:
            self.stop = self._brake.stop_reason
            return self._not_done(f"the job was stopped before it was delivered: {self._brake.stop_asked}")
        except ActivityError as failure:
            cause = failure.cause
            return self._not_done(cause.message if isinstance(cause, ApplicationError) else str(cause or failure))

    async def _merge(self) -> Delivered:
        """Merge, judge, and land, anew for as long as the base branch keeps moving; at most a few times."""
        for number in range(1, MERGE_ROUNDS + 1):
            plan = await self._tried(delivery_signatures.plan_merge, self._work)
            if plan.state is MergeState.REFUSED:
                return self._not_done(plan.why)
            if plan.state is MergeState.LANDED:
                return self._landed(plan, f"{self._terms.onto} holds it already")
            if plan.moved and (against := await self._unfit(plan, number)):
                return self._not_done(against)
            if await self._tried(delivery_signatures.land_merge, LandMerge(work=self._work, plan=plan)):
                how = "merged onto" if plan.moved else "fast-forwarded"
                return self._landed(plan, f"{how} {self._terms.onto}")
        return self._not_done(
            f"{self._terms.onto} moved {MERGE_ROUNDS} times while the merge was judged; try when it is quieter"
        )

    async def _unfit(self, plan: MergePlan, number: int) -> str:
        """Why a merged tree, which nobody has judged before, may not land; empty where it may."""
        judged = await self._tried(
            delivery_signatures.verify_merge,
            VerifyMerge(packet=self._packet, number=number, plan=plan),
            longest=options.VERIFY,
            queue=signatures.HOSTS_QUEUE,  # it runs checks, and so where no credentials are
            in_window=self._ask is None,  # whoever has approved the delivery waits for it
        )
        if not judged.verdict.ok:
            return _failing(judged, self._terms.onto)
        if self._ask is None:
            return ""
        # An approval counts for one tree, and this is another one than the reviewer saw.
        answer = await self._ask(
            Question(
                kind=GateKind.MERGE,
                tree=plan.tree,
                reason=f"{self._terms.onto} has moved. This is the merge with it, and it passed every check.",
                verdict=judged.verdict.id,
                may_rework=False,
            )
        )
        match answer.end:
            case GateEnd.APPROVED:
                return ""
            case GateEnd.WITHDRAWN:
                self.stop = self._brake.stop_reason
                return "the job was stopped while the merge waited for approval"
            case _:
                self.stop = StopReason.REJECTED
                return f"the merge was not approved: {answer.evidence()}"

    async def _tried(
        self,
        activity: Callable[[Any], Awaitable[Result]],
        given: object,
        longest: timedelta = options.TOOLS,
        queue: str = signatures.DELIVERY_QUEUE,
        *,
        in_window: bool = False,
    ) -> Result:
        """What came of it, after however many tries. A stop ends the tries, but not one in which others see a change.

        That one is carried to its end by the activity, and its outcome counts as if nobody had said stop.
        ``in_window``: it is not begun once the window drains, and where its end cuts it off, done again in the next.
        """
        brake = self._brake

        async def trying(halted: Callable[[], bool]) -> Result | None:
            handle = workflow.start_activity(
                activity,
                given,
                task_queue=queue,
                start_to_close_timeout=longest,
                heartbeat_timeout=options.HEARTBEAT,
                retry_policy=TRIES,
                cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
            )
            return await unless(halted, handle, patch="stop-while-delivering")

        if in_window:
            done = await brake.through(lambda: trying(brake.cut), brake.stopped)
        else:
            done = await trying(brake.stopped)
        if done is None:
            raise _StoppedError
        return done

    def _landed(self, plan: MergePlan, detail: str) -> Delivered:
        onto = self._terms.onto
        return Delivered(
            done=True, kind=self._terms.kind, detail=detail, branch=onto, commit=plan.commit, work=plan.work, onto=onto
        )

    def _not_done(self, why: str) -> Delivered:
        return Delivered(
            done=False, kind=self._terms.kind, detail=f"NOT DELIVERED: {why}"[:1000], onto=self._terms.onto
        )


def _plain_branch(terms: DeliveryTerms) -> Delivered:
    return Delivered(done=False, kind=Delivery.BRANCH, detail="", onto=terms.onto)


def _failing(judged: MergeJudged, onto: str) -> str:
    verdict = judged.verdict
    parts = []
    if verdict.failed:
        parts.append(f"these checks fail on the merged tree: {names(verdict.failed)}")
    if both := [check for check in verdict.failed if check in judged.failing_before]:
        parts.append(f"of which {names(both)} fail on {onto} without it too")
    if verdict.out_of_scope:
        parts.append(f"{verdict.out_of_scope} paths are out of scope")
    if verdict.tampering:
        parts.append("protected files or tests differ")
    return f"{onto} has moved, and " + ", ".join(parts or ["no check passed on the merged tree"])
