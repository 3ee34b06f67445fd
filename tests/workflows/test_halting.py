from __future__ import annotations

from temporalio.exceptions import ApplicationError, FailureError

from thirdshift.core.history import StopReason
from workflows.halting import reason_of


def made_from(failure: FailureError, cause: BaseException) -> FailureError:
    failure.__cause__ = cause
    return failure


def test_a_refusal_keeps_its_reason_whatever_it_was_made_from() -> None:
    origin = ApplicationError("pip: not found", type="SetupFailed")
    refusal = made_from(ApplicationError("setup failed (exit 127)", type="setup_failed"), origin)
    activity = made_from(FailureError("activity failed"), refusal)
    assert reason_of(activity) == (StopReason.SETUP_FAILED, "setup failed (exit 127)")


def test_anything_else_is_a_failure_with_what_lies_at_its_bottom() -> None:
    activity = made_from(FailureError("activity failed"), ApplicationError("disk full", type="OSError"))
    reason, evidence = reason_of(activity)
    assert reason is StopReason.FAILED
    assert "disk full" in evidence
