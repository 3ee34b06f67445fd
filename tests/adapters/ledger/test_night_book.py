from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.adapters.ledger.books import JOB, NOW, Books, job_row
from tests.adapters.ledger.nights import EVENING, line, night, night_row
from thirdshift.core.history import StopReason
from thirdshift.core.ledger import JobClosing
from thirdshift.core.night_book import LineState, QueuedSpec
from thirdshift.core.views import JobState

TONIGHT = night().id


def queued(spec_path: str = "specs/fix.md", **fields: Any) -> QueuedSpec:
    values: dict[str, Any] = {"shift": "nightly", "spec_path": spec_path, "title": "Fix it", "priority": 5, "event": 3}
    return QueuedSpec(**{**values, "queued_at": EVENING, **fields})


def assign(books: Books, day: int = 0, job_id: str = JOB) -> None:
    books.ledger.assign_night(job_id, night(day).id, 40_000_000_000, 7, night(day).closes_at)


def end(books: Books, job_id: str = JOB, at: datetime = NOW, stop: StopReason = StopReason.STOPPED_BY_PERSON) -> None:
    books.ledger.close_job(
        JobClosing(
            job_id=job_id,
            stop_reason=stop,
            evidence="enough",
            branch="",
            commit="c",
            tree="t",
            remedy="",
            closed_at=at,
        )
    )


def told(books: Books) -> list[str]:
    return [entry.text for entry in books.ledger.journal(JOB, 0) if entry.kind in ("night", "parked", "unparked")]


def test_a_night_is_opened_once_and_read_as_it_was_opened(books: Books) -> None:
    row = night_row()
    assert books.ledger.open_night(row)
    assert not books.ledger.open_night(row.model_copy(update={"workflow_id": "shift-nightly-another"}))
    record = books.ledger.night(TONIGHT)
    assert record.row == row
    assert (record.closed_at, record.how, record.why) == (None, "", "")


def test_a_retried_opening_finds_its_own_night(books: Books) -> None:
    assert books.ledger.open_night(night_row())
    assert books.ledger.open_night(night_row())
    assert len(books.ledger.nights(None, 9)) == 1


def test_a_night_that_is_not_there_is_said(books: Books) -> None:
    with pytest.raises(KeyError, match="no night"):
        books.ledger.night(TONIGHT)
    with pytest.raises(KeyError, match="no night"):
        books.ledger.close_night(TONIGHT, "closed", "", NOW)
    with pytest.raises(KeyError, match="no night"):
        books.ledger.put_lines([line("specs/a.md")])
    with pytest.raises(KeyError, match="no night"):
        books.ledger.night_sums(TONIGHT)


@pytest.mark.parametrize("how", ["stopped", "tripped"])
def test_a_night_that_was_cut_short_is_opened_again_within_its_window(books: Books, how: str) -> None:
    books.ledger.open_night(night_row())
    books.ledger.close_night(TONIGHT, how, "too dear", EVENING + timedelta(hours=1))
    again = night_row(workflow_id="shift-nightly-by-hand", opened_at=EVENING + timedelta(hours=2), budget_nano=1)
    assert books.ledger.open_night(again)
    record = books.ledger.night(TONIGHT)
    assert (record.closed_at, record.how, record.why) == (None, "", "")
    assert record.row.workflow_id == "shift-nightly-by-hand"
    assert record.row.budget_nano == 1
    assert record.row.opened_at == EVENING


def test_a_night_is_not_opened_again_after_its_window_nor_after_its_own_end(books: Books) -> None:
    books.ledger.open_night(night_row())
    books.ledger.close_night(TONIGHT, "stopped", "", EVENING + timedelta(hours=1))
    assert not books.ledger.open_night(night_row(opened_at=night().closes_at))
    books.ledger.open_night(night_row(1))
    books.ledger.close_night(night(1).id, "closed", "", night(1).closes_at)
    assert not books.ledger.open_night(night_row(1))


def test_the_last_nights_are_listed_newest_first_by_shift(books: Books) -> None:
    for day in range(3):
        books.ledger.open_night(night_row(day))
    books.ledger.open_night(night_row(1, "weekend", opened_at=EVENING + timedelta(days=1, hours=1)))
    assert [record.row.night.day.day for record in books.ledger.nights("nightly", 2)] == [3, 2]
    assert [record.row.night.shift for record in books.ledger.nights(None, 2)] == ["nightly", "weekend"]


