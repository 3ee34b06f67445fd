"""Jobs whose workflow was ended from outside, so that nobody closed their books: the engine alone can tell."""

from __future__ import annotations

from typing import TYPE_CHECKING

from thirdshift.core.views import JobState

if TYPE_CHECKING:
    from thirdshift.adapters.engine.access import Engine
    from thirdshift.core.views import BooksReader, JobSummary, JobView


async def how_ended_outside(engine: Engine | None, books: BooksReader, job_id: str) -> str:
    """How the workflow of a job without an end was ended; empty where it was not, or where nobody can tell."""
    if engine is None:
        return ""
    from temporalio.service import RPCError

    from thirdshift.adapters.engine.workflow_state import workflow_state

    try:
        state = await workflow_state(engine.client, job_id)
    except RPCError:
        return ""
    # Looked at last: a job that ended by itself in the meantime has closed its books before its workflow.
    if not state.closed or books.job_view(job_id).stop_reason is not None:
        return ""
    return state.value


async def known_to_engine(engine: Engine | None, books: BooksReader, view: JobView) -> JobView:
    """The view, as failed where the job's workflow has ended and its books are open."""
    job_id = view.job.job_id
    if view.stop_reason is not None:
        return view
    how = await how_ended_outside(engine, books, job_id)
    if not how:
        return books.job_view(job_id)
    said = {"evidence": f"its workflow ended from outside: {how}", "remedy": f"thirdshift resume {job_id}"}
    return view.model_copy(update={"state": JobState.FAILED, **said})


async def all_known_to_engine(
    engine: Engine | None, books: BooksReader, rows: tuple[JobSummary, ...]
) -> tuple[JobSummary, ...]:
    """The rows, those as failed whose workflow has ended while their books are open."""
    shown = []
    for row in rows:
        over = row.stop_reason is None and await how_ended_outside(engine, books, row.job_id)
        shown.append(row.model_copy(update={"state": JobState.FAILED}) if over else row)
    return tuple(shown)
