"""Records the stories' histories: ``python -m tests.replay.record [STORY or FAMILY ...]``.

Without a name it records the stories that have no history yet; with names it records those anew. After a change that is
meant to alter nights and intakes: ``python -m tests.replay.record windows nights intakes``. The family ``days`` was
recorded before there were windows, and is kept to show that such runs still go on.

A history that no longer replays means that runs which are under way would fail on the new code. Once there are such
runs, the answer is ``workflow.patched``, not a new recording.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from temporalio.client import Client, WorkflowHandle

from tests.replay.recordings import RECORDINGS, Recording

HISTORIES = Path(__file__).parent / "histories"
STICKY_QUEUE = re.compile(r"\d+@")
"""How the name of a worker's own queue begins: with its process and its machine."""


async def record(recording: Recording, directory: Path) -> list[Path]:
    """Tell one story on a server of its own; the files with the histories of what ran in it."""
    async with recording.server() as environment:
        kept = await recording.tell(environment)
        found: dict[str, dict[str, Any]] = {}
        for suffix, handle in kept.items():
            for number, history in enumerate(await _runs(environment.client, handle), 1):
                parts = (recording.name, suffix, f"run-{number}" if number > 1 else "", "json")
                found[".".join(part for part in parts if part)] = history
    for old in directory.glob(f"{recording.name}.*json"):
        old.unlink()
    for name, history in found.items():
        (directory / name).write_text(json.dumps(history, separators=(",", ":")) + "\n", encoding="utf-8")
    return [directory / name for name in found]


async def _runs(client: Client, handle: WorkflowHandle[Any, Any]) -> list[dict[str, Any]]:
    """The histories of a workflow's runs, each the continuation of the one before it."""
    run = handle.run_id or handle.first_execution_run_id
    if run is None:
        latest = (await handle.fetch_history()).events[0].workflow_execution_started_event_attributes
        run = latest.first_execution_run_id or latest.original_execution_run_id
    histories = []
    while run:
        fetched = await client.get_workflow_handle(handle.id, run_id=run).fetch_history()
        history = _without_names(json.loads(fetched.to_json()))
        # Some servers leave it out, and children's ids are made from it.
        history["events"][0]["workflowExecutionStartedEventAttributes"]["workflowId"] = handle.id
        histories.append(history)
        run = fetched.events[-1].workflow_execution_continued_as_new_event_attributes.new_execution_run_id
    return histories


def _without_names(part: Any) -> Any:
    """The history without the names of the machine that it was recorded on, and of the files on it."""
    if isinstance(part, list):
        return [_without_names(one) for one in part]
    if isinstance(part, dict):
        return {
            key: "worker" if key == "identity" else _without_names(value)
            for key, value in part.items()
            if key != "stackTrace"
        }
    return "worker" if isinstance(part, str) and STICKY_QUEUE.match(part) else part


def chosen(names: Sequence[str]) -> list[Recording]:
    """What these names mean; without any, the stories that have no history yet."""
    if not names:
        return [one for one in RECORDINGS if not (HISTORIES / f"{one.name}.json").exists()]
    known = {name for one in RECORDINGS for name in (one.name, one.family)}
    if unknown := sorted(set(names) - known):
        sys.exit(f"no story or family is called {', '.join(unknown)}; there are {', '.join(sorted(known))}")
    return [one for one in RECORDINGS if {one.name, one.family} & set(names)]


async def main(names: Sequence[str]) -> None:
    """Record what was asked for."""
    for recording in chosen(names):
        began = time.monotonic()
        for path in await record(recording, HISTORIES):
            sys.stdout.write(f"{path.name}: {path.stat().st_size} bytes\n")
        sys.stdout.write(f"  in {time.monotonic() - began:.1f} s\n")
        sys.stdout.flush()


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)  # what goes wrong in a story is meant to
    asyncio.run(main(sys.argv[1:]))
    sys.stdout.flush()
    os._exit(0)  # short-lived Temporal clients can abort the interpreter as it ends
