"""A process that puts and decides the same events, and opens the same nights, as its rival does; see test_rivals."""

from __future__ import annotations

import json
import sys

from tests.adapters.ledger.nights import decision, event, night_row
from thirdshift.adapters.ledger import open_ledger

ROUNDS = 40


def main(url: str, name: str) -> None:
    """Do everything once, and say on one line of JSON what was won."""
    ledger = open_ledger(url)
    print("ready", flush=True)  # noqa: T201 - the test waits for it
    sys.stdin.readline()
    won: dict[str, list[int]] = {"put": [], "decided": [], "nights": []}
    for index in range(ROUNDS):
        number, new = ledger.put_event(event(f"d-{index}"))
        won["put"] += [number] if new else []
        won["decided"] += [number] if ledger.decide_event(number, decision(job_id=name)) else []
        won["nights"] += [index] if ledger.open_night(night_row(index, workflow_id=f"{name}-{index}")) else []
    ledger.close()
    print(json.dumps(won))  # noqa: T201 - its answer


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
