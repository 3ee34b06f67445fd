from __future__ import annotations

import zlib
from datetime import datetime

from tests.adapters.ledger.books import JOB, LOOP, NOW, Books, answer, held, key, later, opening
from thirdshift.core.calls import WAITER_FORGOTTEN_SECONDS
from thirdshift.core.history import AttemptEnd
from thirdshift.core.ledger import (
    Answered,
    AttemptClosing,
    CallOpening,
    DoesNotFit,
    Held,
    MustWait,
    Raise,
    ScopeKind,
)

LIMITS = {ScopeKind.TEAM_DAY: 1000}


def asking(
    name: str, hold: int, *, at: datetime = NOW, priority: int = 0, limits: dict[ScopeKind, int] | None = None
) -> CallOpening:
    """A call that may wait, of an activity with that name."""
    return opening(
        hold,
        step=zlib.crc32(name.encode()) % 1000 + 100,
        limits=limits or LIMITS,
        key=key(name),
        may_wait=True,
        priority=priority,
        opened_at=at,
    )


def in_flight(books: Books, hold: int) -> int:
    return held(books.ledger.place_hold(opening(hold, step=1, limits=LIMITS)))


def waits(result: Held | Answered | DoesNotFit | MustWait) -> MustWait:
    assert isinstance(result, MustWait), result
    return result


def test_a_call_waits_for_money_that_others_hold_and_has_it_when_they_settle(books: Books) -> None:
    other = in_flight(books, 900)
    wait = waits(books.ledger.place_hold(asking("a", 500)))
    assert (wait.scope.kind, wait.held_nano, wait.needed_nano, wait.ahead) == (ScopeKind.TEAM_DAY, 900, 500, 0)
    assert books.charged() == 900
    books.ledger.settle(other, answer(), 100, 1.0, NOW)
    held(books.ledger.place_hold(asking("a", 500, at=later(1))))


def test_a_call_is_refused_when_no_hold_that_comes_back_could_make_room(books: Books) -> None:
    spent = in_flight(books, 600)
    books.ledger.settle(spent, answer(), 600, 1.0, NOW)
    held(books.ledger.place_hold(opening(300, step=2, limits=LIMITS)))
    refused = books.ledger.place_hold(asking("a", 500))
    assert isinstance(refused, DoesNotFit)
    assert (refused.free_nano, refused.held_nano) == (400, 300)
    assert waits(books.ledger.place_hold(asking("a", 400))).needed_nano == 400


def test_what_became_unknown_does_not_come_back(books: Books) -> None:
    lost = in_flight(books, 900)
    waits(books.ledger.place_hold(asking("a", 500)))
    books.ledger.mark_unknown(lost, "cut", NOW)
    assert isinstance(books.ledger.place_hold(asking("a", 500, at=later(1))), DoesNotFit)


def test_who_came_first_goes_first_even_when_a_smaller_call_would_fit(books: Books) -> None:
    other = in_flight(books, 900)
    waits(books.ledger.place_hold(asking("large", 800)))
    behind = waits(books.ledger.place_hold(asking("small", 100, at=later(1))))
    assert behind.ahead == 1
    books.ledger.settle(other, answer(), 100, 1.0, NOW)
    assert waits(books.ledger.place_hold(asking("middle", 200, at=later(2)))).ahead == 2
    held(books.ledger.place_hold(asking("large", 800, at=later(3))))
    held(books.ledger.place_hold(asking("small", 100, at=later(4))))


def test_a_small_call_behind_may_take_what_those_ahead_do_not_need(books: Books) -> None:
    first, _second = in_flight(books, 500), held(books.ledger.place_hold(opening(300, step=2, limits=LIMITS)))
    waits(books.ledger.place_hold(asking("ahead", 400)))
    books.ledger.settle(first, answer(), 50, 1.0, NOW)
    held(books.ledger.place_hold(asking("small", 200, at=later(1))))
    held(books.ledger.place_hold(asking("ahead", 400, at=later(2))))


