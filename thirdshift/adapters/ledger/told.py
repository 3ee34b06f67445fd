"""What the journal says of calls, attempts, tools and verdicts: the words for people and the fields for machines.

``core.ledger.JournalEntry`` documents the fields of each kind.
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, RowMapping, bindparam, select

from thirdshift.adapters.ledger.journal import write_entry
from thirdshift.adapters.ledger.tables import attempts, jobs, loops
from thirdshift.core.ledger import (
    AttemptClosing,
    AttemptRow,
    CallOpening,
    CallState,
    JobClosing,
    JobRow,
    MustWait,
    ToolRun,
)
from thirdshift.core.money import format_usd
from thirdshift.core.ports import ModelAnswer
from thirdshift.core.verdict import Verdict
from thirdshift.core.words import counted

Fields = dict[str, str | int | float | bool | None]

_PLACE = select(
    attempts.c.owner_id, attempts.c.number, attempts.c.role, attempts.c.tier, attempts.c.model, attempts.c.job_id
).where(attempts.c.attempt_id == bindparam("id"))


def dollars(nano: int) -> str:
    """Money for a line that people read, to a hundredth of a cent."""
    return f"${format_usd(nano, 4)}"


def place_of(connection: Connection, attempt_id: int, step: int) -> dict[str, str | int]:
    """The fields that say where in its job something happened."""
    row = connection.execute(_PLACE, {"id": attempt_id}).one()
    return {
        "owner": row.owner_id,
        "attempt": row.number,
        "role": row.role,
        "tier": row.tier,
        "model": row.model,
        "step": step,
    }


def job_of(connection: Connection, owner_id: str) -> str:
    """The job of a loop, or the job itself. KeyError if it is neither."""
    found = connection.execute(select(loops.c.job_id).where(loops.c.loop_id == owner_id)).scalar_one_or_none()
    if found is None:
        found = connection.execute(select(jobs.c.job_id).where(jobs.c.job_id == owner_id)).scalar_one_or_none()
    if found is None:
        raise KeyError(f"no job and no loop {owner_id} in the ledger")
    return str(found)


def tell_job(connection: Connection, row: JobRow) -> None:
    """A job was opened."""
    budget = "no budget" if row.budget_nano is None else f"budget {dollars(row.budget_nano)}"
    text = f"{row.title} ({row.task}, risk {row.risk}, {budget})"
    data: Fields = {"title": row.title, "task": row.task, "risk": row.risk, "repository": row.repository}
    write_entry(connection, row.job_id, "job", text, data, row.submitted_at)


def tell_attempt(connection: Connection, row: AttemptRow) -> None:
    """An attempt was opened."""
    what = "plan" if row.role == "plan" else f"attempt {row.number}"
    text = f"{what} on {row.rung.tier.value} {row.rung.model} ({row.reason.value})"
    data: Fields = {
        "owner": row.owner_id,
        "attempt": row.number,
        "role": row.role,
        "tier": row.rung.tier.value,
        "model": row.rung.model,
        "effort": row.rung.effort,
        "reason": row.reason.value,
    }
    write_entry(connection, row.job_id, "attempt", text, data, row.opened_at)


def tell_answered(
    connection: Connection, row: RowMapping, answer: ModelAnswer, state: CallState, cost_nano: int, at: datetime
) -> None:
    """A call was answered: its tokens, and its cost if that is known."""
    usage = answer.usage
    used = "usage not reported"
    data: Fields = {
        **place_of(connection, row["attempt_id"], row["step"]),
        "call": row["call_id"],
        "state": state.value,
        "stop": answer.stop.value,
        "call_cost_nano": cost_nano if state is CallState.SETTLED else None,
        "call_hold_nano": row["hold_nano"],
    }
    if usage is not None:
        used = f"{usage.all_input:,} in ({usage.cache_read_tokens:,} cached), {usage.output_tokens:,} out"
        data["input_tokens"] = usage.all_input
        data["cached_tokens"] = usage.cache_read_tokens
        data["output_tokens"] = usage.output_tokens
    cost = dollars(cost_nano) if state is CallState.SETTLED else f"cost unknown, {dollars(row['hold_nano'])} held"
    write_entry(connection, row["job_id"], "step", f"step {row['step']}: {used}, {cost}", data, at)


def tell_lost(connection: Connection, row: RowMapping, state: CallState, why: str, at: datetime) -> None:
    """A call ended without an answer: ``unknown`` keeps its hold charged, ``released`` gives it back."""
    data: Fields = {
        **place_of(connection, row["attempt_id"], row["step"]),
        "call": row["call_id"],
        "state": state.value,
        "call_hold_nano": row["hold_nano"],
    }
    kept = "stays charged" if state is CallState.UNKNOWN else "is given back"
    text = f"step {row['step']}: no answer, {why}; the hold of {dollars(row['hold_nano'])} {kept}"
    write_entry(connection, row["job_id"], "call", text, data, at)


def tell_reconciled(connection: Connection, row: RowMapping, state: CallState, cost_nano: int, at: datetime) -> None:
    """A vendor's bill decided an unknown call."""
    data: Fields = {
        **place_of(connection, row["attempt_id"], row["step"]),
        "call": row["call_id"],
        "state": state.value,
        "call_cost_nano": cost_nano,
    }
    found = f"cost {dollars(cost_nano)}" if state is CallState.SETTLED else "was never billed"
    text = f"step {row['step']}: by the vendor's bill, unknown call {row['call_id']} {found}"
    write_entry(connection, row["job_id"], "reconciled", text, data, at)


