"""``thirdshift submit``: hand specs to the line and leave."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from thirdshift.cli.announcing import announce, announced
from thirdshift.cli.event_loop import run_until_done
from thirdshift.cli.exit_codes import ExitCode
from thirdshift.cli.invocation import Invocation, invocation


@click.command()
@click.argument("specs", nargs=-1, required=True, metavar="SPEC...", type=click.Path(path_type=Path))
@invocation
def submit(call: Invocation, specs: tuple[Path, ...]) -> int:
    """Hand specs to the running line and leave. If one is refused, none is submitted."""
    return run_until_done(_submit(call, specs))


async def _submit(call: Invocation, specs: tuple[Path, ...]) -> int:
    from thirdshift.adapters.engine.access import open_engine
    from thirdshift.bootstrap import submission
    from thirdshift.bootstrap.books import redactor_of
    from thirdshift.bootstrap.services import open_services
    from thirdshift.cli.at_work import worker_is_up

    settings = call.settings(beside=specs[0].parent)
    async with open_services(settings) as services:
        for path in specs:
            await asyncio.to_thread(submission.prepare, settings, services, path)
        async with open_engine(
            settings.engine, settings.home, may_start=False, redactor=redactor_of(settings)
        ) as engine:
            answers = []
            for path in specs:
                submitted = await submission.submit(settings, services, engine.client, path)
                call.say(announce(path, submitted, engine))
                answers.append(announced(path, submitted, engine))
            up = await worker_is_up(settings, engine.client)
    if not up:
        call.remark("no worker is up, so nothing moves yet; start one: thirdshift up")
    call.emit({"jobs": answers, "worker_up": up})
    return ExitCode.DONE
