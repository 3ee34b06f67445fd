"""Kills workers with SIGKILL at random moments of a run's first second, and looks for what outlives them.

Usage: ``python bench/kill_storm.py [--quick] [--seed N]``. Each run is a process of its own that opens a sandbox and
starts a command in it which leaves daemons behind. Every fourth is killed while it opens the sandbox. Three seconds
after the kill there must be no process, mount, control group or temporary file of it left. Ends with one line of JSON.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random  # noqa: TID251 - a seed repeats a storm
import secrets
import signal
import statistics
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from thirdshift.adapters.sandbox import cgroups
from thirdshift.adapters.sandbox.bubblewrap import Bubblewrap
from thirdshift.core.ports import Command, SandboxPlan

MOST_SECONDS = 3.0
FIRST_SECOND = 1.0
WHILE_OPENING = 0.06
RUNS, QUICK_RUNS = 200, 50
MARK = "kill-storm-"

# A fork of a warm process: what is killed is the run, not the loading of Python.
SCRIPT = """
bash -c 'exec -a {mark} sleep 300' &
setsid nohup bash -c 'trap "" TERM HUP; exec -a {mark} sleep 300' >/dev/null 2>&1 &
mktemp -d; mkfifo pipe; (exec -a {mark} sleep 300) < pipe &
for n in 1 2 3; do python3 -c 'import os, sys; os.fork() or os.setsid(); sys.stdin.read()' < /dev/zero & done
wait
"""


def run_until_killed(workspace: str, mark: str, use_cgroups: bool) -> None:
    """The life of one worker."""
    import asyncio

    async def work() -> None:
        sandbox = Bubblewrap(use_cgroups=use_cgroups)
        session = await sandbox.open(SandboxPlan(workspace=workspace, env={"MARK": mark}))
        while True:
            await session.run(Command(run=SCRIPT.format(mark=mark), timeout_seconds=60))

    asyncio.run(work())


def processes(workspace: str, mark: str) -> set[str]:
    """Whatever carries the run's mark in its words or variables, or has the workspace for its own."""
    found = set()
    for directory in Path("/proc").glob("[0-9]*"):
        if directory.name == str(os.getpid()):
            continue
        with contextlib.suppress(OSError):
            words = (directory / "cmdline").read_bytes() + (directory / "environ").read_bytes()
            mounts = (directory / "mountinfo").read_bytes()
            if mark.encode() in words or f"{workspace} /workspace ".encode() in mounts:
                found.add(f"process {directory.name}")
    return found


def mounts(workspace: str) -> set[str]:
    return {f"mount {line}" for line in Path("/proc/self/mountinfo").read_text().splitlines() if workspace in line}


def groups(place: cgroups.CgroupPlace, pid: int) -> set[str]:
    found = set()
    for parent in {place.memory, place.processes} - {None}:
        found |= {f"cgroup {path}" for path in Path(str(parent)).glob(f"thirdshift-{pid}-*")}
    return found


def left_of(workspace: str, mark: str, pid: int, place: cgroups.CgroupPlace) -> set[str]:
    """What is there of a run, after the sweep that every worker makes when it opens its first sandbox."""
    # A dead worker cannot remove its own groups, and a group can go only when the last of its processes has.
    cgroups.sweep(place)
    return processes(workspace, mark) | mounts(workspace) | groups(place, pid)


def one_run(turn: int, after_seconds: float, place: cgroups.CgroupPlace) -> tuple[list[str], float]:
    """What was left over of one run, and how long it took until nothing was."""
    mark = f"{MARK}{secrets.token_hex(8)}"
    with tempfile.TemporaryDirectory() as scratch:
        workspace = str(Path(scratch, "workspace"))
        Path(workspace).mkdir()
        Path(scratch, "temporary").mkdir()
        child = os.fork()
        if child == 0:
            tempfile.tempdir = str(Path(scratch, "temporary"))
            with contextlib.suppress(BaseException):
                run_until_killed(workspace, mark, use_cgroups=turn % 2 == 0)
            os._exit(1)
        time.sleep(after_seconds)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        killed = time.monotonic()
        while (left := left_of(workspace, mark, child, place)) and time.monotonic() - killed < MOST_SECONDS:
            time.sleep(0.005)
        took = time.monotonic() - killed
        left |= {f"temporary {path}" for path in Path(scratch, "temporary").iterdir()}
        for name in left:
            if name.startswith("process "):
                with contextlib.suppress(OSError):
                    os.kill(int(name.removeprefix("process ")), signal.SIGKILL)
    return sorted(left), took


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help=f"{QUICK_RUNS} runs instead of {RUNS}")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6), help="of the moments")
    chosen = parser.parse_args()
    runs = QUICK_RUNS if chosen.quick else RUNS
    moments = random.Random(chosen.seed)  # noqa: S311 - no secret, and to be repeated
    place = cgroups.find_place()
    kinds: Counter[str] = Counter()
    taken = []
    for turn in range(runs):
        left, took = one_run(turn, moments.uniform(0, FIRST_SECOND if turn % 4 else WHILE_OPENING), place)
        kinds.update(name.partition(" ")[0] for name in left)
        taken.append(took)
        for name in left:
            print(f"run {turn}: {name}")
    print(f"{runs} runs killed within {FIRST_SECOND:g} s, seed {chosen.seed}, load {os.getloadavg()[0]:.1f}\n")
    for kind in ("process", "mount", "cgroup", "temporary"):
        print(f"{kind:12}{kinds[kind]:6} left over")
    print(f"{'gone after':12}{statistics.median(taken):6.3f} s in the median, {max(taken):.3f} s at most")
    survivors = kinds.total()
    figures = {
        "bench": "kill_storm",
        "runs": runs,
        "survivors": survivors,
        "slowest_s": round(max(taken), 3),
        "median_s": round(statistics.median(taken), 3),
        "seed": chosen.seed,
        "thresholds": {"survivors": 0, "slowest_s": MOST_SECONDS},
        "ok": survivors == 0 and max(taken) <= MOST_SECONDS,
    }
    print(json.dumps(figures))
    return 0 if figures["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
