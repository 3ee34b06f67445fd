"""What a step costs besides the model: Thirdshift beside mini-swe-agent, in one run, on one loopback model.

Both hold the same conversation of one shell command a step, of which every fourth changes a file
(`bench/rig/steps_script.py`); `bench/rig/contestants.py` says what each of the two does with a step. A step is
measured on the model server's clock, from its answer being ready to the next request being there, so neither start-up
nor the server counts.

    python bench/step_overhead.py [--quick] [--rounds N] [--keep]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bench.rig.cached_prefix import cached_share
from bench.rig.contestants import PEER, Run, config_for, run_line, run_mini, written_spec
from bench.rig.figures import Limit, closing_line, machine, table
from bench.rig.history import loop_history_bytes
from bench.rig.loopback import Loopback
from bench.rig.pace import growth, marginal, ms_a_step
from bench.rig.peers import peer_environment
from bench.rig.steps_script import WRITES_EVERY, files, script
from bench.rig.workshop import Workshop, wait_for, workshop

SHORT, LONG, WINDOW = 30, 120, 20
LENGTHS = {"mini-30": SHORT, "line-30": SHORT, "mini-120": LONG, "line-120": LONG}
OTHER_LENGTHS = {"killed": 60, "cache-marks": SHORT}
KILL_AT_STEP = 10
SUBMIT = {"bash": {"command": "echo COMPLETE_TASK_AND_SUBMIT_FINAL_OUTPUT"}}
FINISH = {"finish": {"summary": "The guide is read."}}
LIMITS = (
    Limit("ratio_to_mini_30", at_most=1.0),
    Limit("ratio_to_mini_120", at_most=1.0),
    Limit("growth_120_to_30", at_most=1.25),
    Limit("history_bytes_per_step", at_most=1600),
    Limit("cached_share", at_least=0.95),
    Limit("first_request_s", at_most=3.0),
    Limit("after_kill_s", at_most=10.0),
)
Runs = dict[str, list[Run]]


def compare(place: Workshop, server: Loopback, python: Path, rounds: int) -> Runs:
    """Rounds of all four runs, one after another, in turn from either end."""
    runs: Runs = {name: [] for name in LENGTHS}
    for number in range(rounds):
        for name in LENGTHS if number % 2 else reversed(LENGTHS):
            if name.startswith("mini"):
                run = run_mini(place, server, python, name, number)
            else:
                run = run_line(place, server, f"local/{name}", f"Read {name} {number}")
            asked, expected = len(run.exchanges), LENGTHS[name] + 1
            assert asked == expected, f"{name}: {asked} requests instead of {expected}"
            runs[name].append(run)
            print(f"  round {number + 1}: {name}: {_ms(run):.0f} ms a step", file=sys.stderr)
    return runs


def cached_shares(place: Workshop, server: Loopback) -> dict[str, float]:
    """The cached share of request 30 in both formats; the Messages format is the one with marks."""
    run_line(place, server, "marked/cache-marks", "Read with marks")
    shares = {}
    for name, model in (("chat", "line-30"), ("messages", "cache-marks")):
        sent = server.bodies(model)
        shares[name] = cached_share(sent[SHORT - 2], sent[SHORT - 1], marked=name == "messages")
    return shares


def after_kills(place: Workshop, server: Loopback, times: int) -> list[float]:
    """Seconds from ``kill -9`` of the worker in mid-loop to the next request; another worker is started at once."""
    options = config_for(place, server, "local/killed")
    worker = place.start("worker", *options)
    seconds = []
    for number in range(times):
        began = time.monotonic()
        done = place.thirdshift("submit", str(written_spec(place, f"Read killed {number}")), "--json", *options)
        assert done.returncode == 0, done.stderr
        reached = KILL_AT_STEP + number
        wait_for(lambda: len(server.exchanges("killed", since=began)) >= reached, f"step {reached}", 60)  # noqa: B023 - called at once
        worker.kill()
        worker.wait()
        killed = time.monotonic()
        worker = place.start("worker", *options)
        found = wait_for(lambda: server.exchanges("killed", since=killed), "the next step", 120)  # noqa: B023 - called at once
        seconds.append(found[0].arrived - killed)
    return seconds


def _ms(run: Run) -> float:
    return ms_a_step(run.exchanges, WRITES_EVERY)


def _growth(run: Run) -> float:
    return growth(run.exchanges, WRITES_EVERY, SHORT, LONG, WINDOW)


def paces(runs: Runs) -> dict[str, Any]:
    """Figures of the comparison: medians over rounds; a ratio is one of two runs that followed each other."""
    ms = {name: statistics.median(map(_ms, each)) for name, each in runs.items()}
    ratios = {
        length: statistics.median(
            _ms(line) / _ms(mini) for line, mini in zip(runs[f"line-{length}"], runs[f"mini-{length}"], strict=True)
        )
        for length in (SHORT, LONG)
    }
    whole = {name: statistics.median(run.seconds for run in each) for name, each in runs.items()}
    cpu = {name: statistics.median(run.cpu_seconds for run in each) for name, each in runs.items()}
    lines = [*runs["line-30"], *runs["line-120"]]
    fresh = min(lines, key=lambda run: run.began)
    return {
        "ms_a_step": {name: round(value, 1) for name, value in ms.items()},
        "ratio_to_mini": round(max(ratios.values()), 3),
        **{f"ratio_to_mini_{length}": round(ratio, 3) for length, ratio in ratios.items()},
        **{
            f"ratio_of_whole_runs_{length}": round(whole[f"line-{length}"] / whole[f"mini-{length}"], 3)
            for length in (SHORT, LONG)
        },
        "growth_120_to_30": round(statistics.median(map(_growth, runs["line-120"])), 3),
        "mini_growth_120_to_30": round(statistics.median(map(_growth, runs["mini-120"])), 3),
        "cpu_ms_a_step": {
            name: round(marginal(cpu[f"{name}-30"], cpu[f"{name}-120"], SHORT, LONG) * 1000, 1)
            for name in ("line", "mini")
        },
        "first_request_s": round(statistics.median(run.first_request_seconds for run in lines if run is not fresh), 2),
        "first_request_fresh_home_s": round(fresh.first_request_seconds, 2),
    }


def histories(runs: Runs, history: dict[str, int]) -> dict[str, Any]:
    """Figures of what Temporal keeps. A loop's opening and end are in the whole, and in no step."""
    size = {name: statistics.median(history[run.job_id] for run in runs[name]) for name in ("line-30", "line-120")}
    return {
        "history_bytes_per_step": round(marginal(size["line-30"], size["line-120"], SHORT, LONG)),
        "history_bytes_30_whole": round(size["line-30"] / SHORT),
        "history_bytes_120_whole": round(size["line-120"] / LONG),
    }


