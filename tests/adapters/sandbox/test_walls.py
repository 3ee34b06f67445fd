"""What hostile code inside a sandbox can and cannot do."""

from __future__ import annotations

import platform
import socket
from pathlib import Path

import pytest

from thirdshift.adapters.sandbox import attack, syscalls
from thirdshift.adapters.sandbox.bubblewrap import Bubblewrap, find_bwrap
from thirdshift.adapters.sandbox.unconfined import Unconfined
from thirdshift.core.errors import SandboxUnavailable, TreeRefused
from thirdshift.core.ports import Command, CommandEnd, CommandResult, Mount, Sandbox, SandboxPlan

SECRET = "sk-pretend-4242424242"


async def run(sandbox: Sandbox, plan: SandboxPlan, script: str) -> CommandResult:
    return await sandbox.run_once(plan, Command(run=script, timeout_seconds=30))


async def test_no_wall_is_missing(bubblewrap: Sandbox) -> None:
    assert await bubblewrap.self_test() == ()


async def test_the_self_test_names_the_walls_of_a_sandbox_that_shares_the_network(tmp_path: Path) -> None:
    leaky = tmp_path / "bwrap"
    leaky.write_text(f'#!/bin/sh\na=$1 n=$2; shift 3; exec {find_bwrap()} "$a" "$n" --share-net -- "$@"\n')
    leaky.chmod(0o755)
    missing = await Bubblewrap(bwrap=str(leaky)).self_test()
    assert {line.split(":")[0] for line in missing} == {"loopback", "network"}


async def test_without_a_sandbox_no_wall_is_claimed() -> None:
    (wall,) = await Unconfined().self_test()
    assert "confines nothing" in wall


def test_the_attack_uses_the_numbers_that_the_filter_names() -> None:
    machine = platform.machine()
    named = {**syscalls.REFUSED, **syscalls.UNKNOWN}
    for name, (number, _) in attack.CALLS.items():
        if name in named:
            assert named[name].on(machine) == number
        else:
            assert number > syscalls.LAST_KNOWN


