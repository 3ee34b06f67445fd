"""A job in the foreground: begun, worked on where nobody else does, followed to its end, reported."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

from thirdshift.adapters.engine.locks import worker_is_marked
from thirdshift.cli.announcing import gates_told
from thirdshift.cli.exit_codes import ExitCode, code_for_stop
from thirdshift.core.ui_links import workflow_link

if TYPE_CHECKING:
    from temporalio.client import Client

    from activities.services import Services
    from thirdshift.adapters.engine.access import Engine
    from thirdshift.adapters.ledger import SqlLedger
    from thirdshift.bootstrap.submission import Submitted
    from thirdshift.cli.invocation import Invocation
    from thirdshift.core.delivery import Delivered
    from thirdshift.core.ledger import JournalEntry
    from thirdshift.core.verdict import CheckOutcome
    from thirdshift.core.views import JobView
    from thirdshift.settings import Settings

Begin = Callable[["Services", "Client"], Awaitable["Submitted"]]


async def carry_through(
    call: Invocation, settings: Settings, services: Services, ledger: SqlLedger, begin: Begin, *, wait: bool = True
) -> int:
    """Begin a job, see it through to its end and report; its exit code. Without ``wait`` a gate is an end too.

    Server and worker are brought up for as long as it takes, where there are none. Cancelled, it leaves the job as
    it is, which is durable, and says how to go on.
    """
    async with AsyncExitStack() as stack:
        engine, helped = await _helped(call, settings, services, stack)
        submitted = await begin(services, engine.client)
        if submitted.gates:
            call.remark(gates_told(submitted))
        link = workflow_link(engine.ui_url, engine.client.namespace, submitted.job_id, submitted.run_id)
        try:
            end = await watch_to_the_end(call, ledger, engine, submitted.job_id, wait=wait)
        except asyncio.CancelledError:
            call.remark(_how_to_go_on(call, submitted.job_id, helped))
            state = ledger.job_view(submitted.job_id).state.value
            call.emit({"job_id": submitted.job_id, "state": state, "exit_code": int(ExitCode.INTERRUPTED)})
            raise
    return tell_outcome(call, ledger, submitted.job_id, {"run_id": submitted.run_id, "ui_url": link}, end)


async def _helped(
    call: Invocation, settings: Settings, services: Services, stack: AsyncExitStack
) -> tuple[Engine, bool]:
    """The server, and whether a worker was brought up here: in this process only where there is no secret to keep."""
    from thirdshift.adapters.engine.access import open_engine
    from thirdshift.bootstrap.books import redactor_of
    from thirdshift.bootstrap.crew import crew
    from thirdshift.cli.at_work import at_work, join, worker_is_up

    apart = settings.holds_secrets
    # Its processes load what they need while the server comes up.
    early = apart and settings.engine.kind == "embedded" and not worker_is_marked(settings.home)
    started = await stack.enter_async_context(crew(settings, call.remark)) if early else None
    opened = open_engine(settings.engine, settings.home, may_start=True, redactor=redactor_of(settings))
    engine = await stack.enter_async_context(opened)
    helped = not await worker_is_up(settings, engine.client)
    if helped and apart:
        if started is None:
            started = await stack.enter_async_context(crew(settings, call.remark))
        stack.push_async_callback(started.stop)  # before the server goes
        await join(started, engine)
    elif helped:
        await stack.enter_async_context(at_work(settings, services, engine))
    return engine, helped


async def watch_to_the_end(
    call: Invocation, ledger: SqlLedger, engine: Engine, job_id: str, *, wait: bool = True
) -> str | None:
    """Show live progress until the job's workflow closes; empty, or how it was made to end.

    Without ``wait`` also until it waits at a gate; None then.
    """
    from thirdshift.cli.following import follow, workflow_end
    from thirdshift.cli.gate_calls import GateCalls
    from thirdshift.cli.progress import choose_progress

    progress = choose_progress(call.remark, as_json=call.as_json)
    gates = GateCalls(call, ledger, engine, job_id, progress.say)

    def show(entry: JournalEntry) -> None:
        progress.show(entry)
        gates.note(entry)

    ended = asyncio.ensure_future(workflow_end(engine.client.get_workflow_handle(job_id)))
    following = asyncio.ensure_future(follow(ledger, job_id, show, ended))
    gate = asyncio.ensure_future(gates.reached.wait())
    try:
        await asyncio.wait([following] if wait else [following, gate], return_when=asyncio.FIRST_COMPLETED)
        await gates.close()
        return following.result() if following.done() else None
    finally:
        for task in (ended, following, gate):
            task.cancel()
        progress.close()


def tell_outcome(call: Invocation, ledger: SqlLedger, job_id: str, where: dict[str, str], end: str | None) -> int:
    """Print the job's report; its exit code. ``end`` is None for one that was left waiting at a gate."""
    from thirdshift.cli.standing import delivered_of, failing_checks, standing

    view = ledger.job_view(job_id)
    failing = failing_checks(ledger, view)
    stop = view.stop_reason
    gates = ledger.gates(job_id)
    state = "failed" if end and stop is None else ""
    made = delivered_of(ledger, job_id)
    document: dict[str, Any] = standing(view, gates, state=state, failing=failing, delivered=made, **where)
    code = code_for_stop(stop) if stop else ExitCode.WAITING if end is None else ExitCode.FAILED
    if end and stop is None:
        document["evidence"] = end
        call.remark(f"the job's workflow was ended from outside: {end}")
    call.answer({**document, "exit_code": int(code)}, lambda: report_text(view, where["ui_url"], failing, made))
    return code


def report_text(
    view: JobView, ui_url: str, failing: Sequence[CheckOutcome] = (), delivered: Delivered | None = None
) -> str:
    """The job's report, for a person."""
    from thirdshift.reports.job_report import render_job

    return render_job(view, ui_url, failing, delivered.url if delivered else "")


def _how_to_go_on(call: Invocation, job_id: str, helped: bool) -> str:
    further = call.command("up" if helped else f"watch {job_id}")
    effect = "goes on with it" if helped else "follows it again; it goes on meanwhile"
    return (
        f"\nleft {job_id} as it stands; nothing that was finished is lost\n"
        f"  {further}\n      {effect}\n"
        f"  {call.command(f'stop {job_id}')}\n      ends it"
    )
