"""The app behind the real uvicorn, on loopback, spoken to by a real client and by raw sockets."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import httpx2
import pytest

from tests.fakes.webhooks import WORKFLOW_RUN, delivery
from tests.web.counter import Counter
from thirdshift.core.errors import ServiceMissing, SettingsInvalid
from thirdshift.core.events.signatures import SourceKind
from thirdshift.web import server
from thirdshift.web.server import open_socket, serving


@contextlib.asynccontextmanager
async def listening(counter: Counter, connections: int = 64) -> AsyncIterator[int]:
    with open_socket("127.0.0.1", 0) as bound:
        async with serving(counter.app(), bound, connections):
            yield bound.getsockname()[1]


async def raw(port: int, *parts: bytes) -> bytes:
    """Send bytes, and read until the server hangs up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for part in parts:
        writer.write(part)
        with contextlib.suppress(ConnectionError):
            await writer.drain()
    answer = b""
    with contextlib.suppress(ConnectionError):
        answer = await reader.read()
    writer.close()
    return answer


async def test_deliveries_come_over_one_connection_and_what_is_in_hand_is_finished_at_the_end() -> None:
    class Slow(Counter):
        async def _announce(self, _event: object, number: int) -> None:
            await asyncio.sleep(0.3)
            self.announced.append(number)

    counter = Slow()
    sent = [delivery(SourceKind.GITHUB, WORKFLOW_RUN, delivery_id=str(number)) for number in range(2)]
    async with httpx2.AsyncClient() as client:
        async with listening(counter) as port:
            url = f"http://127.0.0.1:{port}/events/github"
            first = await client.post(url, content=sent[0].body, headers=sent[0].headers)
            assert first.status_code == 202
            assert "server" not in first.headers
            last = asyncio.create_task(client.post(url, content=sent[1].body, headers=sent[1].headers))
            while len(counter.book.events(10)) < 2:
                await asyncio.sleep(0.01)
            assert counter.announced == [1]
        assert (await last).status_code == 202
        with pytest.raises(httpx2.ConnectError):
            await client.get(url)
    assert counter.announced == [1, 2]


async def test_chunked_bodies_are_taken_and_bounded_as_others_are() -> None:
    sent = delivery(SourceKind.GITHUB, WORKFLOW_RUN)

    async def parts(count: int) -> AsyncIterator[bytes]:
        for _ in range(count):
            yield b"x" * 65536

    async def body() -> AsyncIterator[bytes]:
        for at in range(0, len(sent.body), 100):
            yield sent.body[at : at + 100]

    async with listening(Counter()) as port, httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
        assert (await client.post("/events/github", content=body(), headers=sent.headers)).status_code == 202
        try:
            answer = await client.post("/events/github", content=parts(64), headers=sent.headers)
        except httpx2.TransportError:
            return  # hung up on while it was still sending: refused all the same
        assert answer.status_code == 413


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/1.1\r\n\r\n",
        b"POST /events/github HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ncontent-length: 6\r\n\r\nhello",
        b"POST /events/github HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\ntransfer-encoding: gzip\r\n\r\nhello",
        b"POST /events/github HTTP/9.9\r\nhost: x\r\n\r\n",
        b"POST /events/\xff\xfe HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        b"POST /events/%00%ff%2e%2e HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nhost: x\r\nx: " + b"a" * 200_000 + b"\r\n\r\n",
        b"CONNECT x:1 HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
    ],
)
async def test_what_is_no_request_is_refused_without_a_fault(request_bytes: bytes) -> None:
    async with listening(Counter()) as port:
        answer = await raw(port, request_bytes)
        assert answer.startswith(b"HTTP/1.1 4") or answer == b""
        async with httpx2.AsyncClient() as client:
            assert (await client.get(f"http://127.0.0.1:{port}/healthz")).text == "ok\n"


async def test_a_body_that_dribbles_is_answered_with_408_and_the_connection_closed() -> None:
    async with listening(Counter(body_seconds=0.2)) as port:
        head = (
            b"POST /events/github HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n"
        )
        answer = await raw(port, head, b"{")
    assert answer.startswith(b"HTTP/1.1 408")
    assert b"connection: close" in answer.lower()


@pytest.mark.parametrize("begun", [b"", b"POST /events/github HT"])
async def test_whoever_opens_a_connection_and_sends_no_request_is_hung_up_on(
    begun: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "HEAD_SECONDS", 0.2)
    async with listening(Counter()) as port:
        assert await asyncio.wait_for(raw(port, begun), 20) == b""


async def test_more_connections_than_there_may_be_are_refused_with_503() -> None:
    async with listening(Counter(), connections=3) as port:
        idle = [await asyncio.open_connection("127.0.0.1", port) for _ in range(3)]
        async with httpx2.AsyncClient() as client:
            assert (await client.get(f"http://127.0.0.1:{port}/healthz")).status_code == 503
        for _, writer in idle:
            writer.close()


def test_a_port_that_is_taken_is_said_so_with_the_remedy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ServiceMissing, match="taken by another program"):
            open_socket("127.0.0.1", port)


def test_an_address_that_is_not_ours_is_said_so() -> None:
    with pytest.raises(SettingsInvalid, match="no address of this machine"):
        open_socket("192.0.2.1", 0)


async def test_a_body_with_two_lengths_is_refused_and_what_follows_it_is_not_read() -> None:
    sent = delivery(SourceKind.GITHUB, WORKFLOW_RUN)
    head = "".join(f"{name}: {value}\r\n" for name, value in sent.headers.items() if name.lower() != "content-length")
    request = (
        f"POST /events/github HTTP/1.1\r\nhost: x\r\n{head}content-length: 3\r\ntransfer-encoding: chunked\r\n\r\n"
    )
    chunk = b"%x\r\n" % len(sent.body) + sent.body + b"\r\n0\r\n\r\n"
    counter = Counter()
    async with listening(counter) as port:
        answer = await raw(port, request.encode() + chunk + b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert answer.count(b"HTTP/1.1") == 1
    assert not counter.book.events(1)


async def test_nonsense_fills_no_log(caplog: pytest.LogCaptureFixture) -> None:
    async with listening(Counter()) as port:
        for _ in range(20):
            assert (await raw(port, b"nonsense\r\n\r\n")).startswith(b"HTTP/1.1 400 ")
    assert len([record for record in caplog.records if record.name == "uvicorn.error"]) <= 1
