from datetime import time

import pytest

from tests.core.test_nights import plan
from thirdshift.core.shift_words import changes, plan_words, span, weekday_words
from thirdshift.core.shifts import Weekday


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (tuple(Weekday), "daily"),
        ((Weekday.MON, Weekday.TUE, Weekday.WED, Weekday.THU, Weekday.FRI), "mon-fri"),
        ((Weekday.MON, Weekday.TUE, Weekday.SAT), "mon,tue,sat"),
        ((), "never"),
    ],
)
def test_weekdays_are_told_as_they_are_written(days: tuple[Weekday, ...], words: str) -> None:
    assert weekday_words(days) == words


def test_a_span_is_told_as_it_is_written() -> None:
    assert [span(0), span(90), span(5400), span(28800)] == ["0s", "1m30s", "1h30m", "8h"]


def test_changes_are_told_by_the_keys_of_a_file_and_the_maker_is_no_change() -> None:
    before = plan()
    after = before.model_copy(update={"opens": time(21, 0), "budget_nano": 2, "submitter": "bob"})
    assert changes(before, after) == ("window: 22:00-06:00 -> 21:00-06:00", "budget_usd: 0.000000001 -> 0.000000002")
    assert changes(before, before.model_copy(update={"submitter": "bob"})) == ()


def test_every_field_that_differs_is_told() -> None:
    before = plan()
    other = plan("01:00", "02:00", "UTC", root="/q", specs=("a",), weekdays=("mon",), holidays=("2027-01-01",))
    after = other.model_copy(
        update={
            "budget_nano": 2,
            "concurrency": 2,
            "jitter_seconds": 1,
            "catch_up_seconds": 60,
            "drain_seconds": 1,
            "repeat": True,
        }
    )
    keys = [line.partition(":")[0] for line in changes(before, after)]
    assert keys == [
        "root", "specs", "window", "tz", "weekdays", "holidays", "budget_usd", "concurrency", "jitter", "catch_up",
        "repeat", "drain",
    ]  # fmt: skip


def test_a_plan_without_jitter_says_nothing_of_chance() -> None:
    assert not any("chance" in line for line in plan_words(plan()))
    assert any("up to 2m late by chance" in line for line in plan_words(plan(jitter_seconds=120)))
