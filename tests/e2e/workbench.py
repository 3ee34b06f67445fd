"""A place to use Thirdshift from outside: a home, a repository, a loopback model, and the command line as processes."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil

PROJECT = Path(__file__).parents[2]
PATIENCE_SECONDS = 90.0

SPEC = """---
title: Add two numbers
repo: {repo}
task: bugfix
plan: none
checks:
  - {{id: unit, run: "{check}", covers: [AC-1], timeout: 1m}}
budget: {{max_budget_usd: 1.00, max_attempts: 6, max_steps: 60, max_wall: 10m}}
---
# Goal
Make add() add.

# Acceptance
- AC-1: When two numbers are given, the system shall return their sum.
"""

CONFIG = """
[providers.local]
kind = "openai-chat"
base_url = "http://127.0.0.1:{port}/v1"

[[tiers.economy]]
model = "local/small"
max_output_tokens = 1000

[[tiers.specialist]]
model = "local/large"
max_output_tokens = 1000

[prices."local/small"]
input = "0.10"
cache_read = "0.02"
output = "0.40"

[prices."local/large"]
input = "1.00"
cache_read = "0.10"
output = "4.00"
"""

CHECK = "python3 -m unittest -q"


def wait_until(holds: Callable[[], Any], what: str, seconds: float = PATIENCE_SECONDS) -> Any:
    """The first true value of ``holds``; fails the test, naming ``what``, if none comes."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := holds():
            return value
        time.sleep(0.05)
    raise AssertionError(f"{what}: not within {seconds:.0f} s")


class Workbench:
    """One test's place. Everything it starts is dead when it is left."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.home = root / "home"
        self.repo = root / "repo"
        self.spec = root / "spec.md"
        self.started: list[subprocess.Popen[str]] = []
        self.port = 0

    def make_repository(self, files: dict[str, str]) -> None:
        """A git repository of one commit."""
        for name, text in files.items():
            (self.repo / name).parent.mkdir(parents=True, exist_ok=True)
            (self.repo / name).write_text(text)
        for arguments in (
            ["init", "-q", "-b", "main"],
            ["add", "-A"],
            ["-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "-qm", "start"],
        ):
            self.git(*arguments)

    def git(self, *arguments: str) -> str:
        """Run git in the user's repository."""
        done = subprocess.run(["git", *arguments], cwd=self.repo, capture_output=True, text=True, check=True)
        return done.stdout.strip()

    def write_spec(self, text: str = SPEC, check: str = CHECK) -> None:
        """The spec file, for this repository."""
        self.spec.write_text(text.format(repo=self.repo, check=check))

    def play(self, script: str) -> None:
        """Start the loopback model on a script, and configure it."""
        path = self.root / "script.yaml"
        path.write_text(script)
        server = self.start([sys.executable, "-m", "tests.fakes.wire", "--script", str(path), "--port", "0"])
        assert server.stdout is not None
        self.port = json.loads(server.stdout.readline())["port"]
        (self.root / "thirdshift.toml").write_text(CONFIG.format(port=self.port))

    def requests(self) -> int:
        """Model requests that the loopback model has received."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/__count") as answer:
            return int(json.load(answer)["total"])

    def environment(self) -> dict[str, str]:
        """A new user's environment."""
        return {
            "PATH": os.environ["PATH"],  # noqa: TID251 - the test's own
            "HOME": str(self.root / "user"),
            "THIRDSHIFT_HOME": str(self.home),
            "LANG": "C.UTF-8",
            "PYTHONPATH": str(PROJECT),
            "NO_COLOR": "1",
        }

    def start(self, command: list[str]) -> subprocess.Popen[str]:
        """Start a process that is killed when the bench is left."""
        process = subprocess.Popen(
            command, cwd=self.root, env=self.environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.started.append(process)
        return process

    def thirdshift(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command of the command line."""
        return self.start([sys.executable, "-m", "thirdshift", *arguments])

    def run(self, *arguments: str, seconds: float = PATIENCE_SECONDS) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            [sys.executable, "-m", "thirdshift", *arguments],
            cwd=self.root,
            env=self.environment(),
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    def status(self, job: str) -> dict[str, Any]:
        """``status JOB --json``."""
        done = self.run("status", job, "--json")
        assert done.stdout.strip(), done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def leave(self) -> None:
        """Kill everything that was started, with its children."""
        for process in self.started:
            with contextlib.suppress(psutil.NoSuchProcess):
                for child in psutil.Process(process.pid).children(recursive=True):
                    child.kill()
            process.kill()
            process.wait()


def kill_hard(process: subprocess.Popen[str]) -> None:
    """``kill -9``, and wait until it is gone."""
    process.send_signal(signal.SIGKILL)
    process.wait()


@contextlib.contextmanager
def workbench(root: Path) -> Iterator[Workbench]:
    """A bench under ``root``, cleaned up at the end."""
    bench = Workbench(root)
    try:
        yield bench
    finally:
        bench.leave()
