"""Going on with a job that stopped: a new run of the same job, from its best tree, under the limits stated anew."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path

from temporalio.client import Client
from temporalio.common import WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from activities.services import Services
from thirdshift.adapters.engine.workflow_state import WorkflowState, workflow_state
from thirdshift.bootstrap.delivery import delivery_terms
from thirdshift.bootstrap.submission import Prepared, Submitted, job_input
from thirdshift.core.calls import Raise
from thirdshift.core.errors import BadInput
from thirdshift.core.gates import GateEnd
from thirdshift.core.history import LoopPolicy, StopReason
from thirdshift.core.ledger import JobClosing, ScopeKind
from thirdshift.core.money import format_usd
from thirdshift.core.ports import Base
from thirdshift.core.spec_text import parse_spec
from thirdshift.core.text import without_markup
from thirdshift.core.views import JobView
from thirdshift.settings import Settings
from thirdshift.signatures import WORKFLOW_QUEUE, JobInput, JobMemory, LoopResult, PacketDone, PacketInput, Standing
from workflows.job import Job


@dataclass(frozen=True)
class Room:
    """Limits stated anew. ``budget_nano`` is the job's budget in all; the others count from now on."""

    budget_nano: int | None = None
    max_attempts: int | None = None
    max_steps: int | None = None
    max_wall_seconds: float | None = None


async def resume(settings: Settings, services: Services, client: Client, job_id: str, room: Room) -> Submitted:
    """Start the next run of a job that stopped, or whose workflow was ended from outside.

    Raises BadInput for one that is running, accepted, or still without room. Where the run cannot be started, the
    job has the end that it had.
    """
    state = await workflow_state(client, job_id)
    # Read after the engine was asked: a workflow that ended by itself has closed the job's books before.
    view = await asyncio.to_thread(services.ledger.job_view, job_id)
    _refuse_unless_stopped(view, state)
    _refuse_without_money(view, room)
    given = await asyncio.to_thread(next_run, settings, services, view, room)
    await asyncio.to_thread(_reopen, settings, services, view, room)
    try:
        handle = await client.start_workflow(
            Job.run,
            given,
            id=job_id,
            task_queue=WORKFLOW_QUEUE,
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
            static_summary=without_markup(view.job.title),
        )
    except WorkflowAlreadyStartedError:
        raise BadInput(_running(job_id)) from None
    except Exception:
        await asyncio.to_thread(_put_end_back, services, view)
        raise
    run_id = handle.first_execution_run_id or ""
    return Submitted(job_id=job_id, run_id=run_id, created=True, title=view.job.title, running=True)


def _reopen(settings: Settings, services: Services, view: JobView, room: Room) -> None:
    """Make the books ready for the next run. This comes before the run's start, as the run may end at any time."""
    ledger, job_id, at = services.ledger, view.job.job_id, services.clock()
    if room.budget_nano is not None and view.budget_nano is not None and room.budget_nano > view.budget_nano:
        more = Raise(
            raise_id=f"{job_id}/{room.budget_nano}",
            kind=ScopeKind.JOB,
            key=job_id,
            by_nano=room.budget_nano - view.budget_nano,
            reviewer=settings.submitter,
            at=at,
        )
        ledger.raise_limit(more)
    for gate in ledger.gates(job_id, only_open=True):
        # A workflow that was ended from outside left it; nobody waits at it any more.
        ledger.decide_gate(job_id, gate.seq, (), GateEnd.WITHDRAWN, at)
    ledger.reopen_job(job_id, settings.submitter, at)


def _put_end_back(services: Services, view: JobView) -> None:
    if view.stop_reason is None or view.ended_at is None:
        return
    services.ledger.close_job(
        JobClosing(
            job_id=view.job.job_id,
            stop_reason=view.stop_reason,
            evidence=view.evidence,
            branch=view.branch,
            commit=view.commit,
            tree=view.tree,
            remedy=view.remedy,
            closed_at=view.ended_at,
        )
    )


def _running(job_id: str) -> str:
    return f"{job_id} is running already; follow it with: thirdshift watch {job_id}"


def _refuse_unless_stopped(view: JobView, state: WorkflowState) -> None:
    job_id = view.job.job_id
    if view.stop_reason is StopReason.ACCEPTED:
        raise BadInput(f"{job_id} was accepted; its result is on branch {view.branch}. There is nothing to go on with")
    if view.stop_reason is None and state is WorkflowState.UNKNOWN:
        raise BadInput(
            f"{job_id} has not stopped, but this Temporal server does not know it; go on with it on the server that\n"
            f"it was submitted to, or submit {view.job.spec_path} again"
        )
    if state is WorkflowState.RUNNING:
        raise BadInput(_running(job_id))


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


def next_run(settings: Settings, services: Services, view: JobView, room: Room) -> JobInput:
    """The first run's input with the limits, the best tree and the numbers of what went before. Blocking."""
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
    start = _start(services, view)
    left = _packets_left(services, given, view) if start else given.packets
    if start and not left:
        return given.model_copy(update={"plan_rung": None, "memory": _all_but_delivered(given, start)})
    return given.model_copy(
        update={
            "policy": _roomier(given.policy, room),
            "packets": left,
            "packets_before": len(given.packets) - len(left),
            "plan_rung": None if view.plan else given.plan_rung,
            "resume_from": start,
            "attempts_before": max((attempt.number for attempt in view.attempts), default=0),
        }
    )


def _start(services: Services, view: JobView) -> Standing | None:
    """Where the job stopped; where nobody closed it, its best judged tree. None for the base."""
    if view.stop_reason is not None:
        return Standing(tree=view.tree, commit=view.commit) if view.commit else None
    best = view.best
    if best is None or best.tampering or best.out_of_scope:
        return None
    commit = services.ledger.commit_of(view.job.job_id, best.tree)
    return Standing(tree=best.tree, commit=commit) if commit else None


def _packets_left(services: Services, given: JobInput, view: JobView) -> tuple[PacketInput, ...]:
    """The packets that are still to be done; none where only the gate and the delivery are left."""
    if view.stop_reason is StopReason.UNDELIVERED:
        return ()
    accepted = services.ledger.accepted_packets(view.job.job_id)
    left = tuple(packet for packet in given.packets if packet.id not in accepted)
    # A person who rejected what passed every check wants other work, not the same question again.
    return given.packets[-1:] if not left and view.stop_reason is StopReason.REJECTED else left


def _all_but_delivered(given: JobInput, start: Standing) -> JobMemory:
    """The memory of a job whose packets are all done: it goes on with its gate, if it has one, and its delivery."""
    accepted = LoopResult(
        stop=StopReason.ACCEPTED,
        evidence="",
        best=start,
        verified=True,
        attempts=0,
        steps=0,
        cost_nano=0,
    )
    done = tuple(
        PacketDone(packet=packet.id, stop=StopReason.ACCEPTED, evidence="", attempts=0, steps=0, cost_nano=0)
        for packet in given.packets
    )
    return JobMemory(plan_approved=True, done=done, result=accepted)


def _roomier(policy: LoopPolicy, room: Room) -> LoopPolicy:
    stated = {
        "max_attempts": room.max_attempts,
        "max_steps": room.max_steps,
        "max_wall_seconds": room.max_wall_seconds,
    }
    return policy.model_copy(update={name: value for name, value in stated.items() if value is not None})
