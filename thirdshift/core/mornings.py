"""The morning report of one night: what came of it, what it cost, and what a person has to decide now. Pure.

A job belongs to the night that it was last given to: that night finished it, or will be blamed for it. What became of
it is told as it is known at the time of telling, so an answer at nine o'clock changes the report of the night before.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from thirdshift.core.gate_book import GateRecord
from thirdshift.core.history import StopReason
from thirdshift.core.morning_decisions import Decide, gate_to_decide, go_on_command, what_to_decide
from thirdshift.core.morning_facts import EventsIn, FaultAt, NightCost, NightFacts, Purse, SpendAt, WorkedJob
from thirdshift.core.night_book import LineState, NightLine, NightRecord
from thirdshift.core.periods import Period
from thirdshift.core.questions import Money
from thirdshift.core.reckoning import reckon
from thirdshift.core.routing import output_of
from thirdshift.core.waste import Cause, Waste

LinkOf = Callable[[GateRecord], str]
"""The page where a gate is answered; empty where none is known."""


class Fate(StrEnum):
    """What became of a line of the night's list, in the order in which the morning tells of it."""

    ACCEPTED = "accepted"
    WAITING = "waiting"
    PARKED = "parked"
    STOPPED = "stopped"
    REJECTED = "rejected"
    """By a person, at a gate."""
    RUNNING = "running"
    REFUSED = "refused"
    PASSED_OVER = "passed_over"
    LISTED = "listed"
    """Not begun yet; the night goes on."""
    DONE_BEFORE = "done_before"


@dataclass(frozen=True)
class JobLine:
    """A job of the night, and what became of it."""

    job: WorkedJob
    fate: Fate
    why: str
    """For a person: the evidence of a stop, the reason of a parking."""
    tonight: Money
    """What it cost in this night alone."""
    command: str = ""
    """The one command that goes on, where it stopped."""
    since: str = ""
    """What came of it after this night, where a later one went on with it."""

    @property
    def title(self) -> str:
        """Of its spec; hostile text."""
        return self.job.fact.title

    @property
    def job_id(self) -> str:
        """Its workflow's id."""
        return self.job.job_id


@dataclass(frozen=True)
class Waits:
    """A gate that waits for a person."""

    gate: GateRecord
    title: str
    cost_nano: int
    waited_seconds: float
    command: str
    link: str
    tonight: bool


@dataclass(frozen=True)
class Trouble:
    """What one provider did in one way."""

    provider: str
    kind: str
    calls: int
    unknown: int
    first: datetime
    last: datetime
    waited_seconds: float


@dataclass(frozen=True)
class Compared:
    """This night's cost per accepted outcome beside that of the trailing month. Metered; None where none was."""

    tonight_nano: int | None
    accepted: int
    """Outcomes that this night finished and nobody took back since."""
    month_nano: int | None
    month_nights: int
    month_accepted: int
    month_spent: Money

    @property
    def change_percent(self) -> int | None:
        """How much dearer the night was, in whole percent; negative where it was cheaper."""
        if self.tonight_nano is None or not self.month_nano:
            return None
        return round((self.tonight_nano - self.month_nano) * 100 / self.month_nano)


@dataclass(frozen=True)
class Morning:
    """Everything that the report says."""

    record: NightRecord
    told_at: datetime
    decisions: Sequence[Decide]
    jobs: Sequence[JobLine]
    waiting: Sequence[Waits]
    other_gates: int
    lines: Mapping[Fate, Sequence[NightLine]]
    """What has no job of this night: refused, passed over, listed, done before."""
    counts: Mapping[Fate, int]
    """Of the night's list; gates that earlier nights left are not in it."""
    purse: Purse
    spent: Money
    compared: Compared
    costs: Sequence[NightCost]
    spends: Sequence[SpendAt]
    waste: Waste
    troubles: Sequence[Trouble]
    events: EventsIn | None

    def of(self, fate: Fate) -> list[JobLine]:
        """The night's jobs with that fate."""
        return [line for line in self.jobs if line.fate is fate]

    @property
    def under_way(self) -> bool:
        """Whether the night has not ended."""
        return self.record.closed_at is None

    @property
    def ran(self) -> bool:
        """Whether the night worked on anything."""
        return bool(self.jobs)

    @property
    def until(self) -> datetime:
        """What the report goes up to: the night's end, or the moment of telling."""
        return self.record.closed_at or self.told_at

    @property
    def productive(self) -> Money:
        """The part of the night's money that accepted work stands on."""
        return self.waste.by_cause[Cause.PRODUCTIVE]


