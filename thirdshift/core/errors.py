"""The error tree. Every message says what, which, and the remedy.

ThirdshiftError
├── BadInput             a person's mistake: exit 64
│   ├── SpecInvalid
│   ├── SettingsInvalid
│   └── RepositoryRefused
│       └── RepositoryUnreachable
├── ServiceMissing       something needed is not there: exit 69
│   ├── SandboxUnavailable
│   ├── EngineUnavailable
│   ├── WorkerUnavailable
│   ├── ModelsUnavailable
│   ├── LedgerUnavailable
│   ├── HubUnavailable
│   └── ForgeUnavailable
├── PriceUnknown         fails closed, with the lines to add
├── TreeRefused          a tree holds what no tree may hold
├── NotRecorded          a person's answer or order that the workflow refused
├── SetupFailed
├── DeliveryRefused      an accepted tree cannot be delivered as asked, and trying again does not mend it
└── ModelFault           one model call went wrong, in a known way
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum


class ThirdshiftError(Exception):
    """The root: its text is meant for a person."""


class BadInput(ThirdshiftError):
    """What a person gave cannot be used; nothing was begun."""


class SpecInvalid(BadInput):
    """A spec is refused; one line for each finding."""


class SettingsInvalid(BadInput):
    """thirdshift.toml, the environment or the secrets file is refused."""


class RepositoryRefused(BadInput):
    """A repository or a base cannot be used."""


class RepositoryUnreachable(RepositoryRefused):
    """Git got no answer from a remote, or no right to what it asked for; later it may."""


class ServiceMissing(ThirdshiftError):
    """A service that is needed is not there."""


class SandboxUnavailable(ServiceMissing):
    """No sandbox can be opened here."""


class EngineUnavailable(ServiceMissing):
    """No Temporal server can be reached or started."""


class WorkerUnavailable(ServiceMissing):
    """The server is up, and nobody works for it."""


class NotRecorded(ThirdshiftError):
    """What a person decided or asked for was refused, and is in no book; the text says why, and what to do."""


class ModelsUnavailable(ServiceMissing):
    """No model may be called: there is no key, or no provider and no rung."""


class LedgerUnavailable(ServiceMissing):
    """The ledger cannot be read or written: disk full, no permission, server down."""


class HubUnavailable(ServiceMissing):
    """The hub, git or a workspace cannot be read or written: disk full, no permission, no git."""


class ForgeUnavailable(ServiceMissing):
    """A forge gave no answer, or says that it has too much to do."""

    def __init__(self, message: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class PriceUnknown(ThirdshiftError):
    """A call cannot be priced, so it is not sent."""


class TreeRefused(ThirdshiftError):
    """A directory holds something that may not enter the hub."""


class SetupFailed(ThirdshiftError):
    """The spec's ``setup`` command failed; the text ends with its output."""


class DeliveryRefused(ThirdshiftError):
    """An accepted tree cannot be delivered as the spec asks; the text says why, and what a person can do."""


class FaultKind(StrEnum):
    """What can go wrong with one model call. What follows from each is in ``core.faults``."""

    RATE_LIMITED = "rate_limited"
    OVERLOADED = "overloaded"
    SERVER_ERROR = "server_error"
    UNREACHABLE = "unreachable"
    TIMED_OUT = "timed_out"
    CUT_STREAM = "cut_stream"
    BAD_BODY = "bad_body"
    QUOTA_EXHAUSTED = "quota_exhausted"
    UNAUTHORIZED = "unauthorized"
    FORBIDDEN = "forbidden"
    UNKNOWN_MODEL = "unknown_model"
    TOO_LONG = "too_long"
    BAD_REQUEST = "bad_request"


class ModelFault(ThirdshiftError):
    """One model call failed.

    ``may_be_billed`` is true whenever the request left this machine and no answer said that it was refused
    unprocessed: the call is then ``unknown`` and its hold stays charged.

    ``retry_after_seconds`` is the wait that the vendor asks for, counted from its answer; ``back_at`` the instant that
    it names instead, where its answer had no time of its own.
    """

    def __init__(
        self,
        kind: FaultKind,
        message: str,
        *,
        may_be_billed: bool,
        retry_after_seconds: float | None = None,
        back_at: datetime | None = None,
        status: int | None = None,
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.may_be_billed = may_be_billed
        self.retry_after_seconds = retry_after_seconds
        self.back_at = back_at
        self.status = status
