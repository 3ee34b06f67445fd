from datetime import date
from pathlib import Path

import pytest

from thirdshift.adapters.holidays import read_holidays
from thirdshift.core.errors import BadInput

CALENDAR = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//test//EN
{events}
END:VCALENDAR
"""


def calendar(tmp_path: Path, *events: str) -> Path:
    path = tmp_path / "holidays.ics"
    framed = [f"BEGIN:VEVENT\nUID:{number}\n{event}\nEND:VEVENT" for number, event in enumerate(events)]
    path.write_text(CALENDAR.format(events="\n".join(framed)).replace("\n", "\r\n"))
    return path


def dates(tmp_path: Path, *events: str) -> list[str]:
    return [day.isoformat() for day in read_holidays(calendar(tmp_path, *events), 2026).dates]


def test_all_day_events_are_holidays_each_day_of_a_long_one_and_events_with_hours_are_not(tmp_path: Path) -> None:
    path = calendar(
        tmp_path,
        "SUMMARY:Labour Day\nDTSTART;VALUE=DATE:20260501",
        "SUMMARY:Closed\nDTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:20261227",
        "SUMMARY:Exported whole day\nDTSTART:20261231T000000\nDTEND:20270101T000000",
        "SUMMARY:Meeting\nDTSTART:20260610T090000Z\nDTEND:20260610T100000Z",
        "SUMMARY:Off\nSTATUS:CANCELLED\nDTSTART;VALUE=DATE:20260611",
        "SUMMARY:Long ago\nDTSTART;VALUE=DATE:20191003",
    )
    found = read_holidays(path, 2026)
    days = [day.isoformat() for day in found.dates]
    assert days == ["2026-05-01", "2026-12-24", "2026-12-25", "2026-12-26", "2026-12-31"]
    assert found.timed == 1


def test_yearly_events_come_back_for_this_year_and_five_more_but_for_their_exceptions(tmp_path: Path) -> None:
    found = dates(
        tmp_path,
        "SUMMARY:Unity\nDTSTART;VALUE=DATE:19901003\nRRULE:FREQ=YEARLY\nEXDATE;VALUE=DATE:20281003",
        "SUMMARY:Thanks\nDTSTART;VALUE=DATE:20201126\nRRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH;UNTIL=20271231",
    )
    assert found == ["2026-10-03", "2026-11-26", "2027-10-03", "2027-11-25", "2029-10-03", "2030-10-03", "2031-10-03"]


def test_an_occurrence_that_was_moved_is_on_its_new_day_only(tmp_path: Path) -> None:
    moved = "UID:same\nRECURRENCE-ID;VALUE=DATE:20270601\nDTSTART;VALUE=DATE:20270607"
    rule = "UID:same\nDTSTART;VALUE=DATE:20260601\nRRULE:FREQ=YEARLY;COUNT=2"
    path = tmp_path / "moved.ics"
    events = "\n".join(f"BEGIN:VEVENT\n{event}\nEND:VEVENT" for event in (rule, moved))
    path.write_text(CALENDAR.format(events=events))
    assert read_holidays(path, 2026).dates == (date(2026, 6, 1), date(2027, 6, 7))


@pytest.mark.parametrize(
    ("event", "told"),
    [
        ("SUMMARY:Sundays\nDTSTART;VALUE=DATE:20260104\nRRULE:FREQ=WEEKLY", "`Sundays`: recurs by FREQ=WEEKLY"),
        ("SUMMARY:x\nDTSTART;VALUE=DATE:20260104\nRRULE:FREQ=YEARLY;BYWEEKNO=20", "recurs by BYWEEKNO"),
        ("SUMMARY:x\nDTSTART;VALUE=DATE:20260104\nRRULE:FREQ=YEARLY;COUNT=99999999", "COUNT at most 1000"),
        ("SUMMARY:x\nDTSTART;VALUE=DATE:20260101\nDTEND;VALUE=DATE:20360101", "lasts 3652 days; at most 366"),
        ("SUMMARY:x\nDTSTART;VALUE=DATE:20269999", "event `x`"),
        ("SUMMARY:x", "event `x`"),
    ],
)
def test_what_is_no_holiday_calendar_is_refused_with_the_event_s_name(tmp_path: Path, event: str, told: str) -> None:
    with pytest.raises(BadInput) as refused:
        dates(tmp_path, event)
    assert told in str(refused.value)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"not a calendar", "no iCalendar file"),
        (b"", "no iCalendar file"),
        (b"\xff\xfe\x00", "no iCalendar file"),
        (b"BEGIN:VCALENDAR\r\n" * 3, "no iCalendar file"),
        (b"x" * (1 << 20) + b"y", "larger than 1 MiB"),
        (CALENDAR.format(events="BEGIN:VEVENT\nEND:VEVENT\n" * 2001).encode(), "has 2001 events; at most 2000"),
    ],
)
def test_a_file_that_is_no_calendar_or_too_much_of_one_is_refused(tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "holidays.ics"
    path.write_bytes(content)
    with pytest.raises(BadInput) as refused:
        read_holidays(path, 2026)
    assert told in str(refused.value)


def test_what_is_told_of_a_file_that_is_no_calendar_is_one_line_that_no_terminal_acts_on(tmp_path: Path) -> None:
    path = tmp_path / "holidays.ics"
    path.write_bytes(b"\x1b[2Jx\x07" * 400)
    with pytest.raises(BadInput) as refused:
        read_holidays(path, 2026)
    assert str(refused.value).isprintable()
