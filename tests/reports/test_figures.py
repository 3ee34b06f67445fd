from __future__ import annotations

import pytest

from thirdshift.reports.columns import wrapped
from thirdshift.reports.figures import count, duration, money, of_budget


@pytest.mark.parametrize(
    ("nano", "shown"),
    [
        (0, "$0.0000"),
        (1, "<$0.0001"),
        (99_999, "<$0.0001"),
        (100_000, "$0.0001"),
        (1_234_567_890, "$1.2346"),
        (12_345_000_000_000, "$12,345.0000"),
    ],
)
def test_money_is_shown_to_a_hundredth_of_a_cent(nano: int, shown: str) -> None:
    assert money(nano) == shown


def test_spend_is_shown_against_its_budget() -> None:
    assert of_budget(375_000_000, 1_500_000_000) == "$0.3750 of $1.50 (25%)"
    assert of_budget(0, 0) == "$0.0000 of $0.00"
    assert of_budget(1_000_000_000, None) == "$1.0000, no budget"
    assert of_budget(0, 1_234_500_000_000) == "$0.0000 of $1,234.50 (0%)"


@pytest.mark.parametrize(
    ("number", "shown"),
    [(950, "950"), (12_345, "12,345"), (1_250_000, "1.25M"), (3 * 10**9, "3.00G"), (10**12, "1.00T")],
)
def test_counts_stay_short(number: int, shown: str) -> None:
    assert count(number) == shown


@pytest.mark.parametrize(("seconds", "shown"), [(45.2, "45 s"), (185, "3 min 5 s"), (7800, "2 h 10 min")])
def test_durations_are_in_two_units_at_most(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown


def test_prose_is_wrapped_at_spaces_and_long_words_stay_whole() -> None:
    assert wrapped("aa bb " + "c" * 30 + " dd", width=10) == ["  aa bb", "  " + "c" * 30, "  dd"]
    assert wrapped("") == []
