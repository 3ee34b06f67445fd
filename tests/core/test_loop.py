"""The policy as a table of attempts, and the moves that are no stops."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.core.histories import (
    BASELINE,
    GREEN,
    SOON,
    START,
    down,
    history,
    judgement,
    policy,
    tried,
)
from thirdshift.core.history import (
    Accept,
    Attempt,
    AttemptEnd,
    Gate,
    LoopHistory,
    LoopPolicy,
    ReasonCode,
    Stop,
    StopReason,
)
from thirdshift.core.ladder import Tier
from thirdshift.core.loop import first_tier, marginal_cost_nano, next_move
from thirdshift.core.spec import GateKind, Risk

CHEATED = judgement(tampering=1, tree="cheated")
STRAYED = judgement(out_of_scope=3, tree="strayed")
LATE = START + timedelta(minutes=45)

ATTEMPTS = {
    "the first attempt is on the cheapest rung": (history(), policy(), 0, ReasonCode.FIRST),
    "a failed verdict is retried with its evidence": (
        history(tried(0)),
        policy(),
        0,
        ReasonCode.RETRY_WITH_EVIDENCE,
    ),
    "a rung used up in failed verdicts gives way to the tier above": (
        history(tried(0), tried(0)),
        policy(),
        1,
        ReasonCode.VERIFICATION_FAILED,
    ),
    "a sibling in the tier is tried before the tier above": (
        history(tried(0), tried(0)),
        policy("eesf"),
        1,
        ReasonCode.VERIFICATION_FAILED,
    ),
    "a provider that is down sends the loop sideways": (
        history(down(0)),
        policy("eesf"),
        1,
        ReasonCode.SIDEWAYS_PROVIDER,
    ),
    "sideways works in the middle of a rung's attempts too": (
        history(tried(0), down(0)),
        policy("eesf"),
        1,
        ReasonCode.SIDEWAYS_PROVIDER,
    ),
    "a rung that went down stays down for the loop": (
        history(down(0), tried(1), tried(1)),
        policy("eesf"),
        2,
        ReasonCode.VERIFICATION_FAILED,
    ),
    "a rung used up before its sibling went down is cause enough to climb": (
        history(tried(0), tried(0), down(1)),
        policy("eesf"),
        2,
        ReasonCode.VERIFICATION_FAILED,
    ),
    "the policy names the tier to enter at": (
        history(),
        policy(first_tier=Tier.SPECIALIST),
        1,
        ReasonCode.FIRST,
    ),
    "an empty first tier is passed over upwards": (history(), policy("sf"), 0, ReasonCode.FIRST),
    "with nothing above, the nearest tier below is entered": (
        history(),
        policy("es", first_tier=Tier.FRONTIER),
        1,
        ReasonCode.FIRST,
    ),
    "an empty tier in the middle is passed over": (
        history(tried(0), tried(0)),
        policy("ef"),
        1,
        ReasonCode.VERIFICATION_FAILED,
    ),
    "an attempt that went in circles is a failed attempt like others": (
        history(tried(0, end=AttemptEnd.REPEATING), tried(0, end=AttemptEnd.REPEATING)),
        policy(),
        1,
        ReasonCode.VERIFICATION_FAILED,
    ),
    "a conversation that grew too long is judged and goes on": (
        history(tried(0, end=AttemptEnd.TOO_LONG)),
        policy(),
        0,
        ReasonCode.RETRY_WITH_EVIDENCE,
    ),
    "a loop that was entered higher, before the policy was changed, stays there": (
        history(tried(1)),
        policy(),
        1,
        ReasonCode.RETRY_WITH_EVIDENCE,
    ),
    "a provider that is back is used again before its sibling": (
        history(down(0).model_copy(update={"back_at": SOON}), tried(1)),
        policy("eef"),
        0,
        ReasonCode.PROVIDER_BACK,
    ),
    "tampering is told once": (history(tried(0, CHEATED)), policy(), 0, ReasonCode.RETRY_WITH_EVIDENCE),
    "a scope violation is told once": (history(tried(0, STRAYED)), policy(), 0, ReasonCode.RETRY_WITH_EVIDENCE),
    "one of each is still once of each": (
        history(tried(0, CHEATED), tried(0, STRAYED)),
        policy(),
        1,
        ReasonCode.VERIFICATION_FAILED,
    ),
    "the frontier is reached under the default policy though all failures are identical": (
        history(tried(0), tried(0), tried(1), tried(1)),
        policy(),
        2,
        ReasonCode.VERIFICATION_FAILED,
    ),
}


@pytest.mark.parametrize(("past", "rules", "rung", "reason"), ATTEMPTS.values(), ids=ATTEMPTS.keys())
def test_the_next_attempt(past: LoopHistory, rules: LoopPolicy, rung: int, reason: ReasonCode) -> None:
    move = next_move(past, rules, SOON)
    assert isinstance(move, Attempt)
    assert (move.rung, move.reason) == (rung, reason)


def test_every_reason_code_is_in_the_table() -> None:
    assert {row[3] for row in ATTEMPTS.values()} == set(ReasonCode)


def test_a_passed_tree_is_accepted_whatever_limit_is_reached_with_it() -> None:
    past = history(tried(0, GREEN, AttemptEnd.BUDGET, steps=99), stop_asked="stop")
    move = next_move(past, policy(max_attempts=1, window_closes_at=START), LATE)
    assert move == Accept(attempt=1, tree="green")


def test_a_passed_tree_is_not_forgotten_when_an_attempt_follows_it() -> None:
    assert next_move(history(tried(0, GREEN), tried(0)), policy(), SOON) == Accept(attempt=1, tree="green")


def test_a_passed_baseline_is_never_accepted_by_itself() -> None:
    assert isinstance(next_move(history(baseline=GREEN), policy(), SOON), Attempt)


def test_the_ladder_is_walked_rung_by_rung_to_its_end() -> None:
    rungs = []
    past = history()
    rules = policy("eesf", max_attempts=100, no_progress_attempts=99, repeated_failures=99)
    while isinstance(move := next_move(past, rules, SOON), Attempt):
        rungs.append(move.rung)
        past = history(*past.attempts, tried(move.rung, reason=move.reason))
    assert rungs == [0, 0, 1, 1, 2, 2, 3, 3]
    assert isinstance(move, Stop)
    assert move.reason is StopReason.LADDER_EXHAUSTED


def test_the_feedback_is_that_of_the_last_judged_attempt() -> None:
    move = next_move(history(tried(0), tried(0), down(1)), policy("eesf"), SOON)
    assert isinstance(move, Attempt)
    assert move.evidence_of == 2


def test_the_first_attempt_has_no_feedback_and_starts_where_the_loop_did() -> None:
    move = next_move(history(), policy(), SOON)
    assert move == Attempt(rung=0, reason=ReasonCode.FIRST, start_tree=None, evidence_of=None)


def test_the_next_attempt_starts_from_the_best_tree_not_the_last() -> None:
    past = history(tried(0, judgement("lint unit", tree="best")), tried(0, BASELINE))
    move = next_move(past, policy(), SOON)
    assert isinstance(move, Attempt)
    assert (move.start_tree, move.evidence_of) == ("best", 2)


class TestTheFrontierGate:
    gated = policy(gates=(GateKind.FRONTIER,))
    climbed = history(
        *(tried(0) for _ in "ab"),
        tried(1, reason=ReasonCode.VERIFICATION_FAILED),
        tried(1, reason=ReasonCode.RETRY_WITH_EVIDENCE),
    )

    def test_opens_before_the_first_frontier_attempt_and_says_why(self) -> None:
        move = next_move(self.climbed, self.gated, SOON)
        assert move == Gate(
            kind=GateKind.FRONTIER,
            reason="acme/frontier-2 would be next (verification_failed). 4 attempts, $0.0400 spent, "
            "$0.0200 of it since the first rung failed; still failing: unit, cents.",
        )

    def test_lets_the_attempt_through_once_approved(self) -> None:
        approved = self.climbed.model_copy(update={"approved": (GateKind.FRONTIER,)})
        move = next_move(approved, self.gated, SOON)
        assert isinstance(move, Attempt)
        assert move.rung == 2

    def test_stands_before_the_first_attempt_too_when_the_loop_enters_at_the_frontier(self) -> None:
        rules = policy("f", gates=(GateKind.FRONTIER,))
        assert isinstance(next_move(history(), rules, SOON), Gate)

    def test_does_not_stand_before_cheaper_tiers(self) -> None:
        assert isinstance(next_move(history(), self.gated, SOON), Attempt)


def test_the_first_tier_follows_the_risk_and_is_the_cheapest_where_nothing_is_configured() -> None:
    by_risk = {Risk.HIGH: Tier.SPECIALIST}
    assert first_tier(Risk.HIGH, by_risk) is Tier.SPECIALIST
    assert first_tier(Risk.LOW, by_risk) is Tier.ECONOMY


def test_the_marginal_cost_is_what_was_spent_since_the_first_climb() -> None:
    assert marginal_cost_nano(TestTheFrontierGate.climbed) == 20_000_000
    assert marginal_cost_nano(history(tried(0), tried(0))) == 0
