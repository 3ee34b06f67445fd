"""``Job``: one run of one spec. It plans, runs a ``Loop`` for each packet in order, and delivers what passed."""

from __future__ import annotations

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

from thirdshift import signatures
from thirdshift.core.frozen import Frozen
from thirdshift.core.history import StopReason
from thirdshift.signatures import JobInput, JobResult, LoopInput, LoopResult, PacketInput, Standing
from workflows import options
from workflows.attributes import show_end, show_opening
from workflows.halting import refusal_of, unless
from workflows.loop import Loop


class JobStatus(Frozen):
    """Answer to the query ``status``."""

    state: str
    packet: str
    packets_done: tuple[str, ...]
    stop_asked: str | None
    cost_nano: int


class PacketDone(Frozen):
    """One line of the answer to the query ``history``."""

    packet: str
    stop: StopReason
    evidence: str
    attempts: int
    steps: int
    cost_nano: int


@workflow.defn(name="Job")
class Job:
    """The parent of a spec's loops. Packets follow one another, each from the tree of the one before it."""

    @workflow.init
    def __init__(self, given: JobInput) -> None:
        self._given = given
        self._state = "queued"
        self._packet = ""
        self._done: list[PacketDone] = []
        self._stop_asked: str | None = None
        self._loop: workflow.ChildWorkflowHandle[Loop, LoopResult] | None = None

    @workflow.run
    async def run(self, given: JobInput) -> JobResult:
        """Plan, run every packet's loop, deliver."""
        show_opening(given.repository, given.task, given.risk)
        try:
            await self._begin()
            result = await self._packets()
        except ActivityError as failure:
            result = self._refused(failure)
        self._state = "delivering"
        finished = await workflow.execute_activity(
            signatures.finish_job,
            signatures.FinishJob(
                stop=result.stop, evidence=result.evidence, best=result.best, verified=result.verified
            ),
            task_queue=signatures.HOSTS_QUEUE,
            start_to_close_timeout=options.TOOLS,
            heartbeat_timeout=options.HEARTBEAT,
            retry_policy=options.RETRY,
        )
        cost_nano = sum(packet.cost_nano for packet in self._done)
        self._state = "accepted" if result.stop is StopReason.ACCEPTED else "stopped"
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
        self._stop_asked = reason or "no reason given"
        if self._loop is not None:
            await self._loop.signal(Loop.stop_loop, self._stop_asked)

    @workflow.query
    def status(self) -> JobStatus:
        """Where the job is; money and checks are in the ledger."""
        return JobStatus(
            state=self._state,
            packet=self._packet,
            packets_done=tuple(packet.packet for packet in self._done),
            stop_asked=self._stop_asked,
            cost_nano=sum(packet.cost_nano for packet in self._done),
        )

    @workflow.query
    def history(self) -> list[PacketDone]:
        """Every loop that has ended."""
        return self._done

    async def _begin(self) -> None:
        rung = self._given.plan_rung
        self._state = "planning" if rung else "running"
        await workflow.execute_activity(
            signatures.begin_job,
            signatures.BeginJob(run=self._given.run_number, plan_rung=rung),
            task_queue=signatures.HOSTS_QUEUE,
            start_to_close_timeout=options.TOOLS,
            heartbeat_timeout=options.HEARTBEAT,
            retry_policy=options.RETRY,
        )
        if rung is None or self._stop_asked:
            return
        called = await unless(
            lambda: self._stop_asked is not None,
            workflow.start_activity(
                signatures.call_model,
                signatures.CallModel(n=0, s=1),
                task_queue=signatures.model_queue(rung.provider),
                start_to_close_timeout=options.CALL,
                heartbeat_timeout=options.HEARTBEAT,
                retry_policy=options.RETRY,
                cancellation_type=workflow.ActivityCancellationType.WAIT_CANCELLATION_COMPLETED,
            ),
        )
        if called is not None:
            await workflow.execute_activity(
                signatures.keep_plan,
                called,
                start_to_close_timeout=options.LEDGER_WORK,
                retry_policy=options.RETRY,
            )

    async def _packets(self) -> LoopResult:
        """Every packet in order; the first one that is not accepted ends the job."""
        self._state = "running"
        start = self._given.resume_from or self._given.base
        result: LoopResult | None = None
        for packet in self._given.packets:
            if self._stop_asked is not None:
                return self._nothing_more(StopReason.STOPPED_BY_PERSON, self._stop_asked, result)
            self._packet = packet.id
            result = await self._loop_of(packet, start)
            self._done.append(
                PacketDone(
                    packet=packet.id,
                    stop=result.stop,
                    evidence=result.evidence,
                    attempts=result.attempts,
                    steps=result.steps,
                    cost_nano=result.cost_nano,
                )
            )
            if result.stop is not StopReason.ACCEPTED:
                return result
            start = result.best
        if result is None:
            raise ApplicationError("a job without packets was started", non_retryable=True)
        return result

    async def _loop_of(self, packet: PacketInput, start: Standing) -> LoopResult:
        given = self._given
        self._loop = await workflow.start_child_workflow(
            Loop.run,
            LoopInput(
                job_id=workflow.info().workflow_id,
                packet=packet,
                title=given.title,
                repository=given.repository,
                task=given.task,
                risk=given.risk,
                start=start,
                policy=given.policy,
                attempts_before=given.attempts_before,
            ),
            id=f"loop-{workflow.info().workflow_id}-{packet.id}",
        )
        if self._stop_asked is not None:
            await self._loop.signal(Loop.stop_loop, self._stop_asked)
        try:
            return await self._loop
        finally:
            self._loop = None

    def _refused(self, failure: ActivityError) -> LoopResult:
        """A refusal that is an answer ends the job with its reason; anything else fails the workflow."""
        refusal = refusal_of(failure)
        if refusal is None or refusal.type not in set(StopReason):
            raise failure
        return self._nothing_more(StopReason(refusal.type), refusal.message, None)

    def _nothing_more(self, stop: StopReason, evidence: str, last: LoopResult | None) -> LoopResult:
        best = last.best if last else self._given.resume_from or self._given.base
        return LoopResult(
            stop=stop, evidence=evidence, best=best, verified=last is not None, attempts=0, steps=0, cost_nano=0
        )
