"""Records the stories' histories: ``python -m tests.replay.record``. Run it when workflows are meant to change.

A history that no longer replays means that runs which are under way would fail on the new code. Once there are such
runs, the answer is ``workflow.patched``, not a new recording.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

from temporalio.client import WorkflowHandle

from tests.fakes.line import FakeLine
from tests.replay.stories import LOOP_ID, STORIES, Story
from tests.workflows.line_at_work import at_work
from tests.workflows.time_skipping import time_skipping_server

HISTORIES = Path(__file__).parent / "histories"


async def record(story: Story, directory: Path) -> list[Path]:
    """Tell one story on a server of its own; the files with the histories of what ran in it."""
    async with time_skipping_server() as environment:
        async with at_work(environment.client, line := FakeLine()):
            handle = await story(environment.client, line)
            await handle.result()
            written = [await _write(handle, directory / f"{story.__name__}.json")]
            if handle.id != LOOP_ID and "open_loop" in line.names():
                loop = environment.client.get_workflow_handle(LOOP_ID)
                written.append(await _write(loop, directory / f"{story.__name__}.loop.json"))
        return written


async def _write(handle: WorkflowHandle[Any, Any], path: Path) -> Path:
    history = _without_names(json.loads((await handle.fetch_history()).to_json()))
    path.write_text(json.dumps(history, separators=(",", ":")) + "\n", encoding="utf-8")
    return path


def _without_names(part: Any) -> Any:
    """The history without the name of the machine that it was recorded on."""
    if isinstance(part, list):
        return [_without_names(one) for one in part]
    if isinstance(part, dict):
        return {key: "worker" if key == "identity" else _without_names(value) for key, value in part.items()}
    return part


async def main() -> None:
    """Record every story anew."""
    for old in HISTORIES.glob("*.json"):
        old.unlink()
    for story in STORIES:
        for path in await record(story, HISTORIES):
            sys.stdout.write(f"{path.name}: {path.stat().st_size} bytes\n")


if __name__ == "__main__":
    asyncio.run(main())
    sys.stdout.flush()
    os._exit(0)  # short-lived Temporal clients can abort the interpreter as it ends
