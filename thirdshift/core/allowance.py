"""How much output a step is allowed: what it is likely to need, since all of it is held until the answer is there.

Holding a rung's whole ``max_output_tokens`` for every step would set aside several times what steps cost, and loops
that share a limit would wait for money that nobody is going to spend. So from the second step on a step is allowed a
multiple of what this conversation's answers have been lately. An answer that is cut off there is asked for again at
once with the rung's whole allowance; the cut one is charged and not used.
"""

from __future__ import annotations

from collections.abc import Sequence

RECENT_ANSWERS = 4
"""So many answers are looked back at."""
TIMES_THE_LARGEST = 2
LEAST_TOKENS = 896
"""No step is allowed less, so that a conversation of short answers can still write a small file."""


def output_allowance(recent_outputs: Sequence[int], most_tokens: int) -> int:
    """Output tokens to ask for, at most the rung's ``most_tokens``; all of them before the first answer."""
    if not recent_outputs:
        return most_tokens
    largest = max(recent_outputs[:RECENT_ANSWERS])
    return min(most_tokens, max(LEAST_TOKENS, TIMES_THE_LARGEST * largest))
