from datetime import date, datetime

from dateutil.rrule import YEARLY, rrule, weekday
from hypothesis import given, settings
from hypothesis import strategies as st

from thirdshift.core.yearly import OnWeekday, Yearly, occurrences

FIRST, LAST = date(2026, 1, 1), date(2031, 12, 31)


def test_a_date_comes_back_each_year_and_the_29th_of_february_in_leap_years() -> None:
    assert [day.year for day in occurrences(Yearly(start=date(2001, 12, 25)), FIRST, LAST)] == list(range(2026, 2032))
    assert occurrences(Yearly(start=date(2024, 2, 29)), FIRST, LAST) == (date(2028, 2, 29),)


def test_the_fourth_thursday_of_november_and_the_last_monday_of_may_are_found() -> None:
    thursday = Yearly(start=date(2000, 11, 23), months=(11,), weekdays=(OnWeekday(weekday=3, nth=4),))
    assert occurrences(thursday, FIRST, date(2027, 12, 31)) == (date(2026, 11, 26), date(2027, 11, 25))
    monday = Yearly(start=date(2000, 5, 29), months=(5,), weekdays=(OnWeekday(weekday=0, nth=-1),))
    assert occurrences(monday, FIRST, date(2027, 12, 31)) == (date(2026, 5, 25), date(2027, 5, 31))


def test_a_rule_that_no_date_matches_ends() -> None:
    assert occurrences(Yearly(start=date(2000, 1, 1), months=(2,), month_days=(31,)), FIRST, LAST) == ()


@settings(max_examples=60)
@given(
    start=st.dates(date(1990, 1, 1), date(2030, 1, 1)),
    interval=st.integers(1, 4),
    months=st.lists(st.integers(1, 12), max_size=2, unique=True),
    month_days=st.lists(st.sampled_from((1, 2, 13, 28, -1, -5)), max_size=2, unique=True),
    weekdays=st.lists(st.tuples(st.integers(0, 6), st.sampled_from((0, 1, 2, 4, -1, -2))), max_size=2, unique=True),
    until=st.none() | st.dates(date(2020, 1, 1), date(2035, 1, 1)),
    count=st.none() | st.integers(1, 40),
)
def test_the_dates_are_those_of_a_general_expansion(
    start: date,
    interval: int,
    months: list[int],
    month_days: list[int],
    weekdays: list[tuple[int, int]],
    until: date | None,
    count: int | None,
) -> None:
    if month_days or any(nth == 0 for _, nth in weekdays):
        # Ordinals beside days of the month, or beside every such weekday: implementations differ.
        weekdays = [(number, 0) for number, _ in weekdays]
    at = datetime(start.year, start.month, start.day)  # noqa: DTZ001 - dates have no zone
    theirs = rrule(
        YEARLY,
        dtstart=at,
        interval=interval,
        bymonth=months or None,
        bymonthday=month_days or None,
        byweekday=[weekday(number, nth or None) for number, nth in weekdays] or None,
    )
    begun = [day.date() for day in theirs.between(at, datetime(2032, 1, 1), inc=True)]  # noqa: DTZ001 - as above
    if start not in begun:
        begun.insert(0, start)  # RFC 5545 counts it; the library leaves it out
    wanted = begun[:count] if count else begun
    wanted = [day for day in wanted if FIRST <= day <= LAST and (until is None or day <= until)]
    rule = Yearly(
        start=start,
        interval=interval,
        months=tuple(months),
        month_days=tuple(month_days),
        weekdays=tuple(OnWeekday(weekday=number, nth=nth) for number, nth in set(weekdays)),
        until=until,
        count=count,
    )
    assert list(occurrences(rule, FIRST, LAST)) == wanted
