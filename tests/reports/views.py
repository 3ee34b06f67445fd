"""Made-up jobs for the tests of reports."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from thirdshift.core.history import AttemptEnd, ReasonCode, StopReason
from thirdshift.core.ladder import Tier
from thirdshift.core.ledger import JobRow
from thirdshift.core.views import (
    AttemptView,
    CallCounts,
    CheckView,
    CostLine,
    JobState,
    JobSummary,
    JobView,
    Spend,
    Tokens,
    VerdictView,
)

BEGAN = datetime(2026, 3, 1, 22, 30, tzinfo=UTC)
USD = 1_000_000_000


def verdict(number: int, **states: str) -> VerdictView:
    checks = tuple(CheckView(id=name, state=state) for name, state in states.items())
    return VerdictView(
        id=number, tree=f"{number}" * 40, passed=all(check.state == "passed" for check in checks), checks=checks
    )


def attempt(number: int, **fields: Any) -> AttemptView:
    values: dict[str, Any] = {
        "owner_id": "loop-1",
        "number": number,
        "role": "code",
        "tier": Tier.ECONOMY,
        "model": "local/sparrow",
        "effort": None,
        "reason": ReasonCode.FIRST,
        "end": AttemptEnd.FINISHED,
        "evidence": "",
        "verdict": None,
        "steps": 7,
        "calls": CallCounts(settled=7),
        "spend": Spend(settled_nano=4_100_000),
        "tokens": Tokens(input=61_234, cached=50_000, output=2_345),
        "seconds": 12.0,
        "opened_at": BEGAN,
        "closed_at": BEGAN,
    }
    return AttemptView(**{**values, **fields})


def climb() -> tuple[AttemptView, ...]:
    """A plan, two failures on the cheap rung, one success above it."""
    plan = attempt(0, owner_id="job-billing-round-4be2", role="plan", steps=1, calls=CallCounts(settled=1), end=None)
    first = attempt(1, verdict=verdict(1, lint="passed", unit="failed", cents="not_run"))
    second = attempt(
        2,
        reason=ReasonCode.RETRY_WITH_EVIDENCE,
        verdict=verdict(2, lint="passed", unit="failed", cents="failed"),
        calls=CallCounts(settled=6, unknown=1),
        spend=Spend(settled_nano=4_000_000, unknown_nano=900_000),
        evidence="the stream was cut once",
    )
    third = attempt(
        3,
        tier=Tier.SPECIALIST,
        model="vendor/heron",
        effort="high",
        reason=ReasonCode.VERIFICATION_FAILED,
        verdict=verdict(3, lint="passed", unit="passed", cents="passed"),
        spend=Spend(settled_nano=41_200_000),
    )
    return plan, first, second, third


def job(attempts: tuple[AttemptView, ...] = (), **fields: Any) -> JobView:
    row = JobRow(
        job_id="job-billing-round-4be2",
        spec_id="s",
        spec_path="specs/round.md",
        title="Round invoice totals half up",
        task="bugfix",
        risk="low",
        repository="/srv/my invoices",
        base_commit="abcdef0123456789",
        base_tree="t",
        budget_nano=USD,
        submitter="ada",
        submitted_at=BEGAN,
    )
    judged = [found.verdict for found in attempts if found.verdict is not None]
    values: dict[str, Any] = {
        "job": row,
        "state": JobState.ACCEPTED,
        "budget_nano": 3 * USD // 2,
        "spend": sum((found.spend for found in attempts), Spend()),
        "tokens": sum((found.tokens for found in attempts), Tokens()),
        "calls": sum((found.calls for found in attempts), CallCounts()),
        "attempts": attempts,
        "baseline": None,
        "best": judged[-1] if judged else None,
        "plan": "{}",
        "stop_reason": StopReason.ACCEPTED,
        "evidence": "every check passed",
        "branch": "thirdshift/job-billing-round-4be2",
        "commit": "c" * 40,
        "tree": "3" * 40,
        "remedy": "",
        "ended_at": BEGAN + timedelta(seconds=185),
    }
    return JobView(**{**values, **fields})


def summary(job_id: str = "job-1", **fields: Any) -> JobSummary:
    values: dict[str, Any] = {
        "job_id": job_id,
        "title": "Round half up",
        "task": "bugfix",
        "risk": "low",
        "repository": "/srv/invoices",
        "state": JobState.ACCEPTED,
        "stop_reason": StopReason.ACCEPTED,
        "attempts": 3,
        "spend": Spend(settled_nano=50_000_000),
        "budget_nano": USD,
        "submitted_at": BEGAN,
        "ended_at": BEGAN,
    }
    return JobSummary(**{**values, **fields})


def line(**fields: Any) -> CostLine:
    values: dict[str, Any] = {
        "job_id": "",
        "owner_id": "",
        "attempt": None,
        "role": "code",
        "tier": Tier.ECONOMY,
        "model": "local/sparrow",
        "calls": CallCounts(settled=10),
        "spend": Spend(settled_nano=50_000_000),
        "tokens": Tokens(input=100_000, cached=80_000, output=3_000),
        "seconds": 30.0,
    }
    return CostLine(**{**values, **fields})
