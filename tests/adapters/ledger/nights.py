"""Nights, lines and events for the tests of the ledger."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from thirdshift.core.event_book import Decided, Decision, Event
from thirdshift.core.night_book import NightLine, NightRow
from thirdshift.core.nights import Night

EVENING = datetime(2026, 3, 1, 21, 0, tzinfo=UTC)


def night(day: int = 0, shift: str = "nightly", **fields: Any) -> Night:
    """The night so many days after the first."""
    opens = EVENING + timedelta(days=day)
    values: dict[str, Any] = {
        "id": f"{shift}|{opens.date()}",
        "shift": shift,
        "day": date(2026, 3, 1) + timedelta(days=day),
        "opens_at": opens,
        "drains_at": opens + timedelta(hours=7, minutes=55),
        "closes_at": opens + timedelta(hours=8),
    }
    return Night(**{**values, **fields})


def night_row(day: int = 0, shift: str = "nightly", **fields: Any) -> NightRow:
    one = night(day, shift)
    values: dict[str, Any] = {
        "night": one,
        "workflow_id": f"shift-{shift}-{one.day}",
        "budget_nano": 40_000_000_000,
        "concurrency": 4,
        "deliver": "branch",
        "zone": "Europe/Berlin",
        "opened_at": one.opens_at,
    }
    return NightRow(**{**values, **fields})


def line(key: str, day: int = 0, **fields: Any) -> NightLine:
    one = night(day)
    values = {"night": one.id, "key": key, "spec_path": key, "first_seen_at": one.opens_at, "at": one.opens_at}
    return NightLine(**{**values, **fields})


def event(delivery: str = "d-1", **fields: Any) -> Event:
    values: dict[str, Any] = {
        "source": "github",
        "delivery": delivery,
        "kind": "workflow_run.failed",
        "repository": "acme/shop",
        "fingerprint": "ci/main/unit",
        "title": "unit fails on main",
        "text": "AssertionError: 1 == 2",
        "facts": {"branch": "main", "workflow": "unit"},
        "received_at": EVENING,
    }
    return Event(**{**values, **fields})


def decision(what: Decided = Decided.DUPLICATE, **fields: Any) -> Decision:
    values: dict[str, Any] = {"what": what, "why": "event 1 stands for it", "rule": "ci", "at": EVENING}
    return Decision(**{**values, **fields})
