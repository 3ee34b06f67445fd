"""The routing ledger as rows: one for each run, the same fields for CSV and JSON. People are not among them.

A row that had a person and tokens side by side would be half of a ranking. Submitters and reviewers stand with the
outcomes instead, where there are no tokens.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from thirdshift.core.money import format_usd
from thirdshift.core.questions import Group
from thirdshift.core.routing import Run
from thirdshift.core.text import visible

Value = str | int | float | bool | None

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""What a spreadsheet takes for the beginning of a formula."""


def run_row(run: Run) -> dict[str, Value]:
    """One run. Money is a decimal string of US dollars, its kinds apart; paths are joined by `` > ``."""
    job, use, review = run.job, run.use, run.review
    wall = run.wall_seconds
    return {
        "run": job.job_id,
        "title": visible(job.title),
        "task": job.task,
        "repository": visible(job.repository),
        "spec": visible(job.spec_path),
        "models": " > ".join(run.models),
        "tier_path": run.tier_path,
        "reason_codes": " > ".join(run.reasons),
        "risk": job.risk,
        "output": run.output.value,
        "landed": run.landed,
        "review": f"{review.verdict} ({review.gate})" if review else "",
        "stopped_by": run.stopped_by,
        "attempts": run.attempts,
        "calls": use.calls,
        "tool_calls": run.tool_calls,
        "input_tokens": use.input_tokens,
        "cached_tokens": use.cached_tokens,
        "output_tokens": use.output_tokens,
        "metered_usd": format_usd(use.metered),
        "imputed_usd": format_usd(use.imputed),
        "unknown_usd": format_usd(use.unknown),
        "wall_seconds": None if wall is None else round(wall, 3),
        "model_seconds": use.milliseconds / 1000,
        "tool_seconds": run.tool_milliseconds / 1000,
        "submitted_at": job.submitted_at.isoformat(),
        "ended_at": job.closed_at.isoformat() if job.closed_at else None,
        "team": visible(job.team),
        "night": visible(job.night),
    }


def group_row(group: Group, names: Sequence[str], *, outcomes: bool = True) -> dict[str, Value]:
    """A group under the names of its key's parts. With ``outcomes``, what an accepted one cost."""
    use = group.use
    row: dict[str, Value] = {
        **{name: visible(part) for name, part in zip(names, group.key, strict=True)},
        "calls": use.calls,
        "input_tokens": use.input_tokens,
        "cached_tokens": use.cached_tokens,
        "output_tokens": use.output_tokens,
        "metered_usd": format_usd(use.metered),
        "imputed_usd": format_usd(use.imputed),
        "unknown_usd": format_usd(use.unknown),
    }
    if outcomes:
        each = group.cost_per_accepted()
        row |= {
            "runs": group.runs,
            "accepted": group.accepted,
            "metered_usd_per_accepted": None if each is None else format_usd(each.metered),
            "imputed_usd_per_accepted": None if each is None else format_usd(each.imputed),
            "unknown_usd_per_accepted": None if each is None else format_usd(each.unknown),
        }
    return row


def group_columns(name: str, *, outcomes: bool = True) -> tuple[str, ...]:
    """The fields of ``group_row`` for a key of one part."""
    return tuple(group_row(Group(("",)), (name,), outcomes=outcomes))


def to_csv(rows: Iterable[dict[str, Value]], names: Sequence[str]) -> str:
    """The rows as CSV with a heading, lines ended as RFC 4180 has them. No cell is a formula to a spreadsheet."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(names)
    for row in rows:
        writer.writerow([_cell(row[name]) for name in names])
    return text.getvalue()


def _cell(value: Value) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, str) and value.startswith(_FORMULA):
        return "'" + value
    return "" if value is None else str(value)


RUN_COLUMNS = (
    "run",
    "title",
    "task",
    "repository",
    "spec",
    "models",
    "tier_path",
    "reason_codes",
    "risk",
    "output",
    "landed",
    "review",
    "stopped_by",
    "attempts",
    "calls",
    "tool_calls",
    "input_tokens",
    "cached_tokens",
    "output_tokens",
    "metered_usd",
    "imputed_usd",
    "unknown_usd",
    "wall_seconds",
    "model_seconds",
    "tool_seconds",
    "submitted_at",
    "ended_at",
    "team",
    "night",
)
