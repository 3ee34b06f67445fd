from __future__ import annotations

import pytest

from thirdshift.core.history import LoopPolicy, StopReason
from thirdshift.core.ladder import Ladder, Rung, Tier
from thirdshift.core.packets import packets_in_order, policy_for_the_rest
from thirdshift.core.spec import Packet

POLICY = LoopPolicy(
    ladder=Ladder(rungs=(Rung(model="a/b", tier=Tier.ECONOMY),)), max_attempts=6, max_steps=40, max_wall_seconds=100.0
)


def packet(name: str, *needs: str) -> Packet:
    return Packet(id=name, needs=needs)


def test_packets_without_needs_stay_in_the_order_written() -> None:
    assert [p.id for p in packets_in_order([packet("b"), packet("a")])] == ["b", "a"]


def test_a_packet_comes_after_all_that_it_needs() -> None:
    given = [packet("end", "left", "right"), packet("left", "start"), packet("right", "start"), packet("start")]
    assert [p.id for p in packets_in_order(given)] == ["start", "left", "right", "end"]


def test_a_cycle_is_named() -> None:
    with pytest.raises(ValueError, match="a, b"):
        packets_in_order([packet("a", "b"), packet("b", "a")])


def test_later_packets_have_what_the_earlier_ones_left() -> None:
    rest = policy_for_the_rest(POLICY, attempts=2, steps=15, seconds=30.0)
    assert isinstance(rest, LoopPolicy)
    assert (rest.max_attempts, rest.max_steps, rest.max_wall_seconds) == (4, 25, 70.0)


@pytest.mark.parametrize(
    ("used", "stop"),
    [
        ((6, 0, 0.0), StopReason.MAX_ATTEMPTS),
        ((1, 40, 0.0), StopReason.MAX_STEPS),
        ((1, 1, 100.0), StopReason.WALL_CLOCK),
    ],
)
def test_a_limit_that_is_used_up_leaves_nothing_for_the_rest(used: tuple[int, int, float], stop: StopReason) -> None:
    assert policy_for_the_rest(POLICY, *used) is stop
