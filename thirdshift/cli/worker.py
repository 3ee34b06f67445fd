"""``thirdshift worker``: one more worker, or the first one again."""

from __future__ import annotations

import os
import sys
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import click

from thirdshift.cli.event_loop import run_until_done, until_asked_to_stop
from thirdshift.cli.exit_codes import ExitCode
from thirdshift.cli.invocation import Invocation, invocation

if TYPE_CHECKING:
    from thirdshift.core.engine import EngineTarget
    from thirdshift.settings import Settings
    from thirdshift.settings.duties import Duty


@click.command()
@click.option(
    "--only",
    type=click.Choice(["models", "hosts", "delivery"]),
    help="One of three duties: `models` calls models; `delivery` speaks with remotes, forges and people; `hosts` does"
    " all the rest, runs agents' code, and takes no secret.",
)
@click.option("--single-process", is_flag=True, help="All duties in one process instead of one for each.")
@click.option("--beneath", is_flag=True, hidden=True)
@invocation
def worker(call: Invocation, only: Duty | None, single_process: bool, beneath: bool) -> int:
    """Run a worker and stay until stopped (Ctrl-C or SIGTERM).

    It joins the server that is configured. An embedded server that went down with its owner is brought up again.
    """
    if only is None and not single_process:
        return run_until_done(_crew(call))
    if only is not None and not beneath:
        _begin_again_without_other_secrets(call, only)
    return run_until_done(_worker(call, only, beneath))


async def _crew(call: Invocation) -> int:
    from thirdshift.cli.at_work import crew_at_work

    settings = call.settings()
    settings.require_keys()
    call.remark("starting a process for each duty: models, delivery, hosts")
    async with crew_at_work(settings, call.remark) as (engine, facts):
        call.say(f"worker {facts.host} on {engine.address}, {facts.sandbox} sandbox; Ctrl-C stops it")
        call.emit({"address": engine.address, "host": facts.host, "sandbox": facts.sandbox, "only": "all"})
        await until_asked_to_stop()
        call.remark("stopping: the step in hand is let go, and what is finished is kept")
    return ExitCode.DONE


async def _worker(call: Invocation, only: Duty | None, beneath: bool) -> int:
    from thirdshift.adapters.engine.access import open_engine
    from thirdshift.bootstrap.books import redactor_of
    from thirdshift.bootstrap.services import open_services
    from thirdshift.bootstrap.worker import working as _  # noqa: F401 - imported while the server is still starting
    from thirdshift.cli.at_work import at_work

    settings = call.settings(duty=only)
    if only in (None, "models"):
        settings.require_keys()
    async with AsyncExitStack() as stack:
        services = await stack.enter_async_context(open_services(settings, duty=only))
        target = await _target(settings) if beneath else settings.engine
        engine = await stack.enter_async_context(
            open_engine(target, settings.home, may_start=not beneath, redactor=redactor_of(settings))
        )
        await stack.enter_async_context(at_work(settings, services, engine, only))
        duty = f", {only} only" if only else ""
        call.say(f"worker {services.host} on {engine.address}, {services.sandbox.name} sandbox{duty}; Ctrl-C stops it")
        call.emit(
            {"address": engine.address, "host": services.host, "sandbox": services.sandbox.name, "only": only or "all"}
        )
        await until_asked_to_stop()
        if not beneath:
            call.remark("stopping: the step in hand is let go, and what is finished is kept")
    return ExitCode.DONE


async def _target(settings: Settings) -> EngineTarget:
    """The server that the process above has found or started."""
    from thirdshift.cli.lifeline import hear_of_engine

    said = await hear_of_engine()
    if settings.engine.kind != "embedded":
        return settings.engine
    return settings.engine.model_copy(update={"kind": "address", **said})


def _begin_again_without_other_secrets(call: Invocation, only: Duty) -> None:
    """Become the same command, once, in an environment without what this duty is not to hold.

    A variable that is only taken out stays readable in ``/proc``, and what was read of it in memory.
    """
    from thirdshift.settings.duties import environment_for, has_environment_for, taken_away

    if has_environment_for(only):
        return
    own = environment_for(only, call.settings())
    if taken := taken_away(own):
        call.remark(f"{', '.join(taken)}: not for a worker of {only} alone; taken out of its environment")
    os.execve(sys.executable, [sys.executable, *sys.orig_argv[1:]], own)  # noqa: S606 - this program, again
