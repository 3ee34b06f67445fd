"""``thirdshift steer``: a person's words for the next model call."""

from __future__ import annotations

import click

from thirdshift.cli.event_loop import run_until_done
from thirdshift.cli.invocation import Invocation, invocation


@click.command()
@click.argument("job")
@click.argument("text")
@click.option("--who", metavar="NAME", help="Who says it; your login name if left out.")
@invocation
def steer(call: Invocation, job: str, text: str, who: str | None) -> int:
    """Bring TEXT into the job's next model call, as a person's words."""
    from thirdshift.cli.telling_work import tell_job

    settings = call.settings()
    given = {"who": who or settings.submitter, "text": text}
    return run_until_done(tell_job(call, settings, job, "steer", given))
