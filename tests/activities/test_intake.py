from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.event_work import JobStanding
from tests.fakes.event_desk import NOW, REPOSITORY, Desk
from tests.workflows.line_at_work import job_input
from thirdshift.adapters.ledger import open_ledger
from thirdshift.core.errors import HubUnavailable, RepositoryUnreachable, SpecInvalid
from thirdshift.core.event_book import Decided, Decision
from thirdshift.core.night_book import LineState, NightLine, NightRow
from thirdshift.core.nights import Night
from thirdshift.intake_signatures import StormTold, Triaged, Undecided


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}"))


async def test_the_newest_event_gets_the_job_and_the_rest_are_duplicates_of_it(desk: Desk) -> None:
    numbers = [desk.arrive() for _ in range(4)]
    triaged = await desk.triage(numbers[2])
    job = f"job-ci-{numbers[2]}"
    assert (triaged.job_id, triaged.start) == (job, job_input())
    assert desk.what(*numbers[:3]) == [Decided.DUPLICATE, Decided.DUPLICATE, Decided.JOB]
    assert (desk.decision(numbers[2]).rule, desk.decision(numbers[2]).job_id) == ("ci", job)
    assert desk.ledger.event(numbers[3]).decision is None


async def test_done_again_it_opens_no_second_job_and_gives_the_first_out_until_it_has_begun(desk: Desk) -> None:
    number = desk.arrive()
    first = await desk.triage(number)
    again = await desk.triage(number)
    assert again.job_id == first.job_id
    assert again.start is not None
    assert desk.work.opened == [first.job_id]
    desk.work.standings[first.job_id] = JobStanding.OPEN
    assert await desk.triage(number) == Triaged()


async def test_events_left_over_by_a_crash_after_the_decision_are_decided_by_the_next_try(desk: Desk) -> None:
    numbers = [desk.arrive() for _ in range(3)]
    at = desk.now
    desk.ledger.decide_event(numbers[2], Decision(what=Decided.JOB, why="w", rule="ci", job_id="job-x", at=at))
    await desk.triage(numbers[2])
    assert desk.what(*numbers) == [Decided.DUPLICATE, Decided.DUPLICATE, Decided.JOB]


async def test_while_a_job_is_open_the_next_event_is_a_duplicate_that_names_it(desk: Desk) -> None:
    first = desk.arrive()
    job = (await desk.triage(first)).job_id
    desk.work.standings[job] = JobStanding.OPEN
    second = desk.arrive()
    assert await desk.triage(second) == Triaged()
    assert desk.decision(second).what is Decided.DUPLICATE
    assert desk.decision(second).job_id == job
    assert job in desk.decision(second).why


async def test_a_job_that_was_decided_on_and_never_begun_is_started_by_the_next_event(desk: Desk) -> None:
    job = (await desk.triage(desk.arrive())).job_id
    second = desk.arrive()
    triaged = await desk.triage(second)
    assert (triaged.job_id, triaged.title) == (job, f"again {job}")
    assert desk.decision(second).what is Decided.DUPLICATE


async def test_once_the_job_has_ended_the_next_event_gets_one_of_its_own(desk: Desk) -> None:
    job = (await desk.triage(desk.arrive())).job_id
    desk.work.standings[job] = JobStanding.ENDED
    second = desk.arrive()
    assert (await desk.triage(second)).job_id == f"job-ci-{second}"


async def test_a_rule_begins_no_more_than_its_share_of_a_local_day(tmp_path: Path) -> None:
    desk = Desk(open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}"), zone="America/New_York")
    desk.now = datetime(2026, 3, 2, 3, 0, tzinfo=UTC)  # the evening before, in New York
    numbers = [desk.arrive(fingerprint=f"f{n}") for n in range(3)]
    for n, number in enumerate(numbers):
        await desk.triage(number, f"f{n}")
    assert desk.what(*numbers) == [Decided.JOB, Decided.JOB, Decided.CAPPED]
    desk.now += timedelta(hours=1, minutes=59)
    capped = desk.arrive(fingerprint="late")
    await desk.triage(capped, "late")
    desk.now += timedelta(minutes=1)
    next_day = desk.arrive(fingerprint="next")
    await desk.triage(next_day, "next")
    assert desk.what(capped, next_day) == [Decided.CAPPED, Decided.JOB]


