"""A worker inside this process, and how to know whether there is one elsewhere."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from thirdshift.adapters.engine.locks import worker_is_marked, worker_mark

if TYPE_CHECKING:
    from temporalio.client import Client

    from activities.services import Services
    from thirdshift.adapters.engine.access import Engine
    from thirdshift.bootstrap.worker import Duty
    from thirdshift.settings import Settings

_HEARD_OF = timedelta(seconds=75)
"""A worker that lives asks for work once a minute at least."""


@asynccontextmanager
async def at_work(
    settings: Settings, services: Services, engine: Engine, only: Duty | None = None
) -> AsyncIterator[None]:
    """Work until the block is left, and let others see it; ``only`` one half of the duties."""
    from thirdshift.bootstrap.logs import logged
    from thirdshift.bootstrap.worker import unconfined_warning, working

    if only != "models" and (warning := unconfined_warning(services)):
        click.secho(warning, err=True, fg="red", bold=True)
    with worker_mark(settings.home), logged(settings.log_dir):
        async with working(settings, services, engine.client, engine.ui_url, only):
            yield


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
