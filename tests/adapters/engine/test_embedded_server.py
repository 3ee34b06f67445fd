import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.common import SearchAttributeKey, SearchAttributePair, TypedSearchAttributes
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

import thirdshift
from thirdshift.adapters.engine.access import find_running, open_engine
from thirdshift.adapters.engine.embedded import EnginePaths, EngineState
from thirdshift.core.engine import EngineTarget
from thirdshift.core.errors import EngineUnavailable

ANY_PORTS = (0, 0)
EMBEDDED = EngineTarget()


@workflow.defn
class Waits:
    """Ends when it is told to."""

    def __init__(self) -> None:
        self.told = False

    @workflow.run
    async def run(self) -> str:
        await workflow.wait_condition(lambda: self.told)
        return "done"

    @workflow.signal
    def tell(self) -> None:
        self.told = True


@contextmanager
def owner_process(home: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that brings up the server of this home and holds it until its input closes."""
    code = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from thirdshift.adapters.engine.access import open_engine\n"
        "from thirdshift.core.engine import EngineTarget\n"
        "async def main():\n"
        f"    async with open_engine(EngineTarget(), Path({str(home)!r}), may_start=True, ports=(0, 0)) as engine:\n"
        "        print(engine.address, engine.started_here, flush=True)\n"
        "        await asyncio.to_thread(sys.stdin.read)\n"
        "asyncio.run(main())\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={"PYTHONPATH": str(Path(thirdshift.__file__).parents[1]), "PATH": os.defpath},
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe:
                pipe.close()


def read_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().strip()


def state_of(home: Path) -> EngineState:
    state = EnginePaths(home).read_state()
    assert state
    return state


async def is_gone(pid: int) -> None:
    """Returns when the process is gone; the test's own time limit is the bound."""
    while Path(f"/proc/{pid}/stat").exists() and " Z " not in Path(f"/proc/{pid}/stat").read_text():
        await asyncio.sleep(0.02)


def group_members(group: int) -> list[int]:
    members = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == group and fields[0] != "Z":
            members.append(int(stat.parent.name))
    return members


async def test_it_starts_knows_the_search_attributes_and_leaves_nothing_behind(tmp_path: Path) -> None:
    async with open_engine(EMBEDDED, tmp_path, may_start=True, ports=ANY_PORTS) as engine:
        assert engine.started_here
        pid = state_of(tmp_path).pid
        attributes = TypedSearchAttributes(
            [
                SearchAttributePair(SearchAttributeKey.for_bool("GateOpen"), False),
                SearchAttributePair(SearchAttributeKey.for_float("CostUsd"), 0.5),
                SearchAttributePair(SearchAttributeKey.for_datetime("GateSince"), datetime(2026, 1, 1, tzinfo=UTC)),
                SearchAttributePair(SearchAttributeKey.for_keyword_list("Reviewers"), ["ann"]),
            ]
        )
        handle = await engine.client.start_workflow(
            Waits.run, id="w", task_queue="q", search_attributes=attributes, execution_timeout=timedelta(hours=1)
        )
        assert (await handle.describe()).id == "w"
    assert group_members(pid) == []
    assert find_running(tmp_path) is None
    assert not (tmp_path / "engine.json").exists()


async def test_the_web_ui_answers_without_news(tmp_path: Path) -> None:
    async with open_engine(EMBEDDED, tmp_path, may_start=True, ports=ANY_PORTS) as engine:
        host, port = engine.ui_url.removeprefix("http://").split(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET /api/v1/settings HTTP/1.0\r\nHost: x\r\n\r\n")
        answer = (await reader.read()).decode()
        writer.close()
        assert '"disableNewsFetch":true' in answer.replace(" ", "").lower().replace(
            "disablenewsfetch", "disableNewsFetch"
        )


async def test_ended_workflows_are_kept_for_a_month(tmp_path: Path) -> None:
    async with open_engine(EMBEDDED, tmp_path, may_start=True, ports=ANY_PORTS) as engine:
        found = await engine.client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace="default"))
        assert found.config.workflow_execution_retention_ttl.seconds == 30 * 24 * 3600


async def test_a_second_command_uses_the_running_server(tmp_path: Path) -> None:
    async with open_engine(EMBEDDED, tmp_path, may_start=True, ports=ANY_PORTS) as first:
        async with open_engine(EMBEDDED, tmp_path, may_start=True, ports=ANY_PORTS) as second:
            assert (second.address, second.started_here) == (first.address, False)
        async with open_engine(EMBEDDED, tmp_path, may_start=False) as third:
            assert third.address == first.address
        assert find_running(tmp_path)


async def test_many_starts_at_once_give_one_server(tmp_path: Path) -> None:
    with owner_process(tmp_path) as one, owner_process(tmp_path) as two, owner_process(tmp_path) as three:
        lines = await asyncio.gather(*(asyncio.to_thread(read_line, p) for p in (one, two, three)))
        addresses, started = zip(*(line.split() for line in lines), strict=True)
        assert len(set(addresses)) == 1
        assert sorted(started) == ["False", "False", "True"]
    await is_gone(state_of(tmp_path).pid)


