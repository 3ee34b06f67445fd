from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree as ET
from zoneinfo import ZoneInfo

import pytest

from bench.rig.fortnight_books import Night
from bench.rig.fortnight_chart import draw
from bench.rig.fortnight_plan import (
    EVENT_SPECS,
    FULL,
    QUICK,
    ZONE,
    Play,
    Trouble,
    expected_nights,
    play_in,
    play_words,
    shift_plan,
    stories,
    trouble_in,
)
from thirdshift.core.nights import next_nights
from thirdshift.core.spec_text import parse_spec


@pytest.mark.parametrize("year", range(2026, 2036))
def test_the_nights_written_out_by_hand_are_those_that_the_zone_has(tmp_path: Path, year: int) -> None:
    expected = expected_nights(datetime(year, 5, 1, tzinfo=UTC))
    plan, zone = shift_plan(tmp_path), ZoneInfo(ZONE)
    assert len(expected) == 14
    for night in expected:
        (found,) = next_nights(plan, night.opens_at - timedelta(hours=12), 1, zone)
        assert (found.day, found.opens_at, found.closes_at) == (night.day, night.opens_at, night.closes_at)
    hours = {(night.closes_at - night.opens_at) // timedelta(hours=1) for night in expected}
    assert hours == {7, 8, 9}


def test_sixty_specs_come_in_and_only_those_that_shall_be_refused_cannot_be_read(tmp_path: Path) -> None:
    told = stories(tmp_path, FULL, nights=14)
    assert len(told) + EVENT_SPECS == 60
    assert len(stories(tmp_path, QUICK, nights=14)) + EVENT_SPECS == 20
    assert {story.night for story in told} == set(range(14))
    for story in told:
        assert play_in(story.text) == story.play
        if story.kind != "bad":
            assert play_in(parse_spec(story.text.encode(), f"{story.name}.md").body) == story.play


def test_a_play_and_the_trouble_are_read_as_they_were_written(tmp_path: Path) -> None:
    play = Play("frontier", 4, 11)
    assert play_in(f"Mend it. Play: {play_words(play)}\n") == play
    trouble = trouble_in(expected_nights(datetime(2026, 11, 22, tzinfo=UTC)))
    trouble.write(tmp_path / "trouble.json")
    assert Trouble.read(tmp_path / "trouble.json") == trouble


def test_the_chart_is_one_picture_with_a_mark_for_each_night() -> None:
    nights = [
        Night(f"{day} Mar", 7.0 if day == 27 else 8.0, 500_000_000, 3, 2, 1, 4, "closed", "") for day in range(24, 31)
    ]
    root = ET.fromstring(draw(nights))  # noqa: S314 - our own text
    text = " ".join(root.itertext())
    assert "27 Mar, 7h" in text
    assert text.count("accepted 2") == 7
