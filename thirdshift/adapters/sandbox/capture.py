"""Bounded capture of output: head and tail are kept, the middle is counted."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os

_READ_BYTES = 256 << 10
_PIPE_BYTES = 1 << 20
_FREE_FLOW_BYTES = 8 << 20
_PAUSE_SECONDS = 0.004

F_SETPIPE_SZ = 1031
"""Linux ``F_SETPIPE_SZ``; the fcntl module knows it from Python 3.10 on, but not on every platform's stubs."""


class HeadTail:
    """Keeps at most ``limit`` bytes of what it is fed: half from the head, half from the tail."""

    def __init__(self, limit: int) -> None:
        self._head_limit = limit - limit // 2
        self._tail_limit = limit // 2
        self._head = bytearray()
        self._tail = bytearray()
        self.total = 0

    def feed(self, data: bytes) -> None:
        """Take the next bytes."""
        self.total += len(data)
        room = self._head_limit - len(self._head)
        if room > 0:
            self._head += data[:room]
            data = data[room:]
        if data:
            self._tail += data[-self._tail_limit :] if self._tail_limit else b""
            if len(self._tail) > 2 * self._tail_limit:
                del self._tail[: -self._tail_limit or None]

    def text(self) -> str:
        """Return what was kept, with the cut said; bytes that are no UTF-8 are written as escapes."""
        tail = bytes(self._tail[-self._tail_limit :]) if self._tail_limit else b""
        missing = self.total - len(self._head) - len(tail)
        if missing == 0:
            return (bytes(self._head) + tail).decode(errors="backslashreplace")
        head = _without_cut_end(bytes(self._head)).decode(errors="backslashreplace")
        shown_tail = _without_cut_start(tail).decode(errors="backslashreplace")
        return f"{head}\n[... {missing} bytes not shown ...]\n{shown_tail}"


def _without_cut_end(data: bytes) -> bytes:
    """Drop an incomplete UTF-8 sequence that the cut left at the end."""
    for back in range(1, min(4, len(data)) + 1):
        lead = data[-back]
        if lead & 0xC0 == 0x80:
            continue
        length = 1 if lead < 0xC0 else 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4
        return data[:-back] if length > back else data
    return data


def _without_cut_start(data: bytes) -> bytes:
    """Drop the continuation bytes that the cut left at the start."""
    skip = 0
    while skip < min(3, len(data)) and data[skip] & 0xC0 == 0x80:
        skip += 1
    return data[skip:]


class OutputPipe:
    """The reading end of a pipe that sandboxed commands write to; read by the event loop as it fills.

    A flood costs bounded memory, and after the first megabytes of a command the reader pauses between reads, so that
    one flood does not keep the event loop from everybody else's work.
    """

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._reader, self.writer = os.pipe()
        os.set_blocking(self._reader, False)
        with contextlib.suppress(OSError):  # an ordinary user may have used up the allowance for large pipes
            fcntl.fcntl(self._reader, F_SETPIPE_SZ, _PIPE_BYTES)
        self._kept = HeadTail(0)
        self._resume: asyncio.TimerHandle | None = None
        self._open = True
        self._loop.add_reader(self._reader, self._readable)

    def begin(self, limit: int) -> HeadTail:
        """Start keeping for a new command; what came before is dropped."""
        self.drain()
        self._kept = HeadTail(limit)
        return self._kept

    def drain(self) -> None:
        """Read what is in the pipe now. Ends, because it is called when no writer is left."""
        for _ in range(2 * _PIPE_BYTES // 4096):
            if not self._read():
                return

    def close_writer(self) -> None:
        """Give up the host's copy of the writing end, once the sandbox has its own."""
        if self.writer >= 0:
            os.close(self.writer)
            self.writer = -1

    def close(self) -> None:
        """Close both ends."""
        self.close_writer()
        self._stop_reading()
        if self._open:
            self._open = False
            os.close(self._reader)

    def _read(self) -> bool:
        if not self._open:
            return False
        try:
            data = os.read(self._reader, _READ_BYTES)
        except BlockingIOError:
            return False
        if not data:
            self._stop_reading()
        self._kept.feed(data)
        return bool(data)

    def _readable(self) -> None:
        if self._read() and self._kept.total > _FREE_FLOW_BYTES:
            self._loop.remove_reader(self._reader)
            self._resume = self._loop.call_later(_PAUSE_SECONDS, self._read_on)

    def _read_on(self) -> None:
        self._resume = None
        if self._open:
            self._loop.add_reader(self._reader, self._readable)

    def _stop_reading(self) -> None:
        if self._resume is not None:
            self._resume.cancel()
            self._resume = None
        if self._open:
            self._loop.remove_reader(self._reader)
