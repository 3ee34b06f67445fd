"""Submitting a spec: everything that can be refused is refused here, before anything is begun."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path

from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import WorkflowAlreadyStartedError

from activities.services import Services
from thirdshift.adapters.spec_file import read_source, repository_of
from thirdshift.bootstrap.delivery import delivery_terms
from thirdshift.core.delivery import DeliveryTerms
from thirdshift.core.errors import PriceUnknown, RepositoryRefused, SettingsInvalid, SpecInvalid
from thirdshift.core.gates import GateTerms
from thirdshift.core.history import LoopPolicy
from thirdshift.core.ladder import Ladder, Rung
from thirdshift.core.ledger import JobRow, SpecDoc
from thirdshift.core.packets import packets_in_order
from thirdshift.core.ports import Base
from thirdshift.core.spec import GateKind, Spec
from thirdshift.core.spec_text import parse_spec
from thirdshift.core.text import without_markup
from thirdshift.settings import Settings
from thirdshift.signatures import WORKFLOW_QUEUE, JobInput, PacketInput, Standing
from workflows.job import Job

MAX_HOLDOUT_BYTES = 8 << 20


@dataclass(frozen=True)
class Submitted:
    """A job that is there now. ``created`` is False where the same spec at the same base was submitted before."""

    job_id: str
    run_id: str
    created: bool
    title: str
    running: bool
    gates: tuple[GateKind, ...] = ()
    terms: GateTerms | None = None
    """Who is asked at the gates. Of a job that was there before, both are as a new one would have them."""


@dataclass(frozen=True)
class Prepared:
    """A submission that nothing stands against."""

    spec: Spec
    path: Path
    doc: SpecDoc
    repository: str
    base: Base
    job_id: str
    delivery: DeliveryTerms
    terms: GateTerms


def prepare(settings: Settings, services: Services, path: Path) -> Prepared:
    """Check a submission whole, changing nothing. Blocking."""
    source = read_source(path)
    spec, text = parse_spec(source, str(path)), source.decode("utf-8-sig")
    _price_every_rung(services, settings.require_keys())
    holdout = read_holdout(spec, path)
    repository = repository_of(spec, path)
    base = services.hub.resolve(repository, spec.base)
    if closed := services.hub.may_deliver(repository):
        raise RepositoryRefused(closed)
    delivery = delivery_terms(settings, spec, repository, path, None)
    doc = SpecDoc(id=_content_id(text, holdout), text=text, holdout=holdout)
    digest = hashlib.sha256(f"{doc.id} {repository} {base.commit}".encode()).hexdigest()[:8]
    job_id = f"job-{_slug(repository)}-{_slug(path.stem)}-{digest}"
    return Prepared(
        spec=spec,
        path=path,
        doc=doc,
        repository=repository,
        base=base,
        job_id=job_id,
        delivery=delivery,
        terms=settings.gate_terms(repository, spec.risk),
    )


async def submit(settings: Settings, services: Services, client: Client, path: Path) -> Submitted:
    """Start the spec's job, or find the one that was started before. Raises BadInput with nothing begun."""
    prepared = await asyncio.to_thread(prepare, settings, services, path)
    spec, job_id = prepared.spec, prepared.job_id
    row = job_row(settings, services, prepared)
    await asyncio.to_thread(services.ledger.put_spec, prepared.doc)
    await asyncio.to_thread(services.ledger.open_job, row)
    try:
        handle = await client.start_workflow(
            Job.run,
            job_input(settings, prepared),
            id=job_id,
            task_queue=WORKFLOW_QUEUE,
            id_reuse_policy=WorkflowIDReusePolicy.REJECT_DUPLICATE,
            id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
            static_summary=without_markup(spec.title),
        )
    except WorkflowAlreadyStartedError:
        found = await client.get_workflow_handle(job_id).describe()
        running = found.status is WorkflowExecutionStatus.RUNNING
        return _submitted(settings, prepared, found.run_id, created=False, running=running)
    return _submitted(settings, prepared, handle.first_execution_run_id or "", created=True, running=True)


def job_row(settings: Settings, services: Services, prepared: Prepared) -> JobRow:
    """The job as its books are opened with it."""
    spec = prepared.spec
    return JobRow(
        job_id=prepared.job_id,
        spec_id=prepared.doc.id,
        spec_path=str(prepared.path),
        title=spec.title,
        task=spec.task,
        risk=spec.risk,
        repository=prepared.repository,
        base_commit=prepared.base.commit,
        base_tree=prepared.base.tree,
        budget_nano=job_budget(settings, spec),
        submitter=settings.submitter,
        submitted_at=services.clock(),
        sandbox=services.sandbox.name,
        team=settings.team,
        priority=spec.priority,
    )


def _submitted(settings: Settings, prepared: Prepared, run_id: str, *, created: bool, running: bool) -> Submitted:
    return Submitted(
        job_id=prepared.job_id,
        run_id=run_id,
        created=created,
        title=prepared.spec.title,
        running=running,
        gates=gates_of(settings, prepared.spec),
        terms=prepared.terms,
    )


