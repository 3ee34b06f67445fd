"""``thirdshift worker``: one more worker, or the first one again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from thirdshift.cli.event_loop import run_until_done, until_asked_to_stop
from thirdshift.cli.exit_codes import ExitCode
from thirdshift.cli.invocation import Invocation, invocation

if TYPE_CHECKING:
    from thirdshift.bootstrap.worker import Duty
    from thirdshift.settings import Settings


@click.command()
@click.option(
    "--only",
    type=click.Choice(["models", "hosts"]),
    help="Half of the duties: `models` calls models and runs no code; `hosts` does all the rest, and takes no key.",
)
@invocation
def worker(call: Invocation, only: Duty | None) -> int:
    """Run a worker and stay until stopped (Ctrl-C or SIGTERM).

    It joins the server that is configured. An embedded server that went down with its owner is brought up again.
    """
    return run_until_done(_worker(call, only))


async def _worker(call: Invocation, only: Duty | None) -> int:
    from thirdshift.adapters.engine.access import open_engine
    from thirdshift.bootstrap.services import open_services
    from thirdshift.cli.at_work import at_work

    settings = call.settings()
    if only == "hosts":
        _remark_keys(call, settings)
    else:
        settings.require_keys()
    async with (
        open_engine(settings.engine, settings.home, may_start=True) as engine,
        open_services(settings, calls_models=only != "hosts") as services,
        at_work(settings, services, engine, only),
    ):
        duty = f", {only} only" if only else ""
        call.say(f"worker {services.host} on {engine.address}, {services.sandbox.name} sandbox{duty}; Ctrl-C stops it")
        call.emit(
            {"address": engine.address, "host": services.host, "sandbox": services.sandbox.name, "only": only or "all"}
        )
        await until_asked_to_stop()
        call.remark("stopping: the step in hand is let go, and what is finished is kept")
    return ExitCode.DONE


def _remark_keys(call: Invocation, settings: Settings) -> None:
    found = sorted(one.key_variable for one in settings.providers.values() if one.api_key)
    if found:
        call.remark(
            f"{', '.join(found)}: this worker needs no such key; take it out of its environment and its secrets file"
        )
