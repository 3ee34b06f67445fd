"""The answers for a program: a document whose keys do not change while ``schema`` stays the same."""

from __future__ import annotations

from typing import Any

from thirdshift.core.money import format_usd
from thirdshift.core.questions import Group, Money, Use
from thirdshift.core.reckoning import OUTCOME_DIMENSIONS, Answers, Dimension
from thirdshift.core.routing import Run
from thirdshift.core.runaways import PolicyTotal, Stopped
from thirdshift.core.text import visible
from thirdshift.core.waste import Cause
from thirdshift.reports.routing_rows import group_row, run_row

SCHEMA = "thirdshift-report-1"
METHOD = (
    "Estimate, not a measurement. At least: one more attempt at the mean cost of the job's attempts, or one more call "
    "at the mean cost of the attempt's calls. At most: what was left of the job's budget; null where nothing else "
    "would have stopped it."
)


def document(answers: Answers) -> dict[str, Any]:
    """Everything, as JSON has it. Money is a decimal string of US dollars; its three kinds are never one figure."""
    return {
        "schema": SCHEMA,
        "period": period_document(answers),
        "total": _total(answers),
        "agents": [group_row(group, ("model", "tier", "role"), outcomes=False) for group in answers.agents],
        "repositories": _by(answers, Dimension.REPOSITORY),
        "specs": _by(answers, Dimension.SPEC),
        "workflows": _by(answers, Dimension.WORKFLOW),
        "outcomes": {
            "counts": {output.value: count for output, count in answers.outputs.items()},
            "landed": answers.landed,
            "by_task": {
                task: {output.value: count for output, count in counts.items()}
                for task, counts in answers.outputs_by_task.items()
            },
            "list": [outcome_row(run) for run in answers.runs if answers.period.has(run.ended_at)],
        },
        "tiers": _tiers(answers),
        "stops": {
            "method": METHOD,
            "by_policy": [_policy(total) for total in answers.stop_totals],
            "list": [_stop(stop) for stop in answers.stops],
        },
        "cost_per_accepted": {dimension.value: _by(answers, dimension) for dimension in OUTCOME_DIMENSIONS},
        "waste": {
            "buckets": {cause.value: _money(answers.waste.by_cause[cause]) for cause in Cause},
            "no_outcome_under_way": _money(answers.waste.under_way),
            "total": _money(answers.waste.total),
        },
        "runs": [run_row(run) for run in answers.runs],
    }


def period_document(answers: Answers) -> dict[str, str | None]:
    """The period's borders, ``until`` not included; null is open."""
    period = answers.period
    return {
        "since": period.since.isoformat() if period.since else None,
        "until": period.until.isoformat() if period.until else None,
        "zone": str(period.zone),
    }


def _money(money: Money) -> dict[str, str]:
    return {
        "metered_usd": format_usd(money.metered),
        "imputed_usd": format_usd(money.imputed),
        "unknown_usd": format_usd(money.unknown),
    }


def _use(use: Use) -> dict[str, Any]:
    return {
        "calls": use.calls,
        "tokens": {
            "input": use.input_tokens,
            "cached": use.cached_tokens,
            "output": use.output_tokens,
            "reasoning": use.reasoning_tokens,
        },
        **_money(use.money),
        "held_usd": format_usd(use.held),
        "model_seconds": use.milliseconds / 1000,
    }


def _total(answers: Answers) -> dict[str, Any]:
    each = answers.cost_per_accepted
    return {
        **_use(answers.total),
        "runs": len(answers.runs),
        "accepted": answers.accepted,
        "per_accepted": None if each is None else _money(each),
    }


def _by(answers: Answers, dimension: Dimension) -> list[dict[str, Any]]:
    return [group_row(group, (dimension.value.replace("-", "_"),)) for group in answers.by[dimension]]


def outcome_row(run: Run) -> dict[str, Any]:
    """What came of a run and who answers for it: no tokens and no money beside a person's name."""
    job, review = run.job, run.review
    return {
        "run": job.job_id,
        "title": visible(job.title),
        "output": run.output.value,
        "landed": run.landed,
        "stopped_by": run.stopped_by,
        "submitter": visible(job.submitter),
        "reviewer": visible(review.reviewer) if review else None,
        "review": review.verdict if review else None,
        "gate": review.gate if review else None,
        "ended_at": job.closed_at.isoformat() if job.closed_at else None,
    }


def _tiers(answers: Answers) -> dict[str, Any]:
    frontier = answers.frontier
    return {
        "by_risk": [_risk(group) for group in answers.risks],
        "frontier": {
            "calls": frontier.calls,
            "by_reason": dict(frontier.by_reason),
            "without_reason": [{"run": job_id, "calls": calls} for job_id, calls in frontier.unexplained],
            "always_with_reason": not frontier.unexplained,
        },
    }


def _risk(group: Group) -> dict[str, Any]:
    return {**group_row(group, ("risk", "tier"), outcomes=False), "runs": group.runs}


def _policy(total: PolicyTotal) -> dict[str, Any]:
    return {
        "policy": total.policy,
        "jobs_stopped": total.jobs,
        "attempts_ended": total.attempts,
        "estimated_avoided_at_least_usd": format_usd(total.at_least_nano),
        "estimated_avoided_at_most_usd": format_usd(total.at_most_nano),
        "without_upper_end": total.without_most,
    }


def _stop(stop: Stopped) -> dict[str, Any]:
    most = stop.at_most_nano
    return {
        "policy": stop.policy,
        "run": stop.job_id,
        "attempt": stop.attempt,
        "after_attempts": stop.attempts,
        "after_calls": stop.calls,
        "spent_usd": format_usd(stop.spent_nano),
        "at": stop.at.isoformat(),
        "evidence": visible(stop.evidence),
        "estimated_avoided_at_least_usd": format_usd(stop.at_least_nano),
        "estimated_avoided_at_most_usd": None if most is None else format_usd(most),
    }
