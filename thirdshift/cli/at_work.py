"""A worker inside this process, and how to know whether there is one elsewhere."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from thirdshift.adapters.engine.locks import worker_is_marked, worker_mark

if TYPE_CHECKING:
    from temporalio.client import Client

    from activities.services import Services
    from thirdshift.adapters.engine.access import Engine
    from thirdshift.bootstrap.crew import Crew, CrewFacts
    from thirdshift.settings import Settings
    from thirdshift.settings.duties import Duty

_HEARD_OF = timedelta(seconds=75)
"""A worker that lives asks for work once a minute at least."""


@asynccontextmanager
async def at_work(
    settings: Settings, services: Services, engine: Engine, only: Duty | None = None
) -> AsyncIterator[None]:
    """Work until the block is left, and let others see it; ``only`` one of the duties."""
    from contextlib import nullcontext

    from thirdshift.bootstrap.books import redactor_of
    from thirdshift.bootstrap.logs import logged
    from thirdshift.bootstrap.worker import unconfined_warning, working

    takes_jobs = only in (None, "hosts")
    if takes_jobs and (warning := unconfined_warning(services)):
        click.secho(warning, err=True, fg="red", bold=True)
    log = "worker.log" if takes_jobs else f"worker-{only}.log"
    # Only who runs workflows can take a job up or record an answer, and that is what others want to know.
    mark = worker_mark(settings.home) if takes_jobs else nullcontext()
    with mark, logged(settings.log_dir, log, redactor_of(settings)):
        async with working(settings, services, engine.client, engine.ui_url, only):
            yield


@asynccontextmanager
async def crew_at_work(settings: Settings, remark: Callable[[str], None]) -> AsyncIterator[tuple[Engine, CrewFacts]]:
    """The server, and a worker whose duties are processes of their own, until the block is left.

    They are started first: while they load what they need, the server comes up.
    """
    from thirdshift.adapters.engine.access import open_engine
    from thirdshift.bootstrap.books import redactor_of
    from thirdshift.bootstrap.crew import crew

    async with AsyncExitStack() as stack:
        workers = await stack.enter_async_context(crew(settings, remark))
        engine = await stack.enter_async_context(
            open_engine(settings.engine, settings.home, may_start=True, redactor=redactor_of(settings))
        )
        stack.push_async_callback(workers.stop)  # before the server goes
        yield engine, await join(workers, engine)


async def join(workers: Crew, engine: Engine) -> CrewFacts:
    """Set the processes to work for this server, and wait until each does."""
    from thirdshift.core.engine import EngineTarget

    return await workers.begin(EngineTarget(kind="address", address=engine.address, ui_url=engine.ui_url))


async def worker_is_up(settings: Settings, client: Client) -> bool:
    """Whether somebody takes up jobs: a worker of this home, or one that a server of others has heard of lately."""
    if worker_is_marked(settings.home):
        return True
    if settings.engine.kind == "embedded":
        return False
    from temporalio.api.enums.v1 import TaskQueueType
    from temporalio.api.taskqueue.v1 import TaskQueue
    from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest

    from thirdshift.bootstrap.services import now
    from thirdshift.signatures import WORKFLOW_QUEUE

    answer = await client.workflow_service.describe_task_queue(
        DescribeTaskQueueRequest(
            namespace=client.namespace,
            task_queue=TaskQueue(name=WORKFLOW_QUEUE),
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
        )
    )
    return any(
        now() - datetime.fromtimestamp(poller.last_access_time.seconds, UTC) < _HEARD_OF for poller in answer.pollers
    )