def tell(runs: Runs, figures: dict[str, Any]) -> None:
    rows: list[Sequence[object]] = [("run", "ms a step", "in each round", "growth", "process s", "first request s")]
    for name, each in runs.items():
        rows.append(
            (
                name,
                figures["ms_a_step"][name],
                " ".join(f"{_ms(run):.0f}" for run in each),
                statistics.median(map(_growth, each)) if LENGTHS[name] == LONG else "",
                statistics.median(run.seconds for run in each),
                statistics.median(run.first_request_seconds for run in each),
            )
        )
    print(table(rows), end="\n\n")
    print(table([("figure", "value", "goal"), *((x.figure, figures[x.figure], x.words) for x in LIMITS)]), end="\n\n")


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="one round instead of five")
    parser.add_argument("--rounds", type=int, default=0)
    parser.add_argument("--keep", action="store_true", help="leave the temporary directory")
    given = parser.parse_args()
    rounds = given.rounds or (1 if given.quick else 5)
    python = peer_environment("mini-swe-agent", PEER)
    print(f"step_overhead: {rounds} round(s) beside {PEER[0]}; {machine()}")
    print("medians over rounds, one run at a time; nothing else was started by this script\n", flush=True)
    lengths = LENGTHS | OTHER_LENGTHS
    with workshop("steps", keep=given.keep) as place:
        place.repository("repo", files())
        play, bodies = place.root / "script.json", place.root / "bodies"
        play.write_text(script(lengths, {name: SUBMIT if name.startswith("mini") else FINISH for name in lengths}))
        with Loopback(play, bodies) as server:
            runs = compare(place, server, python, rounds)
            shares = cached_shares(place, server)
            options = config_for(place, server, "local/killed")
            place.start("up", "--no-worker", *options)
            wait_for(lambda: place.thirdshift("status", "--json", *options).returncode == 0, "a server", 60)
            jobs = [run.job_id for each in runs.values() for run in each if run.job_id]
            history = asyncio.run(loop_history_bytes(place.home, jobs))
            kills = after_kills(place, server, 1 if given.quick else 3)
    figures = {"rounds": rounds, **paces(runs), **histories(runs, history)}
    figures["cached_share"] = round(min(shares.values()), 4)
    figures["cached_share_by_format"] = {name: round(value, 4) for name, value in shares.items()}
    figures["after_kill_s"] = round(max(kills), 2)
    tell(runs, figures)
    line = closing_line(figures, LIMITS)
    print(line)
    return 0 if json.loads(line)["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
