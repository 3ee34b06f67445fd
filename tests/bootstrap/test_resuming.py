"""Going on with jobs: from where, with which packets, and what stands in the books where it fails."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

import pytest
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.exceptions import WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from activities.services import Services
from tests.adapters.ledger.books import attempt_row, held, opening, results_of, verdict
from tests.bootstrap.test_worker import settings_at
from thirdshift.adapters.engine.access import open_engine
from thirdshift.bootstrap.resuming import Room, resume
from thirdshift.bootstrap.services import open_services
from thirdshift.bootstrap.submission import prepare, submit
from thirdshift.bootstrap.worker import working
from thirdshift.core.errors import BadInput
from thirdshift.core.gate_book import GateOpening
from thirdshift.core.gates import GateEnd
from thirdshift.core.history import AttemptEnd, StopReason
from thirdshift.core.ledger import AttemptClosing, CallKey, JobClosing, JobRow, LoopRow
from thirdshift.core.spec import GateKind
from thirdshift.settings import Settings
from thirdshift.signatures import JobInput, JobResult, Standing

SPEC = """---
title: Add and subtract
repo: {repo}
plan: none
checks:
  - {{id: adds, run: "true", covers: [AC-1]}}
  - {{id: takes, run: "true", covers: [AC-2]}}
packets:
  - {{id: one, covers: [AC-1]}}
  - {{id: two, covers: [AC-2], needs: [one]}}
---
# Goal
Count.

