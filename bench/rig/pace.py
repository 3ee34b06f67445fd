"""From the model server's own record of a conversation to the cost of a step."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Sequence

from bench.rig.loopback import Exchange

WARM_UP_STEPS = 2
"""Steps at the start that are counted for nobody: lazy imports, a first connection."""


def step_seconds(exchanges: Sequence[Exchange]) -> list[float]:
    """Seconds of each step: from its answer being ready to the next request being there.

    The server's own work is in none of them. A conversation of n requests has n - 1 steps that end so.
    """
    return [after.arrived - before.answered for before, after in itertools.pairwise(exchanges)]


def ms_a_step(
    exchanges: Sequence[Exchange], cycle: int, first: int = 1 + WARM_UP_STEPS, last: int | None = None
) -> float:
    """A typical step among steps ``first`` to ``last``, counted from 1, both in it; milliseconds.

    The steps repeat a cycle of commands that differ in cost, so a median over all of them would leave out the dear
    ones, and a mean takes in whatever else the machine did meanwhile. This is the mean over one cycle of the median
    at each place in it. Raises ValueError where there are fewer steps than one cycle has.
    """
    taken = step_seconds(exchanges)
    last = len(taken) if last is None else last
    places: dict[int, list[float]] = {}
    for step in range(first, min(last, len(taken)) + 1):
        places.setdefault(step % cycle, []).append(taken[step - 1])
    if len(places) < cycle:
        raise ValueError(f"steps {first} to {last} of {len(taken)} are no whole cycle of {cycle}")
    return statistics.fmean(statistics.median(seconds) for seconds in places.values()) * 1000


def growth(exchanges: Sequence[Exchange], cycle: int, early: int, late: int, width: int) -> float:
    """A step's cost around step ``late`` over that around step ``early``: ``width`` steps that end there, each."""
    near, far = (ms_a_step(exchanges, cycle, end - width + 1, end) for end in (early, late))
    return far / near


def marginal(short: float, long: float, short_steps: int, long_steps: int) -> float:
    """What one more step adds, from two runs of different length: whatever both spend on other things drops out."""
    return (long - short) / (long_steps - short_steps)
