"""What a step costs besides the model: Thirdshift beside mini-swe-agent, in one run, on one loopback model.

Both hold the same conversation of one shell command a step, of which every fourth changes a file. A step is measured
on the server's clock, from its answer being ready to the next request being there, so neither start-up nor the server
counts. What mini-swe-agent does with a step: it runs the command as a plain subprocess of the user's, keeps the
conversation in memory and rewrites one JSON file with all of it. It has no sandbox, commits no tree, prices nothing
before it is sent, and begins anew when it is killed. What Thirdshift does: two Temporal activities, a hold and its
settling in the ledger, the command in a sandbox, and the tree in git when it changed.

    python bench/step_overhead.py [--quick] [--rounds N] [--keep]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.rig.cached_prefix import cached_share
from bench.rig.figures import Limit, closing_line, machine, table
from bench.rig.history import loop_history_bytes
from bench.rig.loopback import Exchange, Loopback
from bench.rig.pace import growth, ms_a_step
from bench.rig.peers import clean_environment, peer_environment
from bench.rig.steps_script import files, script
from bench.rig.workshop import Workshop, last_json, wait_for, workshop

PEER = ("mini-swe-agent==2.4.6", "litellm==1.106.2", "mcp==2.3.0")
"""The last two are what it runs on: a litellm as of its day, and a package that this litellm imports unasked."""
SHORT, LONG, WINDOW = 30, 120, 20
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

SPEC = """---
title: {title}
repo: {repo}
task: chore
plan: none
checks:
  - {{id: notes, run: grep -q looked notes.txt, covers: [AC-1], timeout: 1m}}
budget: {{max_budget_usd: "50", max_attempts: 2, max_steps: 400, max_wall: 30m}}
---
# Goal
Read the guide and keep notes.

# Acceptance
- AC-1: When the guide has been read, the notes shall say so.
"""

CONFIG = """
[providers.local]
kind = "openai-chat"
base_url = "http://127.0.0.1:{port}/v1"

[providers.marked]
kind = "anthropic"
base_url = "http://127.0.0.1:{port}"

[[tiers.economy]]
model = "{model}"
max_output_tokens = 1000

[prices."{model}"]
input = "0.10"
cache_read = "0.02"
cache_write = "0.10"
output = "0.40"
"""


@dataclass
class Taken:
    """What one contestant's runs of one length gave, one entry a round."""

    steps_ms: list[float] = field(default_factory=list)
    growths: list[float] = field(default_factory=list)
    process_s: list[float] = field(default_factory=list)
    first_s: list[float] = field(default_factory=list)


def run_line(place: Workshop, server: Loopback, model: str, title: str) -> tuple[list[Exchange], float, float, str]:
    """One job in the foreground: its requests, seconds in all, seconds to the first request, and its id."""
    began = time.monotonic()
    done = place.thirdshift("run", str(written_spec(place, title)), "--json", *config(place, server, model))
    seconds = time.monotonic() - began
    end = last_json(done)
    assert end.get("state") == "accepted", f"{title}: {end}\n{done.stderr[-3000:]}"
    exchanges = server.exchanges(model.partition("/")[2], since=began)
    return exchanges, seconds, exchanges[0].arrived - began, str(end["job_id"])


def written_spec(place: Workshop, title: str) -> Path:
    path = place.root / f"{title.replace(' ', '-').lower()}.md"
    path.write_text(SPEC.format(title=title, repo=place.root / "repo"))
    return path


def config(place: Workshop, server: Loopback, model: str) -> list[str]:
    path = place.root / f"{model.replace('/', '-')}.toml"
    path.write_text(CONFIG.format(port=server.port, model=model))
    return ["--config", str(path)]