async def test_taken_ports_are_left_to_their_holder(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, socket.create_server(("127.0.0.1", 0)) as taken_ui:
        ports = (taken.getsockname()[1], taken_ui.getsockname()[1])
        async with open_engine(EMBEDDED, tmp_path, may_start=True, ports=ports):
            state = state_of(tmp_path)
            assert state.port != ports[0]
            assert state.ui_port != ports[1]


async def test_a_server_does_not_outlive_an_owner_that_was_killed(tmp_path: Path) -> None:
    with owner_process(tmp_path) as owner:
        await asyncio.to_thread(read_line, owner)
        pid = state_of(tmp_path).pid
        owner.kill()
        owner.wait()
        await is_gone(pid)
        while group_members(pid):
            await asyncio.sleep(0.02)


async def test_what_ran_under_a_killed_owner_goes_on_under_the_next(tmp_path: Path) -> None:
    with owner_process(tmp_path) as owner:
        address = (await asyncio.to_thread(read_line, owner)).split()[0]
        client = await Client.connect(address)
        await client.start_workflow(Waits.run, id="w", task_queue="q")
        owner.kill()
        owner.wait()
    # The old server may still be on its way out, and its engine.json is still there.
    async with open_engine(EMBEDDED, tmp_path, may_start=True, ports=ANY_PORTS) as engine:
        assert engine.started_here
        handle = engine.client.get_workflow_handle("w", result_type=str)
        await handle.signal("tell")
        async with Worker(
            engine.client, task_queue="q", workflows=[Waits], workflow_runner=UnsandboxedWorkflowRunner()
        ):
            assert await handle.result() == "done"


async def test_a_killed_server_is_started_again_and_its_clients_find_it(tmp_path: Path) -> None:
    async with open_engine(EMBEDDED, tmp_path, may_start=True, ports=ANY_PORTS) as engine:
        await engine.client.start_workflow(Waits.run, id="w", task_queue="q")
        first = state_of(tmp_path)
        os.kill(first.pid, signal.SIGKILL)
        while (state := EnginePaths(tmp_path).read_state()) is None or state.pid == first.pid:
            await asyncio.sleep(0.02)
        assert state.port == first.port
        description = await engine.client.get_workflow_handle("w").describe()
        assert description.id == "w"


async def test_a_user_of_a_server_brings_it_up_again_when_its_owner_is_gone(tmp_path: Path) -> None:
    with owner_process(tmp_path) as owner:
        await asyncio.to_thread(read_line, owner)
        async with open_engine(EMBEDDED, tmp_path, may_start=True, ports=ANY_PORTS) as engine:
            first = state_of(tmp_path)
            owner.kill()
            owner.wait()
            while (state := EnginePaths(tmp_path).read_state()) is None or state.pid == first.pid:
                await asyncio.sleep(0.02)
            assert state.port == first.port
            await engine.client.count_workflows()
        await is_gone(state.pid)


async def test_where_none_runs_and_none_may_be_started_the_remedy_is_said(tmp_path: Path) -> None:
    with pytest.raises(EngineUnavailable, match="thirdshift up"):
        async with open_engine(EMBEDDED, tmp_path, may_start=False):
            pass
    assert list(tmp_path.iterdir()) == []


async def test_a_stale_state_file_fools_nobody(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as stranger:
        stale = EngineState(pid=1, port=stranger.getsockname()[1], ui_port=1)
        (tmp_path / "engine.json").write_text(stale.model_dump_json())
        (tmp_path / "engine-owner.lock").touch()
        assert find_running(tmp_path) is None
        async with open_engine(EMBEDDED, tmp_path, may_start=True, ports=ANY_PORTS) as engine:
            assert engine.started_here


async def test_a_damaged_database_is_named_with_the_remedy_and_the_log(tmp_path: Path) -> None:
    (tmp_path / "temporal.db").write_bytes(b"this is no database at all, not even a header of one" * 100)
    with pytest.raises(EngineUnavailable, match=r"(?s)damaged: move .*temporal\.db.*\n  \| ") as refused:
        async with open_engine(EMBEDDED, tmp_path, may_start=True, ports=ANY_PORTS):
            pass
    assert "not a database" in str(refused.value)
    (tmp_path / "temporal.db").unlink()
    async with open_engine(EMBEDDED, tmp_path, may_start=True, ports=ANY_PORTS) as engine:
        assert engine.started_here


async def test_a_home_that_cannot_be_made_is_named_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(EngineUnavailable, match="THIRDSHIFT_HOME"):
        async with open_engine(EMBEDDED, tmp_path / "file" / "home", may_start=True):
            pass
