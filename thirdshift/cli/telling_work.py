"""Updates to work that runs, and what the truth about them is: recorded, refused, or not known."""

from __future__ import annotations

import asyncio
from contextlib import closing
from typing import TYPE_CHECKING, Any

from thirdshift.cli.exit_codes import ExitCode
from thirdshift.core.errors import BadInput, NotRecorded, WorkerUnavailable

if TYPE_CHECKING:
    from temporalio.client import Client

    from thirdshift.adapters.engine.access import Engine
    from thirdshift.cli.invocation import Invocation
    from thirdshift.settings import Settings

PATIENCE_SECONDS = 20.0
"""How long a worker that is up may take to record an update."""


async def told(settings: Settings, client: Client, workflow_id: str, update: str, given: object) -> str:
    """Send an update and wait until it is recorded; what the workflow answers.

    Raises WorkerUnavailable where nobody is there to record it: nothing was sent then. Raises NotRecorded for a
    refusal, in the workflow's own words.
    """
    from temporalio.client import WorkflowUpdateFailedError, WorkflowUpdateRPCTimeoutOrCancelledError
    from temporalio.service import RPCError, RPCStatusCode

    from thirdshift.cli.at_work import worker_is_up

    if not await worker_is_up(settings, client):
        raise WorkerUnavailable(
            "NOT RECORDED: no worker is up, so nobody can take this, and it was not sent;\n"
            "start one with `thirdshift up`, then say it again"
        )
    handle = client.get_workflow_handle(workflow_id)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            answer: str = await handle.execute_update(update, given, result_type=str)
    except WorkflowUpdateFailedError as failed:
        raise NotRecorded(_words(failed)) from None
    except (TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError):
        raise WorkerUnavailable(
            f"NOT KNOWN TO BE RECORDED: no worker took it within {PATIENCE_SECONDS:.0f} s, and one may still do so;\n"
            "look at `thirdshift gates` and `thirdshift status` before you say it again"
        ) from None
    except RPCError as error:
        if error.status is RPCStatusCode.NOT_FOUND:
            raise BadInput(f"NOT RECORDED: {workflow_id} is not running, so there is nothing to tell it") from None
        raise WorkerUnavailable(f"NOT RECORDED: the server answers with an error: {error.message}") from None
    return answer


def _words(failed: Any) -> str:
    """The refusal as the workflow wrote it."""
    cause = failed.cause
    return str(getattr(cause, "message", "") or cause)


def required(engine: Engine | None) -> Engine:
    """The engine, or WorkerUnavailable: without a server nothing can be recorded."""
    if engine is None:
        raise WorkerUnavailable(
            "NOT RECORDED: no Temporal server is running, and nothing was sent;\n"
            "start one with `thirdshift up`, then say it again"
        )
    return engine


async def tell_job(call: Invocation, settings: Settings, job: str, update: str, given: object) -> int:
    """Send an update to a job and print the answer; the exit code."""
    from thirdshift.bootstrap.services import open_books
    from thirdshift.cli.standing import find_job
    from thirdshift.cli.whereabouts import engine_if_up

    with closing(open_books(settings)) as ledger:
        view = find_job(ledger, job)
    job_id = view.job.job_id
    if view.stop_reason is not None:
        raise BadInput(f"NOT RECORDED: {job_id} has ended: {view.stop_reason.value}")
    async with engine_if_up(settings, identity=settings.submitter) as found:
        engine = required(found)
        answer = await told(settings, engine.client, job_id, update, given)
    call.answer({"job_id": job_id, "recorded": True, "answer": answer}, lambda: answer)
    return ExitCode.DONE
