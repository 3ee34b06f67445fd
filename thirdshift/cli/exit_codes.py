"""Exit codes, and which error or outcome gives which."""

from __future__ import annotations

from enum import IntEnum

from thirdshift.core.errors import BadInput, PriceUnknown, ServiceMissing
from thirdshift.core.history import StopReason
from thirdshift.core.views import JobState, state_after


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


_BY_STATE = {
    JobState.ACCEPTED: ExitCode.DONE,
    JobState.REJECTED: ExitCode.FAILED,
    JobState.STOPPED: ExitCode.LIMIT,
    JobState.FAILED: ExitCode.FAILED,
}
_BY_REASON = {
    # A person is no limit: whoever waits for the job has not got what was asked for.
    StopReason.STOPPED_BY_PERSON: ExitCode.FAILED,
    StopReason.SPEC_INVALID: ExitCode.BAD_INPUT,
    StopReason.PROVIDER_UNAVAILABLE: ExitCode.UNAVAILABLE,
}


def code_for_stop(reason: StopReason) -> ExitCode:
    """The code of a job that ended for this reason: its state's, but for the few that say more."""
    return _BY_REASON[reason] if reason in _BY_REASON else _BY_STATE[state_after(reason)]


def code_for_error(error: Exception) -> ExitCode:
    """The code of an error that ended a command."""
    if isinstance(error, BadInput | PriceUnknown):
        return ExitCode.BAD_INPUT
    return ExitCode.UNAVAILABLE if isinstance(error, ServiceMissing) else ExitCode.FAILED
