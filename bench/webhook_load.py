"""The webhook under load: how many deliveries a second, how fast, and what forged and malformed ones do to it.

`thirdshift listen` is a real process on loopback, with the embedded Temporal server and a ledger on SQLite; nobody
works for the server, since what an Intake does later is no part of an answer. Senders are a process of their own, with
kept connections. The load is raised in steps; each request is due at a moment and counted from it. ``requests_per_s``
and ``p99_ms`` are those of the highest step that was borne: kept up with, at a p99 below 50 ms. A step that was not is
tried once more, and the second in a row is the last. Then come forged and malformed requests, all of which are to be
refused, and made-up ones, signed and not, none of which may be answered with a 5xx. ``memory_growth_share`` is the
listener's resident memory after the forgeries over what it was before; ``cpu_ms`` its own work for a delivery.

    python bench/webhook_load.py [--quick]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
from hypothesis import HealthCheck, given, settings

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.rig.figures import Limit, closing_line, machine, table
from bench.rig.forgeries import forged
from bench.rig.peers import PROJECT
from bench.rig.webhook_sender import Connection, as_fast_as_it_goes, request_bytes
from tests.fakes.odd_deliveries import signed, unsigned
from tests.fakes.webhooks import SECRET, Delivery
from thirdshift.adapters.ledger import open_ledger

LIMITS = (
    Limit("p99_ms", at_most=50.0),
    Limit("requests_per_s", at_least=1.0),
    Limit("forged_accepted", at_most=0),
    Limit("server_errors", at_most=0),
    Limit("memory_growth_share", at_most=1.1),
)
CONNECTIONS = 32
P99_MS = 50.0
STEPS = (50, 100, 200, 300, 400, 500, 600, 800, 1000)
QUICK_STEPS = (25, 50, 100, 200, 400)
CONFIG = "[listen]\nport = 0\n" + "".join(
    f'[sources.{kind}]\nkind = "{kind}"\nsecret_env = "WEBHOOK_SECRET"\nper_minute = 1000000\nburst = 100000\n'
    for kind in ("github", "gitlab", "sentry", "sarif", "generic")
)


@dataclass(frozen=True)
class Listener:
    """A running ``thirdshift listen``."""

    port: int
    process: psutil.Process
    ledger_url: str

    def memory_mb(self) -> float:
        """What it holds, once it has come to rest: the least of some looks."""
        looks = []
        for _ in range(3):
            time.sleep(0.5)
            looks.append(self.process.memory_info().rss / (1 << 20))
        return min(looks)

    def cpu_seconds(self) -> float:
        """What it has worked so far."""
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def events(self) -> int:
        """How many events are in its ledger."""
        ledger = open_ledger(self.ledger_url)
        try:
            newest = ledger.events(1)
            return newest[0].number if newest else 0
        finally:
            ledger.close()


@contextmanager
def listener(root: Path) -> Iterator[Listener]:
    """Server and listener, up until the block is left."""
    (root / "thirdshift.toml").write_text(CONFIG)
    environment = {
        "PATH": os.environ["PATH"],  # noqa: TID251 - the processes' own
        "HOME": str(root),
        "THIRDSHIFT_HOME": str(root / "home"),
        "PYTHONPATH": str(PROJECT),
        "WEBHOOK_SECRET": SECRET,
    }
    started: list[subprocess.Popen[str]] = []

    def begin(*arguments: str) -> dict[str, Any]:
        command = [sys.executable, "-m", "thirdshift", *arguments, "--json"]
        process = subprocess.Popen(command, cwd=root, env=environment, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, f"`thirdshift {' '.join(arguments)}` did not come up"
        said: dict[str, Any] = json.loads(line)
        return said

    try:
        begin("up", "--no-worker")
        port = int(begin("listen")["port"])
        yield Listener(port, psutil.Process(started[-1].pid), f"sqlite:///{root / 'home' / 'ledger.db'}")
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait(60)


def step(here: Listener, rate: int, seconds: int, run: str) -> dict[str, Any]:
    """One step of the load, by a process of its own."""
    before = here.cpu_seconds()
    command = [
        sys.executable,
        "-m",
        "bench.rig.webhook_sender",
        *map(str, (here.port, rate, seconds, CONNECTIONS)),
        run,
    ]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=True)
    said = json.loads(done.stdout)
    times = sorted(said["seconds"])
    statuses = Counter({int(status): count for status, count in said["statuses"].items()})
    return {
        "offered": rate,
        "answered": len(times) / max(said["took"] - 0.1, 0.001),
        "p50_ms": 1000 * times[len(times) // 2],
        "p99_ms": 1000 * times[min(len(times) - 1, len(times) * 99 // 100)],
        "cpu_ms": 1000 * (here.cpu_seconds() - before) / max(1, len(times)),
        "taken": statuses[202],
        "others": sum(statuses.values()) - statuses[202],
        "statuses": statuses,
    }


def keeps_up(found: dict[str, Any]) -> bool:
    """Whether a step was borne: everything taken, at the rate that was offered, within the limit."""
    return bool(found["p99_ms"] < P99_MS and not found["others"] and found["answered"] > 0.95 * found["offered"])


def capacity(here: Listener, rates: Sequence[int], seconds: int) -> list[dict[str, Any]]:
    """Steps up to the second in a row that was too much, each with a second try: others use this machine too."""
    step(here, 20, 3, "warm-up")
    found: list[dict[str, Any]] = []
    for rate in rates:
        tries = []
        for number in (1, 2):
            tries.append(step(here, rate, seconds, f"step-{rate}-{number}"))
            time.sleep(1)
            if keeps_up(tries[-1]):
                break
        found.append(min(tries, key=lambda each: (not keeps_up(each), float(each["p99_ms"]))))
        if len(found) > 1 and not keeps_up(found[-1]) and not keeps_up(found[-2]):
            break
    return found


async def fuzz(port: int, examples: int) -> Counter[int]:
    """Statuses of made-up requests, half of them signed."""
    statuses: Counter[int] = Counter()
    made: list[bytes] = []

    @settings(max_examples=examples // 2, deadline=None, database=None, suppress_health_check=list(HealthCheck))
    @given(signed(), unsigned())
    def make(genuine: tuple[str, Delivery], other: tuple[str, Delivery]) -> None:
        for path, sent in (genuine, other):
            shown = "".join(c if c.isascii() and c.isprintable() and c != " " else "%00" for c in path)
            made.append(request_bytes(shown, sent))

    make()
    connection = Connection(port)
    for request in made:
        statuses[await asyncio.wait_for(connection.ask(request), 60)] += 1
    connection.close()
    return statuses


def measure(quick: bool) -> tuple[dict[str, Any], list[dict[str, Any]], Counter[int], Counter[int]]:
    """All figures, the steps, and the statuses of forged and of made-up requests."""
    forgeries, examples, seconds = (1000, 200, 2) if quick else (10_000, 2000, 10)
    with tempfile.TemporaryDirectory() as root, listener(Path(root)) as here:
        steps = capacity(here, QUICK_STEPS if quick else STEPS, seconds)
        # What a first forgery of each kind brings, modules and buffers, is not what ten thousand add.
        asyncio.run(as_fast_as_it_goes(here.port, forged(200), 16))
        events, before = here.events(), here.memory_mb()
        refused = asyncio.run(as_fast_as_it_goes(here.port, forged(forgeries), 16)).statuses
        more, after = here.events() - events, here.memory_mb()
        odd = asyncio.run(fuzz(here.port, examples))
    borne = [found for found in steps if keeps_up(found)]
    best = borne[-1] if borne else min(steps, key=lambda found: float(found["p99_ms"]))
    everything = refused + odd + sum((found["statuses"] for found in steps), Counter[int]())
    figures = {
        "requests_per_s": round(best["answered"], 1) if borne else 0.0,
        "p99_ms": round(best["p99_ms"], 1),
        "p50_ms": round(best["p50_ms"], 1),
        "cpu_ms": round(best["cpu_ms"], 2),
        "connections": CONNECTIONS,
        "forged": sum(refused.values()),
        "forged_accepted": max(more, sum(count for status, count in refused.items() if 200 <= status < 300)),
        "made_up": sum(odd.values()),
        "server_errors": sum(count for status, count in everything.items() if status >= 500),
        "memory_before_mb": round(before, 1),
        "memory_after_mb": round(after, 1),
        "memory_growth_share": round(after / before, 3),
    }
    return figures, steps, refused, odd


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="shorter steps, 1,000 forgeries instead of 10,000")
    print(machine(), "\n")
    figures, steps, refused, odd = measure(parser.parse_args().quick)
    columns = ("offered", "answered", "p50_ms", "p99_ms", "cpu_ms", "taken", "others")
    print(
        table([["offered/s", "answered/s", *columns[2:]], *([found[name] for name in columns] for found in steps)]),
        "\n",
    )
    rows = [[status or "hung up", refused[status], odd[status]] for status in sorted(refused.keys() | odd.keys())]
    print(table([["status", "forged", "made up"], *rows]), "\n")
    print(table([["figure", "value"], *([name, value] for name, value in figures.items())]), "\n")
    line = closing_line(figures, LIMITS)
    print(line)
    return 0 if json.loads(line)["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
