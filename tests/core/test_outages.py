from __future__ import annotations

from datetime import timedelta

import pytest

from tests.core.histories import START, down, history, judgement, policy, tried
from thirdshift.core.history import Attempt, AttemptEnd, AttemptRecord, LoopHistory, Park, ReasonCode, Stop, StopReason
from thirdshift.core.loop import next_move
from thirdshift.core.outages import STATED_PATIENCE_SECONDS, UNSTATED_TRIES, Patience

NOW = START + timedelta(minutes=5)
NIGHT = Patience(in_window=True)


def away(rung: int, hours: float | None = None, **fields: object) -> AttemptRecord:
    """An attempt whose provider went away now, and said so many hours; None: it said nothing."""
    back_at = None if hours is None else NOW + timedelta(hours=hours)
    return down(rung).model_copy(update={"back_at": back_at, "failed_at": NOW, "steps": 0, **fields})


def test_a_provider_that_says_when_it_is_back_is_waited_for_until_then() -> None:
    move = next_move(history(away(0, 3)), policy("e"), NOW, NIGHT)
    assert isinstance(move, Park)
    assert move.until == NOW + timedelta(hours=3)
    assert "acme/economy-0 says that it is back" in move.reason
    waited = history(away(0, 3), waited_seconds=3 * 3600.0)
    after = next_move(waited, policy("e", max_attempts=1), move.until, NIGHT)
    assert after == Attempt(rung=0, reason=ReasonCode.PROVIDER_BACK, start_tree=None)


def test_a_sibling_of_the_tier_is_used_meanwhile_and_the_provider_again_once_it_is_back() -> None:
    ladder = policy("eef")
    meanwhile = next_move(history(away(0, 3)), ladder, NOW, NIGHT)
    assert isinstance(meanwhile, Attempt)
    assert (meanwhile.rung, meanwhile.reason) == (1, ReasonCode.SIDEWAYS_PROVIDER)
    past = history(away(0, 3), tried(1))
    still = next_move(past, ladder, NOW + timedelta(hours=2), Patience(in_window=True))
    assert isinstance(still, Stop | Attempt)
    later = next_move(past.model_copy(update={"waited_seconds": 4 * 3600.0}), ladder, NOW + timedelta(hours=3), NIGHT)
    assert isinstance(later, Attempt)
    assert (later.rung, later.reason) == (0, ReasonCode.PROVIDER_BACK)


def test_of_two_providers_the_first_to_be_back_is_waited_for_whichever_tier_is_above() -> None:
    move = next_move(history(away(0, 5), away(1, 2)), policy("eesf"), NOW, NIGHT)
    assert isinstance(move, Park)
    assert move.until == NOW + timedelta(hours=2)


@pytest.mark.parametrize(
    ("in_window", "hours", "waits"),
    [
        (True, 23.9, True),
        (True, 24.1, False),
        (False, 0.7, True),  # max_wall is 45 minutes
        (False, 0.8, False),
    ],
)
def test_a_stated_wait_has_a_bound(in_window: bool, hours: float, waits: bool) -> None:
    move = next_move(history(away(0, hours)), policy("e"), NOW, Patience(in_window=in_window))
    if waits:
        assert isinstance(move, Park)
    else:
        assert isinstance(move, Stop)
        assert move.reason is StopReason.PROVIDER_UNAVAILABLE
        assert "says that it is back at 2031-03-0" in move.evidence


def test_all_waits_together_have_that_bound() -> None:
    past = history(away(0, 1), provider_waited_seconds=STATED_PATIENCE_SECONDS - 1800)
    assert isinstance(next_move(past, policy("e"), NOW, NIGHT), Stop)


def outage(tries: int) -> LoopHistory:
    return history(*(away(0) for _ in range(tries)))


@pytest.mark.parametrize(("tries", "minutes"), [(1, 1), (2, 2), (3, 4), (4, 8), (5, 15), (UNSTATED_TRIES, 15)])
def test_an_outage_without_a_time_is_asked_again_after_growing_pauses_at_night(tries: int, minutes: int) -> None:
    move = next_move(outage(tries), policy("e"), NOW, NIGHT)
    assert isinstance(move, Park)
    assert move.until == NOW + timedelta(minutes=minutes)


def test_it_is_given_up_in_the_end_and_by_day_at_once() -> None:
    for past, patience in ((outage(UNSTATED_TRIES + 1), NIGHT), (outage(1), Patience())):
        move = next_move(past, policy("e", max_attempts=20), NOW, patience)
        assert isinstance(move, Stop)
        assert move.reason is StopReason.PROVIDER_UNAVAILABLE


def test_an_answer_in_between_begins_the_pauses_anew() -> None:
    past = history(away(0), away(0), away(0, steps=2))
    move = next_move(past, policy("e", max_attempts=20), NOW, NIGHT)
    assert isinstance(move, Park)
    assert move.until == NOW + timedelta(minutes=1)


def test_trouble_that_does_not_pass_by_itself_is_not_waited_for() -> None:
    assert isinstance(next_move(history(down(0)), policy("e"), NOW, NIGHT), Stop)


def test_an_outage_is_no_reason_to_climb_however_long_it_is() -> None:
    for past in (history(away(0, 3)), history(away(0, 300)), history(down(0))):
        assert not isinstance(next_move(past, policy("ef"), NOW, NIGHT), Attempt)


def test_jitter_comes_after_the_time_that_was_stated_and_is_bounded() -> None:
    for jitter01, most in ((0.0, 0), (0.5, 150), (1.0, 300)):
        move = next_move(history(away(0, 3)), policy("e"), NOW, Patience(in_window=True, jitter01=jitter01))
        assert isinstance(move, Park)
        assert move.until == NOW + timedelta(hours=3, seconds=most)


def test_attempts_that_were_only_waited_out_are_not_counted_and_others_are() -> None:
    waited_out = history(away(0, -1), away(0, -1))
    assert isinstance(next_move(waited_out, policy("e", max_attempts=1), NOW, NIGHT), Attempt)
    worked = history(away(0, -1, steps=3))
    move = next_move(worked, policy("e", max_attempts=1), NOW, NIGHT)
    assert isinstance(move, Stop)
    assert move.reason is StopReason.MAX_ATTEMPTS


def test_a_rung_that_failed_its_verdicts_is_not_waited_for() -> None:
    past = history(tried(0, judgement()), tried(0, judgement(signature="other")), away(1, 3))
    move = next_move(past, policy("ees"), NOW, NIGHT)
    assert isinstance(move, Attempt)
    assert (move.rung, move.reason) == (2, ReasonCode.VERIFICATION_FAILED)
    assert past.attempts[-1].end is AttemptEnd.PROVIDER
