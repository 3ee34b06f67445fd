"""The container sandbox, as far as it can be judged without an engine: its command lines, and a pretend engine."""

from __future__ import annotations

import textwrap
from itertools import pairwise
from pathlib import Path

import pytest

from thirdshift.adapters.sandbox.container import (
    Container,
    clear_arguments,
    command_arguments,
    remove_arguments,
    start_arguments,
)
from thirdshift.core.errors import SandboxUnavailable
from thirdshift.core.ports import Command, CommandEnd, Limits, Mount, SandboxPlan

PLAN = SandboxPlan(
    workspace="/data/ws",
    mounts=(Mount(host="/data/setup", guest="/opt/setup"), Mount(host="/data/out", guest="/out", writable=True)),
    env={"A": "1"},
    path_prefix=("/workspace/.venv/bin",),
    limits=Limits(memory_bytes=1000, processes=7, file_bytes=10, open_files=11, tmp_bytes=12),
)


def pairs(arguments: list[str]) -> set[tuple[str, str]]:
    return set(pairwise(arguments))


def test_the_container_starts_with_every_wall_up() -> None:
    arguments = start_arguments(PLAN, "name", "image", "1000:1000")
    wanted = {
        ("--network", "none"),
        ("--cap-drop", "ALL"),
        ("--security-opt", "no-new-privileges"),
        ("--user", "1000:1000"),
        ("--pids-limit", "7"),
        ("--memory", "1000"),
        ("--memory-swap", "1000"),
        ("--ulimit", "fsize=10"),
        ("--ulimit", "nofile=11"),
        ("--ulimit", "core=0"),
        ("--mount", "type=bind,source=/data/ws,target=/workspace"),
        ("--mount", "type=bind,source=/data/setup,target=/opt/setup,readonly"),
        ("--mount", "type=bind,source=/data/out,target=/out"),
        ("--entrypoint", "/bin/sleep"),
    }
    assert wanted <= pairs(arguments)
    assert "--read-only" in arguments
    assert arguments[0] == "run"
    assert arguments[-2:] == ["image", "infinity"]
    assert "--privileged" not in arguments


def test_the_hosts_network_is_shared_only_where_the_plan_says_so() -> None:
    shared = PLAN.model_copy(update={"network": "host"})
    assert ("--network", "host") in pairs(start_arguments(shared, "name", "image", "1:1"))


def test_a_command_is_one_argument_to_a_shell() -> None:
    arguments = command_arguments(PLAN, "name", "echo 'a b'; false")
    assert arguments[-4:] == ["name", "/bin/sh", "-c", "echo 'a b'; false"]
    assert ("--env", "A=1") in pairs(arguments)
    assert ("--env", "PATH=/workspace/.venv/bin:/usr/local/bin:/usr/bin:/bin") in pairs(arguments)


def test_clearing_and_removing_name_the_container() -> None:
    assert clear_arguments("name") == ["exec", "name", "/bin/sh", "-c", "kill -9 -1"]
    assert remove_arguments("name") == ["rm", "--force", "--volumes", "name"]


@pytest.fixture
def engine(tmp_path: Path) -> Path:
    """A pretend engine that notes its calls and runs ``exec``'s shell command where it is."""
    script = f"""\
        #!/bin/sh
        echo "$1" >> {tmp_path}/calls
        case "$1" in
        exec) for last; do :; done; [ "$last" = "kill -9 -1" ] && exit 137; exec /bin/sh -c "$last" ;;
        esac
    """
    path = tmp_path / "engine"
    path.write_text(textwrap.dedent(script))
    path.chmod(0o755)
    return path


async def test_a_session_starts_runs_clears_and_removes(engine: Path, plan: SandboxPlan) -> None:
    container = Container(engine=str(engine))
    session = await container.open(plan)
    result = await session.run(Command(run="echo inside; exit 3", timeout_seconds=30))
    assert (result.end, result.exit_code, result.output) == (CommandEnd.EXITED, 3, "inside\n")
    result = await session.run(Command(run="sleep 60", timeout_seconds=0.2))
    assert (result.end, result.exit_code) == (CommandEnd.TIMED_OUT, 124)
    await session.close()
    await session.close()
    calls = (engine.parent / "calls").read_text().split()
    assert calls == ["run", "exec", "exec", "exec", "exec", "rm"]


async def test_an_engine_that_does_not_answer_is_refused_with_the_remedy(plan: SandboxPlan, tmp_path: Path) -> None:
    dead = tmp_path / "docker"
    dead.write_text("#!/bin/sh\necho Cannot connect to the Docker daemon >&2\nexit 1\n")
    dead.chmod(0o755)
    container = Container(engine=str(dead))
    with pytest.raises(SandboxUnavailable, match=r"Cannot connect to the Docker daemon.*start the engine"):
        await container.open(plan)
    with pytest.raises(SandboxUnavailable, match="start the engine"):
        await container.self_test()
