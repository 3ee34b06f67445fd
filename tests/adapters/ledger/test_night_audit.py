"""Nights and events as an auditor sees them: exported whole, and verified."""

from __future__ import annotations

from sqlalchemy import create_engine, text

from tests.adapters.ledger.books import JOB, NOW, Books, answer, held, opening
from tests.adapters.ledger.nights import decision, event, line, night, night_row
from thirdshift.core.calls import Scope, ScopeKind
from thirdshift.core.event_book import Decided
from thirdshift.core.night_book import LineState

TONIGHT = night().id


def busy(books: Books) -> Books:
    """A night with a settled call and two lines, one of them of an event."""
    ledger = books.ledger
    ledger.open_night(night_row())
    ledger.assign_night(JOB, TONIGHT, 40_000, 0, night().closes_at)
    scopes = (
        Scope(kind=ScopeKind.JOB, key=JOB, limit_nano=None),
        Scope(kind=ScopeKind.SHIFT, key=TONIGHT, limit_nano=9_000),
    )
    ledger.settle(held(ledger.place_hold(opening(1000, scopes=scopes))), answer(), 400, 1.0, NOW)
    number, _ = ledger.put_event(event(title="=HYPERLINK(\u202e)", facts={"branch": "main"}))
    ledger.decide_event(number, decision(Decided.SHIFT, job_id=JOB, shift="nightly"))
    ledger.put_event(event("d-2"))
    ledger.put_lines([line("specs/a.md", state=LineState.ADMITTED, job_id=JOB), line("specs/b.md", event=number)])
    ledger.close_night(TONIGHT, "closed", "its window ended", night().closes_at)
    return books


def change(books: Books, statement: str) -> None:
    engine = create_engine(books.url)
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


def test_a_night_is_exported_with_what_it_came_to(books: Books) -> None:
    (row,) = busy(books).ledger.exported_nights()
    assert (row["night"], row["how"], row["budget_usd"], row["limit_usd"]) == (TONIGHT, "closed", "40", "0.000009")
    assert (row["settled_usd"], row["calls"], row["closes_at"]) == ("0.0000004", 1, "2026-03-02T05:00:00+00:00")


def test_lines_and_calls_are_exported_with_their_night(books: Books) -> None:
    rows = list(busy(books).ledger.exported_lines())
    assert [(row["night"], row["key"], row["state"], row["event"]) for row in rows] == [
        (TONIGHT, "specs/a.md", "admitted", None),
        (TONIGHT, "specs/b.md", "passed_over", 1),
    ]
    assert [row["night"] for row in books.ledger.exported_calls(None)] == [TONIGHT]


def test_events_are_exported_with_their_decision_and_their_text_made_visible(books: Books) -> None:
    first, second = busy(books).ledger.exported_events()
    assert (first["title"], first["facts"]) == ("=HYPERLINK(<U+202E>)", '{"branch": "main"}')
    assert (first["decided"], first["job_id"], first["shift"]) == ("shift", JOB, "nightly")
    assert (second["delivery"], second["decided"], second["decided_at"]) == ("d-2", None, None)


def test_books_with_nights_and_events_add_up(books: Books) -> None:
    audit = busy(books).ledger.verify()
    assert (audit.differences, audit.nights, audit.events) == ((), 1, 2)


def test_what_does_not_hold_between_nights_jobs_and_events_is_said(books: Books) -> None:
    busy(books)
    change(books, "UPDATE jobs SET night = 'nightly|1999-12-31'")
    change(books, "UPDATE night_lines SET state = 'listed' WHERE key = 'specs/b.md'")
    change(books, "UPDATE events SET decided_at = NULL WHERE number = 1")
    change(books, "UPDATE scopes SET settled_nano = 401 WHERE kind = 'shift'")
    said = [difference.words for difference in books.ledger.verify().differences]
    assert said == [
        f"scope shift {TONIGHT} (metered): settled_nano is booked as 401, the calls make 400",
        "night nightly|1999-12-31, which is not in the books: 1 jobs, where there should be 0",
        f"night {TONIGHT}, which is closed: 1 lines without a decision, where there should be 0",
        "event 1: 1 decisions without a time, or the reverse, where there should be 0",
    ]
