"""A night's list and what is made ready, over real specs, git and ledger; only Temporal's answers are given."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from activities import listing
from activities.listing import WHY_LETTERS
from tests.adapters.hub.repositories import git
from tests.bootstrap.conftest import DAY, EVENING, Desk, move_base
from tests.e2e.nights import write_spec
from thirdshift.adapters.engine.workflow_state import WorkflowState
from thirdshift.bootstrap.nights import WITHOUT_A_PERSON
from thirdshift.core.history import StopReason
from thirdshift.core.night_book import LineState, QueuedSpec
from thirdshift.core.spec import Delivery, GateKind
from thirdshift.night_signatures import AdmitJob, AskJobs, ListMore


async def test_a_night_lists_its_specs_and_a_refused_one_does_not_end_it(desk: Desk) -> None:
    write_spec(desk.root, "c", more="nonsense: 1\n")
    opened = await desk.open()
    lines = desk.lines(opened)
    assert [Path(one.spec_path).stem for one in opened.candidates] == ["a", "b"]
    assert [one.priority for one in opened.candidates] == [0, -1]
    assert {one.provider for one in opened.candidates} == {"play"}
    assert opened.requests_per_minute == {"play": 90}
    assert {name: line.state for name, line in lines.items()} == {
        "a": LineState.LISTED,
        "b": LineState.LISTED,
        "c": LineState.REFUSED,
    }
    assert "unknown field `nonsense`" in lines["c"].why
    assert len(lines["c"].why) <= WHY_LETTERS


async def test_a_night_opened_twice_is_one_night(desk: Desk) -> None:
    first = await desk.open()
    again = await desk.open()
    desk.states["shift-one"] = WorkflowState.RUNNING
    other = await desk.open("shift-two")
    assert again == first
    assert (other.night, other.candidates) == (None, ())
    assert "under way already, in workflow shift-one" in other.why
    await desk.close(first)
    late = await desk.open("shift-three")
    assert late.night is None
    assert "a night is one night" in late.why


async def test_a_night_whose_workflow_was_ended_in_temporal_is_taken_over(desk: Desk) -> None:
    await desk.open()
    desk.states["shift-one"] = WorkflowState.TERMINATED
    taken = await desk.open("shift-two")
    assert taken.night is not None
    record = desk.services.ledger.night(taken.night.id)
    assert (record.row.workflow_id, record.closed_at) == ("shift-two", None)


async def test_what_has_ended_is_not_run_again_until_its_spec_or_its_base_has_changed(desk: Desk) -> None:
    opened = await desk.open()
    for at, stop in enumerate((StopReason.ACCEPTED, StopReason.MAX_ATTEMPTS)):
        desk.end_job((await desk.admit(opened, at)).job_id, stop)
    await desk.close(opened)
    desk.hour[0] += DAY
    second = await desk.open("shift-two")
    lines = desk.lines(second)
    assert second.candidates == ()
    assert [line.state for line in lines.values()] == [LineState.DONE_BEFORE] * 2
    assert "accepted before; its result is on thirdshift/job-" in lines["a"].why
    assert "max_attempts; go on with: thirdshift resume job-" in lines["b"].why
    await desk.close(second)
    desk.hour[0] += DAY
    write_spec(desk.root, "a", more="risk: low\n")
    third = await desk.open("shift-three")
    assert [Path(one.spec_path).stem for one in third.candidates] == ["a"]
    await desk.close(third)
    desk.hour[0] += DAY
    move_base(desk.root / "repo")
    fourth = await desk.open("shift-four")
    assert [Path(one.spec_path).stem for one in fourth.candidates] == ["a", "b"]


async def test_what_was_accepted_is_done_however_often_its_base_moves_unless_the_shift_repeats(desk: Desk) -> None:
    opened = await desk.open()
    for at, stop in enumerate((StopReason.ACCEPTED, StopReason.MAX_ATTEMPTS)):
        desk.end_job((await desk.admit(opened, at)).job_id, stop)
    await desk.close(opened)
    move_base(desk.root / "repo")
    desk.hour[0] += DAY
    second = await desk.open("shift-two")
    assert [Path(one.spec_path).stem for one in second.candidates] == ["b"]
    line = desk.lines(second)["a"]
    assert line.state is LineState.DONE_BEFORE
    assert "accepted before, as job-repo-a-" in line.why
    await desk.close(second)
    desk.hour[0] += DAY
    third = await desk.open("shift-three", repeat=True)
    assert sorted(Path(one.spec_path).stem for one in third.candidates) == ["a", "b"]


async def test_a_job_that_runs_by_hand_is_left_alone_and_so_is_its_spec_on_a_newer_base(desk: Desk) -> None:
    opened = await desk.open()
    job_id = (await desk.admit(opened)).job_id
    desk.states[job_id] = WorkflowState.RUNNING
    await desk.close(opened)
    desk.hour[0] += DAY
    same = await desk.open("shift-two")
    assert "under way already" in desk.lines(same)["a"].why
    await desk.close(same)
    desk.hour[0] += DAY
    move_base(desk.root / "repo")
    newer = await desk.open("shift-three")
    assert [Path(one.spec_path).stem for one in newer.candidates] == ["b"]
    assert f"{job_id}, of the same spec, has not ended" in desk.lines(newer)["a"].why


async def test_a_parked_job_goes_on_first_and_is_on_the_list_once(desk: Desk) -> None:
    opened = await desk.open()
    job_id = (await desk.admit(opened, 1)).job_id
    desk.services.ledger.park_job(job_id, "the window is over", desk.hour[0])
    desk.states[job_id] = WorkflowState.RUNNING
    await desk.close(opened, lacked={opened.candidates[0].key: "the one place is taken"})
    first = desk.lines(opened)
    assert (first["b"].state, first["a"].state) == (LineState.PARKED, LineState.PASSED_OVER)
    assert first["a"].why == "the one place is taken"
    desk.hour[0] += DAY
    second = await desk.open("shift-two")
    assert [one.key for one in second.candidates] == [job_id, opened.candidates[0].key]
    assert second.candidates[0].parked
    # What an earlier night has passed over is known to have waited since then.
    assert second.candidates[1].first_seen_at == EVENING
    admitted = await desk.admit(second)
    assert (admitted.start, admitted.refused, admitted.job_id) == (None, "", job_id)
    assert second.night is not None
    assert desk.services.ledger.read_job(job_id).night == second.night.id


@pytest.mark.parametrize("state", [WorkflowState.TERMINATED, WorkflowState.UNKNOWN])
async def test_a_parked_job_without_a_workflow_is_begun_anew_only_if_nobody_ended_it(
    desk: Desk, state: WorkflowState
) -> None:
    opened = await desk.open()
    job_id = (await desk.admit(opened, 0)).job_id
    desk.services.ledger.park_job(job_id, "the window is over", desk.hour[0])
    await desk.close(opened)
    desk.hour[0] += DAY
    desk.states[job_id] = state
    second = await desk.open("shift-two")
    admitted = await desk.admit(second)
    if state is WorkflowState.UNKNOWN:
        assert admitted.start is not None
        assert admitted.start.window is not None
    else:
        assert f"terminated in Temporal; go on with: thirdshift resume {job_id}" in admitted.refused
    assert desk.services.ledger.parked_jobs("nightly") == ()


async def test_an_admitted_spec_has_its_books_its_window_and_a_submitter(desk: Desk) -> None:
    opened = await desk.open()
    admitted = await desk.admit(opened)
    again = await desk.admit(opened)
    night = opened.night
    assert night is not None
    assert admitted.start is not None
    assert admitted.start.window is not None
    assert (admitted.start.window.night, admitted.start.window.closes_at) == (night.id, night.closes_at)
    assert admitted.start.terms.submitter == "ops"
    assert admitted.start.policy.gates == ()
    row = desk.services.ledger.read_job(admitted.job_id)
    assert (row.submitter, row.night, row.night_limit_nano) == ("ops", night.id, 40_000_000_000)
    # The activity may be done twice, and its second result begins the same job.
    assert again.job_id == admitted.job_id
    assert again.start is not None
    assert again.start.packets == admitted.start.packets


async def test_a_spec_that_changed_since_it_was_listed_is_begun_as_it_is_now(desk: Desk) -> None:
    opened = await desk.open()
    write_spec(desk.root, "a", more="risk: medium\n")
    admitted = await desk.admit(opened)
    assert admitted.job_id != opened.candidates[0].job_id
    assert admitted.start is not None
    assert admitted.start.risk == "medium"
    write_spec(desk.root, "b", more="nonsense: 1\n")
    assert "unknown field" in (await desk.admit(opened, 1)).refused
    assert desk.lines(opened)["b"].state is LineState.REFUSED


async def test_more_than_the_shift_may_deliver_waits_for_a_person(desk: Desk) -> None:
    write_spec(desk.root, "a", more="deliver: merge\n")
    text = (desk.root / "specs" / "a.md").read_text().replace("plan: none", "plan: none\nbase: side")
    (desk.root / "specs" / "a.md").write_text(text)
    git(desk.root / "repo", "branch", "side")
    opened = await desk.open()
    gated = await desk.admit(opened)
    assert gated.start is not None
    assert gated.start.policy.gates == (GateKind.MERGE,)
    assert "merge gate added: shift nightly delivers `branch` by itself" in desk.lines(opened)["a"].why
    free = await desk.open("shift-two", name="other", deliver=Delivery.MERGE)
    assert "merge gate added" not in desk.lines(free)["a"].why


def test_a_merge_and_a_push_do_not_include_one_another() -> None:
    for mine, others in WITHOUT_A_PERSON.items():
        assert {Delivery.BRANCH, mine} <= others
    assert Delivery.PUSH in WITHOUT_A_PERSON[Delivery.PULL_REQUEST]
    assert Delivery.MERGE not in WITHOUT_A_PERSON[Delivery.PULL_REQUEST]
    assert Delivery.PUSH not in WITHOUT_A_PERSON[Delivery.MERGE]


async def test_specs_of_events_are_listed_with_their_priority_and_leave_the_queue_once_begun(desk: Desk) -> None:
    (desk.root / "events").mkdir()
    path = write_spec(desk.root, "q").rename(desk.root / "events" / "q.md")
    queued = QueuedSpec(
        shift="nightly", spec_path=str(path), title="q", priority=50, event=None, queued_at=EVENING - DAY
    )
    opened = await desk.open()
    desk.services.ledger.queue_spec(queued)
    assert opened.night is not None
    given = ListMore(plan=desk.plan, night=opened.night)
    more = await desk.run(desk.activities.list_more, given)
    assert [(one.priority, one.first_seen_at) for one in more.candidates] == [(50, EVENING - DAY)]
    assert (await desk.run(desk.activities.list_more, given)).candidates == ()
    admit = AdmitJob(plan=desk.plan, night=opened.night, candidate=more.candidates[0], shift_workflow="shift-one")
    assert (await desk.run(desk.activities.admit_job, admit)).start is not None
    assert desk.services.ledger.queued_specs("nightly") == ()


async def test_a_list_has_an_end_and_whoever_was_cut_off_is_read_first_the_next_time(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "MOST_CANDIDATES", 1)
    opened = await desk.open()
    states = Counter(line.state for line in desk.lines(opened).values())
    assert states == {LineState.LISTED: 1, LineState.PASSED_OVER: 1}
    assert "at most 1 specs" in desk.lines(opened)["b"].why


async def test_a_missing_directory_is_said_and_parked_jobs_go_on_all_the_same(desk: Desk) -> None:
    opened = await desk.open()
    job_id = (await desk.admit(opened)).job_id
    desk.services.ledger.park_job(job_id, "the window is over", desk.hour[0])
    await desk.close(opened)
    desk.hour[0] += DAY
    second = await desk.open("shift-two", root=str(desk.root / "gone"))
    assert [one.key for one in second.candidates] == [job_id]
    assert "no such directory" in next(
        line.why for line in desk.lines(second).values() if line.state is LineState.REFUSED
    )


async def test_jobs_whose_workflows_run_no_more_are_found_however_they_ended(desk: Desk) -> None:
    desk.states |= {
        "job-a": WorkflowState.RUNNING,
        "job-b": WorkflowState.TERMINATED,
        "job-c": WorkflowState.COMPLETED,
    }
    found = await desk.run(desk.activities.jobs_gone, AskJobs(jobs=("job-a", "job-b", "job-c")))
    assert found.jobs == ("job-b", "job-c")
