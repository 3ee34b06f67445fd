"""Made-up books of a stated size, for benches and for looking at reports: half a year of a busy factory.

The rows are written straight into the tables, a million calls in under a minute; every total agrees with its calls,
which ``thirdshift ledger verify`` confirms. The same seed makes the same books.

    python -m bench.synthetic_books /tmp/books.db 1000000
"""

from __future__ import annotations

import random  # noqa: TID251 - seeded: the same books every time
import sqlite3
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from thirdshift.adapters.ledger import open_ledger
from thirdshift.adapters.ledger.tables import metadata

HOUR = 3600 * 1_000_000
DAY = 24 * HOUR
BEGIN = 1_767_225_600 * 1_000_000
"""2026-01-01T00:00Z, in microseconds."""
DAYS = 181
CALLS_PER_ATTEMPT = 30
BATCH = 20_000

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

TOKENS = ("input_tokens", "cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens", "output_tokens",
          "reasoning_tokens", "server_tool_requests")  # fmt: skip


@dataclass
class Writer:
    """Rows by table, written in batches, and the running totals that the tables carry."""

    connection: sqlite3.Connection
    waiting: dict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    scopes: dict[tuple[str, str, str], list[int]] = field(default_factory=dict)
    serial: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def number(self, table: str) -> int:
        """The next row number of a table."""
        self.serial[table] += 1
        return self.serial[table]

    def add(self, table: str, **row: Any) -> None:
        """Add a row, in time."""
        rows = self.waiting[table]
        rows.append(row)
        if len(rows) >= BATCH:
            self.flush(table)

    def flush(self, table: str) -> None:
        """Write the rows that wait."""
        rows = self.waiting.pop(table, [])
        if rows:
            names = ", ".join(f'"{name}"' for name in rows[0])
            marks = ", ".join(f":{name}" for name in rows[0])
            self.connection.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", rows)  # noqa: S608 - our own names

    def scope(self, kind: str, key: str, billing: str) -> int:
        """The number of a scope; its totals are written at the end."""
        found = self.scopes.setdefault((kind, key, billing), [0, 0, 0, 0])
        found[0] = found[0] or self.number("scopes")
        return found[0]

    def charge(self, names: list[tuple[str, str, str]], held: int, settled: int, unknown: int) -> None:
        """Add a call's money to its scopes."""
        for name in names:
            totals = self.scopes[name]
            totals[1] += settled
            totals[2] += held
            totals[3] += unknown

    def finish(self) -> None:
        """Write the totals and whatever waits."""
        for (kind, key, billing), (scope_id, settled, held, unknown) in self.scopes.items():
            row = {"settled_nano": settled, "held_nano": held, "unknown_nano": unknown}
            self.add("scopes", scope_id=scope_id, kind=kind, key=key, billing=billing, **row)
        for table in metadata.sorted_tables:
            self.flush(table.name)
        self.connection.commit()


def make_books(path: Path, calls: int = 1_000_000, seed: int = 7) -> int:
    """Fill an SQLite ledger at ``path``, which must not exist, with about so many calls; how many they are."""
    open_ledger(f"sqlite:///{path}").close()
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA synchronous=OFF")
    connection.execute("PRAGMA foreign_keys=OFF")
    writer, chance = Writer(connection), random.Random(seed)  # noqa: S311 - nothing secret
    number = 0
    while writer.serial["calls"] < calls:
        number += 1
        _job(writer, chance, number, at=BEGIN + int(writer.serial["calls"] / calls * DAYS * DAY))
    writer.finish()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.execute("ANALYZE")
    connection.commit()
    connection.close()
    return writer.serial["calls"]


def _job(writer: Writer, chance: random.Random, number: int, at: int) -> None:
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
        place = _Place(job_id, owner, attempt, role, tier, reason, billing, repository, chance.choice(MODELS[tier]))
        attempt_id = writer.number("attempts")
        moment, spent = _calls(writer, chance, place, attempt_id, steps, moment)
        cost += spent
        _attempt(writer, place, attempt_id, (start, tree), passed, (moment - steps * 20_000_000, moment))
        if role == "code" and (passed or chance.random() < 0.5):
            trees.append(tree)
    reason = "accepted" if accepted else chance.choice(STOPS)
    _close(writer, chance, job_id, repository, number, reason, (at, moment), trees[-1])


@dataclass(frozen=True)
class _Place:
    job_id: str
    owner_id: str
    number: int
    role: str
    tier: str
    reason: str
    billing: str
    repository: str
    model: str


def _tree(job: int, attempt: int) -> str:
    return f"{job:08x}{attempt:08x}".ljust(40, "0")