def tell_night(facts: NightFacts, now: datetime, link_of: LinkOf = lambda _: "") -> Morning:
    """The report of a night, as known ``now``."""
    record = facts.record
    spent = _spent_by_job(facts)
    by_job = {line.job_id: line for line in facts.lines if line.job_id}
    asked = {found.gate.job_id for found in facts.gates if found.tonight}
    jobs = [
        _job_line(job, record, by_job.get(job.job_id), job.job_id in asked, spent.get(job.job_id, Money()))
        for job in facts.jobs
    ]
    jobs.sort(key=lambda line: (list(Fate).index(line.fate), line.job.fact.submitted_at, line.job_id))
    known = {line.job_id for line in jobs}
    lines = _other_lines(facts.lines, known)
    waiting = [
        Waits(
            gate=found.gate,
            title=found.title,
            cost_nano=found.cost_nano,
            waited_seconds=max(0.0, (now - found.gate.opened_at).total_seconds()),
            command=f"thirdshift decide {found.gate.job_id}",
            link=link_of(found.gate),
            tonight=found.tonight,
        )
        for found in facts.gates
    ]
    stopped = [line.job for line in jobs if line.fate is Fate.STOPPED]
    total = Money(facts.purse.settled_nano, facts.purse.imputed_nano, facts.purse.unknown_nano)
    return Morning(
        record=record,
        told_at=now,
        decisions=what_to_decide(
            record,
            facts.purse,
            [
                gate_to_decide(found, wait.waited_seconds, wait.link)
                for found, wait in zip(facts.gates, waiting, strict=True)
            ],
            stopped,
            lines.get(Fate.REFUSED, ()),
            len(lines.get(Fate.PASSED_OVER, ())),
            facts.faults,
        ),
        jobs=jobs,
        waiting=waiting,
        other_gates=facts.other_gates,
        lines=lines,
        counts=_counts(jobs, lines),
        purse=facts.purse,
        spent=total,
        compared=_compared(facts, record.row.night.id),
        costs=facts.costs,
        spends=facts.spends,
        waste=reckon(facts.facts, Period()).waste,
        troubles=_troubles(facts.faults),
        events=facts.events,
    )


def _spent_by_job(facts: NightFacts) -> dict[str, Money]:
    found: dict[str, Money] = defaultdict(Money)
    for line in facts.facts.lines:
        found[line.job_id] = found[line.job_id].plus(Money(line.metered, line.imputed, line.unknown))
    return dict(found)


def _job_line(job: WorkedJob, record: NightRecord, line: NightLine | None, asked: bool, tonight: Money) -> JobLine:
    fate = _fate(job, record, line, asked)
    why = command = since = ""
    match fate:
        case Fate.ACCEPTED:
            why = job.delivered
        case Fate.PARKED:
            why = line.why if line is not None else ""
            if job.night not in ("", record.row.night.id):
                since = job.fact.stop_reason or "gone on with"
        case Fate.REJECTED if job.fact.stop_reason == StopReason.ACCEPTED.value:
            why = f"accepted, and {output_of(job.fact)} since"
        case Fate.STOPPED | Fate.REJECTED:
            why = job.fact.evidence
            command = go_on_command(job) if fate is Fate.STOPPED else ""
        case Fate.RUNNING if not job.night:
            why = "a person lets it go on by day"
        case _:
            pass
    return JobLine(job=job, fate=fate, why=why, tonight=tonight, command=command, since=since)


def _fate(job: WorkedJob, record: NightRecord, line: NightLine | None, asked: bool) -> Fate:
    if job.night not in ("", record.row.night.id):
        # A later night has gone on with it: what this one did was to leave it.
        return Fate.PARKED
    match job.fact.stop_reason:
        case "":
            if asked:
                return Fate.WAITING
            left = job.parked_at is not None or (line is not None and line.state is LineState.PARKED)
            return Fate.PARKED if left else Fate.RUNNING
        case StopReason.ACCEPTED.value:
            return Fate.ACCEPTED if output_of(job.fact).counts else Fate.REJECTED
        case StopReason.REJECTED.value:
            return Fate.REJECTED
        case _:
            return Fate.STOPPED


_STATES = {
    LineState.REFUSED: Fate.REFUSED,
    LineState.PASSED_OVER: Fate.PASSED_OVER,
    LineState.LISTED: Fate.LISTED,
    LineState.DONE_BEFORE: Fate.DONE_BEFORE,
}


def _other_lines(lines: Sequence[NightLine], known: set[str]) -> dict[Fate, Sequence[NightLine]]:
    found: dict[Fate, list[NightLine]] = defaultdict(list)
    for line in lines:
        fate = _STATES.get(line.state)
        if fate is not None and line.job_id not in known:
            found[fate].append(line)
    return dict(found)


def _counts(jobs: Sequence[JobLine], lines: Mapping[Fate, Sequence[NightLine]]) -> dict[Fate, int]:
    counts = dict.fromkeys(Fate, 0)
    for job in jobs:
        counts[job.fate] += 1
    for fate, found in lines.items():
        counts[fate] += len(found)
    return counts


def _compared(facts: NightFacts, night_id: str) -> Compared:
    before = [cost for cost in facts.costs if cost.night != night_id]
    accepted = sum(cost.accepted for cost in facts.costs if cost.night == night_id)
    month = sum(cost.accepted for cost in before)
    spent = Money()
    for cost in before:
        spent = spent.plus(cost.spent)
    return Compared(
        tonight_nano=facts.purse.settled_nano // accepted if accepted else None,
        accepted=accepted,
        month_nano=spent.metered // month if month else None,
        month_nights=len(before),
        month_accepted=month,
        month_spent=spent,
    )


def _troubles(faults: Sequence[FaultAt]) -> list[Trouble]:
    """By provider and kind, the one with most calls first."""
    found: dict[tuple[str, str], list[FaultAt]] = defaultdict(list)
    for fault in faults:
        found[(fault.model.partition("/")[0], fault.kind)].append(fault)
    troubles = [
        Trouble(
            provider=provider,
            kind=kind,
            calls=sum(one.calls for one in same),
            unknown=sum(one.unknown for one in same),
            first=min(one.first for one in same),
            last=max(one.last for one in same),
            waited_seconds=sum(one.waited_seconds for one in same),
        )
        for (provider, kind), same in found.items()
    ]
    return sorted(troubles, key=lambda one: (-one.calls, one.provider, one.kind))
