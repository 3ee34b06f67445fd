"""A process that spends as fast as it can from shared limits, with faults; run by the concurrency tests."""

from __future__ import annotations

import random  # noqa: TID251 - a repeatable plan of faults
import sys
import threading
import zlib

from tests.adapters.ledger.books import NOW, answer, attempt_row, job_row, key, opening
from thirdshift.adapters.ledger import SqlLedger, open_ledger
from thirdshift.core.ledger import CallOpening, DoesNotFit, Held, Scope, ScopeKind

CALLS = 12
LIMITS = {ScopeKind.TEAM_DAY: 60_000, ScopeKind.REPOSITORY_DAY: 50_000}


def call(name: str, step: int, hold: int, attempt: int = 1) -> CallOpening:
    shared = [Scope(kind=kind, key="shared", limit_nano=limit) for kind, limit in LIMITS.items()]
    own = Scope(kind=ScopeKind.JOB, key=name, limit_nano=30_000)
    return opening(
        hold,
        step=step,
        key=key(f"step-{step}", attempt, workflow=name),
        job_id=name,
        owner_id=name,
        scopes=(*shared, own),
    )


def spend(ledger: SqlLedger, name: str, seed: int) -> None:
    """One loop: holds of unequal size; answered, lost, refused, or asked for again while in flight."""
    dice = random.Random(seed)  # noqa: S311 - a repeatable plan of faults, not a secret
    ledger.open_job(job_row(name))
    ledger.open_attempt(attempt_row(name, 1, name))
    for step in range(1, CALLS + 1):
        hold = dice.randint(500, 3000)
        placed = ledger.place_hold(call(name, step, hold))
        if isinstance(placed, DoesNotFit):
            if placed.free_nano < 100:
                continue
            hold = placed.free_nano
            placed = ledger.place_hold(call(name, step, hold))
        if not isinstance(placed, Held):
            continue
        match dice.randint(0, 5):
            case 0:
                ledger.mark_unknown(placed.call_id, "cut", NOW)
            case 1:
                ledger.release(placed.call_id, "429", NOW)
            case 2:
                again = ledger.place_hold(call(name, step, 500, attempt=2))
                ledger.settle(placed.call_id, answer("late"), dice.randint(0, min(hold, 500)), 0.1, NOW)
                if isinstance(again, Held):
                    ledger.settle(again.call_id, answer("again"), dice.randint(0, min(hold, 500)), 0.1, NOW)
            case _:
                ledger.settle(placed.call_id, answer(), dice.randint(1, hold), 0.1, NOW)


def main(url: str, label: str, loops: int) -> None:
    """Several loops in threads of one process."""
    ledger = open_ledger(url)
    failures: list[BaseException] = []

    def run(number: int) -> None:
        try:
            spend(ledger, f"{label}-{number}", zlib.crc32(f"{label}-{number}".encode()))
        except BaseException as error:  # noqa: BLE001 - handed to the main thread
            failures.append(error)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(loops)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ledger.close()
    if failures:
        raise failures[0]


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
