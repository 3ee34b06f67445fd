"""A place to run the command line in as a user does: a home, repositories, and processes that end with it."""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from bench.rig.peers import PROJECT, clean_environment

RUN_SECONDS = 900.0
_STOP_SECONDS = 20.0
_POLL_SECONDS = 0.02
Found = TypeVar("Found")


class Workshop:
    """One THIRDSHIFT_HOME with what belongs to it. Make it with ``workshop``."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.home = root / "home"
        self._started: list[subprocess.Popen[str]] = []

    def environment(self) -> dict[str, str]:
        """The variables of a user who has set up nothing."""
        own = {"HOME": str(self.root), "THIRDSHIFT_HOME": str(self.home), "PYTHONPATH": str(PROJECT), "NO_COLOR": "1"}
        return {**clean_environment(), **own}

    def repository(self, name: str, files: Mapping[str, str] | None = None, copy_of: Path | None = None) -> Path:
        """A git repository of one commit that holds everything given, files that git would ignore included."""
        directory = self.root / name
        if copy_of is not None:
            shutil.copytree(copy_of, directory)
        directory.mkdir(exist_ok=True)
        for path, text in (files or {}).items():
            (directory / path).parent.mkdir(parents=True, exist_ok=True)
            (directory / path).write_text(text)
        who = ["-c", "user.name=Bench", "-c", "user.email=bench@example.org"]
        for arguments in (["init", "-q", "-b", "main"], ["add", "-A", "-f"], [*who, "commit", "-qm", "Start"]):
            self.git(directory, *arguments)
        return directory

    def git(self, directory: Path, *arguments: str) -> str:
        """Run git there; what it printed."""
        done = subprocess.run(
            ["git", *arguments], cwd=directory, env=self.environment(), capture_output=True, text=True, check=True
        )
        return done.stdout

    def thirdshift(self, *arguments: str, seconds: float = RUN_SECONDS) -> subprocess.CompletedProcess[str]:
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

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command that stays; it is ended with the workshop. Its words go to a file beside the home."""
        log = (self.root / f"{arguments[0]}-{len(self._started)}.log").open("w")
        with log:
            process = subprocess.Popen(
                [sys.executable, "-m", "thirdshift", *arguments],
                cwd=self.root,
                env=self.environment(),
                stdout=log,
                stderr=subprocess.STDOUT,
                text=True,
            )
        self._started.append(process)
        return process

    def leave(self) -> None:
        """End everything that was started, the last first."""
        for process in reversed(self._started):
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(_STOP_SECONDS)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


@contextlib.contextmanager
def workshop(name: str, keep: bool = False) -> Iterator[Workshop]:
    """A new workshop in a temporary directory, which is removed at the end unless it is to be kept."""
    root = Path(tempfile.mkdtemp(prefix=f"thirdshift-bench-{name}-"))
    place = Workshop(root)
    try:
        yield place
    finally:
        place.leave()
        if keep:
            print(f"kept: {root}", file=sys.stderr)
        else:
            shutil.rmtree(root, ignore_errors=True)


def last_json(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    """The JSON object that a ``--json`` command ended with. Stops the benchmark where there is none."""
    for line in reversed(done.stdout.splitlines()):
        if line.startswith("{"):
            found: dict[str, Any] = json.loads(line)
            return found
    with contextlib.suppress(ValueError):
        whole: dict[str, Any] = json.loads(done.stdout)
        return whole
    raise AssertionError(f"exit {done.returncode} and no JSON from {' '.join(done.args[2:])}:\n{done.stderr[-3000:]}")


def wait_for(look: Callable[[], Found | None], what: str, seconds: float) -> Found:
    """The first thing that ``look`` finds; stops the benchmark, naming ``what``, if nothing comes in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(_POLL_SECONDS)
    raise AssertionError(f"{what}: not within {seconds:.0f} s")
