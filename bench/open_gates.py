"""What a gate costs while it waits: a thousand jobs at their merge gates, on one worker and the embedded server.

The jobs are the product's own workflows on its own worker, in a process of its own; the activities are played, and what
each gate shows is a diff of thirty lines. ``worker_kb_per_gate`` is the growth of that process (resident memory, after
a collection) from the first sixty gates to the last, by gate, so that what a worker takes anyway is not counted.
``list_s`` is how long the server takes to list all that waits, the query of the saved view. At the end every tenth gate
is answered, to show that they still can be.

    python bench/open_gates.py [--quick]
"""

from __future__ import annotations

import argparse
import asyncio
import ctypes
import gc
import multiprocessing
import shutil
import statistics
import sys
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path

import psutil
from temporalio.client import Client
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.testing import WorkflowEnvironment

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench.rig.figures import Limit, closing_line, machine, table
from tests.fakes.line import FakeLine, tree_of
from tests.workflows.line_at_work import at_work, job_input
from thirdshift.adapters.engine.connection import register_search_attributes
from thirdshift.core.gates import GateTerms
from thirdshift.core.spec import GateKind
from thirdshift.core.ui_links import WAITING_QUERY
from thirdshift.signatures import WORKFLOW_QUEUE
from workflows.job import Job

LIMITS = (
    Limit("worker_kb_per_gate", at_most=120.0),
    Limit("list_s", at_most=2.0),
    Limit("answered_share", at_least=1.0),
)
AT_ONCE = 20
WARM = 60
"""Gates that are opened before anything is measured: the first ones bring modules, threads and connections."""
TUNED = [
    *("--sqlite-pragma", "journal_mode=wal", "--sqlite-pragma", "synchronous=1"),
    *("--dynamic-config-value", "history.transferProcessorMaxPollRPS=2000"),
]


def worker(address: str, pipe: Connection) -> None:
    """Another process: the worker, and nothing else. Asked for it, it says how much memory it holds, in kB."""

    async def work() -> None:
        client = await Client.connect(address, data_converter=pydantic_data_converter)
        line = FakeLine(trees=("c",))
        async with at_work(client, line):
            pipe.send("ready")
            while await asyncio.to_thread(pipe.recv):
                line.seen.clear()  # the played activities' own notes
                gc.collect()
                # What Python and the C library keep for later is not what a gate holds.
                ctypes.CDLL(None).malloc_trim(0)
                pipe.send(psutil.Process().memory_info().rss / 1024)

    asyncio.run(work())


async def begin(client: Client, names: list[str]) -> None:
    """Start jobs and wait until each is at its gate."""
    given = job_input(GateTerms(), gates=(GateKind.MERGE,))
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(name: str) -> None:
        async with turns:
            handle = await client.start_workflow(Job.run, given, id=name, task_queue=WORKFLOW_QUEUE)
            while (await handle.query("status", result_type=dict))["gate"] is None:  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.2)

    await asyncio.gather(*(one(name) for name in names))


async def listed(client: Client, wanted: int) -> float:
    """Seconds to list all that waits, once the server's index has caught up."""
    for _ in range(60):
        began = time.monotonic()
        found = [execution.id async for execution in client.list_workflows(WAITING_QUERY, page_size=1000)]
        took = time.monotonic() - began
        if len(found) == wanted:
            return took
        await asyncio.sleep(0.5)
    raise AssertionError(f"the server lists {len(found)} of {wanted} gates")


async def answered(client: Client, names: list[str]) -> float:
    """The share of these whose answer was recorded and ended the job."""
    good = 0
    for name in names:
        handle = client.get_workflow_handle(name)
        gate = (await handle.query("status", result_type=dict))["gate"]
        said = await handle.execute_update(f"approve-g{gate}-{tree_of('c')[:12]}", "ada", result_type=str)
        good += said.startswith("RECORDED.") and (await handle.result())["stop"] == "accepted"
    return good / len(names)


async def measure(gates: int) -> dict[str, object]:
    """All figures."""
    binary = shutil.which("temporal", path=str(Path(sys.executable).parent))
    with tempfile.TemporaryDirectory() as root:
        async with await WorkflowEnvironment.start_local(
            dev_server_existing_path=binary,
            dev_server_database_filename=f"{root}/temporal.db",
            dev_server_extra_args=TUNED,
            dev_server_log_level="error",
            data_converter=pydantic_data_converter,
        ) as server:
            await register_search_attributes(server.client)
            ready, theirs = multiprocessing.get_context("spawn").Pipe()
            address = server.client.service_client.config.target_host
            process = multiprocessing.get_context("spawn").Process(target=worker, args=(address, theirs), daemon=True)
            process.start()
            try:
                assert await asyncio.to_thread(ready.poll, 60), "the worker did not come up"
                ready.recv()
                return await _figures(server.client, ready, gates)
            finally:
                process.terminate()
                process.join(20)


async def _figures(client: Client, pipe: Connection, gates: int) -> dict[str, object]:
    gates += WARM
    names = [f"job-{number}" for number in range(gates)]
    first = WARM
    began = time.monotonic()
    await begin(client, names[:first])
    before = await _held_kb(pipe)
    await begin(client, names[first:])
    opened = time.monotonic() - began
    after = await _held_kb(pipe)
    lists = [await listed(client, gates) for _ in range(5)]
    return {
        "gates": gates,
        "worker_kb_per_gate": round((after - before) / (gates - first), 1),
        "worker_mb": round(after / 1024, 1),
        "list_s": round(statistics.median(lists), 3),
        "opened_per_s": round(gates / opened, 1),
        "answered_share": await answered(client, names[::10]),
    }


async def _held_kb(pipe: Connection) -> float:
    """What the worker holds, once it has come to rest: the least of some looks."""
    looks = []
    for _ in range(4):
        await asyncio.sleep(1)
        await asyncio.to_thread(pipe.send, True)
        looks.append(float(await asyncio.to_thread(pipe.recv)))
    return min(looks)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="100 gates instead of 1,000")
    gates = 100 if parser.parse_args().quick else 1000
    print(machine(), "\n")
    figures = asyncio.run(measure(gates))
    print(table([["figure", "value"], *([name, value] for name, value in figures.items())]), "\n")
    print(closing_line(figures, LIMITS))
    return 0 if all(limit.holds(figures) for limit in LIMITS) else 1


if __name__ == "__main__":
    sys.exit(main())
