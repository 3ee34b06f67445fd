"""A stop, while a model answers and while a command runs: nothing goes on, the best tree is kept, a resume works."""

from __future__ import annotations

import json

import psutil
import pytest

from tests.e2e.test_kill import submitted
from tests.e2e.workbench import Workbench, kill_hard, wait_until

SLOW_TOOLS = """
version: 1
plays:
  - when: {lacks: "Attempt 2 of"}
    steps:
      - {tools: [{write_file: {path: notes.txt, content: "begun\\n"}}, {bash: {command: "touch marker; sleep 312"}}]}
  - steps:
      - {say: "Fixing.", tools: [{write_file: {path: calc.py, content: "def add(a, b):\\n    return a + b\\n"}}]}
      - {tools: [{finish: {summary: "add() adds."}}]}
"""

BRIEF = """
version: 1
plays:
  - steps:
      - {tools: [{bash: {command: "touch marker; sleep 2; rm marker"}}]}
      - {say: "Fixing.", tools: [{write_file: {path: calc.py, content: "def add(a, b):\\n    return a + b\\n"}}]}
      - {tools: [{finish: {summary: "add() adds."}}]}
"""

SLOW_MODEL = """
version: 1
plays:
  - steps:
      - {say: "Thinking.", delay_seconds: 300, tools: [{bash: {command: "ls"}}]}
"""


def sleeping() -> list[int]:
    """Processes that run the command of the spec under test."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        if process.info["cmdline"] and "312" in process.info["cmdline"]:
            found.append(process.pid)
    return found


@pytest.mark.slow
def test_a_stop_kills_a_running_command_and_a_resumed_job_is_accepted(bench: Workbench) -> None:
    bench.play(SLOW_TOOLS)
    bench.thirdshift("up")
    wait_until((bench.home / "engine.json").exists, "the line to be up")
    job = submitted(bench)
    wait_until(lambda: any(bench.home.glob("work/*/tree/marker")), "the command to run")
    stopped = bench.run("stop", job, "--reason", "seen enough", "--json")
    assert stopped.returncode == 0, stopped.stderr
    status = bench.status(job)
    assert (status["state"], status["stop_reason"]) == ("stopped", "stopped_by_person")
    assert sleeping() == []
    resumed = bench.run("resume", job, "--json")
    assert resumed.returncode == 0, resumed.stderr
    end = json.loads(resumed.stdout.splitlines()[-1])
    assert end["state"] == "accepted"
    assert end["attempts"] >= 2


@pytest.mark.slow
def test_a_stop_ends_a_call_that_is_under_way_and_its_hold_stays_charged(bench: Workbench) -> None:
    bench.play(SLOW_MODEL)
    bench.thirdshift("up")
    wait_until((bench.home / "engine.json").exists, "the line to be up")
    job = submitted(bench)
    wait_until(lambda: bench.requests() == 1, "the call to be sent")
    assert bench.run("stop", job, "--json").returncode == 0
    status = bench.status(job)
    assert status["stop_reason"] == "stopped_by_person"
    assert bench.requests() == 1
    assert status["unknown_usd"] != "0"


@pytest.mark.slow
def test_a_job_goes_on_after_server_and_worker_were_killed_together(bench: Workbench) -> None:
    bench.play(BRIEF)
    up = bench.thirdshift("up")
    wait_until((bench.home / "engine.json").exists, "the line to be up")
    job = submitted(bench)
    wait_until(lambda: any(bench.home.glob("work/*/tree/marker")), "the command to run")
    kill_hard(up)
    bench.thirdshift("up")
    end = wait_until(lambda: _ended(bench, job), "the job to end")
    assert end["state"] == "accepted"


def _ended(bench: Workbench, job: str) -> dict[str, object] | None:
    status = bench.status(job)
    return status if status["state"] in ("accepted", "stopped", "failed") else None
