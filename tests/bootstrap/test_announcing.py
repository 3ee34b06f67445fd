from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest

from thirdshift.bootstrap.announcing import Announcer, SignalRefused
from thirdshift.core.errors import EngineUnavailable
from thirdshift.core.event_book import Event
from thirdshift.intake_signatures import Arrival


def event(fingerprint: str = "ci", repository: str = "acme/shop") -> Event:
    return Event(
        source="github",
        delivery="1",
        kind="push",
        repository=repository,
        fingerprint=fingerprint,
        title="x",
        received_at=datetime(2026, 11, 22, tzinfo=UTC),
    )


class Server:
    """Takes signals, one after another as they are let through. ``down`` refuses them."""

    def __init__(self, *, open_from_the_start: bool = True) -> None:
        self.taken: list[tuple[str, Arrival]] = []
        self.asked = 0
        self.down = False
        self.refuses = ""
        """A repository that takes no signal."""
        self.gate = asyncio.Event()
        if open_from_the_start:
            self.gate.set()

    async def send(self, repository: str, arrival: Arrival) -> None:
        self.asked += 1
        await self.gate.wait()
        if self.down:
            raise EngineUnavailable("no answer")
        if repository == self.refuses:
            raise SignalRefused("too many signals")
        self.taken.append((repository, arrival))


async def test_an_event_is_signalled_with_its_number_and_fingerprint() -> None:
    server = Server()
    announcer = Announcer(server.send, patience_seconds=30)
    async with announcer.working():
        await announcer.announce(event(), 7)
        assert server.taken == [("acme/shop", Arrival(number=7, fingerprint="ci"))]


async def test_events_of_one_fingerprint_that_come_during_a_signal_share_the_next_one() -> None:
    server = Server(open_from_the_start=False)
    announcer = Announcer(server.send, patience_seconds=30)
    async with announcer.working():
        first = asyncio.create_task(announcer.announce(event(), 1))
        while not server.asked:
            await asyncio.sleep(0)
        others = [asyncio.create_task(announcer.announce(event(), number)) for number in range(50, 1, -1)]
        others.append(asyncio.create_task(announcer.announce(event("lint"), 99)))
        while server.asked < 2:
            await asyncio.sleep(0)
        server.gate.set()
        await asyncio.gather(first, *others)
    numbers = [arrival.number for _, arrival in server.taken if arrival.fingerprint == "ci"]
    assert numbers == [1, 50], "the first alone, and one that stands for all who came meanwhile"
    assert ("acme/shop", Arrival(number=99, fingerprint="lint")) in server.taken


async def test_a_late_event_with_a_lower_number_gets_a_signal_of_its_own() -> None:
    server = Server()
    announcer = Announcer(server.send, patience_seconds=30)
    async with announcer.working():
        await announcer.announce(event(), 6)
        await announcer.announce(event(), 5)
    assert len(server.taken) == 2


async def test_a_slow_server_keeps_no_sender_waiting_and_gets_the_signal_all_the_same() -> None:
    server = Server(open_from_the_start=False)
    announcer = Announcer(server.send, patience_seconds=0.01)
    async with announcer.working():
        await announcer.announce(event(), 1)
        assert server.taken == []
        server.gate.set()
    assert [arrival.number for _, arrival in server.taken] == [1], "what waits is sent before it ends"


async def test_while_it_is_down_senders_are_told_at_once_and_what_is_owed_is_sent_once_it_answers() -> None:
    server = Server()
    server.down = True
    announcer = Announcer(server.send, patience_seconds=30)
    async with announcer.working():
        for number, fingerprint in enumerate(("ci", "ci", "lint"), start=1):
            with pytest.raises(EngineUnavailable):
                await announcer.announce(event(fingerprint), number)
        assert server.asked <= 2, "one that failed, and one try since"
        server.down = False
        while len(server.taken) < 2:
            await asyncio.sleep(0.01)
        assert {(arrival.number, arrival.fingerprint) for _, arrival in server.taken} == {(2, "ci"), (3, "lint")}
        await announcer.announce(event(), 4)
        assert server.taken[-1][1].number == 4


async def test_those_who_share_a_signal_that_fails_are_all_told_so() -> None:
    server = Server(open_from_the_start=False)
    server.down = True
    announcer = Announcer(server.send, patience_seconds=30)
    async with announcer.working():
        sending = [asyncio.create_task(announcer.announce(event(), number)) for number in (1, 2, 3)]
        while not server.asked:
            await asyncio.sleep(0)
        server.gate.set()
        found = await asyncio.gather(*sending, return_exceptions=True)
    assert [type(each) for each in found] == [EngineUnavailable] * 3


async def test_what_a_listener_left_undecided_is_announced_by_the_next_one_without_refusing_anybody() -> None:
    server = Server()
    announcer = Announcer(server.send, patience_seconds=30)
    announcer.owe([(("acme/shop", "ci"), 4), (("acme/shop", "ci"), 9), (("acme/till", "ci"), 5)])
    async with announcer.working():
        await announcer.announce(event("lint"), 10)
        while len(server.taken) < 3:
            await asyncio.sleep(0.01)
    assert {(repository, arrival.number) for repository, arrival in server.taken} == {
        ("acme/shop", 10),
        ("acme/shop", 9),
        ("acme/till", 5),
    }


async def test_one_repository_s_trouble_is_not_the_others() -> None:
    server = Server()
    server.refuses = "acme/till"
    announcer = Announcer(server.send, patience_seconds=30)
    async with announcer.working():
        await announcer.announce(event(repository="acme/till"), 1)
        await announcer.announce(event(), 2)
        assert [arrival.number for _, arrival in server.taken] == [2]
        announcer.owe([(("acme/other", "ci"), 3)])
        while len(server.taken) < 2:
            await asyncio.sleep(0.01)
        assert server.taken[-1] == ("acme/other", Arrival(number=3, fingerprint="ci"))
        server.refuses = ""
        while len(server.taken) < 3:
            await asyncio.sleep(0.01)
        assert server.taken[-1] == ("acme/till", Arrival(number=1, fingerprint="ci"))


async def test_a_long_outage_is_remembered_by_repository_and_not_by_event() -> None:
    server = Server()
    announcer = Announcer(server.send, most_owed=10)
    announcer.owe((("acme/shop", f"f{number}"), number) for number in range(1, 1000))
    announcer.owe([(("acme/till", "x"), 1000), (("acme/shop", "last"), 1001)])
    async with announcer.working():
        async with asyncio.timeout(30):
            while not {("acme/till", 1000), ("acme/shop", 1001)} <= {(to, one.number) for to, one in server.taken}:
                await asyncio.sleep(0)
    assert len(server.taken) <= 10


async def test_no_fault_ends_the_sending_of_signals() -> None:
    server, faults = Server(), iter(range(10))

    async def send(repository: str, arrival: Arrival) -> None:
        if next(faults, None) is not None:
            raise RuntimeError("a fault")
        await server.send(repository, arrival)

    announcer = Announcer(send)
    async with announcer.working():
        for number in range(1, 31):
            await announcer.announce(event(f"f{number}"), number)
        async with asyncio.timeout(30):
            while len({one.number for _, one in server.taken}) < 30:
                await asyncio.sleep(0.01)
