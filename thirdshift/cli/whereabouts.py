"""What the engine knows of a job, asked only if an engine is there."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from thirdshift.core.errors import EngineUnavailable
from thirdshift.core.text import Redactor
from thirdshift.core.ui_links import workflow_link

if TYPE_CHECKING:
    from thirdshift.adapters.engine.access import Engine
    from thirdshift.core.gate_book import GateRecord
    from thirdshift.settings import Settings


@asynccontextmanager
async def engine_if_up(settings: Settings, identity: str | None = None) -> AsyncIterator[Engine | None]:
    """The engine, or None where none answers. ``identity`` is whoever the client speaks for."""
    from thirdshift.adapters.engine.access import find_running, open_engine

    if settings.engine.kind == "embedded" and find_running(settings.home) is None:
        # Known without the Temporal client, which takes longer to import than this command to run.
        yield None
        return
    redactor = Redactor(settings.secret_values)
    opened = open_engine(settings.engine, settings.home, may_start=False, identity=identity, redactor=redactor)
    try:
        engine = await opened.__aenter__()
    except EngineUnavailable:
        yield None
        return
    try:
        yield engine
    finally:
        await opened.__aexit__(None, None, None)


async def run_and_link(engine: Engine | None, job_id: str) -> dict[str, str]:
    """The job's newest run and its page in the Web UI, both empty where the engine does not know it."""
    if engine is None:
        return {"run_id": "", "ui_url": ""}
    from temporalio.service import RPCError

    try:
        found = await engine.client.get_workflow_handle(job_id).describe()
    except RPCError:
        return {"run_id": "", "ui_url": ""}
    return {
        "run_id": found.run_id,
        "ui_url": workflow_link(engine.ui_url, engine.client.namespace, job_id, found.run_id),
    }


async def paused_of(engine: Engine | None, jobs: Sequence[str]) -> list[str]:
    """Those of the jobs that a person holds at a step, by `thirdshift pause`. The books do not know of it."""
    if engine is None or not jobs:
        return []
    from temporalio.service import RPCError

    query = "LoopState = 'paused' AND ExecutionStatus = 'Running'"
    try:
        held = [found.id async for found in engine.client.list_workflows(query)]
    except RPCError:
        return []
    return [job for job in jobs if any(one == job or one.startswith(f"loop-{job}-") for one in held)]


async def is_parked(engine: Engine, gates: Sequence[GateRecord]) -> bool:
    """Whether an open gate's deadline has passed, so that nobody is reminded of it any more."""
    from temporalio.common import SearchAttributeKey
    from temporalio.service import RPCError

    state = SearchAttributeKey.for_keyword("LoopState")
    for gate in gates:
        if gate.end is None:
            try:
                found = await engine.client.get_workflow_handle(gate.owner_id).describe()
            except RPCError:
                continue
            if found.typed_search_attributes.get(state) == "parked":
                return True
    return False
