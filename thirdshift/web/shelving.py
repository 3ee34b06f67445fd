"""Putting events into the ledger: those that come while one transaction is written share the next one."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final

from thirdshift.core.event_book import Event, EventBook

Put = tuple[int, bool]
"""An event's number, and whether it is new."""
_MOST_AT_ONCE: Final = 64
"""Deliveries in one transaction."""


class Shelf:
    """Writes for one process. A commit waits for the disk, which takes as long for one event as for many."""

    def __init__(self, book: EventBook) -> None:
        self._book = book
        self._waiting: list[tuple[Sequence[Event], asyncio.Future[Sequence[Put]]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def put(self, events: Sequence[Event]) -> Sequence[Put]:
        """Return once they are stored for good. Raises what the book raises."""
        stored: asyncio.Future[Sequence[Put]] = asyncio.get_running_loop().create_future()
        self._waiting.append((events, stored))
        if self._writing is None:
            self._writing = asyncio.create_task(self._write())
        return await stored

    async def _write(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting[:_MOST_AT_ONCE], self._waiting[_MOST_AT_ONCE:]
            together = [event for events, _ in batch for event in events]
            try:
                put = await asyncio.to_thread(self._book.put_events, together)
            except Exception as error:  # noqa: BLE001 - whoever waits is told, and it is theirs to judge
                for _, stored in batch:
                    if not stored.done():
                        stored.set_exception(error)
                continue
            at = 0
            for events, stored in batch:
                if not stored.done():
                    stored.set_result(put[at : at + len(events)])
                at += len(events)
        self._writing = None
