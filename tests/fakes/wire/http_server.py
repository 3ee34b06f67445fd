"""A small HTTP/1.1 server on loopback that answers exactly the bytes it is told to, and records what it was sent."""

from __future__ import annotations

import asyncio
import inspect
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from types import TracebackType
from typing import Any, Literal

_LARGEST_HEAD = 64 << 10


@dataclass(frozen=True)
class Recorded:
    """A request as it came in; header names in lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The decoded body."""
        return json.loads(self.body)


@dataclass(frozen=True)
class Reply:
    """What to answer. ``chunks`` are written one by one; a number among them is a pause in seconds."""

    chunks: Sequence[bytes | float] = ()
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    framing: Literal["chunked", "close", "length"] = "chunked"
    ending: Literal["clean", "cut", "hang", "reset"] = "clean"
    """``cut`` closes the connection after the chunks without ending the body; ``hang`` keeps it open and silent until
    the client goes; ``reset`` tears it down."""
    send_head: bool = True
    """False sends nothing at all, so that the ending comes before any byte."""


Handler = Callable[[Recorded], Reply | Awaitable[Reply]]


class WireServer:
    """Serves on 127.0.0.1, at any free port by default; use it as an async context manager."""

    def __init__(self, handler: Handler, *, keep_requests: bool = True, port: int = 0) -> None:
        self._handler = handler
        self._keep = keep_requests
        self._port = port
        self._connections: set[asyncio.Task[None]] = set()
        self._errors: list[BaseException] = []
        self.requests: list[Recorded] = []
        self.count_by_path: dict[str, int] = {}
        self.gone = asyncio.Event()
        """Set when a client went away while an answer hung."""

    async def __aenter__(self) -> WireServer:
        self._server = await asyncio.start_server(self._accepted, "127.0.0.1", self._port, limit=_LARGEST_HEAD)
        self._port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        if self._errors and error is None:
            raise self._errors[0]

    @property
    def port(self) -> int:
        """The port that it listens on."""
        return self._port

    @property
    def url(self) -> str:
        """Its address, with no path."""
        return f"http://127.0.0.1:{self._port}"

    def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._talk(reader, writer))
        self._connections.add(task)
        task.add_done_callback(self._left)

    def _left(self, task: asyncio.Task[None]) -> None:
        self._connections.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._errors.append(error)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                request = await _read_request(reader)
                if request is None or not await self._serve(request, reader, writer):
                    break
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            pass
        finally:
            writer.close()

    async def _serve(self, request: Recorded, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        if self._keep:
            self.requests.append(request)
        self.count_by_path[request.path] = self.count_by_path.get(request.path, 0) + 1
        given = self._handler(request)
        reply = await given if inspect.isawaitable(given) else given
        if reply.send_head:
            writer.write(_head(reply))
        await _write_body(reply, writer)
        if reply.ending == "hang":
            await writer.drain()
            await reader.read()
            self.gone.set()
            return False
        if reply.ending == "reset":
            await writer.drain()
            writer.transport.abort()
            return False
        if reply.ending == "clean" and reply.framing == "chunked":
            writer.write(b"0\r\n\r\n")
        await writer.drain()
        return reply.ending == "clean" and reply.framing != "close"


async def _read_request(reader: asyncio.StreamReader) -> Recorded | None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    method, path, _ = first.split(" ", 2)
    pairs = (line.partition(":") for line in lines if line)
    headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Recorded(method=method, path=path.partition("?")[0], headers=headers, body=body)


def _head(reply: Reply) -> bytes:
    headers = {"date": "Wed, 01 Jan 2025 00:00:00 GMT", "content-type": "text/event-stream", **reply.headers}
    if reply.framing == "chunked":
        headers["transfer-encoding"] = "chunked"
    elif reply.framing == "length":
        size = sum(len(chunk) for chunk in reply.chunks if isinstance(chunk, bytes))
        headers.setdefault("content-length", str(size))
    else:
        headers["connection"] = "close"
    try:
        phrase = HTTPStatus(reply.status).phrase
    except ValueError:
        phrase = "Unknown"
    lines = [f"HTTP/1.1 {reply.status} {phrase}", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


async def _write_body(reply: Reply, writer: asyncio.StreamWriter) -> None:
    for chunk in reply.chunks:
        if not isinstance(chunk, bytes):
            await writer.drain()
            await asyncio.sleep(chunk)
        elif chunk and reply.framing == "chunked":
            writer.write(b"%x\r\n%b\r\n" % (len(chunk), chunk))
        else:
            writer.write(chunk)


def json_reply(status: int, body: Any, headers: dict[str, str] | None = None) -> Reply:
    """A JSON body of known length."""
    return Reply(
        chunks=[json.dumps(body).encode()],
        status=status,
        headers={"content-type": "application/json", **(headers or {})},
        framing="length",
    )


def html_reply(status: int, body: str) -> Reply:
    """A page, as a proxy or a captive portal answers."""
    return Reply(chunks=[body.encode()], status=status, headers={"content-type": "text/html"}, framing="length")


def in_turn(*replies: Reply) -> Handler:
    """A handler that gives one reply after another, and the last one from then on."""
    left = list(replies)

    def handle(_: Recorded) -> Reply:
        return left.pop(0) if len(left) > 1 else left[0]

    return handle
