"""A line with every worker up, and short ways to look at what it does."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

from temporalio.api.sdk.v1 import WorkflowMetadata
from temporalio.client import Client, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.worker import Worker

from tests.fakes.line import FakeLine, tree_of
from thirdshift.bootstrap.workflow_worker import workflow_worker
from thirdshift.core.gates import GateTerms
from thirdshift.core.history import LoopPolicy
from thirdshift.core.ladder import Ladder, Rung, Tier
from thirdshift.signatures import WORKFLOW_QUEUE, JobInput, LoopInput, PacketInput, Standing

Found = TypeVar("Found")

LADDER = Ladder(
    rungs=(
        Rung(model="cheap/small", tier=Tier.ECONOMY),
        Rung(model="dear/large", tier=Tier.FRONTIER),
    )
)
START = Standing(tree=tree_of("0"), commit="commit-0")
PACKET = PacketInput(id="main", covers=("AC-1",), checks=("lint", "unit"))
ADA = {"reviewer": "ada"}


def loop_input(terms: GateTerms | None = None, **policy: object) -> LoopInput:
    return LoopInput(
        job_id="job",
        packet=PACKET,
        title="a title",
        repository="/somewhere/repo",
        task="bugfix",
        risk="low",
        start=START,
        policy=LoopPolicy.model_validate({"ladder": LADDER, **policy}),
        terms=terms or GateTerms(),
    )


def job_input(terms: GateTerms | None = None, *, planned: bool = False, **policy: object) -> JobInput:
    return JobInput(
        spec_id="spec",
        title="a title",
        repository="/somewhere/repo",
        task="bugfix",
        risk="low",
        base=START,
        policy=LoopPolicy.model_validate({"ladder": LADDER, **policy}),
        plan_rung=LADDER.rungs[0] if planned else None,
        packets=(PACKET,),
        terms=terms or GateTerms(),
    )


@contextlib.asynccontextmanager
async def at_work(client: Client, line: FakeLine) -> AsyncIterator[None]:
    workers: list[Worker] = [*line.workers(client), workflow_worker(client, line.activities())]
    async with contextlib.AsyncExitStack() as stack:
        for worker in workers:
            await stack.enter_async_context(worker)
        yield


async def begin(client: Client, run: Any, given: Any, name: str = "job") -> WorkflowHandle[Any, Any]:
    handle: WorkflowHandle[Any, Any] = await client.start_workflow(run, given, id=name, task_queue=WORKFLOW_QUEUE)
    return handle


async def until(look: Callable[[], Awaitable[Found | None]], patience_seconds: float = 40) -> Found:
    """What ``look`` finds, once it finds something."""
    async with asyncio.timeout(patience_seconds):
        while (found := await look()) is None:
            await asyncio.sleep(0.05)
        return found


async def open_gate(handle: WorkflowHandle[Any, Any], after: int = 0) -> int:
    """The number of the open gate, once one later than ``after`` is open."""

    async def look() -> int | None:
        status = await handle.query("status", result_type=dict)
        number = status["gate"]
        return number if number is not None and number > after else None

    return await until(look)


async def metadata(handle: WorkflowHandle[Any, Any]) -> WorkflowMetadata:
    found: WorkflowMetadata = await handle.query("__temporal_workflow_metadata", result_type=WorkflowMetadata)
    return found


async def updates_offered(handle: WorkflowHandle[Any, Any]) -> list[str]:
    return [update.name for update in (await metadata(handle)).definition.update_definitions]


async def details(handle: WorkflowHandle[Any, Any]) -> str:
    return (await metadata(handle)).current_details


async def decide(handle: WorkflowHandle[Any, Any], **answer: object) -> str:
    told: str = await handle.execute_update("decide", answer, result_type=str)
    return told


async def refusal(sent: Awaitable[object]) -> str:
    """The text that an update is refused with; no stack trace goes with it."""
    try:
        await sent
    except WorkflowUpdateFailedError as failed:
        cause: Any = failed.cause
        assert not cause.failure.stack_trace
        return str(cause.message)
    raise AssertionError("the update was recorded")
