"""Events and outcomes: every way through ``Intake`` and ``OutcomesSync`` that a change of code may not alter."""

from __future__ import annotations

import asyncio

from temporalio import activity
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from tests.fakes.intake import FakeIntake
from tests.fakes.line import FakeLine
from tests.replay.window_stories import Kept
from tests.workflows.line_at_work import job_input
from tests.workflows.test_intake import ELSEWHERE, REPOSITORY, NightThatListens, intake_at_work, tell
from thirdshift.bootstrap.workflow_worker import workflow_worker
from thirdshift.core.events.intakes import intake_id
from thirdshift.intake_signatures import Arrival, IntakeInput, OutcomesLooked, Triaged
from thirdshift.signatures import DELIVERY_QUEUE, WORKFLOW_QUEUE
from workflows.intake import Intake
from workflows.outcomes_sync import OutcomesSync


async def an_intake_that_gathers_and_starts_a_job(environment: WorkflowEnvironment) -> Kept:
    """Of two fingerprints of the same job, one of which comes twice."""
    answer = Triaged(job_id="job", start=job_input(), title="a title")
    intake, line = FakeIntake(answers={"f": answer, "g": answer}), FakeLine(trees=("c",))
    client = environment.client
    async with intake_at_work(client, intake, line):
        await tell(client, 1, "f")
        await environment.sleep(20)
        await tell(client, 2, "f")
        await environment.sleep(20)
        handle = await tell(client, 3, "g")
        await handle.result()
        await client.get_workflow_handle("job").result()
    assert intake.decided() == {"f": 2, "g": 3}
    assert line.names().count("begin_job") == 1
    return {"": handle, "job": client.get_workflow_handle("job")}


async def an_intake_in_a_storm(environment: WorkflowEnvironment) -> Kept:
    """With a night that is told, one that is gone, a signal that was lost, and a number that no event has."""
    client = environment.client
    intake = FakeIntake(
        answers={
            "a": Triaged(storm=True),
            "b": Triaged(storm=True, shift="nightly", night="shift-long-gone"),
            "c": Triaged(shift="nightly", night="shift-nightly-1"),
        },
        lost=[Arrival(number=3, fingerprint="lost")],
        no_such_event={"typo"},
    )
    night = Worker(
        client, task_queue=ELSEWHERE, workflows=[NightThatListens], workflow_runner=UnsandboxedWorkflowRunner()
    )
    async with intake_at_work(client, intake), night:
        told = await client.start_workflow(NightThatListens.run, id="shift-nightly-1", task_queue=ELSEWHERE)
        for number, name in enumerate(("a", "b", "c", "typo"), 5):
            handle = await tell(client, number, name)
        await handle.result()
        assert await told.result() == 1
    assert intake.storms == [REPOSITORY]
    assert intake.decided() == {"a": 5, "b": 6, "c": 7, "lost": 3}
    return {"": handle}


async def an_intake_that_continues_as_new(environment: WorkflowEnvironment) -> Kept:
    client, intake = environment.client, FakeIntake()
    given = IntakeInput(repository=REPOSITORY, debounce_seconds=1, longest_debounce_seconds=2)

    async def tell_of(number: int) -> None:
        await client.start_workflow(
            Intake.run,
            given,
            id=intake_id(REPOSITORY),
            task_queue=WORKFLOW_QUEUE,
            start_signal="arrived",
            start_signal_args=[Arrival(number=number, fingerprint=f"f{number % 6}")],
        )

    async with intake_at_work(client, intake):
        await asyncio.gather(*map(tell_of, range(40)))
        handle = client.get_workflow_handle(intake_id(REPOSITORY))
        await asyncio.wait_for(handle.result(), 60)
        described = await handle.describe()
    assert described.raw_description.workflow_execution_info.first_run_id != described.run_id
    assert intake.decided() == {f"f{number % 6}": number for number in range(34, 40)}
    return {"": handle}


async def a_look_at_outcomes(environment: WorkflowEnvironment) -> Kept:
    @activity.defn
    async def look_at_outcomes() -> OutcomesLooked:
        return OutcomesLooked(words="Looked at 0 deliveries: 0 things new.")

    client = environment.client
    worker = Worker(client, task_queue=DELIVERY_QUEUE, activities=[look_at_outcomes])
    async with worker, workflow_worker(client, []):
        handle = await client.start_workflow(OutcomesSync.run, id="outcomes", task_queue=WORKFLOW_QUEUE)
        assert "0 things new" in await handle.result()
    return {"": handle}


SKIPPING_TIME = (an_intake_that_gathers_and_starts_a_job, an_intake_in_a_storm, a_look_at_outcomes)
ON_A_SHORT_HISTORY = (an_intake_that_continues_as_new,)
