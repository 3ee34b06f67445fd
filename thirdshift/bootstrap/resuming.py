"""Going on with a job that stopped: a new run of the same job, from its best tree, under the limits stated anew."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from temporalio.client import Client
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from activities.services import Services
from thirdshift.bootstrap.delivery import delivery_terms
from thirdshift.bootstrap.submission import Prepared, Submitted, job_input
from thirdshift.core.calls import Raise
from thirdshift.core.errors import BadInput
from thirdshift.core.history import LoopPolicy, StopReason
from thirdshift.core.ledger import ScopeKind
from thirdshift.core.money import format_usd
from thirdshift.core.ports import Base
from thirdshift.core.spec_text import parse_spec
from thirdshift.core.views import JobView
from thirdshift.settings import Settings
from thirdshift.signatures import WORKFLOW_QUEUE, JobInput, Standing
from workflows.job import Job


@dataclass(frozen=True)
class Room:
    """Limits stated anew. ``budget_nano`` is the job's budget in all; the others count from now on."""

    budget_nano: int | None = None
    max_attempts: int | None = None
    max_steps: int | None = None
    max_wall_seconds: float | None = None


async def resume(settings: Settings, services: Services, client: Client, job_id: str, room: Room) -> Submitted:
    """Start the next run of a job. Raises BadInput for one that is running, accepted, or still without room."""
    view = await asyncio.to_thread(services.ledger.job_view, job_id)
    _refuse_unless_stopped(view)
    _refuse_without_money(view, room)
    given = await asyncio.to_thread(_next_run, settings, services, view, room)
    at = services.clock()
    if room.budget_nano is not None and view.budget_nano is not None and room.budget_nano > view.budget_nano:
        more = Raise(
            raise_id=f"{job_id}/{room.budget_nano}",
            kind=ScopeKind.JOB,
            key=job_id,
            by_nano=room.budget_nano - view.budget_nano,
            reviewer=settings.submitter,
            at=at,
        )
        await asyncio.to_thread(services.ledger.raise_limit, more)
    await asyncio.to_thread(services.ledger.reopen_job, job_id, settings.submitter, at)
    try:
        handle = await client.start_workflow(
            Job.run,
            given,
            id=job_id,
            task_queue=WORKFLOW_QUEUE,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            static_summary=view.job.title[:200],
        )
    except WorkflowAlreadyStartedError:
        raise BadInput(f"{job_id} is running already; follow it with: thirdshift watch {job_id}") from None
    run_id = handle.first_execution_run_id or ""
    return Submitted(job_id=job_id, run_id=run_id, created=True, title=view.job.title, running=True)


def _refuse_unless_stopped(view: JobView) -> None:
    job_id = view.job.job_id
    if view.stop_reason is None:
        raise BadInput(f"{job_id} has not stopped; follow it with: thirdshift watch {job_id}")
    if view.stop_reason is StopReason.ACCEPTED:
        raise BadInput(f"{job_id} was accepted; its result is on branch {view.branch}. There is nothing to go on with")


def _refuse_without_money(view: JobView, room: Room) -> None:
    budget = room.budget_nano if room.budget_nano is not None else view.budget_nano
    spent = view.spend.settled_nano + view.spend.held_nano + view.spend.unknown_nano
    if view.stop_reason is StopReason.BUDGET and room.budget_nano is None:
        raise BadInput(
            f"{view.job.job_id} stopped at its budget, with ${format_usd(spent, 4)} spent; "
            f"give it more, in all: thirdshift resume {view.job.job_id} --budget-usd AMOUNT"
        )
    if budget is not None and budget <= spent:
        raise BadInput(
            f"a budget of ${format_usd(budget)} leaves nothing for {view.job.job_id}, which has spent "
            f"${format_usd(spent, 4)}; --budget-usd is the budget in all"
        )
    if room.budget_nano is not None and view.budget_nano is not None and room.budget_nano < view.budget_nano:
        raise BadInput(f"--budget-usd is below the ${format_usd(view.budget_nano)} that {view.job.job_id} has already")


def _next_run(settings: Settings, services: Services, view: JobView, room: Room) -> JobInput:
    """The first run's input with the limits, the best tree and the numbers of what went before."""
    job = view.job
    doc = services.ledger.get_spec(job.spec_id)
    spec = parse_spec(doc.text, job.spec_path)
    base = Base(commit=job.base_commit, tree=job.base_tree, ref_name=spec.base)
    path = Path(job.spec_path)
    before = services.ledger.delivery_of(job.job_id)  # HEAD may stand for another branch by now
    prepared = Prepared(
        spec=spec,
        path=path,
        doc=doc,
        repository=job.repository,
        base=base,
        job_id=job.job_id,
        delivery=delivery_terms(settings, spec, job.repository, path, before.delivered.onto if before else None),
        terms=settings.gate_terms(job.repository, spec.risk).model_copy(update={"submitter": job.submitter}),
    )
    given = job_input(settings, prepared)
    return given.model_copy(
        update={
            "policy": _roomier(given.policy, room),
            "plan_rung": None if view.plan else given.plan_rung,
            "resume_from": Standing(tree=view.tree, commit=view.commit) if view.commit else None,
            "attempts_before": max((attempt.number for attempt in view.attempts), default=0),
        }
    )


def _roomier(policy: LoopPolicy, room: Room) -> LoopPolicy:
    stated = {
        "max_attempts": room.max_attempts,
        "max_steps": room.max_steps,
        "max_wall_seconds": room.max_wall_seconds,
    }
    return policy.model_copy(update={name: value for name, value in stated.items() if value is not None})
