"""Processes that want to outlive their command: none does, whatever it is that ends the command."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.adapters.sandbox.conftest import Marker
from thirdshift.adapters.sandbox.bubblewrap import Bubblewrap
from thirdshift.core.ports import Command, CommandEnd, SandboxPlan

DAEMON = """python3 -I -c '
import os, signal
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for number in range(1, 65):
            try: signal.signal(number, signal.SIG_IGN)
            except (OSError, ValueError): pass
        os.execvp("bash", ["NAME", "-c", "while :; do sleep 1; done"])
'"""
LINGERERS = {
    "daemon by double fork that ignores every signal": DAEMON,
    "nohup in a session of its own": "nohup setsid bash -c 'exec -a NAME sleep 300' >/dev/null 2>&1 &",
    "child that holds the output open": "bash -c 'exec -a NAME sleep 300' &",
    "stopped process": "bash -c 'exec -a NAME sleep 300' & sleep 0.1; kill -STOP $!",
    "process that starts itself again": "bash -c 'again() { (exec -a NAME sleep 0.02); again & }; again' &",
    "process of another process group in the background": "set -m; bash -c 'exec -a NAME sleep 300' & disown -a",
    "process waiting in a pipe": "mkfifo pipe; bash -c 'exec -a NAME sleep 300' < pipe & exec 9> pipe",
    "traced and exiting again and again": "for n in $(seq 60); do bash -c 'exec -a NAME sleep 300' & done",
}


@pytest.fixture
def marker() -> Marker:
    return Marker()


async def gone(marker: Marker) -> None:
    while marker.alive():
        await asyncio.sleep(0.01)


@pytest.mark.parametrize("cgroups", [True, False], ids=["cgroups", "no cgroups"])
@pytest.mark.parametrize("lingerer", LINGERERS)
async def test_it_is_gone_when_its_command_is(tmp_path: Path, marker: Marker, lingerer: str, cgroups: bool) -> None:
    session = await Bubblewrap(use_cgroups=cgroups).open(SandboxPlan(workspace=str(tmp_path)))
    try:
        script = LINGERERS[lingerer].replace("NAME", marker.name)
        result = await session.run(Command(run=f"{script}\nsleep 0.1; exit 3", timeout_seconds=30))
        assert (result.end, result.exit_code) == (CommandEnd.EXITED, 3)
        assert marker.alive() == []
        assert (await session.run(Command(run="echo still well", timeout_seconds=30))).output == "still well\n"
    finally:
        await session.close()


@pytest.mark.parametrize("lingerer", LINGERERS)
async def test_it_is_gone_when_time_is_up(tmp_path: Path, marker: Marker, lingerer: str) -> None:
    session = await Bubblewrap().open(SandboxPlan(workspace=str(tmp_path)))
    try:
        script = LINGERERS[lingerer].replace("NAME", marker.name)
        stubborn = f"trap '' TERM INT HUP QUIT USR1; {script}\nwhile :; do sleep 1; done"
        result = await session.run(Command(run=stubborn, timeout_seconds=0.7))
        assert result.end is CommandEnd.TIMED_OUT
        assert marker.alive() == []
    finally:
        await session.close()


async def test_a_command_cannot_end_the_sandbox_and_be_taken_for_a_success(tmp_path: Path) -> None:
    session = await Bubblewrap().open(SandboxPlan(workspace=str(tmp_path)))
    try:
        script = """python3 -I - <<'END'
import os, resource, signal
for number in range(1, 65):
    try: os.kill(1, number)
    except (OSError, ValueError): pass
for kind in range(16):
    try: resource.prlimit(1, kind, (0, 0))
    except (OSError, ValueError): pass
for name in ("oom_score_adj", "comm", "timerslack_ns", "coredump_filter", "clear_refs"):
    try: os.write(os.open(f"/proc/1/{name}", os.O_WRONLY), b"1000")
    except OSError: pass
END
exit 5"""
        result = await session.run(Command(run=script, timeout_seconds=30))
        assert not result.passed
        assert (await session.run(Command(run="exit 6", timeout_seconds=30))).exit_code == 6
    finally:
        await session.close()


async def test_a_link_put_in_place_of_a_mount_between_two_sandboxes_is_refused(tmp_path: Path) -> None:
    workspace, made, outside = tmp_path / "workspace", tmp_path / "made", tmp_path / "outside"
    for directory in (workspace, made, outside):
        directory.mkdir()
    plan = SandboxPlan(workspace=str(workspace))
    script = f"mkdir -p deep; ln -s {outside} deep/node_modules; ln -s /proc/self/root{outside} other"
    assert (await Bubblewrap().run_once(plan, Command(run=script, timeout_seconds=30))).passed
    follow = "echo x > deep/node_modules/made; echo x > other/made; ls deep/node_modules/"
    assert not (await Bubblewrap().run_once(plan, Command(run=follow, timeout_seconds=30))).passed
    assert list(outside.iterdir()) == []
