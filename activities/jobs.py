"""``begin_job``, ``keep_plan`` and ``finish_job``: a job's two ends."""

from __future__ import annotations

import asyncio

from temporalio import activity

from activities.beating import beating, this_workflow, whole
from activities.context import spec_of
from activities.refusing import refusal
from activities.services import Services
from thirdshift.core.conversation import said_by_user
from thirdshift.core.errors import RepositoryRefused
from thirdshift.core.history import ReasonCode, StopReason
from thirdshift.core.ledger import AttemptRow, JobClosing, JobRow
from thirdshift.core.money import format_usd
from thirdshift.core.plan import parse_plan, plan_opening, plan_system
from thirdshift.signatures import BeginJob, FinishJob, JobFinished, ModelCalled

OTHER_NAMES = 9
"""How many further branch names are tried when a person already uses the first one."""
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
        except RepositoryRefused as refused:
            raise refusal(StopReason.SETUP_FAILED, str(refused)) from refused
        if given.plan_rung is None:
            return
        spec = spec_of(services, job)
        agents_md = services.hub.read_file(base.tree, "AGENTS.md", AGENTS_MD_BYTES)
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
                system=plan_system(spec, (agents_md or b"").decode(errors="replace")),
                tools=(),
                opening=(said_by_user(plan_opening(spec, services.hub.list_paths(base.tree))),),
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
            branch, commit = await whole(self._deliver, job, given)
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
            await whole(services.ledger.close_job, closing)
            spec = await asyncio.to_thread(spec_of, services, job)
            for packet in [p.id for p in spec.packets] or ["main"]:
                await services.workspaces.leave(f"loop-{job_id}-{packet}")
        return JobFinished(branch=branch, commit=commit)

    def _deliver(self, job: JobRow, given: FinishJob) -> tuple[str, str]:
        accepted = given.stop is StopReason.ACCEPTED
        if not accepted and given.best.tree == job.base_tree:
            return "", ""
        name = f"thirdshift/{job.job_id}" + ("" if accepted else "-unfinished")
        message = self._message(job, given)
        for number in range(1, OTHER_NAMES + 1):
            branch = name if number == 1 else f"{name}-{number}"
            try:
                commit = self._services.hub.deliver(given.best.tree, job.base_commit, message, job.repository, branch)
            except RepositoryRefused:
                if number == OTHER_NAMES:
                    raise
            else:
                return branch, commit
        raise AssertionError("unreachable: the last refusal is raised")

    def _message(self, job: JobRow, given: FinishJob) -> str:
        cost_nano = self._services.ledger.job_cost_nano(job.job_id)
        lines = [job.title, ""]
        if given.stop is not StopReason.ACCEPTED:
            judged = "the best tree that was judged" if given.verified else "a tree that no check has judged"
            lines = [f"UNFINISHED ({given.stop}): {job.title}", "", f"Not accepted; this is {judged}.", ""]
        return "\n".join(
            [
                *lines,
                f"Thirdshift-Job: {job.job_id}",
                f"Thirdshift-Spec: {job.spec_id}",
                f"Cost-Usd: {format_usd(cost_nano)}",
            ]
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
