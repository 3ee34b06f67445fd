"""Nothing of a sandbox outlives what should end it."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.adapters.sandbox.conftest import Marker
from thirdshift.adapters.sandbox.bubblewrap import Bubblewrap
from thirdshift.core.errors import SandboxUnavailable
from thirdshift.core.ports import Command, CommandEnd, Sandbox, SandboxPlan


async def gone(marker: Marker) -> None:
    """Wait until no process of this name is left; the test's own time limit is the judge."""
    while marker.alive():
        await asyncio.sleep(0.01)


def open_descriptors() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def worker(workspace: Path, marker: Marker, *, cgroups: bool) -> subprocess.Popen[bytes]:
    program = f"""
        import asyncio
        from thirdshift.adapters.sandbox.bubblewrap import Bubblewrap
        from thirdshift.core.ports import Command, SandboxPlan
        async def main():
            session = await Bubblewrap(use_cgroups={cgroups}).open(SandboxPlan(workspace={str(workspace)!r}))
            script = {f"setsid {marker.sleeper()} & trap '' TERM; {marker.sleeper()}"!r}
            await session.run(Command(run=script, timeout_seconds=300))
        asyncio.run(main())
    """
    return subprocess.Popen([sys.executable, "-c", textwrap.dedent(program)])


@pytest.mark.timeout(90)
@pytest.mark.parametrize("cgroups", [True, False])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
async def test_nothing_outlives_a_worker_that_is_killed(
    workspace: Path, marker: Marker, number: int, cgroups: bool
) -> None:
    process = worker(workspace, marker, cgroups=cgroups)
    await marker.appears()
    os.kill(process.pid, number)
    process.wait()
    await asyncio.wait_for(gone(marker), 3.0)


@pytest.mark.timeout(90)
async def test_nothing_outlives_a_worker_that_is_killed_while_it_opens_a_sandbox(workspace: Path) -> None:
    processes = 100_000 + secrets.randbelow(10**9)  # an argument of the runner, by which it is found
    program = f"""
        import asyncio, os, signal, time
        from thirdshift.adapters.sandbox.bubblewrap import Bubblewrap
        from thirdshift.core.ports import Limits, SandboxPlan
        plan = SandboxPlan(workspace={str(workspace)!r}, limits=Limits(processes={processes}))
        async def main(sandbox):
            await sandbox.open(plan)
            await asyncio.sleep(300)
        for turn in range(60):
            sandbox = Bubblewrap(use_cgroups=turn % 2 == 0)
            child = os.fork()
            if child == 0:
                asyncio.run(main(sandbox))
            time.sleep(turn * 0.0007)
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)
    """

    def left() -> list[str]:
        found = []
        for directory in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                words = (directory / "cmdline").read_bytes().split(b"\0")
                if str(processes).encode() in words:
                    found.append(directory.name)
        return found

    done = await asyncio.to_thread(subprocess.run, [sys.executable, "-c", textwrap.dedent(program)], check=True)
    assert done.returncode == 0
    async with asyncio.timeout(3.0):
        while left():
            await asyncio.sleep(0.01)


async def test_a_sandbox_whose_bubblewrap_is_killed_is_gone_and_the_session_goes_on(
    bubblewrap: Sandbox, plan: SandboxPlan, marker: Marker
) -> None:
    session = await bubblewrap.open(plan)
    try:
        running = asyncio.create_task(session.run(Command(run=marker.sleeper(), timeout_seconds=60)))
        await marker.appears()
        (inside,) = marker.alive()
        parents = [inside]
        while parents[-1] != os.getpid():
            status = Path(f"/proc/{parents[-1]}/status").read_text()
            parents.append(int(status.partition("PPid:")[2].split()[0]))
        os.kill(parents[-2], signal.SIGKILL)
        result = await running
        assert result.end is CommandEnd.KILLED
        assert marker.alive() == []
        assert (await session.run(Command(run="echo next", timeout_seconds=30))).output == "next\n"
    finally:
        await session.close()


async def test_opening_can_be_cancelled_at_any_moment(bubblewrap: Sandbox, plan: SandboxPlan) -> None:
    def children() -> set[int]:
        return set(map(int, Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()))

    before = children()
    descriptors = open_descriptors()
    for turn in range(30):
        opening = asyncio.create_task(bubblewrap.open(plan))
        for _ in range(turn // 2):
            await asyncio.sleep(0.001 * (turn % 3))
        opening.cancel()
        try:
            await (await opening).close()
        except asyncio.CancelledError:
            continue
    assert children() - before == set()
    assert open_descriptors() <= descriptors + 2


async def test_sessions_leave_no_descriptor_open(bubblewrap: Sandbox, plan: SandboxPlan) -> None:
    await bubblewrap.run_once(plan, Command(run="true", timeout_seconds=30))
    descriptors = open_descriptors()
    for _ in range(5):
        await bubblewrap.run_once(plan, Command(run="true", timeout_seconds=30))
    assert open_descriptors() == descriptors


@pytest.mark.parametrize(
    ("complaint", "remedy"),
    [
        ("bwrap: setting up uid map: Permission denied", "AppArmor"),
        ("bwrap: No permissions to create a new namespace", "unprivileged_userns_clone"),
        ("bwrap: Creating new namespace failed: No space left on device", "max_user_namespaces"),
        ("bwrap: Can't mount proc on /newroot/proc: Operation not permitted", "systempaths=unconfined"),
        ("bwrap: Unknown option --disable-userns", "0.8"),
    ],
)
async def test_a_bubblewrap_that_cannot_start_is_reported_with_its_remedy(
    plan: SandboxPlan, tmp_path: Path, complaint: str, remedy: str
) -> None:
    broken = tmp_path / "bwrap"
    broken.write_text(f'#!/bin/sh\necho "{complaint}" >&2\nexit 1\n')
    broken.chmod(0o755)
    with pytest.raises(SandboxUnavailable, match=remedy) as refusal:
        await Bubblewrap(bwrap=str(broken)).open(plan)
    assert complaint in str(refusal.value)


async def test_a_bubblewrap_that_is_not_there_is_reported(plan: SandboxPlan, tmp_path: Path) -> None:
    with pytest.raises(SandboxUnavailable, match="could not be started"):
        await Bubblewrap(bwrap=str(tmp_path / "missing")).open(plan)
