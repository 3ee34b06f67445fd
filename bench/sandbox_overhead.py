"""What a command in the sandbox costs over a plain subprocess: in an open session, and in a sandbox of its own.

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

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from thirdshift.adapters.sandbox.bubblewrap import Bubblewrap
from thirdshift.core.ports import Command, SandboxPlan, SandboxSession

MOST_IN_SESSION_MS = 5.0
MOST_ONCE_MS = 35.0
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


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="40 rounds instead of 300")
    rounds = 40 if parser.parse_args().quick else 300
    taken = asyncio.run(measure(rounds))
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
    figures = {
        "median_ms": round(medians["session"] - medians["plain"], 3),
        "once_ms": round(medians["once"] - medians["plain"], 3),
        "plain_ms": round(medians["plain"], 3),
        "rounds": rounds,
        "thresholds": {"median_ms": MOST_IN_SESSION_MS, "once_ms": MOST_ONCE_MS},
    }
    ok = medians["session"] - medians["plain"] <= MOST_IN_SESSION_MS
    ok = ok and medians["once"] - medians["plain"] <= MOST_ONCE_MS
    print()
    print(json.dumps(figures | {"ok": ok}))
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
