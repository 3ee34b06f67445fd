"""What a command in the sandbox costs over a plain subprocess: in an open session, and in a sandbox of its own.

Then what a flood of output costs in memory (``flood_mb``: growth of the worker's process while ``yes`` writes as fast
as it can), and how long the processes of a command that ignores every signal outlive its time (``kill_s``: the longest
of some rounds, looked for from outside).

Usage: ``python bench/sandbox_overhead.py [--quick]``. The three ways take turns within each round, so that other work
on the machine falls on all of them alike. Ends with one line of JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from thirdshift.adapters.sandbox.bubblewrap import Bubblewrap
from thirdshift.core.ports import Command, SandboxPlan, SandboxSession

MOST_IN_SESSION_MS = 5.0
MOST_ONCE_MS = 35.0
MOST_FLOOD_MB = 64.0
MOST_KILL_S = 3.0
FLOOD = "yes & yes '' >&2 & head -c 999999999 /dev/zero & wait"
FLOOD_SECONDS = 3.0
STUBBORN = "trap '' TERM INT HUP; for i in 1 2 3; do (setsid sleep {mark} &) ; done; nohup sleep {mark} & wait"
"""``{mark}`` is a number of seconds that no other process sleeps for, by which the processes are known."""
WARM_UP_ROUNDS = 5
COMMAND = Command(run="true", timeout_seconds=60)


def plain() -> float:
    started = time.perf_counter()
    subprocess.run(["/bin/bash", "-c", COMMAND.run], stdin=subprocess.DEVNULL, capture_output=True, check=True)
    return time.perf_counter() - started


async def in_session(session: SandboxSession) -> float:
    started = time.perf_counter()
    result = await session.run(COMMAND)
    took = time.perf_counter() - started
    assert result.passed, result
    return took


async def once(sandbox: Bubblewrap, plan: SandboxPlan) -> float:
    started = time.perf_counter()
    result = await sandbox.run_once(plan, COMMAND)
    took = time.perf_counter() - started
    assert result.passed, result
    return took


async def measure(rounds: int) -> dict[str, list[float]]:
    sandbox = Bubblewrap()
    taken: dict[str, list[float]] = {"plain": [], "session": [], "once": []}
    with tempfile.TemporaryDirectory() as workspace:
        plan = SandboxPlan(workspace=workspace)
        session = await sandbox.open(plan)
        try:
            for turn in range(WARM_UP_ROUNDS + rounds):
                figures = {"plain": plain(), "session": await in_session(session), "once": await once(sandbox, plan)}
                if turn >= WARM_UP_ROUNDS:
                    for way, seconds in figures.items():
                        taken[way].append(seconds * 1000)
        finally:
            await session.close()
    return taken


async def flood_mb() -> float:
    """The most that this process grew by."""
    own = psutil.Process()
    with tempfile.TemporaryDirectory() as workspace:
        session = await Bubblewrap().open(SandboxPlan(workspace=workspace))
        try:
            before = highest = own.memory_info().rss
            flood = asyncio.ensure_future(session.run(Command(run=FLOOD, timeout_seconds=FLOOD_SECONDS)))
            while not flood.done():
                highest = max(highest, own.memory_info().rss)
                await asyncio.sleep(0.01)
            result = await flood
        finally:
            await session.close()
    assert result.output_bytes > 10 << 20, result
    return (highest - before) / (1 << 20)


async def kill_s(rounds: int) -> float:
    """The longest time from a command's time-out until none of its processes is there."""
    longest = 0.0
    for turn in range(rounds):
        mark = f"98765{os.getpid() % 100_000:05}.{turn}"
        with tempfile.TemporaryDirectory() as workspace:
            command = Command(run=STUBBORN.format(mark=mark), timeout_seconds=1)
            began = time.monotonic()
            running = asyncio.ensure_future(Bubblewrap().run_once(SandboxPlan(workspace=workspace), command))
            await asyncio.sleep(0.8)
            assert _alive(mark), "the command's processes were not seen"
            while _alive(mark) or not running.done():  # noqa: ASYNC110 - other processes
                await asyncio.sleep(0.02)
            longest = max(longest, time.monotonic() - began - 1.0)
            await running
    return longest


def _alive(mark: str) -> bool:
    for process in psutil.process_iter(["cmdline", "status"]):
        if mark in (process.info["cmdline"] or []) and process.info["status"] != psutil.STATUS_ZOMBIE:
            return True
    return False


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="40 rounds instead of 300")
    rounds = 40 if parser.parse_args().quick else 300
    taken = asyncio.run(measure(rounds))
    flood, kill = asyncio.run(flood_mb()), asyncio.run(kill_s(3 if rounds < 100 else 10))
    medians = {way: statistics.median(figures) for way, figures in taken.items()}
    print(
        f"{rounds} rounds on {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; milliseconds for `{COMMAND.run}`\n"
    )
    print(f"{'':28}{'median':>9}{'p90':>9}{'over plain':>12}")
    for way, title in (
        ("plain", "plain subprocess"),
        ("session", "in an open sandbox"),
        ("once", "sandbox of its own"),
    ):
        p90 = statistics.quantiles(taken[way], n=10)[-1]
        print(f"{title:28}{medians[way]:9.2f}{p90:9.2f}{medians[way] - medians['plain']:12.2f}")
    print(f"\nflood of output: {flood:.1f} MB in the worker")
    print(f"a command that ignores signals: gone {kill:.2f} s after its time")
    figures = {
        "median_ms": round(medians["session"] - medians["plain"], 3),
        "once_ms": round(medians["once"] - medians["plain"], 3),
        "plain_ms": round(medians["plain"], 3),
        "flood_mb": round(flood, 1),
        "kill_s": round(kill, 3),
        "rounds": rounds,
        "thresholds": {
            "median_ms": MOST_IN_SESSION_MS,
            "once_ms": MOST_ONCE_MS,
            "flood_mb": MOST_FLOOD_MB,
            "kill_s": MOST_KILL_S,
        },
    }
    ok = medians["session"] - medians["plain"] <= MOST_IN_SESSION_MS
    ok = ok and medians["once"] - medians["plain"] <= MOST_ONCE_MS
    ok = ok and flood <= MOST_FLOOD_MB and kill <= MOST_KILL_S
    print()
    print(json.dumps(figures | {"ok": ok}))
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