def run_mini(place: Workshop, server: Loopback, python: Path, model: str, number: int) -> tuple[list[Exchange], float]:
    """The same with mini-swe-agent's command line: its requests, and seconds in all."""
    directory = place.repository(f"{model}-{number}", files())
    settings = [
        "model.model_kwargs.api_base=" + f"http://127.0.0.1:{server.port}/v1",
        "model.model_kwargs.api_key=none",
        "agent.mode=yolo",
    ]
    command = [str(python), "-m", "minisweagent.run.mini", "-m", f"openai/{model}", "-t", "Read the guide, keep notes."]
    command += ["-y", "--exit-immediately", "-o", str(place.root / f"{model}-{number}.json"), "-c", "mini.yaml"]
    began = time.monotonic()
    done = subprocess.run(
        [*command, *(part for setting in settings for part in ("-c", setting))],
        cwd=directory,
        env=clean_environment(
            HOME=str(place.root),
            MSWEA_CONFIGURED="true",
            MSWEA_COST_TRACKING="ignore_errors",
            MSWEA_MODEL_RETRY_STOP_AFTER_ATTEMPT="1",
            LITELLM_LOCAL_MODEL_COST_MAP="True",
        ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    seconds = time.monotonic() - began
    exchanges = server.exchanges(model, since=began)
    assert done.returncode == 0, f"mini-swe-agent ended with {done.returncode}:\n{(done.stdout + done.stderr)[-3000:]}"
    return exchanges, seconds


def compare(place: Workshop, server: Loopback, python: Path, rounds: int) -> tuple[dict[str, Taken], dict[str, int]]:
    """Rounds of all four runs, one after another, the first contestant changing; and the jobs of the long runs."""
    taken = {name: Taken() for name in ("mini-30", "mini-120", "line-30", "line-120")}
    jobs: dict[str, int] = {}
    for number in range(rounds):
        order = list(taken) if number % 2 else list(reversed(taken))
        for name in order:
            length = LONG if name.endswith("120") else SHORT
            into = taken[name]
            if name.startswith("mini"):
                exchanges, seconds = run_mini(place, server, python, name, number)
            else:
                exchanges, seconds, first, job = run_line(place, server, f"local/{name}", f"Read {name} {number}")
                into.first_s.append(first)
                jobs[job] = length
            assert len(exchanges) == length + 1, f"{name}: {len(exchanges)} requests instead of {length + 1}"
            into.process_s.append(seconds)
            into.steps_ms.append(ms_a_step(exchanges, last=length))
            if length == LONG:
                into.growths.append(growth(exchanges, SHORT, LONG, WINDOW))
            print(f"  round {number + 1}: {name}: {into.steps_ms[-1]:.0f} ms a step", file=sys.stderr)
    return taken, jobs


def measured_cache(place: Workshop, server: Loopback, bodies: Path) -> dict[str, float]:
    """The cached share of request 30 in both formats; the Messages format is the one with marks."""
    shares = {}
    for name, model in (("chat", "local/cache-chat"), ("messages", "marked/cache-marks")):
        before = len(list(bodies.iterdir()))
        run_line(place, server, model, f"Read cached {name}")
        sent = [json.loads(path.read_bytes()) for path in sorted(bodies.iterdir())[before:]]
        shares[name] = cached_share(sent[SHORT - 2], sent[SHORT - 1], marked=name == "messages")
    return shares


def after_kill(place: Workshop, server: Loopback, number: int) -> float:
    """Seconds from ``kill -9`` of the worker in mid-loop to the next request; another worker is started at once."""
    arguments = config(place, server, "local/killed")
    place.start("up", "--no-worker", *arguments)
    wait_for(lambda: place.thirdshift("status", "--json", *arguments).returncode == 0, "a server", 60)
    worker = place.start("worker", *arguments)
    began = time.monotonic()
    spec = written_spec(place, f"Read killed {number}")
    done = place.thirdshift("submit", str(spec), "--json", *arguments)
    assert done.returncode == 0, done.stderr
    wait_for(lambda: len(server.exchanges("killed", since=began)) >= KILL_AT_STEP, f"step {KILL_AT_STEP}", 60)
    worker.kill()
    worker.wait()
    killed = time.monotonic()
    place.start("worker", *arguments)
    found = wait_for(lambda: server.exchanges("killed", since=killed), "the next step", 120)
    place.leave()
    return found[0].arrived - killed


def tell(taken: dict[str, Taken], figures: dict[str, object]) -> None:
    rows: list[Sequence[object]] = [("run", "ms a step", "of them", "growth", "process s", "first request s")]
    for name, each in taken.items():
        rows.append(
            (
                name,
                statistics.median(each.steps_ms),
                " ".join(f"{value:.0f}" for value in each.steps_ms),
                statistics.median(each.growths) if each.growths else "",
                statistics.median(each.process_s),
                statistics.median(each.first_s) if each.first_s else "",
            )
        )
    print(table(rows))
    print()
    print(table([("figure", "value", "goal"), *((x.figure, figures[x.figure], x.words) for x in LIMITS)]))
    print()


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--quick", action="store_true", help="one round instead of five")
    parser.add_argument("--rounds", type=int, default=0)
    parser.add_argument("--keep", action="store_true", help="leave the temporary directory")
    given = parser.parse_args()
    rounds = given.rounds or (1 if given.quick else 5)
    python = peer_environment("mini-swe-agent", PEER)
    print(f"step_overhead: {rounds} round(s) beside {PEER[0]}; {machine()}")
    print("all times are medians over rounds, on the loopback model's clock; nothing else was started by this script\n")
    lengths = {"mini-30": SHORT, "line-30": SHORT, "mini-120": LONG, "line-120": LONG, "killed": 60}
    lengths |= {"cache-chat": SHORT, "cache-marks": SHORT}
    with workshop("steps", keep=given.keep) as place:
        place.repository("repo", files())
        play, bodies = place.root / "script.json", place.root / "bodies"
        play.write_text(script(lengths, {name: SUBMIT if name.startswith("mini") else FINISH for name in lengths}))
        with Loopback(play) as server:
            taken, jobs = compare(place, server, python, rounds)
            history = asyncio.run(loop_history_bytes(place.home, list(jobs)))
            kills = [after_kill(place, server, number) for number in range(1 if given.quick else 3)]
        with Loopback(play, bodies) as server:
            shares = measured_cache(place, server, bodies)
    per_step = {length: [history[job] / length for job in jobs if jobs[job] == length] for length in (SHORT, LONG)}
    middle = {name: statistics.median(each.steps_ms) for name, each in taken.items()}
    figures: dict[str, object] = {
        "rounds": rounds,
        "ratio_to_mini": round(middle["line-30"] / middle["mini-30"], 3),
        "ratio_to_mini_30": round(middle["line-30"] / middle["mini-30"], 3),
        "ratio_to_mini_120": round(middle["line-120"] / middle["mini-120"], 3),
        "ms_a_step": {name: round(value, 1) for name, value in middle.items()},
        "growth_120_to_30": round(statistics.median(taken["line-120"].growths), 3),
        "mini_growth_120_to_30": round(statistics.median(taken["mini-120"].growths), 3),
        "history_bytes_per_step": round(max(statistics.median(values) for values in per_step.values())),
        "history_bytes_30": round(statistics.median(per_step[SHORT])),
        "history_bytes_120": round(statistics.median(per_step[LONG])),
        "cached_share": round(min(shares.values()), 4),
        "cached_share_by_format": {name: round(value, 4) for name, value in shares.items()},
        "first_request_s": round(statistics.median(taken["line-30"].first_s + taken["line-120"].first_s), 2),
        "after_kill_s": round(max(kills), 2),
    }
    tell(taken, figures)
    line = closing_line(figures, LIMITS)
    print(line)
    return 0 if json.loads(line)["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