# Acceptance
- AC-1: When two numbers are given, the system shall return their sum.
- AC-2: When two numbers are given, the system shall return their difference.
"""
BEST = Standing(tree="1" * 40, commit="k" * 40)
LEFT = Standing(tree="2" * 40, commit="d" * 40)


@dataclass
class Described:
    """What a server says of a workflow."""

    status: WorkflowExecutionStatus
    first_execution_run_id: str = "run-2"


@dataclass
class FakeEngine:
    """A server that knows one workflow, and starts what it is given or fails."""

    status: WorkflowExecutionStatus | None
    fails: Exception | None = None
    started: list[JobInput] = field(default_factory=list)

    def get_workflow_handle(self, _workflow_id: str) -> FakeEngine:
        return self

    async def describe(self) -> Described:
        if self.status is None:
            raise RPCError("no such workflow", RPCStatusCode.NOT_FOUND, b"")
        return Described(self.status)

    async def start_workflow(self, _run: object, given: JobInput, **_terms: object) -> Described:
        if self.fails is not None:
            raise self.fails
        self.started.append(given)
        return Described(WorkflowExecutionStatus.RUNNING)


@dataclass
class Place:
    """A job of two packets in the books, and who may go on with it."""

    settings: Settings
    services: Services
    job_id: str

    async def resume(self, engine: FakeEngine, room: Room | None = None) -> JobInput:
        """What the next run is given."""
        await resume(self.settings, self.services, cast(Client, engine), self.job_id, room or Room())
        (given,) = engine.started
        return given

    def stop(self, reason: StopReason, at: Standing = LEFT) -> None:
        self.services.ledger.close_job(
            JobClosing(
                job_id=self.job_id, stop_reason=reason, evidence="why", branch="b", commit=at.commit, tree=at.tree,
                remedy="how", closed_at=self.services.clock(),
            )
        )  # fmt: skip

    def attempt(self, packet: str, number: int = 1, *, tree: str = BEST.tree, passes: bool = True) -> None:
        """One attempt of one step, judged and closed."""
        ledger, now, loop = self.services.ledger, self.services.clock(), f"loop-{self.job_id}-{packet}"
        row = LoopRow(loop_id=loop, job_id=self.job_id, packet=packet, base_tree="t", checks=("lint",), opened_at=now)
        ledger.open_loop(row)
        ledger.open_attempt(attempt_row(loop, number, self.job_id))
        key = CallKey(workflow_id=loop, run_id="run-1", activity_id=f"{number}", attempt=1)
        asked = opening(key=key, job_id=self.job_id, owner_id=loop, attempt_number=number)
        call_id = held(ledger.place_hold(asked))
        ledger.mark_unknown(call_id, "cut", now)
        ledger.put_tool_run(results_of(call_id, tree=tree), now)
        judged = ledger.put_verdict(loop, number, verdict(tree, unit=passes), now)
        ledger.close_attempt(
            AttemptClosing(
                owner_id=loop, number=number, end=AttemptEnd.FINISHED, evidence="", verdict_id=judged, closed_at=now
            )
        )


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    settings = settings_at(tmp_path, "none")
    (tmp_path / "spec.md").write_text(SPEC.format(repo=tmp_path / "repo"))
    async with open_services(settings) as services:
        ready = prepare(settings, services, tmp_path / "spec.md")
        services.ledger.put_spec(ready.doc)
        services.ledger.open_job(
            JobRow(
                job_id=ready.job_id, spec_id=ready.doc.id, spec_path=str(ready.path), title="t", task="feature",
                risk="low", repository=ready.repository, base_commit=ready.base.commit, base_tree=ready.base.tree,
                budget_nano=10**9, submitter="ada", submitted_at=services.clock(), sandbox="none",
            )
        )  # fmt: skip
        yield Place(settings, services, ready.job_id)


ENDED = [
    WorkflowExecutionStatus.FAILED,
    WorkflowExecutionStatus.CANCELED,
    WorkflowExecutionStatus.TERMINATED,
    WorkflowExecutionStatus.TIMED_OUT,
    WorkflowExecutionStatus.COMPLETED,
]


@pytest.mark.parametrize("status", ENDED)
async def test_a_job_whose_workflow_was_ended_from_outside_goes_on_from_its_best_tree(
    place: Place, status: WorkflowExecutionStatus
) -> None:
    place.attempt("one", 3, passes=False)
    given = await place.resume(FakeEngine(status))
    assert given.resume_from == BEST
    assert given.attempts_before == 3
    assert [packet.id for packet in given.packets] == ["one", "two"]


async def test_a_job_ended_from_outside_before_any_verdict_goes_on_from_its_base(place: Place) -> None:
    given = await place.resume(FakeEngine(WorkflowExecutionStatus.TERMINATED))
    assert (given.resume_from, given.attempts_before) == (None, 0)


async def test_a_gate_that_the_ended_workflow_left_open_is_withdrawn(place: Place) -> None:
    ledger = place.services.ledger
    opened = GateOpening(
        open_key="k", job_id=place.job_id, owner_id=place.job_id, kind=GateKind.PLAN, tree="t", reason="r",
        reviewers=(), opened_at=place.services.clock(),
    )  # fmt: skip
    ledger.open_gate(opened)
    await place.resume(FakeEngine(WorkflowExecutionStatus.TERMINATED))
    assert [gate.end for gate in ledger.gates(place.job_id)] == [GateEnd.WITHDRAWN]


@pytest.mark.parametrize(
    ("status", "said"), [(WorkflowExecutionStatus.RUNNING, "is running already"), (None, "does not know it")]
)
async def test_a_job_without_an_end_is_left_alone_unless_its_workflow_is_known_to_be_over(
    place: Place, status: WorkflowExecutionStatus | None, said: str
) -> None:
    engine = FakeEngine(status)
    before = place.services.ledger.journal(place.job_id, 0)
    with pytest.raises(BadInput, match=said):
        await place.resume(engine)
    assert place.services.ledger.journal(place.job_id, 0) == before


async def test_a_stopped_job_that_the_server_has_forgotten_goes_on(place: Place) -> None:
    place.stop(StopReason.MAX_ATTEMPTS)
    assert (await place.resume(FakeEngine(None))).resume_from == LEFT


async def test_a_job_that_could_not_be_started_again_has_the_end_that_it_had(place: Place) -> None:
    place.stop(StopReason.MAX_ATTEMPTS)
    before = place.services.ledger.job_view(place.job_id)
    for _ in range(2):
        with pytest.raises(RuntimeError, match="went away"):
            await place.resume(FakeEngine(WorkflowExecutionStatus.COMPLETED, RuntimeError("the server went away")))
        assert place.services.ledger.job_view(place.job_id) == before
    assert (await place.resume(FakeEngine(WorkflowExecutionStatus.COMPLETED))).resume_from == LEFT


async def test_the_end_is_not_put_back_where_another_resume_was_first(place: Place) -> None:
    place.stop(StopReason.MAX_ATTEMPTS)
    first = WorkflowAlreadyStartedError(place.job_id, "Job")
    with pytest.raises(BadInput, match="running already"):
        await place.resume(FakeEngine(WorkflowExecutionStatus.COMPLETED, first))
    assert place.services.ledger.job_view(place.job_id).stop_reason is None


async def test_packets_that_were_accepted_are_not_paid_for_again(place: Place) -> None:
    place.attempt("one")
    place.attempt("two", passes=False, tree=LEFT.tree)
    place.stop(StopReason.MAX_ATTEMPTS)
    given = await place.resume(FakeEngine(WorkflowExecutionStatus.COMPLETED), Room(max_attempts=4))
    (left,) = given.packets
    assert (left.id, left.checks) == ("two", ("adds", "takes"))
    assert (given.resume_from, given.policy.max_attempts) == (LEFT, 4)


@pytest.mark.parametrize("reason", [None, StopReason.STOPPED_BY_PERSON, StopReason.UNDELIVERED])
async def test_a_job_whose_packets_were_all_accepted_goes_on_with_its_delivery(
    place: Place, reason: StopReason | None
) -> None:
    place.attempt("one")
    place.attempt("two")
    if reason is not None:
        place.stop(reason, BEST)
    given = await place.resume(FakeEngine(WorkflowExecutionStatus.TERMINATED))
    assert given.memory is not None
    assert [done.packet for done in given.memory.done] == [packet.id for packet in given.packets] == ["one", "two"]
    assert given.memory.result is not None
    assert (given.memory.result.stop, given.memory.result.best) == (StopReason.ACCEPTED, BEST)


async def test_work_that_a_person_rejected_is_worked_on_again(place: Place) -> None:
    place.attempt("one")
    place.attempt("two")
    place.stop(StopReason.REJECTED, BEST)
    given = await place.resume(FakeEngine(WorkflowExecutionStatus.COMPLETED))
    assert ([packet.id for packet in given.packets], given.memory) == (["two"], None)


@pytest.mark.timeout(120)
async def test_a_terminated_job_is_resumed_on_a_real_server(tmp_path: Path) -> None:
    settings = settings_at(tmp_path, "bubblewrap")
    async with (
        open_engine(settings.engine, settings.home, may_start=True) as engine,
        open_services(settings) as services,
    ):
        job_id = (await submit(settings, services, engine.client, tmp_path / "spec.md")).job_id
        handle = engine.client.get_workflow_handle(job_id, result_type=JobResult)
        with pytest.raises(BadInput, match="running already"):
            await resume(settings, services, engine.client, job_id, Room())
        await handle.terminate("somebody pressed the button")
        await resume(settings, services, engine.client, job_id, Room())
        async with working(settings, services, engine.client):
            assert (await handle.result()).stop is StopReason.ACCEPTED
        assert services.ledger.job_view(job_id).stop_reason is StopReason.ACCEPTED
