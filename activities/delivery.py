"""Delivery beyond a branch: merges, pushes and pull requests. The one place that holds git and forge credentials."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.beating import beating, despite_cancelling, this_workflow, whole
from activities.context import read_context, spec_of
from activities.judging import judge, judge_base
from activities.refusing import refusal
from activities.services import Services
from thirdshift.core.delivery import Delivered, Deliverer, MergePlan, Work, branch_names, forge_address
from thirdshift.core.delivery_text import (
    MessageFacts,
    RequestFacts,
    commit_message,
    merge_message,
    request_body,
    request_title,
    run_marker,
)
from thirdshift.core.errors import (
    DeliveryRefused,
    ForgeUnavailable,
    RepositoryRefused,
    RepositoryUnreachable,
    SetupFailed,
)
from thirdshift.core.failure_signature import brief
from thirdshift.core.forge import Forge, ForgeRequest, RequestDraft, ensure_request
from thirdshift.core.gate_book import verified_reviewers
from thirdshift.core.history import StopReason
from thirdshift.core.ledger import JobRow
from thirdshift.core.spec import Delivery
from thirdshift.core.verdict import Verdict
from thirdshift.delivery_signatures import DeliverTree, LandMerge, MergeJudged, VerifyMerge


@dataclass(frozen=True)
class DeliveryServices:
    """What deliveries act through. No other activity is given it, because credentials are in it."""

    deliverer: Deliverer
    forges: Mapping[str, Forge]
    """By the host in the repository's URL."""
    job_url: Callable[[str], str]
    """The page of a job; empty where it has none that others could open."""


class MergeVerification:
    """Runs on any host: it opens sandboxes, and is given no credentials."""

    def __init__(self, services: Services) -> None:
        self._services = services

    @activity.defn(name="verify_merge")
    async def verify_merge(self, given: VerifyMerge) -> MergeJudged:
        """Judge a merged tree as a change to the branch that it is merged onto."""
        services, job_id = self._services, this_workflow()
        async with beating():
            found = await asyncio.to_thread(read_context, services, f"loop-{job_id}-{given.packet}")
            plan = given.plan
            # What others did on the base branch is theirs: only the rest of the difference is this job's doing.
            onto = found.job.model_copy(update={"base_commit": plan.tip, "base_tree": plan.tip_tree})
            context = found.model_copy(update={"job": onto})
            try:
                before = await judge_base(services, context)
                verdict = await judge(services, context, plan.tree, before)
            except SetupFailed as failure:
                raise refusal(StopReason.UNDELIVERED, f"after the merge, setup failed: {failure}") from failure
            number = await whole(services.ledger.put_verdict, job_id, given.number, verdict, services.clock())
            broken = tuple(check.id for check in before.checks if not check.passed)
            return MergeJudged(verdict=brief(verdict, number), failing_before=broken)


