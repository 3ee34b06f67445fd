"""Memory, processes, disk, files: what a command may use, with control groups and without."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path

import pytest

from tests.adapters.sandbox.conftest import Marker
from thirdshift.adapters.sandbox import cgroups
from thirdshift.adapters.sandbox.bubblewrap import Bubblewrap
from thirdshift.adapters.sandbox.watchdog import DiskGrowth
from thirdshift.core.ports import Command, CommandEnd, CommandResult, Limits, Sandbox, SandboxPlan

MEBIBYTE = 1 << 20
TIGHT = Limits(
    memory_bytes=192 * MEBIBYTE,
    processes=40,
    file_bytes=32 * MEBIBYTE,
    open_files=64,
    tmp_bytes=16 * MEBIBYTE,
    disk_bytes=24 * MEBIBYTE,
)


async def run(sandbox: Sandbox, workspace: Path, script: str, seconds: float = 30.0) -> CommandResult:
    plan = SandboxPlan(workspace=str(workspace), limits=TIGHT)
    return await sandbox.run_once(plan, Command(run=script, timeout_seconds=seconds))


async def test_one_process_cannot_have_more_memory_than_the_limit(bubblewrap: Sandbox, workspace: Path) -> None:
    result = await run(bubblewrap, workspace, "python3 -c 'x = bytearray(400 << 20); print(len(x))'")
    assert not result.passed
    assert str(400 << 20) not in result.output


async def test_many_processes_together_cannot_have_more_memory_than_the_limit(
    bubblewrap: Sandbox, workspace: Path, marker: Marker
) -> None:
    hog = f"exec -a {marker.name} python3 -c 'x = b\"x\" * (60 << 20); import time; time.sleep(20)'"
    script = f'for i in 1 2 3 4 5 6; do bash -c {_quoted(hog)} & done; wait -n; echo "one ended: $?"; exit 3'
    result = await run(bubblewrap, workspace, script)
    assert result.end is CommandEnd.OUT_OF_MEMORY
    assert marker.alive() == []


async def test_a_sandbox_is_usable_after_it_ran_out_of_memory(bubblewrap: Sandbox, workspace: Path) -> None:
    (workspace / "bomb.py").write_text(
        "import os, sys, time\n"
        "for _ in range(7):\n"
        "    if os.fork() == 0:\n"
        "        held = b'x' * (40 << 20); time.sleep(20); os._exit(0)\n"
        "sys.exit(os.wait()[1] != 0)\n"
    )
    bomb = "python3 bomb.py"
    session = await bubblewrap.open(SandboxPlan(workspace=str(workspace), limits=TIGHT))
    try:
        for _ in range(2):
            assert not (await session.run(Command(run=bomb, timeout_seconds=30))).passed
            assert (await session.run(Command(run="echo next", timeout_seconds=30))).output == "next\n"
    finally:
        await session.close()


async def test_a_fork_bomb_stays_within_the_number_of_processes(
    bubblewrap: Sandbox, workspace: Path, marker: Marker
) -> None:
    bomb = f"bash -c 'exec -a {marker.name} bash -c \"b() {{ b | b & }}; b; sleep 30\"'"
    result = await run(bubblewrap, workspace, f"{bomb}; exit 5", 3.0)
    assert not result.passed
    assert marker.alive() == []


async def test_threads_count_as_processes(bubblewrap: Sandbox, workspace: Path) -> None:
    script = (
        "import threading, time\n"
        "def go(): time.sleep(10)\n"
        "for n in range(200): threading.Thread(target=go, daemon=True).start()\n"
        "print('two hundred')"
    )
    (workspace / "threads.py").write_text(script)
    result = await run(bubblewrap, workspace, "python3 threads.py")
    assert "two hundred" not in result.output


async def test_a_flood_of_files_in_the_workspace_is_stopped(bubblewrap: Sandbox, workspace: Path) -> None:
    flood = "i=0; while true; do i=$((i+1)); head -c 4000000 /dev/zero > flood.$i || exit 9; sleep 0.02; done"
    result = await run(bubblewrap, workspace, flood, 60.0)
    assert result.end is CommandEnd.OUT_OF_DISK
    written = sum(path.stat().st_size for path in workspace.iterdir())
    assert written < 2000 * MEBIBYTE


async def test_deleted_files_that_are_still_open_count_as_disk(bubblewrap: Sandbox, workspace: Path) -> None:
    (workspace / "flood.py").write_text(
        "import os, time\n"
        "held = []\n"
        "for n in range(40):\n"
        "    held.append(open('f', 'wb')); os.unlink('f'); held[-1].write(b'x' * 4_000_000); held[-1].flush()\n"
        "    time.sleep(0.05)\n"
        "time.sleep(60)\n"
    )
    result = await run(bubblewrap, workspace, "python3 flood.py", 60.0)
    assert result.end is CommandEnd.OUT_OF_DISK


def test_files_that_were_there_before_do_not_count_as_growth(workspace: Path) -> None:
    (workspace / "old").write_bytes(b"x" * (30 * MEBIBYTE))
    time.sleep(0.1)  # time stamps of files are coarse
    growth = DiskGrowth((str(workspace),), 24 * MEBIBYTE)
    assert growth.look(os.getpid()) == 0
    (workspace / "new").write_bytes(b"x" * MEBIBYTE)
    assert MEBIBYTE <= growth.look(os.getpid()) < 2 * MEBIBYTE


@pytest.mark.parametrize("place", ["/tmp", "/dev/shm", "$HOME"])
async def test_file_systems_in_memory_are_sized(bubblewrap: Sandbox, workspace: Path, place: str) -> None:
    script = f"for i in 1 2 3; do head -c 10000000 /dev/zero > {place}/f$i; done; du -sb {place} | cut -f1"
    result = await run(bubblewrap, workspace, script)
    assert "No space left" in result.output
    assert int(result.output.split()[-1]) <= 17 * MEBIBYTE


async def test_one_file_is_bounded(bubblewrap: Sandbox, workspace: Path) -> None:
    plan = SandboxPlan(workspace=str(workspace), limits=Limits(file_bytes=MEBIBYTE))
    command = Command(run="head -c 3000000 /dev/zero > f; stat -c %s f", timeout_seconds=30)
    result = await bubblewrap.run_once(plan, command)
    assert result.output.split()[-1] == str(MEBIBYTE)


async def test_open_files_are_bounded_and_no_core_is_dumped(bubblewrap: Sandbox, workspace: Path) -> None:
    result = await run(bubblewrap, workspace, "ulimit -n; ulimit -c; python3 -c 'import os; os.abort()'; ls")
    assert result.output.split()[:2] == ["64", "0"]
    assert list(workspace.iterdir()) == []


async def test_no_control_group_is_left_behind(workspace: Path) -> None:
    place = cgroups.find_place()
    if not (place.memory or place.processes):
        pytest.skip("this user may make no control groups here")

    def groups() -> set[Path]:
        parents = {parent for parent in (place.memory, place.processes) if parent}
        return {path for parent in parents for path in parent.glob(f"thirdshift-{os.getpid()}-*")}

    before = groups()
    session = await Bubblewrap().open(SandboxPlan(workspace=str(workspace)))
    during = groups() - before
    await session.close()
    assert during
    assert groups() <= before


def test_empty_groups_of_workers_that_are_gone_are_swept(tmp_path: Path) -> None:
    for name in ("thirdshift-999999999-0", f"thirdshift-{os.getpid()}-0", "somebody-elses"):
        (tmp_path / name).mkdir()
    cgroups.sweep(cgroups.CgroupPlace(tmp_path, tmp_path, unified=True))
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {f"thirdshift-{os.getpid()}-0", "somebody-elses"}


def test_version_2_groups_are_made_beneath_the_nearest_ancestor_that_hands_on_both(tmp_path: Path) -> None:
    mounted = tmp_path / "cgroup"
    own = mounted / "user" / "app" / "worker"
    own.mkdir(parents=True)
    for directory, handed in ((mounted, "cpu memory pids"), (mounted / "user", "memory pids"), (own.parent, "memory")):
        (directory / "cgroup.subtree_control").write_text(handed)
        (directory / "cgroup.procs").write_text("")
    (own / "cgroup.subtree_control").write_text("")
    proc = tmp_path / "proc"
    proc.mkdir()
    (proc / "cgroup").write_text("0::/user/app/worker\n")
    (proc / "mountinfo").write_text(f"30 25 0:26 / {mounted} rw,nosuid shared:4 - cgroup2 cgroup2 rw\n")

    place = cgroups.find_place(proc)
    assert place == cgroups.CgroupPlace(mounted / "user", mounted / "user", unified=True)

    group = cgroups.create(place, "7", Limits(memory_bytes=1000, processes=5))
    (directory,) = group.directories
    assert (directory / "memory.max").read_text() == "1000"
    assert (directory / "pids.max").read_text() == "7"
    assert (directory / "memory.swap.max").read_text() == "0"
    group.add(4242)
    assert group.pids() == (4242,)
    (directory / "memory.events").write_text("low 0\noom 4\noom_kill 3\n")
    assert group.oom_kills() == 3
    for made in directory.iterdir():
        with contextlib.suppress(OSError):
            made.unlink()
    group.remove()
    assert not directory.exists()


def test_no_place_is_found_where_no_controller_may_be_used(tmp_path: Path) -> None:
    (tmp_path / "cgroup").write_text("0::/\n1:name=systemd:/\n")
    (tmp_path / "mountinfo").write_text(f"30 25 0:26 / {tmp_path} rw - cgroup2 cgroup2 rw\n")
    assert cgroups.find_place(tmp_path) == cgroups.CgroupPlace(None, None, unified=True)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"
