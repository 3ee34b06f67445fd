"""Counting tools, in the transaction that stores their results."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, bindparam, select, update

from thirdshift.adapters.ledger.dialect import add_if_new
from thirdshift.adapters.ledger.question_tables import tool_steps, tool_tallies
from thirdshift.core.ledger import ToolRun
from thirdshift.core.waste import tools_told_nothing

_SEEN = (
    select(tool_steps.c.call_id)
    .where(tool_steps.c.attempt_id == bindparam("attempt"), tool_steps.c.signature == bindparam("seen"))
    .limit(1)
)
_ADD = (
    update(tool_tallies)
    .where(tool_tallies.c.attempt_id == bindparam("attempt"))
    .values(
        steps=tool_tallies.c.steps + 1,
        tool_calls=tool_tallies.c.tool_calls + bindparam("more_calls"),
        milliseconds=tool_tallies.c.milliseconds + bindparam("more_ms"),
    )
)


def count_tools(connection: Connection, attempt_id: int, names: Sequence[str], run: ToolRun) -> None:
    """Count a step's tools, and note whether they were a waste of the call that asked for them."""
    # The tree belongs to the signature: the same tests with the same result on another tree have told something.
    signature = f"{run.signature}@{run.tree[:16]}"
    again = connection.execute(_SEEN, {"attempt": attempt_id, "seen": signature}).first() is not None
    wasted = tools_told_nothing(names, run.results, changed=run.changed, finished=run.finished, again=again)
    step = {"call_id": run.call_id, "attempt_id": attempt_id, "signature": signature, "wasted": int(wasted)}
    if not add_if_new(connection, tool_steps, step):
        return
    more = {"attempt": attempt_id, "more_calls": len(names), "more_ms": round(run.seconds * 1000)}
    if connection.execute(_ADD, more).rowcount == 0:
        add_if_new(connection, tool_tallies, {"attempt_id": attempt_id})
        connection.execute(_ADD, more)
