"""A whole line that works by night: a repository, specs, a plan, and a shift that is started by hand."""

from __future__ import annotations

import contextlib
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowHandle

from tests.adapters.hub.repositories import make_repository
from tests.fakes.whole_line import Line, whole_line
from thirdshift.core.shifts import ShiftPlan
from thirdshift.night_signatures import ShiftInput, ShiftResult
from thirdshift.signatures import WORKFLOW_QUEUE
from workflows.shift import Shift

USD = 1_000_000_000
SPEC = """---
title: Make {name} add
repo: {repo}
plan: none
priority: {priority}
checks:
  - {{id: unit, run: "PYTHONPATH=. python3 -c 'from {name} import add; assert add(2, 3) == 5'", covers: [AC-1]}}
budget: {{max_budget_usd: 1.00, max_attempts: 2, max_steps: 8, max_wall: 5m}}
{more}---
# Goal
Make add() in {name}.py add.

# Acceptance
- AC-1: When two numbers are given, the system shall return their sum.
"""
WRONG, RIGHT = "def add(a, b):\n    return a - b\n", "def add(a, b):\n    return a + b\n"


def play(name: str, *before: str) -> str:
    """What the model does for one spec; ``before`` are commands of steps that come first."""
    steps = [f'      - {{tools: [{{bash: {{command: "{command}"}}}}]}}' for command in before]
    steps += [
        f"      - {{tools: [{{write_file: {{path: {name}.py, content: {RIGHT!r}}}}}]}}".replace("'", '"'),
        "      - {tools: [{finish: {summary: done}}]}",
    ]
    return f'  - when: {{contains: "add() in {name}.py"}}\n    steps:\n' + "\n".join(steps)


def script(*plays: str) -> str:
    """A script of plays."""
    return "version: 1\nplays:\n" + "\n".join(plays) + "\n"


def make_work(root: Path, names: str) -> None:
    """A repository with a module for each letter, and its spec in ``specs``; the first letter goes first."""
    make_repository(root / "repo", {f"{name}.py": WRONG for name in names})
    for number, name in enumerate(names):
        write_spec(root, name, priority=-number)


def write_spec(root: Path, name: str, priority: int = 0, more: str = "") -> Path:
    """A spec for one module."""
    (root / "specs").mkdir(exist_ok=True)
    path = root / "specs" / f"{name}.md"
    path.write_text(SPEC.format(name=name, repo=root / "repo", priority=priority, more=more))
    return path


def plan(root: Path, window_seconds: int = 3600, **terms: Any) -> ShiftPlan:
    """A shift whose window is far from now, so that starting it is starting it by hand."""
    opens = (datetime.now(UTC) + timedelta(hours=12)).replace(microsecond=0)  # noqa: TID251 - the test's own
    said: dict[str, Any] = {
        "name": "nightly",
        "root": str(root),
        "specs": ("specs/*.md",),
        "opens": time(opens.hour, opens.minute, opens.second),
        "closes": (opens + timedelta(seconds=window_seconds)).time(),
        "zone": "UTC",
        "budget_nano": 20 * USD,
        "concurrency": 2,
        "drain_seconds": window_seconds / 2,
        "submitter": "ops",
    }
    return ShiftPlan.model_validate(said | terms)


@contextlib.asynccontextmanager
async def line_by_night(root: Path, plays: str) -> AsyncIterator[Line]:
    """Everything up on a script, except for the shift."""
    async with whole_line(root, plays) as line:
        yield line


async def start_night(line: Line, given: ShiftPlan, name: str) -> WorkflowHandle[Any, ShiftResult]:
    """Start a night as its Schedule, or a person, would."""
    handle: WorkflowHandle[Any, ShiftResult] = await line.client.start_workflow(
        Shift.run, ShiftInput(plan=given), id=name, task_queue=WORKFLOW_QUEUE
    )
    return handle


def calls_settled(home: Path, job_id: str) -> Counter[tuple[str, int, int]]:
    """How often each step of a job was answered and paid for, by loop, attempt and step."""
    with contextlib.closing(sqlite3.connect(home / "ledger.db")) as books:
        found = books.execute(
            "SELECT owner_id, number, step FROM calls JOIN attempts USING (attempt_id) WHERE job_id = ? AND state = ?",
            (job_id, "settled"),
        ).fetchall()
    return Counter((owner, number, step) for owner, number, step in found)
