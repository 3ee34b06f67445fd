from __future__ import annotations

import json
from pathlib import Path

import pytest
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from tests.replay.record import HISTORIES
from tests.replay.stories import STORIES
from thirdshift.bootstrap.workflow_worker import PASSED_THROUGH, WORKFLOWS


def replayer() -> Replayer:
    restrictions = SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH)
    return Replayer(
        workflows=list(WORKFLOWS),
        workflow_runner=SandboxedWorkflowRunner(restrictions=restrictions),
        data_converter=pydantic_data_converter,
    )


def recorded(path: Path) -> WorkflowHistory:
    # A child's id is made from its parent's, so the id is part of what is replayed.
    return WorkflowHistory.from_json("job", path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", sorted(HISTORIES.glob("*.json")), ids=lambda path: path.stem)
async def test_a_recorded_run_goes_the_same_way_on_this_code(path: Path) -> None:
    await replayer().replay_workflow(recorded(path))


def test_every_story_has_been_recorded() -> None:
    there = {path.name.partition(".")[0] for path in HISTORIES.glob("*.json")}
    assert there == {story.__name__ for story in STORIES}


async def test_a_run_that_went_another_way_is_noticed() -> None:
    history = json.loads((HISTORIES / "a_loop_that_climbs.json").read_text(encoding="utf-8"))
    for event in history["events"]:
        scheduled = event.get("activityTaskScheduledEventAttributes")
        if scheduled and scheduled["activityType"]["name"] == "close_attempt":
            scheduled["activityType"]["name"] = "open_attempt"
    with pytest.raises(Exception, match=r"(?i)nondeterminism"):
        await replayer().replay_workflow(WorkflowHistory.from_json("altered", json.dumps(history)))
