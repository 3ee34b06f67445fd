"""``open_gate``, ``decide_gate`` and ``notify``: a gate's place in the books, what it shows, and who is told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from temporalio import activity

from activities.beating import this_workflow, whole
from activities.context import spec_of
from activities.services import Services
from thirdshift.core.diff_shape import without_hashes
from thirdshift.core.gate_book import GateOpening
from thirdshift.core.gate_facts import GateFacts, check_lines, excerpt, failed_output
from thirdshift.core.gates import GateAnswer
from thirdshift.core.ledger import JobRow
from thirdshift.core.notices import Notifier, gate_notice
from thirdshift.core.plan import Plan, render_plan
from thirdshift.core.spec import GateKind
from thirdshift.core.text import redact
from thirdshift.core.ui_links import user_metadata_link
from thirdshift.gate_signatures import DecideGate, GateOpened, Notice, OpenGate
from thirdshift.reports.review_page import ReviewedGate, render_review

Vouching = Callable[[str, str, int, Sequence[GateAnswer]], Awaitable[tuple[GateAnswer, ...]]]
"""Workflow, run, gate and answers to the same answers with the names that the server vouches for."""
DIFF_LINES = 20_000
"""A diff is counted up to here; a reviewer of a longer one is told so by its last line."""


@dataclass(frozen=True)
class GateLinks:
    """Where the Temporal UI answers."""

    ui_url: str = ""
    namespace: str = "default"

    def page(self, workflow_id: str, run_id: str) -> str:
        """The page where a gate is read and answered; empty where no UI is known."""
        return user_metadata_link(self.ui_url, self.namespace, workflow_id, run_id) if self.ui_url else ""


class GateActivities:
    """``open_gate`` needs the hub, for the diff; the others need the ledger alone."""

    def __init__(
        self,
        services: Services,
        links: GateLinks,
        notifier: Notifier | None = None,
        reviews: str = "",
        vouched: Vouching | None = None,
    ) -> None:
        """``reviews`` is the directory of the pages that show a gate whole; empty: none is written.

        ``vouched`` asks the server who gave answers; None: every name stays a claim.
        """
        self._services = services
        self._links = links
        self._notifier = notifier
        self._reviews = reviews
        self._vouched = vouched

    @activity.defn(name="open_gate")
    async def open_gate(self, given: OpenGate) -> GateOpened:
        """Give the gate its number and gather what it shows. A retry is the same gate."""
        info = activity.info()
        opening = GateOpening(
            open_key=f"{info.workflow_run_id}/{info.activity_id}",
            job_id=given.job_id,
            owner_id=this_workflow(),
            kind=given.kind,
            tree=given.tree,
            reason=given.reason,
            reviewers=given.reviewers,
            opened_at=self._services.clock(),
        )
        facts, text = await asyncio.to_thread(self._facts, given)
        seq = await whole(self._services.ledger.open_gate, opening)
        page = await asyncio.to_thread(self._write_page, given, seq, facts, text)
        links = (*facts.links, f"file://{page}") if page else facts.links
        return GateOpened(seq=seq, facts=facts.model_copy(update={"links": links}))

    @activity.defn(name="decide_gate")
    async def decide_gate(self, given: DecideGate) -> None:
        """Write answers and an end into the books."""
        services, answers = self._services, given.answers
        if answers and self._vouched is not None:
            answers = await self._vouched(this_workflow(), activity.info().workflow_run_id or "", given.seq, answers)
        await whole(services.ledger.decide_gate, given.job_id, given.seq, answers, given.end, services.clock())

    @activity.defn(name="notify")
    async def notify(self, given: Notice) -> None:
        """Tell the reviewers. Raises NoticeNotSent, which the gate does not wait for."""
        if self._notifier is None:
            return
        info = activity.info()
        job = await asyncio.to_thread(self._services.ledger.read_job, given.job_id)
        page = self._links.page(this_workflow(), info.workflow_run_id or "")
        links = [link for link in (page, f"thirdshift decide {given.job_id}") if link]
        notice = gate_notice(job.title, given.job_id, given.seq, given.kind, given.what, links)
        await asyncio.to_thread(self._notifier.send, notice, given.to)

    def _write_page(self, given: OpenGate, seq: int, facts: GateFacts, text: str) -> str:
        """The path of the page that shows the gate whole; empty where it cannot be written. The gate opens anyway."""
        if not self._reviews:
            return ""
        job = self._services.ledger.read_job(given.job_id)
        gate = ReviewedGate(
            job_id=job.job_id,
            seq=seq,
            kind=given.kind,
            tree=given.tree,
            reason=given.reason,
            repository=job.repository,
            base_commit=job.base_commit,
            goal=redact(spec_of(self._services, job).goal, self._services.secrets),
            whole=text,
        )
        path = Path(self._reviews) / job.job_id / f"gate-{seq}.html"
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            staged = path.with_suffix(".new")
            staged.write_text(render_review(gate, facts), encoding="utf-8", errors="replace")
            staged.replace(path)
        except OSError as error:
            activity.logger.warning("no review page of gate %d: %s", seq, error)
            return ""
        return str(path)

    def _facts(self, given: OpenGate) -> tuple[GateFacts, str]:
        """What the gate shows, and the whole of what it shows an excerpt of."""
        ledger = self._services.ledger
        job = ledger.read_job(given.job_id)
        verdict = ledger.get_verdict(given.verdict) if given.verdict is not None else None
        checks, left_out = check_lines(verdict) if verdict else ((), 0)
        shown = redact(self._whole(job, given), self._services.secrets)
        text, lines = excerpt(shown)
        facts = GateFacts(
            title=job.title,
            checks=checks,
            checks_left_out=left_out,
            to_review=self._to_review(job, given.kind),
            failed_output=failed_output(verdict) if verdict else "",
            cost_nano=ledger.job_cost_nano(given.job_id),
            budget_nano=ledger.job_view(given.job_id).budget_nano,
            excerpt=text,
            excerpt_of="plan" if given.kind is GateKind.PLAN else "diff",
            excerpt_lines=lines,
            links=(f"thirdshift diff {given.job_id}", f"thirdshift decide {given.job_id}"),
        )
        return facts, shown

    def _whole(self, job: JobRow, given: OpenGate) -> str:
        """The plan that is to be approved, or the change so far."""
        if given.kind is GateKind.PLAN:
            stored = self._services.ledger.get_plan(job.job_id)
            return render_plan(Plan.model_validate_json(stored)) if stored else ""
        if given.tree == job.base_tree:
            return ""
        return without_hashes(self._services.hub.diff(job.base_tree, given.tree, DIFF_LINES))

    def _to_review(self, job: JobRow, kind: GateKind) -> tuple[str, ...]:
        if kind is not GateKind.MERGE:
            return ()
        spec = spec_of(self._services, job)
        return tuple(f"{criterion.id}: {criterion.text}" for criterion in spec.criteria if criterion.by_review)