def tell_waiting(connection: Connection, opening: CallOpening, attempt_id: int, wait: MustWait) -> None:
    """A call began to wait for money that others hold."""
    scope = f"{wait.scope.kind} {wait.scope.key}"
    data: Fields = {
        **place_of(connection, attempt_id, opening.step),
        "scope": scope,
        "needed_nano": wait.needed_nano,
    }
    text = (
        f"step {opening.step}: waits for {dollars(wait.needed_nano)}; of {scope}, {dollars(wait.held_nano)} "
        f"of {dollars(wait.scope.limit_nano or 0)} is held by calls under way"
    )
    write_entry(connection, opening.job_id, "waiting", text, data, opening.opened_at)


def tell_tools(connection: Connection, row: RowMapping, names: list[str], run: ToolRun, at: datetime) -> None:
    """A step's tools were run."""
    data: Fields = {
        **place_of(connection, row["attempt_id"], row["step"]),
        "call": run.call_id,
        "tools": ",".join(names),
        "count": len(names),
        "changed": run.changed,
        "finished": run.finished,
        "tree": run.tree,
        "seconds": run.seconds,
    }
    changed = "tree changed" if run.changed else "tree unchanged"
    text = f"step {row['step']}: {', '.join(names) or 'no tools'} in {run.seconds:.1f} s, {changed}"
    write_entry(connection, row["job_id"], "tools", text, data, at)


def tell_verdict(
    connection: Connection, owner_id: str, number: int, verdict_id: int, verdict: Verdict, at: datetime
) -> None:
    """A tree was judged."""
    passed = [check.id for check in verdict.checks if check.passed]
    failed = [check.id for check in verdict.checks if not check.passed]
    data: Fields = {
        "owner": owner_id,
        "attempt": number,
        "verdict": verdict_id,
        "passed": verdict.passed,
        "checks_passed": ",".join(passed),
        "checks_failed": ",".join(failed),
        "checks_not_run": ",".join(verdict.not_run),
        "out_of_scope": len(verdict.out_of_scope),
        "tampering": len(verdict.tampering),
        "tree": verdict.tree,
    }
    parts = [f"{len(passed)} of {len(passed) + len(failed) + len(verdict.not_run)} checks pass"]
    if failed:
        parts.append(f"failed: {', '.join(failed)}")
    if verdict.not_run:
        parts.append(f"not run: {', '.join(verdict.not_run)}")
    if verdict.out_of_scope:
        parts.append(f"{counted(len(verdict.out_of_scope), 'path')} out of scope")
    if verdict.tampering:
        parts.append(f"tampering: {len(verdict.tampering)}")
    write_entry(connection, job_of(connection, owner_id), "verdict", "; ".join(parts), data, at)


def tell_attempt_end(connection: Connection, job_id: str, closing: AttemptClosing, cost_nano: int) -> None:
    """An attempt ended; ``cost_nano`` has held and unknown calls at their holds."""
    data: Fields = {
        "owner": closing.owner_id,
        "attempt": closing.number,
        "end": closing.end.value,
        "verdict": closing.verdict_id,
        "attempt_charged_nano": cost_nano,
    }
    text = f"attempt {closing.number} ended ({closing.end.value})"
    if closing.evidence:
        text += f": {closing.evidence}"
    write_entry(connection, job_id, "attempt_end", text, data, closing.closed_at)


def tell_stop(connection: Connection, closing: JobClosing) -> None:
    """A job ended."""
    data: Fields = {
        "stop_reason": closing.stop_reason.value,
        "branch": closing.branch,
        "commit": closing.commit,
        "tree": closing.tree,
        "remedy": closing.remedy,
    }
    text = closing.stop_reason.value + (f": {closing.evidence}" if closing.evidence else "")
    write_entry(connection, closing.job_id, "stop", text, data, closing.closed_at)
