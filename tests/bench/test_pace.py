from __future__ import annotations

import pytest

from bench.rig.loopback import Exchange
from bench.rig.pace import WARM_UP_STEPS, growth, marginal, ms_a_step, step_seconds


def talk(*steps_ms: float, served_ms: float = 1.0) -> list[Exchange]:
    """A conversation whose steps took so long, each answer needing the server another while."""
    exchanges: list[Exchange] = []
    now = 100.0
    for step_ms in (0.0, *steps_ms):
        now += step_ms / 1000
        exchanges.append(
            Exchange(model="m", path="/v1", arrived=now, answered=now + served_ms / 1000, bytes=len(exchanges))
        )
        now += served_ms / 1000
    return exchanges


def test_the_servers_own_work_is_in_no_step() -> None:
    quick, slow = talk(10, 20, served_ms=1), talk(10, 20, served_ms=500)
    assert step_seconds(quick) == pytest.approx([0.01, 0.02])
    assert step_seconds(slow) == pytest.approx([0.01, 0.02])


def test_the_first_steps_are_counted_for_nobody() -> None:
    assert ms_a_step(talk(*[900] * WARM_UP_STEPS, 10, 10, 10), cycle=1) == pytest.approx(10)


def test_the_dear_step_of_a_cycle_counts_with_its_share() -> None:
    assert ms_a_step(talk(0, 0, *[10, 10, 10, 50] * 7), cycle=4) == pytest.approx(20)


def test_one_disturbed_step_changes_nothing() -> None:
    steps = [10, 10, 10, 50] * 7
    disturbed = [*steps]
    disturbed[9] = 5000
    assert ms_a_step(talk(0, 0, *disturbed), cycle=4) == pytest.approx(ms_a_step(talk(0, 0, *steps), cycle=4))


def test_a_window_that_holds_no_whole_cycle_is_refused() -> None:
    with pytest.raises(ValueError, match="steps 4 to 5 of 6 are no whole cycle of 4"):
        ms_a_step(talk(*[10] * 6), cycle=4, first=4, last=5)


def test_growth_compares_the_windows_that_end_at_the_two_steps() -> None:
    steps = [10] * 30 + [999] * 60 + [15] * 30
    assert growth(talk(*steps), cycle=4, early=30, late=120, width=20) == pytest.approx(1.5)


def test_what_two_runs_both_spend_beside_their_steps_drops_out() -> None:
    assert marginal(short=5000 + 30 * 7, long=5000 + 120 * 7, short_steps=30, long_steps=120) == pytest.approx(7)
