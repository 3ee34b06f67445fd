from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.adapters.ledger.books import (
    NOW,
    Books,
    answer,
    attempt_row,
    held,
    job_row,
    key,
    later,
    loop_row,
    opening,
    verdict,
)
from tests.adapters.ledger.nights import EVENING, night, night_row
from thirdshift.core.calls import Scope, ScopeKind
from thirdshift.core.gate_book import GateOpening
from thirdshift.core.gates import GateEnd
from thirdshift.core.history import StopReason
from thirdshift.core.ledger import JobClosing
from thirdshift.core.outcomes import Outcome, OutcomeKind
from thirdshift.core.spec import GateKind

TONIGHT = night().id
SINCE = NOW - timedelta(days=30)


def work(books: Books, job: str, *calls: str, cost: int = 400, night_id: str | None = None, **fields: Any) -> None:
    """One job, loop and attempt, and calls that end as told: settled, unknown, released, put off, away, or held."""
    books.ledger.open_job(job_row(job, **fields))
    books.ledger.open_loop(loop_row(f"{job}-loop", job))
    books.ledger.open_attempt(attempt_row(f"{job}-loop", 1, job))
    for step, ends in enumerate(calls, start=1):
        scopes = [Scope(kind=ScopeKind.JOB, key=job, limit_nano=None)]
        if night_id is not None:
            scopes.append(Scope(kind=ScopeKind.SHIFT, key=night_id, limit_nano=40_000))
        asked = opening(
            1000, step=step, key=key(f"s{step}", workflow=job), job_id=job, owner_id=f"{job}-loop", scopes=tuple(scopes)
        )
        call_id = held(books.ledger.place_hold(asked))
        match ends:
            case "settled":
                books.ledger.settle(call_id, answer(), cost, 1.0, NOW)
            case "unknown":
                books.ledger.mark_unknown(call_id, "cut_stream: it ended early", NOW)
            case "released":
                books.ledger.release(call_id, "server_error: 500", NOW)
            case "put off":
                books.ledger.release(call_id, "rate_limited: 429", NOW)
            case "away":
                books.ledger.release(call_id, "unreachable: nobody answers", NOW)
            case "stopped":
                books.ledger.mark_unknown(call_id, "stopped while the call was under way", NOW)


def end(books: Books, job: str, reason: StopReason = StopReason.ACCEPTED, at: datetime = NOW) -> None:
    closing = JobClosing(
        job_id=job, stop_reason=reason, evidence="", branch="", commit="c", tree="t", remedy="", closed_at=at
    )
    books.ledger.close_job(closing)


def test_nothing_is_expected_of_what_was_never_done(books: Books) -> None:
    found = books.ledger.expectation("/srv/invoices", "bugfix", SINCE)
    assert (found.expected_nano, found.median_seconds, found.jobs) == (None, None, 0), "the only job goes on still"


def test_the_cost_of_a_like_is_all_spend_over_what_was_accepted(books: Books) -> None:
    work(books, "good", "settled", "settled")
    work(books, "bad", "settled", "unknown")
    end(books, "good", at=later(100))
    end(books, "bad", StopReason.MAX_ATTEMPTS, at=later(300))
    found = books.ledger.expectation("/srv/invoices", "bugfix", SINCE)
    assert (found.expected_nano, found.median_seconds, found.jobs) == (400 * 3 + 1000, 200.0, 2)


def test_the_narrowest_kind_that_knows_a_figure_says_it(books: Books) -> None:
    work(books, "elsewhere", "settled", cost=100, repository="/srv/other")
    end(books, "elsewhere", at=later(10))
    work(books, "another-task", "settled", cost=900, task="docs")
    end(books, "another-task", at=later(90))
    expected = books.ledger.expectation
    assert expected("/srv/invoices", "bugfix", SINCE).expected_nano == 100
    assert expected("/srv/invoices", "docs", SINCE).expected_nano == 900
    assert expected("/srv/invoices", "migration", SINCE).expected_nano == 500
    assert expected("/srv/invoices", "migration", SINCE).jobs == 2
    work(books, "here", "settled", cost=700)
    end(books, "here", StopReason.NO_PROGRESS, at=later(70))
    found = expected("/srv/invoices", "bugfix", SINCE)
    assert (found.jobs, found.median_seconds) == (1, 70.0)
    assert found.expected_nano == 100 + 700, "nothing was accepted here, so the task everywhere says it"


