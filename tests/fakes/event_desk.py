"""A desk at which events are decided on: a real ledger, the real activities, and work that is only played."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from temporalio.testing import ActivityEnvironment

from activities.event_work import JobOpened, JobStanding, SpecMade
from activities.intake import IntakeActivities
from tests.workflows.line_at_work import job_input
from thirdshift.adapters.ledger import SqlLedger
from thirdshift.core.event_book import Decided, Decision, Event, EventRecord
from thirdshift.core.notices import Notice
from thirdshift.core.triage import Rule, TriageTerms, Work
from thirdshift.intake_signatures import Triage, Triaged
from thirdshift.signatures import JobInput

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
REPOSITORY = "acme/shop"
RULES = (
    Rule(name="ci", match={"kind": ("ci",)}, work=Work.JOB, template="/t.md", cap_per_day=2),
    Rule(name="alert", match={"kind": ("alert",)}, work=Work.SHIFT, shift="nightly", template="/t.md", priority=7),
    Rule(name="push", match={"kind": ("push",)}, work=Work.OUTCOMES),
    Rule(name="noise", match={"kind": ("noise",)}, work=Work.IGNORE),
)


@dataclass
class FakeWork:
    """Work on events as it would be, without doing any."""

    refuses: list[Exception] = field(default_factory=list)
    standings: dict[str, JobStanding] = field(default_factory=dict)
    opened: list[str] = field(default_factory=list)
    no_shifts: set[str] = field(default_factory=set)
    syncs: int = 0

    def make_spec(self, rule: Rule, record: EventRecord) -> SpecMade:
        if self.refuses:
            raise self.refuses.pop(0)
        return SpecMade(
            path=f"/home/intake/{rule.name}-{record.number}.md",
            title=f"Mend (event {record.number})",
            priority=rule.priority or 0,
        )

    def open_job(self, made: SpecMade) -> JobOpened:
        job_id = f"job-{Path(made.path).stem}"
        self.opened.append(job_id)
        self.standings.setdefault(job_id, JobStanding.NEVER_BEGUN)
        return JobOpened(job_id=job_id, start=job_input())

    def job_again(self, job_id: str) -> JobInput:
        return job_input().model_copy(update={"title": f"again {job_id}"})

    async def job_standing(self, job_id: str) -> JobStanding:
        return self.standings.get(job_id, JobStanding.ENDED)

    async def has_shift(self, name: str) -> bool:
        return name not in self.no_shifts

    def sync_outcomes(self) -> str:
        self.syncs += 1
        return "Looked at 2 deliveries: 1 things new."


@dataclass
class Inbox:
    """Notices that were sent."""

    sent: list[Notice] = field(default_factory=list)

    def send(self, notice: Notice, to: Any) -> None:
        assert to == ()
        self.sent.append(notice)


@dataclass
class Desk:
    """A real ledger with events in it, and the activities that decide on them."""

    ledger: SqlLedger
    work: FakeWork = field(default_factory=FakeWork)
    inbox: Inbox = field(default_factory=Inbox)
    now: datetime = NOW
    storm: int = 60
    zone: str = "UTC"
    came: int = 0

    def __post_init__(self) -> None:
        self.activities = IntakeActivities(
            book=self.ledger,
            terms=TriageTerms(rules=RULES, storm_events_per_minute=self.storm),
            work=self.work,
            notifier=self.inbox,
            clock=lambda: self.now,
            zone=ZoneInfo(self.zone),
        )

    def arrive(self, kind: str = "ci", fingerprint: str = "f", at: datetime | None = None) -> int:
        self.came += 1
        number, _ = self.ledger.put_event(
            Event(
                source="github",
                delivery=f"d{self.came}",
                kind=kind,
                repository=REPOSITORY,
                fingerprint=fingerprint,
                title="Something failed",
                received_at=at or self.now,
            )
        )
        return number

    async def triage(self, up_to: int, fingerprint: str = "f", attempt: int = 1) -> Triaged:
        environment = ActivityEnvironment()
        environment.info = replace(environment.info, attempt=attempt)
        given = Triage(repository=REPOSITORY, fingerprint=fingerprint, up_to=up_to)
        found: Triaged = await environment.run(self.activities.triage, given)
        return found

    def decision(self, number: int) -> Decision:
        found = self.ledger.event(number).decision
        assert found is not None
        return found

    def what(self, *numbers: int) -> list[Decided]:
        return [self.decision(number).what for number in numbers]
