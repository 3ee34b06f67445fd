"""A worker's three processes: which secret is where, and what becomes of them when one of them is killed."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.e2e.workbench import Workbench, kill_hard, wait_until

MODEL_KEY, FORGE_TOKEN, NOTICE_URL, AGENT, SOURCE_SECRET, STRAY = (
    "model-key-4417-zebra",
    "forge-token-5528-heron",
    "json://127.0.0.1:9/notice-6639-otter",
    "/run/ssh-agent-9962-koala",
    "source-secret-7740-lemur",
    "stray-8851-bison",
)
ALL = {MODEL_KEY, FORGE_TOKEN, NOTICE_URL, AGENT, SOURCE_SECRET, STRAY}
SECRETS = f"NOTICE_URL={NOTICE_URL}\nFORGE_TOKEN={FORGE_TOKEN}\n"
MORE = """
[forges.work]
kind = "github"
host = "git.example.org"
token_env = "FORGE_TOKEN"

[sources.ci]
kind = "generic"
secret_env = "SOURCE_SECRET"

[notify]
everybody = ["NOTICE_URL"]
"""
PLAY = """
version: 1
plays:
  - steps:
      - {say: "Looking.", tools: [{bash: {command: "cat calc.py; sleep 2"}}]}
      - say: "Fixing."
        delay_seconds: 2
        tools: [{write_file: {path: calc.py, content: "def add(a, b):\\n    return a + b\\n"}}]
      - {tools: [{finish: {summary: "add() adds."}}]}
