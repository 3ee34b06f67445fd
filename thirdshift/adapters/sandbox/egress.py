"""The way out for a setup command: a proxy on a unix socket that lets through named hosts and nothing else.

It runs in the worker, for as long as the setup does. Inside, ``egress_bridge.py`` listens on the sandbox's own loopback
and carries each connection to the socket, since few programs can use a proxy on a unix socket.

A name is looked up here, once, and the connection goes to an address that was looked at: a second answer of a hostile
name server is never asked for. Every refusal is told to ``on_refusal``.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

from thirdshift.core.egress import LONGEST_HEAD, EgressRefused, HostRule, Passage, read_request, refused_address
from thirdshift.core.ports import Mount

Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
"""Name and port to numeric addresses. Raises OSError."""
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Dial = Callable[[str, int], Awaitable[Streams]]
"""Numeric address and port to a connection. Raises OSError."""

PORT_IN_GUEST = 3128
_DIRECTORY = "/run/egress"
_BRIDGE = Path(__file__).with_name("egress_bridge.py")
_CONNECTIONS = 128
_HEAD_SECONDS = 20.0
_DIAL_SECONDS = 20.0
_IDLE_SECONDS = 600.0
_PIECE_BYTES = 64 << 10
_TOLD_KINDS = 200
_NO_BRIDGE = 125


async def resolve(name: str, port: int) -> Sequence[str]:
    """Ask the host's resolver."""
    found = await asyncio.get_running_loop().getaddrinfo(name, port, type=socket.SOCK_STREAM)
    return [str(address[4][0]) for address in found]


async def dial(address: str, port: int) -> Streams:
    """Connect to a numeric address."""
    return await asyncio.open_connection(address, port, limit=_PIECE_BYTES)


