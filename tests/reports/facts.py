"""Made-up facts for the tests of questions and their reports: few rows, round numbers."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from thirdshift.core.outcomes import OutcomeState
from thirdshift.core.periods import Period
from thirdshift.core.questions import AttemptFact, Facts, JobFact, Line, Review
from thirdshift.core.reckoning import Answers, reckon

USD = 1_000_000_000
BEGAN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


def job(job_id: str = "job-1", **fields: Any) -> JobFact:
    values: dict[str, Any] = {
        "job_id": job_id,
        "title": f"Work of {job_id}",
        "spec_path": "specs/round.md",
        "task": "bugfix",
        "risk": "low",
        "repository": "/srv/invoices",
        "submitter": "ada",
        "submitted_at": BEGAN,
        "stop_reason": "accepted",
        "evidence": "",
        "closed_at": BEGAN + timedelta(minutes=5),
        "budget_nano": 10 * USD,
        "charged_nano": 3 * USD,
        "outcome": None,
        "edited": False,
        "review": None,
    }
    return JobFact(**{**values, **fields})


def attempt(attempt_id: int, number: int = 1, job_id: str = "job-1", **fields: Any) -> AttemptFact:
    values: dict[str, Any] = {
        "attempt_id": attempt_id,
        "owner_id": f"loop-{job_id}",
        "number": number,
        "job_id": job_id,
        "role": "code",
        "model": "local/sparrow",
        "tier": "economy",
        "reason": "first",
        "start_tree": "base",
        "tree": f"tree-{attempt_id}",
        "end": "finished",
        "closed_at": BEGAN + timedelta(minutes=number),
        "tool_calls": 4,
        "tool_milliseconds": 500,
    }
    return AttemptFact(**{**values, **fields})


def line(attempt_id: int, job_id: str = "job-1", **fields: Any) -> Line:
    values: dict[str, Any] = {
        "attempt_id": attempt_id,
        "job_id": job_id,
        "role": "code",
        "model": "local/sparrow",
        "tier": "economy",
        "reason": "first",
        "day": date(2026, 3, 2),
        "calls": 10,
        "metered": USD,
        "imputed": 0,
        "unknown": 0,
        "held": 0,
        "input_tokens": 90_000,
        "cached_tokens": 60_000,
        "output_tokens": 2_000,
        "reasoning_tokens": 0,
        "milliseconds": 20_000,
    }
    return Line(**{**values, **fields})


HERON = {"model": "acme/heron", "tier": "specialist", "reason": "verification_failed"}
EAGLE = {"model": "acme/eagle", "tier": "frontier", "reason": "verification_failed"}


def facts() -> Facts:
    """Four jobs: accepted after a climb, reverted, stopped by its budget, and one that a subscription paid for."""
    jobs = (
        job("job-1", review=Review("approve", "merge", "grace"), outcome=OutcomeState.ACCEPTED, edited=True),
        job("job-2", task="feature", outcome=OutcomeState.REVERTED, risk="high", repository="/srv/shop"),
        job("job-3", stop_reason="budget", evidence="no room for $0.10", submitted_at=BEGAN + timedelta(days=7),
            closed_at=BEGAN + timedelta(days=7, hours=1), budget_nano=2 * USD, charged_nano=2 * USD),
        job("job-4", submitter="linus", charged_nano=0),
    )  # fmt: skip
    attempts = (
        attempt(1, 1, end="repeating"),
        attempt(2, 2, start_tree="tree-1", **HERON),
        attempt(3, 1, "job-2", **EAGLE),
        attempt(4, 1, "job-3"),
        attempt(5, 1, "job-4"),
    )
    lines = (
        line(1),
        line(2, metered=2 * USD, unknown=USD // 2, **HERON),
        line(3, "job-2", metered=4 * USD, **EAGLE),
        line(4, "job-3", metered=2 * USD, day=date(2026, 3, 9)),
        line(5, "job-4", metered=0, imputed=3 * USD),
    )
    return Facts(jobs=jobs, attempts=attempts, lines=lines)


def answers(found: Facts | None = None, period: Period | None = None) -> Answers:
    return reckon(facts() if found is None else found, period or Period())