async def test_the_workers_environment_is_nowhere_to_be_found(
    bubblewrap: Sandbox, plan: SandboxPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", SECRET)
    result = await run(bubblewrap, plan, "env; cat /proc/[0-9]*/environ /proc/[0-9]*/task/*/environ")
    assert "PATH=" in result.output
    assert "ANTHROPIC_API_KEY" not in result.output
    assert SECRET not in result.output


async def test_the_home_directory_and_its_files_are_not_there(
    bubblewrap: Sandbox, plan: SandboxPlan, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    result = await run(bubblewrap, plan, f"cat {secret} ~/.ssh/* /root/.ssh/* /etc/shadow; ls -A ~; ls {tmp_path}")
    assert SECRET not in result.output
    assert "root:" not in result.output
    assert not result.passed


async def test_command_lines_on_the_host_do_not_show_what_is_run(plan: SandboxPlan) -> None:
    session = await Bubblewrap().open(plan.model_copy(update={"env": {"TOKEN": SECRET}}))
    try:
        shown = b""
        for directory in Path("/proc").glob("[0-9]*"):
            try:
                words = (directory / "cmdline").read_bytes()
            except OSError:
                continue
            shown += words if b"bwrap" in words else b""
        assert shown
        assert SECRET.encode() not in shown
    finally:
        await session.close()


async def test_the_first_process_cannot_be_killed_stopped_read_or_robbed(
    bubblewrap: Sandbox, plan: SandboxPlan
) -> None:
    session = await bubblewrap.open(plan)
    try:
        script = "kill -9 1; kill -STOP 1; kill -INT 1; kill -9 -1; cat /proc/1/mem; ls -l /proc/1/fd/; echo over"
        result = await session.run(Command(run=script, timeout_seconds=10))
        assert result.output.endswith("over\n")
        forged = "for fd in 3 4 5 6 7 8 9 10 11 12 13 14 15 16; do echo 'D 0' > /proc/1/fd/$fd; done; exit 9"
        result = await session.run(Command(run=forged, timeout_seconds=10))
        assert (result.end, result.exit_code) == (CommandEnd.EXITED, 9)
    finally:
        await session.close()


async def test_a_set_user_id_file_cannot_be_left_in_the_workspace(plan: SandboxPlan, workspace: Path) -> None:
    script = "cp /bin/true t; chmod 4755 t; chmod u+s t; chmod g+s t; install -m 6755 /bin/true u; ls; chmod 755 t"
    result = await run(Bubblewrap(), plan, script)
    assert result.passed
    assert [path.name for path in workspace.iterdir() if path.stat().st_mode & 0o6000] == []


async def test_ordinary_work_is_let_through_the_filter(plan: SandboxPlan) -> None:
    script = """
import asyncio, concurrent.futures, mmap, multiprocessing, os, socket, subprocess, tempfile, threading
print(subprocess.check_output(["echo", "child"], text=True).strip())
with multiprocessing.get_context("fork").Pool(2) as pool: print(sum(pool.map(abs, range(-3, 3))))
left, right = socket.socketpair(); left.send(b"pair"); print(right.recv(9).decode())
async def served():
    async def greet(reader, writer): writer.write(b"loop"); writer.close()
    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    print((await reader.read()).decode())
asyncio.run(served())
print(socket.getaddrinfo("localhost", 80)[0][4][1], len(mmap.mmap(-1, 4096)))
os.mkfifo("fifo"); os.link(__file__, "linked"); os.symlink("x", "link"); os.chmod("linked", 0o700)
thread = threading.Thread(target=print, args=("thread",)); thread.start(); thread.join()
print(os.openpty() and "terminal")
"""
    (Path(plan.workspace) / "work.py").write_text(script)
    commit = "git -c user.name=a -c user.email=b commit -q --allow-empty -m x"
    result = await run(Bubblewrap(), plan, f"python3 work.py && git init -q . && {commit} && git log --oneline | wc -l")
    assert result.output.split() == ["child", "9", "pair", "loop", "80", "4096", "thread", "terminal", "1"]


async def test_only_what_the_plan_names_is_writable(bubblewrap: Sandbox, workspace: Path, tmp_path: Path) -> None:
    for name in ("fixed", "free"):
        (tmp_path / name).mkdir()
    mounts = (
        Mount(host=str(tmp_path / "fixed"), guest="/data/fixed"),
        Mount(host=str(tmp_path / "free"), guest="/data/free", writable=True),
    )
    plan = SandboxPlan(workspace=str(workspace), mounts=mounts)
    await run(bubblewrap, plan, "for d in /data /data/fixed /data/free / /usr /etc /dev /home; do echo > $d/made; done")
    assert sorted(path.name for path in tmp_path.rglob("made")) == ["made"]
    assert (tmp_path / "free" / "made").exists()


async def test_the_hosts_network_is_there_only_when_the_plan_says_so(bubblewrap: Sandbox, workspace: Path) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        connect = f"python3 -c 'import socket; socket.create_connection((\"127.0.0.1\", {server.getsockname()[1]}))'"
        closed = SandboxPlan(workspace=str(workspace))
        open_ = SandboxPlan(workspace=str(workspace), network="host")
        assert not (await run(bubblewrap, closed, connect)).passed
        assert (await run(bubblewrap, open_, connect)).passed
        same = await run(bubblewrap, open_, "cat /etc/resolv.conf")
        assert same.output == Path("/etc/resolv.conf").read_text()


@pytest.mark.parametrize("obstacle", ["link to the host", "file", "link in the middle"])
async def test_a_mount_never_follows_what_the_tree_put_in_its_way(
    workspace: Path, tmp_path: Path, obstacle: str
) -> None:
    made, elsewhere = tmp_path / "made", tmp_path / "elsewhere"
    made.mkdir()
    elsewhere.mkdir()
    target = "/workspace/.venv"
    if obstacle == "file":
        (workspace / ".venv").write_text("")
    elif obstacle == "link to the host":
        (workspace / ".venv").symlink_to(f"/oldroot{elsewhere}")
    else:
        target = "/workspace/packages/a/node_modules"
        (workspace / "packages").symlink_to(elsewhere)
    plan = SandboxPlan(workspace=str(workspace), mounts=(Mount(host=str(made), guest=target),))
    with pytest.raises(TreeRefused, match="in the way"):
        await Bubblewrap().open(plan)
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize("guest", ["/", "relative", "/a/../b", "/proc/sys", "/dev", "/run/thirdshift/runner.py"])
async def test_a_mount_over_a_wall_is_refused(workspace: Path, tmp_path: Path, guest: str) -> None:
    plan = SandboxPlan(workspace=str(workspace), mounts=(Mount(host=str(tmp_path), guest=guest),))
    with pytest.raises(SandboxUnavailable, match="refused"):
        await Bubblewrap().open(plan)


async def test_variables_of_the_plan_do_not_steer_the_runner(plan: SandboxPlan, workspace: Path) -> None:
    (workspace / "sitecustomize.py").write_text("import os; os._exit(0)\n")
    env = {"PYTHONPATH": "/workspace", "PYTHONSTARTUP": "/workspace/sitecustomize.py", "LD_PRELOAD": "/workspace/x.so"}
    result = await run(Bubblewrap(), plan.model_copy(update={"env": env}), "exit 4")
    assert result.exit_code == 4


async def test_a_link_left_in_the_workspace_leads_nowhere_on_the_host(plan: SandboxPlan, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET)
    Path(plan.workspace, "link").symlink_to(tmp_path / "secret")
    assert SECRET not in (await run(Bubblewrap(), plan, "cat link")).output
