"""A night and what could be worked on in it, for the tests of its policies."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from thirdshift.core.admission import AdmissionState, AtWork, Candidate
from thirdshift.core.nights import Night
from thirdshift.core.shifts import ShiftPlan

OPENS = datetime(2026, 3, 4, 21, 0, tzinfo=UTC)
USD = 1_000_000_000
HOUR = timedelta(hours=1)


def night(day: int = 0, hours: float = 8.0) -> Night:
    opens = OPENS + timedelta(days=day)
    return Night(
        id=f"nightly|{opens.date()}",
        shift="nightly",
        day=date(2026, 3, 4) + timedelta(days=day),
        opens_at=opens,
        drains_at=opens + timedelta(hours=hours),
        closes_at=opens + timedelta(hours=hours, minutes=5),
    )


def candidate(key: str, **fields: Any) -> Candidate:
    values: dict[str, Any] = {
        "key": key,
        "job_id": f"job-{key}",
        "spec_path": f"specs/{key}.md",
        "title": key,
        "first_seen_at": OPENS,
    }
    return Candidate(**{**values, **fields})


def at_work(key: str, since: datetime | None = None, **fields: Any) -> AtWork:
    return AtWork(candidate=candidate(key, **fields), since=since)


def state(**fields: Any) -> AdmissionState:
    values: dict[str, Any] = {"night": night(), "concurrency": 4, "limit_nano": 40 * USD}
    return AdmissionState(**{**values, **fields})


def plan(**fields: Any) -> ShiftPlan:
    values: dict[str, Any] = {
        "name": "nightly",
        "root": "/srv/specs",
        "specs": ("*.md",),
        "opens": "21:00",
        "closes": "05:00",
        "zone": "UTC",
        "budget_nano": 40 * USD,
        "submitter": "ada",
    }
    return ShiftPlan.model_validate({**values, **fields})
