from __future__ import annotations

import pytest

from bench.rig.suite_control import counted


@pytest.mark.parametrize(
    ("output", "found"),
    [
        ("140 passed, 5 skipped, 152 subtests passed in 1.06s", (140, 0)),
        ("3 failed, 139 passed, 5 skipped, 150 subtests passed in 1.80s", (139, 3)),
        ("=========== 908 passed in 15.02s ===========", (908, 0)),
        ("1 failed in 0.01s", (0, 1)),
        ("5 passed in 0.1s\nLegend:\n  Outliers: 1 Standard Deviation", (5, 0)),
        ("no tests ran in 0.01s", (0, 0)),
        ("", (0, 0)),
    ],
)
def test_tests_are_counted_and_subtests_are_not(output: str, found: tuple[int, int]) -> None:
    assert counted(output) == found
