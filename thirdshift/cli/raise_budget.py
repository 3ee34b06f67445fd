"""``thirdshift raise-budget``: more money for a job that runs."""

from __future__ import annotations

import click

from thirdshift.cli.event_loop import run_until_done
from thirdshift.cli.invocation import Invocation, invocation
from thirdshift.cli.quantities import Dollars
from thirdshift.core.money import format_usd


@click.command("raise-budget")
@click.argument("job")
@click.option("--by-usd", type=Dollars(), required=True, metavar="USD", help="How much more the job may spend.")
@click.option("--reviewer", metavar="NAME", help="Who allows it; your login name if left out.")
@invocation
def raise_budget(call: Invocation, job: str, by_usd: int, reviewer: str | None) -> int:
    """Raise the budget of a job that runs, for good. One that has stopped is given more by `thirdshift resume`."""
    from thirdshift.cli.telling_work import tell_job

    settings = call.settings()
    given = {"usd": format_usd(by_usd), "reviewer": reviewer or settings.submitter}
    return run_until_done(tell_job(call, settings, job, "raise_budget", given))
