"""Setup runs once for each set of inputs, and what it made is mounted read-only."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.adapters.sandbox.conftest import Marker
from thirdshift.adapters.sandbox.bubblewrap import Bubblewrap
from thirdshift.adapters.sandbox.setup_cache import SetupCache, SetupRequest, SetupResult, is_setup_input
from thirdshift.core.errors import SetupFailed
from thirdshift.core.ports import Command, CommandResult, SandboxPlan


class Checkout:
    """A base that counts how often it was checked out."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, directory: str) -> None:
        self.count += 1
        Path(directory, "src").mkdir()
        Path(directory, "src", "module.py").write_text("answer = 42\n")


@pytest.fixture
def base() -> Checkout:
    return Checkout()


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "setup-cache"


@pytest.fixture
def cache(directory: Path) -> SetupCache:
    return SetupCache(Bubblewrap(), directory)


async def use(result: SetupResult, workspace: Path, script: str) -> CommandResult:
    plan = SandboxPlan(workspace=str(workspace), mounts=result.mounts, env=result.env, path_prefix=result.path_prefix)
    return await Bubblewrap().run_once(plan, Command(run=script, timeout_seconds=60))


async def test_what_setup_made_is_found_where_it_was_made(cache: SetupCache, base: Checkout, workspace: Path) -> None:
    command = """
        mkdir -p vendor/lib src/thing.egg-info && echo in vendor > vendor/lib/file && echo egg > src/thing.egg-info/PKG
        printf '#!/bin/sh\\necho the tool' > /opt/setup/bin/tool && chmod +x /opt/setup/bin/tool
        cat src/module.py
    """
    result = await cache.prepare(SetupRequest(command=command), base)
    (workspace / "src").mkdir()
    used = await use(result, workspace, "cat vendor/lib/file src/thing.egg-info/PKG; tool")
    assert used.output == "in vendor\negg\nthe tool\n"
    assert [mount.guest for mount in result.mounts] == [
        "/opt/setup",
        "/workspace/src/thing.egg-info",
        "/workspace/vendor",
    ]


async def test_a_virtual_environment_is_first_on_the_path(cache: SetupCache, base: Checkout, workspace: Path) -> None:
    result = await cache.prepare(SetupRequest(command="python3 -m venv --without-pip .venv"), base)
    used = await use(result, workspace, "python3 -c 'import sys; print(sys.prefix)'; echo $VIRTUAL_ENV; which python3")
    assert used.output.split() == ["/workspace/.venv", "/workspace/.venv", "/workspace/.venv/bin/python3"]


async def test_programs_of_node_modules_and_of_the_home_directory_are_on_the_path(
    cache: SetupCache, base: Checkout
) -> None:
    result = await cache.prepare(SetupRequest(command="mkdir -p node_modules/.bin $HOME/.local/bin"), base)
    assert result.path_prefix == ("/workspace/node_modules/.bin", "/opt/setup/home/.local/bin")
    assert result.env == {"PYTHONUSERBASE": "/opt/setup/home/.local"}


async def test_what_setup_made_cannot_be_changed_later(cache: SetupCache, base: Checkout, workspace: Path) -> None:
    result = await cache.prepare(SetupRequest(command="mkdir vendor && echo good > vendor/file"), base)
    script = "echo bad > vendor/file; rm vendor/file; rmdir vendor; mv vendor away; touch /opt/setup/x; cat vendor/file"
    used = await use(result, workspace, script)
    assert used.output.splitlines()[-1] == "good"
    assert "Read-only file system" in used.output


async def test_only_an_empty_directory_stays_in_the_workspace(
    cache: SetupCache, base: Checkout, workspace: Path
) -> None:
    result = await cache.prepare(SetupRequest(command="mkdir -p vendor/deep && echo x > vendor/deep/file"), base)
    await use(result, workspace, "ls vendor")
    assert [path.name for path in workspace.rglob("*")] == ["vendor"]


async def test_single_files_are_not_kept_and_are_named(cache: SetupCache, base: Checkout) -> None:
    command = "echo new > version.txt; echo changed >> src/module.py; mkdir -p src/__pycache__; ln -s /etc link"
    result = await cache.prepare(SetupRequest(command=command), base)
    assert result.dropped == ("link", "src/module.py", "version.txt")
    assert [mount.guest for mount in result.mounts] == ["/opt/setup"]


async def test_the_same_inputs_are_set_up_once(cache: SetupCache, base: Checkout, directory: Path) -> None:
    request = SetupRequest(command="mkdir made", inputs={"uv.lock": b"one"})
    first = await cache.prepare(request, base)
    second = await SetupCache(Bubblewrap(), directory).prepare(request, base)
    assert (first.cached, second.cached, base.count) == (False, True, 1)
    assert first.mounts == second.mounts


