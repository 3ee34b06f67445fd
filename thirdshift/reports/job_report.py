"""The report on one job: what was tried, how it was judged, what it cost, where it is, and what to type next."""

from __future__ import annotations

import shlex
from collections import defaultdict
from collections.abc import Sequence

from thirdshift.core.history import ReasonCode
from thirdshift.core.ladder import Tier
from thirdshift.core.text import one_line, visible
from thirdshift.core.verdict import CheckOutcome, how_it_ended, output_tail
from thirdshift.core.views import AttemptView, CallCounts, JobState, JobView, Spend, Tokens
from thirdshift.core.words import counted, listed
from thirdshift.reports.columns import WIDTH, Column, field, table, wrapped
from thirdshift.reports.figures import beside, count, duration, money, of_budget

_ATTEMPTS = (
    Column("try"),
    Column("tier"),
    Column("model", shrinks=True),
    Column("steps", figures=True),
    Column("checks", figures=True),
    Column("outcome"),
    Column("cost", figures=True),
)
_TIERS = (
    Column("tier"),
    Column("calls", figures=True),
    Column("tokens in", figures=True),
    Column("cached", figures=True),
    Column("out", figures=True),
    Column("cost", figures=True),
)
_REASONS = {
    ReasonCode.FIRST: "first",
    ReasonCode.RETRY_WITH_EVIDENCE: "retry_with_evidence: the same rung again, told what failed",
    ReasonCode.SIDEWAYS_PROVIDER: "sideways_provider: the rung before it had no provider; same tier",
}


def render_job(view: JobView, ui_url: str, failing: Sequence[CheckOutcome] = (), request_url: str = "") -> str:
    """The report as text of at most eighty columns, except for names and output that are to be copied whole.

    ``failing`` are the checks whose output is shown: those that the best tree, or the newest, still fails.
    ``request_url`` is that of the merge which was asked for.
    """
    where = _where(view, ui_url, request_url)
    parts = [_head(view), _attempts(view), _failing_checks(failing), _tiers(view), where, _next(view)]
    return "\n\n".join("\n".join(part) for part in parts if part)


def _head(view: JobView) -> list[str]:
    job = view.job
    state = view.state.value.upper()
    lines = [
        f"{state}: {one_line(job.title, WIDTH - len(state) - 2)}",
        field("job", job.job_id),
        field("spec", f"{visible(job.spec_path)} ({job.task}, risk {job.risk})"),
        field("repo", visible(job.repository)),
        field("cost", of_budget(view.spend.settled_nano, view.budget_nano)),
    ]
    if view.ended_at is not None:
        lines.append(field("took", duration((view.ended_at - job.submitted_at).total_seconds())))
    if view.state is JobState.PARKED:
        why = wrapped(visible(view.parked_why), indent=" " * 10)
        lines += [field("parked", why[0].strip()), *why[1:]]
    if view.stop_reason is not None and view.state is not JobState.ACCEPTED:
        lines.append(field("stopped", view.stop_reason.value))
        lines += wrapped(visible(view.evidence), indent=" " * 10)
    return lines


def _attempts(view: JobView) -> list[str]:
    if not view.attempts:
        return []
    rows: list[list[str]] = []
    lower: AttemptView | None = None
    for attempt in view.attempts:
        rows.append(_row(attempt, _plan_outcome(view) if attempt.owner_id == view.job.job_id else ""))
        if attempt.reason is not ReasonCode.FIRST:
            rows.append([_reason(attempt, lower)])
        if attempt.evidence:
            rows.append([attempt.evidence])
        if attempt.spend.unknown_nano:
            lost = counted(attempt.calls.unknown, "call")
            rows.append([f"and {lost} of unknown cost, at most {money(attempt.spend.unknown_nano)}"])
        if attempt.owner_id != view.job.job_id:
            lower = attempt
    return ["ATTEMPTS", *table(_ATTEMPTS, rows)]


def _row(attempt: AttemptView, plan: str) -> list[str]:
    verdict = attempt.verdict
    checks = "" if verdict is None else f"{verdict.passing} of {len(verdict.checks)}"
    return [
        "plan" if plan else str(attempt.number),
        attempt.tier.value,
        attempt.model + (f" ({attempt.effort})" if attempt.effort else ""),
        str(attempt.steps),
        checks,
        _outcome(attempt, plan),
        money(attempt.spend.settled_nano),
    ]