class DeliveryActivities:
    """Runs wherever the repository and its forge can be reached."""

    def __init__(self, services: Services, delivery: DeliveryServices) -> None:
        self._services = services
        self._delivery = delivery

    @activity.defn(name="plan_merge")
    async def plan_merge(self, given: DeliverTree) -> MergePlan:
        """Merge in the hub; nothing that others see is changed."""
        async with beating():
            with _answering():
                return await whole(self._plan, this_workflow(), given)

    @activity.defn(name="land_merge")
    async def land_merge(self, given: LandMerge) -> bool:
        """Move the base branch by compare-and-swap."""
        async with beating():
            with _answering():
                return await despite_cancelling(self._land, this_workflow(), given)

    @activity.defn(name="push_branch")
    async def push_branch(self, given: DeliverTree) -> Delivered:
        """Push the tree's commit to a branch of the repository's remote."""
        async with beating():
            with _answering():
                return await despite_cancelling(self._push, this_workflow(), given)

    @activity.defn(name="request_merge")
    async def request_merge(self, given: DeliverTree) -> Delivered:
        """Push, then ask for a merge. Each finds what an earlier try has done."""
        async with beating():
            with _answering():
                return await despite_cancelling(self._request, this_workflow(), given)

    def _plan(self, job_id: str, given: DeliverTree) -> MergePlan:
        return self._delivery.deliverer.plan_merge(self._work(self._services.ledger.read_job(job_id), given))

    def _land(self, job_id: str, given: LandMerge) -> bool:
        work = self._work(self._services.ledger.read_job(job_id), given.work)
        return self._delivery.deliverer.land(work, given.plan)

    def _push(self, job_id: str, given: DeliverTree) -> Delivered:
        job = self._services.ledger.read_job(job_id)
        work, deliverer = self._work(job, given), self._delivery.deliverer
        taken: RepositoryRefused | None = None
        for branch in branch_names(job_id, accepted=True):
            try:
                commit = deliverer.push(work, branch)
            except RepositoryUnreachable:
                raise
            except RepositoryRefused as refused:
                taken = refused
                continue
            where = deliverer.remote_url(job.repository, given.onto)
            return Delivered(
                done=True,
                kind=Delivery.PUSH,
                detail=f"pushed to {branch} of {where}",
                branch=branch,
                commit=commit,
                onto=given.onto,
            )
        raise DeliveryRefused(str(taken))

    def _request(self, job_id: str, given: DeliverTree) -> Delivered:
        job = self._services.ledger.read_job(job_id)
        forge, project = self._forge(job, given.onto)  # before the push: without a forge, nothing is pushed
        pushed = self._push(job_id, given)
        facts = self._facts(job, given)
        draft = RequestDraft(
            project=project,
            head=pushed.branch,
            base=given.onto,
            title=request_title(facts),
            body=request_body(facts),
            marker=run_marker(given.run),
        )
        made = ensure_request(forge, draft)
        return pushed.model_copy(
            update={"kind": Delivery.PULL_REQUEST, "url": made.url, "detail": _told(made), "onto": given.onto}
        )

    def _forge(self, job: JobRow, onto: str) -> tuple[Forge, str]:
        url = self._delivery.deliverer.remote_url(job.repository, onto)
        found = forge_address(url)
        if found is None:
            raise DeliveryRefused(
                f"{url} is on no forge, so nobody can be asked for a merge there. "
                "Write `deliver: push`, and submit again."
            )
        if found[0] not in self._delivery.forges:
            raise DeliveryRefused(
                f"No forge is configured for {found[0]}, or its token is missing. In thirdshift.toml, write:\n"
                f'[forges.NAME]\nkind = "github"  # or "gitlab"\nhost = "{found[0]}"\ntoken_env = "VARIABLE"'
            )
        return self._delivery.forges[found[0]], found[1]

    def _work(self, job: JobRow, given: DeliverTree) -> Work:
        facts = self._message_facts(job, given)
        return Work(
            job=job.job_id,
            run=given.run,
            repository=job.repository,
            base_commit=job.base_commit,
            tree=given.tree,
            message=commit_message(facts),
            onto=given.onto,
            merge_message=merge_message(facts, given.onto),
        )

    def _message_facts(self, job: JobRow, given: DeliverTree) -> MessageFacts:
        return MessageFacts(
            title=job.title,
            job=job.job_id,
            spec=job.spec_id,
            run=given.run,
            cost_nano=self._services.ledger.job_cost_nano(job.job_id),
            reviewed_by=given.reviewed_by or verified_reviewers(self._services.ledger.gates(job.job_id), given.tree),
        )

    def _facts(self, job: JobRow, given: DeliverTree) -> RequestFacts:
        view, spec = self._services.ledger.job_view(job.job_id), spec_of(self._services, job)
        found = next((attempt.verdict for attempt in reversed(view.attempts) if _judged(attempt.verdict, given)), None)
        best = found or view.best or view.baseline
        return RequestFacts(
            message=self._message_facts(job, given),
            criteria=spec.criteria,
            checks=spec.checks,
            verdict=self._services.ledger.get_verdict(best.id) if best else Verdict(tree=given.tree, checks=()),
            spend=view.spend,
            budget_nano=view.budget_nano,
            attempts=len(view.loop_attempts),
            tree=given.tree,
            ledger_url=self._delivery.job_url(job.job_id),
        )


def _judged(verdict: object, given: DeliverTree) -> bool:
    return getattr(verdict, "tree", None) == given.tree


def _told(made: ForgeRequest) -> str:
    """What became of the request, when it was looked at last."""
    state = "" if made.state == "open" else f" ({made.state} by now)"
    return f"asked for a merge: {made.url}{state}"


@contextmanager
def _answering() -> Iterator[None]:
    """Turn a refusal that stays into an answer, and say when a forge wants to be asked again."""
    try:
        yield
    except DeliveryRefused as refused:
        raise refusal(StopReason.UNDELIVERED, str(refused)) from refused
    except ForgeUnavailable as gone:
        wait = gone.retry_after_seconds
        delay = timedelta(seconds=wait) if wait is not None else None
        raise ApplicationError(str(gone), type="ForgeUnavailable", next_retry_delay=delay) from gone
