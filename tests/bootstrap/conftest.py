"""A desk for tests of nights: real specs, git and ledger; only Temporal's answers are given."""

from __future__ import annotations

import dataclasses
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import Client
from temporalio.testing import ActivityEnvironment

from activities.nights import NightActivities
from activities.services import Services
from tests.adapters.hub.repositories import git, make_repository, write
from tests.e2e.nights import write_spec
from thirdshift.adapters.engine.workflow_state import WorkflowState
from thirdshift.bootstrap.nights import SpecDesk
from thirdshift.bootstrap.services import open_services
from thirdshift.core.history import StopReason
from thirdshift.core.ledger import JobClosing
from thirdshift.core.night_book import NightLine
from thirdshift.core.shifts import ShiftPlan
from thirdshift.night_signatures import AdmitJob, CloseNight, JobAdmitted, NightOpened, OpenNight
from thirdshift.settings import load_settings

EVENING = datetime(2026, 3, 4, 21, 0, tzinfo=UTC)
DAY = timedelta(days=1)
CONFIG = """
[providers.play]
kind = "scripted"
script = "script.yaml"
requests_per_minute = 90
[[tiers.economy]]
model = "play/sparrow"
[prices."play/sparrow"]
input = "0.10"
output = "0.40"
"""


class DeskWithoutEngine(SpecDesk):
    """The desk, told how workflows stand; one that it was not told of is not known to the server."""

    states: dict[str, WorkflowState]

    async def state_of(self, workflow_id: str) -> WorkflowState:
        return self.states.get(workflow_id, WorkflowState.UNKNOWN)


@dataclass
class Desk:
    """What a test works at: a directory with specs, the books, and the hour."""

    root: Path
    services: Services
    plan: ShiftPlan
    activities: NightActivities
    states: dict[str, WorkflowState]
    hour: list[datetime] = field(default_factory=lambda: [EVENING])

    async def open(self, workflow: str = "shift-one", **terms: Any) -> NightOpened:
        given = OpenNight(plan=self.plan.model_copy(update=terms), started_at=self.hour[0], scheduled_at=self.hour[0])
        found: NightOpened = await self.run(self.activities.open_night, given, workflow)
        return found

    async def admit(self, opened: NightOpened, at: int = 0, **terms: Any) -> JobAdmitted:
        assert opened.night is not None
        given = AdmitJob(
            plan=self.plan.model_copy(update=terms),
            night=opened.night,
            candidate=opened.candidates[at],
            shift_workflow="shift-one",
        )
        found: JobAdmitted = await self.run(self.activities.admit_job, given)
        return found

    async def run(self, activity: Any, given: object, workflow: str = "shift-one") -> Any:
        environment = ActivityEnvironment()
        environment.info = dataclasses.replace(environment.info, workflow_id=workflow)
        return await environment.run(activity, given)

    async def close(self, opened: NightOpened, how: str = "closed", **more: Any) -> None:
        assert opened.night is not None
        given = CloseNight.model_validate({"night_id": opened.night.id, "how": how, "why": "", **more})
        await self.run(self.activities.close_night, given)

    def lines(self, opened: NightOpened) -> dict[str, NightLine]:
        assert opened.night is not None
        found = self.services.ledger.lines(opened.night.id)
        return {Path(one.spec_path).stem + ("!" if one.key == one.job_id else ""): one for one in found}

    def end_job(self, job_id: str, stop: StopReason) -> None:
        closing = JobClosing(
            job_id=job_id,
            stop_reason=stop,
            evidence="",
            branch=f"thirdshift/{job_id}",
            commit="",
            tree="",
            remedy="" if stop is StopReason.ACCEPTED else f"thirdshift resume {job_id}",
            closed_at=self.hour[0],
        )
        self.services.ledger.close_job(closing)


def move_base(repository: Path) -> None:
    write(repository, {"a.py": "x = 2\n"})
    git(repository, "commit", "-qam", "more")


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    make_repository(tmp_path / "repo", {"a.py": "x = 1\n"})
    for number, name in enumerate("ab"):
        write_spec(tmp_path, name, priority=-number)
    (tmp_path / "script.yaml").write_text("version: 1\nplays:\n  - steps:\n      - {say: hello}\n")
    (tmp_path / "thirdshift.toml").write_text(CONFIG)
    environ = {"THIRDSHIFT_HOME": str(tmp_path / "home"), "PATH": "/usr/bin"}
    settings = load_settings(tmp_path / "thirdshift.toml", tmp_path, environ)
    hour = [EVENING]
    async with open_services(settings) as opened:
        services = dataclasses.replace(opened, clock=lambda: hour[0])
        nobody: Client = None  # type: ignore[assignment]  # nothing here asks it
        made = DeskWithoutEngine(settings, services, nobody)
        made.states = {}
        plan = ShiftPlan(
            name="nightly",
            root=str(tmp_path),
            specs=("specs/*.md",),
            opens=time(22),
            closes=time(6),
            zone="Europe/Berlin",
            budget_nano=40_000_000_000,
            submitter="ops",
        )
        yield Desk(tmp_path, services, plan, NightActivities(services, made), made.states, hour)