def _outcome(attempt: AttemptView, plan: str) -> str:
    if attempt.verdict is not None:
        if attempt.verdict.tampering:
            return "tampering"
        if attempt.verdict.out_of_scope:
            return "out of scope"
        return "passed" if attempt.verdict.passed else "failed"
    if attempt.end is not None:
        return attempt.end.value
    return plan or "under way"


def _plan_outcome(view: JobView) -> str:
    """A plan's conversation is never closed, so its end shows in what came after it."""
    if view.plan is not None:
        return "planned"
    return "no plan" if view.loop_attempts or view.ended_at is not None else "under way"


def _reason(attempt: AttemptView, lower: AttemptView | None) -> str:
    if attempt.reason is not ReasonCode.VERIFICATION_FAILED:
        return _REASONS[attempt.reason]
    below = "" if lower is None else f" {lower.tier.value} -> {attempt.tier.value}"
    failing = _failing(lower)
    because = f", {listed(failing)} still failing" if failing else ""
    return f"escalated{below}: {attempt.reason.value}{because}"


def _failing(attempt: AttemptView | None) -> list[str]:
    if attempt is None or attempt.verdict is None:
        return []
    return [check.id for check in attempt.verdict.checks if check.state != "passed"]


def _failing_checks(failing: Sequence[CheckOutcome]) -> list[str]:
    lines = ["FAILING CHECKS"] if failing else []
    for check in failing:
        lines.append(f"  {check.id}: {how_it_ended(check)}")
        lines += [f"    {line}" for line in output_tail(check)]
    return lines


def _tiers(view: JobView) -> list[str]:
    spend: dict[Tier, Spend] = defaultdict(Spend)
    tokens: dict[Tier, Tokens] = defaultdict(Tokens)
    calls: dict[Tier, CallCounts] = defaultdict(CallCounts)
    for attempt in view.attempts:
        spend[attempt.tier] += attempt.spend
        tokens[attempt.tier] += attempt.tokens
        calls[attempt.tier] += attempt.calls
    used = [tier for tier in Tier if tier in spend]
    if not used:
        return []
    rows = [_tier_row(tier.value, calls[tier], tokens[tier], spend[tier]) for tier in used]
    if len(used) > 1:
        rows.append(_tier_row("total", view.calls, view.tokens, view.spend))
    said = [line for sentence in beside(view.spend) for line in wrapped(sentence)]
    return ["COST BY TIER", *table(_TIERS, rows), *said]


def _tier_row(name: str, calls: CallCounts, tokens: Tokens, spend: Spend) -> list[str]:
    made = calls.settled + calls.unknown + calls.held
    return [
        name,
        count(made),
        count(tokens.input),
        count(tokens.cached),
        count(tokens.output),
        money(spend.settled_nano),
    ]


def _where(view: JobView, ui_url: str, request_url: str) -> list[str]:
    lines = []
    if view.branch:
        lines.append(field("branch", visible(view.branch)))
    if view.commit:
        lines.append(field("commit", view.commit))
    best = view.left
    if view.branch and best is not None and view.state is not JobState.ACCEPTED:
        lines.append(field("best tree", f"{best.tree} ({best.passing} of {counted(len(best.checks), 'check')} pass)"))
    if request_url:
        lines.append(field("request", visible(request_url)))
    if ui_url:
        lines.append(field("Temporal", ui_url))
    return lines


def _next(view: JobView) -> list[str]:
    job = view.job
    if view.state is JobState.ACCEPTED and view.branch:
        git = f"git -C {shlex.quote(job.repository)}" if "://" not in job.repository else "git"
        base = job.base_commit[:12]
        return [
            "NEXT",
            f"  {git} diff {base} {shlex.quote(view.branch)}",
            f"  {git} merge {shlex.quote(view.branch)}",
        ]
    if view.remedy:
        return ["NEXT", f"  {visible(view.remedy)}"]
    if view.state is JobState.WAITING:
        return ["NEXT", f"  thirdshift decide {job.job_id}"]
    if view.state is JobState.PARKED:
        return ["NEXT", f"  thirdshift resume {job.job_id}    (to go on now, outside of its window)"]
    if view.stop_reason is None:
        return ["NEXT", f"  thirdshift watch {job.job_id}"]
    return []
