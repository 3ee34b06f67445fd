"""Made-up books of a stated size, for benches and for looking at reports: half a year of a busy factory.

The rows are written straight into the tables, a million calls in about a minute; every total agrees with its calls,
which ``thirdshift ledger verify`` confirms. The same seed makes the same books.

    python -m bench.synthetic_books /tmp/books.db 1000000 [nights]
"""

from __future__ import annotations

import random  # noqa: TID251 - seeded: the same books every time
import sqlite3
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench.rig.book_rows import Draft, Place, Writer, new_tally, scopes_of, write_call
from thirdshift.adapters.ledger import open_ledger

HOUR = 3600 * 1_000_000
DAY = 24 * HOUR
BEGIN = 1_767_225_600 * 1_000_000
"""2026-01-01T00:00Z, in microseconds."""
DAYS = 181
CALLS_PER_ATTEMPT = 30

TIERS = ("economy", "economy", "specialist", "frontier")
MODELS = {
    "economy": ("local/qwen3-coder", "acme/sparrow-mini"),
    "specialist": ("acme/heron", "birch/oak-2"),
    "frontier": ("acme/eagle", "birch/sequoia"),
}
PRICE = {"economy": 1, "specialist": 8, "frontier": 25}
REPOSITORIES = tuple(f"/srv/git/{name}" for name in (
    "billing", "checkout", "search", "identity", "mobile-api", "warehouse", "pricing", "emails", "ledger-import",
    "reports", "gateway", "catalogue",
))  # fmt: skip
TASKS = ("bugfix", "feature", "refactor", "migration", "tests", "docs", "chore")
RISKS = ("low", "low", "low", "medium", "medium", "high")
STOPS = ("budget", "no_progress", "max_attempts", "repeating", "ladder_exhausted", "wall_clock", "oscillating",
         "max_steps", "rejected", "stopped_by_person", "tampering")  # fmt: skip
PEOPLE = ("ada", "grace", "linus", "margaret", "edsger")
TEXT = "You repair code. Work in small steps, and run the checks before you finish. " * 20


def make_books(path: Path, calls: int = 1_000_000, seed: int = 7, *, nights: bool = False) -> int:
    """Fill an SQLite ledger at ``path``, which must not exist, with about so many calls; how many they are.

    With ``nights``, every job is of the night of shift ``nightly`` on whose day it was submitted.
    """
    open_ledger(f"sqlite:///{path}").close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("PRAGMA foreign_keys=OFF")
    writer, chance = Writer(connection), random.Random(seed)  # noqa: S311 - nothing secret
    number = 0
    while writer.serial["calls"] < calls:
        number += 1
        at = BEGIN + int(writer.serial["calls"] / calls * DAYS * DAY)
        _job(writer, chance, number, at, night_of(at) if nights else "")
    for day in range(DAYS if nights else 0):
        _night(writer, BEGIN + day * DAY)
    writer.finish()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.execute("ANALYZE")
    connection.commit()
    connection.close()
    return writer.serial["calls"]


def night_of(moment: int) -> str:
    """The id of the made-up night that began on the day of a time in microseconds."""
    return f"nightly|{datetime.fromtimestamp(moment // 1_000_000, UTC):%Y-%m-%d}"


def _night(writer: Writer, begin: int) -> None:
    night = night_of(begin)
    writer.add(
        "nights", night_id=night, shift="nightly", day=night.partition("|")[2], opens_at=begin,
        drains_at=begin + 23 * HOUR, closes_at=begin + DAY, by_hand=0, workflow_id=f"shift-{night}",
        budget_nano=10**15, concurrency=40, deliver="branch", zone="UTC", opened_at=begin,
        closed_at=begin + DAY, how="closed", why="",
    )  # fmt: skip


def _job(writer: Writer, chance: random.Random, number: int, at: int, night: str) -> None:
    job_id, loop_id = f"job-{number:06}", f"loop-job-{number:06}-main"
    accepted = chance.random() < 0.7
    billing = "imputed" if chance.random() < 0.1 else "metered"
    repository = REPOSITORIES[min(int(chance.expovariate(0.35)), len(REPOSITORIES) - 1)]
    base = _tree(number, 0)
    moment, trees, rung = at + chance.randrange(6 * HOUR), [base], 0
    tries = chance.choice((1, 1, 2, 2, 3, 4, 5, 6))
    attempts = [(0, "plan", "economy", "first", 1)]
    for one in range(1, tries + 1):
        climbs = one > 1 and chance.random() < 0.5 and rung < len(TIERS) - 1
        rung += int(climbs)
        reason = "first" if one == 1 else "verification_failed" if climbs else "retry_with_evidence"
        attempts.append((one, "code", TIERS[rung], reason, chance.randrange(8, 2 * CALLS_PER_ATTEMPT + 8)))
    cost = 0
    for attempt, role, tier, reason, steps in attempts:
        passed = accepted and attempt == tries
        owner = job_id if role == "plan" else loop_id
        start = trees[-1]
        tree = _tree(number, attempt) if passed or chance.random() < 0.6 else start
        place = Place(
            job_id, owner, attempt, role, tier, reason, billing, repository, chance.choice(MODELS[tier]), night
        )
        attempt_id = writer.number("attempts")
        moment, spent = _calls(writer, chance, place, attempt_id, steps, moment)
        cost += spent
        _attempt(writer, place, attempt_id, (start, tree), passed, (moment - steps * 20_000_000, moment))
        if role == "code" and (passed or chance.random() < 0.5):
            trees.append(tree)
    reason = "accepted" if accepted else chance.choice(STOPS)
    _close(writer, chance, job_id, repository, number, reason, (at, moment), trees[-1], night)


