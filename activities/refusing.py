"""Failures that are answers: they end a loop with a stop reason instead of being tried again."""

from __future__ import annotations

from temporalio.exceptions import ApplicationError

from thirdshift.core.history import StopReason

EVIDENCE_CHARACTERS = 1000
"""Evidence travels in Temporal's history, so it is bounded; the whole of it is in the ledger or the log."""


def refusal(reason: StopReason, evidence: str) -> ApplicationError:
    """A non-retryable failure of type ``reason``; the end of a long text says more than its beginning."""
    if len(evidence) > EVIDENCE_CHARACTERS:
        evidence = "... " + evidence[-EVIDENCE_CHARACTERS:]
    return ApplicationError(evidence, type=reason.value, non_retryable=True)
