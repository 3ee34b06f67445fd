from __future__ import annotations

import pytest

from tests.adapters.ledger.books import (
    JOB,
    LOOP,
    NOW,
    Books,
    answer,
    attempt_row,
    held,
    job_row,
    key,
    later,
    opening,
    verdict,
)
from tests.adapters.ledger.test_records import closed, ended
from thirdshift.core.history import ReasonCode, StopReason
from thirdshift.core.ladder import Rung, Tier
from thirdshift.core.views import CallCounts, JobState, Spend, Tokens

BIG = Rung(model="vendor/big", tier=Tier.SPECIALIST, effort="high")


def play(books: Books) -> None:
    """A plan, a failed attempt with one lost call, and a passing attempt a tier higher."""
    books.ledger.open_attempt(attempt_row(JOB, 0, role="plan"))
    plan = opening(key=key("plan", workflow=JOB), owner_id=JOB, attempt_number=0, role="plan")
    books.ledger.settle(held(books.ledger.place_hold(plan)), answer("plan"), 50, 1.0, NOW)
    books.step(1, cost_nano=400)
    lost = held(books.ledger.place_hold(opening(700, step=2)))
    books.ledger.mark_unknown(lost, "cut", NOW)
    books.ledger.put_verdict(LOOP, 0, verdict("t" * 40, lint=False, unit=False), NOW)
    first = books.ledger.put_verdict(LOOP, 1, verdict(unit=False), NOW)
    books.ledger.close_attempt(ended(verdict_id=first))
    books.ledger.open_attempt(attempt_row(number=2, rung=BIG, reason=ReasonCode.VERIFICATION_FAILED))
    climbed = opening(
        9000, key=key("a2"), attempt_number=2, model=BIG.model, tier=BIG.tier, reason=ReasonCode.VERIFICATION_FAILED
    )
    books.ledger.settle(held(books.ledger.place_hold(climbed)), answer("better"), 8000, 2.0, NOW)
    second = books.ledger.put_verdict(LOOP, 2, verdict("m" * 40), NOW)
    books.ledger.close_attempt(ended(number=2, verdict_id=second))


def test_a_job_view_has_attempts_verdicts_and_money_in_kinds(books: Books) -> None:
    play(books)
    books.ledger.close_job(closed())
    view = books.ledger.job_view(JOB)
    assert view.job == job_row()
    assert view.state is JobState.ACCEPTED
    assert view.spend == Spend(settled_nano=8450, unknown_nano=700)
    assert view.calls == CallCounts(settled=3, unknown=1)
    assert view.tokens == Tokens(input=3000, cached=2700, output=150)
    assert view.steps == 3
    assert view.tier is Tier.SPECIALIST
    assert [(attempt.number, attempt.role, attempt.tier) for attempt in view.attempts] == [
        (1, "code", Tier.ECONOMY),
        (0, "plan", Tier.ECONOMY),
        (2, "code", Tier.SPECIALIST),
    ]
    climbed = view.loop_attempts[-1]
    assert (climbed.reason, climbed.effort, climbed.spend.settled_nano) == (
        ReasonCode.VERIFICATION_FAILED,
        "high",
        8000,
    )
    assert climbed.verdict is not None
    assert climbed.verdict.passed
    assert view.best == climbed.verdict
    assert view.baseline is not None
    assert [check.state for check in view.baseline.checks] == ["failed", "failed"]
    assert (view.branch, view.commit, view.tree, view.ended_at) == ("thirdshift/job-1", "k" * 40, "n" * 40, later(60))


def test_the_best_verdict_of_a_job_that_failed_is_the_one_with_most_checks_passing(books: Books) -> None:
    books.ledger.put_verdict(LOOP, 1, verdict("1" * 40, unit=False), NOW)
    books.ledger.put_verdict(LOOP, 2, verdict("2" * 40, unit=False, lint=False), NOW)
    best = books.ledger.job_view(JOB).best
    assert best is not None
    assert best.tree == "1" * 40


def test_cost_lines_of_a_job_are_by_attempt_and_sum_to_it(books: Books) -> None:
    play(books)
    lines = books.ledger.cost_lines(JOB)
    assert [(line.owner_id, line.attempt, line.role, line.model, line.spend.settled_nano) for line in lines] == [
        (LOOP, 1, "code", "local/small", 400),
        (JOB, 0, "plan", "local/small", 50),
        (LOOP, 2, "code", "vendor/big", 8000),
    ]
    assert lines[0].spend.unknown_nano == 700
    assert sum((line.spend for line in lines), Spend()) == books.ledger.job_view(JOB).spend
    with pytest.raises(KeyError):
        books.ledger.cost_lines("job-9")


def test_cost_lines_over_all_jobs_are_by_tier_model_and_role(books: Books) -> None:
    play(books)
    books.ledger.open_job(job_row("job-2"))
    books.ledger.open_attempt(attempt_row("loop-2", 1, "job-2"))
    other = opening(key=key("x", workflow="loop-2"), job_id="job-2", owner_id="loop-2")
    books.ledger.settle(held(books.ledger.place_hold(other)), answer("x"), 5, 1.0, NOW)
    lines = books.ledger.cost_lines(None)
    assert [(line.role, line.tier, line.model, line.spend.settled_nano) for line in lines] == [
        ("code", Tier.ECONOMY, "local/small", 405),
        ("code", Tier.SPECIALIST, "vendor/big", 8000),
        ("plan", Tier.ECONOMY, "local/small", 50),
    ]


def test_a_call_that_crosses_midnight_stays_in_the_hour_it_was_opened_in(books: Books) -> None:
    call_id = held(books.ledger.place_hold(opening(opened_at=NOW)))
    books.ledger.settle(call_id, answer(), 400, 1.0, later(7200))
    (line,) = books.ledger.cost_lines(JOB)
    assert line.spend == Spend(settled_nano=400)
    assert line.calls == CallCounts(settled=1)


@pytest.mark.parametrize(
    ("reason", "state"),
    [
        (StopReason.ACCEPTED, JobState.ACCEPTED),
        (StopReason.REJECTED, JobState.REJECTED),
        (StopReason.BUDGET, JobState.STOPPED),
        (StopReason.SETUP_FAILED, JobState.FAILED),
    ],
)
def test_the_state_of_an_ended_job_follows_from_its_stop_reason(
    books: Books, reason: StopReason, state: JobState
) -> None:
    books.ledger.close_job(closed(reason))
    assert books.ledger.job_view(JOB).state is state


def test_jobs_are_listed_newest_first_with_their_state(books: Books) -> None:
    books.step(1, cost_nano=400)
    books.ledger.open_job(job_row("job-2", submitted_at=later(10)))
    books.ledger.open_job(job_row("job-3", submitted_at=later(20)))
    books.ledger.open_attempt(attempt_row("job-3", 0, "job-3", role="plan"))
    listed = books.ledger.list_jobs(10)
    assert [(job.job_id, job.state) for job in listed] == [
        ("job-3", JobState.PLANNING),
        ("job-2", JobState.QUEUED),
        (JOB, JobState.RUNNING),
    ]
    assert listed[-1].spend.settled_nano == 400
    assert [job.job_id for job in books.ledger.list_jobs(1)] == ["job-3"]
    with pytest.raises(KeyError):
        books.ledger.job_view("job-9")
