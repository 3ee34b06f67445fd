from __future__ import annotations

import pytest

from tests.adapters.ledger.books import JOB, LOOP, NOW, USAGE, Books, answer, attempt_row, held, key, opening
from thirdshift.core.ledger import Answered, CallState, DoesNotFit, Raise, Scope, ScopeKind


def test_a_hold_is_charged_until_the_call_is_settled_at_its_true_cost(books: Books) -> None:
    call_id = held(books.ledger.place_hold(opening(1000)))
    assert books.charged() == 1000
    assert books.ledger.call(call_id).state is CallState.HELD

    books.ledger.settle(call_id, answer(), 400, 1.5, NOW)

    assert books.charged() == 400
    row = books.ledger.call(call_id)
    assert (row.state, row.cost_nano, row.hold_nano, row.usage) == (CallState.SETTLED, 400, 1000, USAGE)
    assert (row.served_model, row.seconds, row.stop) == ("small-2026", 1.5, "end")


def test_settling_twice_keeps_the_first_cost_and_answer(books: Books) -> None:
    call_id = held(books.ledger.place_hold(opening(1000)))
    books.ledger.settle(call_id, answer("first"), 400, 1.5, NOW)
    books.ledger.settle(call_id, answer("second"), 700, 9.0, NOW)
    assert books.charged() == 400
    assert books.ledger.answer(call_id).message.text == "first"
    assert len(books.ledger.conversation(LOOP, 1).messages) == 2


def test_a_released_call_gives_its_hold_back(books: Books) -> None:
    call_id = held(books.ledger.place_hold(opening(1000)))
    books.ledger.release(call_id, "429", NOW)
    books.ledger.release(call_id, "429", NOW)
    assert books.charged() == 0
    assert books.ledger.call(call_id).state is CallState.RELEASED


def test_an_unknown_call_stays_charged_with_its_hold(books: Books) -> None:
    call_id = held(books.ledger.place_hold(opening(1000)))
    books.ledger.mark_unknown(call_id, "the stream was cut", NOW)
    row = books.ledger.call(call_id)
    assert (row.state, row.cost_nano, row.note) == (CallState.UNKNOWN, 1000, "the stream was cut")
    assert books.charged() == 1000


def test_an_unknown_call_may_still_be_released_or_settled_by_who_knows_better(books: Books) -> None:
    refused = held(books.ledger.place_hold(opening(1000)))
    books.ledger.mark_unknown(refused, "worker lost", NOW)
    books.ledger.release(refused, "it was a 429 after all", NOW)
    assert books.charged() == 0

    late = held(books.ledger.place_hold(opening(1000)))
    books.ledger.mark_unknown(late, "worker lost", NOW)
    books.ledger.settle(late, answer(), 300, 1.0, NOW)
    assert books.charged() == 300
    assert books.ledger.call(late).note == "was unknown"


def test_an_answer_to_a_released_call_is_charged_all_the_same(books: Books) -> None:
    call_id = held(books.ledger.place_hold(opening(1000)))
    books.ledger.release(call_id, "refused", NOW)
    books.ledger.settle(call_id, answer(), 300, 1.0, NOW)
    assert books.charged() == 300


def test_a_settled_call_can_be_neither_lost_nor_released(books: Books) -> None:
    call_id = held(books.ledger.place_hold(opening(1000)))
    books.ledger.settle(call_id, answer(), 400, 1.5, NOW)
    books.ledger.mark_unknown(call_id, "x", NOW)
    books.ledger.release(call_id, "x", NOW)
    assert books.ledger.call(call_id).state is CallState.SETTLED
    assert books.charged() == 400


def test_an_answer_of_unknown_cost_is_kept_and_its_hold_stays_charged(books: Books) -> None:
    call_id = held(books.ledger.place_hold(opening(1000)))
    books.ledger.keep_unpriced(call_id, answer(usage=None), "no usage reported", 2.0, NOW)
    books.ledger.release(call_id, "must not count", NOW)
    assert books.ledger.call(call_id).state is CallState.UNKNOWN
    assert books.charged() == 1000
    assert books.ledger.answer(call_id).message.text == "done"
    assert books.ledger.place_hold(opening(1000)) == Answered(call_id=call_id)


def test_a_cost_above_its_hold_is_charged_in_full_and_said(books: Books) -> None:
    call_id = held(books.ledger.place_hold(opening(1000)))
    books.ledger.settle(call_id, answer(), 1_000_000, 1.0, NOW)
    assert books.charged() == 1_000_000
    assert "more than its hold" in books.ledger.call(call_id).note


def test_a_retry_of_an_answered_step_is_given_the_answer_whatever_its_key(books: Books) -> None:
    call_id = held(books.ledger.place_hold(opening(1000)))
    books.ledger.settle(call_id, answer(), 400, 1.5, NOW)
    retry = opening(1000, key=key("step-1", attempt=2))
    after_reset = opening(1000, key=key("step-1", run="run-2"))
    assert books.ledger.place_hold(retry) == Answered(call_id=call_id)
    assert books.ledger.place_hold(after_reset) == Answered(call_id=call_id)
    assert books.charged() == 400


def test_a_retry_while_its_call_is_in_flight_makes_that_one_unknown_and_opens_another(books: Books) -> None:
    first = held(books.ledger.place_hold(opening(1000)))
    second = held(books.ledger.place_hold(opening(1000, key=key("step-1", attempt=2))))
    assert first != second
    assert books.ledger.call(first).state is CallState.UNKNOWN
    assert books.charged() == 2000


