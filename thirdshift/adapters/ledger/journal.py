"""The journal: one line for each thing that happens to a job, with the job's money as it then stands."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, insert, select, update

from thirdshift.adapters.ledger.tables import jobs, journal, scopes
from thirdshift.core.ledger import JournalEntry, ScopeKind
from thirdshift.core.text import visible

Data = Mapping[str, str | int | float | bool | None]

_NEXT = (
    update(jobs)
    .where(jobs.c.job_id == bindparam("id"))
    .values(journal_seq=jobs.c.journal_seq + 1)
    .returning(jobs.c.journal_seq)
)
_MONEY = (
    select(
        jobs.c.budget_nano,
        scopes.c.billing,
        scopes.c.settled_nano,
        scopes.c.held_nano,
        scopes.c.unknown_nano,
        scopes.c.raised_nano,
    )
    .select_from(jobs.outerjoin(scopes, (scopes.c.key == jobs.c.job_id) & (scopes.c.kind == ScopeKind.JOB.value)))
    .where(jobs.c.job_id == bindparam("id"))
)


def money_of(connection: Connection, job_id: str) -> dict[str, int | None]:
    """The job's money now: metered cost, imputed cost, held, unknown and budget, each apart. KeyError if no job."""
    found = {"cost_nano": 0, "imputed_nano": 0, "held_nano": 0, "unknown_nano": 0}
    rows = connection.execute(_MONEY, {"id": job_id}).mappings().all()
    if not rows:
        raise KeyError(f"no job {job_id} in the ledger")
    raised = 0
    for row in rows:
        if row["billing"] is None:
            continue
        raised = max(raised, row["raised_nano"])
        if row["billing"] == "imputed":
            found["imputed_nano"] = row["settled_nano"]
        else:
            found.update(cost_nano=row["settled_nano"], held_nano=row["held_nano"], unknown_nano=row["unknown_nano"])
    budget = rows[0]["budget_nano"]
    return {**found, "budget_nano": None if budget is None else budget + raised}


def write_entry(connection: Connection, job_id: str, kind: str, text: str, data: Data, at: datetime) -> None:
    """Add an entry; the job's money is added to its data. KeyError if there is no such job."""
    # The row lock that this takes makes the numbers gapless and visible in order, so a reader misses none.
    seq = connection.execute(_NEXT, {"id": job_id}).scalar_one_or_none()
    if seq is None:
        raise KeyError(f"no job {job_id} in the ledger")
    full = {**money_of(connection, job_id), **data}
    row = {"job_id": job_id, "seq": seq, "at": at, "kind": kind, "body": visible(text), "data": json.dumps(full)}
    connection.execute(insert(journal), row)


_AFTER = (
    select(journal)
    .where(journal.c.job_id == bindparam("id"), journal.c.seq > bindparam("after"))
    .order_by(journal.c.seq)
)


def read_entries(connection: Connection, job_id: str, after_seq: int) -> Sequence[JournalEntry]:
    """Entries newer than ``after_seq``, oldest first."""
    rows = connection.execute(_AFTER, {"id": job_id, "after": after_seq}).mappings()
    return tuple(
        JournalEntry(
            seq=row["seq"],
            job_id=job_id,
            at=row["at"],
            kind=row["kind"],
            text=row["body"],
            data=json.loads(row["data"]),
        )
        for row in rows
    )