async def test_beyond_so_many_different_events_a_minute_new_ones_are_set_aside_until_it_calms(tmp_path: Path) -> None:
    desk = Desk(open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}"), storm=3)
    numbers = [desk.arrive("alert", f"f{n}", NOW + timedelta(seconds=n)) for n in range(5)]
    later = desk.arrive("alert", "later", NOW + timedelta(seconds=65))
    desk.now = NOW + timedelta(seconds=95)
    storms = [(await desk.triage(number, f"f{n}")).storm for n, number in enumerate(numbers)]
    await desk.triage(later, "later")
    assert desk.what(*numbers) == [Decided.SHIFT] * 3 + [Decided.STORM] * 2
    assert storms == [False, False, False, True, True]
    assert desk.what(later) == [Decided.SHIFT]


async def test_many_events_about_one_thing_are_no_storm(tmp_path: Path) -> None:
    desk = Desk(open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}"), storm=3)
    numbers = [desk.arrive() for _ in range(50)]
    await desk.triage(numbers[-1])
    assert desk.what(*numbers) == [Decided.DUPLICATE] * 49 + [Decided.JOB]


async def test_a_spec_goes_on_the_list_of_its_shift_and_the_open_night_is_named(desk: Desk) -> None:
    night = Night(id="nightly|2026-03-01", shift="nightly", day=NOW.date(), opens_at=NOW, drains_at=NOW, closes_at=NOW)
    row = NightRow(
        night=night, workflow_id="shift-nightly-w", budget_nano=1, concurrency=1, deliver="branch", zone="UTC",
        opened_at=NOW,
    )  # fmt: skip
    desk.ledger.open_night(row)
    number = desk.arrive("alert")
    triaged = await desk.triage(number)
    assert (triaged.shift, triaged.night, triaged.start) == ("nightly", "shift-nightly-w", None)
    (queued,) = desk.ledger.queued_specs("nightly")
    assert (queued.priority, queued.event, queued.spec_path) == (7, number, f"/home/intake/alert-{number}.md")
    assert (desk.decision(number).what, desk.decision(number).shift) == (Decided.SHIFT, "nightly")

    second = desk.arrive("alert")
    await desk.triage(second)
    assert desk.decision(second).what is Decided.DUPLICATE
    assert "on the list of shift nightly" in desk.decision(second).why

    desk.ledger.unqueue_spec("nightly", queued.spec_path)
    line = NightLine(
        night=night.id, key="k", job_id="job-of-the-night", state=LineState.ADMITTED, event=number, first_seen_at=NOW,
        at=NOW,
    )  # fmt: skip
    desk.ledger.put_lines([line])
    desk.work.standings["job-of-the-night"] = JobStanding.OPEN
    third = desk.arrive("alert")
    await desk.triage(third)
    assert (desk.decision(third).what, desk.decision(third).job_id) == (Decided.DUPLICATE, "job-of-the-night")

    desk.ledger.close_night(night.id, "closed", "", NOW)
    desk.work.standings["job-of-the-night"] = JobStanding.ENDED
    fourth = desk.arrive("alert")
    assert await desk.triage(fourth) == Triaged(shift="nightly")


async def test_what_nobody_wants_is_said_to_be_so(desk: Desk) -> None:
    unknown, noise = desk.arrive("unknown", "a"), desk.arrive("noise", "b")
    await desk.triage(unknown, "a")
    await desk.triage(noise, "b")
    assert desk.what(unknown, noise) == [Decided.UNMATCHED, Decided.UNMATCHED]
    assert (desk.decision(unknown).rule, desk.decision(noise).rule) == ("", "noise")


