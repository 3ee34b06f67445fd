from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from temporalio import workflow
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from tests.fakes.intake import FakeIntake
from tests.fakes.line import FakeLine
from tests.workflows.line_at_work import job_input
from thirdshift.bootstrap.workflow_worker import workflow_worker
from thirdshift.core.events.intakes import intake_id
from thirdshift.core.history import StopReason
from thirdshift.intake_signatures import Arrival, IntakeInput, Triaged
from thirdshift.signatures import DELIVERY_QUEUE, HOSTS_QUEUE, WORKFLOW_QUEUE, JobResult, host_queue, model_queue
from workflows.intake import Intake

REPOSITORY = "acme/shop"
ELSEWHERE = "test-night"


@workflow.defn(name="NightThatListens")
class NightThatListens:
    """Stands for a ``Shift``: it ends once it has been told to look again."""

    def __init__(self) -> None:
        self._told = 0

    @workflow.run
    async def run(self) -> int:
        await workflow.wait_condition(lambda: self._told > 0)
        return self._told

    @workflow.signal
    def look_again(self) -> None:
        self._told += 1


@contextlib.asynccontextmanager
async def intake_at_work(client: Client, intake: FakeIntake, line: FakeLine | None = None) -> AsyncIterator[None]:
    """Workers of every queue; the one for deliveries has both sets of activities."""
    line = line or FakeLine()
    queues = [HOSTS_QUEUE, host_queue("here"), model_queue("cheap"), model_queue("dear")]
    workers = [Worker(client, task_queue=queue, activities=line.activities()) for queue in queues]
    workers.append(Worker(client, task_queue=DELIVERY_QUEUE, activities=[*line.activities(), *intake.activities()]))
    workers.append(workflow_worker(client, line.activities()))
    async with contextlib.AsyncExitStack() as stack:
        for worker in workers:
            await stack.enter_async_context(worker)
        yield


async def tell(client: Client, number: int, fingerprint: str = "f") -> WorkflowHandle[Any, Any]:
    return await client.start_workflow(
        Intake.run,
        IntakeInput(repository=REPOSITORY, debounce_seconds=30, longest_debounce_seconds=100),
        id=intake_id(REPOSITORY),
        task_queue=WORKFLOW_QUEUE,
        start_signal="arrived",
        start_signal_args=[Arrival(number=number, fingerprint=fingerprint)],
    )


async def now(environment: WorkflowEnvironment) -> float:
    return (await environment.get_current_time()).timestamp()


async def test_events_about_the_same_thing_are_decided_on_once_when_no_more_have_come_for_a_while(
    environment: WorkflowEnvironment,
) -> None:
    intake = FakeIntake()
    async with intake_at_work(environment.client, intake):
        await tell(environment.client, 1)
        await environment.sleep(20)
        await tell(environment.client, 2)
        last = await now(environment)
        await environment.sleep(20)
        assert not intake.triages
        await (await tell(environment.client, 1)).result()
    assert [given.up_to for given in intake.triages] == [2]
    assert intake.scheduled[0] >= last + 30


async def test_what_never_stops_coming_is_decided_on_all_the_same(environment: WorkflowEnvironment) -> None:
    intake = FakeIntake()
    async with intake_at_work(environment.client, intake):
        began = await now(environment)
        for number in range(1, 8):
            await tell(environment.client, number)
            await environment.sleep(20)
        await (await tell(environment.client, 8)).result()
    assert 100 <= intake.scheduled[0] - began < 130
    assert intake.decided() == {"f": 8}


async def test_different_things_do_not_wait_for_one_another(environment: WorkflowEnvironment) -> None:
    intake = FakeIntake()
    async with intake_at_work(environment.client, intake):
        await tell(environment.client, 1, "a")
        await environment.sleep(20)
        handle = await tell(environment.client, 2, "b")
        await handle.result()
    assert [(given.fingerprint, given.up_to) for given in intake.triages] == [("a", 1), ("b", 2)]
    assert intake.scheduled[1] - intake.scheduled[0] >= 15


async def test_a_job_that_was_decided_on_is_started_and_lives_on_when_its_intake_has_ended(
    environment: WorkflowEnvironment,
) -> None:
    intake = FakeIntake(answers={"f": Triaged(job_id="job", start=job_input(), title="a title")})
    async with intake_at_work(environment.client, intake):
        await (await tell(environment.client, 1)).result()
        job = environment.client.get_workflow_handle("job", result_type=JobResult)
        assert (await job.result()).stop is StopReason.ACCEPTED


