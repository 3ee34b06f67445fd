"""Deliveries from the command line: a merge onto a base that moved, a pull request, and workers killed in between."""

from __future__ import annotations

import json
import shlex
import threading
from pathlib import Path

import pytest

from tests.e2e.workbench import SPEC, Workbench, kill_hard, wait_until
from tests.fakes.forge.github_api import github_api
from tests.fakes.forge.server import TOKEN, Answer, Asked, ForgeServer, serving

PLAY = """
version: 1
plays:
  - steps:
      - {say: "Fixing.", tools: [{write_file: {path: calc.py, content: "def add(a, b):\\n    return a + b\\n"}}]}
      - {tools: [{finish: {summary: "add() adds."}}]}
"""
FORGE = """
[delivery]
ssh_command = "{ssh}"

[forges.ours]
kind = "github"
url = "{url}"
host = "far.example"
token_env = "FORGE_TOKEN"
"""


def submitted(bench: Workbench, deliver: str, more: str = "") -> str:
    """The job, submitted to a server that has no worker yet."""
    bench.play(PLAY)
    with (bench.root / "thirdshift.toml").open("a") as config:
        config.write(more)
    bench.write_spec(SPEC.replace("task: bugfix", f"base: main\ntask: bugfix\ndeliver: {deliver}"))
    bench.git("switch", "-q", "-c", "desk")
    bench.thirdshift("up", "--no-worker")
    wait_until(lambda: bench.run("status", "--json").returncode == 0, "the server to be up")
    done = bench.run("submit", str(bench.spec), "--json")
    assert done.returncode == 0, done.stderr + done.stdout
    found = json.loads(done.stdout)
    return str(found.get("jobs", [found])[0]["job_id"])


def commit_on_main(bench: Workbench, name: str, text: str) -> None:
    bench.git("switch", "-q", "main")
    (bench.repo / name).write_text(text)
    bench.git("add", "-A")
    bench.git("-c", "user.name=B", "-c", "user.email=b@example.org", "commit", "-qm", "theirs")
    bench.git("switch", "-q", "desk")


def ended(bench: Workbench, job: str) -> dict[str, object] | None:
    status = bench.status(job)
    return status if status["state"] in ("accepted", "stopped", "failed") else None


def synced(bench: Workbench) -> dict[str, object]:
    done = bench.run("outcomes", "sync", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


@pytest.mark.slow
def test_a_merge_onto_a_moved_base_is_judged_lands_once_and_its_reversal_is_seen(bench: Workbench) -> None:
    job = submitted(bench, "merge")
    commit_on_main(bench, "theirs.py", "x = 1\n")
    bench.thirdshift("worker")
    end = wait_until(lambda: ended(bench, job), "the job to end")
    assert (end["state"], end["branch"]) == ("accepted", "main")
    assert bench.git("show", "main:calc.py") == "def add(a, b):\n    return a + b"
    assert bench.git("show", "main:theirs.py") == "x = 1"
    assert bench.git("log", "-1", "--format=%H", "main") == end["commit"]
    assert len(bench.git("log", "-1", "--format=%P", "main").split()) == 2
    assert bench.git("branch", "--list", "thirdshift/*") == ""
    assert bench.git("status", "--porcelain") == ""
    assert synced(bench)["totals"] == {
        "pending": 0,
        "accepted": 1,
        "edited": 0,
        "rejected": 0,
        "reverted": 0,
        "cost_per_accepted_usd": end["total_cost_usd"],
    }
    bench.git("switch", "-q", "main")
    bench.git("-c", "user.name=B", "-c", "user.email=b@example.org", "revert", "--no-edit", "-m", "1", "HEAD")
    found = synced(bench)
    assert [event["kind"] for event in found["new"]] == ["reverted"]  # type: ignore[attr-defined]  # JSON
    assert "reverted" in bench.run("outcomes", "sync").stdout


@pytest.mark.slow
def test_a_conflict_leaves_base_and_branch_and_the_job_is_delivered_once_it_is_gone(bench: Workbench) -> None:
    job = submitted(bench, "merge")
    before = bench.git("rev-parse", "main")
    commit_on_main(bench, "calc.py", "def add(a, b):\n    return sum((a, b))\n")
    theirs = bench.git("rev-parse", "main")
    bench.thirdshift("worker")
    end = wait_until(lambda: ended(bench, job), "the job to end")
    assert (end["state"], end["stop_reason"], end["branch"]) == ("failed", "undelivered", f"thirdshift/{job}")
    assert "both sides changed calc.py" in str(end["evidence"])
    assert end["remedy"] == f"thirdshift resume {job}"
    assert bench.git("rev-parse", "main") == theirs
    assert bench.git("show", f"thirdshift/{job}:calc.py") == "def add(a, b):\n    return a + b"
    bench.git("update-ref", "refs/heads/main", before)
    sent = bench.requests()
    again = bench.run("resume", job, "--json")
    assert again.returncode == 0, again.stderr
    assert wait_until(lambda: (e := ended(bench, job)) and e["state"] == "accepted", "the job to be delivered")
    assert bench.git("show", "main:calc.py") == "def add(a, b):\n    return a + b"
    assert bench.requests() == sent


@pytest.mark.slow
@pytest.mark.parametrize("answered", [False, True], ids=["before it is made", "after it is made"])
def test_a_worker_killed_while_it_asks_for_a_merge_leaves_one_request_that_is_followed(
    bench: Workbench, answered: bool, tmp_path: Path
) -> None:
    asked, go_on = threading.Event(), threading.Event()

    def api(forge: ForgeServer, given: Asked) -> Answer:
        if given.method != "POST" or go_on.is_set():
            return github_api(forge, given)
        made = github_api(forge, given) if answered else Answer(500, {})
        asked.set()
        go_on.wait(60)
        return made

    far = tmp_path / "far.git"
    bench.git("clone", "-q", "--bare", str(bench.repo), str(far))
    bench.git("remote", "add", "origin", "ssh://git@far.example/srv/team.git")
    client = tmp_path / "ssh"
    client.write_text(
        f"#!/bin/sh\nfor last; do :; done\ncommand=$(echo \"$last\" | sed 's|/srv/team.git|{far}|')\n"
        'exec env -i PATH=/usr/bin:/bin HOME=/nonexistent sh -c "$command"\n'
    )
    client.chmod(0o755)
    secrets = bench.home / "secrets.env"
    secrets.parent.mkdir(parents=True, exist_ok=True)
    secrets.write_text(f"FORGE_TOKEN={TOKEN}\n")
    secrets.chmod(0o600)
    with serving(api) as forge:
        job = submitted(bench, "pull-request", FORGE.format(ssh=shlex.quote(str(client)), url=forge.url))
        worker = bench.thirdshift("worker")
        wait_until(asked.is_set, "the worker to ask the forge")
        kill_hard(worker)
        go_on.set()
        bench.thirdshift("worker")
        end = wait_until(lambda: ended(bench, job), "the job to end")
        assert end["state"] == "accepted", end
        (request,) = forge.requests
        assert (request.project, request.head, request.base) == ("srv/team", f"thirdshift/{job}", "main")
        assert (
            "| AC-1 | When two numbers are given, the system shall return their sum. | unit | passed |" in request.body
        )
        assert bench.git("ls-remote", str(far), f"refs/heads/{request.head}").split()[0] == end["commit"]
        request.state = "closed"
        assert [event["kind"] for event in synced(bench)["new"]] == ["rejected"]  # type: ignore[attr-defined]  # JSON
