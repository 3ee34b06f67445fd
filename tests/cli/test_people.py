"""People at work from the command line: gates answered and jobs steered, with a worker and without one."""

import json
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.desk import SPEC, Type, script, wait_for_line

Ask = Callable[..., tuple[int, Any]]
GATED = SPEC.replace("plan: none\n", "plan: none\ngates: [merge]\n")


@pytest.fixture
def gated(desk: Path) -> Path:
    (desk / "spec.md").write_text(GATED)
    return desk


def test_a_run_says_how_to_answer_waits_and_goes_on_once_it_is_decided(gated: Path, ask: Ask, start: Type) -> None:
    running = start("run", "spec.md", "--json")
    assert "merge (before anything is delivered)" in wait_for_line(running, "gates")
    job_id = wait_for_line(running, "read and answer gate 1").split()[-1]
    assert wait_for_line(running, "/user-metadata")
    code, listed = ask("gates")
    assert code == 0
    (gate,) = listed["gates"]
    assert (gate["job_id"], gate["kind"], gate["gate"]) == (job_id, "merge", 1)
    assert gate["ui_url"].endswith("/user-metadata")
    assert ask("status", job_id)[0] == 3
    _, changed = ask("diff", job_id)
    assert changed["files"] == [{"path": "hello.txt", "added": 1, "removed": 0}]
    code, refused = ask("decide", job_id, "--approve", "--tree", "0" * 40, "--reviewer", "ada")
    assert code == 1
    assert refused["error"]["message"].startswith("NOT RECORDED. The answer is for tree 0000")
    code, told = ask("decide", job_id, "--approve", "--tree", gate["tree"][:10], "--reviewer", "ada")
    assert (code, told["recorded"]) == (0, True)
    assert told["answer"].startswith("RECORDED. ")
    out, _ = running.communicate()
    assert (running.returncode, json.loads(out)["state"]) == (0, "accepted")
    assert json.loads(out)["gates"][0]["answers"][0]["reviewer"] == "ada"


def test_without_a_worker_nothing_is_sent_and_the_gate_stays_open(gated: Path, ask: Ask) -> None:
    code, left = ask("run", "spec.md", "--no-wait")
    assert (code, left["state"]) == (3, "waiting")
    code, told = ask("decide", left["job_id"], "--approve", "--reviewer", "ada")
    assert code == 69
    assert told["error"]["message"].startswith("NOT RECORDED: no Temporal server is running")
    assert [gate["answers"] for gate in ask("gates")[1]["gates"]] == [[]]
    assert ask("steer", left["job_id"], "be quick")[0] == 69
    code, _ = ask("decide", left["job_id"])
    assert code == 64, "nobody to ask"


def test_a_server_without_a_worker_is_told_apart_and_the_answer_is_not_sent(gated: Path, ask: Ask, start: Type) -> None:
    _, left = ask("run", "spec.md", "--no-wait")
    server = start("up", "--no-worker", "--json")
    assert server.stdout is not None
    server.stdout.readline()
    code, told = ask("decide", left["job_id"], "--approve", "--reviewer", "ada")
    assert code == 69
    assert told["error"]["message"].startswith("NOT RECORDED: no worker is up")
    server.send_signal(signal.SIGTERM)
    server.wait()
    running = start("up", "--json")
    assert running.stdout is not None
    running.stdout.readline()
    assert ask("gates", left["job_id"])[1]["gates"][0]["answers"] == [], "it was never handed over"
    code, told = ask("decide", left["job_id"], "--approve", "--reject", "--note", "No.")
    assert (code, "--approve and --reject exclude each other" in told["error"]["message"]) == (64, True)
    assert ask("decide", left["job_id"], "--reject", "--note", "No.", "--reviewer", "ada")[0] == 0
    assert ask("watch", left["job_id"])[1]["state"] == "rejected"


def test_a_job_is_paused_steered_given_money_and_let_go_on(desk: Path, ask: Ask, start: Type) -> None:
    script(desk, "hello", delay=4.0)
    running = start("run", "spec.md", "--json")
    wait_for_line(running, "attempt 1")
    job_id = ask("status")[1]["jobs"][0]["job_id"]
    assert ask("pause", job_id, "--who", "ada")[1]["answer"].startswith("RECORDED. It pauses")
    code, again = ask("pause", job_id)
    assert (code, "It is paused already, by ada" in again["error"]["message"]) == (1, True)
    while not ask("status", job_id)[1]["paused"]:
        assert ask("status", job_id)[1]["state"] == "running", "it pauses at the end of the step"
    assert ask("steer", job_id, "Mind the newline.")[0] == 0
    assert ask("raise-budget", job_id, "--by-usd", "0.50", "--reviewer", "ada")[0] == 0
    assert ask("resume", job_id)[1]["answer"].startswith("RECORDED. It goes on")
    out, err = running.communicate()
    job = json.loads(out)
    assert (running.returncode, job["state"], job["budget_usd"]) == (0, "accepted", "1.5")
    for told in ("ada paused it", "said: Mind the newline.", "let it go on"):
        assert told in err
