"""What the engine alone can tell of a job: that its workflow is over while its books are open."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import pytest
from temporalio.client import WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from tests.adapters.ledger.books import JOB, NOW, Books
from tests.cli.desk import Type, script, wait_for_line
from thirdshift.adapters.engine.access import Engine, open_engine
from thirdshift.adapters.ledger import SqlLedger, open_ledger
from thirdshift.cli.ended_outside import all_known_to_engine, known_to_engine
from thirdshift.core.history import StopReason
from thirdshift.core.ledger import JobClosing
from thirdshift.core.views import JobState
from thirdshift.settings import load_settings


@dataclass
class Described:
    """What a server says of a workflow."""

    status: WorkflowExecutionStatus


@dataclass
class FakeEngine:
    """A server that knows one workflow, or does not answer; ``books`` are closed while it is asked."""

    status: WorkflowExecutionStatus | RPCStatusCode
    books: SqlLedger | None = None

    @property
    def client(self) -> FakeEngine:
        return self

    def get_workflow_handle(self, _workflow_id: str) -> FakeEngine:
        return self

    async def describe(self) -> Described:
        if self.books is not None:
            self.books.close_job(
                JobClosing(
                    job_id=JOB, stop_reason=StopReason.ACCEPTED, evidence="", branch="b", commit="c", tree="t",
                    remedy="", closed_at=NOW,
                )
            )  # fmt: skip
        if isinstance(self.status, RPCStatusCode):
            raise RPCError("no", self.status, b"")
        return Described(self.status)


@pytest.fixture
def books(tmp_path: Path) -> Iterator[SqlLedger]:
    ledger = open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
    Books(ledger, "").begin()
    yield ledger
    ledger.close()


async def state(engine: FakeEngine | None, books: SqlLedger) -> JobState:
    """As one job and as a line of the list."""
    view, rows = books.job_view(JOB), books.list_jobs(9)
    server = cast("Engine | None", engine)
    (row,) = await all_known_to_engine(server, books, rows)
    one = await known_to_engine(server, books, view)
    if engine is None or engine.books is None:
        assert row.state is one.state
    return one.state


@pytest.mark.parametrize(
    ("status", "how"),
    [
        (WorkflowExecutionStatus.TERMINATED, "terminated"),
        (WorkflowExecutionStatus.CANCELED, "canceled"),
        (WorkflowExecutionStatus.FAILED, "failed"),
        (WorkflowExecutionStatus.TIMED_OUT, "timed out"),
    ],
)
async def test_a_job_whose_workflow_is_over_has_failed_and_says_how(
    books: SqlLedger, status: WorkflowExecutionStatus, how: str
) -> None:
    engine = FakeEngine(status)
    assert await state(engine, books) is JobState.FAILED
    view = await known_to_engine(cast("Engine", engine), books, books.job_view(JOB))
    assert view.evidence == f"its workflow ended from outside: {how}"
    assert view.remedy == f"thirdshift resume {JOB}"


@pytest.mark.parametrize(
    "status", [WorkflowExecutionStatus.RUNNING, RPCStatusCode.NOT_FOUND, RPCStatusCode.UNAVAILABLE]
)
async def test_a_job_that_may_still_run_is_as_the_books_have_it(
    books: SqlLedger, status: WorkflowExecutionStatus | RPCStatusCode
) -> None:
    assert await state(FakeEngine(status), books) is JobState.RUNNING


async def test_without_a_server_the_books_are_believed(books: SqlLedger) -> None:
    assert await state(None, books) is JobState.RUNNING


async def test_a_job_that_ends_by_itself_while_the_server_is_asked_has_not_failed(books: SqlLedger) -> None:
    assert await state(FakeEngine(WorkflowExecutionStatus.COMPLETED, books), books) is JobState.ACCEPTED


def test_a_terminated_job_is_shown_as_failed_and_can_be_resumed(desk: Path, ask: Any, start: Type) -> None:
    script(desk, "hello", delay=60)
    up = start("up")
    wait_for_line(up, "Ready", "stdout")
    job_id = ask("submit", "spec.md")[1]["jobs"][0]["job_id"]
    watch = start("watch", job_id)
    wait_for_line(watch, "attempt 1 on economy")
    asyncio.run(terminate(desk, job_id))
    _, err = watch.communicate()
    assert watch.returncode == 1
    assert f"thirdshift resume {job_id}" in err
    _, status = ask("status", job_id)
    assert (status["state"], status["stop_reason"]) == ("failed", None)
    assert status["evidence"] == "its workflow ended from outside: terminated"
    assert [job["state"] for job in ask("status")[1]["jobs"]] == ["failed"]
    again = start("resume", job_id, "--json")
    wait_for_line(again, "attempt 2 on economy")
    assert ask("status", job_id)[1]["state"] == "running"


async def terminate(desk: Path, job_id: str) -> None:
    """As somebody does in Temporal's Web UI."""
    settings = load_settings(desk / "thirdshift.toml", desk, {"THIRDSHIFT_HOME": str(desk / "home")})
    async with open_engine(settings.engine, settings.home, may_start=False) as engine:
        await engine.client.get_workflow_handle(job_id).terminate("somebody pressed the button")
