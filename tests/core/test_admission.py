from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.core.nightfall import HOUR, OPENS, USD, at_work, candidate, night, state
from thirdshift.core.admission import (
    POINTS_A_WEEK,
    Admissions,
    AdmissionState,
    AtWork,
    Candidate,
    in_order,
    next_admissions,
)
from thirdshift.core.night_book import NightSums

DAY = timedelta(days=1)


def keys(found: list[Candidate] | tuple[Candidate, ...]) -> list[str]:
    return [one.key for one in found]


def decide(*candidates: Candidate, now: datetime = OPENS, **fields: Any) -> Admissions:
    return next_admissions(state(**fields), candidates, now)


# --- The order -----------------------------------------------------------------------------------------------


def test_parked_jobs_go_first_then_priority_then_the_cheapest_accepted_outcome() -> None:
    found = in_order(
        [
            candidate("dear", expected_nano=9 * USD),
            candidate("cheap", expected_nano=1 * USD),
            candidate("urgent", priority=5, expected_nano=20 * USD),
            candidate("parked-late", parked=True, first_seen_at=OPENS - DAY, expected_nano=1 * USD),
            candidate("parked-early", parked=True, priority=0, first_seen_at=OPENS - 2 * DAY, expected_nano=99 * USD),
        ],
        OPENS,
    )
    assert keys(found) == ["parked-early", "parked-late", "urgent", "cheap", "dear"]


def test_what_has_no_history_stands_between() -> None:
    known = [candidate(name, expected_nano=cost * USD) for name, cost in (("1", 1), ("2", 2), ("8", 8), ("9", 9))]
    assert keys(in_order([*known, candidate("new")], OPENS)) == ["1", "2", "8", "new", "9"]
    assert keys(in_order([candidate("b"), candidate("a")], OPENS)) == ["a", "b"]


def test_a_day_of_waiting_halves_a_price() -> None:
    waits = candidate("waits", expected_nano=8 * USD, first_seen_at=OPENS - 3 * DAY)
    fresh = candidate("fresh", expected_nano=2 * USD)
    assert keys(in_order([waits, fresh], OPENS - DAY)) == ["waits", "fresh"], "8 after two days are 2, and it was first"
    assert keys(in_order([waits, fresh], OPENS - DAY - timedelta(seconds=1))) == ["fresh", "waits"]
    assert keys(in_order([fresh, waits], OPENS)) == ["waits", "fresh"]


def test_a_week_of_waiting_is_worth_points_of_priority() -> None:
    fresh = candidate("fresh", priority=POINTS_A_WEEK, first_seen_at=OPENS)
    waits = candidate("waits", priority=0, first_seen_at=OPENS - 7 * DAY + timedelta(seconds=1))
    assert keys(in_order([waits, fresh], OPENS)) == ["fresh", "waits"]
    assert keys(in_order([waits, fresh], OPENS + timedelta(seconds=1))) == ["waits", "fresh"]


# --- What fits ------------------------------------------------------------------------------------------------


def test_as_many_are_admitted_as_there_are_places() -> None:
    found = decide(candidate("a"), candidate("b"), candidate("c"), concurrency=3, at_work=(at_work("x"),))
    assert keys(found.admitted) == ["a", "b"]
    assert found.passed_over == {"c": "all 3 places are taken"}
    assert decide(candidate("a"), concurrency=1, at_work=(at_work("x"),)).passed_over == {"a": "the one place is taken"}


def test_a_job_that_works_already_is_not_admitted_once_more() -> None:
    twice = [candidate("one"), candidate("two", job_id="job-one")]
    found = decide(*twice, candidate("x", job_id="job-x"), at_work=(at_work("x"),))
    assert keys(found.admitted) == ["one"]
    assert set(found.passed_over.values()) == {"its job works in this night already"}


@pytest.mark.parametrize(
    ("fields", "now", "why"),
    [
        ({}, OPENS - timedelta(seconds=1), "the window opens at 21:00 UTC only"),
        ({}, OPENS + 8 * HOUR, "no step is begun any more before the window ends"),
        ({"median_seconds": 3600.0}, OPENS + 7 * HOUR, None),
        (
            {"median_seconds": 3600.0},
            OPENS + 7 * HOUR + timedelta(minutes=1),
            "its like takes 1 h 0 min, and 59 min are left",
        ),
        ({}, OPENS + 7.75 * HOUR, None),
        ({}, OPENS + 7.76 * HOUR, "14 min are left, and what nobody knows the duration of is given at least 15 min"),
        ({"parked": True, "median_seconds": 9e9}, OPENS + 7.75 * HOUR, None),
        ({"parked": True}, OPENS + 7.99 * HOUR, "36 s are left, and it is given at least 15 min"),
        ({"median_seconds": 20 * 3600.0}, OPENS + 0.8 * HOUR, None),
        ({"median_seconds": 20 * 3600.0}, OPENS + 0.81 * HOUR, "its like takes 20 h 0 min, and 7 h 11 min are left"),
    ],
)
def test_what_can_no_longer_end_in_the_window_is_not_begun(
    fields: dict[str, Any], now: datetime, why: str | None
) -> None:
    found = decide(candidate("a", **fields), now=now)
    assert found.passed_over == ({} if why is None else {"a": why})