async def test_a_scheduled_look_is_always_taken(desk: Desk) -> None:
    environment = ActivityEnvironment()
    for _ in range(2):
        found = await environment.run(desk.activities.look_at_outcomes)
        assert "2 deliveries" in found.words
        desk.now += timedelta(days=1)
    assert desk.work.syncs == 2


async def test_many_pushes_need_one_look_at_the_outcomes(desk: Desk) -> None:
    numbers = [desk.arrive("push", f"f{n}") for n in range(3)]
    desk.now += timedelta(seconds=30)
    for n, number in enumerate(numbers):
        await desk.triage(number, f"f{n}")
    assert desk.what(*numbers) == [Decided.OUTCOMES] * 3
    assert desk.work.syncs == 1
    desk.now += timedelta(seconds=30)
    await desk.triage(desk.arrive("push", "late"), "late")
    assert desk.work.syncs == 2


async def test_a_template_that_is_refused_ends_its_event_with_what_to_mend(desk: Desk) -> None:
    desk.work.refuses = [SpecInvalid("/t.md:3: unknown field `buget`; did you mean `budget`?")]
    number = desk.arrive()
    assert await desk.triage(number) == Triaged()
    assert desk.decision(number).what is Decided.REFUSED
    assert "did you mean `budget`?" in desk.decision(number).why


async def test_a_repository_without_an_answer_is_tried_again_and_refused_in_the_end(desk: Desk) -> None:
    number = desk.arrive()
    desk.work.refuses = [RepositoryUnreachable("no answer; see the network")] * 2
    with pytest.raises(RepositoryUnreachable):
        await desk.triage(number)
    assert desk.ledger.event(number).decision is None
    await desk.triage(number, attempt=8)
    assert desk.what(number) == [Decided.REFUSED]


async def test_what_is_only_away_for_a_time_decides_nothing(desk: Desk) -> None:
    number = desk.arrive()
    desk.work.refuses = [HubUnavailable("disk full")]
    with pytest.raises(HubUnavailable):
        await desk.triage(number)
    await desk.triage(number)
    assert desk.what(number) == [Decided.JOB]


async def test_a_number_that_no_event_has_is_not_tried_again(desk: Desk) -> None:
    with pytest.raises(ApplicationError) as failed:
        await desk.triage(77)
    assert failed.value.non_retryable


async def test_whoever_was_slower_follows_the_decision_that_stands(desk: Desk) -> None:
    number = desk.arrive()
    note = desk.ledger.decide_event

    def overtaken(number: int, decision: Decision) -> bool:
        note(number, Decision(what=Decided.JOB, why="", job_id="job-faster", at=NOW))
        return note(number, decision)

    desk.work.standings["job-faster"] = JobStanding.OPEN
    desk.ledger.decide_event = overtaken  # type: ignore[method-assign]  # another worker, at the worst moment
    assert await desk.triage(number) == Triaged()
    assert desk.decision(number).job_id == "job-faster"


async def test_undecided_events_are_found_oldest_first(desk: Desk) -> None:
    numbers = [desk.arrive(fingerprint=name) for name in "abc"]
    await desk.triage(numbers[1], "b")
    found = await ActivityEnvironment().run(desk.activities.find_undecided, Undecided(repository=REPOSITORY))
    assert [(one.number, one.fingerprint) for one in found.arrivals] == [(numbers[0], "a"), (numbers[2], "c")]


async def test_people_are_told_of_a_storm_in_plain_words(desk: Desk) -> None:
    await ActivityEnvironment().run(desk.activities.tell_storm, StormTold(repository="acme/sh\x1bop"))
    (notice,) = desk.inbox.sent
    assert "storm" in notice.title
    assert "thirdshift events --repository" in notice.body
    assert "\x1b" not in notice.title + notice.body


