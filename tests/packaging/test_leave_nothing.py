"""What CI runs leaves no process behind, however hard a process tries to stay."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / ".ci" / "leave_nothing.py"

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="orphans are adopted by the script on Linux only")

STAYS = """
import os, sys, time
if os.fork():
    os._exit(0)
os.setsid()
if os.fork():
    os._exit(0)
print(os.getpid(), flush=True)
os.close(1)
time.sleep(600)
"""


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, SCRIPT, *command], capture_output=True, text=True, check=False, timeout=60)


def test_a_process_that_cut_itself_loose_is_ended_and_named() -> None:
    # The substitution ends when the process has closed its output, so it is well on its own by then.
    done = run("sh", "-c", f"pid=$({sys.executable} -c '{STAYS}'); echo $pid; exit 3")
    pid = int(done.stdout)
    assert not Path(f"/proc/{pid}").exists()
    assert f"left behind, ending it: {pid}" in done.stderr
    assert done.returncode == 3


def test_a_tidy_command_keeps_its_exit_code_and_gets_no_remark() -> None:
    done = run("sh", "-c", "exit 7")
    assert (done.returncode, done.stderr) == (7, "")


def test_standard_input_is_empty() -> None:
    assert run("cat").stdout == ""
