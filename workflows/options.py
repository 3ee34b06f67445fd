"""How long each activity may take, and how it is retried."""

from __future__ import annotations

from datetime import timedelta

from temporalio.common import RetryPolicy

HEARTBEAT = timedelta(seconds=5)
"""A worker that vanished is noticed after this long."""
HOST_LOST = timedelta(seconds=60)
"""A host that does not start a task within this long is given up, and another one claims the loop."""
BUSY = timedelta(hours=1)
"""The longest that a host is waited for which claims the loop again and again, and so is only busy."""
RETRY = RetryPolicy(
    initial_interval=timedelta(seconds=1),
    backoff_coefficient=2.0,
    maximum_interval=timedelta(seconds=30),
    maximum_attempts=120,
)
"""What is down may come back within the hour. What retries cannot cure raises a non-retryable error; what nobody
foresaw must not be tried in silence for ever, and ends the loop as ``failed``."""
REST_RETRY = RetryPolicy(
    initial_interval=timedelta(seconds=1), backoff_coefficient=2.0, maximum_interval=timedelta(minutes=1)
)
"""No limit: it ends when the job goes on. Until then there is nothing else to do."""
CALL_RETRY = RetryPolicy(
    initial_interval=timedelta(seconds=1),
    backoff_coefficient=2.0,
    maximum_interval=timedelta(seconds=30),
)
"""No limit: ``call_model`` counts a vendor's tries itself, and waits for money as long as it takes. The loop's own
limits still hold."""
LEDGER_WORK = timedelta(seconds=60)
CALL = timedelta(minutes=30)
TOOLS = timedelta(hours=2)
VERIFY = timedelta(hours=6)
