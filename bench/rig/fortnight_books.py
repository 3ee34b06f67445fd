"""What the simulated fortnight came to: read from the ledger, the provider's own bill, and the server."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from temporalio.api.enums.v1 import WorkflowExecutionStatus

from bench.rig.fortnight_clock import ServerClock
from bench.rig.fortnight_plan import SHIFT, Expected
from thirdshift.adapters.ledger import SqlLedger
from thirdshift.core.ledger import JobRow
from thirdshift.core.night_book import LineState, NightLine, NightRecord
from thirdshift.core.nights import Night as CoreNight
from thirdshift.core.views import JobState

ENDED = (JobState.ACCEPTED, JobState.REJECTED, JobState.STOPPED, JobState.FAILED)
RESTS = (JobState.WAITING, JobState.PARKED)
A_SECOND = timedelta(seconds=1)
_CALLS = """
SELECT owner_id, number, calls.step, state, calls.opened_at, cost_nano, scopes.key
FROM calls JOIN attempts USING (attempt_id) JOIN tallies USING (tally_id)
LEFT JOIN scope_members USING (set_id) JOIN scopes ON scopes.scope_id = scope_members.scope_id AND scopes.kind = 'shift'
"""
_OVER = """
SELECT sum(max(0, settled_nano + held_nano + unknown_nano - limit_nano - raised_nano))
FROM scopes WHERE limit_nano IS NOT NULL
"""


@dataclass(frozen=True)
class Night:
    """A night's row of the table and of the chart."""

    label: str
    hours: float
    spent_nano: int
    finished: int
    accepted: int
    parked: int
    events: int
    how: str
    words: str


@dataclass(frozen=True)
class Books:
    """Everything that was found out."""

    figures: Mapping[str, Any]
    nights: tuple[Night, ...]
    ends: Mapping[str, int]
    problems: tuple[str, ...]


@dataclass(frozen=True)
class Call:
    """A row of the books, with the night that paid for it."""

    step: str
    state: str
    opened_at: datetime
    cost_nano: int
    night: str


