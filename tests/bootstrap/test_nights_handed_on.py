"""What a night gives back, takes over, or leaves to another one: over real specs, git and ledger."""

from __future__ import annotations

from datetime import time, timedelta
from pathlib import Path

import pytest

from tests.bootstrap.conftest import DAY, EVENING, Desk, move_base
from tests.e2e.nights import write_spec
from thirdshift.adapters.engine.workflow_state import WorkflowState
from thirdshift.core.night_book import LineState, QueuedSpec
from thirdshift.night_signatures import AdmitJob, LeaveLine, ListMore


@pytest.mark.parametrize("event", [None, 7])
async def test_a_spec_of_an_event_that_is_not_begun_after_all_is_on_its_queue_again(
    desk: Desk, event: int | None
) -> None:
    (desk.root / "events").mkdir()
    path = write_spec(desk.root, "q").rename(desk.root / "events" / "q.md")
    queued = QueuedSpec(
        shift="nightly", spec_path=str(path), title="q", priority=50, event=event, queued_at=EVENING - DAY
    )
    opened = await desk.open()
    assert opened.night is not None
    desk.services.ledger.queue_spec(queued)
    more = await desk.run(desk.activities.list_more, ListMore(plan=desk.plan, night=opened.night))
    given = AdmitJob(plan=desk.plan, night=opened.night, candidate=more.candidates[0], shift_workflow="shift-one")
    assert (await desk.run(desk.activities.admit_job, given)).start is not None
    left = LeaveLine(night=opened.night, candidate=more.candidates[0], why="the night took nothing more")
    await desk.run(desk.activities.leave_line, left)
    await desk.close(opened)
    assert [(one.priority, one.event, one.queued_at) for one in desk.services.ledger.queued_specs("nightly")] == [
        (50, event, EVENING - DAY)
    ]
    desk.hour[0] += DAY
    second = await desk.open("shift-two")
    assert str(path) in [one.spec_path for one in second.candidates]


async def test_a_spec_that_was_made_ready_and_not_begun_is_on_the_next_nights_list(desk: Desk) -> None:
    """A stop, the drain, or an end in Temporal may come between its books and its workflow."""
    opened = await desk.open()
    job_id = (await desk.admit(opened)).job_id
    await desk.close(opened)
    desk.hour[0] += DAY
    second = await desk.open("shift-two")
    assert job_id in [one.job_id for one in second.candidates], desk.lines(second)["a"].why
    assert (await desk.admit(second)).start is not None


async def test_a_parked_job_that_is_not_begun_after_all_is_parked_again(desk: Desk) -> None:
    opened = await desk.open()
    job_id = (await desk.admit(opened)).job_id
    desk.services.ledger.park_job(job_id, "the window is over", desk.hour[0])
    await desk.close(opened)
    desk.hour[0] += DAY
    second = await desk.open("shift-two")
    assert second.night is not None
    assert (await desk.admit(second)).start is not None, "its server is another one by now"
    left = LeaveLine(night=second.night, candidate=second.candidates[0], why="the night took nothing more")
    await desk.run(desk.activities.leave_line, left)
    assert [job.job_id for job in desk.services.ledger.parked_jobs("nightly")] == [job_id]


async def test_of_two_shifts_with_one_spec_the_first_keeps_its_job_and_pays_for_it(desk: Desk) -> None:
    first = await desk.open()
    other = await desk.open("shift-two", name="other")
    assert first.night is not None
    desk.states["shift-one"] = WorkflowState.RUNNING
    job_id = (await desk.admit(first)).job_id
    late = await desk.admit(other, name="other")
    assert late.start is None
    assert "nightly|2026-03-04" in late.refused
    assert desk.services.ledger.read_job(job_id).night == first.night.id
    assert desk.lines(other)["a"].state is LineState.PASSED_OVER


async def test_a_night_that_is_taken_over_goes_on_with_the_jobs_that_still_run_in_it(desk: Desk) -> None:
    opened = await desk.open()
    assert opened.night is not None
    job_id = (await desk.admit(opened)).job_id
    desk.states |= {"shift-one": WorkflowState.TERMINATED, job_id: WorkflowState.RUNNING}
    taken = await desk.open("shift-two")
    assert (taken.candidates[0].key, taken.candidates[0].parked) == (job_id, True)
    admitted = await desk.admit(taken)
    assert (admitted.start, admitted.refused, admitted.job_id) == (None, "", job_id)
    line = desk.lines(taken)["a!"]
    assert (line.state, line.why) == (LineState.ADMITTED, "begun earlier in this night")


async def test_a_night_whose_workflow_was_ended_is_closed_by_the_next_one(desk: Desk) -> None:
    lost = await desk.open()
    assert lost.night is not None
    desk.states["shift-one"] = WorkflowState.TERMINATED
    desk.hour[0] += DAY
    await desk.open("shift-two")
    record = desk.services.ledger.night(lost.night.id)
    assert record.closed_at is not None
    assert (record.how, "shift-one" in record.why) == ("stopped", True)
    assert {line.state for line in desk.services.ledger.lines(lost.night.id)} == {LineState.PASSED_OVER}


async def test_no_night_by_hand_is_begun_beside_one_that_is_under_way(desk: Desk) -> None:
    """A Schedule that was deleted and made again does not know what the first one has started."""
    desk.hour[0] = EVENING - timedelta(hours=9)
    first = await desk.open()
    desk.states["shift-one"] = WorkflowState.RUNNING
    assert first.night is not None
    assert first.night.by_hand
    desk.hour[0] += timedelta(minutes=1)
    second = await desk.open("shift-two")
    assert second.night is None
    assert "under way already, in workflow shift-one" in second.why
    desk.states["shift-one"] = WorkflowState.TERMINATED
    third = await desk.open("shift-three")
    assert third.night is not None
    assert desk.services.ledger.night(first.night.id).closed_at is not None


async def test_a_window_that_is_moved_to_the_evening_has_its_night_though_one_was_in_the_morning(desk: Desk) -> None:
    morning = desk.plan.model_copy(update={"opens": time(8), "closes": time(9)})
    plan, desk.plan = desk.plan, morning
    desk.hour[0] = EVENING - timedelta(hours=14)
    first = await desk.open()
    await desk.close(first)
    desk.plan, desk.hour[0] = plan, EVENING
    second = await desk.open("shift-two")
    assert first.night is not None
    assert second.night is not None, second.why
    assert second.night.id != first.night.id
    assert second.night.day == first.night.day
    again = await desk.open("shift-two")
    assert again == second, "a retry finds the same night"


async def test_a_spec_whose_job_was_ended_in_temporal_says_how_to_go_on_though_its_base_has_moved(desk: Desk) -> None:
    opened = await desk.open()
    job_id = (await desk.admit(opened)).job_id
    desk.states[job_id] = WorkflowState.TERMINATED
    await desk.close(opened)
    desk.hour[0] += DAY
    move_base(Path(desk.root / "repo"))
    newer = await desk.open("shift-two")
    assert f"thirdshift resume {job_id}" in desk.lines(newer)["a"].why
