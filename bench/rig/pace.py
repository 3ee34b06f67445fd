"""From the model server's own record of a conversation to the cost of a step."""

from __future__ import annotations

import itertools
import statistics
from collections.abc import Sequence

from bench.rig.loopback import Exchange

WARM_UP_STEPS = 2
"""Steps at the start that are counted for nobody: lazy imports, a first connection, a first sandbox."""


def step_seconds(exchanges: Sequence[Exchange]) -> list[float]:
    """Seconds of each step: from its answer being ready to the next request being there.

    The server's own work is in none of them. A conversation of n requests has n - 1 steps that end so.
    """
    return [after.arrived - before.answered for before, after in itertools.pairwise(exchanges)]


def ms_a_step(exchanges: Sequence[Exchange], first: int = 1 + WARM_UP_STEPS, last: int | None = None) -> float:
    """The mean of steps ``first`` to ``last``, counted from 1, both in it; milliseconds."""
    chosen = step_seconds(exchanges)[first - 1 : last]
    if not chosen:
        raise ValueError(f"steps {first} to {last} are not among the {len(exchanges) - 1} that were taken")
    return statistics.fmean(chosen) * 1000


def growth(exchanges: Sequence[Exchange], early: int, late: int, width: int) -> float:
    """A step's cost around step ``late`` over that around step ``early``: ``width`` steps that end there, each."""
    return ms_a_step(exchanges, late - width + 1, late) / ms_a_step(exchanges, early - width + 1, early)