def test_a_retry_leaves_calls_of_other_activities_and_runs_alone(books: Books) -> None:
    other_run = held(books.ledger.place_hold(opening(1000, key=key("step-1", run="run-0"))))
    other_activity = held(books.ledger.place_hold(opening(1000, key=key("review-1"))))
    held(books.ledger.place_hold(opening(1000, key=key("step-1", attempt=3))))
    assert books.ledger.call(other_run).state is CallState.HELD
    assert books.ledger.call(other_activity).state is CallState.HELD


def test_the_first_answer_to_a_step_stands_and_a_second_one_is_charged_and_not_used(books: Books) -> None:
    first = held(books.ledger.place_hold(opening(1000)))
    second = held(books.ledger.place_hold(opening(1000, key=key("step-1", attempt=2))))
    assert books.ledger.settle(first, answer("from the worker thought dead"), 300, 1.0, NOW) == first
    assert books.ledger.settle(second, answer("too late"), 400, 1.0, NOW) == first
    assert books.charged() == 700
    messages = books.ledger.conversation(LOOP, 1).messages
    assert [message.text for message in messages[1:]] == ["from the worker thought dead"]
    assert books.ledger.place_hold(opening(1000, key=key("step-1", attempt=3))) == Answered(call_id=first)


ALL_KINDS = [kind for kind in ScopeKind if kind is not ScopeKind.CALL]


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_a_hold_that_any_scope_has_no_room_for_is_refused_and_sets_nothing_aside(books: Books, kind: ScopeKind) -> None:
    limits = dict.fromkeys(ALL_KINDS, 10_000) | {kind: 2500}
    held(books.ledger.place_hold(opening(1000, step=1, limits=limits)))
    settled = held(books.ledger.place_hold(opening(1000, step=2, limits=limits)))
    books.ledger.settle(settled, answer(), 600, 1.0, NOW)

    refused = books.ledger.place_hold(opening(901, step=3, limits=limits))

    assert isinstance(refused, DoesNotFit)
    assert refused.scope.kind is kind
    assert (refused.scope.limit_nano, refused.settled_nano, refused.held_nano, refused.free_nano) == (
        2500,
        600,
        1000,
        900,
    )
    assert books.charged() == 1600
    held(books.ledger.place_hold(opening(900, step=3, limits=limits)))
    assert books.charged() == 2500


def test_a_limit_on_one_call_refuses_a_larger_hold(books: Books) -> None:
    refused = books.ledger.place_hold(opening(1001, limits={ScopeKind.CALL: 1000}))
    assert refused == DoesNotFit(
        scope=Scope(kind=ScopeKind.CALL, key="call", limit_nano=1000), settled_nano=0, held_nano=0, free_nano=1000
    )
    held(books.ledger.place_hold(opening(1000, limits={ScopeKind.CALL: 1000})))


def test_the_tightest_scope_is_the_one_that_is_named(books: Books) -> None:
    refused = books.ledger.place_hold(opening(9000, limits={ScopeKind.JOB: 5000, ScopeKind.LOOP: 3000}))
    assert isinstance(refused, DoesNotFit)
    assert (refused.scope.kind, refused.free_nano) == (ScopeKind.LOOP, 3000)


def test_unknown_money_counts_against_the_limit(books: Books) -> None:
    call_id = held(books.ledger.place_hold(opening(1000, limits={ScopeKind.JOB: 1500})))
    books.ledger.mark_unknown(call_id, "cut", NOW)
    refused = books.ledger.place_hold(opening(501, step=2, limits={ScopeKind.JOB: 1500}))
    assert isinstance(refused, DoesNotFit)
    assert (refused.unknown_nano, refused.free_nano) == (1000, 500)


def test_a_refused_retry_still_writes_off_the_call_that_was_in_flight(books: Books) -> None:
    first = held(books.ledger.place_hold(opening(1000, limits={ScopeKind.JOB: 1500})))
    retry = opening(1000, limits={ScopeKind.JOB: 1500}, key=key("step-1", attempt=2))
    assert isinstance(books.ledger.place_hold(retry), DoesNotFit)
    assert books.ledger.call(first).state is CallState.UNKNOWN


def test_a_raised_limit_holds_for_calls_that_still_name_the_old_one_and_is_raised_once(books: Books) -> None:
    limits = {ScopeKind.JOB: 1000}
    held(books.ledger.place_hold(opening(1000, limits=limits)))
    assert isinstance(books.ledger.place_hold(opening(500, step=2, limits=limits)), DoesNotFit)
    more = Raise(raise_id="gate-7", kind=ScopeKind.JOB, key=JOB, by_nano=600, reviewer="grace", at=NOW)
    assert books.ledger.raise_limit(more) == 600
    assert books.ledger.raise_limit(more) == 600
    refused = books.ledger.place_hold(opening(601, step=2, limits=limits))
    assert isinstance(refused, DoesNotFit)
    assert refused.scope.limit_nano == 1600
    held(books.ledger.place_hold(opening(600, step=2, limits=limits)))


def test_metered_and_imputed_calls_have_budgets_and_sums_of_their_own(books: Books) -> None:
    limits = {ScopeKind.JOB: 1000}
    metered = held(books.ledger.place_hold(opening(1000, limits=limits)))
    imputed = held(books.ledger.place_hold(opening(1000, step=2, limits=limits, billing="imputed")))
    books.ledger.settle(metered, answer(), 700, 1.0, NOW)
    books.ledger.settle(imputed, answer(), 300, 1.0, NOW)
    spend = books.ledger.job_view(JOB).spend
    assert (spend.settled_nano, spend.imputed_nano) == (700, 300)


def test_a_call_of_an_attempt_that_was_never_opened_is_refused(books: Books) -> None:
    with pytest.raises(KeyError, match="no attempt 9"):
        books.ledger.place_hold(opening(1000, attempt_number=9))
    books.ledger.open_attempt(attempt_row(number=9))
    held(books.ledger.place_hold(opening(1000, attempt_number=9)))
