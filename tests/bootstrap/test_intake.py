"""An event's spec and job: made twice they are the same, whatever has moved in between."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import cast

import pytest
from temporalio.client import Client, WorkflowExecutionStatus

from activities.event_work import JobStanding
from activities.services import Services
from tests.adapters.ledger.nights import EVENING, event
from tests.bootstrap.test_resuming import FakeEngine
from tests.bootstrap.test_worker import settings_at
from thirdshift.adapters.spec_file import read_spec
from thirdshift.bootstrap.intake import SpecsOfEvents, intake_activities
from thirdshift.bootstrap.services import open_services
from thirdshift.bootstrap.submission import prepare
from thirdshift.core.errors import RepositoryRefused, SpecInvalid
from thirdshift.core.event_book import EventRecord
from thirdshift.core.history import StopReason
from thirdshift.core.ledger import JobClosing
from thirdshift.core.triage import Rule, TriageTerms, Work
from thirdshift.settings import Settings

TEMPLATE = """---
title: Mend the build
base: main
checks: [{id: unit, run: "true", covers: [AC-1]}]
holdout: [{id: held, run: 'true "$HOLDOUT"', covers: [AC-1]}]
---
# Goal
Mend it.

{{event}}

# Acceptance
- AC-1: It shall pass.
"""


def git(place: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.com")
    done = subprocess.run(["git", *identity, *arguments], cwd=place, check=True, capture_output=True, text=True)
    return done.stdout.strip()


@dataclass
class Place:
    """A repository, a template in another directory, and what works with them."""

    root: Path
    settings: Settings
    services: Services
    engine: FakeEngine
    rule: Rule

    @property
    def work(self) -> SpecsOfEvents:
        return SpecsOfEvents(self.settings, self.services, cast("Client", self.engine))


RECORD = EventRecord(number=12, event=event())


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    repo, templates = tmp_path / "shop", tmp_path / "templates"
    repo.mkdir()
    git(repo, "init", "-qb", "main")
    git(repo, "commit", "--allow-empty", "-qm", "start")
    (templates / "holdout").mkdir(parents=True)
    (templates / "holdout" / "answers.txt").write_text("42\n")
    (templates / "t.md").write_text(TEMPLATE)
    settings = settings_at(tmp_path, "bubblewrap")
    rule = Rule(name="ci", work=Work.JOB, template=str(templates / "t.md"), repo=str(repo), budget_nano=7)
    async with open_services(settings) as services:
        yield Place(tmp_path, settings, services, FakeEngine(status=None), rule)


async def test_the_spec_file_means_the_templates_places_from_where_it_lies(place: Place) -> None:
    made = place.work.make_spec(place.rule, RECORD)
    assert made.path == str(place.settings.home / "intake" / "ci-12.md")
    prepared = prepare(place.settings, place.services, Path(made.path))
    assert prepared.repository == str(place.root / "shop")
    assert set(prepared.doc.holdout) == {"answers.txt"}
    assert prepared.spec.budget.max_budget_nano == 7
    assert [file.name for file in (place.settings.home / "intake").iterdir()] == ["ci-12.md"]


async def test_a_templates_own_repository_goes_before_the_rules(place: Place) -> None:
    Path(place.rule.template).write_text(TEMPLATE.replace("base: main", "repo: ../shop\nbase: main"))
    elsewhere = place.rule.model_copy(update={"repo": "/nowhere"})
    assert read_spec(Path(place.work.make_spec(elsewhere, RECORD).path)).repo == str(place.root / "shop")


async def test_a_job_that_is_opened_again_is_the_first_one_though_its_branch_has_moved(place: Place) -> None:
    first = place.work.open_job(place.work.make_spec(place.rule, RECORD))
    git(place.root / "shop", "commit", "--allow-empty", "-qm", "more")
    again = place.work.open_job(place.work.make_spec(place.rule, RECORD))
    assert again == first
    assert first.start.base.commit == git(place.root / "shop", "rev-parse", "main~1")
    assert place.work.job_again(first.job_id).base == first.start.base
    other = place.work.open_job(place.work.make_spec(place.rule, RECORD.model_copy(update={"number": 13})))
    assert other.job_id != first.job_id
    assert first.job_id.startswith("job-shop-ci-12-")


async def test_a_repository_that_is_not_there_is_refused(place: Place) -> None:
    with pytest.raises(RepositoryRefused):
        place.work.make_spec(place.rule.model_copy(update={"repo": str(place.root / "gone")}), RECORD)


@pytest.mark.parametrize(
    ("engine", "closed", "days", "standing"),
    [
        (WorkflowExecutionStatus.RUNNING, False, 0, JobStanding.OPEN),
        (WorkflowExecutionStatus.RUNNING, False, 30, JobStanding.OPEN),
        (WorkflowExecutionStatus.TERMINATED, False, 0, JobStanding.ENDED),
        (WorkflowExecutionStatus.COMPLETED, True, 0, JobStanding.ENDED),
        (None, False, 0, JobStanding.NEVER_BEGUN),
        (None, False, 2, JobStanding.ENDED),
        (None, True, 0, JobStanding.ENDED),
    ],
)
async def test_how_a_job_stands_is_known_from_books_and_engine_together(
    place: Place, engine: WorkflowExecutionStatus | None, closed: bool, days: int, standing: JobStanding
) -> None:
    opened = place.work.open_job(place.work.make_spec(place.rule, RECORD))
    if closed:
        place.services.ledger.close_job(
            JobClosing(
                job_id=opened.job_id, stop_reason=StopReason.ACCEPTED, evidence="", branch="b", commit="c", tree="t",
                remedy="", closed_at=EVENING,
            )
        )  # fmt: skip
    place.engine.status = engine
    now = place.services.clock() + timedelta(days=days)
    place.services = replace(place.services, clock=lambda: now)
    assert await place.work.job_standing(opened.job_id) is standing


async def test_a_job_that_no_book_has_is_not_waited_for(place: Place) -> None:
    assert await place.work.job_standing("job-of-another-ledger") is JobStanding.ENDED


async def test_a_worker_does_not_start_with_a_template_that_no_event_could_use(place: Place) -> None:
    Path(place.rule.template).write_text(TEMPLATE.replace("{{event}}", ""))
    terms = TriageTerms(rules=(place.rule, place.rule.model_copy(update={"name": "x", "template": "/gone.md"})))
    settings = place.settings.model_copy(update={"intake": place.settings.intake.model_copy(update={"terms": terms})})
    with pytest.raises(SpecInvalid) as refused:
        intake_activities(settings, place.services, cast("Client", place.engine))
    assert "rule ci: " in str(refused.value)
    assert "rule x: /gone.md: no such template" in str(refused.value)
