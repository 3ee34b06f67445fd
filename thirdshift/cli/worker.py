"""``thirdshift worker``: one more worker, or the first one again."""

from __future__ import annotations

import click

from thirdshift.cli.event_loop import run_until_done, until_asked_to_stop
from thirdshift.cli.exit_codes import ExitCode
from thirdshift.cli.invocation import Invocation, invocation


@click.command()
@invocation
def worker(call: Invocation) -> int:
    """Run a worker and stay until stopped (Ctrl-C or SIGTERM).

    It joins the server that is configured. An embedded server that went down with its owner is brought up again.
    """
    return run_until_done(_worker(call))


async def _worker(call: Invocation) -> int:
    from thirdshift.adapters.engine.access import open_engine
    from thirdshift.bootstrap.services import open_services
    from thirdshift.cli.at_work import at_work

    settings = call.settings()
    settings.require_keys()
    async with (
        open_engine(settings.engine, settings.home, may_start=True) as engine,
        open_services(settings) as services,
        at_work(settings, services, engine),
    ):
        call.say(f"worker {services.host} on {engine.address}, {services.sandbox.name} sandbox; Ctrl-C stops it")
        call.emit({"address": engine.address, "host": services.host, "sandbox": services.sandbox.name})
        await until_asked_to_stop()
        call.remark("stopping: the step in hand is let go, and what is finished is kept")
    return ExitCode.DONE
