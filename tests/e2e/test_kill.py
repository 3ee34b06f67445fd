"""``kill -9`` of the worker in each of its occupations: the job ends as if nothing had happened."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.workbench import Workbench, kill_hard, wait_until

MODEL_WAITS = """
version: 1
plays:
  - steps:
      - {say: "Looking.", tools: [{bash: {command: "cat calc.py"}}]}
      - say: "Fixing."
        delay_seconds: 3
        tools: [{write_file: {path: calc.py, content: "def add(a, b):\\n    return a + b\\n"}}]
      - {tools: [{finish: {summary: "add() adds."}}]}
"""

TOOLS_WAIT = """
version: 1
plays:
  - steps:
      - {say: "Looking.", tools: [{bash: {command: "cat calc.py; date >> trace.txt; sleep 3"}}]}
      - say: "Fixing."
        tools:
          - write_file: {path: calc.py, content: "def add(a, b):\\n    return a + b\\n"}
          - bash: {command: "rm -f trace.txt"}
      - {tools: [{finish: {summary: "add() adds."}}]}
"""

QUICK = """
version: 1
plays:
  - steps:
      - {say: "Fixing.", tools: [{write_file: {path: calc.py, content: "def add(a, b):\\n    return a + b\\n"}}]}
      - {tools: [{finish: {summary: "add() adds."}}]}
"""


def submitted(bench: Workbench) -> str:
    done = bench.run("submit", str(bench.spec), "--json")
    assert done.returncode == 0, done.stderr + done.stdout
    found = json.loads(done.stdout)
    jobs = found["jobs"] if isinstance(found, dict) and "jobs" in found else [found]
    return str(jobs[0]["job_id"])


@pytest.mark.slow
@pytest.mark.parametrize(
    ("script", "check", "doing", "answers"),
    [
        (MODEL_WAITS, "python3 -m unittest -q", "model", 3),
        (TOOLS_WAIT, "python3 -m unittest -q", "tools", 3),
        (QUICK, "sleep 2 && python3 -m unittest -q", "verify", 2),
    ],
    ids=["during a model call", "during tools", "during verification"],
)
def test_a_worker_killed_at_work_costs_no_settled_answer_twice(
    bench: Workbench, script: str, check: str, doing: str, answers: int
) -> None:
    bench.play(script)
    bench.write_spec(check=check)
    bench.thirdshift("up", "--no-worker")
    wait_until((bench.home / "engine.json").exists, "the server to be up")
    job = submitted(bench)
    worker = bench.thirdshift("worker")
    wait_until(lambda: _is(bench, job, doing), f"the loop to be in {doing}")
    kill_hard(worker)
    sent_before = bench.requests()
    bench.thirdshift("worker")
    end = wait_until(lambda: _ended(bench, job), "the job to end")
    assert end["state"] == "accepted"
    assert bench.git("show", f"{end['branch']}:calc.py") == "def add(a, b):\n    return a + b"
    # The call that was under way when the worker died may have been billed, so it is asked again; no other is.
    cut = 1 if doing == "model" else 0
    assert bench.requests() == answers + cut
    assert sent_before <= answers + cut


def _is(bench: Workbench, job: str, doing: str) -> bool:
    if doing == "model":
        return bench.requests() == 2
    if doing == "tools":
        return any(bench.home.glob("work/*/tree/trace.txt"))
    return bench.requests() == 2 and _checkouts(bench.home) > 0 and bench.status(job)["steps"] == 2


def _checkouts(home: Path) -> int:
    return len(list(home.glob("scratch/checkout-*")))


def _ended(bench: Workbench, job: str) -> dict[str, object] | None:
    status = bench.status(job)
    return status if status["state"] in ("accepted", "stopped", "failed") else None
