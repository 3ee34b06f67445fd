"""A night that is struck: its worker is killed, and the kill switch is thrown. Everything is its own process here."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import WorkflowHandle

from tests.e2e.nights import calls_settled, make_work, plan, play, script
from tests.e2e.workbench import Workbench, kill_hard, wait_until, workbench
from thirdshift.adapters.engine.connection import connect
from thirdshift.adapters.ledger import open_ledger
from thirdshift.core.engine import EngineTarget
from thirdshift.core.shifts import ShiftPlan
from thirdshift.night_signatures import ShiftInput, ShiftResult
from thirdshift.signatures import WORKFLOW_QUEUE
from workflows.shift import Shift

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
GENEROUS_SECONDS = 15.0
"""For a stop on a machine that does much else; the figure itself is printed."""


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Workbench]:
    with workbench(tmp_path) as made:
        yield made


def begin_night(bench: Workbench, given: ShiftPlan) -> None:
    """Start a night as its Schedule would."""

    async def start() -> None:
        port = json.loads((bench.home / "engine.json").read_text())["port"]
        client = await connect(EngineTarget(kind="address", address=f"127.0.0.1:{port}"))
        await client.start_workflow(Shift.run, ShiftInput(plan=given), id="shift-one", task_queue=WORKFLOW_QUEUE)

    asyncio.run(start())


def end_of_night(bench: Workbench) -> ShiftResult:
    async def result() -> ShiftResult:
        port = json.loads((bench.home / "engine.json").read_text())["port"]
        client = await connect(EngineTarget(kind="address", address=f"127.0.0.1:{port}"))
        night: WorkflowHandle[Any, ShiftResult] = client.get_workflow_handle("shift-one", result_type=ShiftResult)
        return await asyncio.wait_for(night.result(), 90)

    return asyncio.run(result())


def jobs_of(bench: Workbench) -> list[dict[str, Any]]:
    """Every job as ``status`` has it."""
    with closing(open_ledger(f"sqlite:///{bench.home / 'ledger.db'}")) as ledger:
        return [{"job_id": job.job_id, "state": job.state.value} for job in ledger.list_jobs(10)]


@pytest.mark.parametrize("with_server", [False, True], ids=["the worker", "worker and server"])
def test_what_is_killed_in_the_night_costs_no_settled_answer_twice(bench: Workbench, with_server: bool) -> None:
    make_work(bench.root, "ab")
    bench.play(script(play("a", "touch mark-a; sleep 4"), play("b", "touch mark-b; sleep 4")))
    server = bench.thirdshift("up", *(() if with_server else ("--no-worker",)))
    wait_until((bench.home / "engine.json").exists, "the server to be up")
    worker = server if with_server else bench.thirdshift("worker")
    begin_night(bench, plan(bench.root))
    wait_until(lambda: len(list(bench.home.glob("work/*/tree/mark-*"))) == 2, "both jobs to run a command")
    kill_hard(worker)
    if with_server:
        (bench.home / "engine.json").unlink()
    bench.thirdshift("up" if with_server else "worker")
    wait_until((bench.home / "engine.json").exists, "the server to be up")
    result = end_of_night(bench)
    assert (result.how, result.begun) == ("closed", 2)
    ended = jobs_of(bench)
    assert [job["state"] for job in ended] == ["accepted", "accepted"]
    for job in ended:
        paid = calls_settled(bench.home, job["job_id"])
        assert list(paid.values()) == [1, 1, 1]
    assert bench.requests() == 6


def test_the_kill_switch_stops_every_job_of_the_night_and_every_other_one(bench: Workbench) -> None:
    make_work(bench.root, "abc")
    (bench.root / "other").mkdir()
    other = (bench.root / "specs" / "c.md").rename(bench.root / "other" / "c.md")
    bench.play(script(*(play(name, f"touch mark-{name}; sleep 300") for name in "abc")))
    bench.thirdshift("up")
    wait_until((bench.home / "engine.json").exists, "the line to be up")
    begin_night(bench, plan(bench.root))
    assert bench.run("submit", str(other)).returncode == 0
    wait_until(lambda: len(list(bench.home.glob("work/*/tree/mark-*"))) == 3, "three jobs to run a command")
    done = bench.run("stop", "--all", "--reason", "the building is on fire", "--json")
    assert done.returncode == 0, done.stderr + done.stdout
    told = json.loads(done.stdout)
    print(  # noqa: T201 - the figure is what the test is about
        f"stopped {len(told['jobs'])} jobs {told['seconds']:.2f} s after the signals: {told['jobs']}"
    )
    assert told["all_stopped"] is True
    assert len(told["jobs"]) == 3
    assert told["not_yet"] == []
    assert told["seconds"] < GENEROUS_SECONDS
    assert [job["state"] for job in jobs_of(bench)] == ["stopped"] * 3
    result = end_of_night(bench)
    assert (result.how, result.why) == ("stopped", "the building is on fire")
    again = bench.run("stop", "--all")
    assert (again.returncode, again.stdout.strip()) == (0, "nothing was running")


def test_without_a_worker_the_kill_switch_says_that_nothing_is_stopped_yet(bench: Workbench) -> None:
    make_work(bench.root, "a")
    bench.play(script(play("a")))
    bench.thirdshift("up", "--no-worker")
    wait_until((bench.home / "engine.json").exists, "the server to be up")
    begin_night(bench, plan(bench.root))
    done = bench.run("stop", "--all")
    assert done.returncode == 1
    assert "asked shift-one to stop" in done.stdout
    assert "no worker is up" in done.stderr
    bench.thirdshift("worker")
    assert end_of_night(bench).how == "stopped"
    assert jobs_of(bench) == []
