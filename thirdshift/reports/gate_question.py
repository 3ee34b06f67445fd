"""What a gate asks, for a reviewer before a terminal."""

from __future__ import annotations

from thirdshift.core.gate_book import GateRecord
from thirdshift.core.plan import Plan, render_plan
from thirdshift.core.spec import GateKind
from thirdshift.core.text import one_line, visible
from thirdshift.core.views import JobView, VerdictView
from thirdshift.reports.columns import WIDTH, field, wrapped
from thirdshift.reports.figures import of_budget

_ASKED = {
    GateKind.PLAN: "Is this the way to do it? Approve, and code is written.",
    GateKind.FRONTIER: "Is it worth a frontier model? Approve, and one is called.",
    GateKind.BUDGET: "Is it worth more money? Approve with an amount, and it goes on.",
    GateKind.MERGE: "Is this what was asked for? Approve, and it is delivered.",
}


def render_question(view: JobView, gate: GateRecord, changed: str) -> str:
    """The question with what bears on it: reason, checks, cost, and what changed (``changed``, made visible)."""
    lines = [
        f"GATE {gate.seq}, {gate.kind}: {one_line(view.job.title, WIDTH - 20)}",
        *wrapped(_ASKED[gate.kind]),
        "",
        field("job", gate.job_id),
        field("tree", gate.tree),
        field("cost", of_budget(view.spend.settled_nano, view.budget_nano)),
        *wrapped(visible(gate.reason), indent="  "),
    ]
    best = view.best if view.best and view.best.tree == gate.tree else None
    parts = ["\n".join(lines), *([_checks(best)] if best else [])]
    if gate.kind is GateKind.PLAN and view.plan:
        parts.append("PLAN\n" + visible(render_plan(Plan.model_validate_json(view.plan))).rstrip())
    if gate.tree != view.job.base_tree:
        parts.append(f"CHANGED\n{changed}")
    return "\n\n".join(parts)


def _checks(verdict: VerdictView) -> str:
    lines = [f"  {check.state:<8} {one_line(check.id, 40)}" for check in verdict.checks]
    return "\n".join(["CHECKS", *lines])
