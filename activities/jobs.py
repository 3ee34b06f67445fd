"""``begin_job``, ``keep_plan`` and ``finish_job``: a job's two ends."""

from __future__ import annotations

import asyncio

from temporalio import activity

from activities.beating import beating, this_workflow, whole
from activities.context import spec_of
from activities.held_out import refuse_known_holdout
from activities.refusing import refusal
from activities.services import Services
from thirdshift.core.conversation import said_by_user
from thirdshift.core.delivery import Delivered, branch_names
from thirdshift.core.delivery_text import MessageFacts, commit_message, unfinished_message
from thirdshift.core.errors import DeliveryRefused, RepositoryRefused, RepositoryUnreachable
from thirdshift.core.gate_book import verified_reviewers
from thirdshift.core.history import ReasonCode, StopReason
from thirdshift.core.ledger import AttemptRow, JobClosing, JobRow
from thirdshift.core.outcomes import DeliveryRow
from thirdshift.core.plan import LISTED_PATHS_BYTES, parse_plan, plan_opening, plan_system
from thirdshift.core.spec import Delivery
from thirdshift.core.window import room_for_paths
from thirdshift.signatures import BeginJob, FinishJob, JobFinished, ModelCalled

DELIVERY_TRIES = 12
"""How often a repository that cannot be reached is tried, over some minutes, before the job ends without a branch."""
AGENTS_MD_BYTES = 64 << 10


class JobActivities:
    """Runs on any host that can reach the repository."""

    def __init__(self, services: Services) -> None:
        self._services = services

    @activity.defn(name="begin_job")
    async def begin_job(self, given: BeginJob) -> None:
        """Copy the base into the hub and open the plan's conversation, where there is a plan to make."""
        job_id = this_workflow()
        async with beating():
            await whole(self._begin, job_id, given)

    def _begin(self, job_id: str, given: BeginJob) -> None:
        services = self._services
        job = services.ledger.read_job(job_id)
        try:
            base = services.hub.import_base(job.repository, job.base_commit, job_id)
        except RepositoryUnreachable:
            raise  # it may come back, so the engine tries again
        except RepositoryRefused as refused:
            raise refusal(StopReason.SETUP_FAILED, str(refused)) from refused
        refuse_known_holdout(services, job, base.tree)
        if given.plan_rung is None:
            return
        spec = spec_of(services, job)
        agents_md = services.hub.read_file(base.tree, "AGENTS.md", AGENTS_MD_BYTES)
        system = plan_system(spec, (agents_md or b"").decode(errors="replace"))
        listed_bytes = room_for_paths(given.plan_rung, len(system.encode()), LISTED_PATHS_BYTES)
        opening = plan_opening(spec, services.hub.list_paths(base.tree), listed_bytes=listed_bytes)
        services.ledger.open_attempt(
            AttemptRow(
                owner_id=job_id,
                job_id=job_id,
                number=0,
                role="plan",
                rung=given.plan_rung,
                reason=ReasonCode.FIRST,
                start_tree=base.tree,
                start_commit=base.commit,
                host=services.host,
                opened_at=services.clock(),
                system=system,
                tools=(),
                opening=(said_by_user(opening),),
            )
        )

    @activity.defn(name="keep_plan")
    async def keep_plan(self, given: ModelCalled) -> None:
        """Store the plan that an answer holds. A job without one goes on; the journal says why there is none."""
        services, job_id = self._services, this_workflow()
        if given.fault or not given.call:
            why = given.note or given.fault
            await whole(services.ledger.note, job_id, "plan", f"no plan: {why}", {}, services.clock())
            return
        answer = await asyncio.to_thread(services.ledger.answer, given.call)
        plan = parse_plan(answer.message.text)
        if plan is None:
            text = "no plan: the answer held none that could be read"
            await whole(services.ledger.note, job_id, "plan", text, {}, services.clock())
            return
        await whole(services.ledger.put_plan, job_id, plan.model_dump_json(), services.clock())

    @activity.defn(name="finish_job")
    async def finish_job(self, given: FinishJob) -> JobFinished:
        """Deliver the tree to its branch and close the books. Done twice, it is done once."""
        services, job_id = self._services, this_workflow()
        async with beating():
            job = await asyncio.to_thread(services.ledger.read_job, job_id)
            run = activity.info().workflow_run_id or ""
            try:
                branch, commit = await whole(self._deliver, job, given, run)
            except (RepositoryRefused, DeliveryRefused) as refused:
                if isinstance(refused, RepositoryUnreachable) and activity.info().attempt < DELIVERY_TRIES:
                    raise
                # The hub has the tree, and the job can be resumed from there; the books are closed all the same.
                branch, commit, given = "", given.best.commit, _undelivered(given, str(refused))
            closing = JobClosing(
                job_id=job_id,
                stop_reason=given.stop,
                evidence=given.evidence,
                branch=branch,
                commit=commit,
                tree=given.best.tree,
                remedy="" if given.stop is StopReason.ACCEPTED else remedy(job_id, given.stop),
                closed_at=services.clock(),
            )
            await whole(services.ledger.put_delivery, _row(job, given, run, closing))
            await whole(services.ledger.close_job, closing)
            spec = await asyncio.to_thread(spec_of, services, job)
            for packet in [p.id for p in spec.packets] or ["main"]:
                await services.workspaces.leave(f"loop-{job_id}-{packet}")
        return JobFinished(
            branch=branch,
            commit=commit,
            cost_nano=await asyncio.to_thread(services.ledger.job_cost_nano, job_id),
            stop=given.stop,
            evidence=given.evidence,
        )

    def _deliver(self, job: JobRow, given: FinishJob, run: str) -> tuple[str, str]:
        """The branch and commit where the tree is: those of a delivery that was made, else a branch of its own."""
        if given.delivered is not None and given.delivered.done:
            return given.delivered.branch, given.delivered.commit
        accepted = given.stop in (StopReason.ACCEPTED, StopReason.UNDELIVERED)
        if not accepted and given.best.tree == job.base_tree:
            return "", ""
        message = self._message(job, given, run)
        refusal: RepositoryRefused | DeliveryRefused | None = None
        for branch in branch_names(job.job_id, accepted=accepted):
            try:
                commit = self._services.hub.deliver(given.best.tree, job.base_commit, message, job.repository, branch)
            except (RepositoryUnreachable, DeliveryRefused) as refused:
                refusal = refused
                break
            except RepositoryRefused as refused:
                refusal = refused
            else:
                return branch, commit
        if given.stop is StopReason.UNDELIVERED:
            # The repository lets nothing in. The hub has the tree, and the job can be resumed from there.
            return "", given.best.commit
        raise refusal or AssertionError("a job has at least one branch name")

    def _message(self, job: JobRow, given: FinishJob, run: str) -> str:
        facts = MessageFacts(
            title=job.title,
            job=job.job_id,
            spec=job.spec_id,
            run=run,
            cost_nano=self._services.ledger.job_cost_nano(job.job_id),
            reviewed_by=verified_reviewers(self._services.ledger.gates(job.job_id), given.best.tree),
        )
        if given.stop in (StopReason.ACCEPTED, StopReason.UNDELIVERED):
            return commit_message(facts)
        return unfinished_message(facts, given.stop, verified=given.verified)


