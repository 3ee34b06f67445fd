from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thirdshift.core.nights import CLOSING_TIME, next_nights, night_at, night_by_hand, night_of, which_night
from thirdshift.core.shifts import ShiftPlan, Weekday

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = timedelta(hours=1)
ZONES = (
    "Europe/Berlin",
    "America/New_York",
    "Australia/Lord_Howe",
    "America/Havana",
    "Africa/Cairo",
    "Asia/Beirut",
    "America/Nuuk",
    "Asia/Kolkata",
    "UTC",
    "Pacific/Apia",
)


def plan(opens: str = "22:00", closes: str = "06:00", zone: str = "Europe/Berlin", **more: object) -> ShiftPlan:
    given: dict[str, object] = {"name": "nightly", "root": "/r", "specs": ("*.md",), "submitter": "ada"}
    given |= {"opens": opens, "closes": closes, "zone": zone, "budget_nano": 1} | more
    return ShiftPlan.model_validate(given)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "window", "day", "opens_at", "hours"),
    [
        ("Europe/Berlin", "22:00-06:00", "2027-03-27", "2027-03-27T21:00", 7),
        ("Europe/Berlin", "22:00-06:00", "2026-10-24", "2026-10-24T20:00", 9),
        ("Europe/Berlin", "22:00-06:00", "2027-10-30", "2027-10-30T20:00", 9),
        ("Europe/Berlin", "02:30-06:00", "2027-03-28", "2027-03-28T01:00", 3),
        ("Europe/Berlin", "02:10-02:40", "2027-03-28", "2027-03-28T01:00", 0.5),
        ("Europe/Berlin", "02:30-06:00", "2026-10-25", "2026-10-25T00:30", 4.5),
        ("Europe/Berlin", "22:00-02:30", "2026-10-24", "2026-10-24T20:00", 4.5),
        ("America/New_York", "22:00-06:00", "2027-03-13", "2027-03-14T03:00", 7),
        ("America/New_York", "22:00-06:00", "2027-11-06", "2027-11-07T02:00", 9),
        ("Australia/Lord_Howe", "22:00-06:00", "2027-10-02", "2027-10-02T11:30", 7.5),
        ("Australia/Lord_Howe", "02:15-06:00", "2027-10-03", "2027-10-02T15:30", 3.5),
        ("Africa/Cairo", "00:00-05:00", "2027-04-30", "2027-04-29T22:00", 4),
        ("America/Havana", "00:30-05:00", "2027-11-07", "2027-11-07T04:30", 5.5),
        ("America/Nuuk", "23:30-05:00", "2027-03-27", "2027-03-28T01:00", 5),
        ("Asia/Kolkata", "22:00-06:00", "2027-03-27", "2027-03-27T16:30", 8),
    ],
)
def test_a_window_over_a_change_of_the_clock_opens_once_and_closes_by_the_clock_on_the_wall(
    zone: str, window: str, day: str, opens_at: str, hours: float
) -> None:
    opens, _, closes = window.partition("-")
    night = night_of(plan(opens, closes, zone), date.fromisoformat(day), ZoneInfo(zone))
    assert night
    assert (night.id, night.opens_at, night.closes_at - night.opens_at) == (
        f"nightly|{day}",
        utc(opens_at),
        hours * HOUR,
    )
    assert night.drains_at == night.closes_at - timedelta(minutes=5)


def test_the_night_is_that_of_the_evening_on_which_its_window_opened_and_the_end_is_outside() -> None:
    night = night_at(plan(), utc("2026-11-21T03:00"), BERLIN)
    assert night
    assert (night.id, night.day, night.by_hand) == ("nightly|2026-11-20", date(2026, 11, 20), False)
    assert night_at(plan(), night.opens_at, BERLIN) == night
    assert night_at(plan(), night.closes_at - timedelta(microseconds=1), BERLIN) == night
    assert night_at(plan(), night.closes_at, BERLIN) is None
    assert night_at(plan(), night.opens_at - timedelta(microseconds=1), BERLIN) is None


def test_weekdays_and_holidays_are_those_of_the_evening() -> None:
    working = plan(weekdays=("mon", "tue", "wed", "thu", "fri"), holidays=("2026-12-24", "2026-12-25"))
    days = [night.day.isoformat() for night in next_nights(working, utc("2026-12-22T12:00"), 4, BERLIN)]
    assert days == ["2026-12-22", "2026-12-23", "2026-12-28", "2026-12-29"]
    assert night_at(working, utc("2026-12-24T03:00"), BERLIN), "the night of the 23rd runs into the holiday"
    assert night_at(working, utc("2026-12-26T03:00"), BERLIN) is None


def test_a_night_started_by_hand_lasts_as_long_as_usual_but_never_into_the_next() -> None:
    noon = night_by_hand(plan(), utc("2026-11-20T12:00:07"), BERLIN)
    assert (noon.id, noon.by_hand) == ("nightly|2026-11-20#12:00:07", True)
    assert noon.closes_at == utc("2026-11-20T20:00:07")
    late = night_by_hand(plan(), utc("2026-11-20T20:00"), BERLIN)
    following = next_nights(plan(), late.opens_at, 1, BERLIN)[0]
    assert late.closes_at == utc("2026-11-20T20:45") == following.opens_at - CLOSING_TIME
    short = night_by_hand(plan(), utc("2026-11-20T20:43"), BERLIN)
    assert short.drains_at == short.opens_at, "it drains at once; it never drains before it opens"