def test_a_short_window_asks_for_a_share_of_itself_only() -> None:
    short = night(hours=0.2)
    assert decide(candidate("a"), night=short, now=OPENS + 0.15 * HOUR).admitted
    assert not decide(candidate("a"), night=short, now=OPENS + 0.16 * HOUR).admitted


def test_a_providers_rate_limits_its_loops_and_no_others() -> None:
    asked = [candidate(name, provider="local") for name in "abc"]
    found = decide(*asked, candidate("d", provider="other"), requests_per_minute={"local": 13})
    assert keys(found.admitted) == ["a", "b", "d"]
    assert found.passed_over == {"c": "local takes 13 requests a minute, and jobs at work make about 12"}
    known = [candidate(name, provider="local", requests_per_minute=4.0) for name in "abc"]
    assert len(decide(*known, requests_per_minute={"local": 13}).admitted) == 3


def test_one_loop_of_a_provider_may_always_work() -> None:
    found = decide(candidate("a", provider="slow"), candidate("b", provider="slow"), requests_per_minute={"slow": 1})
    assert keys(found.admitted) == ["a"]


# --- Money ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sums", "cost", "why"),
    [
        (NightSums(settled_nano=30 * USD), 10 * USD, None),
        (
            NightSums(settled_nano=25 * USD, unknown_nano=6 * USD),
            10 * USD,
            "its like costs $10.0000, and $9.0000 of the night's $40.0000 are left",
        ),
        (
            NightSums(settled_nano=39 * USD, held_nano=USD),
            None,
            "the night's $40.0000 are spent, or held by jobs at work",
        ),
        (NightSums(settled_nano=39 * USD), None, None),
        (NightSums(), 41 * USD, "its like costs $41.0000, more than the night's whole $40.0000"),
    ],
)
def test_what_the_nights_money_does_not_do_for_is_passed_over(
    sums: NightSums, cost: int | None, why: str | None
) -> None:
    found = decide(candidate("a", expected_nano=cost), sums=sums)
    assert found.passed_over == ({} if why is None else {"a": why})


def test_a_cheaper_one_goes_on_where_a_dearer_one_does_not_fit() -> None:
    dear = candidate("dear", priority=9, expected_nano=20 * USD)
    found = decide(dear, candidate("cheap", expected_nano=5 * USD), sums=NightSums(settled_nano=30 * USD))
    assert keys(found.admitted) == ["cheap"]


def test_what_jobs_at_work_will_need_is_set_aside_and_shrinks_as_they_go_on() -> None:
    works = at_work("x", OPENS, expected_nano=20 * USD, median_seconds=4 * 3600.0)
    wants = candidate("a", expected_nano=18 * USD, median_seconds=60.0)
    spent = NightSums(settled_nano=10 * USD)
    early = decide(wants, at_work=(works,), sums=spent, now=OPENS + HOUR)
    assert early.passed_over == {
        "a": "its like costs $18.0000; of the $30.0000 that are left, jobs at work will need $15.0000"
    }
    assert decide(wants, at_work=(works,), sums=spent, now=OPENS + 2.5 * HOUR).admitted
    assert decide(wants, at_work=(works,), sums=spent, now=OPENS + 6 * HOUR).admitted, (
        "one that takes long needs no more"
    )


def test_what_jobs_at_work_hold_is_not_set_aside_twice() -> None:
    works = at_work("x", OPENS, expected_nano=20 * USD)
    wants = candidate("a", expected_nano=20 * USD)
    assert decide(wants, at_work=(works,), sums=NightSums(held_nano=15 * USD)).admitted


def test_what_is_admitted_together_is_counted_together() -> None:
    found = decide(*[candidate(name, expected_nano=15 * USD) for name in "abc"])
    assert keys(found.admitted) == ["a", "b"]


def test_a_jobs_own_budget_is_the_most_that_it_needs() -> None:
    assert decide(candidate("a", expected_nano=90 * USD, budget_nano=5 * USD)).admitted


def test_a_parked_job_goes_on_while_there_is_any_money() -> None:
    parked = candidate("p", parked=True, expected_nano=90 * USD)
    assert decide(parked, sums=NightSums(settled_nano=39 * USD)).admitted
    assert decide(parked, sums=NightSums(settled_nano=40 * USD)).passed_over


def test_money_is_not_stranded_while_anything_fits_what_is_left() -> None:
    """With nobody at work, nothing is set aside: whatever is free goes to whoever it does for."""
    waits = [candidate("a", expected_nano=4 * USD), candidate("b", expected_nano=8 * USD)]
    assert keys(decide(*waits, sums=NightSums(settled_nano=36 * USD)).admitted) == ["a"]


