from __future__ import annotations

from datetime import timedelta

from tests.adapters.ledger.books import JOB, Books, job_row, later
from thirdshift.core.delivery import Delivered
from thirdshift.core.outcomes import DeliveryRow, Outcome, OutcomeKind
from thirdshift.core.spec import Delivery


def delivery(run: str = "run-1", job: str = JOB, seconds: float = 0, **changes: object) -> DeliveryRow:
    made = Delivered(
        done=True,
        kind=Delivery.PULL_REQUEST,
        detail="asked for a merge",
        branch="thirdshift/job",
        commit="c" * 40,
        work="d" * 40,
        onto="main",
        url="https://forge.example/1",
    )
    row = job_row(job)
    return DeliveryRow(
        job_id=job,
        run_id=run,
        repository=row.repository,
        base_commit=row.base_commit,
        delivered=made.model_copy(update=changes),
        at=later(seconds),
    )


def event(kind: OutcomeKind, seconds: float = 0, job: str = JOB, commit: str = "e", share: int = 1000) -> Outcome:
    return Outcome(job_id=job, kind=kind, commit=commit * 40, share=share, how="ancestor", at=later(seconds))


def told(books: Books, kind: str) -> list[str]:
    return [entry.text for entry in books.ledger.journal(JOB, 0) if entry.kind == kind]


def test_a_runs_delivery_is_kept_once_and_told_once(books: Books) -> None:
    assert books.ledger.put_delivery(delivery())
    assert not books.ledger.put_delivery(delivery(detail="again"))
    assert books.ledger.list_deliveries() == (delivery(),)
    assert told(books, "delivery") == ["asked for a merge"]


def test_the_newest_delivery_that_left_a_commit_is_followed(books: Books) -> None:
    books.ledger.put_delivery(delivery("run-1"))
    second = delivery("run-2", seconds=9, commit="f" * 40)
    books.ledger.put_delivery(second)
    nothing = delivery("run-3", seconds=19, commit="", branch="", done=False)
    books.ledger.put_delivery(nothing)
    assert books.ledger.list_deliveries() == (second,)
    assert books.ledger.delivery_of(JOB) == nothing
    assert books.ledger.delivery_of("job-unknown") is None


def test_outcomes_are_appended_and_an_event_is_one_event_however_often_it_is_seen(books: Books) -> None:
    accepted, reverted = event(OutcomeKind.ACCEPTED), event(OutcomeKind.REVERTED, 60, share=330)
    assert books.ledger.put_outcomes([accepted, reverted], "sync", later(70)) == (accepted, reverted)
    again = event(OutcomeKind.ACCEPTED, 600, commit="f")
    seen_anew = reverted.model_copy(update={"at": later(999)})
    assert books.ledger.put_outcomes([accepted, seen_anew, again], "webhook", later(700)) == (again,)
    assert books.ledger.outcomes_of(JOB) == (accepted, reverted, again)
    assert told(books, "outcome") == [
        "accepted in eeeeeeeeeeee, seen by ancestor",
        "reverted (33% of it) in eeeeeeeeeeee, seen by ancestor",
        "accepted in ffffffffffff, seen by ancestor",
    ]


def test_events_are_in_the_order_in_which_they_happened(books: Books) -> None:
    late, early = event(OutcomeKind.REVERTED, 100), event(OutcomeKind.ACCEPTED, 1)
    books.ledger.put_outcomes([late], "sync", later(101))
    books.ledger.put_outcomes([early], "sync", later(102))
    assert books.ledger.outcomes_of(JOB) == (early, late)


def test_an_accepted_outcome_carries_the_spend_of_every_job(books: Books) -> None:
    for number, kind in enumerate([OutcomeKind.ACCEPTED, OutcomeKind.REJECTED]):
        job = f"job-other-{number}"
        books.ledger.open_job(job_row(job))
        books.ledger.put_delivery(delivery(job=job))
        books.ledger.put_outcomes([event(kind, job=job)], "sync", later(1))
    books.ledger.put_delivery(delivery())
    books.step(1, cost_nano=500)
    books.step(2, cost_nano=300)
    found = books.ledger.outcome_totals()
    assert (found.accepted, found.rejected, found.pending) == (1, 1, 1)
    assert found.spend.settled_nano == 800
    assert found.cost_per_accepted_nano == 800


def test_a_time_is_kept_to_the_microsecond(books: Books) -> None:
    exact = event(OutcomeKind.ACCEPTED).model_copy(update={"at": later(0) + timedelta(microseconds=7)})
    books.ledger.put_outcomes([exact], "sync", later(1))
    assert books.ledger.outcomes_of(JOB) == (exact,)
