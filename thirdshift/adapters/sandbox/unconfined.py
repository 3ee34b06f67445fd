"""No sandbox at all: commands run as the worker's own user, on its own files. Only where a person wrote ``none``."""

from __future__ import annotations

import asyncio
import contextlib
import os
import posixpath
import secrets
import signal
import sys
import time
from pathlib import Path

from thirdshift.adapters.sandbox import guest
from thirdshift.adapters.sandbox.bwrap_arguments import check_plan, is_beneath
from thirdshift.adapters.sandbox.jail import hold_bytes
from thirdshift.adapters.sandbox.piped import PipedProcess
from thirdshift.adapters.sandbox.uninterrupted import uninterrupted
from thirdshift.core.errors import SandboxUnavailable
from thirdshift.core.ports import Command, CommandEnd, CommandResult, SandboxPlan

_MARK = "THIRDSHIFT_COMMAND"
_LOOK_EVERY_SECONDS = 0.005
_KILL_SECONDS = 3.0
_TIMED_OUT = 124


class Unconfined:
    """Runs commands with no walls. Limits on memory, processes and disk are not enforced; time and output are.

    Mounts are not made: the workspace and the mounts are used where they are, and their guest names in the plan's
    environment and path are translated. A command that names ``/workspace`` itself does not find it.
    """

    name = "none"

    async def open(self, plan: SandboxPlan) -> UnconfinedSession:
        """Open a session. Raises SandboxUnavailable for a plan whose directories are missing."""
        check_plan(plan)
        return UnconfinedSession(plan)

    async def run_once(self, plan: SandboxPlan, command: Command) -> CommandResult:
        """Run one command."""
        session = await self.open(plan)
        try:
            return await session.run(command)
        finally:
            await session.close()

    async def self_test(self) -> tuple[str, ...]:
        """Name the one wall that stands for all. Nothing is attacked: there is nothing to hold the attack."""
        return ("every wall: sandbox backend `none` confines nothing",)


class UnconfinedSession:
    """Commands one after another, each in a process group of its own, found again by a mark in its environment."""

    def __init__(self, plan: SandboxPlan) -> None:
        self._workspace = plan.workspace
        places = {guest.WORKSPACE: plan.workspace} | {mount.guest: mount.host for mount in plan.mounts}
        self._places = sorted(places.items(), key=lambda place: -len(place[0]))
        translated = {name: self._translate(value) for name, value in plan.env.items()}
        prefix = (*(self._translate(path) for path in plan.path_prefix), str(Path(sys.base_prefix, "bin")))
        home = {"HOME": plan.workspace, "PWD": plan.workspace}
        self._environment = guest.environment(home | translated, prefix)
        self._mark = secrets.token_hex(16)
        self._running: PipedProcess | None = None
        self._turn = asyncio.Lock()
        self._closed = False

    async def run(self, command: Command) -> CommandResult:
        """Run one command; on cancellation its processes are dead before the cancellation goes on."""
        async with self._turn:
            if self._closed:
                raise SandboxUnavailable("This sandbox has been closed; open another one for further commands.")
            return await self._execute(command)

    async def close(self) -> None:
        """Kill what runs, and take no further commands. Twice does nothing more."""
        self._closed = True
        if self._running is not None:
            await uninterrupted(_clear(self._running, self._mark))

    def _translate(self, text: str) -> str:
        for guest_path, host in self._places:
            if is_beneath(text, guest_path):
                return posixpath.normpath(host + text[len(guest_path) :])
        return text

    async def _execute(self, command: Command) -> CommandResult:
        started = time.monotonic()
        script = hold_bytes(command.run.encode(errors="surrogatepass"))
        try:
            process = PipedProcess(
                # By descriptor: one argument may not be longer than 128 KiB.
                ["/bin/sh", f"/dev/fd/{script}"],
                env=self._environment | {_MARK: self._mark},
                cwd=self._workspace,
                output_bytes=command.output_bytes,
                inherited=(script,),
            )
        finally:
            os.close(script)
        self._running = process
        try:
            in_time = await process.ends_within(command.timeout_seconds)
        finally:
            await uninterrupted(_clear(process, self._mark))
            self._running = None
            process.close()
        ended = CommandEnd.KILLED if self._closed else CommandEnd.EXITED
        return CommandResult(
            end=ended if in_time else CommandEnd.TIMED_OUT,
            exit_code=process.exit_code if in_time else _TIMED_OUT,
            output=process.kept.text(),
            output_bytes=process.kept.total,
            seconds=time.monotonic() - started,
        )


async def _clear(process: PipedProcess, mark: str) -> None:
    """Kill the command's group, and then whatever else still carries its mark."""
    deadline = time.monotonic() + _KILL_SECONDS
    while time.monotonic() < deadline:
        if process.running:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        marked = await asyncio.to_thread(_marked, mark)
        for pid in marked:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if not process.running and not marked:
            return
        await asyncio.sleep(_LOOK_EVERY_SECONDS)


def _marked(mark: str) -> tuple[int, ...]:
    found = []
    for directory in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if f"{_MARK}={mark}".encode() in (directory / "environ").read_bytes():
                found.append(int(directory.name))
    return tuple(found)
