from __future__ import annotations

import asyncio
import json
import stat
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.testing import ActivityEnvironment

from activities.mornings import MorningActivities
from tests.reports.night_facts import CLOSES, NIGHT, TOLD, busy, morning, record
from thirdshift.core.mornings import Morning
from thirdshift.core.notices import Notice, NoticeNotSent
from thirdshift.night_signatures import CloseNight

CLOSED = CloseNight(night_id=NIGHT, how="closed", why="its window ended")


@dataclass
class PlayedNotifier:
    """Implements ``core.notices.Notifier``."""

    sent: list[Notice] = field(default_factory=list)
    fails: Exception | None = None

    def send(self, notice: Notice, to: Sequence[str]) -> None:
        assert not to, "a night is told to whoever hears of everything"
        if self.fails:
            raise self.fails
        self.sent.append(notice)


def tell(directory: Path, notifier: PlayedNotifier | None, told: Morning | None = None) -> None:
    shown = told or morning()

    def of(night_id: str, _: object) -> Morning:
        assert night_id == NIGHT
        return shown

    activities = MorningActivities(of, lambda: TOLD, notifier, str(directory))
    asyncio.run(ActivityEnvironment().run(activities.tell_morning, CLOSED))


def document(directory: Path) -> dict[str, object]:
    found = json.loads((directory / "nightly-2026-11-21.json").read_text())
    assert isinstance(found, dict)
    return found


def test_the_report_is_written_for_its_owner_alone_and_sent(tmp_path: Path) -> None:
    notifier, directory = PlayedNotifier(), tmp_path / "mornings"
    tell(directory, notifier)
    page = directory / "nightly-2026-11-21.html"
    assert {file.name for file in directory.iterdir()} == {"nightly-2026-11-21.html", "nightly-2026-11-21.json"}
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in directory.iterdir())
    assert page.read_text().startswith("<!doctype html>")
    assert document(directory)["notice"] == "sent"
    (notice,) = notifier.sent
    assert str(page) in notice.body
    assert "thirdshift decide w-1" in notice.body


@pytest.mark.parametrize("fails", [NoticeNotSent("everybody was missed"), RuntimeError("the plugin broke")])
def test_a_notifier_that_fails_is_noted_and_holds_nothing_up(tmp_path: Path, fails: Exception) -> None:
    tell(tmp_path, PlayedNotifier(fails=fails))
    said = document(tmp_path)["notice"]
    assert isinstance(said, str)
    assert said.startswith("not sent: ")
    assert "plugin broke" not in said, "what a service says may hold its address"


def test_a_retry_sends_no_second_notice_and_mends_one_that_was_not_sent(tmp_path: Path) -> None:
    notifier = PlayedNotifier(fails=NoticeNotSent("down"))
    tell(tmp_path, notifier)
    notifier.fails = None
    tell(tmp_path, notifier)
    tell(tmp_path, notifier)
    assert len(notifier.sent) == 1
    assert document(tmp_path)["notice"] == "sent"


def test_a_night_that_was_opened_again_is_told_again(tmp_path: Path) -> None:
    notifier = PlayedNotifier()
    early = record("stopped", "a person", closed_at=CLOSES - timedelta(hours=4))
    tell(tmp_path, notifier, morning(replace(busy(), record=early)))
    tell(tmp_path, notifier)
    assert len(notifier.sent) == 2
    assert "A PERSON STOPPED THIS NIGHT" in notifier.sent[0].body


def test_without_a_notifier_the_report_is_written(tmp_path: Path) -> None:
    tell(tmp_path, None)
    assert document(tmp_path)["notice"] is None


def test_a_place_that_cannot_be_written_keeps_nobody_from_being_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    notifier = PlayedNotifier()
    tell(tmp_path / "file" / "mornings", notifier)
    (notice,) = notifier.sent
    assert "Report:" not in notice.body


def test_a_night_by_hand_has_a_name_of_its_own(tmp_path: Path) -> None:
    by_hand = record(night={"id": "nightly|2026-11-21#14:03:00", "by_hand": True})
    tell(tmp_path, None, morning(replace(busy(), record=by_hand)))
    assert (tmp_path / "nightly-2026-11-21-140300.html").exists()