"""


class KeyedBench(Workbench):
    """A bench whose user has a secret of every kind, some in the environment and some in the file."""

    def keep_secrets(self) -> None:
        toml = self.root / "thirdshift.toml"
        keyed = toml.read_text().replace('kind = "openai-chat"', 'kind = "openai-chat"\napi_key_env = "MODEL_KEY"')
        toml.write_text(keyed + MORE)
        self.home.mkdir()
        (self.home / "secrets.env").write_text(SECRETS)
        (self.home / "secrets.env").chmod(0o600)

    def environment(self) -> dict[str, str]:
        return super().environment() | {
            "MODEL_KEY": MODEL_KEY,
            "SOURCE_SECRET": SOURCE_SECRET,
            "AWS_SECRET_ACCESS_KEY": STRAY,
            "SSH_AUTH_SOCK": AGENT,
        }


@pytest.fixture
def bench(bench: Workbench) -> KeyedBench:
    bench.play(PLAY)
    keyed = KeyedBench(bench.root)
    keyed.started, keyed.port = bench.started, bench.port
    keyed.keep_secrets()
    return keyed


def crew_of(pid: int) -> dict[str, psutil.Process]:
    """The processes of a worker by their duty."""
    found = {}
    with contextlib.suppress(psutil.NoSuchProcess):
        for child in psutil.Process(pid).children():
            command = child.cmdline()
            if "--only" in command:
                found[command[command.index("--only") + 1]] = child
    return found


def environment_of(pid: int) -> str:
    return Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace")


def memory_of(pid: int) -> bytes:
    """Everything that a process could look at in itself, but for what it maps from files."""
    pieces = []
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            match = re.match(r"([0-9a-f]+)-([0-9a-f]+) (r\S+) \S+ \S+ \S+ *(\S*)", line)
            if match and not match[4].startswith("/") and match[4] not in ("[vvar]", "[vsyscall]", "[vvar_vclock]"):
                with contextlib.suppress(OSError, ValueError):
                    memory.seek(int(match[1], 16))
                    pieces.append(memory.read(int(match[2], 16) - int(match[1], 16)))
    return b"".join(pieces)


def submitted(bench: Workbench) -> str:
    done = bench.run("submit", str(bench.spec), "--json")
    assert done.returncode == 0, done.stderr + done.stdout
    return str(json.loads(done.stdout)["jobs"][0]["job_id"])


def ended(bench: Workbench, job: str) -> dict[str, Any] | None:
    status = bench.status(job)
    return status if status["state"] in ("accepted", "stopped", "failed") else None


def ready(worker: Any) -> dict[str, Any]:
    for line in worker.stdout:
        if line.startswith("{"):
            return dict(json.loads(line))
    raise AssertionError("the worker ended before it was ready")


@pytest.mark.slow
def test_every_secret_is_in_the_process_whose_duty_it_is_and_none_where_agents_code_runs(bench: KeyedBench) -> None:
    up = bench.thirdshift("up", "--json")
    ready(up)
    job = submitted(bench)
    assert wait_until(lambda: ended(bench, job), "the job to end")["state"] == "accepted"
    crew = crew_of(up.pid)
    own = {"models": {MODEL_KEY}, "hosts": set[str](), "delivery": {FORGE_TOKEN, NOTICE_URL, AGENT}}
    assert crew.keys() == own.keys()
    for duty, process in crew.items():
        environment, memory = environment_of(process.pid), memory_of(process.pid)
        assert len(memory) > 20 << 20, "the memory was not read"
        assert {secret for secret in ALL if secret in environment} == own[duty], duty
        assert {secret for secret in ALL if secret.encode() in memory} == own[duty], duty
    log = bench.home / "logs"
    assert {"worker.log", "worker-models.log", "worker-delivery.log"} >= {path.name for path in log.glob("worker*.log")}


@pytest.mark.slow
def test_a_run_in_the_foreground_keeps_secrets_from_agents_code_as_well(bench: KeyedBench) -> None:
    run = bench.thirdshift("run", str(bench.spec), "--json")
    crew = wait_until(lambda: found if len(found := crew_of(run.pid)) == 3 else None, "three processes")
    wait_until(
        lambda: (bench.home / "work").is_dir() and any((bench.home / "work").iterdir()), "the job to be worked on"
    )
    hosts = crew["hosts"].pid
    assert not [secret for secret in ALL if secret in environment_of(hosts) or secret.encode() in memory_of(hosts)]
    assert ready(run)["state"] == "accepted"
    assert run.wait(30) == 0
    assert not any(alive(process) for process in crew.values())


@pytest.mark.slow
def test_no_process_outlives_the_one_that_started_it(bench: KeyedBench) -> None:
    bench.thirdshift("up", "--no-worker")
    wait_until((bench.home / "engine.json").exists, "the server to be up")
    worker = bench.thirdshift("worker", "--json")
    crew = wait_until(lambda: crew if len(crew := crew_of(worker.pid)) == 3 else None, "three processes")
    kill_hard(worker)  # while they still load
    wait_until(lambda: not any(alive(process) for process in crew.values()), "their end", 20)
    worker = bench.thirdshift("worker", "--json")
    ready(worker)
    crew = crew_of(worker.pid)
    kill_hard(worker)
    wait_until(lambda: not any(alive(process) for process in crew.values()), "their end", 20)
    worker = bench.thirdshift("worker", "--json")
    ready(worker)
    crew = crew_of(worker.pid)
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(30) == 0
    assert not any(alive(process) for process in crew.values())


@pytest.mark.slow
@pytest.mark.parametrize("duty", ["models", "hosts", "delivery"])
def test_a_process_that_is_killed_is_started_again_and_the_job_goes_on(bench: KeyedBench, duty: str) -> None:
    up = bench.thirdshift("up", "--json")
    ready(up)
    job = submitted(bench)
    wait_until(lambda: bench.requests() == (1 if duty == "hosts" else 2), "the job to be at work")
    first = crew_of(up.pid)[duty]
    first.kill()
    assert wait_until(lambda: ended(bench, job), "the job to end")["state"] == "accepted"
    again = wait_until(lambda: crew_of(up.pid).get(duty), "the process to be back")
    assert again.pid != first.pid
    # A call that was under way when its process died may have been billed, so it is asked again; no other is.
    assert bench.requests() == (4 if duty == "models" else 3)


@pytest.mark.slow
def test_a_worker_of_hosts_alone_takes_secrets_out_of_its_own_environment_and_says_so(bench: KeyedBench) -> None:
    bench.thirdshift("up", "--no-worker")
    wait_until((bench.home / "engine.json").exists, "the server to be up")
    worker = bench.thirdshift("worker", "--only", "hosts")
    assert worker.stdout is not None
    told = worker.stdout.readline()
    assert "MODEL_KEY" in told
    assert "AWS_SECRET_ACCESS_KEY" in told
    assert "worker" in worker.stdout.readline()
    environment, memory = environment_of(worker.pid), memory_of(worker.pid)
    assert [secret for secret in ALL if secret in environment or secret.encode() in memory] == []


def test_what_a_process_refuses_at_its_start_ends_the_worker_with_its_words(bench: KeyedBench) -> None:
    (bench.home / "secrets.env").chmod(0o644)
    done = bench.run("up", "--json")
    assert done.returncode == 64
    assert "chmod 600" in done.stderr
    assert os.fspath(bench.home) in done.stderr


def alive(process: psutil.Process) -> bool:
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
