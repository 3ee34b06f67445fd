from __future__ import annotations

import asyncio
from collections import Counter as Tally

from bench.rig.forgeries import KINDS, forged
from bench.rig.webhook_sender import as_fast_as_it_goes, at_rate, load
from bench.webhook_load import keeps_up
from tests.web.counter import Counter
from thirdshift.web.server import open_socket, serving


async def test_every_forgery_is_refused_and_every_delivery_of_the_load_is_taken_once() -> None:
    counter = Counter()
    with open_socket("127.0.0.1", 0) as bound:
        port = bound.getsockname()[1]
        async with serving(counter.app(), bound, 64):
            refused = await as_fast_as_it_goes(port, forged(2 * len(KINDS)), 4)
            assert counter.book.events(1) == []
            taken = await at_rate(port, list(load("run", 30)), per_second=1000, connections=4)
            again = await as_fast_as_it_goes(port, load("run", 30), 4)
    assert sum(refused.statuses.values()) == 2 * len(KINDS)
    assert {status // 100 for status in refused.statuses} == {4}
    assert taken.statuses == again.statuses == Tally({202: 30})
    assert len(taken.seconds) == 30
    assert len(counter.book.events(100)) == 30


async def test_a_server_that_falls_behind_shows_in_the_times_of_those_that_wait() -> None:
    async def late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.readline():
            await asyncio.sleep(0.05)
            writer.write(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n")

    server = await asyncio.start_server(late, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        sent = await at_rate(port, [b"x\n"] * 5, per_second=1000, connections=1)
    assert sent.seconds[-1] > 0.2, "the fifth was due at once, and waited for four others"


def test_a_step_is_borne_only_at_its_rate_in_time_and_with_everything_taken() -> None:
    good = {"p99_ms": 49.0, "others": 0, "answered": 99.0, "offered": 100}
    assert keeps_up(good)
    assert not keeps_up({**good, "p99_ms": 51.0})
    assert not keeps_up({**good, "others": 1})
    assert not keeps_up({**good, "answered": 90.0})