def test_closing_a_night_passes_over_what_it_did_not_come_to_and_the_first_end_stays(books: Books) -> None:
    books.ledger.open_night(night_row())
    books.ledger.put_lines(
        [
            line("specs/a.md", state=LineState.ADMITTED),
            line("specs/b.md"),
            line("specs/c.md", why="$2 is left, and its like cost $3"),
        ]
    )
    books.ledger.close_night(TONIGHT, "closed", "its window ended", night().closes_at)
    books.ledger.close_night(TONIGHT, "stopped", "too late", NOW)
    record = books.ledger.night(TONIGHT)
    assert (record.how, record.why, record.closed_at) == ("closed", "its window ended", night().closes_at)
    assert [(found.key, found.state.value, found.why) for found in books.ledger.lines(TONIGHT)] == [
        ("specs/a.md", "admitted", ""),
        ("specs/b.md", "passed_over", "the night ended before its turn came"),
        ("specs/c.md", "passed_over", "$2 is left, and its like cost $3"),
    ]


def test_lines_keep_their_order_and_their_earliest_sight_when_they_change(books: Books) -> None:
    books.ledger.open_night(night_row())
    earlier = EVENING - timedelta(days=3)
    books.ledger.put_lines([line("specs/b.md", first_seen_at=earlier), line("specs/a.md", priority=3, event=9)])
    books.ledger.put_lines([line("specs/b.md", state=LineState.ADMITTED, job_id="job-b", title="B", at=NOW)])
    books.ledger.put_lines([line("specs/a.md", first_seen_at=earlier - timedelta(days=1))])
    books.ledger.put_lines([])
    first, second = books.ledger.lines(TONIGHT)
    assert first == line(
        "specs/b.md", state=LineState.ADMITTED, job_id="job-b", title="B", at=NOW, first_seen_at=earlier
    )
    assert (second.key, second.first_seen_at) == ("specs/a.md", earlier - timedelta(days=1))


def test_first_sight_is_carried_on_without_a_break_only(books: Books) -> None:
    keys = ["specs/a.md", "specs/b.md", "specs/new.md"]
    assert books.ledger.first_seen("nightly", keys) == {}
    long_ago = EVENING - timedelta(days=9)
    books.ledger.open_night(night_row())
    books.ledger.put_lines([line("specs/a.md", first_seen_at=long_ago), line("specs/b.md", state=LineState.ADMITTED)])
    books.ledger.close_night(TONIGHT, "closed", "", night().closes_at)
    books.ledger.open_night(night_row(1))
    assert books.ledger.first_seen("nightly", keys) == {"specs/a.md": long_ago}, "an open night without a list is none"
    assert books.ledger.first_seen("weekend", keys) == {}
    books.ledger.put_lines([line("specs/b.md", 1)])
    books.ledger.close_night(night(1).id, "closed", "", night(1).closes_at)
    assert books.ledger.first_seen("nightly", keys) == {"specs/b.md": night(1).opens_at}


def test_a_spec_is_on_a_shifts_queue_once_until_it_is_taken_off(books: Books) -> None:
    assert books.ledger.queue_spec(queued())
    assert not books.ledger.queue_spec(queued(title="again"))
    assert books.ledger.queue_spec(queued("specs/two.md", event=None))
    assert books.ledger.queue_spec(queued(shift="weekend"))
    assert books.ledger.queued_specs("nightly") == (queued(), queued("specs/two.md", event=None))
    books.ledger.unqueue_spec("nightly", "specs/fix.md")
    assert [spec.spec_path for spec in books.ledger.queued_specs("nightly")] == ["specs/two.md"]
    assert len(books.ledger.queued_specs("weekend")) == 1
    assert books.ledger.queue_spec(queued())


def test_a_job_is_told_once_which_night_pays_for_it(books: Books) -> None:
    books.ledger.open_night(night_row())
    assign(books)
    assign(books)
    row = books.ledger.read_job(JOB)
    assert (row.night, row.night_limit_nano, row.priority) == (TONIGHT, 40_000_000_000, 7)
    assert row.window_closes_at == night().closes_at
    assert told(books) == [f"works in the night {TONIGHT} until 2026-03-02 05:00 UTC, with $40 for all of its jobs"]
    with pytest.raises(KeyError, match="no job"):
        assign(books, job_id="job-none")


