from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.core.nightfall import HOUR, OPENS, USD, night, plan
from thirdshift.core.breaker import breaker_interval_seconds, since, tripped, why_trip
from thirdshift.core.night_book import NightSums
from thirdshift.core.shifts import BreakerTerms

TERMS = BreakerTerms()
AFTER_AN_HOUR = OPENS + HOUR


def sums(**fields: int) -> NightSums:
    return NightSums(limit_nano=fields.pop("limit_nano", 40 * USD), **fields)


@pytest.mark.parametrize(
    ("found", "says"),
    [
        (sums(), None),
        (sums(settled_nano=9 * USD), None),
        (sums(settled_nano=19 * USD), None),
        (sums(settled_nano=20 * USD), None),
        (sums(settled_nano=21 * USD), "$21.00 of $40.00 (52%) spent in 12% of the window, 4.2 times"),
        (sums(settled_nano=10 * USD, unknown_nano=15 * USD), "$25.00 of $40.00"),
        (sums(settled_nano=9 * USD, held_nano=31 * USD), None),
        (sums(verdicts=19, failed_verdicts=19), None),
        (sums(verdicts=20, failed_verdicts=18), None),
        (sums(verdicts=20, failed_verdicts=19), "19 of 20 verdicts failed (95%; at 95% a night stops)"),
        (sums(calls=39, faulted_calls=39), None),
        (sums(calls=40, faulted_calls=19), None),
        (sums(calls=40, faulted_calls=20), "20 of 40 calls were refused or lost (50%; at 50% a night stops)"),
    ],
)
def test_a_night_stops_at_an_anomaly_and_says_its_figures(found: NightSums, says: str | None) -> None:
    why = tripped(found, TERMS, night(hours=8 - 5 / 60), AFTER_AN_HOUR)
    assert (why is None) if says is None else (why is not None and says in why)


def test_the_rate_of_spending_is_judged_against_the_part_of_the_window_that_is_gone() -> None:
    found = sums(settled_nano=24 * USD)
    assert tripped(found, TERMS, night(), OPENS + timedelta(minutes=30)) is not None
    assert tripped(found, TERMS, night(), OPENS + 2 * HOUR) is None


def test_money_that_is_gone_before_the_window_opens_is_an_anomaly() -> None:
    why = tripped(sums(settled_nano=20 * USD), TERMS, night(), OPENS - HOUR)
    assert why is not None
    assert "before the window opened" in why


def test_the_plans_own_terms_and_budget_are_used() -> None:
    bought = plan(budget_nano=8 * USD, breaker=BreakerTerms(verdicts_at_least=2, failed_verdicts_share=0.5))
    assert why_trip(bought, night(), sums(verdicts=2, failed_verdicts=1), AFTER_AN_HOUR) is not None
    spent = NightSums(settled_nano=7 * USD, limit_nano=None)
    assert "$7.00 of $8.00" in (why_trip(bought, night(), spent, AFTER_AN_HOUR) or "")


@given(
    st.builds(
        NightSums,
        settled_nano=st.integers(0, 100 * USD),
        held_nano=st.integers(0, 100 * USD),
        unknown_nano=st.integers(0, 100 * USD),
        limit_nano=st.none() | st.integers(0, 100 * USD),
        verdicts=st.integers(0, 100),
        failed_verdicts=st.integers(0, 100),
        calls=st.integers(0, 1000),
        faulted_calls=st.integers(0, 1000),
    ),
    st.integers(-10, 20),
    st.sampled_from([0.0, 0.01, 8.0, 23.0]),
)
def test_every_sum_has_an_answer_and_worse_figures_never_let_a_tripped_night_go_on(
    found: NightSums, hours: int, window: float
) -> None:
    now = OPENS + hours * HOUR
    why = tripped(found, TERMS, night(hours=window), now)
    if why is not None:
        assert why
        worse = found.model_copy(
            update={
                "settled_nano": found.settled_nano + USD,
                "failed_verdicts": found.failed_verdicts + 1,
                "faulted_calls": found.faulted_calls + 1,
            }
        )
        assert tripped(worse, TERMS, night(hours=window), now) is not None


@given(st.sampled_from([0.0, 0.1, 1.0, 8.0, 23.9]))
def test_the_breaker_looks_neither_busily_nor_seldom(hours: float) -> None:
    assert 15.0 <= breaker_interval_seconds(night(hours=hours)) <= 300.0


def test_a_night_that_is_begun_late_or_once_more_is_judged_by_what_has_come_about_since() -> None:
    before = sums(settled_nano=20 * USD, verdicts=30, failed_verdicts=30, calls=50, faulted_calls=50)
    late = OPENS + 6 * HOUR
    for now in (late, late + timedelta(minutes=5)):
        assert why_trip(plan(), night(), before, now) is not None
        assert why_trip(plan(), night(), before, now, before, late) is None
    spent = before.model_copy(update={"settled_nano": 32 * USD})
    why = why_trip(plan(), night(), spent, late + timedelta(minutes=15), before, late)
    assert why is not None, "of the 20 that were left, 12 in an eighth of the time that was left"
    assert "$12.00 of $20.00 (60%) spent in 12% of the window" in why
    failed = before.model_copy(update={"verdicts": 50, "failed_verdicts": 50})
    assert "20 of 20 verdicts failed" in str(why_trip(plan(), night(), failed, late + HOUR, before, late))


def test_money_that_was_perhaps_spent_and_turned_out_to_be_is_spent_once() -> None:
    before = sums(unknown_nano=20 * USD)
    now_known = sums(settled_nano=20 * USD)
    assert since(before, now_known).settled_nano == 0
