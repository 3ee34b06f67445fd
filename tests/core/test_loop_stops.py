"""Every reason for which the policy stops a loop, as a table."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.core.histories import (
    SOON,
    START,
    down,
    history,
    judgement,
    policy,
    tried,
    with_trees,
)
from thirdshift.core.history import (
    AttemptEnd,
    LoopHistory,
    LoopPolicy,
    Stop,
    StopReason,
)
from thirdshift.core.loop import next_move

CHEATED = judgement(tampering=1, tree="cheated")
STRAYED = judgement(out_of_scope=3, tree="strayed")
LATE = START + timedelta(minutes=45)

STOPS = {
    "a person asks": (
        history(tried(0), stop_asked="going home"),
        policy(),
        SOON,
        StopReason.STOPPED_BY_PERSON,
        '"going home". 1 attempt, $0.0100 spent; still failing: unit, cents.',
    ),
    "a person asks before anything was tried": (
        history(stop_asked=""),
        policy(),
        SOON,
        StopReason.STOPPED_BY_PERSON,
        "gave no reason. 0 attempts",
    ),
    "a night's circuit breaker halts it": (
        history(tried(0), stop_asked="96% of 25 verdicts of this night failed.", halted_for=StopReason.CIRCUIT_BREAKER),
        policy(),
        SOON,
        StopReason.CIRCUIT_BREAKER,
        "96% of 25 verdicts of this night failed. 1 attempt, $0.0100 spent",
    ),
    "an attempt was cut off by a stop": (
        history(tried(0, None, AttemptEnd.STOPPED, evidence="stop from the terminal")),
        policy(),
        SOON,
        StopReason.STOPPED_BY_PERSON,
        '"stop from the terminal"',
    ),
    "a hold did not fit": (
        history(tried(0, end=AttemptEnd.BUDGET, evidence="job: limit $1.50, settled $1.49, needed $0.02.")),
        policy(),
        SOON,
        StopReason.BUDGET,
        "job: limit $1.50, settled $1.49, needed $0.02. 1 attempt",
    ),
    "an attempt ended at the limit of steps": (
        history(tried(0, end=AttemptEnd.MAX_STEPS, steps=39)),
        policy(),
        SOON,
        StopReason.MAX_STEPS,
        "39 of 40 steps are used.",
    ),
    "the steps of all attempts reach the limit": (
        history(tried(0, steps=30), tried(0, steps=10)),
        policy(),
        SOON,
        StopReason.MAX_STEPS,
        "40 of 40 steps are used.",
    ),
    "an attempt ended at the wall clock's limit": (
        history(tried(0, end=AttemptEnd.WALL_CLOCK)),
        policy(),
        LATE - timedelta(seconds=1),
        StopReason.WALL_CLOCK,
        "2699 s of 2700 s have passed.",
    ),
    "the wall clock runs out between attempts": (
        history(tried(0)),
        policy(),
        LATE,
        StopReason.WALL_CLOCK,
        "2700 s of 2700 s have passed.",
    ),
    "the window closes": (
        history(tried(0)),
        policy(window_closes_at=SOON),
        SOON,
        StopReason.WINDOW_CLOSED,
        "closed at 2031-03-01T22:05:00+00:00.",
    ),
    "an attempt cut by the window's end is not blamed on the wall clock": (
        history(tried(0, end=AttemptEnd.WALL_CLOCK)),
        policy(window_closes_at=SOON),
        SOON,
        StopReason.WINDOW_CLOSED,
        "The window closed",
    ),
    "all attempts are made": (
        history(tried(0), tried(0), tried(1)),
        policy(max_attempts=3),
        SOON,
        StopReason.MAX_ATTEMPTS,
        "3 of 3 attempts are made. 3 attempts, $0.0300 spent",
    ),
    "tampering a second time": (
        history(tried(0, CHEATED), tried(0), tried(1, CHEATED)),
        policy(),
        SOON,
        StopReason.TAMPERING,
        "in 2 attempts (numbers 1, 3)",
    ),
    "tampering is named though a limit is reached with it": (
        history(tried(0, CHEATED), tried(0, CHEATED)),
        policy(max_attempts=2),
        LATE,
        StopReason.TAMPERING,
        "told after the first",
    ),
    "writing out of scope a second time": (
        history(tried(0, STRAYED), tried(0, STRAYED)),
        policy(),
        SOON,
        StopReason.SCOPE_VIOLATION,
        "2 attempts (numbers 1, 2) changed 6 paths",
    ),
    "the same failure five times": (
        history(*(tried(rung) for rung in (0, 0, 1, 1, 2))),
        policy(),
        SOON,
        StopReason.REPEATING,
        "The last 5 judged attempts failed in the same way (signature same): unit, cents.",
    ),
    "different failures but no check newly passing": (
        history(*(tried(rung, judgement(signature=f"s{n}")) for n, rung in enumerate((0, 0, 1, 1, 2)))),
        policy(),
        SOON,
        StopReason.NO_PROGRESS,
        "No check newly passed in the last 5 judged attempts (the limit is 5); still failing: unit, cents.",
    ),
    "the attempts go round the same trees": (
        history(*with_trees("abab")),
        policy(attempts=9, oscillation_cycles=2),
        SOON,
        StopReason.OSCILLATING,
        "the same 2 trees 2 times",
    ),
    "no rung is left": (
        history(*(tried(0, judgement(signature=s)) for s in "ab")),
        policy("e"),
        SOON,
        StopReason.LADDER_EXHAUSTED,
        "No rung is left. 2 judged attempts on 1 rung failed; still failing: unit, cents.",
    ),
    "there is no ladder": (history(), policy(""), SOON, StopReason.LADDER_EXHAUSTED, "0 rungs"),
    "the last rung did nothing but repeat itself": (
        history(*(tried(0, end=AttemptEnd.REPEATING, evidence="`ls` 4 times") for _ in "ab")),
        policy("e"),
        SOON,
        StopReason.REPEATING,
        "On the last rung 2 attempts repeated the same calls (`ls` 4 times).",
    ),
    "the last rung did nothing but change files to and fro": (
        history(*(tried(0, end=AttemptEnd.OSCILLATING) for _ in "ab")),
        policy("e"),
        SOON,
        StopReason.OSCILLATING,
        "On the last rung 2 attempts went round the same trees.",
    ),
    "no provider of the tier answers": (
        history(down(0), down(1)),
        policy("eesf"),
        SOON,
        StopReason.PROVIDER_UNAVAILABLE,
        "No provider of the economy tier can be used (acme/economy-0, acme/economy-1), and a provider's fault is no "
        "reason to climb. The last fault: 529 overloaded for 10 min",
    ),
    "a provider that goes down halfway is no cause to climb either": (
        history(tried(0), down(0)),
        policy(),
        SOON,
        StopReason.PROVIDER_UNAVAILABLE,
        "economy tier",
    ),
    "a dearer tier that is down ends the loop, it does not go back or up": (
        history(tried(0), tried(0), down(1)),
        policy(),
        SOON,
        StopReason.PROVIDER_UNAVAILABLE,
        "specialist tier",
    ),
}


@pytest.mark.parametrize(("past", "rules", "now", "reason", "words"), STOPS.values(), ids=STOPS.keys())
def test_a_loop_stops(past: LoopHistory, rules: LoopPolicy, now: object, reason: StopReason, words: str) -> None:
    move = next_move(past, rules, now)  # type: ignore[arg-type]  # the table's rows are of mixed types
    assert isinstance(move, Stop)
    assert move.reason is reason
    assert words in move.evidence


def test_every_stop_that_the_policy_decides_is_in_the_table() -> None:
    decided_elsewhere = {
        StopReason.ACCEPTED,
        StopReason.REJECTED,
        StopReason.SPEC_INVALID,
        StopReason.SETUP_FAILED,
        StopReason.UNDELIVERED,
        StopReason.FAILED,
    }
    assert {row[3] for row in STOPS.values()} == set(StopReason) - decided_elsewhere
