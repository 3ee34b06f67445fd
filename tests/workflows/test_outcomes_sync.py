from __future__ import annotations

from datetime import time

from temporalio import activity
from temporalio.client import Client, ScheduleActionStartWorkflow
from temporalio.worker import Worker

from tests.workflows.line_at_work import until
from thirdshift.adapters.engine.outcome_schedule import SCHEDULE, schedule_outcomes, unschedule_outcomes
from thirdshift.bootstrap.workflow_worker import workflow_worker
from thirdshift.intake_signatures import OutcomesLooked
from thirdshift.signatures import DELIVERY_QUEUE, WORKFLOW_QUEUE


async def test_a_schedule_has_delivered_work_looked_at_and_is_changed_in_place(client: Client) -> None:
    looks: list[str] = []

    @activity.defn
    async def look_at_outcomes() -> OutcomesLooked:
        looks.append(activity.info().workflow_type or "")
        return OutcomesLooked(words="Looked at 0 deliveries: 0 things new.")

    first = await schedule_outcomes(client, WORKFLOW_QUEUE, time(6, 30), "Europe/Berlin")
    assert first is not None
    handle = client.get_schedule_handle(SCHEDULE)
    await handle.pause()
    second = await schedule_outcomes(client, WORKFLOW_QUEUE, time(7, 45), "UTC")
    assert second is not None
    assert (second.hour, second.minute) == (7, 45)
    described = await handle.describe()
    assert described.schedule.state.paused
    assert isinstance(described.schedule.action, ScheduleActionStartWorkflow)

    async def looked() -> bool | None:
        return True if looks else None

    worker = Worker(client, task_queue=DELIVERY_QUEUE, activities=[look_at_outcomes])
    async with worker, workflow_worker(client, []):
        await handle.trigger()
        await until(looked)
    assert looks == ["OutcomesSync"]
    assert await unschedule_outcomes(client)
    assert not await unschedule_outcomes(client)
