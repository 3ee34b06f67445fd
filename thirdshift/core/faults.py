"""What follows from a model call that went wrong: one decided handling for each kind of fault.

Two questions, answered without a clock: may the same request be sent again, and how long to wait before that;
and what happens to the attempt when it may not. Waiting is done by the engine, so a wait costs no worker slot.

Faults that may have been billed get fewer tries than faults that cost nothing: each try of the former keeps a
hold charged.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Annotated

from pydantic import Field

from thirdshift.core.errors import FaultKind
from thirdshift.core.frozen import Frozen
from thirdshift.core.ports import StopKind

LONGEST_OBEYED_WAIT_SECONDS = 120.0
"""A vendor that asks for a longer wait than this is left at once: for a sibling rung, else until it is back.

A shorter wait costs less than a fresh conversation with somebody else, which has to read everything anew.
"""


class Then(StrEnum):
    """What happens to the attempt when the call is given up."""

    SIDEWAYS = "sideways"
    """A sibling rung of the same tier takes over; where there is none, the loop stops with
    ``provider_unavailable``. Never a step up: nothing was verified."""
    END_ATTEMPT = "end_attempt"
    """The conversation cannot go on, but its tree can be judged: verify it as it is."""


class Handling(Frozen):
    """The decision for one kind of fault."""

    tries: Annotated[int, Field(ge=1)]
    """How many times one request may be sent in all."""
    then: Then
    first_wait_seconds: Annotated[float, Field(ge=0)] = 0.0
    """Wait before the second try; doubled before each later one."""
    longest_wait_seconds: Annotated[float, Field(ge=0)] = 0.0
    """No wait of our own choosing is longer than this."""

    @property
    def retry(self) -> bool:
        """Whether the same request may be sent again at all."""
        return self.tries > 1


def _again(tries: int, first_wait_seconds: float, longest_wait_seconds: float) -> Handling:
    return Handling(
        tries=tries,
        then=Then.SIDEWAYS,
        first_wait_seconds=first_wait_seconds,
        longest_wait_seconds=longest_wait_seconds,
    )


_SIDEWAYS = Handling(tries=1, then=Then.SIDEWAYS)

HANDLINGS: Mapping[FaultKind, Handling] = MappingProxyType(
    {
        FaultKind.RATE_LIMITED: _again(6, 2.0, 60.0),
        FaultKind.OVERLOADED: _again(6, 2.0, 60.0),
        FaultKind.SERVER_ERROR: _again(4, 1.0, 30.0),
        FaultKind.UNREACHABLE: _again(5, 1.0, 30.0),
        FaultKind.TIMED_OUT: _again(3, 1.0, 15.0),
        FaultKind.CUT_STREAM: _again(3, 1.0, 15.0),
        FaultKind.BAD_BODY: _again(3, 1.0, 15.0),
        FaultKind.QUOTA_EXHAUSTED: _SIDEWAYS,
        FaultKind.UNAUTHORIZED: _SIDEWAYS,
        FaultKind.FORBIDDEN: _SIDEWAYS,
        FaultKind.UNKNOWN_MODEL: _SIDEWAYS,
        FaultKind.BAD_REQUEST: _SIDEWAYS,
        FaultKind.TOO_LONG: Handling(tries=1, then=Then.END_ATTEMPT),
    }
)


def handling_of(kind: FaultKind) -> Handling:
    """The decided handling of a kind of fault."""
    return HANDLINGS[kind]


def passes(kind: FaultKind) -> bool:
    """Whether such trouble is known to pass by itself, so that asking again later makes sense with no time stated."""
    return HANDLINGS[kind].retry


def comes_back(kind: FaultKind, asked_seconds: float) -> bool:
    """Whether the wait that a vendor states with such a fault is one after which it can be used again.

    An exhausted quota is not renewed within a minute: vendors send the same ``retry-after`` with every 429.
    """
    return passes(kind) or (kind is FaultKind.QUOTA_EXHAUSTED and asked_seconds > LONGEST_OBEYED_WAIT_SECONDS)


def should_retry(kind: FaultKind, tries_made: int, retry_after_seconds: float | None = None) -> bool:
    """Whether the same request is sent again after ``tries_made`` tries (1 after the first).

    A vendor that asks for a wait beyond ``LONGEST_OBEYED_WAIT_SECONDS`` is not waited for.
    """
    if retry_after_seconds is not None and retry_after_seconds > LONGEST_OBEYED_WAIT_SECONDS:
        return False
    return tries_made < HANDLINGS[kind].tries


def next_delay_seconds(kind: FaultKind, attempt: int, retry_after_seconds: float | None, jitter01: float) -> float:
    """Seconds to wait before the next try, after ``attempt`` tries (1 after the first).

    Exponential from the handling's first wait, doubled for each try, capped, then scaled by jitter to between
    half and all of it. A vendor's own ``retry-after`` is a floor: the wait is never shorter, and up to a tenth
    longer, so that callers told the same second do not all come back in it. ``jitter01`` is in [0, 1].
    """
    handling = HANDLINGS[kind]
    doublings = min(max(attempt, 1) - 1, 30)
    backoff = min(handling.first_wait_seconds * 2.0**doublings, handling.longest_wait_seconds)
    share = min(max(jitter01, 0.0), 1.0)
    if retry_after_seconds is not None and retry_after_seconds > 0:
        return retry_after_seconds * (1.0 + share / 10.0)
    return backoff * (0.5 + share / 2.0)


def after_answer(stop: StopKind) -> Then | None:
    """What an answer's stop kind forces: a refusal moves sideways; None means go on as usual."""
    return Then.SIDEWAYS if stop is StopKind.REFUSAL else None
