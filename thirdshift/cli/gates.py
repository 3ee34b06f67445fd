"""``thirdshift gates``: everything that waits for a person, the oldest first."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import click

from thirdshift.cli.event_loop import run_until_done
from thirdshift.cli.exit_codes import ExitCode
from thirdshift.cli.invocation import Invocation, invocation

if TYPE_CHECKING:
    from thirdshift.settings import Settings


@click.command()
@click.argument("job", required=False)
@invocation
def gates(call: Invocation, job: str | None) -> int:
    """List the gates that wait for a person, the oldest first; with JOB, every gate that it ever had."""
    return run_until_done(_gates(call, call.settings(), job))


async def _gates(call: Invocation, settings: Settings, job: str | None) -> int:
    from thirdshift.bootstrap.services import now, open_books
    from thirdshift.cli.open_gates import gate_row, link_of, waiting_runs
    from thirdshift.cli.standing import find_job
    from thirdshift.cli.whereabouts import engine_if_up
    from thirdshift.core.ui_links import waiting_view_link
    from thirdshift.reports.gate_list import GateLine, render_gates

    with closing(open_books(settings)) as ledger:
        job_id = find_job(ledger, job).job.job_id if job else None
        found = ledger.gates(job_id, only_open=job is None)
        costs = {key: ledger.job_cost_nano(key) for key in dict.fromkeys(gate.job_id for gate in found)}
    at = now()
    view = ""
    async with engine_if_up(settings) as engine:
        runs = await waiting_runs(engine) if found else {}
        links = [link_of(gate, engine, runs) if gate.end is None else "" for gate in found]
        if engine is not None:
            view = waiting_view_link(engine.ui_url, engine.client.namespace)
    rows = [
        gate_row(gate, at if gate.end is None else None, costs[gate.job_id], link)
        for gate, link in zip(found, links, strict=True)
    ]
    lines = [
        GateLine(gate=gate, cost_nano=costs[gate.job_id], ui_url=link) for gate, link in zip(found, links, strict=True)
    ]
    call.answer({"gates": rows, "waiting_url": view}, lambda: render_gates(lines, at, view))
    if engine is None and any(gate.end is None for gate in found):
        call.remark("no Temporal server is running, so nothing can be answered; start it with: thirdshift up")
    return ExitCode.DONE
