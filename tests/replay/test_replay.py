from __future__ import annotations

import json
from typing import Any

import pytest
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from tests.replay.record import HISTORIES, chosen
from tests.replay.recordings import RECORDINGS
from thirdshift.bootstrap.workflow_worker import PASSED_THROUGH, WORKFLOWS


def replayer() -> Replayer:
    restrictions = SandboxRestrictions.default.with_passthrough_modules(*PASSED_THROUGH)
    return Replayer(
        workflows=list(WORKFLOWS),
        workflow_runner=SandboxedWorkflowRunner(restrictions=restrictions),
        data_converter=pydantic_data_converter,
    )


def read(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((HISTORIES / f"{name}.json").read_text(encoding="utf-8"))
    return found


def history_of(told: dict[str, Any]) -> WorkflowHistory:
    # A child's id is made from its parent's, so the id is part of what is replayed. The oldest files do not have it.
    started = told["events"][0]["workflowExecutionStartedEventAttributes"]
    return WorkflowHistory.from_json(started.get("workflowId", "job"), json.dumps(told))


def signals(name: str) -> set[str]:
    events = read(name)["events"]
    return {
        event["workflowExecutionSignaledEventAttributes"]["signalName"]
        for event in events
        if "workflowExecutionSignaledEventAttributes" in event
    }


@pytest.mark.parametrize("name", sorted(path.stem for path in HISTORIES.glob("*.json")))
async def test_a_recorded_run_goes_the_same_way_on_this_code(name: str) -> None:
    await replayer().replay_workflow(history_of(read(name)))


def test_every_story_has_been_recorded() -> None:
    there = {path.name.partition(".")[0] for path in HISTORIES.glob("*.json")}
    assert there == {recording.name for recording in RECORDINGS}


def test_every_workflow_has_been_recorded() -> None:
    there = {
        read(path.stem)["events"][0]["workflowExecutionStartedEventAttributes"]["workflowType"]["name"]
        for path in HISTORIES.glob("*.json")
    }
    assert there == {workflow.__name__ for workflow in WORKFLOWS}


@pytest.mark.parametrize(
    ("name", "heard"),
    [
        ("a_night_that_goes_on_with_what_the_last_one_cut_off", {"job_is", "look_again"}),
        ("a_night_that_goes_on_with_what_the_last_one_cut_off.job", {"loop_is", "window_opens"}),
        ("a_night_that_goes_on_with_what_the_last_one_cut_off.loop", {"window_opens"}),
        ("a_night_that_is_stopped", {"job_is", "stop_shift"}),
        ("a_night_that_trips.job", {"halt"}),
        ("a_job_that_the_breaker_halts.loop", {"halt"}),
        ("a_job_that_a_person_lets_go_on_outside_of_its_window.loop", {"told"}),
    ],
)
def test_the_signals_of_a_night_are_in_what_was_recorded(name: str, heard: set[str]) -> None:
    assert heard <= signals(name)


@pytest.mark.parametrize(
    "name",
    [
        "a_night_that_continues_as_new",
        "a_job_in_a_window_that_continues_as_new",
        "a_job_in_a_window_that_continues_as_new.loop",
        "an_intake_that_continues_as_new",
    ],
)
def test_what_continues_as_new_is_recorded_on_both_sides(name: str) -> None:
    assert "workflowExecutionContinuedAsNewEventAttributes" in read(name)["events"][-1]
    after = read(f"{name}.run-2")["events"][0]["workflowExecutionStartedEventAttributes"]
    assert after["continuedExecutionRunId"]


@pytest.mark.parametrize(
    ("name", "went", "goes"),
    [
        ("a_loop_that_climbs", "close_attempt", "open_attempt"),
        ("a_loop_whose_night_is_out_of_money", "rest_job", "wake_job"),
        ("a_night_that_lasts_until_its_windows_end", "close_night", "tell_morning"),
        ("an_intake_in_a_storm", "tell_storm", "triage"),
    ],
)
async def test_a_run_that_went_another_way_is_noticed(name: str, went: str, goes: str) -> None:
    history = read(name)
    for event in history["events"]:
        scheduled = event.get("activityTaskScheduledEventAttributes")
        if scheduled and scheduled["activityType"]["name"] == went:
            scheduled["activityType"]["name"] = goes
    with pytest.raises(Exception, match=r"(?i)nondeterminism"):
        await replayer().replay_workflow(history_of(history))


def test_recording_without_a_name_leaves_alone_what_is_there() -> None:
    assert not chosen([])
    assert {recording.family for recording in chosen(["nights"])} == {"nights"}


def test_a_name_that_no_story_has_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(SystemExit, match=r"called nigths; there are .*nights"):
        chosen(["nights", "nigths"])
