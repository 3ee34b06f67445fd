"""What is recorded: every story, and the server that it is told on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial

from temporalio.testing import WorkflowEnvironment

from tests.fakes.line import FakeLine
from tests.replay import intake_stories, night_stories, window_stories
from tests.replay.stories import LOOP_ID, STORIES, Story
from tests.replay.window_stories import Kept
from tests.workflows.development_server import development_server
from tests.workflows.line_at_work import at_work
from tests.workflows.time_skipping import time_skipping_server

Server = Callable[[], AbstractAsyncContextManager[WorkflowEnvironment]]
Tell = Callable[[WorkflowEnvironment], Awaitable[Kept]]

LONG: Server = partial(development_server, 10_000)
SHORT: Server = partial(development_server, 40)


@dataclass(frozen=True)
class Recording:
    """One story of a family. Its files are ``<name>.json`` and ``<name>.<suffix>.json``."""

    family: str
    name: str
    server: Server
    tell: Tell


def _on_a_line(story: Story) -> Tell:
    async def tell(environment: WorkflowEnvironment) -> Kept:
        async with at_work(environment.client, line := FakeLine()):
            handle = await story(environment.client, line)
            await handle.result()
        if handle.id == LOOP_ID or "open_loop" not in line.names():
            return {"": handle}
        return {"": handle, "loop": environment.client.get_workflow_handle(LOOP_ID)}

    return tell


def _told(family: str, server: Server, *stories: Callable[[WorkflowEnvironment], Awaitable[Kept]]) -> list[Recording]:
    return [Recording(family, story.__name__, server, story) for story in stories]


RECORDINGS: tuple[Recording, ...] = (
    # Recorded before there were windows. They stay as they are, and show that runs from then still go on.
    *(Recording("days", story.__name__, time_skipping_server, _on_a_line(story)) for story in STORIES),
    *_told("windows", time_skipping_server, *window_stories.SKIPPING_TIME),
    *_told("windows", LONG, *window_stories.IN_REAL_TIME),
    *_told("windows", SHORT, *window_stories.ON_A_SHORT_HISTORY),
    *_told("nights", time_skipping_server, *night_stories.SKIPPING_TIME),
    *_told("nights", LONG, *night_stories.IN_REAL_TIME),
    *_told("nights", SHORT, *night_stories.ON_A_SHORT_HISTORY),
    *_told("intakes", time_skipping_server, *intake_stories.SKIPPING_TIME),
    *_told("intakes", SHORT, *intake_stories.ON_A_SHORT_HISTORY),
)
