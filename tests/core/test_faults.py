from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thirdshift.core.errors import FaultKind
from thirdshift.core.faults import (
    HANDLINGS,
    LONGEST_OBEYED_WAIT_SECONDS,
    Then,
    after_answer,
    handling_of,
    next_delay_seconds,
    should_retry,
)
from thirdshift.core.ports import StopKind

RETRYABLE = {
    FaultKind.RATE_LIMITED,
    FaultKind.OVERLOADED,
    FaultKind.SERVER_ERROR,
    FaultKind.UNREACHABLE,
    FaultKind.TIMED_OUT,
    FaultKind.CUT_STREAM,
    FaultKind.BAD_BODY,
}
kinds = st.sampled_from(FaultKind)
jitters = st.floats(0, 1)
waits = st.none() | st.floats(0, LONGEST_OBEYED_WAIT_SECONDS)


def test_every_kind_of_fault_has_a_decided_handling() -> None:
    assert set(HANDLINGS) == set(FaultKind)


def test_exactly_the_passing_troubles_are_retried() -> None:
    assert {kind for kind in FaultKind if handling_of(kind).retry} == RETRYABLE


def test_only_a_prompt_that_is_too_long_ends_the_attempt_and_all_else_moves_sideways() -> None:
    assert [kind for kind in FaultKind if handling_of(kind).then is not Then.SIDEWAYS] == [FaultKind.TOO_LONG]


def test_faults_that_may_be_billed_get_fewer_tries_than_faults_that_cost_nothing() -> None:
    billed = (FaultKind.TIMED_OUT, FaultKind.CUT_STREAM, FaultKind.BAD_BODY)
    free = RETRYABLE - set(billed)
    assert max(handling_of(kind).tries for kind in billed) < min(handling_of(kind).tries for kind in free)


def test_a_refusal_moves_sideways_and_other_answers_go_on() -> None:
    assert [stop for stop in StopKind if after_answer(stop) is Then.SIDEWAYS] == [StopKind.REFUSAL]


def test_a_vendor_that_asks_for_too_long_a_wait_is_left_at_once() -> None:
    assert should_retry(FaultKind.RATE_LIMITED, 1, LONGEST_OBEYED_WAIT_SECONDS)
    assert not should_retry(FaultKind.RATE_LIMITED, 1, LONGEST_OBEYED_WAIT_SECONDS + 1)


@given(kinds)
def test_tries_are_bounded(kind: FaultKind) -> None:
    tries = 1
    while should_retry(kind, tries):
        tries += 1
    assert tries == handling_of(kind).tries <= 6


@given(kinds, st.integers(1, 10_000), waits, jitters)
def test_a_wait_is_never_negative_nor_shorter_than_asked_nor_without_end(
    kind: FaultKind, attempt: int, asked: float | None, jitter: float
) -> None:
    delay = next_delay_seconds(kind, attempt, asked, jitter)
    assert delay >= (asked or 0)
    assert delay <= max(handling_of(kind).longest_wait_seconds, (asked or 0) * 1.1 + 1e-6)


@given(st.sampled_from(sorted(RETRYABLE)), st.integers(1, 20), jitters)
def test_waits_grow_with_the_tries(kind: FaultKind, attempt: int, jitter: float) -> None:
    assert next_delay_seconds(kind, attempt, None, jitter) <= next_delay_seconds(kind, attempt + 1, None, jitter)


@pytest.mark.parametrize(("attempt", "seconds"), [(1, 2.0), (2, 4.0), (3, 8.0), (6, 60.0), (99, 60.0)])
def test_waits_double_up_to_the_cap(attempt: int, seconds: float) -> None:
    assert next_delay_seconds(FaultKind.RATE_LIMITED, attempt, None, 1.0) == seconds


def test_jitter_spreads_callers_over_half_of_the_wait() -> None:
    spread = [next_delay_seconds(FaultKind.OVERLOADED, 3, None, share) for share in (0.0, 0.5, 1.0)]
    assert spread == [4.0, 6.0, 8.0]
