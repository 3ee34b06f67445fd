"""Whose money a call is: its night's, its team's, and in which order jobs that wait for it are served."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.model import WAITING, ModelActivities
from activities.quoting import price_call
from activities.services import Services
from tests.activities.bench import NOW, RUNG, PlayedModel, always, answer, services_at
from thirdshift.core.conversation import said_by_user
from thirdshift.core.history import ReasonCode
from thirdshift.core.ledger import AttemptRow, CallKey, Held, JobRow, LoopRow, ScopeKind
from thirdshift.core.night_book import NightRow
from thirdshift.core.nights import Night
from thirdshift.core.ports import ModelAnswer, ModelRequest
from thirdshift.core.scopes import BudgetLimits
from thirdshift.core.usage import Usage
from thirdshift.signatures import CallModel, ModelCalled

NIGHT = Night(
    id="nightly|2026-03-04",
    shift="nightly",
    day=date(2026, 3, 4),
    opens_at=NOW - timedelta(hours=1),
    drains_at=NOW + timedelta(hours=6),
    closes_at=NOW + timedelta(hours=7),
)
COST = 100 * 1_000 + 10 * 10_000
"""Of the bench's usual answer."""


def open_work(services: Services, job: str, *, priority: int = 0, team: str = "default", night_nano: int = 0) -> None:
    """A job with its loop and first attempt, assigned to the night where that has money."""
    ledger = services.ledger
    ledger.open_job(
        JobRow(
            job_id=job,
            spec_id="spec",
            spec_path="spec.md",
            title="Add two numbers",
            task="bugfix",
            risk="low",
            repository=f"/{job}",
            base_commit="c" * 40,
            base_tree="t" * 40,
            budget_nano=None,
            submitter="somebody",
            submitted_at=NOW,
            team=team,
            priority=priority,
        )
    )
    ledger.open_loop(
        LoopRow(loop_id=f"loop-{job}", job_id=job, packet="main", base_tree="t" * 40, checks=("unit",), opened_at=NOW)
    )
    ledger.open_attempt(
        AttemptRow(
            owner_id=f"loop-{job}",
            job_id=job,
            number=1,
            role="code",
            rung=RUNG,
            reason=ReasonCode.FIRST,
            start_tree="t" * 40,
            start_commit="c" * 40,
            host="here",
            opened_at=NOW,
            system="You are an engineer.",
            tools=(),
            opening=(said_by_user("Do the work now."),),
        )
    )
    if night_nano:
        ledger.assign_night(job, NIGHT.id, night_nano, priority, NIGHT.closes_at)


def open_night(services: Services, budget_nano: int) -> None:
    services.ledger.open_night(
        NightRow(
            night=NIGHT,
            workflow_id="shift-nightly",
            budget_nano=budget_nano,
            concurrency=4,
            deliver="branch",
            zone="UTC",
            opened_at=NIGHT.opens_at,
        )
    )


async def called(services: Services, job: str, step: int = 1, attempt: int = 1) -> ModelCalled:
    """The real activity, as the job's loop would have it run."""
    where = ActivityEnvironment()
    where.info = replace(
        where.info, workflow_id=f"loop-{job}", workflow_run_id="run-1", activity_id=f"a{step}", attempt=attempt
    )
    return await where.run(ModelActivities(services).call_model, CallModel(n=1, s=step))


@contextmanager
def waiting_in_line(ahead: int) -> Iterator[None]:
    with pytest.raises(ApplicationError, match=rf"waits for .* {ahead} ahead") as raised:
        yield
    assert raised.value.type == WAITING


def charged(services: Services) -> int:
    sums = services.ledger.night_sums(NIGHT.id)
    return sums.settled_nano + sums.held_nano + sums.unknown_nano


async def test_a_call_made_in_a_night_counts_against_the_nights_scope(tmp_path: Path) -> None:
    services = services_at(tmp_path, PlayedModel(always(answer(text="done"))))
    open_night(services, 40_000_000)
    open_work(services, "inside", night_nano=40_000_000)
    open_work(services, "outside")
    await called(services, "inside")
    await called(services, "outside")
    sums = services.ledger.night_sums(NIGHT.id)
    assert (sums.settled_nano, sums.limit_nano, sums.calls) == (COST, 40_000_000, 1)


