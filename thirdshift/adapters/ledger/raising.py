"""Raising a limit while loops run under it."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, select, update

from thirdshift.adapters.ledger.dialect import add_if_new
from thirdshift.adapters.ledger.journal import write_entry
from thirdshift.adapters.ledger.tables import jobs, raises, scopes
from thirdshift.adapters.ledger.told import dollars
from thirdshift.core.ledger import Raise, ScopeKind

_FIND = select(scopes.c.scope_id, scopes.c.raised_nano).where(
    scopes.c.key == bindparam("key"), scopes.c.kind == bindparam("kind"), scopes.c.billing == bindparam("billing")
)


def raise_limit(connection: Connection, by: Raise) -> int:
    """Add to a scope's limit, for good and for every process; the sum of its raises. The same raise twice is one."""
    total = 0
    new = False
    for billing in ("metered", "imputed"):
        name = {"kind": by.kind.value, "key": by.key, "billing": billing}
        add_if_new(connection, scopes, name)
        scope_id = connection.execute(_FIND, name).one().scope_id
        row = {
            "raise_id": f"{by.raise_id}/{billing}",
            "scope_id": scope_id,
            "by_nano": by.by_nano,
            "reviewer": by.reviewer,
            "at": by.at,
        }
        if add_if_new(connection, raises, row):
            raised = scopes.c.raised_nano + by.by_nano
            connection.execute(update(scopes).where(scopes.c.scope_id == scope_id).values(raised_nano=raised))
            new = True
        total = int(connection.execute(_FIND, name).one().raised_nano)
    is_job = (
        by.kind is ScopeKind.JOB and connection.execute(select(jobs.c.job_id).where(jobs.c.job_id == by.key)).first()
    )
    if new and is_job:
        text = f"{by.reviewer} raised the budget by {dollars(by.by_nano)}"
        write_entry(connection, by.key, "budget", text, {"by_nano": by.by_nano, "reviewer": by.reviewer}, by.at)
    return total