async def test_another_command_or_another_lock_file_is_another_setup(cache: SetupCache) -> None:
    requests = [
        SetupRequest(command="true", inputs={"uv.lock": b"one"}),
        SetupRequest(command="true", inputs={"uv.lock": b"two"}),
        SetupRequest(command="true", inputs={"sub/uv.lock": b"one"}),
        SetupRequest(command="true ", inputs={"uv.lock": b"one"}),
    ]
    assert len({cache.key(request) for request in requests}) == len(requests)
    sourced = requests[0].model_copy(update={"env": {"PIP_INDEX_URL": "https://mirror.example/simple"}})
    assert cache.key(sourced) == cache.key(requests[0])


async def test_loops_that_need_the_same_setup_at_once_wait_for_one(base: Checkout, directory: Path) -> None:
    request = SetupRequest(command="sleep 0.3; mkdir made")
    caches = [SetupCache(Bubblewrap(), directory) for _ in range(4)]
    results = await asyncio.gather(*(cache.prepare(request, base) for cache in caches))
    assert base.count == 1
    assert sorted(result.cached for result in results) == [False, True, True, True]


async def test_a_failure_ends_with_the_output_and_leaves_nothing(
    cache: SetupCache, base: Checkout, directory: Path
) -> None:
    request = SetupRequest(command="mkdir made; echo the reason >&2; exit 3")
    with pytest.raises(SetupFailed, match=r"(?s)exit 3.*setup_hosts.*the reason\n$"):
        await cache.prepare(request, base)
    assert list((directory / "entries").iterdir()) == []
    assert list((directory / "staging").iterdir()) == []


async def test_a_setup_that_failed_is_tried_again(cache: SetupCache, base: Checkout, tmp_path: Path) -> None:
    request = SetupRequest(command="test -e src/ready")
    with pytest.raises(SetupFailed):
        await cache.prepare(request, base)

    def ready(directory: str) -> None:
        base(directory)
        Path(directory, "src", "ready").write_text("")

    assert not (await cache.prepare(request, ready)).cached


async def test_a_setup_over_its_time_fails(cache: SetupCache, base: Checkout) -> None:
    with pytest.raises(SetupFailed, match="timed out"):
        await cache.prepare(SetupRequest(command="sleep 60", timeout_seconds=0.3), base)


async def test_directories_without_write_permission_are_kept_and_removed_all_the_same(
    cache: SetupCache, base: Checkout, directory: Path
) -> None:
    command = "mkdir -p locked/in home; echo x > locked/in/file; chmod -R a-w locked; mkdir -p $HOME/.cache/a; "
    command += "echo x > $HOME/.cache/a/b; chmod -R a-w $HOME/.cache"
    result = await cache.prepare(SetupRequest(command=command), base)
    assert "/workspace/locked" in [mount.guest for mount in result.mounts]
    assert not (directory / "entries" / result.key / "setup" / "home" / ".cache").exists()


async def test_cancellation_leaves_nothing_running_and_nothing_half_done(
    cache: SetupCache, base: Checkout, directory: Path, marker: Marker
) -> None:
    request = SetupRequest(command=marker.sleeper())
    running = asyncio.create_task(cache.prepare(request, base))
    await marker.appears()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert marker.alive() == []
    assert list((directory / "staging").iterdir()) == []


async def test_after_a_kill_in_the_middle_setup_starts_afresh(
    cache: SetupCache, base: Checkout, directory: Path, marker: Marker
) -> None:
    request = SetupRequest(command=f"mkdir -p half; test -e src/calm || {marker.sleeper()}")
    program = f"""
        import asyncio
        from pathlib import Path
        from thirdshift.adapters.sandbox.bubblewrap import Bubblewrap
        from thirdshift.adapters.sandbox.setup_cache import SetupCache, SetupRequest
        cache = SetupCache(Bubblewrap(), Path({str(directory)!r}))
        fill = lambda directory: Path(directory, "src").mkdir()
        asyncio.run(cache.prepare(SetupRequest(command={request.command!r}), fill))
    """
    worker = subprocess.Popen([sys.executable, "-c", textwrap.dedent(program)])  # noqa: ASYNC220 - starts at once
    await marker.appears()
    os.kill(worker.pid, signal.SIGKILL)
    worker.wait()

    def calm(checkout: str) -> None:
        base(checkout)
        Path(checkout, "src", "calm").write_text("")

    result = await cache.prepare(request, calm)
    assert (result.cached, base.count) == (False, 1)
    assert [path.name for path in (directory / "entries").iterdir()] == [result.key]
    assert list((directory / "staging").iterdir()) == []


@pytest.mark.parametrize(
    ("path", "counts"),
    [
        ("uv.lock", True),
        ("services/api/requirements-dev.txt", True),
        ("pyproject.toml", True),
        ("web/package-lock.json", True),
        ("src/requirements.py", False),
        ("README.md", False),
    ],
)
def test_lock_files_and_manifests_are_known_by_name(path: str, counts: bool) -> None:
    assert is_setup_input(path) is counts
