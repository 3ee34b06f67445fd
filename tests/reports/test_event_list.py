from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from rich.cells import cell_len

from thirdshift.core.event_book import Decided, Decision, Event, EventRecord
from thirdshift.reports.event_list import age, render_event, render_events

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
JOB = "job-shop-ci-12-0a1b2c3d"


def record(decision: Decision | None = None, **changed: object) -> EventRecord:
    told = {
        "source": "github",
        "delivery": "d-1",
        "kind": "workflow_run.failed",
        "repository": "acme/shop",
        "fingerprint": "f",
        "title": "unit fails\x1b[2J on \u202emain",
        "text": "first\n\x1b]0;title\x07second",
        "facts": {"branch": "main", "u\x1brl": "https://x.example"},
        "received_at": NOW - timedelta(minutes=3),
    }
    return EventRecord(number=12, event=Event.model_validate(told | changed), decision=decision)


def decided(what: Decided, why: str = "Because.", **changed: str) -> Decision:
    return Decision(what=what, why=why, at=NOW, **changed)


def inert(text: str) -> bool:
    return not {"\x1b", "\x07", "\u202e"} & set(text)


@pytest.mark.parametrize(
    ("decision", "shown"),
    [
        (None, "waits"),
        (decided(Decided.JOB, rule="ci", job_id=JOB), JOB),
        (decided(Decided.SHIFT, rule="ci", shift="nightly"), "shift nightly"),
        (decided(Decided.REFUSED, "t.md:3: unknown field\nand more", rule="ci"), "t.md:3: unknown field"),
    ],
)
def test_each_event_has_its_decision_and_what_came_of_it(decision: Decision | None, shown: str) -> None:
    text = render_events([record(decision)], NOW)
    assert shown in text
    assert "3m" in text
    assert inert(text)
    assert all(cell_len(line) <= 80 for line in text.splitlines())


def test_no_events_are_said_to_be_none() -> None:
    assert render_events([], NOW) == "no events"


def test_the_whole_of_an_event_is_shown_and_none_of_it_acts_on_a_terminal() -> None:
    text = render_event(record(decided(Decided.JOB, rule="ci", job_id=JOB)), NOW)
    for told in ("acme/shop", "branch: main", "  | first", "<U+001B>]0;title<U+0007>second", JOB, "job, 2026-03-01"):
        assert told in text
    assert inert(text)


def test_a_text_cannot_pass_for_a_line_of_ours() -> None:
    text = render_event(record(text="x\ndecided   job, long ago"), NOW)
    assert "not yet" in text
    assert "\n  | decided   job" in text


@pytest.mark.parametrize(("seconds", "shown"), [(-5, "0s"), (59, "59s"), (60, "1m"), (7200, "2h"), (200_000, "2d")])
def test_an_age_is_in_its_largest_whole_unit(seconds: int, shown: str) -> None:
    assert age(NOW - timedelta(seconds=seconds), NOW) == shown