async def test_what_no_rule_wants_hides_nothing_however_new_it_is(desk: Desk) -> None:
    numbers = [desk.arrive(kind) for kind in ("alert", "ci", "ci", "noise", "alert", "odd")]
    triaged = await desk.triage(numbers[-1])
    assert triaged.job_id == f"job-ci-{numbers[2]}"
    assert desk.what(*numbers) == [Decided.DUPLICATE] * 2 + [Decided.JOB] + [Decided.DUPLICATE] * 3
    assert desk.decision(numbers[-1]).job_id == triaged.job_id
    assert str(numbers[2]) in desk.decision(numbers[-1]).why


async def test_what_is_wanted_is_found_behind_any_number_of_unwanted_events(desk: Desk) -> None:
    wanted = [desk.arrive("ci"), desk.arrive("ci")]
    noise = [desk.arrive("noise") for _ in range(450)]
    assert (await desk.triage(noise[-1])).job_id == f"job-ci-{wanted[1]}"
    assert desk.what(*wanted, noise[-1]) == [Decided.DUPLICATE, Decided.JOB, Decided.DUPLICATE]
    later = desk.arrive("noise")
    desk.work.standings[f"job-ci-{wanted[1]}"] = JobStanding.OPEN
    assert await desk.triage(later) == Triaged()
    assert desk.what(later) == [Decided.UNMATCHED]


@pytest.mark.parametrize("rest_is_decided", [False, True])
async def test_a_job_of_an_older_event_is_given_out_again_after_a_crash_before_it_began(
    desk: Desk, rest_is_decided: bool
) -> None:
    wanted, newest = desk.arrive("ci"), desk.arrive("noise")
    if rest_is_decided:
        job = (await desk.triage(newest)).job_id
    else:
        job = "job-x"
        desk.work.standings[job] = JobStanding.NEVER_BEGUN
        desk.ledger.decide_event(wanted, Decision(what=Decided.JOB, why="w", rule="ci", job_id=job, at=desk.now))
    again = await desk.triage(newest)
    assert (again.job_id, again.start is not None) == (job, True)


async def test_strangers_cannot_make_a_storm_of_events_that_no_rule_wants(tmp_path: Path) -> None:
    desk = Desk(open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}"), storm=3)
    noise = [desk.arrive("odd", f"n{number}") for number in range(20)]
    real = desk.arrive("ci", "real")
    for number in range(20):
        await desk.triage(noise[number], f"n{number}")
    await desk.triage(real, "real")
    assert desk.what(real) == [Decided.JOB]


async def test_an_event_that_brings_out_a_fault_is_refused_in_the_end_and_keeps_nobody_waiting(desk: Desk) -> None:
    number = desk.arrive()
    desk.work.refuses = [RuntimeError("secret words"), RuntimeError("secret words")]
    with pytest.raises(RuntimeError):
        await desk.triage(number)
    await desk.triage(number, attempt=8)
    assert desk.what(number) == [Decided.REFUSED]
    assert "RuntimeError" in desk.decision(number).why
    assert "secret words" not in desk.decision(number).why


async def test_a_spec_for_a_shift_that_is_not_there_is_refused_since_no_night_would_ever_find_it(desk: Desk) -> None:
    desk.work.no_shifts = {"nightly"}
    number = desk.arrive("alert")
    await desk.triage(number)
    assert desk.what(number) == [Decided.REFUSED]
    assert "thirdshift shift create" in desk.decision(number).why
    assert not desk.ledger.queued_specs("nightly")


async def test_duplicates_are_found_by_the_book_s_fingerprint_though_the_engine_was_sent_another(desk: Desk) -> None:
    numbers = [desk.arrive() for _ in range(3)]
    await desk.triage(numbers[-1], "<redacted>")
    assert desk.what(*numbers) == [Decided.DUPLICATE, Decided.DUPLICATE, Decided.JOB]
