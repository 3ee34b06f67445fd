"""The model server of a benchmark: a script played over the real wire formats, in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.rig.peers import PROJECT

CHAT_PATH = "/v1/chat/completions"


@dataclass(frozen=True)
class Exchange:
    """A request for an answer. Times are seconds of the monotonic clock, the server's and ours alike."""

    model: str
    path: str
    arrived: float
    answered: float
    """When the answer was ready to be written."""
    bytes: int


class Loopback:
    """Use as a context manager. ``bodies`` is a directory that gets the body of every request."""

    def __init__(self, script: Path, bodies: Path | None = None) -> None:
        self._bodies = bodies
        command = [sys.executable, "-m", "tests.fakes.wire", "--script", str(script), "--port", "0"]
        if bodies is not None:
            bodies.mkdir(parents=True, exist_ok=True)
            command += ["--bodies", str(bodies)]
        self._process = subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True)
        assert self._process.stdout is not None
        first = self._process.stdout.readline()
        assert first, f"the model server did not start; its script is {script}"
        self.port = int(json.loads(first)["port"])

    def __enter__(self) -> Loopback:
        return self

    def __exit__(self, *details: object) -> None:
        self._process.terminate()
        self._process.wait()

    def exchanges(self, model: str = "", since: float = 0.0) -> list[Exchange]:
        """What was asked so far, in order: of one model, and after a moment of the monotonic clock."""
        found = [Exchange(**row) for row in self._get("/__times")]
        return [each for each in found if each.arrived > since and model in ("", each.model)]

    def bodies(self, model: str) -> list[dict[str, Any]]:
        """What one model was sent so far, in order, decoded."""
        assert self._bodies is not None, "this server was not told to keep bodies"
        wanted = [at for at, each in enumerate(self.exchanges(), start=1) if each.model == model]
        return [json.loads((self._bodies / f"{at:06d}.json").read_bytes()) for at in wanted]

    def counts(self) -> dict[str, Any]:
        """Requests in all, and how many repeated the very bytes of an earlier one."""
        counted: dict[str, Any] = self._get("/__count")
        return counted

    def _get(self, path: str) -> Any:
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=30) as answer:
            return json.load(answer)
