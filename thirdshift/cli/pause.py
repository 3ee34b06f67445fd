"""``thirdshift pause``: hold a job at its next step."""

from __future__ import annotations

import click

from thirdshift.cli.event_loop import run_until_done
from thirdshift.cli.invocation import Invocation, invocation


@click.command()
@click.argument("job")
@click.option("--who", metavar="NAME", help="Who pauses it; your login name if left out.")
@invocation
def pause(call: Invocation, job: str, who: str | None) -> int:
    """Hold a job at its next step, until `thirdshift resume`. Time that it is paused does not count as its own."""
    from thirdshift.cli.telling_work import tell_job

    settings = call.settings()
    code = run_until_done(tell_job(call, settings, job, "pause", {"who": who or settings.submitter}))
    call.remark(f"it goes on with: {call.command(f'resume {job}')}")
    return code
