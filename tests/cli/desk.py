"""A desk: a directory with a repository, a spec and a scripted model, and commands as processes of their own."""

import subprocess
from collections.abc import Callable
from pathlib import Path

SPEC = """\
---
title: Say hello
repo: repo
task: feature
plan: none
checks:
  - {id: greets, run: grep -qx hello hello.txt, covers: [AC-1], timeout: 1m}
budget: {max_budget_usd: "1.00", max_attempts: 2, max_steps: 10, max_wall: 5m}
---
# Goal
Write hello.txt.

# Acceptance
- AC-1: The file hello.txt shall say hello.
"""

CONFIG = """\
[providers.toy]
kind = "scripted"
script = "script.yaml"
[[tiers.economy]]
model = "toy/small"
[prices."toy/small"]
input = "1"
output = "1"
"""

SCRIPT = """\
version: 1
plays:
  - when: {{role: code}}
    steps:
      - delay_seconds: {delay}
        say: Writing.
        tools:
          - write_file: {{path: hello.txt, content: "{words}\\n"}}
      - say: Done.
        tools:
          - finish: {{summary: written}}
"""

Type = Callable[..., subprocess.Popen[str]]


def script(desk: Path, words: str, delay: float = 0.0) -> None:
    """Let the model write these words into hello.txt, after a delay in seconds."""
    (desk / "script.yaml").write_text(SCRIPT.format(words=words, delay=delay))


def wait_for_line(process: subprocess.Popen[str], text: str, stream: str = "stderr") -> str:
    """The first line of the stream with the text in it; fails if the process ends before."""
    pipe = getattr(process, stream)
    for line in pipe:
        if text in line:
            return str(line)
    raise AssertionError(f"ended without saying {text!r}")


def processes_of(desk: Path) -> list[str]:
    """Processes whose command line or environment names the desk."""
    mine = []
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            command = (directory / "cmdline").read_bytes()
            state = (directory / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if str(desk).encode() in command and state != "Z":
            mine.append(command.replace(b"\0", b" ").decode())
    return mine
