"""What became of delivered work, as text: where each job stands, and what an accepted one cost."""

from __future__ import annotations

from collections.abc import Sequence

from thirdshift.core.outcomes import WHOLE, Outcome, OutcomeKind, OutcomeState, OutcomeTotals, OutcomeView
from thirdshift.core.words import counted
from thirdshift.reports.columns import Column, field, table
from thirdshift.reports.figures import beside, money

_COLUMNS = (
    Column("job", shrinks=True, by_end=True),
    Column("stands"),
    Column("since"),
    Column("commit"),
    Column("shown by"),
)


def render_outcomes(views: Sequence[OutcomeView], totals: OutcomeTotals, fresh: Sequence[Outcome]) -> str:
    """The report as text of at most eighty columns."""
    if not views:
        return "nothing was delivered yet, so there is nothing to look for"
    rows = [_row(view) for view in views]
    return "\n".join([*outcome_lines(totals), field("new", counted(len(fresh), "event")), "", *table(_COLUMNS, rows)])


def outcome_lines(totals: OutcomeTotals) -> list[str]:
    """The counts, and the cost of an accepted outcome: all spend, failures included, over what stayed accepted."""
    counts = [f"{getattr(totals, state.value)} {state.value}" for state in OutcomeState if getattr(totals, state.value)]
    edited = f" ({totals.edited} of the accepted edited)" if totals.edited else ""
    cost = totals.cost_per_accepted_nano
    return [
        field("outcomes", (", ".join(counts) or "none") + edited),
        field("each", "nothing accepted" if cost is None else f"{money(cost)} for each accepted and not reverted"),
        *beside(totals.spend),
    ]


def _row(view: OutcomeView) -> list[str]:
    said = view.state.value
    if view.state is OutcomeState.ACCEPTED and view.edited:
        said += ", edited"
    if 0 < view.reverted_share < WHOLE:
        said += f", {view.reverted_share // 10}% back out"
    last = next((event for event in reversed(view.events) if event.kind is not OutcomeKind.EDITED), None)
    if last is None:
        return [view.job_id, said, "", "", ""]
    return [view.job_id, said, f"{last.at:%Y-%m-%d}", last.commit[:12], last.how]