# --- Whatever it is given -------------------------------------------------------------------------------------

COSTS = st.none() | st.integers(0, 60 * USD)
CANDIDATES = st.builds(
    candidate,
    key=st.text("abcdef", min_size=1, max_size=2),
    parked=st.booleans(),
    priority=st.integers(-100, 100),
    first_seen_at=st.integers(-200, 9).map(lambda days: OPENS + days * DAY),
    expected_nano=COSTS,
    budget_nano=COSTS,
    median_seconds=st.none() | st.floats(0, 1e6),
    provider=st.sampled_from(["", "local", "other"]),
    requests_per_minute=st.none() | st.floats(0, 100),
)
STATES = st.builds(
    state,
    night=st.sampled_from([0.0, 0.1, 8.0]).map(lambda hours: night(hours=hours)),
    concurrency=st.integers(0, 5),
    limit_nano=st.integers(0, 50 * USD),
    sums=st.builds(
        NightSums,
        settled_nano=st.integers(0, 60 * USD),
        held_nano=st.integers(0, 10 * USD),
        unknown_nano=st.integers(0, 10 * USD),
    ),
    at_work=st.lists(
        st.builds(AtWork, candidate=CANDIDATES, since=st.none() | st.integers(-9, 9).map(lambda h: OPENS + h * HOUR)),
        max_size=4,
    ).map(tuple),
    requests_per_minute=st.dictionaries(st.sampled_from(["local", "other"]), st.integers(1, 60)),
)


@given(STATES, st.lists(CANDIDATES, max_size=12), st.integers(-60, 600))
def test_each_candidate_is_admitted_or_has_a_reason_and_no_limit_is_broken(
    given_state: AdmissionState, candidates: list[Candidate], minutes: int
) -> None:
    now = OPENS + timedelta(minutes=minutes)
    found = next_admissions(given_state, candidates, now)
    admitted = keys(found.admitted)
    assert {*admitted, *found.passed_over} == {one.key for one in candidates}
    assert all(found.passed_over.values())
    assert len(admitted) <= max(0, given_state.concurrency - len(given_state.at_work))
    jobs = [one.job_id for one in found.admitted]
    assert len(set(jobs)) == len(jobs)
    assert not set(jobs) & {one.candidate.job_id for one in given_state.at_work}
    if not given_state.night.opens_at <= now < given_state.night.drains_at or given_state.free_nano <= 0:
        assert admitted == []
    begun = [one for one in found.admitted if not one.parked]
    for one in begun:
        if one.expected_nano is not None:
            need = one.expected_nano if one.budget_nano is None else min(one.expected_nano, one.budget_nano)
            assert need <= given_state.free_nano


@given(STATES, st.lists(CANDIDATES, max_size=8), st.randoms())
def test_the_order_in_which_candidates_are_told_changes_nothing(
    given_state: AdmissionState, candidates: list[Candidate], chance: Any
) -> None:
    unique = list({one.key: one for one in candidates}.values())
    shuffled = unique[:]
    chance.shuffle(shuffled)
    now = OPENS + HOUR
    assert next_admissions(given_state, unique, now) == next_admissions(given_state, shuffled, now)


@settings(deadline=None, max_examples=60)
@given(
    st.integers(-20, 20),
    st.integers(1, 40),
    st.lists(st.tuples(st.integers(-20, 20), st.integers(0, 40)), min_size=1, max_size=4),
    st.integers(0, 12),
    st.integers(1, 4),
)
def test_nothing_that_fits_waits_for_more_nights_than_it_can_be_overtaken_in(
    priority: int, cost: int, stream: list[tuple[int, int]], backlog: int, places: int
) -> None:
    """Every night brings as many fresh specs as it has money for, some dearer to people, some cheaper.

    What came before, or comes within the weeks after which no priority is higher, may go first; nothing else may.
    """
    waits = candidate("waits", priority=priority, expected_nano=cost * USD)
    weeks = -(-(20 - priority) // POINTS_A_WEEK) + 1
    rivals = backlog + len(stream) * (7 * weeks + 7)
    bound = rivals + 1
    waiting = [waits, *(candidate(f"old-{n}", priority=20, expected_nano=USD) for n in range(backlog))]
    for day in range(bound + 1):
        opens = OPENS + day * DAY
        fresh = [
            candidate(f"new-{day}-{n}", priority=p, expected_nano=c * USD, first_seen_at=opens)
            for n, (p, c) in enumerate(stream)
        ]
        waiting += fresh
        # The first choice of each night is all that it does: the hardest case, in which nobody's place comes free.
        found = next_admissions(state(night=night(day), concurrency=places), waiting, opens)
        begun = set(keys(found.admitted))
        if "waits" in begun:
            return
        assert begun, "a night that could work begins something"
        waiting = [one for one in waiting if one.key not in begun]
    raise AssertionError(f"not begun in {bound} nights")
