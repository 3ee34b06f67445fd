from __future__ import annotations

from datetime import timedelta

import pytest

from tests.adapters.ledger.books import Books
from tests.adapters.ledger.nights import EVENING, decision, event
from thirdshift.core.event_book import Decided

HERE = ("acme/shop", "ci/main/unit")


def test_an_event_is_kept_whole_and_the_same_delivery_twice_is_one_event(books: Books) -> None:
    told = event(facts={"branch": "main", "url": "https://example.org/1"})
    number, new = books.ledger.put_event(told)
    assert new
    assert books.ledger.put_event(told.model_copy(update={"title": "told otherwise"})) == (number, False)
    kept = books.ledger.event(number)
    assert (kept.event, kept.decision) == (told, None)


def test_two_sources_may_use_one_delivery_id(books: Books) -> None:
    first, _ = books.ledger.put_event(event())
    second, new = books.ledger.put_event(event(source="gitlab"))
    assert new
    assert second > first


def test_a_delivery_that_was_decided_on_is_still_known(books: Books) -> None:
    number, _ = books.ledger.put_event(event())
    books.ledger.decide_event(number, decision())
    assert books.ledger.put_event(event()) == (number, False)


def test_text_that_a_database_could_not_hold_is_kept_without_what_it_cannot(books: Books) -> None:
    hostile = event("d\x00\ud800", text="a\x00b\ud800", fingerprint="f\x00", facts={"k\x00": "v\x00\udfff"})
    number, _ = books.ledger.put_event(hostile)
    assert books.ledger.put_event(hostile) == (number, False)
    assert books.ledger.event(number).event.text == "a\ufffdb?"
    assert books.ledger.event(number).event.facts == {"k\ufffd": "v\ufffd?"}
    assert books.ledger.count_undecided("acme/shop", "f\x00") == 1


def test_an_event_is_decided_once(books: Books) -> None:
    number, _ = books.ledger.put_event(event())
    first = decision(Decided.JOB, job_id="job-7", why="a rule wants it")
    assert books.ledger.decide_event(number, first)
    assert not books.ledger.decide_event(number, decision(Decided.STORM))
    assert books.ledger.event(number).decision == first


def test_an_event_that_is_not_there_is_said(books: Books) -> None:
    with pytest.raises(KeyError, match="no event 77"):
        books.ledger.event(77)
    with pytest.raises(KeyError, match="no event 77"):
        books.ledger.decide_event(77, decision())


def test_the_rest_of_a_fingerprint_is_decided_at_once_up_to_a_number(books: Books) -> None:
    numbers = [books.ledger.put_event(event(f"d-{i}"))[0] for i in range(5)]
    other, _ = books.ledger.put_event(event("x", fingerprint="another"))
    elsewhere, _ = books.ledger.put_event(event("y", repository="acme/web"))
    books.ledger.decide_event(numbers[0], decision(Decided.JOB, job_id="job-1"))
    assert [record.number for record in books.ledger.undecided(*HERE, limit=2)] == numbers[1:3]
    assert books.ledger.count_undecided(*HERE) == 4
    assert books.ledger.decide_rest(*HERE, numbers[3], decision()) == 3
    assert books.ledger.decide_rest(*HERE, numbers[3], decision(Decided.STORM)) == 0
    left = [record.number for record in books.ledger.events(9, undecided=True)]
    assert left == [elsewhere, other, numbers[4]]
    assert [record.number for record in books.ledger.events(9, undecided=True, repository="acme/web")] == [elsewhere]
    decided = [record.decision for record in books.ledger.events(2, repository="acme/shop")]
    assert decided == [None, None]


def test_decisions_of_a_rule_are_counted_by_kind_and_time(books: Books) -> None:
    for index, what in enumerate([Decided.JOB, Decided.SHIFT, Decided.CAPPED, Decided.JOB]):
        number, _ = books.ledger.put_event(event(f"d-{index}"))
        books.ledger.decide_event(number, decision(what, job_id="job", at=EVENING + timedelta(hours=index)))
    wanted = (Decided.JOB, Decided.SHIFT)
    assert books.ledger.decided_since("ci", wanted, EVENING) == 3
    assert books.ledger.decided_since("ci", wanted, EVENING + timedelta(hours=1)) == 2
    assert books.ledger.decided_since("another", wanted, EVENING) == 0


def test_arrivals_are_counted_by_repository_and_time(books: Books) -> None:
    for minute in range(4):
        books.ledger.put_event(event(f"d-{minute}", received_at=EVENING + timedelta(minutes=minute)))
    books.ledger.put_event(event("z", repository="acme/web"))
    assert books.ledger.received_since("acme/shop", EVENING + timedelta(minutes=2)) == 2


def test_different_fingerprints_are_counted_by_repository_and_time_with_both_ends(books: Books) -> None:
    for minute, fingerprint in enumerate(["a", "b", "a", "c"]):
        at = EVENING + timedelta(minutes=minute)
        books.ledger.put_event(event(f"d-{minute}", fingerprint=fingerprint, received_at=at))
    books.ledger.put_event(event("z", repository="acme/web", fingerprint="z"))
    count = books.ledger.fingerprints_between
    assert count("acme/shop", EVENING, EVENING + timedelta(minutes=2), "ci") == 2
    assert count("acme/shop", EVENING + timedelta(minutes=1), EVENING + timedelta(minutes=3), "ci") == 3
    assert count("acme/shop", EVENING + timedelta(hours=1), EVENING + timedelta(hours=2), "ci") == 0


def test_the_last_job_for_a_fingerprint_is_the_one_started_or_queued_last(books: Books) -> None:
    assert books.ledger.last_job_for(*HERE) == ""
    for index, (what, job) in enumerate([(Decided.JOB, "job-1"), (Decided.SHIFT, "job-2"), (Decided.STORM, "")]):
        number, _ = books.ledger.put_event(event(f"d-{index}"))
        books.ledger.decide_event(number, decision(what, job_id=job, at=EVENING + timedelta(hours=index)))
    assert books.ledger.last_job_for(*HERE) == "job-2"
    worked_on = books.ledger.last_worked_on(*HERE)
    assert worked_on is not None
    assert (worked_on.event.delivery, worked_on.decision and worked_on.decision.what) == ("d-1", Decided.SHIFT)
    assert books.ledger.last_worked_on("acme/shop", "another") is None
    assert books.ledger.last_job_for("acme/shop", "another") == ""


def test_several_events_are_put_in_one_go_and_told_in_the_order_given(books: Books) -> None:
    first, _ = books.ledger.put_event(event("m"))
    put = books.ledger.put_events([event("z"), event("m"), event("a"), event("z")])
    assert [new for _, new in put] == [True, False, True, False]
    assert put[1][0] == first
    assert put[0][0] == put[3][0]
    assert [books.ledger.event(number).event.delivery for number, _ in put] == ["z", "m", "a", "z"]
    assert books.ledger.put_events([]) == ()
