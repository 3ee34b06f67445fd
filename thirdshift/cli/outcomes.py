"""``thirdshift outcomes sync``: what became of delivered work."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

import click

from thirdshift.cli.exit_codes import ExitCode
from thirdshift.cli.invocation import Invocation, invocation

if TYPE_CHECKING:
    from thirdshift.bootstrap.outcomes import Synced


@click.group()
def outcomes() -> None:
    """What became of delivered work: accepted, edited, rejected, reverted."""


@outcomes.command()
@invocation
def sync(call: Invocation) -> int:
    """Look in git, and at the forges, for what was merged, edited, rejected and reverted since the last look."""
    from thirdshift.bootstrap.outcomes import sync_outcomes
    from thirdshift.bootstrap.services import now, open_books

    settings = call.settings()
    with closing(open_books(settings)) as ledger:
        found = sync_outcomes(settings, ledger, now())
    call.answer(_as_json(found), lambda: _as_text(found))
    for job, problem in found.problems.items():
        call.remark(f"{job}: not looked at: {problem}")
    return ExitCode.UNAVAILABLE if found.problems else ExitCode.DONE


def _as_text(found: Synced) -> str:
    from thirdshift.reports.outcomes import render_outcomes

    return render_outcomes(found.views, found.totals, found.fresh)


def _as_json(found: Synced) -> dict[str, Any]:
    counts = found.totals
    return {
        "new": [event.model_dump(mode="json") for event in found.fresh],
        "jobs": [
            {
                "job_id": view.job_id,
                "state": view.state.value,
                "edited": view.edited,
                "reverted_share": view.reverted_share / 1000,
                "events": [event.model_dump(mode="json", exclude={"job_id"}) for event in view.events],
            }
            for view in found.views
        ],
        "totals": {
            **counts.model_dump(include={"pending", "accepted", "edited", "rejected", "reverted"}),
            "cost_per_accepted_usd": counts.cost_per_accepted_usd(),
        },
        "problems": found.problems,
    }
