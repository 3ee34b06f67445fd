from __future__ import annotations

import subprocess
import sys

from sqlalchemy import create_engine, func, select

from tests.adapters.ledger.books import Books
from tests.adapters.ledger.spender import LIMITS
from thirdshift.adapters.ledger.tables import calls, scope_members, scopes, tallies


def test_shared_limits_hold_over_processes_and_threads_and_the_totals_are_those_of_the_calls(books: Books) -> None:
    command = [sys.executable, "-m", "tests.adapters.ledger.spender", books.url]
    running = [
        subprocess.Popen([*command, label, "5"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        for label in ("one", "two")
    ]
    said = [process.communicate()[0] for process in running]
    assert [process.returncode for process in running] == [0, 0], said

    engine = create_engine(books.url)
    with engine.connect() as connection:
        for kind, limit in LIMITS.items():
            row = connection.execute(select(scopes).where(scopes.c.kind == kind.value)).one()
            charged = row.settled_nano + row.held_nano + row.unknown_nano
            assert 0 < charged <= limit
            assert row.held_nano == 0
            by_state = select(calls.c.state, func.sum(calls.c.cost_nano), func.sum(calls.c.hold_nano))
            members = by_state.join(tallies, tallies.c.tally_id == calls.c.tally_id).join(
                scope_members, scope_members.c.set_id == tallies.c.set_id
            )
            found = connection.execute(
                members.where(scope_members.c.scope_id == row.scope_id).group_by(calls.c.state)
            ).all()
            sums = {state: (int(cost), int(hold)) for state, cost, hold in found}
            assert sums["settled"][0] == row.settled_nano
            assert sums["unknown"][1] == row.unknown_nano
        tallied = connection.execute(
            select(func.sum(tallies.c.settled_nano), func.sum(tallies.c.unknown_nano), func.sum(tallies.c.held_nano))
        ).one()
        assert tuple(int(total) for total in tallied) == (row.settled_nano, row.unknown_nano, 0)
    engine.dispose()