async def test_no_call_is_made_after_the_window_unless_a_person_took_the_job_out_of_the_night(tmp_path: Path) -> None:
    services = services_at(tmp_path, PlayedModel(always(answer(text="done"))))
    open_night(services, 40_000_000)
    open_work(services, "job", night_nano=40_000_000)
    late = replace(services, clock=lambda: NIGHT.closes_at)
    refused = await called(late, "job")
    assert (refused.call, refused.fault) == (0, "window")
    assert NIGHT.id in refused.note
    assert services.ledger.job_cost_nano("job") == 0, "its hold was given back"
    services.ledger.leave_night("job", "ada", NIGHT.closes_at)
    assert (await called(late, "job")).call
    assert services.ledger.night_sums(NIGHT.id).calls == 0
    assert services.ledger.job_cost_nano("job") == COST


@pytest.mark.parametrize(("configured", "nights"), [(None, 1_000), (1_000, 40_000_000), (40_000_000, 1_000)])
async def test_the_lower_of_the_nights_budget_and_the_configured_one_holds(
    tmp_path: Path, configured: int | None, nights: int
) -> None:
    model = PlayedModel(always(answer(text="done")))
    services = services_at(tmp_path, model, BudgetLimits(shift_nano=configured))
    open_night(services, nights)
    open_work(services, "job", night_nano=nights)
    given = await called(services, "job")
    assert (given.fault, given.scope) == ("budget", f"shift {NIGHT.id}")
    assert "limit $0.000001" in given.note
    assert model.requests == []


async def test_a_nights_budget_is_never_exceeded_by_jobs_at_once_and_is_used_up(tmp_path: Path) -> None:
    seen: list[int] = []

    async def plays(request: ModelRequest) -> ModelAnswer:
        seen.append(await asyncio.to_thread(charged, services))
        tokens = request.max_output_tokens * (1 + len(seen) % 4) // 4
        return answer(text="more", usage=Usage(input_tokens=100, output_tokens=tokens))

    budget = 60_000_000
    services = services_at(tmp_path, PlayedModel(plays))
    open_night(services, budget)

    async def work(job: str) -> int:
        open_work(services, job, night_nano=budget)
        for step in range(1, 40):
            for attempt in range(1, 2000):
                try:
                    given = await called(services, job, step, attempt)
                except ApplicationError as waits:
                    if waits.type != WAITING:
                        raise
                    await asyncio.sleep(0)
                    continue
                break
            if given.fault:
                assert (given.fault, given.scope) == ("budget", f"shift {NIGHT.id}")
                return step
        raise AssertionError("the night's money did not end")

    steps = await asyncio.gather(*(work(f"job-{number}") for number in range(5)))
    assert sum(steps) > len(steps), "some calls were made"
    assert max(seen) <= budget
    assert 0.9 * budget < charged(services) <= budget
    sums = services.ledger.night_sums(NIGHT.id)
    assert (sums.held_nano, sums.calls) == (0, len(seen))


async def test_of_two_waiting_jobs_the_one_of_higher_priority_gets_freed_money_first(tmp_path: Path) -> None:
    services = services_at(tmp_path, PlayedModel(always(answer(text="hi"))), BudgetLimits(team_day_nano=14_000_000))
    for job, priority in (("spends", 0), ("patient", -5), ("urgent", 20)):
        open_work(services, job, priority=priority)
    key = CallKey(workflow_id="loop-spends", run_id="run-1", activity_id="a1", attempt=1)
    conversation = services.ledger.conversation("loop-spends", 1, 1)
    first = services.ledger.place_hold(price_call(services, conversation, key, 1).opening)
    assert isinstance(first, Held)
    with waiting_in_line(ahead=0):
        await called(services, "patient")
    with waiting_in_line(ahead=0):
        await called(services, "urgent")
    services.ledger.settle(first.call_id, answer(text="x"), 1, 0.1, NOW)
    with waiting_in_line(ahead=1):
        await called(services, "patient", attempt=2)
    assert (await called(services, "urgent", attempt=2)).fault == ""
    assert (await called(services, "patient", attempt=3)).fault == ""


async def test_a_call_counts_against_the_day_and_month_of_its_jobs_team(tmp_path: Path) -> None:
    at = datetime(2026, 3, 4, 23, 59, tzinfo=UTC)
    services = replace(services_at(tmp_path, PlayedModel(always(answer(text="hi")))), clock=lambda: at)
    open_work(services, "theirs", team="payments")
    open_work(services, "ours")
    await called(services, "theirs")
    totals = services.ledger.scope_totals  # type: ignore[attr-defined]  # of the ledger for auditors
    for kind, when in ((ScopeKind.TEAM_DAY, "2026-03-04"), (ScopeKind.TEAM_MONTH, "2026-03")):
        assert totals(kind.value, f"payments|{when}").settled_nano == COST
        assert totals(kind.value, f"default|{when}").settled_nano == 0