class EgressProxy:
    """Lets ``allowed`` through. Each kind of refusal goes to ``on_refusal`` once; ``refusals`` counts them all."""

    def __init__(
        self,
        allowed: frozenset[HostRule],
        on_refusal: Callable[[str], None],
        *,
        resolve: Resolve = resolve,
        dial: Dial = dial,
    ) -> None:
        self._allowed = allowed
        self._on_refusal = on_refusal
        self._resolve = resolve
        self._dial = dial
        self._tasks: set[asyncio.Task[None]] = set()
        self.refusals: Counter[str] = Counter()

    @contextlib.asynccontextmanager
    async def serving(self, directory: Path) -> AsyncIterator[Path]:
        """Serve on a socket in an existing directory; its path. All connections end with the block."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
            _bind(listener, directory)
            server = await asyncio.start_unix_server(self._serve, sock=listener, limit=LONGEST_HEAD)
            try:
                yield directory / "proxy.sock"
            finally:
                server.close()
                for task in self._tasks:
                    task.cancel()
                await asyncio.gather(*self._tasks, return_exceptions=True)
                self._tell_the_rest()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - a connection is served in a task
        self._tasks.add(task)
        try:
            await self._answer(reader, writer)
        except (OSError, TimeoutError):
            pass  # a side that went away, or never came: the other one sees its connection end
        except asyncio.CancelledError:
            pass  # the setup is over; asyncio's own handler would log the cancellation as a fault
        finally:
            self._tasks.discard(task)
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far: Streams | None = None
        try:
            head = await _head(reader)
            passage = read_request(head, self._allowed)
            far = await self._reach(passage)
        except EgressRefused as refusal:
            self._refuse(str(refusal))
            await _say(writer, "403 Forbidden", f"refused: {refusal}")
            return
        except (OSError, TimeoutError) as error:
            await _say(writer, "502 Bad Gateway", f"the host was not reached: {type(error).__name__}")
            return
        try:
            await self._carry(passage, (reader, writer), far)
        finally:
            far[1].close()

    async def _reach(self, passage: Passage) -> Streams:
        rule = passage.rule
        if len(self._tasks) > _CONNECTIONS:
            raise EgressRefused("too many connections at once")
        async with asyncio.timeout(_DIAL_SECONDS):
            addresses = list(dict.fromkeys(await self._resolve(rule.name, rule.port)))
            if not addresses:
                raise EgressRefused(f"{rule}: it has no address")
            for address in addresses:
                if why := refused_address(address):
                    raise EgressRefused(f"{rule}: it leads to {address}, {why}")
            for address in addresses[:-1]:
                with contextlib.suppress(OSError):
                    return await self._dial(address, rule.port)
            return await self._dial(addresses[-1], rule.port)

    async def _carry(self, passage: Passage, near: Streams, far: Streams) -> None:
        if not passage.tunnel:
            # One request, one answer: whatever else the client sends is read by nobody.
            far[1].write(passage.head)
            await far[1].drain()
            await _pump(far[0], near[1])
            return
        near[1].write(b"HTTP/1.1 200 Connection established\r\n\r\n")
        async with asyncio.TaskGroup() as both:
            both.create_task(_pump(near[0], far[1]))
            both.create_task(_pump(far[0], near[1]))

    def _refuse(self, what: str) -> None:
        """Count a refusal and tell it; a flood of the same, or of ever new ones, is told as a number at the end."""
        known = self.refusals[what] > 0
        if known or len(self.refusals) <= _TOLD_KINDS:
            self.refusals[what] += 1
        else:
            self.refusals["others"] += 1
            return
        if not known:
            self._on_refusal(what)

    def _tell_the_rest(self) -> None:
        for what, count in self.refusals.items():
            if count > 1 or what == "others":
                self._on_refusal(f"{what} ({count} times in all)")


def _bind(listener: socket.socket, directory: Path) -> None:
    # By descriptor: the name of a unix socket may be no longer than 107 bytes, and state lives deeper than that.
    descriptor = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        listener.bind(f"/proc/self/fd/{descriptor}/proxy.sock")
    finally:
        os.close(descriptor)
    (directory / "proxy.sock").chmod(0o600)
    listener.setblocking(False)


async def _head(reader: asyncio.StreamReader) -> bytes:
    try:
        async with asyncio.timeout(_HEAD_SECONDS):
            return await reader.readuntil(b"\r\n\r\n")
    except asyncio.LimitOverrunError:
        raise EgressRefused("a request head that is too long") from None
    except asyncio.IncompleteReadError as error:
        if not error.partial:
            raise ConnectionResetError from None
        raise EgressRefused("a request that does not end") from None


async def _pump(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
    """Carry bytes until the source ends; the target then hears the end and may still answer."""
    with contextlib.suppress(OSError, TimeoutError):
        while True:
            async with asyncio.timeout(_IDLE_SECONDS):
                piece = await source.read(_PIECE_BYTES)
            if not piece:
                break
            target.write(piece)
            await target.drain()
    with contextlib.suppress(OSError):
        if target.can_write_eof():
            target.write_eof()


async def _say(writer: asyncio.StreamWriter, status: str, text: str) -> None:
    body = f"{text}\n".encode()
    head = f"HTTP/1.1 {status}\r\ncontent-type: text/plain; charset=utf-8\r\ncontent-length: {len(body)}\r\n"
    writer.write(f"{head}connection: close\r\n\r\n".encode() + body)
    await writer.drain()


def mounts(proxy_socket: Path) -> tuple[Mount, ...]:
    """What a sandbox needs to reach the proxy."""
    return (
        Mount(host=str(_BRIDGE), guest=f"{_DIRECTORY}/bridge.py"),
        Mount(host=str(proxy_socket), guest=f"{_DIRECTORY}/proxy.sock"),
    )


def environment() -> dict[str, str]:
    """The variables by which programs find the proxy, in both spellings."""
    address = f"http://127.0.0.1:{PORT_IN_GUEST}"
    names = ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY")
    found = {spelling: address for name in names for spelling in (name, name.lower())}
    return found | dict.fromkeys(("NO_PROXY", "no_proxy"), "localhost,127.0.0.1,::1")


def bridged(command: str) -> str:
    """The command with the bridge started before it."""
    start = f"python3 -I -S {_DIRECTORY}/bridge.py {PORT_IN_GUEST} {_DIRECTORY}/proxy.sock"
    return f"{start} || exit {_NO_BRIDGE}\n{command}"
