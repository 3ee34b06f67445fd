"""An open bubblewrap sandbox: commands one after another, each with its bounds."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Awaitable, Callable

from thirdshift.adapters.sandbox.cgroups import Cgroup
from thirdshift.adapters.sandbox.jail import Jail
from thirdshift.adapters.sandbox.uninterrupted import uninterrupted
from thirdshift.adapters.sandbox.watchdog import Watchdog
from thirdshift.core.errors import SandboxUnavailable
from thirdshift.core.ports import Command, CommandEnd, CommandResult

_OBEY_SECONDS = 1.5
_SIGNAL_BASE = 128
_SIGKILLED = _SIGNAL_BASE + 9
_TIMED_OUT = 124
_CANNOT_RUN = 126
_LOOK_EVERY_SECONDS = 0.25
_LOOK_OFTEN_SECONDS = 0.05


class OpenSandbox:
    """A jail with what bounds it: its group and its watchdog."""

    def __init__(self, jail: Jail, cgroup: Cgroup, watchdog: Watchdog) -> None:
        self._jail = jail
        self._cgroup = cgroup
        self._watchdog = watchdog
        self._oom_kills = 0
        self._look_every = (
            _LOOK_EVERY_SECONDS if cgroup.counts_memory and cgroup.counts_processes else _LOOK_OFTEN_SECONDS
        )
        self.alive = True

    async def execute(self, command: Command) -> CommandResult:
        """Run a command to its end, whatever the end is; nothing that it started lives on."""
        started = time.monotonic()
        kept = self._jail.output.begin(command.output_bytes)
        breach: list[CommandEnd] = []
        watch = asyncio.create_task(self._watch(breach))
        sending = self._jail.send("R", command.run.encode(errors="surrogatepass"))
        reply: str | None = None
        timed_out = False
        try:
            async with asyncio.timeout(command.timeout_seconds):
                reply = await self._jail.reply()
        except TimeoutError:
            timed_out = True
            reply = await self._stop()
        except asyncio.CancelledError:
            await uninterrupted(self._stop_quietly())
            raise
        finally:
            watch.cancel()
            sending.cancel()
        self._jail.output.drain()
        if reply is None:
            await uninterrupted(self.kill())
        elif reply.startswith("E "):
            kept.feed(f"The command could not be started: {os.strerror(int(reply[2:]))}.\n".encode())
        end, code = self._end(reply, breach, timed_out=timed_out)
        return CommandResult(
            end=end,
            exit_code=code,
            output=kept.text(),
            output_bytes=kept.total,
            seconds=time.monotonic() - started,
        )

    async def kill(self) -> None:
        """Kill all that lives inside."""
        self.alive = False
        await self._jail.kill()

    async def _stop(self) -> str | None:
        """Have the runner kill the command; None when it did not, and the whole sandbox has to go."""
        self._jail.send("K")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_OBEY_SECONDS):
                return await self._jail.reply()
        return None

    async def _stop_quietly(self) -> None:
        if await self._stop() is None:
            await self.kill()

    async def _watch(self, breach: list[CommandEnd]) -> None:
        while True:
            await asyncio.sleep(self._look_every)
            found = None
            with contextlib.suppress(OSError):  # somebody removed the workspace: the command will find out itself
                found = await asyncio.to_thread(self._watchdog.breach, self._jail.pid)
            if found is not None:
                breach.append(found)
                await self._stop_by_force()
                return

    async def _stop_by_force(self) -> None:
        """Kill the command; if its end is not heard of in time, kill the sandbox, which ends the waiting."""
        await self._jail.send("K")
        await asyncio.sleep(_OBEY_SECONDS)
        await self.kill()

    def _end(self, reply: str | None, breach: list[CommandEnd], *, timed_out: bool) -> tuple[CommandEnd, int]:
        kind, _, number = (reply or "").partition(" ")
        code = _exit_code(int(number)) if kind == "D" else _CANNOT_RUN if kind == "E" else _SIGKILLED
        if timed_out:
            return CommandEnd.TIMED_OUT, _TIMED_OUT
        if breach:
            return breach[0], _SIGKILLED
        if code and self._newly_out_of_memory():
            return CommandEnd.OUT_OF_MEMORY, code
        return (CommandEnd.EXITED if reply is not None else CommandEnd.KILLED), code

    def _newly_out_of_memory(self) -> bool:
        before, self._oom_kills = self._oom_kills, self._cgroup.oom_kills()
        return self._oom_kills > before


def _exit_code(wait_status: int) -> int:
    """Turn a wait status into what a shell would report: 128 + signal when a signal ended it."""
    signal_number = wait_status & 0x7F
    return _SIGNAL_BASE + signal_number if signal_number else wait_status >> 8


class BubblewrapSession:
    """A sandbox that lives as long as an attempt.

    When something inside takes the whole sandbox down (the kernel killing its first process for want of memory), the
    command that did it is reported so, and the next one finds a fresh sandbox on the same workspace.
    """

    def __init__(self, opened: OpenSandbox, reopen: Callable[[], Awaitable[OpenSandbox]]) -> None:
        self._opened = opened
        self._reopen = reopen
        self._turn = asyncio.Lock()
        self._closed = False

    async def run(self, command: Command) -> CommandResult:
        """Run one command; on cancellation its processes are dead before the cancellation goes on."""
        async with self._turn:
            self._refuse_if_closed()
            if not self._opened.alive:
                self._opened = await self._reopen()
                await self._kill_if_closed_meanwhile()
            return await self._opened.execute(command)

    def _refuse_if_closed(self) -> None:
        if self._closed:
            raise SandboxUnavailable("This sandbox has been closed; open another one for further commands.")

    async def _kill_if_closed_meanwhile(self) -> None:
        if self._closed:
            await uninterrupted(self._opened.kill())
            self._refuse_if_closed()

    async def close(self) -> None:
        """Kill what lives inside and release everything. Twice does nothing more."""
        self._closed = True
        await uninterrupted(self._opened.kill())
