"""One bubblewrap process with its runner: started, talked to, killed."""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import signal
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from thirdshift.adapters.sandbox.capture import OutputPipe
from thirdshift.adapters.sandbox.cgroups import Cgroup

KILL_SECONDS = 3.0
_START_SECONDS = 2.0
_LOOK_AGAIN_SECONDS = 0.002
_LINE_BYTES = 4096


@dataclass(frozen=True)
class Launch:
    """How to start a jail: bubblewrap's path, its arguments, and the descriptors that these name.

    ``runner`` makes the command inside from the numbers of the control and output descriptors.
    """

    bwrap: str
    arguments: Sequence[str]
    runner: Callable[[int, int], Sequence[str]]
    held: Sequence[int]


class Jail:
    """A running sandbox. Belongs to the event loop that it was made on."""

    def __init__(self, launch: Launch, cgroup: Cgroup) -> None:
        self._loop = asyncio.get_running_loop()
        self._cgroup = cgroup
        self.output = OutputPipe()
        self._control, guest_control = socket.socketpair()
        self._control.setblocking(False)
        self._status, guest_status = os.pipe()
        os.set_blocking(self._status, False)
        self._said = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the jail
        self._lines: asyncio.Queue[str | None] = asyncio.Queue()
        self._received = b""
        self._first = -1
        self.pid = 0
        self._closed = False
        try:
            self._process = self._start(launch, guest_control.fileno(), guest_status)
        except BaseException:
            self._release()
            raise
        finally:
            guest_control.close()
            os.close(guest_status)
            self.output.close_writer()
        self._loop.add_reader(self._control, self._readable)
        self._child_known = self._loop.create_future()
        self._loop.add_reader(self._status, self._status_readable)

    def _start(self, launch: Launch, control: int, status: int) -> subprocess.Popen[bytes]:
        inside = launch.runner(control, self.output.writer)
        told = [*launch.arguments, "--json-status-fd", str(status)]
        with _held("\0".join(told).encode()) as arguments:
            # Its own environment would show in the sandbox's /proc; arguments by descriptor stay out of ps.
            return subprocess.Popen(
                [launch.bwrap, "--args", str(arguments), "--", *inside],
                env={},
                stdin=subprocess.DEVNULL,
                stdout=self._said,
                stderr=self._said,
                # The status pipe's reading end too: with the worker dead before bubblewrap's first status line,
                # a broken pipe would kill it between making its child and letting it go.
                pass_fds=(arguments, control, self._status, status, self.output.writer, *launch.held),
                process_group=0,
                cwd="/",
            )

    async def ready(self, seconds: float) -> bool:
        """Move the first process into its group and wait for the runner; False when it ended or took too long."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._child_known
                if self.pid and self._cgroup.directories:
                    await asyncio.to_thread(self._join_group)
                return await self.reply() == "READY"
        return False

    def _join_group(self) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._cgroup.add(self.pid)

    def complaint(self) -> str:
        """Return what bubblewrap and the runner themselves said."""
        self._said.seek(0)
        return self._said.read(_LINE_BYTES).decode(errors="replace").strip()

    def send(self, order: str, payload: bytes = b"") -> asyncio.Task[None]:
        """Send an order; the task ends when the runner has taken it all."""
        head = f"{order} {len(payload)}\n" if order != "K" else "K\n"
        return self._loop.create_task(self._send(head.encode() + payload))

    async def _send(self, data: bytes) -> None:
        with contextlib.suppress(OSError):  # gone: the missing reply says so
            await self._loop.sock_sendall(self._control, data)

    async def reply(self) -> str | None:
        """Return the runner's next line; None when there will be none any more."""
        line = await self._lines.get()
        if line is None:
            self._lines.put_nowait(None)
        return line

    async def kill(self) -> None:
        """Kill all that lives inside, and release everything. Not to be interrupted."""
        if self._closed:
            return
        self._closed = True
        if self._process.poll() is None and not self._child_known.done():
            # Killed between making its child and letting it go, bubblewrap would leave the child waiting for ever.
            await asyncio.wait([self._child_known], timeout=_START_SECONDS)
        self._strike()
        deadline = self._loop.time() + KILL_SECONDS
        while not self._all_gone() and self._loop.time() < deadline:
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)
            self._strike()
        self._release()
        if self._cgroup.directories:
            await asyncio.to_thread(self._cgroup.remove)

    def _strike(self) -> None:
        """Kill the namespace's first process, which takes all others with it; then bubblewrap and its group."""
        if self._first >= 0:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._first, signal.SIGKILL)
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        for pid in self._cgroup.pids():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def _all_gone(self) -> bool:
        if self._process.poll() is None:
            return False
        # A pidfd reads as ready once its process has ended, and process 1 ends after all others of its namespace.
        return not (self._first >= 0 and _still_runs(self._first)) and not self._cgroup.pids()

    def _readable(self) -> None:
        try:
            data = self._control.recv(_LINE_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self._received += data
        *lines, self._received = self._received.split(b"\n")
        for line in lines:
            self._lines.put_nowait(line.decode(errors="replace"))
        if not data or len(self._received) > _LINE_BYTES:
            self._loop.remove_reader(self._control)
            self._lines.put_nowait(None)
            if not self._child_known.done():
                self._child_known.set_result(None)

    def _status_readable(self) -> None:
        """Take the child's pid from ``{ "child-pid": N, ...}``, bubblewrap's first status line."""
        self._loop.remove_reader(self._status)
        digits = os.read(self._status, _LINE_BYTES).partition(b'"child-pid":')[2].split(b",")[0].strip(b" }\n")
        if digits.isdigit():
            with contextlib.suppress(ProcessLookupError):
                self._first = os.pidfd_open(int(digits))
                self.pid = int(digits)
        if not self._child_known.done():
            self._child_known.set_result(None)

    def _release(self) -> None:
        for descriptor in (self._control, self._status):
            self._loop.remove_reader(descriptor)
        self._lines.put_nowait(None)  # whoever still waits for a reply: there will be none
        self.output.close()
        self._control.close()
        self._said.close()
        os.close(self._status)
        if self._first >= 0:
            os.close(self._first)
            self._first = -1


def _still_runs(pidfd: int) -> bool:
    watched = select.poll()
    watched.register(pidfd, select.POLLIN)
    return not watched.poll(0)


@contextlib.contextmanager
def _held(content: bytes) -> Iterator[int]:
    descriptor = hold_bytes(content)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def hold_bytes(content: bytes) -> int:
    """Return a descriptor from which another program can read ``content``; the caller closes it."""
    descriptor = os.memfd_create("held", os.MFD_CLOEXEC)
    left = memoryview(content)
    while left:
        left = left[os.write(descriptor, left) :]
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor
