"""The eight ways in which agents are known to overrun their budgets, each done here and each without success.

The clusters are those of a catalogue of 63 published incidents (arXiv 2606.04056). Every test first spends in the way
that failed elsewhere, and shows that it overspends; then it does the same with the ledger.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.model import ModelActivities
from tests.activities.bench import JOB as LINE_JOB
from tests.activities.bench import LOOP as LINE_LOOP
from tests.activities.bench import RUNG as LINE_RUNG
from tests.activities.bench import PlayedModel, always, open_attempt, services_at
from tests.activities.bench import answer as line_answer
from tests.adapters.ledger.books import JOB, LOOP, NOW, Books, answer, attempt_row, key, loop_row, opening
from tests.core.histories import SOON, history, policy, tried
from thirdshift.adapters.ledger import SqlLedger, open_ledger
from thirdshift.core.errors import FaultKind, ModelFault
from thirdshift.core.faults import handling_of
from thirdshift.core.history import AttemptEnd, Stop, StopReason
from thirdshift.core.ledger import Answered, DoesNotFit, Held, ScopeKind
from thirdshift.core.loop import next_move
from thirdshift.core.ports import ModelAnswer, ModelRequest
from thirdshift.core.scopes import BudgetLimits
from thirdshift.signatures import CallModel

LIMIT = 10_000
CAP = {ScopeKind.JOB: LIMIT}
PRICE = 900


class Vendor:
    """Bills whatever it is sent."""

    def __init__(self) -> None:
        self.billed = 0

    def call(self, price: int = PRICE) -> int:
        self.billed += price
        return price


def spend_until_refused(ledger: SqlLedger, vendor: Vendor, step: int, *, lose: bool = False) -> None:
    """Calls of one step after another until the ledger lets no more through."""
    while isinstance(placed := ledger.place_hold(opening(PRICE + 100, step=step, limits=CAP)), Held):
        cost = vendor.call()
        if lose:
            ledger.mark_unknown(placed.call_id, "cut", NOW)
        else:
            ledger.settle(placed.call_id, answer(), cost, 1.0, NOW)
        step += 1
    assert isinstance(placed, DoesNotFit | Answered)


def in_threads(count: int, work: Callable[[int], None]) -> None:
    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_a_retry_loop_charges_every_try_and_ends_at_the_limit(books: Books) -> None:
    naive, spent = Vendor(), 0
    for _ in range(50):  # Each try fails after it was billed, so nothing is ever counted.
        naive.call()
        if spent >= LIMIT:
            break
    assert naive.billed > LIMIT

    vendor = Vendor()
    spend_until_refused(books.ledger, vendor, 1, lose=True)
    assert vendor.billed <= books.charged() <= LIMIT
    assert handling_of(FaultKind.CUT_STREAM).tries == 3


def test_delegation_that_fans_out_shares_one_budget(books: Books) -> None:
    naive, barrier = Vendor(), threading.Barrier(20)

    def child(_: int) -> None:
        room = naive.billed < LIMIT
        barrier.wait(timeout=60)  # All have looked before any has spent.
        if room:
            naive.call()

    in_threads(20, child)
    assert naive.billed > LIMIT

    vendor = Vendor()

    def loop(number: int) -> None:
        placed = books.ledger.place_hold(opening(PRICE, step=1, key=key(f"child-{number}"), limits=CAP))
        if isinstance(placed, Held):
            vendor.call()

    in_threads(20, loop)
    assert vendor.billed <= books.ledger.job_cost_nano(JOB) <= LIMIT


def test_a_sub_agent_that_does_not_know_the_cap_is_under_it_all_the_same(books: Books) -> None:
    books.ledger.open_loop(loop_row("loop-helper"))
    books.ledger.open_attempt(attempt_row("loop-helper"))
    vendor = Vendor()
    spend_until_refused(books.ledger, vendor, 1)
    outside = opening(PRICE, step=1, owner_id="loop-helper", key=key("h", workflow="loop-helper"), scopes=())
    refused = books.ledger.place_hold(outside)
    assert isinstance(refused, DoesNotFit)
    assert (refused.scope.kind, refused.scope.limit_nano) == (ScopeKind.JOB, LIMIT)
    assert isinstance(books.ledger.place_hold(opening(PRICE, step=99, limits=CAP)), DoesNotFit)


def test_money_is_set_aside_before_a_call_and_not_counted_after_it(books: Books) -> None:
    naive, spent = Vendor(), 0
    for price in (4000, 5000, 8000):
        if spent < LIMIT:  # Looked at beforehand, added to afterwards.
            spent += naive.call(price)
    assert naive.billed > LIMIT

    vendor = Vendor()
    for step, price in enumerate((4000, 5000, 8000), start=1):
        placed = books.ledger.place_hold(opening(price, step=step, limits=CAP))
        if isinstance(placed, Held):
            books.ledger.settle(placed.call_id, answer(), vendor.call(price), 1.0, NOW)
    assert vendor.billed == books.charged() == 9000


def test_processes_count_in_one_place(books: Books) -> None:
    naive = Vendor()
    for counter in ([0], [0]):  # A counter for each process.
        while counter[0] + PRICE <= LIMIT:
            counter[0] += naive.call()
    assert naive.billed > LIMIT

    vendor, other = Vendor(), open_ledger(books.url)
    spend_until_refused(books.ledger, vendor, 1)
    spend_until_refused(other, vendor, 1000)
    assert vendor.billed <= other.attempt_cost_nano(LOOP, 1) <= LIMIT
    other.close()


async def test_a_model_without_a_price_is_not_called(tmp_path: Path) -> None:
    prices, naive = {"known": PRICE}, Vendor()
    counted = 0
    for _ in range(50):
        naive.call()
        counted += prices.get("new-model", 0)  # Free, as far as the counter knows.
    assert (naive.billed > LIMIT, counted) == (True, 0)

    model = PlayedModel(always(line_answer(text="hi")))
    services = services_at(tmp_path, model)
    open_attempt(services, rung=LINE_RUNG.model_copy(update={"model": "local/new-model"}))
    where = ActivityEnvironment()
    where.info = where.info.__class__(**{**vars(where.info), "workflow_id": LINE_LOOP})
    given = await where.run(ModelActivities(services).call_model, CallModel(n=1, s=1))
    assert given.fault == "unpriced"
    assert model.requests == []


def test_a_restart_forgets_no_charge_and_no_call_in_flight(books: Books) -> None:
    naive = Vendor()
    for _restart in range(3):
        counter = 0  # In memory.
        while counter + PRICE <= LIMIT // 2:
            counter += naive.call()
    assert naive.billed > LIMIT

    vendor, ledger = Vendor(), books.ledger
    for restart in range(3):
        for step in range(1, 6):
            asked = opening(PRICE, step=step + 10 * restart, limits=CAP, key=key(f"{restart}-{step}"))
            if isinstance(ledger.place_hold(asked), Held):
                vendor.call()  # Sent, and the process dies before it hears the answer.
        ledger.close()
        ledger = open_ledger(books.url)
    assert vendor.billed <= ledger.attempt_cost_nano(LOOP, 1) <= LIMIT
    assert ledger.verify().adds_up
    ledger.close()


def test_an_exhausted_budget_stops_the_loop_and_is_not_spent_on_a_cheaper_model(books: Books) -> None:
    naive, spent, price = Vendor(), 0, PRICE
    for _ in range(100):
        if spent >= LIMIT:
            price = PRICE // 4  # Goes on, cheaper.
        spent += naive.call(price)
    assert naive.billed > LIMIT

    vendor = Vendor()
    spend_until_refused(books.ledger, vendor, 1)
    left = LIMIT - books.charged()
    cheaper = opening(left + 1, step=500, model="local/tiny", limits=CAP)
    assert isinstance(books.ledger.place_hold(cheaper), DoesNotFit)
    assert vendor.billed <= LIMIT
    move = next_move(history(tried(1, end=AttemptEnd.BUDGET, evidence="no room")), policy("esf"), SOON)
    assert isinstance(move, Stop)
    assert move.reason is StopReason.BUDGET


async def test_a_vendor_that_always_fails_is_given_up_within_the_tries_of_its_fault(tmp_path: Path) -> None:
    async def cut(request: ModelRequest) -> ModelAnswer:
        raise ModelFault(FaultKind.CUT_STREAM, "cut", may_be_billed=True)

    model = PlayedModel(cut)
    services = services_at(tmp_path, model, BudgetLimits(job_nano=1_000_000_000))
    open_attempt(services)
    for attempt in range(1, 10):
        where = ActivityEnvironment()
        where.info = where.info.__class__(**{**vars(where.info), "workflow_id": LINE_LOOP, "attempt": attempt})
        try:
            given = await where.run(ModelActivities(services).call_model, CallModel(n=1, s=1))
        except ApplicationError:
            continue
        assert given.fault == "cut_stream"
        break
    else:
        pytest.fail("it was never given up")
    assert len(model.requests) == handling_of(FaultKind.CUT_STREAM).tries
    assert services.ledger.job_cost_nano(LINE_JOB) > 0
