"""A night over a real line: server, worker, sandbox, git and ledger. Only the model plays a script."""

from __future__ import annotations

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from tests.adapters.hub.repositories import git
from tests.e2e.nights import (
    USD,
    calls_settled,
    line_by_night,
    make_work,
    plan,
    play,
    script,
    start_night,
    write_spec,
)
from tests.fakes.whole_line import Line
from thirdshift.core.history import StopReason
from thirdshift.core.night_book import LineState, NightLine
from thirdshift.core.views import JobState

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


def lines_of(line: Line, night: str) -> dict[str, NightLine]:
    """The night's list by the specs' names."""
    return {Path(one.spec_path).stem: one for one in line.services.ledger.lines(night)}


async def test_a_night_works_off_its_specs_within_its_places_and_its_budget(tmp_path: Path) -> None:
    make_work(tmp_path, "abc")
    write_spec(tmp_path, "d", more="nonsense: 1\n")
    async with line_by_night(tmp_path, script(*map(play, "abc"))) as line:
        night = await start_night(line, plan(tmp_path), "shift-one")
        result = await asyncio.wait_for(night.result(), 120)
        ledger = line.services.ledger
        found = lines_of(line, result.night)
        views = [ledger.job_view(found[name].job_id) for name in "abc"]
        again = await asyncio.wait_for((await start_night(line, plan(tmp_path), "shift-two")).result(), 60)
        second = lines_of(line, again.night)
    assert (result.how, result.begun) == ("closed", 3)
    assert [view.stop_reason for view in views] == [StopReason.ACCEPTED] * 3
    assert found["d"].state is LineState.REFUSED
    assert "unknown field" in found["d"].why
    assert result.settled_nano == sum(view.spend.settled_nano for view in views) > 0
    for name, view in zip("abc", views, strict=True):
        assert "return a + b" in git(tmp_path / "repo", "show", f"{view.branch}:{name}.py")
        assert (view.job.night, view.job.submitter) == (result.night, "ops")
    # Nothing has changed since, so the next night has nothing to do.
    assert again.begun == 0
    assert Counter(one.state for one in second.values()) == {LineState.DONE_BEFORE: 3, LineState.REFUSED: 1}
    assert "accepted before" in second["a"].why


async def test_what_the_windows_end_parks_goes_on_first_in_the_next_night_and_no_call_is_paid_twice(
    tmp_path: Path,
) -> None:
    make_work(tmp_path, "ab")
    async with line_by_night(tmp_path, script(play("a", "sleep 8", "true"), play("b"))) as line:
        short = plan(tmp_path, window_seconds=12, drain_seconds=6, concurrency=1)
        first = await asyncio.wait_for((await start_night(line, short, "shift-one")).result(), 90)
        ledger = line.services.ledger
        found = lines_of(line, first.night)
        parked = ledger.job_view(found["a"].job_id)
        second = await asyncio.wait_for(
            (await start_night(line, plan(tmp_path, concurrency=1), "shift-two")).result(), 90
        )
        view = ledger.job_view(found["a"].job_id)
        order = [one.spec_path for one in ledger.lines(second.night)]
    assert (first.how, first.begun) == ("closed", 1)
    assert found["a"].state is LineState.PARKED
    assert found["b"].state is LineState.PASSED_OVER
    assert found["b"].why
    assert parked.state is JobState.PARKED
    assert parked.ended_at is None
    assert second.begun == 2
    assert order[0].endswith("a.md")
    assert view.stop_reason is StopReason.ACCEPTED
    assert set(calls_settled(line.home, view.job.job_id).values()) == {1}
    assert view.calls.settled == len(calls_settled(line.home, view.job.job_id)) == 4


async def test_a_spec_that_asks_for_more_than_the_shift_delivers_waits_for_a_person(tmp_path: Path) -> None:
    make_work(tmp_path, "a")
    write_spec(tmp_path, "a", more="deliver: merge\n")
    git(tmp_path / "repo", "switch", "-q", "-c", "elsewhere")
    text = (tmp_path / "specs" / "a.md").read_text().replace("plan: none", "plan: none\nbase: main")
    (tmp_path / "specs" / "a.md").write_text(text)
    async with line_by_night(tmp_path, script(play("a"))) as line:
        night = await start_night(line, plan(tmp_path, budget_nano=5 * USD), "shift-one")
        result = await asyncio.wait_for(night.result(), 90)
        job_id = lines_of(line, result.night)["a"].job_id
        view = line.services.ledger.job_view(job_id)
        journal = [entry.text for entry in line.services.ledger.journal(job_id, 0)]
        gates = line.services.ledger.gates(job_id, only_open=True)
        await line.client.get_workflow_handle(job_id).terminate("the test is over")
    assert view.state is JobState.WAITING
    assert [gate.kind for gate in gates] == ["merge"]
    assert any("merge gate added: shift nightly delivers `branch` by itself" in text for text in journal)
    assert "return a - b" in git(tmp_path / "repo", "show", "main:a.py")
