"""The morning report for a program: a document whose keys do not change while ``schema`` stays the same.

Money is a decimal string of US dollars, times are in UTC. docs/reports.md says what each field is.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from thirdshift.core.money import format_usd
from thirdshift.core.morning_decisions import Decide
from thirdshift.core.mornings import Fate, JobLine, Morning, Waits
from thirdshift.core.night_book import NightLine
from thirdshift.core.questions import Money
from thirdshift.core.text import visible
from thirdshift.core.waste import Cause
from thirdshift.reports.morning_words import alarm_words, heading

SCHEMA = "thirdshift-morning-1"


def morning_document(morning: Morning) -> dict[str, Any]:
    """Everything, as JSON has it."""
    return {
        "schema": SCHEMA,
        "night": _night(morning),
        "told_at": morning.told_at.isoformat(),
        "so_far": morning.under_way,
        "ran": morning.ran,
        "alarm": visible(alarm_words(morning)) or None,
        "decide": [_decide(decide) for decide in morning.decisions],
        "counts": {fate.value: number for fate, number in morning.counts.items()},
        "accepted": [_job(line) for line in morning.of(Fate.ACCEPTED)],
        "waiting": [_wait(wait) for wait in morning.waiting],
        "waiting_elsewhere": morning.other_gates,
        "parked": [_job(line) for line in morning.of(Fate.PARKED)],
        "stopped": [_job(line) for line in morning.of(Fate.STOPPED)],
        "rejected": [_job(line) for line in morning.of(Fate.REJECTED)],
        "running": [_job(line) for line in morning.of(Fate.RUNNING)],
        "refused": _lines(morning, Fate.REFUSED),
        "passed_over": _lines(morning, Fate.PASSED_OVER),
        "not_begun": _lines(morning, Fate.LISTED),
        "budget": {
            "limit_usd": format_usd(morning.purse.limit_nano),
            "settled_usd": format_usd(morning.purse.settled_nano),
            "held_usd": format_usd(morning.purse.held_nano),
            "unknown_usd": format_usd(morning.purse.unknown_nano),
            "imputed_usd": format_usd(morning.purse.imputed_nano),
        },
        "cost_per_accepted": _compared(morning),
        "nights": [
            {"night": cost.night, "day": cost.day.isoformat(), "accepted": cost.accepted, **_money(cost.spent)}
            for cost in morning.costs
        ],
        "spend": [
            {"at": at.isoformat(), "metered_usd": format_usd(metered), "unknown_usd": format_usd(unknown)}
            for at, metered, unknown in morning.spends
        ],
        "waste": {
            "buckets": {cause.value: _money(morning.waste.by_cause[cause]) for cause in Cause},
            "no_outcome_under_way": _money(morning.waste.under_way),
            "total": _money(morning.waste.total),
        },
        "provider_trouble": [
            {
                "provider": visible(trouble.provider),
                "kind": trouble.kind,
                "calls": trouble.calls,
                "maybe_billed": trouble.unknown,
                "waited_seconds": round(trouble.waited_seconds, 3),
                "first_at": trouble.first.isoformat(),
                "last_at": trouble.last.isoformat(),
            }
            for trouble in morning.troubles
        ],
        "events": _events(morning),
    }


def _night(morning: Morning) -> dict[str, Any]:
    record = morning.record
    row, night = record.row, record.row.night
    return {
        "id": night.id,
        "shift": night.shift,
        "day": night.day.isoformat(),
        "heading": heading(morning),
        "by_hand": night.by_hand,
        "zone": row.zone,
        "opens_at": night.opens_at.isoformat(),
        "drains_at": night.drains_at.isoformat(),
        "closes_at": night.closes_at.isoformat(),
        "opened_at": row.opened_at.isoformat(),
        "closed_at": _stamp(record.closed_at),
        "how": record.how or None,
        "why": visible(record.why) or None,
        "deliver": row.deliver,
        "concurrency": row.concurrency,
        "workflow_id": row.workflow_id,
    }


def _stamp(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _money(money: Money) -> dict[str, str]:
    return {
        "metered_usd": format_usd(money.metered),
        "imputed_usd": format_usd(money.imputed),
        "unknown_usd": format_usd(money.unknown),
    }


def _decide(decide: Decide) -> dict[str, Any]:
    return {
        "on": decide.on.value,
        "what": visible(decide.what),
        "why": visible(decide.why) or None,
        "command": decide.command,
        "job_id": decide.job_id or None,
        "gate": decide.gate,
        "kind": decide.kind or None,
        "reviewers": [visible(name) for name in decide.reviewers],
        "waited_seconds": None if decide.waited_seconds is None else int(decide.waited_seconds),
        "ui_url": decide.link or None,
    }


def _job(line: JobLine) -> dict[str, Any]:
    job, fact = line.job, line.job.fact
    return {
        "job_id": line.job_id,
        "title": visible(line.title),
        "spec": visible(fact.spec_path),
        "repository": visible(fact.repository),
        "task": fact.task,
        "risk": fact.risk,
        "stop_reason": fact.stop_reason or None,
        "why": visible(line.why) or None,
        "command": line.command or None,
        "since": line.since or None,
        "branch": visible(job.branch) or None,
        "url": visible(job.url) or None,
        "ended_at": _stamp(fact.closed_at),
        "cost": _money(job.whole),
        "cost_tonight": _money(line.tonight),
    }


def _wait(wait: Waits) -> dict[str, Any]:
    gate = wait.gate
    return {
        "job_id": gate.job_id,
        "gate": gate.seq,
        "kind": gate.kind.value,
        "title": visible(wait.title),
        "reason": visible(gate.reason) or None,
        "reviewers": [visible(name) for name in gate.reviewers],
        "opened_at": gate.opened_at.isoformat(),
        "age_seconds": int(wait.waited_seconds),
        "of_this_night": wait.tonight,
        "charged_usd": format_usd(wait.cost_nano),
        "command": wait.command,
        "ui_url": wait.link or None,
    }


def _lines(morning: Morning, fate: Fate) -> list[dict[str, Any]]:
    return [_line(line) for line in morning.lines.get(fate, ())]


def _line(line: NightLine) -> dict[str, Any]:
    return {
        "spec": visible(line.spec_path or line.key),
        "title": visible(line.title) or None,
        "why": visible(line.why) or None,
        "priority": line.priority,
        "event": line.event,
        "first_seen_at": line.first_seen_at.isoformat(),
    }


def _compared(morning: Morning) -> dict[str, Any]:
    compared = morning.compared
    return {
        "metered_usd": None if compared.tonight_nano is None else format_usd(compared.tonight_nano),
        "accepted": compared.accepted,
        "month_metered_usd": None if compared.month_nano is None else format_usd(compared.month_nano),
        "change_percent": compared.change_percent,
        "month_nights": compared.month_nights,
        "month_accepted": compared.month_accepted,
        "month_spent": _money(compared.month_spent),
    }


def _events(morning: Morning) -> dict[str, Any] | None:
    events = morning.events
    if events is None:
        return None
    return {
        "since": events.since.isoformat(),
        "total": events.total,
        "decided": {what.value if what else "undecided": number for what, number in events.counts.items()},
    }
