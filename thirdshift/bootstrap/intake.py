"""From settings to triage: how an event's spec is written, and how its job is opened."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from temporalio.client import Client

from activities.event_work import JobOpened, JobStanding, SpecMade
from activities.intake import IntakeActivities
from activities.services import Services
from thirdshift.adapters.engine.workflow_state import WorkflowState, workflow_state
from thirdshift.bootstrap.intake_rules import check_templates, repository_for, template_of
from thirdshift.bootstrap.notifying import open_notifier
from thirdshift.bootstrap.outcomes import sync_outcomes
from thirdshift.bootstrap.resuming import Room, next_run
from thirdshift.bootstrap.shifts import shift_schedules
from thirdshift.bootstrap.submission import Prepared, job_input, job_row, prepare
from thirdshift.core.errors import ThirdshiftError
from thirdshift.core.event_book import EventRecord
from thirdshift.core.event_spec import Placing, spec_for_event
from thirdshift.core.ports import Base
from thirdshift.core.triage import Rule
from thirdshift.settings import Settings
from thirdshift.signatures import JobInput

BEGUN_WITHIN = timedelta(days=1)
"""A job that the engine does not know was lost on its way if it is no older than this; else it was forgotten there."""


def intake_activities(settings: Settings, services: Services, client: Client) -> IntakeActivities:
    """The activities of ``Intake``. Raises SpecInvalid or SettingsInvalid for templates that no event could use."""
    check_templates(settings)
    return IntakeActivities(
        book=services.ledger,
        terms=settings.intake.terms,
        work=SpecsOfEvents(settings, services, client),
        notifier=open_notifier(settings),
        clock=services.clock,
        zone=services.zone,
    )


class SpecsOfEvents:
    """Implements ``activities.intake.EventWork``."""

    def __init__(self, settings: Settings, services: Services, client: Client) -> None:
        self._settings = settings
        self._services = services
        self._client = client

    def make_spec(self, rule: Rule, record: EventRecord) -> SpecMade:
        """See the port. The file is under THIRDSHIFT_HOME; what is relative in the template is made absolute."""
        template, place = template_of(rule), Path(rule.template)
        placing = Placing(
            number=record.number,
            repo=repository_for(rule, template, place),
            holdout_dir=str((place.parent / template.spec.holdout_dir).absolute()),
            priority=rule.priority,
            budget_nano=rule.budget_nano,
        )
        path = self._settings.home / "intake" / f"{rule.name}-{record.number}.md"
        _write_whole(path, spec_for_event(template, record.event, placing))
        spec = prepare(self._settings, self._services, path).spec
        return SpecMade(path=str(path), title=spec.title, priority=spec.priority)

    def open_job(self, made: SpecMade) -> JobOpened:
        """See the port. The id does not depend on where the base stands, so that a second try finds the first one."""
        settings, services = self._settings, self._services
        prepared = prepare(settings, services, Path(made.path))
        prepared = replace(prepared, job_id=_job_id(prepared))
        services.ledger.put_spec(prepared.doc)
        if not services.ledger.open_job(job_row(settings, services, prepared)):
            row = services.ledger.read_job(prepared.job_id)
            base = Base(commit=row.base_commit, tree=row.base_tree, ref_name=prepared.base.ref_name)
            prepared = replace(prepared, base=base)
        return JobOpened(job_id=prepared.job_id, start=job_input(settings, prepared))

    def job_again(self, job_id: str) -> JobInput:
        """See the port."""
        return next_run(self._settings, self._services, self._services.ledger.job_view(job_id), Room())

    async def job_standing(self, job_id: str) -> JobStanding:
        """See the port. The engine is asked first: a job that ends by itself closes its books before its workflow."""
        state = await workflow_state(self._client, job_id)
        try:
            view = self._services.ledger.job_view(job_id)
        except KeyError:
            return JobStanding.ENDED
        if view.stop_reason is not None or state.closed:
            return JobStanding.ENDED
        if state is not WorkflowState.UNKNOWN:
            return JobStanding.OPEN
        young = self._services.clock() - view.job.submitted_at < BEGUN_WITHIN
        return JobStanding.NEVER_BEGUN if young else JobStanding.ENDED

    async def has_shift(self, name: str) -> bool:
        """See the port."""
        try:
            return await shift_schedules(self._client).find(name) is not None
        except ThirdshiftError:
            return True

    def sync_outcomes(self) -> str:
        """See the port."""
        found = sync_outcomes(self._settings, self._services.ledger, self._services.clock(), source="event")
        missed = f"; {len(found.problems)} could not be looked at" if found.problems else ""
        return f"Looked at {len(found.views)} deliveries: {len(found.fresh)} things new{missed}."


def _job_id(prepared: Prepared) -> str:
    digest = hashlib.sha256(f"{prepared.doc.id} {prepared.repository} event".encode()).hexdigest()[:8]
    head = prepared.job_id.rpartition("-")[0]
    return f"{head}-{digest}"


def _write_whole(path: Path, text: str) -> None:
    """Write a file at once or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, name = tempfile.mkstemp(prefix=f".{re.sub(r'[^a-z0-9-]', '', path.stem)}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).replace(path)
    finally:
        with suppress(FileNotFoundError):
            Path(name).unlink()
