from __future__ import annotations

from typing import Any

from tests.core.histories import GREEN, RED, SOON, down, history, judgement, policy, tried
from thirdshift.core.after_gate import with_another_try, with_approval, with_more_money, with_rework
from thirdshift.core.history import Accept, Attempt, AttemptEnd, Gate, LoopHistory, ReasonCode, Stop, StopReason
from thirdshift.core.loop import best_tree, next_move
from thirdshift.core.spec import GateKind
from thirdshift.core.verdict import REVIEW

BUDGET = (GateKind.BUDGET,)
BROKE = tried(0, RED, AttemptEnd.BUDGET, evidence="job job-1: limit $1")


def reason_of(past: LoopHistory, **fields: Any) -> StopReason:
    move = next_move(past, policy(**fields), SOON)
    assert isinstance(move, Stop)
    return move.reason


def test_a_rework_leaves_no_passed_verdict_and_goes_on_from_the_tree_that_was_sent_back() -> None:
    past = with_rework(history(tried(0), tried(0, GREEN)), "4", 60.0)
    assert best_tree(past) == "green"
    assert past.attempts[-1].verdict is not None
    assert past.attempts[-1].verdict.failed == (REVIEW,)
    move = next_move(past, policy("es"), SOON)
    assert isinstance(move, Attempt)
    assert (move.rung, move.reason, move.start_tree) == (0, ReasonCode.RETRY_WITH_EVIDENCE, "green")
    assert past.waited_seconds == 60.0


def test_reworks_use_up_neither_attempts_nor_the_patience_of_the_detectors() -> None:
    past = history(tried(0, GREEN))
    for gate in range(1, 8):
        past = with_rework(past, str(gate), 0.0)
        assert isinstance(next_move(past, policy("e", attempts=1, max_attempts=1), SOON), Attempt)
        numbered = tried(0, judgement("lint unit cents", tree=f"green-{gate}")).model_copy(update={"number": gate + 1})
        past = past.model_copy(update={"attempts": (*past.attempts, numbered)})
        assert isinstance(next_move(past, policy("e"), SOON), Accept)


def test_a_used_up_budget_stops_where_nobody_is_asked_and_asks_where_somebody_is() -> None:
    assert reason_of(history(BROKE)) is StopReason.BUDGET
    move = next_move(history(BROKE), policy(gates=BUDGET), SOON)
    assert isinstance(move, Gate)
    assert move.kind is GateKind.BUDGET
    assert "limit $1" in move.reason


def test_after_a_raise_the_same_rung_gets_its_attempt_back() -> None:
    past = with_more_money(history(tried(0), BROKE))
    move = next_move(past, policy("es", gates=BUDGET), SOON)
    assert isinstance(move, Attempt)
    assert (move.rung, move.reason) == (0, ReasonCode.RETRY_WITH_EVIDENCE)


def test_each_end_for_lack_of_money_is_asked_about_anew() -> None:
    past = with_more_money(history(BROKE))
    again = past.model_copy(update={"attempts": (*past.attempts, BROKE.model_copy(update={"number": 2}))})
    assert isinstance(next_move(again, policy(gates=BUDGET), SOON), Gate)


def test_nobody_is_asked_for_money_that_would_only_pay_for_a_stop() -> None:
    over = policy(gates=BUDGET, max_steps=1)
    move = next_move(history(BROKE), over, SOON)
    assert isinstance(move, Stop)
    assert move.reason is StopReason.BUDGET


def test_success_goes_before_a_budget_that_is_used_up() -> None:
    passed = BROKE.model_copy(update={"verdict": GREEN})
    assert isinstance(next_move(history(passed), policy(gates=BUDGET), SOON), Accept)


def test_an_approved_frontier_is_not_asked_about_again() -> None:
    asked = policy("ef", gates=(GateKind.FRONTIER,))
    past = history(tried(0), tried(0))
    assert isinstance(next_move(past, asked, SOON), Gate)
    move = next_move(with_approval(past, GateKind.FRONTIER), asked, SOON)
    assert isinstance(move, Attempt)
    assert move.rung == 1


def test_another_try_is_given_to_the_rung_that_was_judged_last() -> None:
    past = with_another_try(history(tried(0), tried(0)))
    move = next_move(past, policy("ef", gates=(GateKind.FRONTIER,)), SOON)
    assert isinstance(move, Attempt)
    assert move.rung == 0
    assert with_another_try(history(down(0))) == history(down(0)), "there is none to give it to"


def test_time_spent_waiting_for_people_is_not_the_loop_s() -> None:
    short = {"max_wall_seconds": 60.0}
    assert reason_of(history(tried(0)), **short) is StopReason.WALL_CLOCK
    waited = history(tried(0), waited_seconds=270.0)
    assert isinstance(next_move(waited, policy(max_wall_seconds=60.0), SOON), Attempt)
