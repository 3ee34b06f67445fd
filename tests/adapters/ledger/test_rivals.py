from __future__ import annotations

import json
import subprocess
import sys
from typing import IO

from tests.adapters.ledger.books import Books
from tests.adapters.ledger.nights import night
from tests.adapters.ledger.rival import ROUNDS


def said(pipe: IO[str] | None) -> str:
    assert pipe is not None
    return pipe.readline()


def test_of_two_processes_exactly_one_wins_each_event_each_decision_and_each_night(books: Books) -> None:
    command = [sys.executable, "-m", "tests.adapters.ledger.rival", books.url]
    rivals = [
        subprocess.Popen([*command, name], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for name in ("one", "two")
    ]
    assert [said(rival.stdout) for rival in rivals] == ["ready\n"] * 2
    for rival in rivals:
        assert rival.stdin is not None
        rival.stdin.write("go\n")
        rival.stdin.flush()
    won = [json.loads(rival.communicate()[0]) for rival in rivals]
    assert [rival.returncode for rival in rivals] == [0, 0]

    records = books.ledger.events(1000)
    assert len(records) == ROUNDS
    for what in ("put", "decided"):
        assert sorted(won[0][what] + won[1][what]) == sorted(record.number for record in records)
    for name, mine in zip(("one", "two"), won, strict=True):
        decided = {record.number for record in records if record.decision and record.decision.job_id == name}
        assert decided == set(mine["decided"])
        for day in mine["nights"]:
            assert books.ledger.night(night(day).id).row.workflow_id == f"{name}-{day}"
    assert sorted(won[0]["nights"] + won[1]["nights"]) == list(range(ROUNDS))
