"""Exit codes, and which error or outcome gives which."""

from __future__ import annotations

from enum import IntEnum

from thirdshift.core.errors import BadInput, PriceUnknown, ServiceMissing
from thirdshift.core.history import StopReason


class ExitCode(IntEnum):
    """What the shell is told."""

    DONE = 0
    FAILED = 1
    """Failed or rejected."""
    LIMIT = 2
    """A limit stopped it."""
    WAITING = 3
    """It waits for a person."""
    BAD_INPUT = 64
    """Bad usage, a bad spec or a bad configuration."""
    UNAVAILABLE = 69
    """A needed service is missing."""
    INTERRUPTED = 130


_LIMITS = frozenset(
    {
        StopReason.BUDGET,
        StopReason.MAX_ATTEMPTS,
        StopReason.MAX_STEPS,
        StopReason.WALL_CLOCK,
        StopReason.WINDOW_CLOSED,
        StopReason.NO_PROGRESS,
        StopReason.REPEATING,
        StopReason.OSCILLATING,
        StopReason.LADDER_EXHAUSTED,
    }
)
_FAILURES = {
    StopReason.ACCEPTED: ExitCode.DONE,
    StopReason.SPEC_INVALID: ExitCode.BAD_INPUT,
    StopReason.PROVIDER_UNAVAILABLE: ExitCode.UNAVAILABLE,
}


def code_for_stop(reason: StopReason) -> ExitCode:
    """The code of a job that ended for this reason."""
    return ExitCode.LIMIT if reason in _LIMITS else _FAILURES.get(reason, ExitCode.FAILED)


def code_for_error(error: Exception) -> ExitCode:
    """The code of an error that ended a command."""
    if isinstance(error, BadInput | PriceUnknown):
        return ExitCode.BAD_INPUT
    return ExitCode.UNAVAILABLE if isinstance(error, ServiceMissing) else ExitCode.FAILED
