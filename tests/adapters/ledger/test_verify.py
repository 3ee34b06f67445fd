from __future__ import annotations

import pytest
from sqlalchemy import create_engine, text

from tests.adapters.ledger.books import JOB, LOOP, NOW, Books, answer, attempt_row, held, opening
from thirdshift.core.ledger import Raise, ScopeKind

LIMITS = {ScopeKind.JOB: 50_000, ScopeKind.LOOP: 40_000, ScopeKind.TEAM_DAY: 60_000}


def busy(books: Books) -> Books:
    """Calls in every state, over two attempts, metered and imputed, with a raise."""
    ledger = books.ledger
    ledger.open_attempt(attempt_row(number=2))
    for step in range(1, 4):
        call_id = held(ledger.place_hold(opening(1000, step=step, limits=LIMITS)))
        ledger.settle(call_id, answer(f"a{step}"), 300 + step, 1.0, NOW)
    ledger.release(held(ledger.place_hold(opening(700, step=4, limits=LIMITS))), "429", NOW)
    ledger.mark_unknown(held(ledger.place_hold(opening(900, step=4, limits=LIMITS))), "cut", NOW)
    held(ledger.place_hold(opening(800, step=1, limits=LIMITS, attempt_number=2)))
    imputed = held(ledger.place_hold(opening(500, step=2, limits=LIMITS, attempt_number=2, billing="imputed")))
    ledger.settle(imputed, answer("i"), 200, 1.0, NOW)
    ledger.raise_limit(Raise(raise_id="r1", kind=ScopeKind.JOB, key=JOB, by_nano=77, reviewer="ada", at=NOW))
    return books


def change(books: Books, statement: str) -> None:
    engine = create_engine(books.url)
    with engine.begin() as connection:
        assert connection.execute(text(statement)).rowcount == 1
    engine.dispose()


def test_books_that_were_only_ever_written_by_the_ledger_add_up(books: Books) -> None:
    audit = busy(books).ledger.verify()
    assert audit.adds_up, audit.differences
    assert (audit.calls, audit.attempts, audit.loops, audit.jobs) == (7, 2, 1, 1)
    assert (audit.metered_nano, audit.imputed_nano) == (301 + 302 + 303, 200)
    assert (audit.held_nano, audit.unknown_nano) == (800, 900)
    assert books.ledger.verify() == audit


def test_empty_books_add_up(books: Books) -> None:
    audit = books.ledger.verify()
    assert (audit.adds_up, audit.calls) == (True, 0)


@pytest.mark.parametrize(
    ("statement", "where", "field"),
    [
        ("UPDATE scopes SET settled_nano = 9 WHERE kind = 'job' AND billing = 'metered'", JOB, "settled_nano"),
        ("UPDATE scopes SET held_nano = 1 WHERE kind = 'attempt' AND held_nano > 0", f"{LOOP}#2", "held_nano"),
        ("UPDATE scopes SET raised_nano = 78 WHERE kind = 'job' AND billing = 'metered'", JOB, "raised_nano"),
        ("UPDATE calls SET cost_nano = cost_nano + 1 WHERE call_id = 2", "tally", "settled_nano"),
        ("UPDATE calls SET output_tokens = 51 WHERE call_id = 1", "tally", "output_tokens"),
        ("UPDATE calls SET hold_nano = hold_nano - 1 WHERE state = 'unknown'", "tally", "unknown_nano"),
        ("UPDATE calls SET state = 'settled' WHERE state = 'unknown'", "tally", "unknown_calls"),
        ("UPDATE calls SET cost_nano = 5 WHERE state = 'released'", "state released", "cost_nano"),
        ("DELETE FROM call_keys WHERE call_id = 1", "keys of calls", "rows"),
    ],
)
def test_any_total_that_is_not_the_sum_of_its_calls_is_named(
    books: Books, statement: str, where: str, field: str
) -> None:
    busy(books)
    change(books, statement)
    found = books.ledger.verify().differences
    assert any(where in difference.where and difference.field == field for difference in found), found


def test_a_call_that_is_nowhere_in_the_totals_is_missed(books: Books) -> None:
    busy(books)
    change(
        books,
        "INSERT INTO calls (tally_id, attempt_id, step, state, hold_nano, cost_nano, opened_at) "
        "SELECT tally_id, attempt_id, 9, 'settled', 5, 5, opened_at FROM calls WHERE call_id = 1",
    )
    fields = {difference.field for difference in books.ledger.verify().differences}
    assert {"settled_nano", "settled_calls", "rows"} <= fields


def test_a_limit_that_was_lowered_after_it_was_spent_is_said_and_is_no_difference(books: Books) -> None:
    busy(books)
    change(books, "UPDATE scopes SET limit_nano = 10 WHERE kind = 'loop' AND billing = 'metered'")
    audit = books.ledger.verify()
    assert audit.adds_up
    assert [(over.scope, over.limit_nano) for over in audit.over_limit] == [(f"scope loop {LOOP} (metered)", 10)]


def test_an_export_has_every_call_with_its_money_as_decimal_strings(books: Books) -> None:
    rows = list(busy(books).ledger.exported_calls(None))
    assert [row["state"] for row in rows] == [*["settled"] * 3, "released", "unknown", "held", "settled"]
    assert (rows[0]["cost_usd"], rows[0]["charged_usd"], rows[0]["hold_usd"]) == (
        "0.000000301",
        "0.000000301",
        "0.000001",
    )
    assert (rows[4]["cost_usd"], rows[4]["charged_usd"]) == (None, "0.0000009")
    assert rows[6]["billing"] == "imputed"
    assert list(books.ledger.exported_calls("job-none")) == []
