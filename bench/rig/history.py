"""What Temporal keeps of a job's loop."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from thirdshift.adapters.engine.access import open_engine
from thirdshift.core.engine import EngineTarget


async def loop_history_bytes(home: Path, jobs: Sequence[str], packet: str = "main") -> dict[str, int]:
    """Bytes of history of each job's loop, as the home's embedded server itself counts them, all runs together."""
    found = {}
    async with open_engine(EngineTarget(kind="embedded"), home, may_start=False) as engine:
        for job in jobs:
            query = f"WorkflowId = 'loop-{job}-{packet}'"
            found[job] = sum([row.raw_info.history_size_bytes async for row in engine.client.list_workflows(query)])
    return found
