"""What people type into the input of an update, and how they are told that it was not recorded."""

from __future__ import annotations

from temporalio.api.common.v1 import Payload
from temporalio.api.failure.v1 import ApplicationFailureInfo, Failure
from temporalio.common import RawValue
from temporalio.exceptions import FailureError

NOTHING = RawValue(Payload())
"""The input of an update that was sent without one."""

NOT_RECORDED = "NotRecorded"
"""The type of the failure, for clients."""


def typed(given: RawValue) -> str:
    """The input as text, whatever it is: it is read by our own rules, so that our own words can refuse it."""
    return given.payload.data.decode("utf-8", "replace")


def refused(text: str) -> FailureError:
    """The failure of an update. Its text is for a person, so no stack trace goes with it."""
    info = ApplicationFailureInfo(type=NOT_RECORDED, non_retryable=True)
    return FailureError(text, failure=Failure(message=text, application_failure_info=info))
