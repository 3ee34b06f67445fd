"""Following a job: its journal from the ledger, its end from the engine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

from thirdshift.core.ledger import JournalEntry

if TYPE_CHECKING:
    from temporalio.client import WorkflowHandle

_POLL_SECONDS = 0.15


class Journal(Protocol):
    """The part of the ledger that is followed."""

    def journal(self, job_id: str, after_seq: int) -> Sequence[JournalEntry]:
        """Entries newer than ``after_seq``, oldest first."""
        ...


async def follow(ledger: Journal, job_id: str, show: Callable[[JournalEntry], None], ended: asyncio.Future[str]) -> str:
    """Show every entry of the job's journal, old and new, until ``ended`` is done; its result."""
    seen = 0
    while True:
        # Looked at first: what was written before the end is then surely read after it.
        over = ended.done()
        for entry in await asyncio.to_thread(ledger.journal, job_id, seen):
            seen = entry.seq
            show(entry)
        if over:
            return ended.result()
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(ended), _POLL_SECONDS)


async def workflow_end(handle: WorkflowHandle[object, object]) -> str:
    """Wait for the job's workflow to close; empty when it ended by itself, else how it was made to end."""
    from temporalio.client import WorkflowFailureError

    try:
        await handle.result()
    except WorkflowFailureError as failure:
        cause = failure.cause
        return f"{type(cause).__name__}: {cause}"
    return ""
