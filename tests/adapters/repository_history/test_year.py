"""A scripted year, told and found again through the books, the hub and git."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.outcomes_year import measure


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_of_a_scripted_year_the_outcomes_are_found_and_none_but_the_known_mistake_is_made(tmp_path: Path) -> None:
    figures, _, mistakes = measure(tmp_path, rounds=1)
    assert figures["precision"] >= 0.95
    assert figures["recall"] >= 0.95
    assert {line.partition(")")[0].partition("(")[2] for line in mistakes} == {"half redone by hand"}
