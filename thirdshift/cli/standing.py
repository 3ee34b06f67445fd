"""Where a job stands, as ``--json`` says it: the fields of every command that answers about a job."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any

from thirdshift.cli.open_gates import gate_row
from thirdshift.core.errors import BadInput
from thirdshift.core.history import StopReason
from thirdshift.core.money import format_usd
from thirdshift.core.verdict import output_tail
from thirdshift.core.views import JobState

if TYPE_CHECKING:
    from thirdshift.adapters.ledger import SqlLedger
    from thirdshift.core.delivery import Delivered
    from thirdshift.core.gate_book import GateRecord
    from thirdshift.core.verdict import CheckOutcome
    from thirdshift.core.views import CostLine, JobView, VerdictView

_MANY = 500


def standing(
    view: JobView,
    gates: Sequence[GateRecord] = (),
    *,
    run_id: str = "",
    ui_url: str = "",
    state: str = "",
    failing: Sequence[CheckOutcome] = (),
    delivered: Delivered | None = None,
) -> dict[str, Any]:
    """A job for a program. Money is a decimal string of US dollars; metered, imputed and unknown stay apart.

    ``state`` is the engine's word where it knows better than the ledger. ``failing`` is from ``failing_checks``,
    ``delivered`` from ``delivered_of``.
    """
    job, best = view.job, view.best
    packets = dict.fromkeys(a.owner_id.removeprefix(f"loop-{job.job_id}-") for a in view.loop_attempts)
    return {
        "job_id": job.job_id,
        "run_id": run_id,
        "spec": job.spec_path,
        "title": job.title,
        "repo": job.repository,
        "state": state or view.state.value,
        "waits_for": view.parked_why if view.state is JobState.PARKED else "",
        "stop_reason": view.stop_reason.value if view.stop_reason else None,
        "evidence": view.evidence,
        "remedy": view.remedy,
        "attempts": len(view.loop_attempts),
        "steps": view.steps,
        "tier": view.tier.value if view.tier else None,
        "total_cost_usd": format_usd(view.spend.settled_nano),
        "imputed_usd": format_usd(view.spend.imputed_nano),
        "unknown_usd": format_usd(view.spend.unknown_nano),
        "held_usd": format_usd(view.spend.held_nano),
        "budget_usd": None if view.budget_nano is None else format_usd(view.budget_nano),
        "tokens": {"input": view.tokens.input, "cached": view.tokens.cached, "output": view.tokens.output},
        "branch": view.branch,
        "commit": view.commit,
        "delivery": _delivery(delivered),
        "request_url": delivered.url if delivered else "",
        "tree": view.tree or (best.tree if best else ""),
        "checks": _checks(telling_verdict(view), failing),
        "gates": [gate_row(gate, None, None) for gate in gates],
        "packets": [{"id": packet} for packet in packets],
        "ui_url": ui_url,
        "started_at": _stamp(job.submitted_at),
        "ended_at": _stamp(view.ended_at),
    }


def _delivery(delivered: Delivered | None) -> dict[str, Any] | None:
    if delivered is None:
        return None
    return {"kind": delivered.kind.value, "done": delivered.done, "detail": delivered.detail, "onto": delivered.onto}


def delivered_of(ledger: SqlLedger, job_id: str) -> Delivered | None:
    """What the newest delivery of a job came to; None before there is one."""
    row = ledger.delivery_of(job_id)
    return row.delivered if row else None


def telling_verdict(view: JobView) -> VerdictView | None:
    """The best verdict; that on base where the job ended because its checks cannot run."""
    return view.best or (view.baseline if view.stop_reason is StopReason.SETUP_FAILED else None)


def failing_checks(ledger: SqlLedger, view: JobView) -> tuple[CheckOutcome, ...]:
    """The visible checks that a job not accepted still fails, with what they printed."""
    verdict = telling_verdict(view)
    if verdict is None or view.state is JobState.ACCEPTED:
        return ()
    return tuple(c for c in ledger.get_verdict(verdict.id).checks if not (c.passed or c.holdout))


def _checks(verdict: VerdictView | None, failing: Sequence[CheckOutcome]) -> list[dict[str, Any]]:
    tails = {check.id: list(output_tail(check)) for check in failing}
    return [
        {"id": c.id, "state": c.state, "holdout": c.holdout}
        | ({} if c.holdout else {"exit_code": c.exit_code, "tail": tails.get(c.id, [])})
        for c in (verdict.checks if verdict else ())
    ]


def cost_line(line: CostLine) -> dict[str, Any]:
    """What calls of one kind cost, for a program."""
    return {
        "job_id": line.job_id,
        "attempt": line.attempt,
        "role": line.role,
        "tier": line.tier.value,
        "model": line.model,
        "calls": line.calls.model_dump(),
        "cost_usd": format_usd(line.spend.settled_nano),
        "imputed_usd": format_usd(line.spend.imputed_nano),
        "unknown_usd": format_usd(line.spend.unknown_nano),
        "held_usd": format_usd(line.spend.held_nano),
        "tokens": line.tokens.model_dump(),
        "seconds": line.seconds,
    }


def _stamp(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def find_job(ledger: SqlLedger, spoken: str) -> JobView:
    """The job that a person named, by its id or by a part of it that only one has. Raises BadInput."""
    try:
        return ledger.job_view(spoken)
    except KeyError:
        jobs = [row.job_id for row in ledger.list_jobs(_MANY)]
    found = [job_id for job_id in jobs if spoken in job_id]
    if len(found) == 1:
        return ledger.job_view(found[0])
    if found:
        raise BadInput(f"`{spoken}` could be any of these jobs:\n" + "\n".join(f"  {job_id}" for job_id in found[:10]))
    known = "\n".join(f"  {job_id}" for job_id in jobs[:10])
    raise BadInput(f"no job `{spoken}` in the ledger" + (f"; the newest are:\n{known}" if known else "; it is empty"))