def _scopes(writer: Writer, place: _Place, day: int) -> tuple[list[tuple[str, str, str]], list[int]]:
    month = day // 30
    names = [
        ("attempt", f"{place.owner_id}#{place.number}"),
        ("job", place.job_id),
        ("repository_day", f"{place.repository}|{day}"),
        ("repository_month", f"{place.repository}|{month}"),
        ("team_day", f"default|{day}"),
        ("team_month", f"default|{month}"),
    ]
    if place.role != "plan":
        names.append(("loop", place.owner_id))
    full = [(kind, key, place.billing) for kind, key in names]
    return full, [writer.scope(*name) for name in full]


def _calls(
    writer: Writer, chance: random.Random, place: _Place, attempt_id: int, steps: int, moment: int
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
            names, scope_ids = _scopes(writer, place, day)
            tally = _tally(writer, place, attempt_id, hour, scope_ids)
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
        call = _Call(attempt_id, step, state, hold=micro * 2 // 10, cost=micro // 10, used=used)
        spent += _call(writer, call, tally, names, place, moment)
        if state == "settled" and place.role == "code":
            tools += 1
            wasted = int(chance.random() < 0.03)
            mark = f"{step:012x}" if not wasted else "again"
            writer.add(
                "tool_steps", call_id=writer.serial["calls"], attempt_id=attempt_id, signature=mark, wasted=wasted
            )
        if state in ("settled", "unknown") and chance.random() < 0.003:
            spent += _call(writer, call, tally, names, place, moment + 1)
        moment += chance.randrange(5, 35) * 1_000_000
    if tally is not None:
        writer.add("tallies", **tally)
    writer.add("tool_tallies", attempt_id=attempt_id, steps=tools, tool_calls=tools * 2, milliseconds=tools * 400)
    return moment, spent


@dataclass(frozen=True)
class _Call:
    attempt_id: int
    step: int
    state: str
    hold: int
    cost: int
    used: dict[str, int]


def _state(chance: random.Random) -> str:
    draw = chance.random()
    return "settled" if draw < 0.99 else "unknown" if draw < 0.994 else "released"


def _tally(writer: Writer, place: _Place, attempt_id: int, hour: int, scope_ids: list[int]) -> dict[str, Any]:
    set_id = writer.number("scope_sets")
    writer.add("scope_sets", set_id=set_id, digest=f"{set_id:064x}")
    for scope_id in scope_ids:
        writer.add("scope_members", set_id=set_id, scope_id=scope_id)
    counts = dict.fromkeys((*(f"{state}_calls" for state in ("held", "settled", "unknown", "released")), *TOKENS,
                            "held_nano", "settled_nano", "unknown_nano", "milliseconds"), 0)  # fmt: skip
    names = ("job_id", "role", "model", "tier", "reason", "billing")
    return {
        "tally_id": writer.number("tallies"),
        "set_id": set_id,
        "attempt_id": attempt_id,
        **{name: getattr(place, name) for name in names},
        "hour": hour,
        **counts,
    }


def _call(
    writer: Writer, call: _Call, tally: dict[str, Any], names: list[tuple[str, str, str]], place: _Place, at: int
) -> int:
    """One call with its key, in its tally and its scopes; what it is charged with."""
    call_id = writer.number("calls")
    settled, unknown = call.state == "settled", call.state == "unknown"
    cost, lost = call.cost if settled else 0, call.hold if unknown else 0
    milliseconds = 2_000 if settled else 0
    used = call.used if settled else dict.fromkeys(call.used, None)
    writer.add(
        "calls",
        call_id=call_id,
        tally_id=tally["tally_id"],
        attempt_id=call.attempt_id,
        step=call.step,
        state=call.state,
        hold_nano=call.hold,
        cost_nano=cost,
        **used,
        milliseconds=milliseconds,
        opened_at=at,
        closed_at=at + 2_000_000,
        served_model=place.model.partition("/")[2],
        stop="tools" if settled else "",
        note="" if settled else "made up",
    )
    writer.add(
        "call_keys",
        call_id=call_id,
        workflow_id=place.owner_id,
        run_id=f"{call.attempt_id:032x}",
        activity_id=str(call.step),
        activity_attempt=1,
        request_hash=f"{call_id:064x}",
        price_snapshot="synthetic",
        input_bound_tokens=8_000,
        max_output_tokens=8_192,
        sent_messages=call.step * 2,
    )
    tally[f"{call.state}_calls"] += 1
    tally["settled_nano"] += cost
    tally["unknown_nano"] += lost
    tally["milliseconds"] += milliseconds
    for name in TOKENS if settled else ():
        tally[name] += call.used[name]
    writer.charge(names, 0, cost, lost)
    return cost + lost


def _attempt(
    writer: Writer, place: _Place, attempt_id: int, trees: tuple[str, str], passed: bool, times: tuple[int, int]
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
    print(f"{make_books(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 1_000_000):,} calls")
