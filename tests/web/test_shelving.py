from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from tests.fakes.event_shelf import EventShelf
from thirdshift.core.errors import LedgerUnavailable
from thirdshift.core.event_book import Event
from thirdshift.web.shelving import Shelf


def event(delivery: str) -> Event:
    return Event(
        source="github",
        delivery=delivery,
        kind="push",
        repository="acme/shop",
        fingerprint="x",
        title="x",
        received_at=datetime(2026, 11, 22, tzinfo=UTC),
    )


class SlowBook(EventShelf):
    """Writes a transaction only when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.transactions: list[int] = []
        self.begun = threading.Event()
        self.may_write = threading.Event()

    def put_events(self, told: Sequence[Event]) -> Sequence[tuple[int, bool]]:
        self.begun.set()
        self.may_write.wait(30)
        self.transactions.append(len(told))
        return super().put_events(told)


async def test_events_that_come_during_a_transaction_share_the_next_one_and_each_gets_its_own_number() -> None:
    book = SlowBook()
    shelf = Shelf(book)
    first = asyncio.create_task(shelf.put([event("0")]))
    await asyncio.to_thread(book.begun.wait, 30)
    others = [asyncio.create_task(shelf.put([event(f"{n}a"), event(f"{n}b")])) for n in range(1, 6)]
    others.append(asyncio.create_task(shelf.put([event("0")])))
    await asyncio.sleep(0)
    book.may_write.set()
    assert await first == [(1, True)]
    put = await asyncio.gather(*others)
    assert book.transactions == [1, 11]
    assert put[0] == [(2, True), (3, True)]
    assert put[4] == [(10, True), (11, True)]
    assert put[5] == [(1, False)]


async def test_whoever_shares_a_transaction_that_fails_is_told_and_the_next_one_is_written() -> None:
    book = EventShelf()
    shelf = Shelf(book)
    book.broken = True
    found = await asyncio.gather(*(shelf.put([event(str(n))]) for n in range(3)), return_exceptions=True)
    assert [type(each) for each in found] == [LedgerUnavailable] * 3
    book.broken = False
    assert await shelf.put([event("0")]) == [(1, True)]


async def test_a_sender_that_goes_away_takes_nobody_with_it() -> None:
    book = SlowBook()
    shelf = Shelf(book)
    gone = asyncio.create_task(shelf.put([event("gone")]))
    await asyncio.to_thread(book.begun.wait, 30)
    waits = asyncio.create_task(shelf.put([event("waits")]))
    await asyncio.sleep(0)
    gone.cancel()
    book.may_write.set()
    assert await waits == [(2, True)]
    with pytest.raises(asyncio.CancelledError):
        await gone
    assert book.event(1).event.delivery == "gone", "what was begun is stored all the same"
