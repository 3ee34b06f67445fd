from __future__ import annotations

from datetime import timedelta

from tests.adapters.ledger.books import JOB, NOW, Books, answer, held, later, opening
from thirdshift.core.ledger import CallState
from thirdshift.core.pricing import cost_nano
from thirdshift.core.rates import Band, Rates
from thirdshift.core.reconciling import NeverBilled, SettleByBill
from thirdshift.core.usage import Usage

RATES = Rates(bands=(Band(input=1_000_000, cache_read=100_000, output=10_000_000, reasoning=10_000_000),))
USED = Usage(input_tokens=300, output_tokens=20)


def lost(books: Books, step: int) -> int:
    call_id = held(books.ledger.place_hold(opening(1000, step=step)))
    books.ledger.mark_unknown(call_id, "cut", later(5))
    return call_id


def test_an_unknown_call_is_settled_by_the_bill_once_and_the_books_add_up(books: Books) -> None:
    call_id = lost(books, 1)
    decision = SettleByBill(call_id=call_id, usage=USED, cost_nano=500)
    assert books.ledger.settle_by_bill(decision, later(9000))
    assert not books.ledger.settle_by_bill(decision, later(9001))
    row = books.ledger.call(call_id)
    assert (row.state, row.cost_nano, row.usage, row.closed_at) == (CallState.SETTLED, 500, USED, later(5))
    assert row.note == "settled by the vendor's usage export; was unknown: cut"
    assert books.charged() == 500
    assert books.ledger.verify().adds_up
    told = [entry for entry in books.ledger.journal(JOB, 0) if entry.kind == "reconciled"]
    assert [entry.data["call_cost_nano"] for entry in told] == [500]


def test_a_call_that_was_never_billed_gives_its_hold_back(books: Books) -> None:
    call_id = lost(books, 1)
    assert books.ledger.settle_by_bill(NeverBilled(call_id=call_id), later(9000))
    assert (books.ledger.call(call_id).state, books.charged()) == (CallState.RELEASED, 0)


def test_a_settled_call_is_not_touched_by_a_bill(books: Books) -> None:
    call_id = books.step(1)
    assert not books.ledger.settle_by_bill(NeverBilled(call_id=call_id), NOW)
    assert books.charged() == 400


def test_calls_are_looked_up_by_provider_and_by_when_they_were_under_way(books: Books) -> None:
    first, second = books.step(1), lost(books, 2)
    found = books.ledger.booked_calls(["local"], NOW, later(60))
    assert [(call.call_id, call.model, call.state, call.answered) for call in found] == [
        (first, "small", CallState.SETTLED, True),
        (second, "small", CallState.UNKNOWN, False),
    ]
    assert books.ledger.booked_calls(["other"], NOW, later(60)) == ()
    assert books.ledger.booked_calls(["local"], later(6), later(60)) == ()
    assert books.ledger.booked_calls(["local"], NOW - timedelta(hours=1), NOW) == ()


def test_a_price_list_is_kept_once_under_its_hash(books: Books) -> None:
    books.ledger.put_rates("p" * 16, RATES, "thirdshift.toml", NOW)
    books.ledger.put_rates("p" * 16, RATES, "elsewhere", later(1))
    assert books.ledger.price_lists() == {"p" * 16: (RATES, "thirdshift.toml")}


def test_history_is_priced_by_another_list_without_changing_it(books: Books) -> None:
    books.ledger.put_rates("p" * 16, RATES, "thirdshift.toml", NOW)
    for step in (1, 2):
        call_id = held(books.ledger.place_hold(opening(1000, step=step)))
        books.ledger.settle(call_id, answer(usage=USED), cost_nano(RATES, USED), 1.0, NOW)
    dearer = Rates(bands=(RATES.bands[0].model_copy(update={"input": 3_000_000}),))
    assert books.ledger.models_called() == ("local/small",)
    found = books.ledger.repriced("local/small", dearer)
    assert (found.calls, found.booked_nano, found.repriced_nano, found.difference_nano) == (2, 1000, 2200, 1200)
    assert books.ledger.repriced("local/small", None).difference_nano == 0
    assert books.charged() == 1000


def test_a_cost_that_is_not_its_price_lists_is_found(books: Books) -> None:
    books.ledger.put_rates("p" * 16, RATES, "thirdshift.toml", NOW)
    call_id = held(books.ledger.place_hold(opening(1000)))
    books.ledger.settle(call_id, answer(usage=USED), 499, 1.0, NOW)
    assert books.ledger.repriced("local/small", None).difference_nano == 1


def test_what_cannot_be_priced_is_said_and_not_counted_as_nothing(books: Books) -> None:
    books.step(1)
    by_its_own = books.ledger.repriced("local/small", None)
    assert (by_its_own.repriced_nano, by_its_own.why) == (None, "their price list is not in the ledger")
    assert books.ledger.repriced("local/small", None, "no price").repriced_nano is None