def _tree(job: int, attempt: int) -> str:
    return f"{job:08x}{attempt:08x}".ljust(40, "0")


def _calls(
    writer: Writer, chance: random.Random, place: Place, attempt_id: int, steps: int, moment: int
) -> tuple[int, int]:
    """The calls of an attempt; when it ends, and what it is charged with."""
    size, spent, prefix = 2_000, 0, 0
    chatter = 9_000 if chance.random() < 0.05 else 2_200
    tally: dict[str, Any] | None = None
    names: list[tuple[str, str, str]] = []
    tools = 0
    for step in range(1, steps + 1):
        hour, day = moment // HOUR, moment // DAY
        if tally is None or tally["hour"] != hour:
            if tally is not None:
                writer.add("tallies", **tally)
            names, scope_ids = scopes_of(writer, place, day)
            tally = new_tally(writer, place, attempt_id, hour, scope_ids)
        state = _state(chance)
        fresh = chance.randrange(200, chatter)
        used = {
            "input_tokens": fresh,
            "cache_read_tokens": prefix,
            "cache_write_5m_tokens": 0,
            "cache_write_1h_tokens": 0,
            "output_tokens": chance.randrange(30, 900),
            "reasoning_tokens": 0,
            "server_tool_requests": 0,
        }
        prefix = size = size + fresh
        micro = PRICE[place.tier] * (used["input_tokens"] * 1_000 + prefix * 100 + used["output_tokens"] * 4_000)
        call = Draft(attempt_id, step, state, hold=micro * 2 // 10, cost=micro // 10, used=used)
        spent += write_call(writer, call, tally, names, place, moment)
        if state == "settled" and place.role == "code":
            tools += 1
            wasted = int(chance.random() < 0.03)
            mark = f"{step:012x}" if not wasted else "again"
            writer.add(
                "tool_steps", call_id=writer.serial["calls"], attempt_id=attempt_id, signature=mark, wasted=wasted
            )
        if state in ("settled", "unknown") and chance.random() < 0.003:
            spent += write_call(writer, call, tally, names, place, moment + 1)
        moment += chance.randrange(5, 35) * 1_000_000
    if tally is not None:
        writer.add("tallies", **tally)
    writer.add("tool_tallies", attempt_id=attempt_id, steps=tools, tool_calls=tools * 2, milliseconds=tools * 400)
    return moment, spent


def _state(chance: random.Random) -> str:
    draw = chance.random()
    return "settled" if draw < 0.99 else "unknown" if draw < 0.994 else "released"


def _attempt(
    writer: Writer, place: Place, attempt_id: int, trees: tuple[str, str], passed: bool, times: tuple[int, int]
) -> None:
    start, tree = trees
    verdict_id = None
    if place.role == "code":
        verdict_id = writer.number("verdicts")
        writer.add(
            "verdicts",
            verdict_id=verdict_id,
            owner_id=place.owner_id,
            number=place.number,
            tree=tree,
            passed=int(passed),
            body="{}",
            at=times[1],
        )
    writer.add(
        "attempts",
        attempt_id=attempt_id,
        owner_id=place.owner_id,
        number=place.number,
        job_id=place.job_id,
        role=place.role,
        model=place.model,
        tier=place.tier,
        reason=place.reason,
        rung="{}",
        start_tree=start,
        start_commit=start,
        host="synthetic",
        opened_at=times[0],
        system=TEXT,
        tools="[]",
        message_count=0,
        end="repeating" if attempt_id % 41 == 0 else "finished",
        evidence="",
        verdict_id=verdict_id,
        closed_at=times[1],
    )


def _close(
    writer: Writer,
    chance: random.Random,
    job_id: str,
    repository: str,
    number: int,
    reason: str,
    times: tuple[int, int],
    tree: str,
    night: str,
) -> None:
    still_open = chance.random() < 0.002
    writer.add(
        "loops", loop_id=f"loop-{job_id}-main", job_id=job_id, packet="main", base_tree=_tree(number, 0),
        checks='["unit"]', opened_at=times[0],
    )  # fmt: skip
    writer.add(
        "jobs",
        job_id=job_id,
        spec_id="synthetic",
        spec_path=f"specs/{chance.randrange(400):03}.md",
        title=f"Made-up work {number}",
        task=chance.choice(TASKS),
        risk=chance.choice(RISKS),
        repository=repository,
        base_commit="c" * 40,
        base_tree=_tree(number, 0),
        budget_nano=20_000_000_000,
        submitter=chance.choice(PEOPLE),
        submitted_at=times[0],
        sandbox="bubblewrap",
        stop_reason=None if still_open else reason,
        evidence="made up",
        tree=tree,
        closed_at=None if still_open else times[1],
        night=night,
    )
    if reason == "accepted" and chance.random() < 0.5:
        for kind in _outcomes(chance):
            writer.add(
                "outcomes", job_id=job_id, kind=kind, commit_hash=f"{number:040x}", share=1000, how="ancestor",
                at=times[1] + DAY, seen_at=times[1] + 2 * DAY, source="git",
            )  # fmt: skip


def _outcomes(chance: random.Random) -> Iterator[str]:
    yield "accepted"
    draw = chance.random()
    if draw < 0.12:
        yield "edited"
    elif draw < 0.18:
        yield "reverted"


if __name__ == "__main__":
    size = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000
    print(f"{make_books(Path(sys.argv[1]), size, nights='nights' in sys.argv[3:]):,} calls")
