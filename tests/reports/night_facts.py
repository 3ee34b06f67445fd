"""A made-up night for the tests of the morning report: a little of everything, round numbers."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from tests.reports.facts import USD, attempt, job, line
from thirdshift.core.event_book import Decided
from thirdshift.core.gate_book import GateRecord
from thirdshift.core.morning_facts import EventsIn, FaultAt, NightCost, NightFacts, OpenGate, Purse, SpendAt, WorkedJob
from thirdshift.core.mornings import Morning, tell_night
from thirdshift.core.night_book import LineState, NightLine, NightRecord, NightRow
from thirdshift.core.nights import Night
from thirdshift.core.questions import Facts, Money
from thirdshift.core.spec import GateKind

OPENS = datetime(2026, 11, 21, 21, tzinfo=UTC)
CLOSES = OPENS + timedelta(hours=8)
TOLD = CLOSES + timedelta(minutes=1)
NIGHT = "nightly|2026-11-21"


def record(how: str = "closed", why: str = "", **fields: Any) -> NightRecord:
    """The night in the books; ``how`` empty: it goes on."""
    night = {
        "id": NIGHT,
        "shift": "nightly",
        "day": date(2026, 11, 21),
        "opens_at": OPENS,
        "drains_at": CLOSES - timedelta(minutes=5),
        "closes_at": CLOSES,
    }
    row = NightRow(
        night=Night.model_validate({**night, **fields.pop("night", {})}),
        workflow_id="shift-nightly-1",
        budget_nano=40 * USD,
        concurrency=4,
        deliver="branch",
        zone="Europe/Berlin",
        opened_at=OPENS,
    )
    values = {"row": row, "closed_at": CLOSES if how else None, "how": how, "why": why, **fields}
    return NightRecord.model_validate(values)


def worked(job_id: str, reason: str = "accepted", **fields: Any) -> WorkedJob:
    """A job of the night; ``reason`` empty: it has not ended."""
    own: dict[str, Any] = {"night": NIGHT, "parked_at": None, "whole": Money(2 * USD)}
    own |= {name: fields.pop(name) for name in WorkedJob._fields if name in fields}
    fields.setdefault("closed_at", OPENS + timedelta(hours=2) if reason else None)
    return WorkedJob(job(job_id, stop_reason=reason, submitted_at=OPENS, **fields), **own)


def listed(key: str, state: LineState = LineState.ADMITTED, why: str = "", **fields: Any) -> NightLine:
    """A line of the list."""
    values = {
        "night": NIGHT,
        "key": key,
        "job_id": key if state in (LineState.ADMITTED, LineState.PARKED) else "",
        "spec_path": f"specs/{key}.md",
        "title": f"Work of {key}",
        "state": state,
        "why": why,
        "first_seen_at": OPENS,
        "at": OPENS,
        **fields,
    }
    return NightLine.model_validate(values)


def asked(job_id: str, hours: float, *, tonight: bool = True, **fields: Any) -> OpenGate:
    """A gate that opened so many hours before the night's end."""
    values = {
        "job_id": job_id,
        "seq": 1,
        "owner_id": f"loop-{job_id}",
        "kind": GateKind.MERGE,
        "tree": "t" * 40,
        "reason": "risk high asks a person",
        "reviewers": ("ada",),
        "opened_at": CLOSES - timedelta(hours=hours),
        "end": None,
        "closed_at": None,
        **fields,
    }
    return OpenGate(GateRecord.model_validate(values), f"Work of {job_id}", 2 * USD, tonight)


def busy() -> NightFacts:
    """Two accepted, one at a gate, one parked, two stopped, one refused, two passed over, one done before."""
    jobs = (
        worked("a-1", branch="thirdshift/a-1", delivered="delivered on a branch"),
        worked("a-2", url="https://git.example.com/acme/shop/pulls/7", branch="thirdshift/a-2"),
        worked("w-1", ""),
        worked("p-1", "", parked_at=CLOSES - timedelta(minutes=5), whole=Money(5 * USD)),
        worked("s-1", "budget", evidence="job s-1: limit $3, settled $2.9", budget_nano=3 * USD),
        worked("s-2", "no_progress", evidence="5 attempts, no check newly passing"),
    )
    lines = (
        *(listed(one.job_id) for one in jobs[:3]),
        listed("p-1", LineState.PARKED, "the window was closing"),
        *(listed(one.job_id) for one in jobs[4:]),
        listed("new tax", LineState.REFUSED, "line 12: no check covers AC-2"),
        listed("o-1", LineState.PASSED_OVER, "its like take 52 minutes, and 31 were left"),
        listed("o-2", LineState.PASSED_OVER, "4 of 4 places were taken"),
        listed("d-1", LineState.DONE_BEFORE),
    )
    spent = [line(n, one.job_id, metered=2 * USD) for n, one in enumerate(jobs, start=1)]
    spent.append(line(1, "a-1", metered=0, imputed=USD, unknown=USD // 2))
    return NightFacts(
        record=record(),
        purse=Purse(40 * USD, 12 * USD, 0, USD // 2, USD),
        lines=lines,
        jobs=jobs,
        gates=(asked("old", 30, tonight=False, kind=GateKind.BUDGET, reviewers=()), asked("w-1", 3)),
        other_gates=2,
        spends=(SpendAt(OPENS, 4 * USD, 0), SpendAt(OPENS + timedelta(hours=2), 8 * USD, USD // 2)),
        faults=(
            FaultAt("acme/sparrow", "rate_limited", 9, 0, OPENS, OPENS + timedelta(hours=1), 700.0),
            FaultAt("acme/heron", "rate_limited", 1, 0, OPENS + timedelta(hours=3), OPENS + timedelta(hours=3), 0.0),
            FaultAt("birch/oak", "unauthorized", 2, 1, OPENS, OPENS, 0.0),
        ),
        costs=(
            NightCost("nightly|2026-11-19", date(2026, 11, 19), Money(6 * USD), 2),
            NightCost("nightly|2026-11-20", date(2026, 11, 20), Money(6 * USD), 0),
            NightCost(NIGHT, date(2026, 11, 21), Money(12 * USD, USD, USD // 2), 2),
        ),
        events=EventsIn(CLOSES - timedelta(days=1), {Decided.SHIFT: 1, Decided.STORM: 40, None: 2}),
        facts=Facts(
            jobs=[one.fact for one in jobs],
            attempts=[attempt(n, 1, one.job_id) for n, one in enumerate(jobs, start=1)],
            lines=spent,
        ),
    )


def morning(found: NightFacts | None = None, told: datetime = TOLD) -> Morning:
    return tell_night(found or busy(), told, lambda gate: f"http://127.0.0.1:8233/workflows/{gate.owner_id}")
