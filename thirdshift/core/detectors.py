"""Detectors of loops that get nowhere: inside an attempt from its steps, and across attempts from their verdicts."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from thirdshift.core.history import AttemptEnd, LoopHistory, LoopPolicy, Stop, StopReason
from thirdshift.core.progress import attempts_without_progress, still_failing, verdicts
from thirdshift.core.words import listed

LONGEST_CALL_CYCLE = 3
"""Steps in the longest cycle of tool calls that counts as repeating."""
LONGEST_TREE_CYCLE = 4
"""Trees in the longest cycle that counts as oscillating."""


def attempt_should_end(step_signatures: Sequence[str], trees: Sequence[str], policy: LoopPolicy) -> AttemptEnd | None:
    """Whether an attempt is going in circles, judged after each step.

    ``step_signatures`` has one hash of tool calls and their results for each step so far, ``trees`` the tree
    after each step. REPEATING: one to three steps, done ``repeated_calls`` times over. OSCILLATING: two to four
    different trees, gone round ``oscillation_cycles`` times; steps that leave the tree as it is do not count.
    """
    if cycle_length(step_signatures, range(1, LONGEST_CALL_CYCLE + 1), policy.repeated_calls):
        return AttemptEnd.REPEATING
    if tree_cycle_length(trees, policy.oscillation_cycles):
        return AttemptEnd.OSCILLATING
    return None


def stalled(history: LoopHistory, policy: LoopPolicy) -> Stop | None:
    """The stop for a loop whose attempts get nowhere; the most specific reason first."""
    return _oscillating(history, policy) or _repeating(history, policy) or _no_progress(history, policy)


def cycle_length(items: Sequence[str], lengths: range, cycles: int) -> int | None:
    """The shortest of ``lengths`` at which the end of ``items`` is one stretch, ``cycles`` times over."""
    for length in lengths:
        tail = items[-length * cycles :]
        if len(tail) == length * cycles and all(a == b for a, b in zip(tail, tail[length:], strict=False)):
            return length
    return None


def tree_cycle_length(trees: Sequence[str], cycles: int) -> int | None:
    """How many trees are gone round at the end of ``trees``; None if they are not.

    Neighbours that are equal count once, so a tree that stays what it is never oscillates, and a pause for
    reading between two changes hides nothing.
    """
    changes = [tree for tree, _ in groupby(trees)]
    return cycle_length(changes, range(2, LONGEST_TREE_CYCLE + 1), cycles)


def _oscillating(history: LoopHistory, policy: LoopPolicy) -> Stop | None:
    trees = [verdict.tree for verdict in verdicts(history)]
    length = tree_cycle_length(trees, policy.oscillation_cycles)
    if length is None:
        return None
    return Stop(
        reason=StopReason.OSCILLATING,
        evidence=f"The attempts went round the same {length} trees {policy.oscillation_cycles} times, "
        f"the last one {trees[-1][:12]}.",
    )


def _repeating(history: LoopHistory, policy: LoopPolicy) -> Stop | None:
    signatures = [verdict.signature for verdict in verdicts(history)]
    if not (signatures and signatures[-1] and cycle_length(signatures, range(1, 2), policy.repeated_failures)):
        return None
    return Stop(
        reason=StopReason.REPEATING,
        evidence=f"The last {policy.repeated_failures} judged attempts failed in the same way "
        f"(signature {signatures[-1]}): {listed(verdicts(history)[-1].failed)}.",
    )


def _no_progress(history: LoopHistory, policy: LoopPolicy) -> Stop | None:
    idle = attempts_without_progress(history)
    if idle < policy.no_progress_attempts:
        return None
    return Stop(
        reason=StopReason.NO_PROGRESS,
        evidence=f"No check newly passed in the last {idle} judged attempts (the limit is "
        f"{policy.no_progress_attempts}); still failing: {listed(still_failing(history))}.",
    )