def test_what_was_submitted_before_is_not_looked_at(books: Books) -> None:
    work(books, "old", "settled", submitted_at=SINCE - timedelta(days=1))
    end(books, "old")
    assert books.ledger.expectation("/srv/invoices", "bugfix", SINCE).jobs == 0


def test_what_git_showed_later_decides_what_was_accepted(books: Books) -> None:
    for job in ("kept", "reverted"):
        work(books, job, "settled")
        end(books, job)
    told = Outcome(job_id="reverted", kind=OutcomeKind.REVERTED, commit="c", share=1000, how="revert", at=NOW)
    books.ledger.put_outcomes([told], "git", NOW)
    assert books.ledger.expectation("/srv/invoices", "bugfix", SINCE).expected_nano == 800


def test_waits_for_people_and_windows_take_no_time(books: Books) -> None:
    work(books, "waited", "settled")
    for index, (opened, closed) in enumerate([(100, 400), (300, 500), (350, 360)]):
        seq = books.ledger.open_gate(
            GateOpening(
                open_key=f"g/{index}",
                job_id="waited",
                owner_id="waited",
                kind=GateKind.MERGE,
                tree="t",
                reason="",
                reviewers=(),
                opened_at=later(opened),
            )
        )
        books.ledger.decide_gate("waited", seq, [], GateEnd.APPROVED, later(closed))
    books.ledger.park_job("waited", "dawn", later(600))
    books.ledger.unpark_job("waited", "the next night", later(900))
    end(books, "waited", at=later(1000))
    assert books.ledger.expectation("/srv/invoices", "bugfix", SINCE).median_seconds == 1000 - 400 - 300


@pytest.mark.parametrize("reason", [StopReason.STOPPED_BY_PERSON, StopReason.WINDOW_CLOSED])
def test_work_that_was_cut_short_does_not_say_how_long_it_takes(books: Books, reason: StopReason) -> None:
    work(books, "cut", "settled")
    end(books, "cut", reason, at=later(1))
    found = books.ledger.expectation("/srv/invoices", "bugfix", SINCE)
    assert (found.median_seconds, found.jobs) == (None, 1)


def test_a_night_sums_the_calls_that_count_against_it_and_the_verdicts_made_in_it(books: Books) -> None:
    books.ledger.open_night(night_row())
    assert books.ledger.night_sums(TONIGHT).limit_nano == 40_000_000_000, "its budget, while nothing is booked on it"
    work(books, "one", "settled", "unknown", "released", "held", night_id=TONIGHT)
    work(books, "two", "settled", night_id="another|2026-03-01")
    books.ledger.put_verdict("one-loop", 0, verdict("base", unit=False), EVENING + timedelta(hours=1))
    books.ledger.put_verdict("one-loop", 1, verdict("a", unit=False), EVENING + timedelta(hours=1))
    books.ledger.put_verdict("one-loop", 2, verdict("b"), EVENING + timedelta(hours=2))
    books.ledger.put_verdict("one-loop", 3, verdict("c"), EVENING - timedelta(hours=2))
    books.ledger.put_verdict("two-loop", 1, verdict("d"), EVENING + timedelta(hours=2))
    sums = books.ledger.night_sums(TONIGHT)
    assert (sums.settled_nano, sums.held_nano, sums.unknown_nano, sums.limit_nano) == (400, 1000, 1000, 40_000)
    assert (sums.verdicts, sums.failed_verdicts, sums.calls, sums.faulted_calls) == (2, 1, 4, 2)
    books.ledger.close_night(TONIGHT, "stopped", "enough", EVENING + timedelta(minutes=90))
    assert books.ledger.night_sums(TONIGHT).verdicts == 1


def test_a_call_that_was_told_to_wait_or_was_stopped_is_no_fault_of_a_provider(books: Books) -> None:
    """Rates are waited out. Were they anomalies, a provider asked a little too often would stop the whole night."""
    books.ledger.open_night(night_row())
    work(books, "one", "settled", "put off", "put off", "away", "stopped", "unknown", "released", night_id=TONIGHT)
    sums = books.ledger.night_sums(TONIGHT)
    assert (sums.calls, sums.faulted_calls) == (4, 2)
