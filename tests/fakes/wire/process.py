"""The scripted server in a process of its own, for tests that kill workers and for benchmarks."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).parents[3]


@contextmanager
def scripted_server_process(script: Path, *, latency_ms: float = 0.0) -> Iterator[str]:
    """Start it, yield its address (``http://127.0.0.1:12345``, no path), and end it."""
    command = [sys.executable, "-m", "tests.fakes.wire", "--script", str(script), "--latency-ms", str(latency_ms)]
    process = subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True)
    try:
        line = process.stdout.readline() if process.stdout else ""
        if not line:
            raise RuntimeError(f"the scripted server did not start: exit {process.wait()}")
        yield f"http://127.0.0.1:{json.loads(line)['port']}"
    finally:
        process.terminate()
        process.wait()
        if process.stdout:
            process.stdout.close()


def requests_counted(address: str) -> dict[str, Any]:
    """What ``GET /__count`` says: ``total``, ``by_path`` and ``repeats``."""
    with urllib.request.urlopen(f"{address}/__count", timeout=30) as answer:  # noqa: S310 - our own loopback server
        counted: dict[str, Any] = json.load(answer)
    return counted
