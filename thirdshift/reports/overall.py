"""The report over all jobs: what came of them, and what they cost by tier, model and role."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from thirdshift.core.views import CostLine, JobState, JobSummary, Spend
from thirdshift.core.words import counted
from thirdshift.reports.columns import Column, field, table, wrapped
from thirdshift.reports.figures import beside, count, money
from thirdshift.reports.listing import render_jobs

_COSTS = (
    Column("tier"),
    Column("model", shrinks=True),
    Column("role"),
    Column("calls", figures=True),
    Column("tokens in", figures=True),
    Column("cached", figures=True),
    Column("out", figures=True),
    Column("cost", figures=True),
)
_SHOWN = 20


def render_overall(rows: Sequence[JobSummary], lines: Sequence[CostLine]) -> str:
    """The report as text of at most eighty columns."""
    if not rows:
        return "no job was submitted yet; `thirdshift init` writes a first spec"
    parts = [_head(rows, lines), _costs(lines), _jobs(rows)]
    return "\n\n".join("\n".join(part) for part in parts if part)


def _head(rows: Sequence[JobSummary], lines: Sequence[CostLine]) -> list[str]:
    states = Counter(row.state for row in rows)
    total = sum((line.spend for line in lines), Spend())
    accepted = states[JobState.ACCEPTED]
    said = [
        field("jobs", ", ".join(f"{states[state]} {state.value}" for state in JobState if states[state])),
        field("cost", money(total.settled_nano)),
    ]
    if accepted:
        # Failures included: what an accepted outcome costs is what it took to get it.
        each = money(total.settled_nano // accepted)
        said.append(field("", f"{each} for each of {counted(accepted, 'accepted job')}, failures included"))
    return said + [line for sentence in beside(total) for line in wrapped(sentence, indent=" " * 10)]


def _costs(lines: Sequence[CostLine]) -> list[str]:
    if not lines:
        return []
    cells = [
        [
            line.tier.value,
            line.model,
            line.role,
            count(line.calls.settled + line.calls.unknown + line.calls.held),
            count(line.tokens.input),
            count(line.tokens.cached),
            count(line.tokens.output),
            money(line.spend.settled_nano),
        ]
        for line in sorted(lines, key=lambda line: (-line.spend.settled_nano, line.tier.height, line.model, line.role))
    ]
    return ["COST BY TIER, MODEL AND ROLE", *table(_COSTS, cells)]


def _jobs(rows: Sequence[JobSummary]) -> list[str]:
    shown = rows[:_SHOWN]
    more = [f"and {len(rows) - _SHOWN} more; all of them with --json"] if len(rows) > _SHOWN else []
    return ["JOBS, NEWEST FIRST", render_jobs(shown), *more]
