"""A sandbox in a container, by docker or podman. Commands are built here and run by the engine's own client."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
import signal
import time
from collections.abc import Sequence

from thirdshift.adapters.sandbox import guest
from thirdshift.adapters.sandbox.bwrap_arguments import check_plan, make_targets
from thirdshift.adapters.sandbox.capture import HeadTail
from thirdshift.adapters.sandbox.piped import PipedProcess
from thirdshift.adapters.sandbox.uninterrupted import uninterrupted
from thirdshift.adapters.sandbox.walls import missing_walls
from thirdshift.core.errors import SandboxUnavailable
from thirdshift.core.ports import Command, CommandEnd, CommandResult, SandboxPlan

DEFAULT_IMAGE = "docker.io/library/python:3.11-slim"
_ENGINES = ("docker", "podman")
_ENGINE_SECONDS = 120.0
_TIMED_OUT = 124
_PATH = ":".join(guest.DEFAULT_PATH)


def find_engine() -> str:
    """Return the path of docker or podman. Raises SandboxUnavailable."""
    for name in _ENGINES:
        found = shutil.which(name, path="/usr/local/bin:/usr/bin:/bin")
        if found:
            return found
    raise SandboxUnavailable("No container engine was found: install docker or podman, or use the bubblewrap sandbox.")


def start_arguments(plan: SandboxPlan, name: str, image: str, user: str) -> list[str]:
    """Return the engine's arguments that start the container, which then waits for commands."""
    limits = plan.limits
    arguments = ["run", "--detach", "--rm", "--init", "--name", name, "--pull", "missing", "--user", user]
    arguments += ["--network", "host" if plan.network == "host" else "none", "--ipc", "private", "--read-only"]
    arguments += ["--cap-drop", "ALL", "--security-opt", "no-new-privileges"]
    arguments += ["--pids-limit", str(limits.processes), "--memory", str(limits.memory_bytes)]
    arguments += ["--memory-swap", str(limits.memory_bytes), "--shm-size", str(limits.tmp_bytes)]
    arguments += ["--ulimit", f"fsize={limits.file_bytes}", "--ulimit", f"nofile={limits.open_files}"]
    arguments += ["--ulimit", "core=0"]
    for path in ("/tmp", guest.HOME):  # noqa: S108 - inside the container
        arguments += ["--tmpfs", f"{path}:rw,exec,nosuid,nodev,mode=1777,size={limits.tmp_bytes}"]
    arguments += ["--mount", f"type=bind,source={plan.workspace},target={guest.WORKSPACE}"]
    for mount in plan.mounts:
        ending = "" if mount.writable else ",readonly"
        arguments += ["--mount", f"type=bind,source={mount.host},target={mount.guest}{ending}"]
    arguments += ["--workdir", guest.WORKSPACE, "--entrypoint", "/bin/sleep", image, "infinity"]
    return arguments


def command_arguments(plan: SandboxPlan, name: str, run: str) -> list[str]:
    """Return the engine's arguments that run one command in the container."""
    arguments = ["exec", "--workdir", guest.WORKSPACE]
    for variable, value in guest.environment(plan.env, plan.path_prefix).items():
        arguments += ["--env", f"{variable}={value}"]
    return [*arguments, name, "/bin/sh", "-c", run]


def clear_arguments(name: str) -> list[str]:
    """Return the engine's arguments that kill all processes of the container but its first."""
    return ["exec", name, "/bin/sh", "-c", "kill -9 -1"]


def remove_arguments(name: str) -> list[str]:
    """Return the engine's arguments that kill and remove the container."""
    return ["rm", "--force", "--volumes", name]


class Container:
    """Opens sandboxes with a container engine. ``image`` must hold /bin/sh, and Python for the self-test."""

    name = "container"

    def __init__(self, *, image: str = DEFAULT_IMAGE, engine: str | None = None) -> None:
        self._image = image
        self._engine = engine or find_engine()

    async def open(self, plan: SandboxPlan) -> ContainerSession:
        """Open a sandbox. Raises SandboxUnavailable with what the engine said."""
        check_plan(plan)
        make_targets(plan)
        session = ContainerSession(self._engine, plan, f"thirdshift-{secrets.token_hex(8)}")
        try:
            await session.start(self._image, f"{os.getuid()}:{os.getgid()}")
        except BaseException:
            await session.close()
            raise
        return session

    async def run_once(self, plan: SandboxPlan, command: Command) -> CommandResult:
        """Run one command in a container of its own."""
        session = await self.open(plan)
        try:
            return await session.run(command)
        finally:
            await session.close()

    async def self_test(self) -> tuple[str, ...]:
        """Attack the container from inside. Raises SandboxUnavailable where the engine does not answer."""
        return await missing_walls(self, ())


class ContainerSession:
    """A running container; commands one after another."""

    def __init__(self, engine: str, plan: SandboxPlan, name: str) -> None:
        self._engine = engine
        self._plan = plan
        self._name = name
        self._turn = asyncio.Lock()
        self._closed = False

    async def start(self, image: str, user: str) -> None:
        """Start the container."""
        code, said, _ = await self._call(start_arguments(self._plan, self._name, image, user), _ENGINE_SECONDS, 4096)
        if code != 0:
            raise SandboxUnavailable(
                f"{self._engine} cannot start a container: {said.text().strip()}. Remedy: start the engine, let this "
                f"user reach it, and make the image {image} available; or use the bubblewrap sandbox."
            )

    async def run(self, command: Command) -> CommandResult:
        """Run one command; on cancellation its processes are dead before the cancellation goes on."""
        async with self._turn:
            if self._closed:
                raise SandboxUnavailable("This sandbox has been closed; open another one for further commands.")
            started = time.monotonic()
            arguments = command_arguments(self._plan, self._name, command.run)
            try:
                code, kept, timed_out = await self._call(arguments, command.timeout_seconds, command.output_bytes)
            finally:
                await uninterrupted(self._clear())
        return CommandResult(
            end=CommandEnd.TIMED_OUT if timed_out else CommandEnd.EXITED,
            exit_code=_TIMED_OUT if timed_out else code,
            output=kept.text(),
            output_bytes=kept.total,
            seconds=time.monotonic() - started,
        )

    async def close(self) -> None:
        """Kill and remove the container. Twice does nothing more."""
        if not self._closed:
            self._closed = True
            await uninterrupted(self._quietly(remove_arguments(self._name)))

    async def _clear(self) -> None:
        await self._quietly(clear_arguments(self._name))

    async def _quietly(self, arguments: Sequence[str]) -> None:
        await self._call(arguments, _ENGINE_SECONDS, 0)

    async def _call(self, arguments: Sequence[str], seconds: float, output_bytes: int) -> tuple[int, HeadTail, bool]:
        """Run the engine's client; its exit code, output, and whether time ran out."""
        process = PipedProcess([self._engine, *arguments], env={"PATH": _PATH}, cwd="/", output_bytes=output_bytes)
        try:
            in_time = await process.ends_within(seconds)
        finally:
            if process.running:
                os.killpg(process.pid, signal.SIGKILL)
            code = process.exit_code
            process.close()
        return code, process.kept, not in_time
