"""A small world for ledger tests: one job, its loop, and calls of stated prices."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from thirdshift.adapters.ledger import SqlLedger
from thirdshift.core.conversation import Message, Text, ToolCall, ToolResult, said_by_user
from thirdshift.core.history import ReasonCode
from thirdshift.core.ladder import Rung, Tier
from thirdshift.core.ledger import (
    Answered,
    AttemptRow,
    CallKey,
    CallOpening,
    DoesNotFit,
    Held,
    JobRow,
    LoopRow,
    MustWait,
    Scope,
    ScopeKind,
    ToolRun,
)
from thirdshift.core.ports import CommandEnd, ModelAnswer, StopKind, ToolSpec
from thirdshift.core.usage import Usage
from thirdshift.core.verdict import CheckOutcome, Verdict

NOW = datetime(2026, 3, 1, 22, 30, tzinfo=UTC)
JOB, LOOP = "job-1", "loop-1"
RUNG = Rung(model="local/small", tier=Tier.ECONOMY)
BASH = ToolSpec(name="bash", description="Run a command.", parameters={"type": "object"})
USAGE = Usage(input_tokens=100, cache_read_tokens=900, output_tokens=50)


def job_row(job_id: str = JOB, **fields: Any) -> JobRow:
    values: dict[str, Any] = {
        "job_id": job_id,
        "spec_id": "spec-1",
        "spec_path": "specs/one.md",
        "title": "Round half up",
        "task": "bugfix",
        "risk": "low",
        "repository": "/srv/invoices",
        "base_commit": "c" * 40,
        "base_tree": "t" * 40,
        "budget_nano": 1_500_000_000,
        "submitter": "ada",
        "submitted_at": NOW,
    }
    return JobRow(**{**values, **fields})


def loop_row(loop_id: str = LOOP, job_id: str = JOB) -> LoopRow:
    return LoopRow(
        loop_id=loop_id, job_id=job_id, packet="main", base_tree="t" * 40, checks=("lint", "unit"), opened_at=NOW
    )


def attempt_row(owner_id: str = LOOP, number: int = 1, job_id: str = JOB, **fields: Any) -> AttemptRow:
    values: dict[str, Any] = {
        "owner_id": owner_id,
        "job_id": job_id,
        "number": number,
        "role": "code",
        "rung": RUNG,
        "reason": ReasonCode.FIRST,
        "start_tree": "t" * 40,
        "start_commit": "c" * 40,
        "host": "here",
        "opened_at": NOW,
        "system": "You repair code.",
        "tools": (BASH,),
        "opening": (said_by_user("Make the totals right."),),
    }
    return AttemptRow(**{**values, **fields})


def answer(text: str = "done", usage: Usage | None = USAGE, *, tool: str | None = None) -> ModelAnswer:
    parts: tuple[Any, ...] = (Text(text=text),)
    if tool is not None:
        parts += (ToolCall(id=f"id-{text}", name=tool, arguments={"command": "ls"}),)
    return ModelAnswer(
        message=Message(role="assistant", parts=parts),
        stop=StopKind.TOOLS if tool else StopKind.END,
        usage=usage,
        served_model="small-2026",
    )


def results_of(call_id: int, text: str = "a.py", *, tree: str = "n" * 40, changed: bool = True) -> ToolRun:
    return ToolRun(
        call_id=call_id,
        results=Message(role="user", parts=(ToolResult(call_id="id", text=text),)),
        tree=tree,
        commit="k" * 40,
        changed=changed,
        signature="s",
        seconds=0.4,
    )


def verdict(tree: str = "n" * 40, *, lint: bool = True, unit: bool = True) -> Verdict:
    checks = tuple(
        CheckOutcome(id=name, passed=ok, end=CommandEnd.EXITED, exit_code=0 if ok else 1, seconds=1.0, output="...")
        for name, ok in (("lint", lint), ("unit", unit))
    )
    return Verdict(tree=tree, checks=checks)


def key(activity: str = "a1", attempt: int = 1, run: str = "run-1", workflow: str = LOOP) -> CallKey:
    return CallKey(workflow_id=workflow, run_id=run, activity_id=activity, attempt=attempt)


def opening(
    hold_nano: int = 1000, *, step: int = 1, limits: dict[ScopeKind, int] | None = None, **fields: Any
) -> CallOpening:
    """A call of the loop's first attempt; ``limits`` are limits on scopes named after their kind, save the job's."""
    names = {ScopeKind.JOB: JOB, ScopeKind.LOOP: LOOP, ScopeKind.ATTEMPT: f"{LOOP}#1"}
    scopes = tuple(
        Scope(kind=kind, key=names.get(kind, kind.value), limit_nano=limit) for kind, limit in (limits or {}).items()
    )
    values: dict[str, Any] = {
        "key": key(f"step-{step}"),
        "job_id": JOB,
        "owner_id": LOOP,
        "attempt_number": 1,
        "step": step,
        "role": "code",
        "model": RUNG.model,
        "tier": RUNG.tier,
        "reason": ReasonCode.FIRST,
        "request_hash": f"hash-{step}",
        "hold_nano": hold_nano,
        "input_bound_tokens": 4000,
        "max_output_tokens": 1000,
        "price_snapshot": "p" * 16,
        "scopes": scopes,
        "opened_at": NOW,
    }
    return CallOpening(**{**values, **fields})


def held(result: Held | Answered | DoesNotFit | MustWait) -> int:
    """The number of a call that was let through."""
    assert isinstance(result, Held), result
    return result.call_id


@dataclass
class Books:
    """The ledger under test and where it is."""

    ledger: SqlLedger
    url: str

    def begin(self) -> Books:
        self.ledger.open_job(job_row())
        self.ledger.open_loop(loop_row())
        self.ledger.open_attempt(attempt_row())
        return self

    def step(self, number: int, *, cost_nano: int = 400, hold_nano: int = 1000, tool: str | None = "bash") -> int:
        """One whole step: hold, answer, tools."""
        opened = opening(hold_nano, step=number, sent_messages=len(self.ledger.conversation(LOOP, 1).messages))
        call_id = held(self.ledger.place_hold(opened))
        self.ledger.settle(call_id, answer(f"answer {number}", tool=tool), cost_nano, 1.5, NOW)
        if tool is not None:
            self.ledger.put_tool_run(results_of(call_id, f"result {number}"), NOW)
        return call_id

    def charged(self) -> int:
        return self.ledger.attempt_cost_nano(LOOP, 1)


def later(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)