def _undelivered(given: FinishJob, why: str) -> FinishJob:
    """The end of a job whose tree no branch would take."""
    stop = StopReason.UNDELIVERED if given.stop is StopReason.ACCEPTED else given.stop
    said = f"{given.evidence} " if given.evidence else ""
    return given.model_copy(update={"stop": stop, "evidence": f"{said}No branch was made: {why}"[:1000]})


def _row(job: JobRow, given: FinishJob, run: str, closing: JobClosing) -> DeliveryRow:
    """The delivery as the ledger keeps it; where it failed, the branch that keeps the work is in it."""
    made = given.delivered or Delivered(done=False, kind=Delivery.BRANCH, detail="")
    if made.kind is Delivery.BRANCH:
        said = f"on branch {closing.branch}" if closing.branch else "there was nothing to deliver"
        made = made.model_copy(update={"done": bool(closing.branch), "detail": said})
    return DeliveryRow(
        job_id=job.job_id,
        run_id=run,
        repository=job.repository,
        base_commit=job.base_commit,
        delivered=made.model_copy(
            update={"branch": closing.branch, "commit": closing.commit if closing.branch else ""}
        ),
        at=closing.closed_at,
    )


def remedy(job_id: str, stop: StopReason) -> str:
    """The one command that goes on from a stop."""
    more = {
        StopReason.BUDGET: " --budget-usd <more>",
        StopReason.MAX_ATTEMPTS: " --max-attempts <more>",
        StopReason.MAX_STEPS: " --max-steps <more>",
        StopReason.WALL_CLOCK: " --max-wall <longer>",
    }
    return f"thirdshift resume {job_id}{more.get(stop, '')}"
