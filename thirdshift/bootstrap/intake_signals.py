"""How an event reaches its ``Intake`` where a listener's own signal was lost."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from temporalio.client import Client

from thirdshift.adapters.engine.workflow_state import WorkflowState, workflow_state
from thirdshift.bootstrap.announcing import signal_intake
from thirdshift.core.event_book import Decided, EventRecord
from thirdshift.core.views import BooksReader
from thirdshift.intake_signatures import Arrival, IntakeInput
from thirdshift.settings import Settings


async def signal_arrival(settings: Settings, client: Client, record: EventRecord) -> None:
    """Tell the ``Intake`` of the event's repository that it has come. Raises EngineUnavailable."""

    def given(repository: str) -> IntakeInput:
        return IntakeInput(
            repository=repository,
            debounce_seconds=settings.intake.debounce_seconds,
            longest_debounce_seconds=settings.intake.longest_debounce_seconds,
        )

    arrival = Arrival(number=record.number, fingerprint=record.event.fingerprint)
    await signal_intake(client, given)(record.event.repository, arrival)


async def never_begun(
    books: BooksReader, client: Client, records: Sequence[EventRecord], before: datetime
) -> list[EventRecord]:
    """Those of the events whose job was decided on before then, is open in the books, and unknown to the engine."""
    found = []
    for record in records:
        decision = record.decision
        if decision is None or decision.what is not Decided.JOB or decision.at >= before:
            continue
        try:
            ended = books.job_view(decision.job_id).stop_reason is not None
        except KeyError:
            continue
        if not ended and await workflow_state(client, decision.job_id) is WorkflowState.UNKNOWN:
            found.append(record)
    return found
