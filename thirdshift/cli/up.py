"""``thirdshift up``: server and worker together."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import click

from thirdshift.cli.event_loop import run_until_done, until_asked_to_stop
from thirdshift.cli.exit_codes import ExitCode
from thirdshift.cli.invocation import Invocation, invocation

if TYPE_CHECKING:
    from thirdshift.adapters.engine.access import Engine
    from thirdshift.settings import Settings


@click.command()
@click.option("--no-worker", is_flag=True, help="The server alone; `thirdshift worker` adds workers.")
@click.option("--single-process", is_flag=True, help="All of the worker's duties in one process, not one for each.")
@invocation
def up(call: Invocation, no_worker: bool, single_process: bool) -> int:
    """Bring up the Temporal server and a worker, and stay until stopped (Ctrl-C or SIGTERM).

    Jobs that were interrupted go on by themselves. A server that runs already is used.
    """
    if no_worker or single_process:
        return run_until_done(_up(call, call.settings(), with_worker=not no_worker))
    return run_until_done(_up_with_crew(call, call.settings()))


async def _up_with_crew(call: Invocation, settings: Settings) -> int:
    from thirdshift.cli.at_work import crew_at_work

    settings.require_keys()
    async with crew_at_work(settings, call.remark) as (engine, facts):
        call.say(f"server   {engine.address} ({'started here' if engine.started_here else 'was running'})")
        call.say(f"worker   {facts.host}, {facts.sandbox} sandbox, state in {settings.home}")
        await _stay(call, engine, facts.host)
    return ExitCode.DONE


async def _up(call: Invocation, settings: Settings, *, with_worker: bool) -> int:
    from thirdshift.adapters.engine.access import open_engine
    from thirdshift.bootstrap.books import redactor_of

    if with_worker:
        settings.require_keys()
    opened = open_engine(settings.engine, settings.home, may_start=True, redactor=redactor_of(settings))
    async with opened as engine, AsyncExitStack() as stack:
        call.say(f"server   {engine.address} ({'started here' if engine.started_here else 'was running'})")
        host = await _start_worker(call, settings, engine, stack) if with_worker else ""
        await _stay(call, engine, host)
    return ExitCode.DONE


async def _stay(call: Invocation, engine: Engine, host: str) -> None:
    _tell_where(call, engine, host)
    await until_asked_to_stop()
    call.remark("stopping: the step in hand is let go, and what is finished is kept")


async def _start_worker(call: Invocation, settings: Settings, engine: Engine, stack: AsyncExitStack) -> str:
    """The name of the host that works now."""
    from thirdshift.bootstrap.services import open_services
    from thirdshift.cli.at_work import at_work

    services = await stack.enter_async_context(open_services(settings))
    await stack.enter_async_context(at_work(settings, services, engine))
    call.say(f"worker   {services.host}, {services.sandbox.name} sandbox, state in {settings.home}")
    return services.host


def _tell_where(call: Invocation, engine: Engine, host: str) -> None:
    from thirdshift.core.ui_links import waiting_view_link

    namespace = engine.client.namespace
    waiting = waiting_view_link(engine.ui_url, namespace)
    call.say(f"UI       {engine.ui_url}/namespaces/{namespace}/workflows")
    call.say(f"waiting  {waiting}\n         opens, and keeps, a view of all that waits for a person")
    if host:
        call.say("\nReady for `thirdshift submit SPEC`. Ctrl-C stops; jobs then wait for the next `thirdshift up`.")
    else:
        call.say("\nReady, the server alone: nothing runs before `thirdshift worker` adds a worker. Ctrl-C stops it.")
    call.emit(
        {
            "address": engine.address,
            "namespace": namespace,
            "ui_url": engine.ui_url,
            "waiting_url": waiting,
            "started_here": engine.started_here,
            "host": host,
        }
    )