class Auditor:
    """Holds what is in the books against what has to be."""

    def __init__(self, root: Path, ledger: SqlLedger, expected: Sequence[Expected], specs: Sequence[str]) -> None:
        self._root = root
        self._ledger = ledger
        self._expected = expected
        self._specs = specs
        self._problems: list[str] = []
        self._records = sorted(ledger.nights(SHIFT, 100), key=lambda one: one.row.night.opens_at)
        self._jobs: dict[str, JobRow] = {}

    async def audit(self, clock: ServerClock) -> Books:
        """Look at everything."""
        calls, lines = self._calls(), self._lines()
        states = await self._states(clock, lines)
        bill = [json.loads(line) for line in (self._root / "bill").read_text().splitlines()]
        settled = Counter(call.step for call in calls if call.state == "settled")
        charged = Counter(call.step for call in calls if call.state in ("settled", "unknown"))
        billed = Counter(str(one["step"]) for one in bill)
        audit = self._ledger.verify()
        events = self._ledger.events(1_000_000)
        ends = Counter(states.values())
        figures = {
            "nights": self._right_nights(),
            "opened_late_s": max(self._late(record) for record in self._records),
            "specs": len(self._specs),
            "specs_lost": sum(state.startswith("lost") for state in states.values()),
            "events": len(events),
            "events_undecided": sum(event.decision is None for event in events),
            "window_violations": self._violations(calls),
            "overspent_nano": self._overspent(bill),
            "differences": len(audit.differences) + len(audit.over_limit),
            "accepted": ends["accepted"],
            "parked_then_finished": self._parked_then_finished(states, lines),
            "calls": len(calls),
            "calls_unknown": sum(call.state == "unknown" for call in calls),
            "called_twice": sum(n - 1 for n in settled.values())
            + sum(max(0, times - charged[step]) for step, times in billed.items()),
            "mornings": len(list((self._root / "home" / "mornings").glob("*.json"))),
        }
        return Books(figures, self._nights(calls, lines, events), ends, tuple(self._problems))

    # --- Nights ----------------------------------------------------------------------------------------

    def _right_nights(self) -> int:
        """How many nights opened and closed at the instants that were written out by hand, once each."""
        found = {record.row.night.day: record for record in self._records}
        good = 0
        for night in self._expected:
            record = found.get(night.day)
            if record is None:
                self._problems.append(f"no night on {night.day}")
                continue
            has = record.row.night
            right = (has.opens_at, has.closes_at) == (night.opens_at, night.closes_at)
            if right and record.row.opened_at >= night.opens_at and record.closed_at is not None:
                good += 1
            else:
                self._problems.append(f"{has.id} was {has.opens_at} to {has.closes_at}, which is not as expected")
        extra = len(self._records) - len(self._expected)
        if extra:
            self._problems.append(f"{extra} nights more or fewer than there should be")
        return good - max(0, extra)

    def _late(self, record: NightRecord) -> float:
        """Seconds of the server's clock, which goes on in real time while workers are busy."""
        return round((record.row.opened_at - record.row.night.opens_at).total_seconds(), 3)

    def _violations(self, calls: Sequence[Call]) -> int:
        """What was begun, or sent, where its night did not allow it."""
        bad = 0
        by_id = {record.row.night.id: record for record in self._records}
        for call in calls:
            record = by_id.get(call.night)
            night = record.row.night if record else None
            if night is None or not night.opens_at <= call.opened_at < night.closes_at:
                bad += self._say(f"call of {call.step} at {call.opened_at} in night {call.night or 'none'}")
        for line in (self._root / "asked").read_text().splitlines():
            asked = json.loads(line)
            at = datetime.fromisoformat(asked["asked_at"])
            around = self._around(at)
            if around is None or at >= _last_begin(around.row.night, asked["what"]) + A_SECOND:
                bad += self._say(f"{asked['what']} of {asked['owner']} was begun at {at}")
            elif around.closed_at and around.how != "closed" and at > around.closed_at:
                bad += self._say(f"{asked['what']} of {asked['owner']} after its night was {around.how}")
        return bad

    def _around(self, at: datetime) -> NightRecord | None:
        return next((one for one in self._records if one.row.night.opens_at <= at < one.row.night.closes_at), None)

    def _overspent(self, bill: Iterable[Mapping[str, Any]]) -> int:
        """By how much any scope's charges, or the provider's own bill of a night, went over the limit."""
        with contextlib.closing(sqlite3.connect(self._root / "home" / "ledger.db")) as books:
            over = int(books.execute(_OVER).fetchone()[0] or 0)
        billed: Counter[str] = Counter()
        for one in bill:
            record = self._around(datetime.fromisoformat(one["at"]))
            billed[record.row.night.id if record else ""] += one["cost_nano"]
        limits = {one.row.night.id: one.row.budget_nano for one in self._records}
        over += sum(max(0, nano - limits.get(night, 0)) for night, nano in billed.items())
        if over:
            self._problems.append(f"over a limit by {over} nano-dollars")
        return over

    # --- Specs -----------------------------------------------------------------------------------------

    async def _states(self, clock: ServerClock, lines: Sequence[NightLine]) -> dict[str, str]:
        """Spec file to the state that it ended in; ``lost: ...`` where the books know none that stands."""
        self._jobs = {job.job_id: self._ledger.read_job(job.job_id) for job in self._ledger.list_jobs(10_000)}
        by_path: dict[str, str] = {job.spec_path: job.job_id for job in self._jobs.values()}
        last = {line.spec_path: line for line in lines}
        found = {}
        for path in self._specs:
            if job_id := by_path.get(path):
                found[path] = await self._state_of_job(clock, job_id)
            elif (line := last.get(path)) is None:
                found[path] = "lost: on no list"
            elif line.state in (LineState.REFUSED, LineState.PASSED_OVER) and line.why:
                found[path] = line.state.value
            else:
                found[path] = f"lost: {line.state.value}"
            if found[path].startswith("lost"):
                self._problems.append(f"{Path(path).stem} {found[path]}")
        return found

    async def _state_of_job(self, clock: ServerClock, job_id: str) -> str:
        """As the books have it, if the server's workflow agrees."""
        view, found = self._ledger.job_view(job_id), await clock.describe(job_id)
        state = WorkflowExecutionStatus.Name(found.status).removeprefix("WORKFLOW_EXECUTION_STATUS_")
        if view.state in ENDED and view.stop_reason is not None and state == "COMPLETED":
            accepted = view.state is JobState.ACCEPTED and view.branch
            return "accepted" if accepted else f"{view.state.value}: {view.stop_reason.value}"
        if view.state in RESTS and state == "RUNNING":
            return view.state.value
        return f"lost: {view.state.value} in the books, {state.lower()} in Temporal"

    def _parked_then_finished(self, states: Mapping[str, str], lines: Sequence[NightLine]) -> int:
        parked = {line.spec_path for line in lines if line.state is LineState.PARKED}
        return sum(not states.get(path, "lost").startswith(("lost", "parked")) for path in parked)

    # --- For people ------------------------------------------------------------------------------------

    def _nights(self, calls: Sequence[Call], lines: Sequence[NightLine], events: Sequence[Any]) -> tuple[Night, ...]:
        found = []
        views = [self._ledger.job_view(job_id) for job_id in self._jobs]
        for at, record in enumerate(self._records):
            night = record.row.night
            following = self._records[at + 1].row.night.opens_at if at + 1 < len(self._records) else night.closes_at
            until = min(following, night.closes_at + timedelta(hours=15))
            ended = [view for view in views if view.ended_at and night.opens_at <= view.ended_at < until]
            found.append(
                Night(
                    label=f"{night.day:%d %b}",
                    hours=(night.closes_at - night.opens_at) / timedelta(hours=1),
                    spent_nano=sum(one.cost_nano for one in calls if one.night == night.id),
                    finished=len(ended),
                    accepted=sum(view.state is JobState.ACCEPTED for view in ended),
                    parked=sum(line.night == night.id and line.state is LineState.PARKED for line in lines),
                    events=sum(night.opens_at <= event.event.received_at < night.closes_at for event in events),
                    how=record.how,
                    words=record.why,
                )
            )
        return tuple(found)

    def _calls(self) -> list[Call]:
        with contextlib.closing(sqlite3.connect(self._root / "home" / "ledger.db")) as books:
            rows = books.execute(_CALLS).fetchall()
            count = books.execute("SELECT count(*) FROM calls").fetchone()[0]
        if len(rows) != count:
            self._problems.append(f"{count - len(rows)} of {count} calls count against no night")
        return [
            Call(f"{owner} {number} {step}", state, datetime.fromtimestamp(at / 1e6, UTC), cost, night)
            for owner, number, step, state, at, cost, night in rows
        ]

    def _lines(self) -> list[NightLine]:
        return [line for record in self._records for line in self._ledger.lines(record.row.night.id)]

    def _say(self, problem: str) -> int:
        self._problems.append(problem)
        return 1


def _last_begin(night: CoreNight, what: str) -> datetime:
    """Until when it may be begun: the tools of a step that has begun, until the window's end."""
    return night.closes_at if what == "run_tools" else night.drains_at
