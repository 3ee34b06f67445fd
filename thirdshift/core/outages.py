"""Providers that are away: which rungs cannot be used now, when they are due back, and how long is waited for that.

A provider that states a time is waited for until then, up to ``STATED_PATIENCE_SECONDS`` in all within a night, and up
to ``max_wall`` again without one, where a person may be watching. One that states none is asked again after 1, 2, 4, 8,
15, 15 ... minutes, but only in a night, and at most ``UNSTATED_TRIES`` times in a row: two hours. What does not pass by
itself, such as a wrong key, is not waited for.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from thirdshift.core.frozen import Frozen
from thirdshift.core.history import AttemptEnd, AttemptRecord, LoopHistory, LoopPolicy, Park

STATED_PATIENCE_SECONDS = 24 * 3600.0
UNSTATED_TRIES = 11
_FIRST_SECONDS = 60.0
_LONGEST_SECONDS = 900.0
_JITTER_SHARE = 0.1
_JITTER_SECONDS = (5.0, 300.0)


class Patience(Frozen):
    """What the policy has to know of the outside to decide on a wait."""

    in_window: bool = False
    """Whether the loop works in a night, which nobody watches."""
    jitter01: float = 0.0
    """In [0, 1], drawn by the caller, so that loops told the same second do not all come back in it."""


def is_down(history: LoopHistory, rung: int, now: datetime, patience: Patience) -> bool:
    """Whether the rung's provider failed its last attempt there and is not due back yet."""
    last = _last_on(history, rung)
    if last is None or last.end is not AttemptEnd.PROVIDER:
        return False
    due = due_back(history, rung, patience)
    return due is None or now < due


def due_back(history: LoopHistory, rung: int, patience: Patience) -> datetime | None:
    """When a rung that is down is to be tried again: as its provider said, else by a growing pause; None for never."""
    last = _last_on(history, rung)
    if last is None or last.end is not AttemptEnd.PROVIDER:
        return None
    if last.back_at is not None:
        return last.back_at
    tries = _failures_in_a_row(history, rung)
    if last.failed_at is None or not patience.in_window or tries > UNSTATED_TRIES:
        return None
    return last.failed_at + timedelta(seconds=min(_FIRST_SECONDS * 2.0 ** (tries - 1), _LONGEST_SECONDS))


def wait_for_one(
    history: LoopHistory, policy: LoopPolicy, rungs: tuple[int, ...], now: datetime, patience: Patience
) -> Park | None:
    """The wait for the first of these rungs to come back, all of which are down; None if that is too long."""
    due = [(back, rung) for rung in rungs if (back := due_back(history, rung, patience)) is not None]
    if not due:
        return None
    back, rung = min(due)
    wait = (back - now).total_seconds()
    most = STATED_PATIENCE_SECONDS if patience.in_window else policy.max_wall_seconds
    if history.provider_waited_seconds + wait > most:
        return None
    least, longest = _JITTER_SECONDS
    spread = min(max(wait * _JITTER_SHARE, least), longest)
    until = back + timedelta(seconds=min(max(patience.jitter01, 0.0), 1.0) * spread)
    last = _last_on(history, rung)
    stated = last is not None and last.back_at is not None
    how = "says that it is back at" if stated else "gave no time; it is asked again at"
    return Park(until=until, reason=f"{policy.ladder.rungs[rung].model} {how} {back:%Y-%m-%d %H:%M:%S} UTC")


def stated_returns(history: LoopHistory, policy: LoopPolicy, rungs: tuple[int, ...]) -> str:
    """For a person: which of these rungs said when they are back; empty where none did."""
    told = []
    for rung in rungs:
        last = _last_on(history, rung)
        if last is not None and last.end is AttemptEnd.PROVIDER and last.back_at is not None:
            told.append(f"{policy.ladder.rungs[rung].model} says that it is back at {last.back_at:%Y-%m-%d %H:%M} UTC")
    return "; ".join(told)


def attempts_that_count(history: LoopHistory) -> int:
    """How many attempts count against ``max_attempts``: not those at a provider that was away and answered nothing."""
    return sum(not _was_away(attempt) for attempt in history.attempts)


def _was_away(attempt: AttemptRecord) -> bool:
    comes_back = attempt.back_at is not None or attempt.failed_at is not None
    return attempt.end is AttemptEnd.PROVIDER and attempt.steps == 0 and comes_back


def _last_on(history: LoopHistory, rung: int) -> AttemptRecord | None:
    return next((attempt for attempt in reversed(history.attempts) if attempt.rung == rung), None)


def _failures_in_a_row(history: LoopHistory, rung: int) -> int:
    """Back to the last attempt on this rung in which its provider answered anything."""
    count = 0
    for attempt in reversed(history.attempts):
        if attempt.rung != rung:
            continue
        if attempt.end is not AttemptEnd.PROVIDER:
            break
        count += 1
        if attempt.steps > 0:
            break
    return count
