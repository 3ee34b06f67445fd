"""The worker of the workflows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from importlib.metadata import version
from typing import Any

from temporalio.client import Client
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from thirdshift.signatures import WORKFLOW_QUEUE
from workflows.intake import Intake
from workflows.job import Job
from workflows.loop import Loop
from workflows.outcomes_sync import OutcomesSync
from workflows.shift import Shift

WORKFLOWS = (Job, Loop, Shift, Intake, OutcomesSync)

# These have no clock and no I/O: import-linter's contracts see to it. Loading them once instead of once for
# each open workflow is what keeps a waiting loop small. The workflows' own modules are among them: their models alone
# took four fifths of the memory of an open gate (bench/open_gates.py). They keep nothing in their modules.
PASSED_THROUGH = ("thirdshift", "workflows", "pydantic", "pydantic_core", "annotated_types", "typing_extensions")

GRACE = timedelta(seconds=5)
BUILD_ID = f"thirdshift-{version('thirdshift')}"
"""Stated, because the SDK would otherwise hash every loaded module at start-up, and put that hash into each event."""
STICKY = timedelta(seconds=2)
"""A workflow whose worker vanished is replayed elsewhere after this long."""


def workflow_worker(client: Client, activities: Sequence[Callable[..., Any]]) -> Worker:
    """The worker of the workflows, and of the activities that need the ledger alone."""
    return Worker(
        client,
        task_queue=WORKFLOW_QUEUE,
        workflows=list(WORKFLOWS),
        activities=list(activities),
        workflow_runner=SandboxedWorkflowRunner(
            restrictions=SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH)
        ),
        build_id=BUILD_ID,
        sticky_queue_schedule_to_start_timeout=STICKY,
        graceful_shutdown_timeout=GRACE,
    )
