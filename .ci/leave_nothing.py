"""Runs a command, then ends every process that it left behind, also those that had cut themselves loose.

On Linux the process is made the one that orphans fall to, so nothing escapes by forking twice or by a session of
its own. Elsewhere it only runs the command. Exits as the command did.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
GRACE_SECONDS = 5.0


def descendants() -> dict[int, str]:
    """Processes below this one, with their command lines; zombies are left out."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            after_name = entry.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if after_name[0] != "Z":
            parents[int(entry.parent.name)] = int(after_name[1])
    below: dict[int, str] = {}
    found = {os.getpid()}
    while found:
        found = {pid for pid, parent in parents.items() if parent in found and pid not in below}
        for pid in found:
            try:
                below[pid] = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                below[pid] = "(gone)"
    return below


def end_all() -> None:
    """Ask, wait, then kill; say what had to be ended."""
    left = descendants()
    for pid, command in left.items():
        sys.stderr.write(f"ci: left behind, ending it: {pid} {command[:160]}\n")
    for sig, wait in ((signal.SIGTERM, GRACE_SECONDS), (signal.SIGKILL, GRACE_SECONDS)):
        for pid in descendants():
            try:
                os.kill(pid, sig)
            except ProcessLookupError:
                continue
        deadline = time.monotonic() + wait
        while descendants() and time.monotonic() < deadline:
            time.sleep(0.05)
    reap()


def reap() -> None:
    """Take note of the dead, which init would otherwise have to."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def main(command: list[str]) -> int:
    """Run it and clean up."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    code = subprocess.call(command, stdin=subprocess.DEVNULL)
    if sys.platform == "linux":
        end_all()
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
