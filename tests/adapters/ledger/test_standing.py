"""What a resumed job asks the books: what was reached, by which commit, and how the end is taken back."""

from __future__ import annotations

from tests.adapters.ledger.books import (
    JOB,
    LOOP,
    NOW,
    Books,
    attempt_row,
    held,
    job_row,
    later,
    loop_row,
    opening,
    results_of,
    verdict,
)
from thirdshift.core.history import AttemptEnd, StopReason
from thirdshift.core.ledger import AttemptClosing, CallState, JobClosing


def close(books: Books, number: int = 1, owner_id: str = LOOP, *, passes: bool = True) -> None:
    judged = books.ledger.put_verdict(owner_id, number, verdict(unit=passes), NOW)
    books.ledger.close_attempt(
        AttemptClosing(
            owner_id=owner_id, number=number, end=AttemptEnd.FINISHED, evidence="", verdict_id=judged, closed_at=NOW
        )
    )


def test_the_commit_of_a_tree_is_found_among_the_steps_of_its_own_job(books: Books) -> None:
    call_id = books.step(1, tool=None)
    books.ledger.put_tool_run(results_of(call_id, '{"tree":"' + "f" * 40 + '"}', tree="e" * 40), NOW)
    assert books.ledger.commit_of(JOB, "e" * 40) == "k" * 40
    assert books.ledger.commit_of(JOB, "f" * 40) is None
    assert books.ledger.commit_of(JOB, "_" * 40) is None
    assert books.ledger.commit_of("job-2", "e" * 40) is None


def test_a_packet_is_accepted_while_its_newest_attempt_passed(books: Books) -> None:
    assert books.ledger.accepted_packets(JOB) == ()
    books.ledger.put_verdict(LOOP, 1, verdict(), NOW)
    assert books.ledger.accepted_packets(JOB) == ()
    close(books)
    assert books.ledger.accepted_packets(JOB) == ("main",)
    assert books.ledger.accepted_packets("job-2") == ()


def test_a_packet_that_was_sent_back_is_not_accepted_until_it_passes_again(books: Books) -> None:
    close(books)
    books.ledger.open_attempt(attempt_row(number=2))
    assert books.ledger.accepted_packets(JOB) == ()
    close(books, 2, passes=False)
    assert books.ledger.accepted_packets(JOB) == ()
    books.ledger.open_attempt(attempt_row(number=10))
    close(books, 10)
    assert books.ledger.accepted_packets(JOB) == ("main",)


def test_each_packet_is_judged_by_its_own_loop(books: Books) -> None:
    close(books)
    books.ledger.open_loop(loop_row("loop-2").model_copy(update={"packet": "rest", "opened_at": later(9)}))
    books.ledger.open_attempt(attempt_row("loop-2"))
    close(books, owner_id="loop-2", passes=False)
    assert books.ledger.accepted_packets(JOB) == ("main",)


def test_a_job_that_is_opened_again_keeps_where_its_tree_went(books: Books) -> None:
    end = JobClosing(
        job_id=JOB, stop_reason=StopReason.MAX_ATTEMPTS, evidence="2 of 2", branch="b", commit="k" * 40, tree="n" * 40,
        remedy="thirdshift resume job-1", closed_at=later(60),
    )  # fmt: skip
    books.ledger.close_job(end)
    books.ledger.reopen_job(JOB, "ada", later(70))
    view = books.ledger.job_view(JOB)
    assert (view.stop_reason, view.evidence, view.remedy, view.ended_at) == (None, "", "", None)
    assert (view.branch, view.commit, view.tree) == ("b", "k" * 40, "n" * 40)
    books.ledger.close_job(end)
    view = books.ledger.job_view(JOB)
    assert (view.stop_reason, view.evidence, view.ended_at) == (StopReason.MAX_ATTEMPTS, "2 of 2", later(60))


def test_calls_that_a_broken_run_left_held_are_unknown_once_the_job_goes_on(books: Books) -> None:
    left = held(books.ledger.place_hold(opening(1000)))
    books.ledger.open_job(job_row("job-2"))
    books.ledger.reopen_job("job-2", "ada", NOW)
    assert books.ledger.call(left).state is CallState.HELD
    books.ledger.reopen_job(JOB, "ada", NOW)
    assert books.ledger.call(left).state is CallState.UNKNOWN
    assert books.charged() == 1000