def job_input(settings: Settings, prepared: Prepared) -> JobInput:
    """What the job decides from."""
    spec = prepared.spec
    base = Standing(tree=prepared.base.tree, commit=prepared.base.commit)
    return JobInput(
        spec_id=prepared.doc.id,
        title=spec.title,
        repository=prepared.repository,
        task=spec.task,
        risk=spec.risk,
        base=base,
        policy=loop_policy(settings, spec),
        plan_rung=plan_rung(settings, spec),
        packets=packet_inputs(spec),
        terms=prepared.terms,
        delivery=prepared.delivery,
    )


def packet_inputs(spec: Spec) -> tuple[PacketInput, ...]:
    """The packets in an order that respects what each needs; a packet is judged by those before it as well."""
    if not spec.packets:
        every = tuple(criterion.id for criterion in spec.criteria)
        return (PacketInput(id="main", covers=every, checks=tuple(check.id for check in spec.checks)),)
    made: list[PacketInput] = []
    so_far: tuple[str, ...] = ()
    for packet in packets_in_order(spec.packets):
        so_far += packet.covers
        checks = tuple(check.id for check in spec.checks_for(so_far))
        made.append(PacketInput(id=packet.id, covers=packet.covers, checks=checks))
    return tuple(made)


def loop_policy(settings: Settings, spec: Spec) -> LoopPolicy:
    """The limits of the spec and the policy for its risk."""
    policy = settings.policy_for(spec.risk)
    return LoopPolicy(
        ladder=_ladder_for(settings, spec),
        first_tier=policy.first_tier,
        max_attempts=spec.budget.max_attempts,
        max_steps=spec.budget.max_steps,
        max_wall_seconds=spec.budget.max_wall_seconds,
        no_progress_attempts=policy.no_progress_attempts,
        repeated_failures=policy.repeated_failures,
        repeated_calls=policy.repeated_calls,
        oscillation_cycles=policy.oscillation_cycles,
        gates=gates_of(settings, spec),
    )


def gates_of(settings: Settings, spec: Spec) -> tuple[GateKind, ...]:
    """The gates that the spec asks for, and those of its risk, in the order in which they are met."""
    asked = {*spec.gates, *settings.policy_for(spec.risk).gates}
    return tuple(kind for kind in GateKind if kind in asked)


def _ladder_for(settings: Settings, spec: Spec) -> Ladder:
    """The ladder, its specialists those for the spec's task; SettingsInvalid if nothing is left of it."""
    ladder = settings.require_ladder().for_task(spec.task)
    if not ladder.rungs:
        raise SettingsInvalid(
            f"every configured rung is a specialist, and none is for `{spec.task}`;"
            f" add the task to `fits` of one of them, or a rung to [[tiers.economy]]"
        )
    return ladder


def plan_rung(settings: Settings, spec: Spec) -> Rung | None:
    """The first rung of the planning tier, else of the tier that the first attempt is made on."""
    if spec.plan == "none":
        return None
    ladder = _ladder_for(settings, spec)
    tier = settings.plan_tier or settings.policy_for(spec.risk).first_tier
    found = ladder.of(tier)
    return ladder.rungs[found[0]] if found else ladder.rungs[0]


def job_budget(settings: Settings, spec: Spec) -> int | None:
    """The lower of the spec's budget and the one that the configuration gives every job."""
    stated = [n for n in (spec.budget.max_budget_nano, settings.budgets.job_nano) if n is not None]
    return min(stated, default=None)


def _price_every_rung(services: Services, ladder: Ladder) -> None:
    missing = []
    for rung in ladder.rungs:
        terms = services.terms[rung.provider]
        try:
            services.prices.quote(terms.kind, rung.provider, rung.vendor_model, terms.base_url)
        except PriceUnknown as unknown:
            missing.append(str(unknown))
    if missing:
        raise SettingsInvalid("\n".join(dict.fromkeys(missing)))


def read_holdout(spec: Spec, path: Path) -> dict[str, str]:
    """The held-out files beside a spec: relative path to base64 content. Links and huge files are refused."""
    if not any(check.holdout for check in spec.checks):
        return {}
    root = path.parent / spec.holdout_dir
    if not root.is_dir():
        if any("HOLDOUT" in check.run for check in spec.checks if check.holdout):
            raise SpecInvalid(
                f"{path}: held-out checks use $HOLDOUT, but there is no directory {root};\n"
                "put their files there, or name another directory with `holdout_dir`"
            )
        return {}
    files: dict[str, str] = {}
    size = 0
    for file in sorted(root.rglob("*")):
        if file.is_symlink():
            raise SpecInvalid(f"{file}: a link among the held-out files; put the file itself there")
        if not file.is_file() or "__pycache__" in file.parts:
            continue
        size += file.stat().st_size
        if size > MAX_HOLDOUT_BYTES:
            raise SpecInvalid(
                f"{root}: held-out files are over {MAX_HOLDOUT_BYTES >> 20} MiB together; keep them small"
            )
        files[file.relative_to(root).as_posix()] = base64.b64encode(file.read_bytes()).decode()
    return files


def _content_id(text: str, holdout: dict[str, str]) -> str:
    return hashlib.sha256(json.dumps([text, holdout], sort_keys=True).encode()).hexdigest()


def _slug(name: str) -> str:
    last = name.rstrip("/").rpartition("/")[2].removesuffix(".git")
    return re.sub(r"[^a-z0-9]+", "-", last.lower()).strip("-")[:40] or "x"