def test_a_higher_priority_goes_before_whoever_came_earlier(books: Books) -> None:
    other = in_flight(books, 1000)
    waits(books.ledger.place_hold(asking("early", 700)))
    assert waits(books.ledger.place_hold(asking("urgent", 700, at=later(1), priority=5))).ahead == 0
    books.ledger.release(other, "429", NOW)
    assert waits(books.ledger.place_hold(asking("early", 700, at=later(2)))).ahead == 1
    held(books.ledger.place_hold(asking("urgent", 700, at=later(3), priority=5)))


def test_a_place_is_kept_through_retries_of_the_activity(books: Books) -> None:
    in_flight(books, 1000)
    for attempt in range(1, 4):
        ask = asking("a", 700, at=later(attempt)).model_copy(update={"key": key("a", attempt)})
        assert waits(books.ledger.place_hold(ask)).ahead == 0
    assert waits(books.ledger.place_hold(asking("b", 100, at=later(5)))).ahead == 1


def test_who_stops_asking_is_forgotten_and_blocks_nobody(books: Books) -> None:
    other = in_flight(books, 1000)
    waits(books.ledger.place_hold(asking("gone", 900)))
    books.ledger.release(other, "429", NOW)
    waits(books.ledger.place_hold(asking("b", 500, at=later(WAITER_FORGOTTEN_SECONDS - 1))))
    held(books.ledger.place_hold(asking("b", 500, at=later(WAITER_FORGOTTEN_SECONDS + 1))))


def test_the_end_of_an_attempt_takes_its_calls_out_of_the_line(books: Books) -> None:
    other = in_flight(books, 1000)
    waits(books.ledger.place_hold(asking("a", 900)))
    closing = AttemptClosing(
        owner_id=LOOP, number=1, end=AttemptEnd.STOPPED, evidence="enough", verdict_id=None, closed_at=NOW
    )
    books.ledger.close_attempt(closing)
    books.ledger.release(other, "429", NOW)
    held(books.ledger.place_hold(asking("b", 500, at=later(1))))


def test_who_asks_for_less_after_a_refusal_keeps_its_place_and_reserves_nothing_meanwhile(books: Books) -> None:
    other = in_flight(books, 1000)
    waits(books.ledger.place_hold(asking("a", 900)))
    books.ledger.settle(other, answer(), 400, 1.0, NOW)
    assert isinstance(books.ledger.place_hold(asking("a", 900, at=later(1))), DoesNotFit)
    behind = held(books.ledger.place_hold(asking("b", 600, at=later(2))))
    assert waits(books.ledger.place_hold(asking("a", 500, at=later(3)))).ahead == 0
    assert waits(books.ledger.place_hold(asking("c", 100, at=later(4)))).ahead == 1
    books.ledger.release(behind, "429", NOW)
    held(books.ledger.place_hold(asking("a", 500, at=later(5))))


def test_a_raise_ends_the_wait(books: Books) -> None:
    limits = {ScopeKind.JOB: 1000}
    held(books.ledger.place_hold(opening(900, step=1, limits=limits)))
    waits(books.ledger.place_hold(asking("a", 500, limits=limits)))
    books.ledger.raise_limit(Raise(raise_id="r", kind=ScopeKind.JOB, key=JOB, by_nano=400, reviewer="ada", at=NOW))
    held(books.ledger.place_hold(asking("a", 500, at=later(1), limits=limits)))


def test_the_journal_says_once_that_a_call_waits(books: Books) -> None:
    in_flight(books, 1000)
    for second in range(3):
        waits(books.ledger.place_hold(asking("a", 700, at=later(second))))
    told = [entry for entry in books.ledger.journal(JOB, 0) if entry.kind == "waiting"]
    assert [entry.data["scope"] for entry in told] == ["team_day team_day"]
    assert "is held by calls under way" in told[0].text