async def test_a_job_that_was_started_before_is_not_started_again(environment: WorkflowEnvironment) -> None:
    answer = Triaged(job_id="job", start=job_input(), title="a title")
    intake = FakeIntake(answers={"f": answer, "g": answer})
    line = FakeLine()
    async with intake_at_work(environment.client, intake, line):
        await tell(environment.client, 1, "f")
        await environment.sleep(20)
        handle = await tell(environment.client, 2, "g")
        await handle.result()
        await environment.client.get_workflow_handle("job").result()
        assert (await handle.describe()).status is WorkflowExecutionStatus.COMPLETED
    assert intake.decided() == {"f": 1, "g": 2}
    assert line.names().count("begin_job") == 1


async def test_the_night_that_is_under_way_is_told_to_look_again(environment: WorkflowEnvironment) -> None:
    client = environment.client
    intake = FakeIntake(answers={"f": Triaged(shift="nightly", night="shift-nightly-1")})
    night = Worker(
        client, task_queue=ELSEWHERE, workflows=[NightThatListens], workflow_runner=UnsandboxedWorkflowRunner()
    )
    async with intake_at_work(client, intake), night:
        told = await client.start_workflow(NightThatListens.run, id="shift-nightly-1", task_queue=ELSEWHERE)
        await (await tell(client, 1)).result()
        assert await told.result() == 1


async def test_a_night_that_has_ended_meanwhile_is_no_failure(environment: WorkflowEnvironment) -> None:
    intake = FakeIntake(answers={"f": Triaged(shift="nightly", night="shift-long-gone")})
    async with intake_at_work(environment.client, intake):
        await (await tell(environment.client, 1)).result()
    assert intake.decided() == {"f": 1}


async def test_people_are_told_of_a_storm_once(environment: WorkflowEnvironment) -> None:
    intake = FakeIntake(answers={name: Triaged(storm=True) for name in "abc"})
    async with intake_at_work(environment.client, intake):
        for number, name in enumerate("abc"):
            handle = await tell(environment.client, number, name)
        await handle.result()
    assert intake.storms == [REPOSITORY]


async def test_an_event_whose_signal_was_lost_is_found_in_the_ledger(environment: WorkflowEnvironment) -> None:
    intake = FakeIntake(lost=[Arrival(number=3, fingerprint="lost")])
    async with intake_at_work(environment.client, intake):
        await (await tell(environment.client, 5)).result()
    assert intake.decided() == {"f": 5, "lost": 3}


async def test_a_ledger_that_is_away_is_waited_for(environment: WorkflowEnvironment) -> None:
    intake = FakeIntake(fails_first={"f"})
    async with intake_at_work(environment.client, intake):
        await (await tell(environment.client, 1)).result()
    assert intake.decided() == {"f": 1}


async def test_a_number_that_no_event_has_stops_nobody_else(environment: WorkflowEnvironment) -> None:
    intake = FakeIntake(no_such_event={"typo"})
    async with intake_at_work(environment.client, intake):
        await tell(environment.client, 99, "typo")
        await (await tell(environment.client, 1)).result()
    assert intake.decided() == {"f": 1}


@pytest.mark.timeout(120)
async def test_no_signal_is_lost_where_it_continues_as_new_again_and_again(client: Client) -> None:
    """On the development server with a short history, which suggests to continue as new after sixty events."""
    intake = FakeIntake()
    names = [f"f{n % 25}" for n in range(200)]
    given = IntakeInput(repository=REPOSITORY, debounce_seconds=1, longest_debounce_seconds=3)
    async with intake_at_work(client, intake):
        for first in range(0, len(names), 50):
            await asyncio.gather(
                *(
                    client.start_workflow(
                        Intake.run,
                        given,
                        id=intake_id(REPOSITORY),
                        task_queue=WORKFLOW_QUEUE,
                        start_signal="arrived",
                        start_signal_args=[Arrival(number=n, fingerprint=names[n])],
                    )
                    for n in range(first, first + 50)
                )
            )
        runs = client.get_workflow_handle(intake_id(REPOSITORY))
        await runs.result()
        described = await runs.describe()
    assert described.raw_description.workflow_execution_info.first_run_id != described.run_id
    assert intake.decided() == {f"f{n}": 175 + n for n in range(25)}
