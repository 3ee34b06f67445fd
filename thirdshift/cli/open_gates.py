"""Gates that wait, as the command line tells of them."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from thirdshift.core.gate_summary import time_in_words
from thirdshift.core.money import format_usd
from thirdshift.core.ui_links import user_metadata_link

if TYPE_CHECKING:
    from thirdshift.adapters.engine.access import Engine
    from thirdshift.cli.invocation import Invocation
    from thirdshift.core.gate_book import GateRecord


async def waiting_runs(engine: Engine | None) -> dict[str, str]:
    """Workflow to run, of everything that waits for a person, as the server lists it; empty without a server."""
    from temporalio.service import RPCError

    from thirdshift.core.ui_links import WAITING_QUERY

    if engine is None:
        return {}
    try:
        return {found.id: found.run_id async for found in engine.client.list_workflows(WAITING_QUERY)}
    except RPCError:
        return {}


def link_of(gate: GateRecord, engine: Engine | None, runs: dict[str, str]) -> str:
    """The page where the gate is read and answered; empty where the server does not know of it."""
    run = runs.get(gate.owner_id)
    if engine is None or run is None:
        return ""
    return user_metadata_link(engine.ui_url, engine.client.namespace, gate.owner_id, run)


def gate_row(gate: GateRecord, now: datetime | None, cost_nano: int | None, ui_url: str = "") -> dict[str, Any]:
    """A gate for a program."""
    row: dict[str, Any] = {
        "job_id": gate.job_id,
        "gate": gate.seq,
        "kind": gate.kind.value,
        "tree": gate.tree,
        "reason": gate.reason,
        "reviewers": list(gate.reviewers),
        "opened_at": gate.opened_at.isoformat(),
        "end": gate.end.value if gate.end else None,
        "closed_at": gate.closed_at.isoformat() if gate.closed_at else None,
        "answers": [
            {
                "verdict": record.answer.verdict.value,
                "reviewer": record.answer.reviewer,
                "identity": record.identity,
                "note": record.answer.note,
                "usd": format_usd(record.answer.usd_nano) if record.answer.usd_nano else None,
                "at": record.answer.at.isoformat(),
            }
            for record in gate.answers
        ],
    }
    if now is not None:
        row["age_seconds"] = int((now - gate.opened_at).total_seconds())
    if cost_nano is not None:
        row["cost_usd"] = format_usd(cost_nano)
    return {**row, "ui_url": ui_url} if ui_url else row


def age(gate: GateRecord, now: datetime) -> str:
    """How long it has been open, for a person."""
    return time_in_words(max(0.0, (now - gate.opened_at).total_seconds()))


def how_to_answer(call: Invocation, gate: GateRecord, link: str) -> str:
    """Where a gate is read and answered: in a terminal, and in the Web UI."""
    page = f"\n  or in the Web UI: {link}" if link else ""
    return f"  read and answer gate {gate.seq} with: {call.command(f'decide {gate.job_id}')}{page}"