def test_a_trigger_just_before_a_window_opens_nothing_that_would_keep_that_window_shut() -> None:
    found = which_night(plan(), utc("2026-11-20T20:50"), utc("2026-11-20T20:50"), BERLIN)
    assert found.night is None
    assert "21:00:00 UTC" in found.why


@pytest.mark.parametrize(("closes", "length"), [("22:00", 23.75), ("21:50", 23.75), ("21:45", 23.75), ("21:30", 23.5)])
def test_a_window_as_long_as_a_day_leaves_time_to_close_before_the_next_one(closes: str, length: float) -> None:
    """A start of the Schedule that finds the night before it still closing is skipped, and that night is lost."""
    made = plan("22:00", closes)
    night = night_of(made, date(2026, 11, 20), BERLIN)
    assert night
    assert night.closes_at - night.opens_at == length * HOUR
    assert night.closes_at + CLOSING_TIME <= next_nights(made, night.opens_at, 1, BERLIN)[0].opens_at


def test_a_late_start_by_the_schedule_is_for_the_night_that_it_was_meant_for() -> None:
    meant = utc("2026-11-20T21:00")
    found = which_night(plan(), meant + timedelta(minutes=9), meant, BERLIN)
    assert found.night
    assert found.night.id == "nightly|2026-11-20"
    over = which_night(plan(), utc("2026-11-21T05:00"), meant, BERLIN)
    assert (over.night, over.why) == (None, "the window of 2026-11-20 was over at 05:00:00 UTC")


def test_a_trigger_is_for_the_window_it_falls_in_else_for_a_night_of_its_own() -> None:
    inside, outside = utc("2026-11-20T23:00:01"), utc("2026-11-20T12:00:01")
    for scheduled_at in (None, inside):
        found = which_night(plan(), inside, scheduled_at, BERLIN).night
        assert found
        assert found.id == "nightly|2026-11-20"
    for scheduled_at in (None, outside):
        found = which_night(plan(), outside, scheduled_at, BERLIN).night
        assert found
        assert found.id == "nightly|2026-11-20#12:00:01"


def test_the_second_half_past_two_of_an_autumn_night_opens_nothing() -> None:
    early = plan("02:30", "02:45")
    first = which_night(early, utc("2026-10-25T00:30:03"), utc("2026-10-25T00:30:01"), BERLIN)
    assert first.night
    assert first.night.id == "nightly|2026-10-25"
    second = which_night(early, utc("2026-10-25T01:30"), utc("2026-10-25T01:30"), BERLIN)
    assert second.night is None
    assert "for the second time" in second.why


def test_a_plan_without_nights_has_none() -> None:
    assert next_nights(plan(weekdays=()), utc("2026-12-22T12:00"), 3, BERLIN) == ()
    assert night_by_hand(plan(weekdays=()), utc("2026-12-22T12:00"), BERLIN).closes_at == utc("2026-12-22T20:00")


WALL = st.builds(time, st.integers(0, 23), st.integers(0, 59))
DAYS = st.dates(date(2020, 1, 1), date(2045, 12, 31))
PLANS = st.builds(
    lambda opens, closes, zone, weekdays, holidays, drain: plan(
        opens, closes, zone, weekdays=tuple(weekdays), holidays=tuple(holidays), drain_seconds=drain
    ),
    WALL,
    WALL,
    st.sampled_from(ZONES),
    st.lists(st.sampled_from(Weekday), min_size=1, unique=True),
    st.lists(DAYS, max_size=3),
    st.sampled_from((0, 60, 300)),
)


@given(PLANS, DAYS)
def test_windows_never_overlap_and_every_working_day_has_one_of_about_its_length(made: ShiftPlan, day: date) -> None:
    zone = ZoneInfo(made.zone)
    usual = datetime.combine(date(2020, 1, 1), made.closes) - datetime.combine(date(2020, 1, 1), made.opens)
    usual += timedelta(days=usual <= timedelta(0))
    before = None
    for number in range(8):
        at = day + timedelta(days=number)
        night = night_of(made, at, zone)
        works = list(Weekday)[at.weekday()] in made.weekdays and at not in made.holidays
        assert (night is not None) == works
        if night is None:
            continue
        assert night.opens_at <= night.drains_at <= night.closes_at
        assert night.opens_at < night.closes_at
        assert abs(night.closes_at - night.opens_at - usual) <= 2 * HOUR
        assert before is None or before.closes_at + CLOSING_TIME <= night.opens_at
        assert night_at(made, night.opens_at, zone) == night
        assert which_night(made, night.opens_at, night.opens_at, zone).night == night
        before = night


@given(PLANS, st.datetimes(datetime(2020, 1, 1), datetime(2045, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_a_night_by_hand_begins_now_and_is_over_when_the_next_window_opens(made: ShiftPlan, now: datetime) -> None:
    zone = ZoneInfo(made.zone)
    night = night_by_hand(made, now, zone)
    upcoming = next_nights(made, now, 3, zone)
    assert len(upcoming) == 3
    assert night.opens_at == now
    assert night.opens_at <= night.drains_at <= night.closes_at
    assert night.closes_at == now or night.closes_at + CLOSING_TIME <= upcoming[0].opens_at
    assert [n.opens_at for n in upcoming] == sorted({n.opens_at for n in upcoming})
