"""The facts of a period, as the ledger tells them on each database."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.adapters.ledger.books import (
    LOOP,
    NOW,
    Books,
    answer,
    attempt_row,
    held,
    job_row,
    opening,
    results_of,
    verdict,
)
from thirdshift.adapters.ledger.question_tables import LONG_INPUT
from thirdshift.core.calls import Raise, ScopeKind
from thirdshift.core.gate_book import GateOpening
from thirdshift.core.gates import GateAnswer, GateEnd, GateVerdict
from thirdshift.core.history import AttemptEnd, StopReason
from thirdshift.core.ledger import AttemptClosing, JobClosing
from thirdshift.core.outcomes import Outcome, OutcomeKind, OutcomeState
from thirdshift.core.periods import Period
from thirdshift.core.questions import Facts, Money
from thirdshift.core.rates import Band, Rates
from thirdshift.core.reckoning import reckon
from thirdshift.core.routing import Output
from thirdshift.core.spec import GateKind
from thirdshift.core.usage import Usage
from thirdshift.core.waste import LONG_CONTEXT_TOKENS, Cause


def close(books: Books, reason: StopReason = StopReason.ACCEPTED, at: datetime = NOW) -> None:
    verdict_id = books.ledger.put_verdict(LOOP, 1, verdict(), at)
    books.ledger.close_attempt(
        AttemptClosing(
            owner_id=LOOP, number=1, end=AttemptEnd.FINISHED, evidence="", verdict_id=verdict_id, closed_at=at
        )
    )
    books.ledger.close_job(
        JobClosing(
            job_id="job-1", stop_reason=reason, evidence="why", branch="b", commit="c", tree="n" * 40, remedy="",
            closed_at=at,
        )
    )  # fmt: skip


def money(facts: Facts) -> Money:
    return reckon(facts, Period()).total.money


def spend(books: Books, step: int, cost: int, at: datetime, **fields: Any) -> int:
    """One settled call, opened at a stated time."""
    call_id = held(books.ledger.place_hold(opening(2_000, step=step, opened_at=at, **fields)))
    books.ledger.settle(call_id, answer(f"answer {step}"), cost, 1.0, at)
    return call_id


def test_facts_of_everything_hold_jobs_attempts_and_lines(books: Books) -> None:
    books.step(1, cost_nano=400)
    books.step(2, cost_nano=500)
    close(books)
    facts = books.ledger.facts(Period())
    (job,) = facts.jobs
    assert (job.job_id, job.task, job.stop_reason, job.charged_nano) == ("job-1", "bugfix", "accepted", 900)
    (attempt,) = facts.attempts
    assert (attempt.tree, attempt.end, attempt.tool_calls, attempt.tool_milliseconds) == ("n" * 40, "finished", 2, 800)
    (line,) = facts.lines
    assert (line.calls, line.metered, line.input_tokens, line.cached_tokens, line.output_tokens) == (
        2,
        900,
        2_000,
        1_800,
        100,
    )
    answers = reckon(facts, Period())
    assert answers.waste.by_cause[Cause.PRODUCTIVE] == answers.total.money == Money(900)


def test_metered_imputed_unknown_and_held_money_stay_apart(books: Books) -> None:
    spend(books, 1, 100, NOW)
    lost = held(books.ledger.place_hold(opening(70, step=2)))
    books.ledger.mark_unknown(lost, "cut", NOW)
    spend(books, 3, 30, NOW, billing="imputed")
    held(books.ledger.place_hold(opening(11, step=4)))
    gone = held(books.ledger.place_hold(opening(900, step=5)))
    books.ledger.release(gone, "never sent", NOW)
    facts = books.ledger.facts(Period())
    assert money(facts) == Money(100, 30, 70)
    total = reckon(facts, Period()).total
    assert (total.held, total.calls) == (11, 4)


def test_a_period_cuts_an_hour_at_the_microsecond(books: Books) -> None:
    border = datetime(2026, 3, 1, 12, 20, tzinfo=UTC)
    spend(books, 1, 1, border - timedelta(minutes=30))
    spend(books, 2, 10, border - timedelta(microseconds=1))
    spend(books, 3, 100, border)
    spend(books, 4, 1000, border + timedelta(minutes=50))
    assert money(books.ledger.facts(Period(until=border))) == Money(11)
    assert money(books.ledger.facts(Period(since=border))) == Money(1100)
    later = border + timedelta(minutes=45)
    assert money(books.ledger.facts(Period(border, later))) == Money(100)
    whole = Period(border.replace(minute=0), border.replace(hour=13, minute=0))
    assert money(books.ledger.facts(whole)) == Money(110)


@pytest.mark.parametrize(
    ("zone", "days"),
    [
        ("UTC", {"2026-03-01": 111}),
        ("Europe/Berlin", {"2026-03-01": 11, "2026-03-02": 100}),
        ("Asia/Kathmandu", {"2026-03-01": 1, "2026-03-02": 110}),
    ],
)
def test_days_are_those_of_the_zone_even_where_midnight_is_inside_an_hour(
    books: Books, zone: str, days: dict[str, int]
) -> None:
    spend(books, 1, 1, datetime(2026, 3, 1, 18, 14, 59, tzinfo=UTC))
    spend(books, 2, 10, datetime(2026, 3, 1, 18, 15, tzinfo=UTC))
    spend(books, 3, 100, datetime(2026, 3, 1, 23, 30, tzinfo=UTC))
    found: dict[str, int] = {}
    for line in books.ledger.facts(Period(zone=ZoneInfo(zone))).lines:
        found[line.day.isoformat()] = found.get(line.day.isoformat(), 0) + line.metered
    assert found == days


def test_jobs_that_the_period_does_not_touch_are_left_out(books: Books) -> None:
    spend(books, 1, 5, NOW)
    close(books)
    books.ledger.open_job(job_row("job-2", submitted_at=NOW + timedelta(days=3)))
    later = Period(since=NOW + timedelta(days=1))
    assert [job.job_id for job in books.ledger.facts(later).jobs] == ["job-2"]
    assert books.ledger.facts(later).attempts == []
    assert {job.job_id for job in books.ledger.facts(Period()).jobs} == {"job-1", "job-2"}
    assert [job.job_id for job in books.ledger.facts(Period(), "job-1").jobs] == ["job-1"]
    assert [line.job_id for line in books.ledger.facts(Period(), "job-2").lines] == []


def test_a_job_shows_its_outcome_its_review_and_its_raised_budget(books: Books) -> None:
    spend(books, 1, 5, NOW)
    close(books)
    seq = books.ledger.open_gate(
        GateOpening(
            open_key="k", job_id="job-1", owner_id=LOOP, kind=GateKind.MERGE, tree="n" * 40, reason="", reviewers=(),
            opened_at=NOW,
        )
    )  # fmt: skip
    given = GateAnswer(verdict=GateVerdict.APPROVE, reviewer="grace", at=NOW)
    books.ledger.decide_gate("job-1", seq, [given], GateEnd.APPROVED, NOW)
    books.ledger.raise_limit(
        Raise(raise_id="r", kind=ScopeKind.JOB, key="job-1", by_nano=500, reviewer="grace", at=NOW)
    )
    merged = Outcome(job_id="job-1", kind=OutcomeKind.ACCEPTED, commit="a", how="ancestor", at=NOW)
    undone = Outcome(job_id="job-1", kind=OutcomeKind.REVERTED, commit="b", how="patch", at=NOW + timedelta(days=1))
    books.ledger.put_outcomes([merged], "git", NOW)
    (job,) = books.ledger.facts(Period()).jobs
    assert (job.outcome, job.budget_nano) == (OutcomeState.ACCEPTED, 1_500_000_500)
    assert job.review is not None
    assert tuple(job.review) == ("approve", "merge", "grace")
    books.ledger.put_outcomes([undone], "git", NOW)
    found = reckon(books.ledger.facts(Period()), Period())
    assert (found.runs[0].output, found.accepted) == (Output.REVERTED, 0)
    assert found.waste.by_cause[Cause.NO_OUTCOME] == Money(5)


def test_tools_that_told_nothing_new_waste_the_call_that_asked_for_them(books: Books) -> None:
    for step, cost in ((1, 100), (2, 20), (3, 3)):
        call_id = spend(books, step, cost, NOW)
        run = results_of(call_id, "a.py", tree="t" * 40, changed=step == 3)
        books.ledger.put_tool_run(run, NOW)
        books.ledger.put_tool_run(run, NOW)
    close(books)
    facts = books.ledger.facts(Period())
    waste = reckon(facts, Period()).waste
    assert (waste.by_cause[Cause.WASTED_TOOL], waste.by_cause[Cause.PRODUCTIVE]) == (Money(0), Money(123))
    assert facts.attempts[0].tool_calls == 0


def test_the_same_tools_with_the_same_results_on_the_same_tree_are_waste(books: Books) -> None:
    for step, cost in ((1, 100), (2, 20)):
        call_id = held(books.ledger.place_hold(opening(2_000, step=step)))
        books.ledger.settle(call_id, answer(f"answer {step}", tool="read_file"), cost, 1.0, NOW)
        books.ledger.put_tool_run(results_of(call_id, "a.py", tree="t" * 40, changed=False), NOW)
    close(books)
    waste = reckon(books.ledger.facts(Period()), Period()).waste
    assert (waste.by_cause[Cause.WASTED_TOOL], waste.by_cause[Cause.PRODUCTIVE]) == (Money(20), Money(100))


def test_an_answer_that_another_call_had_given_already_was_unnecessary(books: Books) -> None:
    first = held(books.ledger.place_hold(opening(1_000, step=1)))
    again = opening(1_000, step=1, key=opening(step=1).key.model_copy(update={"run_id": "run-2"}))
    second = held(books.ledger.place_hold(again))
    books.ledger.settle(second, answer("quick"), 40, 1.0, NOW)
    books.ledger.settle(first, answer("late"), 7, 1.0, NOW)
    spend(books, 2, 100, NOW)
    close(books)
    waste = reckon(books.ledger.facts(Period()), Period()).waste
    assert (waste.by_cause[Cause.UNNECESSARY_CALL], waste.by_cause[Cause.PRODUCTIVE]) == (Money(7), Money(140))


def test_a_call_that_may_have_been_billed_and_was_made_again_is_unnecessary_in_its_own_kind(books: Books) -> None:
    lost = held(books.ledger.place_hold(opening(1_000, step=1)))
    books.ledger.mark_unknown(lost, "cut", NOW)
    again = opening(1_000, step=1, key=opening(step=1).key.model_copy(update={"attempt": 2}))
    second = held(books.ledger.place_hold(again))
    books.ledger.settle(second, answer("good"), 40, 1.0, NOW)
    close(books)
    waste = reckon(books.ledger.facts(Period()), Period()).waste
    assert waste.by_cause[Cause.UNNECESSARY_CALL] == Money(0, 0, 1_000)
    assert waste.by_cause[Cause.PRODUCTIVE] == Money(40)


@pytest.mark.parametrize(("bands", "long"), [(1, 3_000), (2, 3_000), (0, 14_000 * 30_000 // 130_000)])
def test_long_context_is_priced_by_the_call_s_own_list(books: Books, bands: int, long: int) -> None:
    band = Band(input=1_000_000, cache_read=100_000, output=0, reasoning=0)
    dearer = band.model_copy(update={"over_input_tokens": 500_000})
    if bands:
        books.ledger.put_rates("p" * 16, Rates(bands=(band, dearer)[:bands]), "test", NOW)
    usage = Usage(input_tokens=1_000, cache_read_tokens=LONG_CONTEXT_TOKENS + 29_000)
    call_id = held(books.ledger.place_hold(opening(20_000, step=1)))
    books.ledger.settle(call_id, answer("long", usage), 14_000, 1.0, NOW)
    close(books)
    waste = reckon(books.ledger.facts(Period()), Period()).waste
    assert waste.by_cause[Cause.LONG_CONTEXT] == Money(long)
    assert waste.total == Money(14_000)


def test_an_attempt_that_was_thrown_away_is_excess_retry(books: Books) -> None:
    spend(books, 1, 9, NOW)
    second = attempt_row(number=2, start_tree="t" * 40)
    books.ledger.open_attempt(second)
    spend(books, 1, 100, NOW, attempt_number=2)
    good = books.ledger.put_verdict(LOOP, 2, verdict("g" * 40), NOW)
    books.ledger.close_attempt(
        AttemptClosing(owner_id=LOOP, number=2, end=AttemptEnd.FINISHED, evidence="", verdict_id=good, closed_at=NOW)
    )
    close(books)
    waste = reckon(books.ledger.facts(Period()), Period()).waste
    assert (waste.by_cause[Cause.EXCESS_RETRY], waste.by_cause[Cause.PRODUCTIVE]) == (Money(9), Money(100))


def test_the_index_of_long_calls_and_the_definition_agree() -> None:
    assert LONG_INPUT.endswith(f"> {LONG_CONTEXT_TOKENS}")


def test_empty_books_have_no_facts(books: Books) -> None:
    facts = books.ledger.facts(Period(since=NOW + timedelta(days=400)))
    assert facts == Facts(jobs=[], attempts=[], lines=[], odd_calls=[])
