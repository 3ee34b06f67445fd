from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from thirdshift.core.periods import Period, day_start, parse_moment, week_name, week_of

BERLIN, KATHMANDU = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Kathmandu")
NOW = datetime(2026, 3, 10, 23, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "end", "moment"),
    [
        ("2026-03-01", False, datetime(2026, 2, 28, 23, tzinfo=UTC)),
        ("2026-03-01", True, datetime(2026, 3, 1, 23, tzinfo=UTC)),
        ("today", False, datetime(2026, 3, 10, 23, tzinfo=UTC)),
        ("Yesterday", True, datetime(2026, 3, 10, 23, tzinfo=UTC)),
        ("2026-03-01T22:30", False, datetime(2026, 3, 1, 21, 30, tzinfo=UTC)),
        ("2026-03-01T22:30Z", True, datetime(2026, 3, 1, 22, 30, tzinfo=UTC)),
        ("36h", False, NOW - timedelta(hours=36)),
        ("7d", False, NOW - timedelta(days=7)),
        ("2w", False, NOW - timedelta(days=14)),
    ],
)
def test_a_day_is_one_of_the_zone_and_until_a_day_includes_it(text: str, end: bool, moment: datetime) -> None:
    assert parse_moment(text, NOW, BERLIN, end=end) == moment


@pytest.mark.parametrize("text", ["", "soon", "2026-13-01", "0001-01-01", "7", "7y"])
def test_what_is_no_time_is_refused_with_examples(text: str) -> None:
    with pytest.raises(ValueError, match="write a day"):
        parse_moment(text, NOW, BERLIN)


def test_a_period_has_its_beginning_and_not_its_end() -> None:
    begin, end = day_start(date(2026, 3, 1), BERLIN), day_start(date(2026, 3, 2), BERLIN)
    period = Period(begin, end, BERLIN)
    assert [period.has(moment) for moment in (begin, end, end - timedelta(microseconds=1), None)] == [
        True,
        False,
        True,
        False,
    ]
    assert period.words == "from 2026-03-01 to 2026-03-02 (not included), Europe/Berlin"
    assert Period().words == "from the beginning to now, UTC"


def test_an_hour_is_cut_by_a_border_or_by_a_midnight_inside_it() -> None:
    hour = int(datetime(2026, 3, 1, 18, tzinfo=UTC).timestamp()) // 3600
    assert not Period(zone=BERLIN).cuts_hour(hour)
    assert Period(zone=KATHMANDU).cuts_hour(hour)  # midnight there is 18:15 in UTC
    assert Period(since=datetime(2026, 3, 1, 18, 20, tzinfo=UTC)).cuts_hour(hour)
    assert not Period(since=datetime(2026, 3, 1, 18, tzinfo=UTC)).cuts_hour(hour)
    assert not Period(until=datetime(2026, 3, 1, 19, tzinfo=UTC)).cuts_hour(hour)


def test_weeks_begin_on_monday_and_are_named_after_iso() -> None:
    assert week_of(date(2026, 3, 1)) == date(2026, 2, 23)
    assert week_name(date(2026, 2, 23)) == "2026-W09 (Feb 23)"


def test_a_day_that_a_clock_change_shortens_is_an_hour_shorter() -> None:
    assert day_start(date(2026, 3, 30), BERLIN) - day_start(date(2026, 3, 29), BERLIN) == timedelta(hours=23)