def test_a_job_that_a_person_takes_out_of_its_night_is_paid_for_by_none(books: Books) -> None:
    books.ledger.leave_night(JOB, "ada", NOW)
    assert told(books) == []
    assign(books)
    for _ in range(2):
        books.ledger.leave_night(JOB, "ada", NOW)
    row = books.ledger.read_job(JOB)
    assert (row.night, row.night_limit_nano, row.window_closes_at, row.priority) == ("", None, None, 7)
    assert told(books)[1:] == [f"ada lets it go on outside of the night {TONIGHT}"]


def test_open_jobs_are_those_without_an_end_oldest_first(books: Books) -> None:
    books.ledger.open_job(job_row("job-old", submitted_at=NOW - timedelta(days=1)))
    books.ledger.open_job(job_row("job-done"))
    end(books, "job-done")
    assert [row.job_id for row in books.ledger.open_jobs()] == ["job-old", JOB]


def test_a_job_that_no_night_pays_for_is_of_the_default_team_and_priority(books: Books) -> None:
    row = books.ledger.read_job(JOB)
    assert (row.team, row.night, row.night_limit_nano, row.priority) == ("default", "", None, 0)
    assert books.ledger.open_job(job_row("job-p", team="payments", priority=9, submitted_at=NOW + timedelta(1)))
    assert (books.ledger.read_job("job-p").team, books.ledger.read_job("job-p").priority) == ("payments", 9)


def test_a_parked_job_says_so_until_it_goes_on(books: Books) -> None:
    books.ledger.open_night(night_row())
    assign(books)
    for _ in range(2):
        books.ledger.park_job(JOB, "the window ended", EVENING + timedelta(hours=8))
    view, (summary,) = books.ledger.job_view(JOB), books.ledger.list_jobs(1)
    assert view.state is summary.state is JobState.PARKED
    assert view.parked_at == summary.parked_at == EVENING + timedelta(hours=8)
    assert view.parked_why == summary.parked_why == "the window ended"
    (parked,) = books.ledger.parked_jobs("nightly")
    assert (parked.job_id, parked.night, parked.priority) == (JOB, TONIGHT, 7)
    assert parked.repository == "/srv/invoices"
    assert books.ledger.parked_jobs("weekend") == ()
    for _ in range(2):
        books.ledger.unpark_job(JOB, "the next night", EVENING + timedelta(hours=24))
    assert books.ledger.job_view(JOB).state is JobState.RUNNING
    assert books.ledger.parked_jobs("nightly") == ()
    assert told(books)[1:] == ["parked: the window ended", "the next night lets it go on"]


def test_a_parked_job_that_ends_is_parked_no_more_and_an_ended_one_is_not_parked(books: Books) -> None:
    books.ledger.open_night(night_row())
    assign(books)
    books.ledger.park_job(JOB, "the window ended", NOW)
    end(books)
    books.ledger.park_job(JOB, "too late", NOW)
    view = books.ledger.job_view(JOB)
    assert (view.state, view.parked_at, view.parked_why) == (JobState.STOPPED, None, "")
    assert books.ledger.parked_jobs("nightly") == ()


def test_parked_jobs_come_longest_parked_first(books: Books) -> None:
    books.ledger.open_night(night_row())
    for index, job in enumerate(["job-b", "job-a", "job-c"]):
        books.ledger.open_job(job_row(job))
        assign(books, job_id=job)
        books.ledger.park_job(job, "dawn", NOW - timedelta(minutes=index))
    assert [job.job_id for job in books.ledger.parked_jobs("nightly")] == ["job-c", "job-a", "job-b"]


def test_what_was_accepted_is_known_by_its_text_and_repository_whatever_its_base(books: Books) -> None:
    def before(spec_id: str = "spec-1", repository: str = "/srv/invoices") -> str:
        return books.ledger.accepted_before(spec_id, repository)

    assert before() == "", "its job has not ended"
    for hours, job_id in enumerate(("job-first", "job-later")):
        books.ledger.open_job(job_row(job_id, base_commit=str(hours) * 40))
        end(books, job_id, NOW + timedelta(hours=hours), StopReason.ACCEPTED)
    end(books, at=NOW + timedelta(hours=2))
    assert before() == "job-later"
    assert before(spec_id="spec-2") == ""
    assert before(repository="/srv/other") == ""
